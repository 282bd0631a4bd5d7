"""What a column is taken for, and what none of the kinds can be made of."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from onelayer import tables
from onelayer.tables.kinds import padded, recognised, shown


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3], "number"),
        ([1.5, None], "number"),
        ([Decimal("1.5"), Decimal("2.25")], "number"),
        ([2**70, 1], "number"),
        (np.array([1, 2], dtype=np.float16), "number"),
        (np.array([1, 2], dtype=np.uint64), "number"),
        (["1", " 2 ", "", None, "1e3", "-.5"], "number"),
        ([True, False], "category"),
        (["x", "y", "x", "y"], "category"),
        (["", None, ""], "category"),
        (["00501", "10115", "20095"], "text"),
        (["a", "b", "c", "d", "e"], "text"),
        (["12", "Lobby", "Hall", "Yard", "14"], "text"),
        ([f"{i}.{i}.2024" for i in range(1, 9)], "text"),
        (["2024-01-01", "2024-01-02", "2024-01-03"], "text"),
        ([",", "!", "?"], "text"),
        (["-", "NA", "x", "nan"] * 5, "category"),
        (["2dr", "4dr"] * 5, "category"),
        (["1st", "2nd", "3rd"] * 5, "category"),
        (["A1", "A2", "A3"] * 5, "category"),
        (["1.234", "2.5", "3"], "number"),
        (["0.500", "2"], "number"),
        (["1.200", "950.000"], "number"),
        (["1.200", "12345"], "number"),
        (["1.200", "-9", "0"], "number"),
        (["1.200", "2.400"], "number"),
    ],
)
def test_what_a_column_is_taken_for(values, kind):
    assert recognised(pl.Series("c", values, strict=False)) == kind


def test_many_repeated_values_are_a_category_until_fifty():
    for different, kind in ((50, "category"), (51, "text")):
        assert recognised(pl.Series([f"v{i % different}" for i in range(1000)])) == kind


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1,234"] * 30, "30 of 30 cells cannot be read as one, first '1,234' in row 1 (',' is in the way)"),
        (["3,14", "2,5"], "2 of 2 cells cannot be read as one, first '3,14' in row 1 (',' is in the way)"),
        (["12 %", "7 %"], "first '12 %' in row 1 (' %' is in the way)"),
        (["7", None, "$5"], "1 of 2 cells cannot be read as one, first '$5' in row 3 ('$' is in the way)"),
        (["1", "5 €"], "first '5 €' in row 2 (' €' is in the way)"),
        (["1", "1 000"], "first '1 000' in row 2 (' ' is in the way)"),
        (["1", "−5"], "first '−5' in row 2 ('−' is in the way)"),
        (["1.234.567", "2.000,5"], "first '1.234.567' in row 1: write"),
        (["0.50 EUR", "7.10 EUR"], "first '0.50 EUR' in row 1 (' EUR' is in the way)"),
        (["USD 5", "USD 6"], "first 'USD 5' in row 1 ('USD ' is in the way)"),
        (["3", "(51)", "4"], "first '(51)' in row 2 ('(' is in the way)"),
        (["NA", "?", "n/a", "-", "7", "8", "9"], "4 of 7 cells cannot be read as one, first 'NA' in row 1"),
        (
            ["1", "2", "3", "unknown", "?"],
            "2 of 5 cells cannot be read as one, first 'unknown' in row 4: write plain numbers, nothing where ",
        ),
    ],
)
def test_numbers_that_cannot_be_read_name_the_cell_and_what_is_in_the_way(cells, words):
    with pytest.raises(tables.TableError) as caught:
        tables.fit(pl.DataFrame({"price": cells}))
    assert str(caught.value).startswith("column 'price' holds numbers, but ")
    assert words in str(caught.value)
    assert "say what the column is (kinds={'price': 'category'}, --kind price=category)" in str(caught.value)
    encoder, _ = tables.fit(pl.DataFrame({"price": cells}), kinds={"price": "category"}, impute="mean")
    assert encoder.columns[0].kind == "category"


def test_a_point_that_may_part_thousands_is_refused_unless_it_is_said_to_be_none():
    frame = pl.DataFrame({"income": ["950", "1.200", "", "12.000", " 700", "2.100", "820"]})
    with pytest.raises(tables.TableError) as caught:
        tables.fit(frame)
    assert str(caught.value) == (
        "column 'income' holds '1.200' in row 2, beside whole numbers below 1000: whether its point is a decimal one "
        "or parts thousands is not known: write 1200, or 950.000 for 950 and its like, or say that it is one "
        "(kinds={'income': 'number'}, --kind income=number)"
    )
    encoder, _ = tables.fit(frame, kinds={"income": "number"}, impute="median")
    assert encoder.columns[0].values[2] == (700 + 12) / 2
    with pytest.raises(
        tables.TableError, match=r"target column .income. holds .1\.200. in row 2, beside whole numbers"
    ):
        tables.as_numbers(frame["income"])


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "1.333", "1.667", "2", "3"],  # shares
        ["51", "25", "6", "35", "10.582", "12.250", "11.125"],
        ["999", "3.125", "4.250", "5.875", "999"],  # a code for what is missing
        ["0.500", "1.250", "2.375", "950", "820", "700"],
    ],
)
def test_decimals_beside_whole_numbers_are_no_thousands(cells):
    assert recognised(pl.Series("c", cells)) == "number"
    assert len(tables.as_numbers(pl.Series("c", cells))) == len(cells)


THOUSANDS = ["1.200", "950", "1.300", "800", "2.100", "700"]


@pytest.mark.parametrize(
    "cells",
    [THOUSANDS, [f"-{cell}" for cell in THOUSANDS], [*THOUSANDS, "nan"], pl.Series(THOUSANDS, dtype=pl.Categorical)],
)
def test_thousands_are_refused_with_any_sign_from_any_type(cells):
    with pytest.raises(
        tables.TableError, match=r"beside whole numbers below 1000: .* or 950\.000 for 950 and its like"
    ):
        tables.as_numbers(pl.Series("y", cells))


def test_thousands_are_doubted_where_rows_are_to_be_answered():
    encoder, _ = tables.fit(pl.DataFrame({"x": [1200.0, 950, 1300, 800]}))
    with pytest.warns(tables.TableWarning, match="column 'x' holds '1.200' in row 1, beside whole numbers below 1000"):
        encoder.transform(pl.DataFrame({"x": THOUSANDS}))


def test_digits_of_other_scripts_are_no_thousands():
    with pytest.raises(tables.TableError, match="there is none in 1 cell, first '\uff19\uff15\uff10' in row 7"):
        tables.as_numbers(pl.Series("y", [*THOUSANDS, "\uff19\uff15\uff10"]))


@pytest.mark.parametrize(
    "cells",
    [
        [f"({i},234)" for i in range(1, 41)] + [str(i) for i in range(300, 330)],
        [f"{i}.234.567 \u20ac" for i in range(1, 9)],
        [f"EUR {i}.234.567,50" for i in range(1, 9)],
        [f"($ {i}.50)" for i in range(9)] + [f"$ {i}.20" for i in range(9)],
        ["NA"] * 60 + ["0", "1"] * 20,
    ],
)
def test_accounts_and_few_numbers_among_na_are_numbers(cells):
    with pytest.raises(tables.TableError, match="holds numbers, but"):
        recognised(pl.Series("x", cells))


@pytest.mark.parametrize("missing", [None, ""])
def test_a_missing_cell_is_no_level(missing):
    states = [f"State{i}" for i in range(50)] * 100
    assert recognised(pl.Series("x", states)) == recognised(pl.Series("x", [*states, missing])) == "category"


@pytest.mark.parametrize(
    "levels",
    [
        ["<9years", "9-11years", "12years", "13-15years", "16years", ">16years"],
        ["0.0cwt", "0.2cwt", "0.4cwt", "0.6cwt"],
        ["2WD", "4WD", "AWD"],
        ["5mg", "10mg", "placebo"],
        ["1970s", "1980s", "1990s"],
        ["4th", "5th", "6th"],
        ["(0, 1)", "(0, 10)", "(1)"],
        ["none", "1", "2", "none", "none"],
        ["unknown", "1", "2", "many", "unknown", "unknown"],
    ],
)
def test_levels_that_begin_with_a_number_are_levels(levels):
    encoder, _ = tables.fit(pl.DataFrame({"c": levels * 10}))
    assert encoder.columns[0].kind == "category"
    assert encoder.notices == ()


def test_a_text_of_measures_is_noticed():
    cells = [f"{50 + i}.5 kg" for i in range(30)]
    assert encoder_of([*cells, "NA"])[1] == encoder_of(cells)[1]
    assert "numbers of" not in encoder_of([f"{i}th" for i in range(4, 100)])[1][0]
    assert encoder_of(cells)[1] == (
        "column 'c' holds numbers of 'kg', such as '50.5 kg', taken as text: write plain numbers if they are to count "
        "as such",
    )


BERLIN = timezone(timedelta(hours=1))
UNUSABLE = [
    ([date(2024, 1, 2)], "Date, such as 2024-01-02: make it a number, such as days since"),
    ([datetime(2024, 1, 2, tzinfo=BERLIN)], "Datetime(time_unit='us', time_zone='UTC'), such as 2024-01-01 23:00:00"),
    ([time(1, 2)], "Time, such as 01:02:00: make it a number"),
    ([timedelta(1)], "Duration(time_unit='us'), such as 1 day, 0:00:00: make it a number"),
    ([b"\xff"], "Binary, such as b'\\xff': make it a number or a text"),
    ([[1, 2]], "List(Int64), such as [1, 2]: make each of its parts a column"),
    ([{"x": 1}], "Struct({'x': Int64}), such as {'x': 1}: make each of its parts a column"),
    (np.ones((1, 2)), "Array(Float64, shape=(2,)), such as [1.0, 1.0]: make each of its parts a column"),
    ([1j], "Object, such as 1j: make it a number or a text"),
    ([[None] * 99], "List(Null), such as [None, None, None, None, None, None, None, None, None, None…: make each"),
]


@pytest.mark.parametrize("kind", [None, "number", "category", "text"])
@pytest.mark.parametrize(("values", "words"), UNUSABLE, ids=lambda value: str(value)[:12])
def test_types_of_no_kind_are_refused_with_an_example_and_a_remedy(values, words, kind):
    frame = tables.read({"c": values})
    with pytest.raises(tables.TableError) as caught:
        tables.fit(frame, kinds={"c": kind} if kind else None)
    assert str(caught.value).startswith(f"column 'c' is of type {words}")
    assert str(caught.value).endswith(", or exclude it (exclude=, --exclude)")
    encoder, _ = tables.fit(pl.DataFrame({"c": [1, 2]}))
    with pytest.raises(tables.TableError, match="column 'c' is of type"):
        encoder.transform(frame)


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame({"c": pd.to_datetime(["2024-01-02"])}),
        pd.DataFrame({"c": pd.period_range("2024", periods=1, freq="D")}),
        pd.DataFrame({"c": pd.interval_range(0, 1)}),
        pd.DataFrame({"c": [[1, 2]]}),
        pa.table({"c": pa.array([date(2024, 1, 2)])}),
        pa.table({"c": pa.array([{"x": 1}])}),
        pa.table({"c": pa.array([[("k", 1)]], type=pa.map_(pa.string(), pa.int64()))}),
    ],
    ids=lambda source: type(source).__module__.split(".")[0],
)
def test_types_of_no_kind_are_refused_from_any_frame(source):
    with pytest.raises(tables.TableError, match=r"column .c. is of type .*, such as .*or exclude it"):
        tables.fit(tables.read(source))


def test_a_column_of_nulls_alone_of_such_a_type_has_no_example():
    with pytest.raises(tables.TableError, match=r"column 'c' is of type Date: make it"):
        tables.fit(pl.DataFrame({"c": pl.Series([None], dtype=pl.Date)}))


def test_long_cells_are_cut():
    assert shown("x" * 1000) == "'" + "x" * 58 + "…"
    assert shown("x" * 58) == "'" + "x" * 58 + "'"
    assert shown(None) == "None"


@pytest.mark.parametrize(
    "example",
    [
        "2024-01-31",
        "31.1.2024",
        "1/31/24",
        "2024-01-31T12:30:00Z",
        "2024-01-31 12:30:00.5 +02:00",
        "12:30",
        "9:05:59.123",
        "1 Jan 2024",
        "Jan 1, 2024",
        "2024-05",
        "5-Mar-2020",
    ],
)
def test_dates_as_text_are_noticed_with_the_remedy(example):
    cells = [example, "", None, example, "unknown"] * 20
    _, notices = encoder_of(cells, "fill")
    assert notices == (
        f"column 'c' holds dates or times, such as {example!r}, taken as text: make it a number, such as days since a "
        "date or the hour, or exclude it (exclude=, --exclude)",
    )
    assert encoder_of(cells, "fill", kinds={"c": "category"})[1] == ()


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-31", "soon"],
        ["1-2", "3-4"],
        ["10.0.0.1", "10.0.0.2"],
        ["on 2024-01-31"] * 2,
        ["Golf 2 2011", "Polo 3 2012"],
        ["1234-01", "1235-02"],
        ["2009/10", "2010/11"],
        ["12-34-5678", "45-67-8910"],
        ["Mark 3 2020", "mayor 12 2020"],
    ],
)
def test_what_only_looks_like_dates_is_not_noticed(cells):
    assert encoder_of(cells)[1] == ()


def encoder_of(cells, impute=None, kinds=None):
    frame = pl.DataFrame({"c": cells}, schema={"c": pl.String})
    encoder, _ = tables.fit(frame, kinds=kinds, impute="most_frequent" if impute else None)
    return encoder.feature_names, encoder.notices


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([*map(str, range(200)), "007"], "number"),
        (["00.5", *(f"{i / 7}" for i in range(100))], "number"),
        (["00501", "10001", "02134", "99999"] * 5, "category"),
        (["01", "02", "12"] * 5, "category"),
        (["030 1", "0891", "7"] * 5, "category"),
        ([" 01", "02 ", "12 "] * 5, "category"),
    ],
)
def test_leading_zeros_make_names_where_they_are_no_accident(cells, kind):
    assert recognised(pl.Series("c", cells)) == kind
    frame = pl.DataFrame({"c": cells, "n": range(len(cells))})
    assert padded(frame) == {"c"}
    assert padded(frame.select("n")) == padded(frame.select(c=pl.lit("1"))) == set()


def test_a_remedy_is_quoted_for_a_shell():
    with pytest.raises(tables.TableError, match=r"\(kinds=\{'a b': 'category'\}, --kind 'a b=category'\)"):
        tables.fit(pl.DataFrame({"a b": ["1,2", "3,4"]}))


def test_words_of_one_row_are_noticed():
    ids = [f"u-{i * 7919:06x}" for i in range(30)]
    said = encoder_of(ids)[1]
    assert said[0].startswith(
        "column 'c' holds another word in each row, such as 'u-000000', taken as text, which says"
    )
    for cells in ([*ids, ids[0]], [f"{i} words" for i in ids], ids[:19], ["\u6771" * i for i in range(1, 30)]):
        assert encoder_of(cells)[1] == ()
    assert encoder_of(ids, kinds={"c": "text"})[1] == ()
