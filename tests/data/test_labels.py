"""Labels of any kind become codes; what is no label is refused with its count and first row."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from onelayer import PerceptronClassifier
from onelayer.data.labels import Labels, checked_weights, encode_labels, row_weights
from onelayer.data.targets import numbers

X = np.random.default_rng(0).normal(size=(20, 3))
Y = np.arange(20) % 2


def labelled(no, yes):
    return [yes if y else no for y in Y]


@pytest.mark.parametrize(
    "labels",
    [
        labelled("no", "yes"),
        labelled("ß", "日本"),
        labelled(-1, 1),
        labelled(1, 2),
        labelled(False, True),
        labelled("0", "1"),
        labelled(0.0, 1.0),
        labelled(Decimal(0), Decimal(1)),
        pd.Series(Y, dtype="Int64"),
        pd.Series(labelled("no", "yes"), dtype="category"),
        pd.Series(labelled("no", "yes"), dtype="string"),
        pl.Series(labelled("no", "yes")),
    ],
    ids=str,
)
def test_labels_of_any_kind_come_back_from_predict(labels):
    model = PerceptronClassifier().fit(X, labels)
    plain = PerceptronClassifier().fit(X, Y)
    assert len(model.classes_) == 2
    np.testing.assert_array_equal(model.predict(X) == model.classes_[1], plain.predict(X) == 1)
    assert set(model.predict(X)) <= set(labels)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint64, np.int64])
def test_whole_numbers_of_any_width_come_back_though_they_lie_further_apart_than_it_counts(kind):
    least, most = max(np.iinfo(kind).min, -100), min(np.iinfo(kind).max, 300)
    y = np.array([least, most, 50], dtype=kind)[np.arange(300) % 3]
    classes, codes = encode_labels(y)
    np.testing.assert_array_equal(classes, np.unique(y))
    np.testing.assert_array_equal(classes[codes], y)
    rows = np.eye(3)[np.arange(300) % 3]
    np.testing.assert_array_equal(PerceptronClassifier(C=1e3).fit(rows, y).predict(rows), y)


@pytest.mark.parametrize("dtype", [object, str])
@pytest.mark.parametrize("count", [2, 3, 200])
def test_texts_are_found_by_a_table_as_a_sort_would_find_them(count, dtype):
    names = np.array([f"{'Ääß'[i % 3]} {i:x}" for i in range(count)], dtype=dtype)
    y = names[np.random.default_rng(0).permutation(2_000) % count]
    classes, codes = encode_labels(y)
    sorted_, where = np.unique(y, return_inverse=True)
    np.testing.assert_array_equal(classes, sorted_)
    np.testing.assert_array_equal(codes, where)
    assert classes.dtype == sorted_.dtype
    assert codes.itemsize <= 2


@pytest.mark.parametrize("count", [3, 127, 128, 129, 200])
def test_codes_take_no_more_than_they_need(count):
    y = np.arange(1000) % count
    classes, codes = encode_labels(y)
    np.testing.assert_array_equal(classes[codes], y)
    assert codes.min() == 0
    assert codes.itemsize == (1 if count <= 128 else 2)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([None, *labelled("a", "b")[1:]], "y holds 1 missing label, first in row 0: drop them"),
        (np.array([*labelled("a", "b")[:-1], np.nan], dtype=object), "y holds 1 missing label, first in row 19"),
        (np.where(Y == 1, np.nan, 1.0), "contains NaN or infinity in 10 rows, first in row 1"),
        (pd.Series([None, *(Y[1:] > 0)], dtype="boolean"), "y holds 1 missing label, first in row 0"),
        (pd.Series([None, *Y[1:]], dtype="Int64"), "NaN or infinity in 1 row, first in row 0"),
        (np.where(Y == 1, np.datetime64("NaT"), np.datetime64("2024-01-01")), "y holds 10 missing labels, first in r"),
        (Y + 1j, "y is of type complex128, such as 1j"),
        ([*labelled("a", "b")[:-1], np.nan], "y holds 1 missing label, first in row 19"),
        (labelled(1, "a"), r"y mixes types.*make them one"),
        (np.array(labelled(1, "a"), dtype=object), r"y mixes types.*make them one"),
        (X[:, 0], "continuous; y must hold classes, but has numbers with a fraction"),
        (np.zeros(20), "y has one class only, 0.0, in 20 rows"),
        (Y[None], r"has shape \(1, 20\): it looks transposed, pass y.T"),
        (np.c_[Y, Y], r"y must hold one label for each row, but has shape \(20, 2\)"),
        (1, r"y must hold one label for each row, but has shape \(\)"),
        (Y[:10], "X has 20 rows, but y has 10 labels"),
        (Y[:1], "X has 20 rows, but y has 1 label$"),
    ],
    ids=str,
)
def test_what_is_no_label_is_refused_with_its_place(labels, words):
    with pytest.raises(ValueError, match=words):
        PerceptronClassifier().fit(X, labels)


def test_a_label_of_several_parts_is_refused():
    labels = np.empty(4, dtype=object)
    labels[:] = [(1, 2), (3, 4), (1, 2), (3, 4)]
    with pytest.raises(ValueError, match=r"y holds \(1, 2\) \(tuple\) in row 0: each row has one label"):
        encode_labels(labels)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (["a"] * 20, "sample_weight must hold a number for each row"),
        (np.ones(3), r"sample_weight has shape \(3,\), but y has 20 rows"),
        (-np.ones(20), "sample_weight must be finite and at least 0, but is -1.0 in row 0"),
        (np.full(20, np.nan), "sample_weight must be finite and at least 0, but is nan in row 0"),
        (np.zeros(20), "sample_weight is zero for every row"),
        (Y, "sample_weight is 0 for every row of class "),
    ],
    ids=str,
)
def test_weights_that_weigh_nothing_are_refused(weights, words):
    classes, codes = encode_labels(Y)
    with pytest.raises(ValueError, match=words):
        row_weights(weights, None, classes, codes)


def test_labels_beyond_all_signed_numbers():
    y = np.array([2**64 - 1, 2**64 - 2, 2**64 - 3], dtype=np.uint64)[np.arange(60) % 3]
    classes, codes = encode_labels(y)
    np.testing.assert_array_equal(classes[codes], y)


@pytest.mark.parametrize("read", [encode_labels, numbers, lambda y: checked_weights(y, 3)])
def test_what_lies_beneath_a_mask_is_nobodys_number(read):
    with pytest.raises(
        ValueError, match=r"(y|sample_weight) is masked in row 1: fill it \(\1.filled\) or drop the row"
    ):
        read(np.ma.masked_array([0.0, 1e9, 1.0], mask=[False, True, False]))
    read(np.ma.masked_array([0.0, 1e9, 1.0], mask=False))


@pytest.mark.parametrize("unit", ["D", "h", "ns"])
@pytest.mark.parametrize("kind", ["M8", "m8"])
def test_a_weight_of_a_date_is_named_as_python_and_as_numpy_write_it(unit, kind):
    days = {
        "M8": (np.array(["2020-01-01", "2021-01-01"], "M8[D]"), datetime.date(2020, 1, 1)),
        "m8": (np.array([1, 2], "m8[D]"), datetime.timedelta(days=1)),
    }
    classes, python = days[kind]
    y = classes.astype(f"{kind}[{unit}]").repeat(2)
    names = [python, classes[0], classes[0].astype(f"{kind}[us]")]
    names += [datetime.datetime(2020, 1, 1)] if kind == "M8" else []
    for name in names:
        assert Labels.of(y, None, {name: 50.0}, None).weight.tolist() == [50, 50, 1, 1]
    for other in (datetime.date(1999, 1, 1), "1999-01-01", object(), (1, 2), None):
        with pytest.raises(ValueError, match="which is not a class in y"):
            Labels.of(y, None, {other: 50.0}, None)
