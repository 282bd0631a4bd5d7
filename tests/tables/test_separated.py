"""CSV and its like: a cell is what is written, a line that is none is named."""

import numpy as np
import pytest

from onelayer import tables

WRITTEN = {"a": ["1", "2"], "b": ["x", "y"]}  # in a file of text a cell is what is written

CELLS = [
    "1",
    "-2",
    "1.5",
    "1e5",
    "true",
    "",
    "",
    "a",
    '"1"',
    '"a, b"',
    " 1",
    "nan",
    "NULL",
    "007",
    "1" * 22,
    "2020-01-01",
    "é",
]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,x\n\n,\n2,y\n\n", {"a": ["1", None, "2"], "b": ["x", None, "y"]}),
        (b"\n\na,b\r\n\r\n1,x\r\n,\r\n", {"a": ["1", None], "b": ["x", None]}),
        (b'a,b\n1,"x\ry"\n\n,\n2,y\n', {"a": ["1", None, "2"], "b": ["x\ry", None, "y"]}),
        (b"a,b\n1,x\ry\n\n,\n2,y\n", {"a": ["1", None, "2"], "b": ["x\ry", None, "y"]}),
        (b"a\nx\n\ny\n", {"a": ["x", "", "y"]}),
        (b"a,b\r1,x\r2,y\r", WRITTEN),
        (b"a,b\r1,x\r2,y\n", WRITTEN),
        (b"a,b\r1,x\r2,y\r\n", WRITTEN),
        (b'"a""b","c, ""d"""\n1,x\n', {'a"b': ["1"], 'c, "d"': ["x"]}),
        (b'a,"b,c"\n"1,""",\n,\n\n2,""\n', {"a": ['1,"', None, "2"], "b,c": [None, None, ""]}),
        (b'a,b\n1,"x\n\ny"\n', {"a": ["1"], "b": ["x\n\ny"]}),
        (b"a,b\n1,x\0\n", {"a": ["1"], "b": ["x\0"]}),
        (b"a,b\n1," + b"9" * 60 + b"\n", {"a": ["1"], "b": ["9" * 60]}),
    ],
)
def test_as_many_rows_as_lines(read, data, expected):
    assert read(data).to_dict(as_series=False) == expected


def test_the_header_after_many_blank_lines(read):
    assert read(b"\n" * 100_001 + b"a;b\n1;x\n2;y\n").to_dict(as_series=False) == WRITTEN


def test_a_line_of_ten_megabytes(read):
    assert read(b"a,b\n1," + b"x" * 10_000_000)["b"].str.len_chars().to_list() == [10_000_000]


@pytest.mark.parametrize("seed", range(5))
def test_a_cell_is_what_is_written_whatever_else_the_file_holds(read, seed):
    cells = np.random.default_rng(seed).choice(CELLS, 40).tolist()
    found = read("".join(f"{cell},x\n" for cell in ["a", *cells]).encode())
    assert found.to_series(0).to_list() == [cell.strip('"') or None for cell in cells]


def test_an_error_below_the_first_rows_is_named_with_its_line(read):
    with pytest.raises(tables.TableError, match=r"line 502: 3 cells where the header has 2"):
        read(b"a,b\n" + b"x,y\n" * 500 + b"x,y,z\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_header_may_hold_the_ends_of_lines_in_quotes(read, end):
    frame = read(f'"a{end}b",c{end}1,x{end}2,y{end}'.encode())
    assert frame.columns == [f"a{end if end != chr(13) else chr(10)}b", "c"]
    assert frame.height == 2


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        (b'"Name, first";"x, y, z";label\n"a, b";1;2\n', ["Name, first", "x, y, z", "label"]),
        (b"a,b;c\n1;2\n3,x;4\n", ["a,b", "c"]),
        (b'a,"b\n;",c\n1,2,3\n', ["a", "b\n;", "c"]),
        (b"sep=;\na;b,c,d\n1;2\n", ["a", "b,c,d"]),
        (b'"sep=\t"\r\na\tb,c,d\r\n1\t2\r\n', ["a", "b,c,d"]),
    ],
)
def test_the_separator_is_the_one_that_fits(read, data, columns):
    assert read(data).columns == columns


def test_lines_are_counted_with_the_one_that_names_the_separator(read):
    with pytest.raises(tables.TableError, match=r", line 4: 3 cells where the header has 2 \(separator ';'\)"):
        read(b"sep=;\na;b\n1;2\n1;2;3\n")
    assert read(b"sep=;\na,b\n1,2\n", separator=",").columns == ["a", "b"]


def test_quotes_that_do_not_end_make_no_separator_of_one_that_cuts_nothing(read):
    lines = [f'{i % 2},"I \\"love\\" it {i} times"' for i in range(40)]
    frame = read("\n".join(["label,text", *lines]).encode())
    assert frame.columns == ["label", "text"]


@pytest.mark.parametrize(
    "text", ["Height (m, without shoes)|Weight (kg, naked)\n1.5|70\n1.6|80\n", "Sales, total, net; Year\n1;2\n3;4\n"]
)
def test_the_separator_is_one_that_cuts_rows_alike(read, text):
    assert read(text.encode()).width == 2


def test_a_line_that_names_the_separator_is_no_table(read):
    with pytest.raises(tables.TableError, match="is empty: a header and at least one row are needed"):
        read(b"sep=;\n\n")
