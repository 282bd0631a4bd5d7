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
    with pytest.raises(tables.TableError, match="target column 'y' has 1 empty cell, first in row 2: label or drop"):
        tables.as_labels(pl.Series("y", cells))


@pytest.mark.parametrize("sign", ["\0", "\x1b[31m", "\x9b", "\x7f"])
def test_a_control_character_in_a_label_is_named_with_its_row(sign):
    with pytest.raises(
        tables.TableError, match=r"has a control character in 1 cell, first 'y\\x.* in row 2: "
    ) as caught:
        tables.as_labels(pl.Series("y", ["x", f"y{sign}", "y"]))
    assert str(caught.value).isprintable()
    assert tables.as_labels(pl.Series("y", ["two\nlines", "a\ttab"])).to_list() == ["two\nlines", "a\ttab"]


def test_nan_may_be_the_name_of_a_class():
    assert tables.as_labels(pl.Series("y", ["nan", "roti"])).to_list() == ["nan", "roti"]


@pytest.mark.parametrize("cells", [[["a"], ["b"]], [date(2024, 1, 1)], [{"a": 1}], [b"a"]])
def test_types_that_are_no_labels_are_refused(cells):
    with pytest.raises(tables.TableError, match=r"target column 'y' is of type .*: it must hold classes, such as text"):
        tables.as_labels(pl.Series("y", cells))


@pytest.mark.parametrize(
    ("cells", "known", "expected"),
    [
        (["a", "b", None, "c"], ["b", "a"], [1, 0, None, None]),
        (["2", "02", " 2.0", "+2", "2e0", "2.5"], ["2"], [0, 0, 0, 0, 0, None]),
        (["2", "1", "0"], ["02", "1.0", "-0.0"], [0, 1, 2]),
        (["true", "TRUE", "False", "1"], ["True", "false"], [0, 0, 1, None]),
        (["2", "2.0", "02"], ["02", "2.0"], [None, 1, 0]),  # 2 may be either
        (["9007199254740993", "09007199254740993.0"], ["9007199254740992", "9007199254740993"], [1, 1]),
        (["18446744073709551617"], ["018446744073709551617", "18446744073709551616"], [0]),
        (["10000000000000000", "1e-3"], ["1e+16", "0.001"], [0, 1]),
        (["nan", "inf"], ["1"], [None, None]),
        ([None], [], [None]),
        (["caf\u00e9", "cafe"], ["cafe\u0301"], [0, None]),
    ],
)
def test_a_word_is_found_as_it_is_written_or_by_its_value(cells, known, expected):
    assert tables.places(pl.Series("c", cells, dtype=pl.String), known).to_list() == expected


@pytest.mark.parametrize(
    ("cell", "known"),
    [
        ("99e12345", "12e45678"),
        ("inf", "12e45678"),
        ("1e999", "inf"),
        ("1e-400", "0"),
        ("1" * 44 + "2", "1" * 45),
        ("0.12345678901234567891", "0.12345678901234567890"),
    ],
)
def test_what_a_double_cannot_tell_apart_is_not_the_same(cell, known):
    assert tables.places(pl.Series([cell]), [known]).to_list() == [None]


@pytest.mark.parametrize(("cell", "known"), [("1e3", "1000"), ("00", "0"), ("-0.0", "0"), (" 2.50", "2.5")])
def test_ways_to_write_a_number_are_the_same(cell, known):
    assert tables.places(pl.Series([cell]), [known]).to_list() == [0]


def test_words_are_alike_by_their_value_only_where_they_have_one():
    assert tables.alike(["1_1", "11"]) == tables.alike(["1e400", "2e400"]) == []
    assert tables.alike(["-0", "0", "2", "2.0"]) == [["-0", "0"], ["2", "2.0"]]
