"""Tables read from anything, and the sentences for what cannot be read."""

import gzip
import io
import json
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from onelayer import tables
from onelayer.tables.reading import zstd

TABLE = {"a": [1, 2], "b": ["x", "y"]}
WRITTEN = {"a": ["1", "2"], "b": ["x", "y"]}  # in a file of text a cell is what is written
CLOTHES = {
    "plain": b"a,b\n1,x\n2,y\n",
    "windows": b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y",
    "utf-16": "a,b\n1,x\n2,y\n".encode("utf-16"),
    "semicolons": b"a;b\n1;x\n2;y\n",
    "tabs, a blank line": b"a\tb\n1\tx\n\n2\ty\n",
    "pipes": b"a|b\n1|x\n2|y\n",
    "JSON lines": b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n',
}


def packed_zstd(data):
    """As the command zstd does, which unlike the library's default adds a checksum."""
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


PACKINGS = {"": bytes, ".gz": gzip.compress, ".zst": packed_zstd}


def read(tmp_path, data, name="table.csv", **settings):
    path = tmp_path / name
    path.write_bytes(data)
    return tables.read(path, **settings)


@pytest.mark.parametrize("ending", PACKINGS)
@pytest.mark.parametrize("clothes", CLOTHES)
def test_the_same_table_in_many_clothes(tmp_path, clothes, ending):
    data = PACKINGS[ending](CLOTHES[clothes])
    expected = TABLE if clothes == "JSON lines" else WRITTEN
    assert read(tmp_path, data, f"table.csv{ending}").to_dict(as_series=False) == expected
    assert read(tmp_path, data, "table").to_dict(as_series=False) == expected


@pytest.mark.parametrize("ending", PACKINGS)
@pytest.mark.parametrize("name", ["table.jsonl", "table.ndjson", "table.tsv"])
def test_the_name_says_the_format_packed_or_not(tmp_path, name, ending):
    data = b"a,b\tc\n1,x\ty\n" if name.endswith(".tsv") else b' \n{"a,b": "1,x", "c": "y"}\n'
    frame = read(tmp_path, PACKINGS[ending](data), name + ending)
    assert frame.to_dict(as_series=False) == {"a,b": ["1,x"], "c": ["y"]}


@pytest.mark.parametrize("ending", PACKINGS)
def test_standard_input_is_known_by_its_first_bytes(monkeypatch, ending):
    data = io.BytesIO(PACKINGS[ending](CLOTHES["plain"]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert tables.read("-").to_dict(as_series=False) == WRITTEN


@pytest.mark.parametrize(("packing", "ending"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_a_damaged_packing_is_said_in_one_sentence(tmp_path, packing, ending):
    whole = PACKINGS[ending](bytes(range(256)) * 50)
    middle = bytearray(whole)
    middle[20] ^= 255
    for data in (whole[:-1], whole[: len(whole) // 2], whole[:9], bytes(middle), whole + b"more"):
        with pytest.raises(tables.TableError, match=rf"^'.*table{ending}' is not a whole {packing} file: [^\n]+$"):
            read(tmp_path, data, f"table{ending}")


def test_packed_parts_one_after_the_other_are_one_file(tmp_path):
    for pack in (gzip.compress, zstd.compress):
        assert read(tmp_path, pack(b"a,b\n1,x\n") + pack(b"2,y\n")).to_dict(as_series=False) == WRITTEN


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty: a header and at least one row"),
        (b" \r\n\n", "is empty"),
        (b"a,b\n", "holds no rows: at least one is needed below the header"),
        (b"a,a\n1,2\n", "the header names 'a' twice: rename one"),
        (b"\n\na,a\n1,2\n", "the header names 'a' twice"),
        (b"a,,c\n1,2,3\n", "column 2 of the header has no name: give it one"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells where the header has 2 \\(separator ','\\): put quotes"),
        (b'a,b\n"x\ny",2\n1,2,3\n', "line 4: 3 cells"),
        (b"a,b,c\n1,2,\n1,2\n", "line 3: 2 cells where the header has 3 \\(separator ','\\): complete the row"),
        (b'\na,b\n"x,\n""y",2\n\n3\n', "line 6: 1 cell where the header has 2"),
        (b'a,b\n1,2\n3,"x\n4,5\n', ", line 3: a quote begins or ends inside a cell"),
        (b'a,b\n1,2\n"Hi" he said,4\n', ", line 3: a quote begins or ends inside a cell"),
        (b'a,b\n1,2\n3,5" nail\n', ", line 3: a quote begins or ends inside a cell"),
        (b"a\ncaf\xe9\n", "is not utf-8: byte 5 \\(line 2\\) is 0xe9; say what it is \\(encoding='cp1252', --enc"),
        (
            b"a\n\x80 caf\xe9 \x81\n",
            "is not utf-8: byte 2 \\(line 2\\) is 0x80; say what it is \\(encoding='latin-1', --enc",
        ),
        ("a\nx".encode("utf-16") + b"!", "is not utf-16: byte 8 "),
        (b'{"a": 1}\n\n{"a": \n', ", line 3: not one JSON object"),
        (b'{"a": 1}\n[1]\n', ", line 2: not one JSON object"),
        (
            b'{"a": 1}\n{"a": NaN}\n',
            ', line 2: not one JSON object, such as {"age": 30}, or {"age": null} where',
        ),
        (b'{"a": 1, "b": 2}\n{"a": 1, "b": 2, "a": 3}\n', ", line 2: the object names 'a' twice: rename one of them"),
        (b'{"a": 1}\n' + b"[" * 3_000 + b"\n", ", line 2: not one JSON object"),
        (b' [\n {"a": 1}]', "is one JSON document: write each row as a line of its own"),
        (b"PAR1" + bytes(20), "is not a whole Parquet file"),
    ],
)
def test_a_bad_file_is_answered_in_one_sentence(tmp_path, data, message):
    for pack in PACKINGS.values():
        with pytest.raises(tables.TableError, match=message) as caught:
            read(tmp_path, pack(data))
        assert "\n" not in str(caught.value)


def test_what_only_polars_finds_wrong_is_one_sentence_too(tmp_path, monkeypatch):
    def panic(*_, **__):
        raise pl.exceptions.PanicException("offset\nand more")

    def refuse(*_, **__):
        raise pl.exceptions.ComputeError("")

    monkeypatch.setattr(pl, "read_parquet", panic)
    monkeypatch.setattr(pl, "read_ndjson", refuse)
    monkeypatch.setattr(pl, "read_csv", refuse)
    with pytest.raises(tables.TableError, match=r"is not a whole Parquet file: offset$"):
        read(tmp_path, b"PAR1")
    assert read(tmp_path, b'{"a": 1}').rows() == [(1,)]  # which others read, too
    with pytest.raises(tables.TableError, match=r"cannot be read as CSV: ComputeError$"):
        read(tmp_path, b"a,b\n1,2\n")


@pytest.mark.parametrize(
    ("path", "words"),
    [("nowhere.csv", "No such file"), (".", "Is a directory"), ("a\0b", "embedded null byte")],
)
def test_a_path_that_cannot_be_read(path, words):
    with pytest.raises(tables.TableError, match=f"cannot be read: {words}"):
        tables.read(path)


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
def test_as_many_rows_as_lines(tmp_path, data, expected):
    assert read(tmp_path, data).to_dict(as_series=False) == expected


def test_the_header_after_many_blank_lines(tmp_path):
    assert read(tmp_path, b"\n" * 100_001 + CLOTHES["semicolons"]).to_dict(as_series=False) == WRITTEN


def test_a_line_of_ten_megabytes(tmp_path):
    assert read(tmp_path, b"a,b\n1," + b"x" * 10_000_000)["b"].str.len_chars().to_list() == [10_000_000]


@pytest.mark.parametrize("separator", ["::", "", "é", '"', "\n"])
def test_a_separator_is_one_character(separator):
    with pytest.raises(tables.TableError, match="the separator must be one ASCII character"):
        tables.read("table.csv", separator=separator)


def test_what_is_said_of_a_file_is_believed(tmp_path):
    assert read(tmp_path, b"a,b\tc\n1,2\t3\n", separator="\\t").columns == ["a,b", "c"]
    assert read(tmp_path, "a\né\n".encode("latin-1"), encoding="latin-1")["a"].to_list() == ["é"]
    assert read(tmp_path, b"\xef\xbb\xbfa,b\n1,x\n2,y\n", encoding="utf-8").to_dict(as_series=False) == WRITTEN
    for unknown in ("utf-9", "base64"):
        with pytest.raises(tables.TableError, match=f"encoding '{unknown}' is not known: use utf-8"):
            read(tmp_path, b"a\n1\n", encoding=unknown)
    with pytest.raises(tables.TableError, match="cannot be read as undefined: use utf-8, cp1252 or utf-16"):
        read(tmp_path, b"a\n1\n", encoding="undefined")


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


def test_json_lines_may_differ_in_type(tmp_path):
    rows = [{"age": 1, "of": "x"} for _ in range(5)]
    for cell, expected in ((True, 1), ("five", "five"), (2.5, 2.5), (None, None)):
        data = "\n".join(json.dumps(row) for row in [*rows, {"age": cell}]).encode()
        assert read(tmp_path, data)["age"].to_list()[-1] == expected
    assert read(tmp_path, b'{"a": 1}\n{"a": 1e999}')["a"].to_list() == [1, np.inf]
    with pytest.raises(
        tables.TableError, match=r"column 'a' holds 1 in row 1 and \[5\] \(list\) in row 2, make them one kind"
    ):
        read(tmp_path, b'{"a": 1}\n{"a": [5]}')


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


def test_complex_numbers_of_pandas_are_refused_by_column():
    frame = pd.DataFrame({"a": [1 + 1j, 2], "label": ["x", "y"]})
    with pytest.raises(
        tables.TableError, match=r"column 'a' is of type complex128, such as \[\(1\+1j\)\], make its two"
    ):
        tables.read(frame)


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


@pytest.mark.parametrize("seed", range(5))
def test_a_cell_is_what_is_written_whatever_else_the_file_holds(tmp_path, seed):
    cells = np.random.default_rng(seed).choice(CELLS, 40).tolist()
    found = read(tmp_path, "".join(f"{cell},x\n" for cell in ["a", *cells]).encode())
    assert found.to_series(0).to_list() == [cell.strip('"') or None for cell in cells]


def test_an_error_below_the_first_rows_is_named_with_its_line(tmp_path):
    with pytest.raises(tables.TableError, match=r"line 502: 3 cells where the header has 2"):
        read(tmp_path, b"a,b\n" + b"x,y\n" * 500 + b"x,y,z\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_header_may_hold_the_ends_of_lines_in_quotes(tmp_path, end):
    frame = read(tmp_path, f'"a{end}b",c{end}1,x{end}2,y{end}'.encode())
    assert frame.columns == [f"a{end if end != chr(13) else chr(10)}b", "c"]
    assert frame.height == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"PK\x03\x04" + b"0" * 99,
            "is no table but a ZIP archive or an Excel workbook: unpack it, or save the table as CSV",
        ),
        (b"BZh91AY" + b"0" * 99, r"packed with bzip2: unpack it \(bunzip2\)"),
        (b"\xfd7zXZ\0" + b"0" * 99, r"packed with xz: unpack it \(unxz\)"),
        (b"\x89PNG\r\n\x1a\n", "is no table but a picture"),
        (gzip.compress(gzip.compress(b"a\n1\n")), "packed twice, with gzip inside: unpack it once"),
        (b"\n<!DOCTYPE html><p>404", "is a page of HTML or XML, as of an error, and no table: fetch the table itself"),
        ("a,b\n1,x\n".encode("utf-16-le"), "if it is UTF-16 without a byte-order mark.*--encoding utf-16-le"),
        ("a,b\n1,x\n".encode("utf-16-be"), "if it is UTF-16 without a byte-order mark.*--encoding utf-16-be"),
    ],
    ids=["zip", "bzip2", "xz", "picture", "packed twice", "HTML", "UTF-16, little end first", "UTF-16, big end first"],
)
def test_what_is_no_table_is_said_to_be_what_it_is(tmp_path, data, words):
    with pytest.raises(tables.TableError, match=words):
        read(tmp_path, data)


@pytest.mark.parametrize("encoding", ["utf-16", "UTF-16-LE", "utf_32"])
def test_an_encoding_in_which_no_line_would_end_is_refused(tmp_path, encoding):
    with pytest.raises(tables.TableError, match=rf"is not {encoding}, .* a byte of 0, .*--encoding utf-8"):
        read(tmp_path, b"x,label\n1,a\n2,b\n", encoding=encoding)
    with pytest.raises(tables.TableError, match="is empty"):
        read(tmp_path, b"", encoding=encoding)


def test_utf_32_is_read_by_its_mark(tmp_path):
    whole = read(tmp_path, "a,b\n1,x\n2,y\n".encode("utf-32"))
    marked = read(tmp_path, "a,b\n1,x\n2,y\n".encode("utf-16-le"), encoding="utf-16-le")
    assert whole.to_dict(as_series=False) == marked.to_dict(as_series=False) == WRITTEN


def test_of_many_columns_some_are_named_and_that_there_are_more_is_said():
    frame = pl.DataFrame({f"x{i}": [1] for i in range(14)})
    with pytest.raises(tables.TableError, match=r"its columns are x0, x1, .*, x9, …$"):
        tables.column(frame, "salary")


def test_names_are_in_the_form_that_cells_are_in(tmp_path):
    frame = read(tmp_path, "gro\u0308\u00dfe,x\n1,2\n".encode())
    assert frame.columns == ["gr\u00f6\u00dfe", "x"]
    assert tables.column(frame, "gro\u0308\u00dfe")[0] == "1"
    for source in ({"o\u0308": [1], "\u00f6": [2]}, pl.DataFrame({"o\u0308": [1], "\u00f6": [2]})):
        with pytest.raises(tables.TableError, match=r"names '\u00f6' twice, in two forms of Unicode: rename one"):
            tables.read(source)


def test_a_separator_or_an_encoding_is_refused_where_there_is_none(tmp_path):
    frame = pl.DataFrame({"a": [1]})
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ndjson(tmp_path / "t.jsonl")
    for source, told, words in (
        (tmp_path / "t.parquet", {"separator": ";"}, "is a Parquet file, which has no separator: leave it out"),
        (
            tmp_path / "t.parquet",
            {"encoding": "cp1252"},
            r"which has no encoding: leave it out \(encoding=, --encoding\)",
        ),
        (
            tmp_path / "t.jsonl",
            {"separator": ";"},
            r"JSON lines, which has no separator: leave it out \(separator=, --sep\)",
        ),
        (frame, {"separator": ";"}, "the table is no file of text, which has no separator"),
    ):
        with pytest.raises(tables.TableError, match=words):
            tables.read(source, **told)
    assert tables.read(tmp_path / "t.jsonl", encoding="utf-8")["a"].to_list() == [1]


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
def test_the_separator_is_the_one_that_fits(tmp_path, data, columns):
    assert read(tmp_path, data).columns == columns


def test_lines_are_counted_with_the_one_that_names_the_separator(tmp_path):
    with pytest.raises(tables.TableError, match=r", line 4: 3 cells where the header has 2 \(separator ';'\)"):
        read(tmp_path, b"sep=;\na;b\n1;2\n1;2;3\n")
    assert read(tmp_path, b"sep=;\na,b\n1,2\n", separator=",").columns == ["a", "b"]


def test_a_key_twice_is_refused_in_any_line(tmp_path):
    fine = b'{"a": 1, "b": null}\n{"a": 2}\n\n{"a": 3, "b": "x \\": y"}\n' * 100
    assert read(tmp_path, fine).shape == (300, 2)
    for bad in (b'{"a": 1, "a": 2}', b'{"a": true, "a": 2}', b'{"b": {"x": 1, "x": 2}}'):
        with pytest.raises(tables.TableError, match=r", line 401: the object names '[ax]' twice: rename one of them"):
            read(tmp_path, fine + bad)
