"""Raw columns become features: each kind, what was never seen, and the sentences for what cannot be used."""

import numpy as np
import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from onelayer import tables
from onelayer.tables import encoding
from onelayer.tables.encoding import TEXT_LENGTH, TOKEN


def test_features_of_each_kind():
    frame = pl.DataFrame({"n": [1.0, 2.0, 3.0, 6.0], "c": ["x", "y", "x", "y"]})
    encoder, encoded = tables.fit(frame)
    assert encoder.feature_names == ["n", "c=x", "c=y", "c=(other)"]
    n = frame["n"].to_numpy()
    expected = np.column_stack([(n - n.mean()) / n.std(), [1, 0, 1, 0], [0, 1, 0, 1], np.zeros(4)])
    np.testing.assert_allclose(encoded.X.toarray(), expected, rtol=1e-14)
    unseen = encoder.transform(pl.DataFrame({"c": ["z"], "n": ["2"]}))
    np.testing.assert_allclose(unseen.X.toarray(), [[-1 / n.std(), 0, 0, 1]])


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
    assert encoder.transform(pl.DataFrame({"user": ["never"]})).X.indices.tolist() == [10_000]


def test_levels_do_not_depend_on_the_order_of_rows(monkeypatch):
    monkeypatch.setattr(encoding, "MAX_LEVELS", 3)
    values = [*"aabbcdef", None, encoding.OTHER, encoding.OTHER, encoding.OTHER]
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(values))
        frame = pl.DataFrame({"c": [values[i] for i in order]})
        encoder, encoded = tables.fit(frame, kinds={"c": "category"}, impute="mean")
        assert encoder.feature_names == ["c=a", "c=b", "c=c", "c=(other)"]
        assert encoded.X.toarray().sum(axis=0).tolist() == [2, 2, 1, 7]
        assert "has 6 different values: the 3 most frequent" in encoder.notices[0]


def test_texts_equal_scikit_learns_tf_idf():
    texts = ["A good film!", "bad, bad film", "I am good", "über ÜBER x", "one two three", "don't"]
    encoder, encoded = tables.fit(pl.DataFrame({"t": texts}), kinds={"t": "text"}, ngrams=2)
    pattern = TOKEN.replace(r"\p{L}", "a-zäöü").replace(r"\p{N}", "0-9")
    pattern = pattern.replace(r"[\p{Han}\p{Hiragana}\p{Katakana}]|", "")
    theirs = TfidfVectorizer(token_pattern=pattern, ngram_range=(1, 2), sublinear_tf=True)
    X = theirs.fit_transform(texts).toarray()
    order = [theirs.vocabulary_[name.removeprefix("t: ")] for name in encoder.feature_names]
    np.testing.assert_allclose(encoded.X.toarray(), TEXT_LENGTH * X[:, order], rtol=1e-12)


def test_texts_without_a_known_word_are_flagged():
    encoder, _ = tables.fit(pl.DataFrame({"t": ["good day", "bad day", "so so"]}), kinds={"t": "text"})
    assert encoder.transform(pl.DataFrame({"t": ["", "never", "a day"]})).empty.tolist() == [True, True, False]


def test_missing_values_are_refused_unless_imputed_and_named_at_prediction():
    frame = pl.DataFrame({"age": [1.0, None, 3.0]})
    with pytest.raises(tables.TableError, match="column 'age' has 1 missing values, first in row 2"):
        tables.fit(frame)
    _, encoded = tables.fit(frame, impute="median")
    assert encoded.X[1, 0] == 0
    encoder, _ = tables.fit(pl.DataFrame({"age": [1.0, 2.0]}))
    assert list(encoder.transform(frame).unanswerable) == [1]


def test_numbers_as_text_name_the_cell_that_blocks():
    ages = [str(i) for i in range(30)]
    ages[7] = "1,234"
    with pytest.raises(tables.TableError, match="first '1,234' in row 8"):
        tables.fit(pl.DataFrame({"age": ages}))


def test_columns_are_found_by_name():
    frame = pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    encoder, encoded = tables.fit(frame)
    np.testing.assert_array_equal(encoder.transform(frame.select("b", "a")).X, encoded.X)
    with pytest.raises(tables.TableError, match="lacks column 'b'"):
        encoder.transform(frame.drop("b"))
    with pytest.warns(tables.TableWarning, match="not used: c"):
        encoder.transform(frame.with_columns(c=1))


def test_state_round_trip_and_damage():
    frame = pl.DataFrame({"n": [1.0, 2.0, 4.0, 5.0], "c": list("xyxy"), "t": ["a b", "b c", "c d", "d e"]})
    encoder, encoded = tables.fit(frame, kinds={"t": "text"})
    meta, arrays = encoder.state()
    again = tables.Encoder.from_state(meta, arrays).transform(frame)
    np.testing.assert_array_equal(again.X.toarray(), encoded.X.toarray())
    with pytest.raises(tables.TableError, match="damaged"):
        tables.Encoder.from_state(meta, {**arrays, "column.0": np.array([np.nan, 1, 1])})
