"""Cells of targets: labels and numbers, or a sentence for what is none."""

from datetime import date

import polars as pl
import pytest

from onelayer import tables


@pytest.mark.parametrize(
    "cells",
    [
        ["1.0", "nan", "2.0"],
        ["1", "NaN", "2"],
        ["x", "", "y"],
        ["x", None, "y"],
        ["x", " ", "y"],
        [1.0, float("nan"), 2.0],
    ],
)
def test_an_empty_label_is_named_with_its_row(cells):
    with pytest.raises(tables.TableError, match="target column 'y' has 1 empty cells, first in row 2: label or drop"):
        tables.as_labels(pl.Series("y", cells))


def test_nan_may_be_the_name_of_a_class():
    assert tables.as_labels(pl.Series("y", ["nan", "roti"])).to_list() == ["nan", "roti"]


@pytest.mark.parametrize("cells", [[["a"], ["b"]], [date(2024, 1, 1)], [{"a": 1}], [b"a"]])
def test_types_that_are_no_labels_are_refused(cells):
    with pytest.raises(tables.TableError, match=r"target column 'y' is of type .*: it must hold classes, such as text"):
        tables.as_labels(pl.Series("y", cells))
