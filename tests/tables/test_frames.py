"""Tables in memory: types that hold every cell, and the sentences for what no type holds."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from onelayer import tables

TABLE = {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (5, "from a int: "),
        (b"a,b\n1,2\n", "from a bytes: pass a frame, columns by name, or a path"),
        (pd.Series([1, 2]), "from a Series: pass a frame"),
        (pl.Series([1, 2]), "from a Series: pass a frame"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "from a DataFrame: it names 'a' twice, rename one of them"),
        (pd.DataFrame({"a": [1, 2], "b": [1, "x"]}), "from a DataFrame: column 'b' mixes types, make them one"),
        ({"a": [1, 2], "b": [1]}, "from a dict: .*height of column 'b'"),
        ({"a": []}, "the table holds no rows"),
        (None, "the table is None: pass a frame, columns by name, or a path"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_table_is_answered_in_one_sentence(source, message):
    with pytest.raises(tables.TableError, match=message):
        tables.read(source)


def test_types_are_found_in_all_rows():
    rows = [{"a": 1}] * 200 + [{"a": 2.5, "b": "late"}]
    frame = tables.read(rows)
    assert frame["a"][-1] == 2.5
    assert frame["b"][-1] == "late"
    assert tables.read({"a": [1] * 200 + [2.5]})["a"][-1] == 2.5
    assert tables.read(pl.LazyFrame(TABLE)).to_dict(as_series=False) == TABLE


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([np.int64(1), 2.5], [1.0, 2.5]),
        ([np.int64(3), "a"], ["3", "a"]),
        ([np.bool_(True), 5], [1, 5]),
        ([np.uint8(3), 300], [3, 300]),
        ([np.int32(3), np.int64(2**40)], [3, 2**40]),
        ([np.longdouble(1.5), 2], [1.5, 2.0]),
        ([pd.NA, 1, pd.NaT], [None, 1, None]),
        ([np.datetime64("2020-01-01", "ns"), None], [datetime(2020, 1, 1), None]),
    ],
)
def test_a_column_is_of_a_type_that_holds_all_its_cells(cells, expected):
    assert tables.read({"x": cells})["x"].to_list() == expected
    assert tables.read([{"x": cell} for cell in cells])["x"].to_list() == expected


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([1, 2**130], f"'x' holds {str(2**130)[:40]}.*in row 2, which fits none"),
        (["a", None, 2**130], "in row 3, which fits none"),
        ([1.5, date(2020, 1, 1)], r"'x' holds 1.5 in row 1 and .* \(date\) in row 2, make them one kind"),
        ([None, 1, timedelta(1)], r"'x' holds 1 in row 2 and .* \(timedelta\) in row 3"),
        (["a", {"b": 1}], r"'x' holds 'a' in row 1 and {'b': 1} \(dict\) in row 2"),
    ],
)
def test_cells_that_no_type_holds_are_refused_with_their_rows(cells, message):
    for source in ({"x": cells}, [{"x": cell} for cell in cells]):
        with pytest.raises(tables.TableError, match=message):
            tables.read(source)


def test_categories_of_pandas_stay_categories():
    source = pd.DataFrame({"c": pd.Categorical([1, None, 3]), "n": [1, 2, 3]})
    frame = tables.read(source)
    assert frame["c"].cast(pl.String).to_list() == ["1", None, "3"]
    assert frame["n"].dtype == pl.Int64
    assert source["c"].cat.categories.tolist() == [1, 3]  # the frame passed in is not touched


def test_text_is_the_same_whatever_way_cells_came_in():
    ways = [[1, 2, None], [1.0, 2.0, None], [1.0, 2.0, np.nan], ["1", "2", None], [Decimal("1.00"), Decimal(2), None]]
    for way in ways:
        assert tables.as_text(pl.Series(way, strict=False)).to_list() == ["1", "2", None]
    assert tables.as_text(pl.Series([1.5, 20.0])).to_list() == ["1.5", "20"]
    assert tables.as_text(pl.Series([2**63 - 1])).to_list() == ["9223372036854775807"]


def test_complex_numbers_of_pandas_are_refused_by_column():
    frame = pd.DataFrame({"a": [1 + 1j, 2], "label": ["x", "y"]})
    with pytest.raises(
        tables.TableError, match=r"column 'a' is of type complex128, such as \[\(1\+1j\)\], make its two"
    ):
        tables.read(frame)
