"""Columns by their names: the nearest where one is not there, in one form of Unicode."""

import polars as pl
import pytest

from onelayer import tables


@pytest.mark.parametrize(
    ("name", "words"),
    [("Lable", "did you mean 'label'"), ("LABEL", "did you mean 'label'"), ("x", "its columns are label, age")],
)
def test_a_misspelt_column_is_answered_with_the_nearest(name, words):
    with pytest.raises(tables.TableError, match=f"target column '{name}' is not in the table: {words}"):
        tables.column(pl.DataFrame({"label": [1], "age": [2]}), name)


def test_a_separator_that_was_not_found_is_asked_for(tmp_path):
    (tmp_path / "t.csv").write_text("a^label\n1^x\n2^y\n")
    with pytest.raises(tables.TableError, match=r"whose only column is 'a\^label': to cut it, name the separator"):
        tables.column(tables.read(tmp_path / "t.csv"), "label")


def test_of_many_columns_some_are_named_and_that_there_are_more_is_said():
    frame = pl.DataFrame({f"x{i}": [1] for i in range(14)})
    with pytest.raises(tables.TableError, match=r"its columns are x0, x1, .*, x9, …$"):
        tables.column(frame, "salary")


def test_names_are_in_the_form_that_cells_are_in(read):
    frame = read("gro\u0308\u00dfe,x\n1,2\n".encode())
    assert frame.columns == ["gr\u00f6\u00dfe", "x"]
    assert tables.column(frame, "gro\u0308\u00dfe")[0] == "1"
    for source in ({"o\u0308": [1], "\u00f6": [2]}, pl.DataFrame({"o\u0308": [1], "\u00f6": [2]})):
        with pytest.raises(tables.TableError, match=r"names '\u00f6' twice, in two forms of Unicode: rename one"):
            tables.read(source)
