"""Raw columns become features: each kind, what was never seen, and the sentences for what cannot be used."""

import io
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from onelayer import tables
from onelayer.tables import encoding

ROWS = {
    "age": [31, 18, 44, 25, 62, 39],
    "size": [1.5, -2.0, 1e-3, 3.25e8, 0.0, 7.0],
    "member": [True, False, True, True, False, True],
    "town": ["Bonn", "Rome", "Bonn", "東京", "Rome", "東京"],
    "text": ["So, it's good!", 'a "b"', "line\nbreak", "🙂 ok", "x", "1,5 %"],
}


def dense(encoded):
    return encoded.X.toarray() if hasattr(encoded.X, "toarray") else encoded.X


def test_features_of_each_kind():
    frame = pl.DataFrame({"n": [1.0, 2.0, 3.0, 6.0], "c": ["x", "y", "x", "y"]})
    encoder, encoded = tables.fit(frame)
    assert encoder.feature_names == ["n", "c=x", "c=y", "c=(other)"]
    n = frame["n"].to_numpy()
    expected = np.column_stack([(n - n.mean()) / n.std(), [1, 0, 1, 0], [0, 1, 0, 1], np.zeros(4)])
    np.testing.assert_allclose(dense(encoded), expected, rtol=1e-14)
    with pytest.warns(
        tables.TableWarning, match=r"does not know in 1 row, first row 1, such as 'z': taken as \(other\)"
    ):
        unseen = encoder.transform(pl.DataFrame({"c": ["z", "x"], "n": ["2", " 6 "]}))
    np.testing.assert_allclose(dense(unseen), [[-1 / n.std(), 0, 0, 1], [3 / n.std(), 1, 0, 0]])
    assert encoder.describe() == ["number: n (1 feature)", "category: c (3 features)"]


def ways_in(columns, folder):
    """The same table, as every kind of file and frame there is."""
    frame = pl.DataFrame(columns)
    parquet, lines = io.BytesIO(), [dict(zip(columns, row, strict=True)) for row in frame.rows()]
    frame.write_csv(folder / "t.csv")
    frame.write_csv(folder / "t.tsv", separator="\t", include_bom=True, line_terminator="\r\n")
    pd.DataFrame(columns).to_csv(folder / "pandas.csv", index=False)
    frame.write_ndjson(folder / "t.jsonl")
    frame.write_parquet(parquet)
    (folder / "t.parquet").write_bytes(parquet.getvalue())
    yield from (folder / name for name in ("t.csv", "t.tsv", "pandas.csv", "t.jsonl", "t.parquet"))
    yield from (columns, lines, frame, frame.lazy(), pa.table(columns))
    yield from (frame.with_columns(pl.col("town").cast(pl.Categorical)), frame.cast({"age": pl.Int8}))
    yield from (pd.DataFrame(columns), pd.DataFrame(columns).convert_dtypes(), frame.cast({"age": pl.Decimal(9, 2)}))
    yield pd.DataFrame({name: np.array(values, dtype=object) for name, values in columns.items()})
    yield {name: [str(value) for value in values] if name == "age" else values for name, values in columns.items()}


def test_the_features_are_the_same_from_every_way_in(tmp_path):
    kinds = {"text": "text", "town": "category"}
    encoder, expected = tables.fit(tables.read(ROWS), kinds=kinds)
    for source in ways_in(ROWS, tmp_path):
        frame = tables.read(source)
        again, encoded = tables.fit(frame, kinds=kinds)
        names = [name.replace("=True", "=true").replace("=False", "=false") for name in again.feature_names]
        assert names == encoder.feature_names, source  # pandas writes truths with capitals
        np.testing.assert_array_equal(dense(again.transform(tables.read(ROWS))), dense(expected))
        np.testing.assert_array_equal(dense(encoded), dense(expected))
        np.testing.assert_array_equal(dense(encoder.transform(frame)), dense(expected))


def test_numbers_that_are_names_are_the_same_from_every_way_in():
    encoder, _ = tables.fit(pl.DataFrame({"zip": [53111, 10115]}), kinds={"zip": "category"})
    assert encoder.feature_names == ["zip=10115", "zip=53111", "zip=(other)"]
    for values in ([10115.0, 53111.0], ["10115", "53111"], [Decimal(10115), Decimal(53111)]):
        assert encoder.transform(pl.DataFrame({"zip": values})).X.indices.tolist() == [0, 1]


@pytest.mark.parametrize("impute", [None, "mean", "median", "most_frequent"])
@pytest.mark.parametrize("seed", range(5))
def test_the_features_of_the_fit_are_those_of_the_same_rows_later(seed, impute):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    values = {
        "n": rng.normal(10.0 ** rng.integers(-9, 9), 10.0 ** rng.integers(-9, 9), n).tolist(),
        "i": rng.integers(-5, 5, n).tolist(),
        "c": rng.choice(["x", "y", encoding.OTHER, "ß"], n).tolist(),
        "t": [" ".join(rng.choice(["a", "b", "!", "🙂", "word"], rng.integers(1, 9))) for _ in range(n)],
    }
    if impute is not None:
        values = {
            name: [None if i and rng.random() < 0.2 else v for i, v in enumerate(column)]
            for name, column in values.items()
        }
    frame = pl.DataFrame(values)
    encoder, encoded = tables.fit(frame, kinds={"c": "category", "t": "text"}, impute=impute)
    again = encoder.transform(frame[:, ::-1])
    np.testing.assert_array_equal(dense(again), dense(encoded))
    assert again.unanswerable == encoded.unanswerable == {}
    assert again.empty.tolist() == encoded.empty.tolist()
    order = rng.permutation(n)
    np.testing.assert_array_equal(dense(encoder.transform(frame[order])), dense(encoded)[order])


def test_a_million_categories_are_bounded_and_it_is_said():
    names = [f"u{i}" for i in range(1_000_000)] + [f"u{i}" for i in range(5_000, 14_999)] + ["rare"]
    encoder, encoded = tables.fit(pl.DataFrame({"user": names}), kinds={"user": "category"})
    assert encoder.notices == (
        "column 'user' has 1000001 different values: the 10000 most frequent are kept, the others are (other)",
    )
    levels = encoder.columns[0].names
    assert set(levels) == {"rare"} | {f"u{i}" for i in range(5_000, 14_999)}  # of values seen once, the first by name
    assert list(levels) == sorted(levels)
    assert encoded.X.shape == (len(names), 10_001)
    assert encoded.X.nnz == len(names)
    others = 1_000_001 - 10_000
    assert encoded.X[:, -1].sum() == others  # so the weight of (other) is learnt
    with pytest.warns(tables.TableWarning, match="first row 2, such as 'never'"):
        assert encoder.transform(pl.DataFrame({"user": ["u5000", "never"]})).X.indices[1] == 10_000


def test_levels_do_not_depend_on_the_order_of_rows(monkeypatch):
    monkeypatch.setattr(encoding, "MAX_LEVELS", 3)
    values = [*"aabbcdef", None, encoding.OTHER, encoding.OTHER, encoding.OTHER]
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(values))
        frame = pl.DataFrame({"c": [values[i] for i in order]})
        encoder, encoded = tables.fit(frame, kinds={"c": "category"}, impute="mean")
        assert encoder.feature_names == ["c=(missing)", "c=a", "c=b", "c=(other)"]
        assert dense(encoded).sum(axis=0).tolist() == [1, 2, 2, 7]
        assert "has 7 different values: the 3 most frequent" in encoder.notices[0]


def test_what_a_category_does_not_know_is_said_with_its_first_row():
    encoder, _ = tables.fit(pl.DataFrame({"c": ["no", "yes"]}))
    for cells, words in (
        (["Yes", "No"], "in 2 rows, first row 1, such as 'Yes'"),
        (["no", "yes", "Yes"], "in 1 row, first row 3, such as 'Yes'"),
        (["No"], ", such as 'No'"),
    ):
        with pytest.warns(tables.TableWarning, match=rf"column 'c' holds what the model does not know ?{words}"):
            encoded = encoder.transform(pl.DataFrame({"c": cells}))
        assert encoded.X.indices.tolist() == [{"no": 0, "yes": 1}.get(cell, 2) for cell in cells]
    assert encoder.transform(pl.DataFrame({"c": ["no", encoding.OTHER]})).X.indices.tolist() == [0, 2]
    assert encoder.transform(pl.DataFrame({"c": pl.Series([None], dtype=pl.String)})).unanswerable == {
        0: "column 'c' is empty"
    }


def test_what_is_missing_is_a_level_and_what_was_never_seen_another():
    encoder, encoded = tables.fit(pl.DataFrame({"c": ["x", None, "y", ""]}), kinds={"c": "category"}, impute="median")
    assert encoder.feature_names == ["c=(missing)", "c=x", "c=y", "c=(other)"]
    assert encoded.X.indices.tolist() == [1, 0, 2, 0]
    with pytest.warns(tables.TableWarning, match="in 1 row, first row 2, such as 'z'"):
        later = encoder.transform(pl.DataFrame({"c": [None, "z", " "]}))
    assert later.X.indices.tolist() == [0, 3, 0]
    encoder, _ = tables.fit(pl.DataFrame({"c": ["x", "y"]}), impute="median")
    with pytest.warns(tables.TableWarning, match="in 1 row, first row 2, such as an empty cell: taken as"):
        assert encoder.transform(pl.DataFrame({"c": ["x", None]})).X.indices.tolist() == [0, 2]


def test_levels_that_may_be_one_are_noticed():
    encoder, _ = tables.fit(pl.DataFrame({"c": ["Bonn", "bonn ", "02", "2", "Rome"] * 2}))
    assert encoder.notices == (
        "levels of column 'c' differ only in case, blanks or how they are written: '02', '2'; 'Bonn', 'bonn ': if they "
        "are one, write them alike",
    )


@pytest.mark.parametrize("empty", ["", '""', " ", '"  "', "\u00a0"])
def test_an_empty_cell_of_a_category_is_missing_however_it_is_written(tmp_path, empty):
    path = tmp_path / "t.csv"
    path.write_text("x,team\n" + f"1,A\n2,B\n3,{empty}\n" * 3)
    with pytest.raises(
        tables.TableError, match="column 'team' has 3 missing values, first in row 3; drop them or make"
    ):
        tables.fit(tables.read(path))
    encoder, _ = tables.fit(tables.read(path), impute="median")
    assert encoder.feature_names == ["x", "team=(missing)", "team=A", "team=B", "team=(other)"]
    encoder, _ = tables.fit(tables.read(path).filter(pl.col("x") != "3"))
    assert encoder.transform(tables.read(path)).unanswerable == dict.fromkeys((2, 5, 8), "column 'team' is empty")


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_values_are_refused_unless_imputed_and_named_at_prediction(missing):
    frame = pl.DataFrame({"age": [1.0, missing, 3.0, missing, 8.0, 8.0]})
    with pytest.raises(tables.TableError, match="column 'age' has 2 missing values, first in row 2; drop them or say"):
        tables.fit(frame)
    for impute, value in (("mean", 5.0), ("median", 5.5), ("most_frequent", 8.0)):
        _, encoded = tables.fit(frame, impute=impute)
        np.testing.assert_allclose(encoded.X[1, 0], (value - 5) / np.std([1, 3, 8, 8]), atol=1e-15)
    encoder, _ = tables.fit(pl.DataFrame({"age": [1.0, 2.0]}))
    held = "nothing" if missing is None else "nan, not a number"
    assert encoder.transform(frame).unanswerable == {row: f"column 'age' holds {held}" for row in (1, 3)}


@pytest.mark.parametrize("cell", [np.inf, -np.inf, "inf", " -Infinity", "1e400"])
@pytest.mark.parametrize("impute", [None, "median"])
def test_an_infinite_number_is_no_gap(cell, impute):
    frame = pl.DataFrame({"age": ["1", cell, "3"] if isinstance(cell, str) else [1.0, cell, 3.0]})
    with pytest.raises(tables.TableError, match=r"column 'age' .* no finite one in 1 cell, first .* in row 2: correct"):
        tables.fit(frame, impute=impute)
    encoder, _ = tables.fit(pl.DataFrame({"age": [1.0, 2.0]}), impute=impute)
    assert encoder.transform(frame).unanswerable == {1: f"column 'age' holds {cell!r}, not a number"}


@pytest.mark.parametrize("kind", ["category", "text"])
def test_missing_words_are_refused_unless_imputed(kind):
    frame = pl.DataFrame({"c": ["x", None, "y"]})
    with pytest.raises(tables.TableError, match="column 'c' has 1 missing value, first in row 2") as caught:
        tables.fit(frame, kinds={"c": kind})
    assert ("make them the level (missing)" if kind == "category" else "make them empty texts") in str(caught.value)
    _, encoded = tables.fit(frame, kinds={"c": kind}, impute="mean")
    assert encoded.unanswerable == {}
    assert dense(encoded)[1].tolist() == ([1, 0, 0, 0] if kind == "category" else [0, 0])


def test_an_imputed_column_fills_what_is_missing_but_never_what_cannot_be_read():
    encoder, _ = tables.fit(pl.DataFrame({"age": [1.0, None, 3.0]}), impute="median")
    later = encoder.transform(pl.DataFrame({"age": ["", "1,234", None, " 3 "]}))
    assert later.unanswerable == {1: "column 'age' holds '1,234', not a number"}
    np.testing.assert_allclose(later.X[[0, 2, 3], 0], [0, 0, 1])


@pytest.mark.parametrize(
    ("frame", "settings", "message"),
    [
        ({"a": [1]}, {"kinds": {"A": "text"}}, "kind is given for column 'A', which is not there: did you mean 'a'"),
        ({"a": [1]}, {"kinds": {"a": "date"}}, "kind of column 'a' must be number, category, text, not 'date'"),
        ({"a": [1]}, {"impute": "zero"}, "impute must be one of mean, median, most_frequent, not 'zero'"),
        (
            {},
            {},
            "no column is left beside the target and what is not to be used: at least one feature is needed",
        ),
        ({"a": [None, None]}, {}, "column 'a' has no value at all: exclude it"),
        ({"a": [np.nan]}, {"impute": "mean"}, "column 'a' has no value at all: exclude it"),
        (
            {"a": ["1", "x", "y"]},
            {"kinds": {"a": "number"}, "impute": "mean"},
            "column 'a' is to be a number, but there is no finite one in 2 cells, first 'x' in row 2: correct or drop",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(frame, settings, message):
    with pytest.raises(tables.TableError, match=message):
        tables.fit(pl.DataFrame(frame), **settings)


def test_columns_are_found_by_name():
    frame = pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    encoder, encoded = tables.fit(frame)
    np.testing.assert_array_equal(encoder.transform(frame.select("b", "a")).X, encoded.X)
    with pytest.raises(tables.TableError, match="the table lacks column 'b': did you mean 'B'"):
        encoder.transform(frame.rename({"b": "B"}))
    with pytest.raises(tables.TableError, match="the table lacks columns 'a', 'b': its columns are x"):
        encoder.transform(pl.DataFrame({"x": [1]}))
    with pytest.warns(tables.TableWarning, match="columns not used: c"):
        encoder.transform(frame.with_columns(c=1))


@pytest.mark.parametrize(
    "values",
    [
        np.array([1e6, 1e6 + 1, 1e6 + 3]),
        np.array([1e300, -1e300, 3.0]),
        np.array([-1.7e308, 1.7e308, 1.6e308]),
        np.array([1e-200, 2e-200, 5e-200]),
        np.array([2**53 + 2, 2**62, -(2**63)]),
        np.array([0, 2**64 - 1, 2**63], dtype=np.uint64),
        np.array([1, 2, 4], dtype=np.float16),
        np.array([-128, 127, 0], dtype=np.int8),
    ],
    ids=str,
)
def test_numbers_of_any_size_have_mean_zero_and_spread_one(values):
    _, encoded = tables.fit(tables.read({"n": values}))
    exact = [int(v) if values.dtype.kind in "iu" else Decimal(float(v)) for v in values]
    mean = sum(map(Decimal, exact)) / 3
    spread = (sum((v - mean) ** 2 for v in map(Decimal, exact)) / 3).sqrt()
    expected = [float((v - mean) / spread) for v in map(Decimal, exact)]
    np.testing.assert_allclose(encoded.X[:, 0], expected, rtol=1e-9, atol=1e-15)  # of a spread of one


def test_a_categorical_that_is_said_to_be_a_number_is_read_by_its_names():
    frame = pl.DataFrame({"n": pl.Series(["30", "-1", "30", "1"], dtype=pl.Categorical)})
    _, encoded = tables.fit(frame, kinds={"n": "number"})
    np.testing.assert_allclose(encoded.X[:, 0], (np.array([30, -1, 30, 1]) - 15) / np.std([30, -1, 30, 1]))


def test_a_constant_column_is_zero():
    _, encoded = tables.fit(pl.DataFrame({"n": [7.0, 7.0]}))
    assert encoded.X.tolist() == [[0], [0]]


@pytest.mark.parametrize("written", [int, str, " {} ".format])
def test_whole_numbers_that_are_rounded_are_said_and_are_exact_as_names(written):
    frame = pl.DataFrame({"id": [written(2**53), written(2**53 + 1)]})
    encoder, _ = tables.fit(frame)
    assert encoder.notices == (
        "column 'id' holds whole numbers beyond 2^53, which are rounded: if they are names, say what the column is "
        "(kinds={'id': 'category'}, --kind id=category)",
    )
    encoder, encoded = tables.fit(frame, kinds={"id": "category"})
    assert encoder.notices == ()
    assert encoded.X.indices.tolist() == [0, 1]
    for rounded in ([2.0**53, 1.0], ["9007199254740992.5", "1e16"]):
        assert tables.fit(pl.DataFrame({"id": rounded}))[0].notices == ()


def test_the_table_passed_in_is_not_touched(tmp_path):
    source = pd.DataFrame(ROWS)
    before = source.copy(deep=True)
    tables.fit(tables.read(source), kinds={"text": "text"})
    pd.testing.assert_frame_equal(source, before)


def test_state_round_trip_and_damage():
    frame = pl.DataFrame({"n": [1.0, 2.0, 4.0, 5.0], "c": list("xyxy"), "t": ["a b", "b c", "c d", "d e"]})
    encoder, encoded = tables.fit(frame, kinds={"t": "text"})
    meta, arrays = encoder.state()
    again = tables.Encoder.from_state(meta, arrays).transform(frame)
    np.testing.assert_array_equal(again.X.toarray(), encoded.X.toarray())
    with pytest.raises(tables.TableError, match="damaged"):
        tables.Encoder.from_state(meta, {**arrays, "column.0": np.array([np.nan, 1, 1])})


def test_a_cell_means_the_same_in_every_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("code,x\n" + "02,1\n1.0,2\nTrue,3\nx,4\n" * 3)
    encoder, encoded = tables.fit(tables.read(path))
    assert encoder.columns[0].names == ("02", "1.0", "True", "x")
    for i, cell in enumerate(encoder.columns[0].names):
        path.write_text(f"code,x\n{cell},{i + 1}\n")
        np.testing.assert_array_equal(dense(encoder.transform(tables.read(path))), dense(encoded)[[i]])
    typed = [pl.Series([2]), pl.Series([1.0]), pl.Series([True]), pl.Series(["x"])]
    for i, cell in enumerate(typed):
        frame = pl.DataFrame({"code": cell, "x": [i + 1]})
        np.testing.assert_array_equal(dense(encoder.transform(frame)), dense(encoded)[[i]])


def test_both_noughts_are_one_level():
    encoder, encoded = tables.fit(pl.DataFrame({"c": [-0.0, 0.0, 1.0, 1.0]}), kinds={"c": "category"})
    assert encoder.feature_names == ["c=0", "c=1", "c=(other)"]
    assert encoded.X.indices.tolist() == [0, 0, 1, 1]


def test_columns_are_judged_on_all_rows_and_learnt_on_some():
    frame = pl.DataFrame({"n": [1.0, 3.0, 9.0], "c": ["x", "y", "z"], "t": ["a b", "b c", "c d"]})
    kinds, rows = {"c": "category", "t": "text"}, np.array([True, True, False])
    encoder, encoded = tables.fit(frame, rows=rows, kinds=kinds)
    alone, expected = tables.fit(frame[:2], kinds=kinds)
    assert encoder.feature_names == alone.feature_names
    np.testing.assert_array_equal(dense(encoded), dense(expected))
    for name, cell in (("n", None), ("n", "?"), ("c", None), ("t", None)):
        column = pl.Series([*map(str, frame[name][:2]), cell])
        with pytest.raises(tables.TableError, match=rf"column '{name}' .* in row 3"):
            tables.fit(frame.with_columns(column.alias(name)), rows=rows, kinds={"n": "number", **kinds})


def test_rows_to_fit_may_hold_nothing_of_a_column_that_others_hold():
    frame = pl.DataFrame({"n": [None, None, 5.0, 6.0], "t": ["", " ", "a word", ""], "x": [1.0, 2.0, 3.0, 4.0]})
    rows = np.array([True, True, False, False])
    encoder, encoded = tables.fit(frame, rows=rows, impute="mean", kinds={"t": "text"})
    assert encoder.feature_names == ["n", "x"]
    np.testing.assert_allclose(dense(encoded), [[0, -1], [0, 1]])
    assert encoder.transform(frame).unanswerable == {}
    assert tables.Encoder.from_state(*encoder.state()).feature_names == ["n", "x"]


def test_texts_and_levels_that_look_alike_are_one():
    composed, apart = "caf\u00e9 ouvert", "cafe\u0301 ouvert"
    frame = pl.DataFrame({"t": [composed, apart, "x"], "c": [composed, apart, "x"]})
    encoder, encoded = tables.fit(frame, kinds={"t": "text", "c": "category"})
    assert encoder.columns[0].names == ("caf\u00e9", "caf\u00e9 ouvert", "ouvert", "x")
    assert encoder.columns[1].names == (composed, "x")
    np.testing.assert_array_equal(dense(encoded)[0], dense(encoded)[1])
    np.testing.assert_array_equal(dense(encoder.transform(frame)), dense(encoded))


def test_a_missing_text_cannot_be_answered_and_an_empty_one_holds_no_word():
    frame = pl.DataFrame({"t": ["a b", "b c", "c d"]})
    encoder, _ = tables.fit(frame, kinds={"t": "text"})
    later = pl.DataFrame({"t": ["a", None, ""]})
    found = encoder.transform(later)
    assert found.unanswerable == {1: "column 't' is empty"}
    assert found.empty.tolist() == [False, False, True]
    imputed, _ = tables.fit(frame, kinds={"t": "text"}, impute="mean")
    assert imputed.transform(later).unanswerable == {}
    again = tables.Encoder.from_state(*imputed.state())
    assert again.transform(later).unanswerable == {}


def test_a_category_without_a_level_for_it_is_empty_where_nothing_is_written():
    encoder, _ = tables.fit(pl.DataFrame({"c": ["x", "y"]}))
    assert encoder.transform(pl.DataFrame({"c": ["", "x", None]})).unanswerable == dict.fromkeys(
        (0, 2), "column 'c' is empty"
    )
    meta, arrays = encoder.state()
    meta["columns"][0]["names"] = ["", "x"]  # as models saved before may know them
    found = tables.Encoder.from_state(meta, arrays).transform(pl.DataFrame({"c": ["", "x", None]}))
    assert found.unanswerable == {2: "column 'c' is empty"}
    assert found.X.indices.tolist() == [0, 1, 2]


def test_texts_of_models_saved_before_are_cut_as_they_were():
    frame = pl.DataFrame({"t": ["नमस्ते", "दुनिया", "a"]})
    encoder, _ = tables.fit(frame, kinds={"t": "text"})
    meta, arrays = encoder.state()
    assert meta["text_rules"] == 2
    meta["columns"][0]["names"] = ["नमस", "a", "त"]
    old = tables.Encoder.from_state({name: value for name, value in meta.items() if name != "text_rules"}, arrays)
    found = old.transform(pl.DataFrame({"t": ["नमस्ते", None]}))
    assert (found.X.toarray() > 0).tolist() == [[True, False, True], [False] * 3]
    assert found.unanswerable == {}
    with pytest.raises(tables.TableError, match="damaged: the rules of texts are 3"):
        tables.Encoder.from_state(meta | {"text_rules": 3}, arrays)


@pytest.mark.parametrize("dtype", [pl.String, pl.Boolean, pl.Float64, pl.Null, pl.Categorical])
@pytest.mark.parametrize("impute", [None, "mean"])
def test_a_column_without_a_value_is_to_be_excluded_whatever_its_type(dtype, impute):
    frame = pl.DataFrame({"a": [1, 2, 3], "b": pl.Series([None] * 3, dtype=dtype)})
    with pytest.raises(tables.TableError, match="column 'b' has no value at all: exclude it"):
        encoding.fit(frame, impute=impute)
