"""Tables read from anything, and the sentences for what cannot be read."""

import gzip
import io
import sys

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


@pytest.mark.parametrize("ending", PACKINGS)
@pytest.mark.parametrize("clothes", CLOTHES)
def test_the_same_table_in_many_clothes(read, clothes, ending):
    data = PACKINGS[ending](CLOTHES[clothes])
    expected = TABLE if clothes == "JSON lines" else WRITTEN
    assert read(data, f"table.csv{ending}").to_dict(as_series=False) == expected
    assert read(data, "table").to_dict(as_series=False) == expected


@pytest.mark.parametrize("ending", PACKINGS)
@pytest.mark.parametrize("name", ["table.jsonl", "table.ndjson", "table.tsv"])
def test_the_name_says_the_format_packed_or_not(read, name, ending):
    data = b"a,b\tc\n1,x\ty\n" if name.endswith(".tsv") else b' \n{"a,b": "1,x", "c": "y"}\n'
    frame = read(PACKINGS[ending](data), name + ending)
    assert frame.to_dict(as_series=False) == {"a,b": ["1,x"], "c": ["y"]}


@pytest.mark.parametrize("ending", PACKINGS)
def test_standard_input_is_known_by_its_first_bytes(monkeypatch, ending):
    data = io.BytesIO(PACKINGS[ending](CLOTHES["plain"]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert tables.read("-").to_dict(as_series=False) == WRITTEN


@pytest.mark.parametrize(("packing", "ending"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_a_damaged_packing_is_said_in_one_sentence(read, packing, ending):
    whole = PACKINGS[ending](bytes(range(256)) * 50)
    middle = bytearray(whole)
    middle[20] ^= 255
    for data in (whole[:-1], whole[: len(whole) // 2], whole[:9], bytes(middle), whole + b"more"):
        with pytest.raises(tables.TableError, match=rf"^'.*table{ending}' is not a whole {packing} file: [^\n]+$"):
            read(data, f"table{ending}")


def test_packed_parts_one_after_the_other_are_one_file(read):
    for pack in (gzip.compress, zstd.compress):
        assert read(pack(b"a,b\n1,x\n") + pack(b"2,y\n")).to_dict(as_series=False) == WRITTEN


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
def test_a_bad_file_is_answered_in_one_sentence(read, data, message):
    for pack in PACKINGS.values():
        with pytest.raises(tables.TableError, match=message) as caught:
            read(pack(data))
        assert "\n" not in str(caught.value)


def test_what_only_polars_finds_wrong_is_one_sentence_too(read, monkeypatch):
    def panic(*_, **__):
        raise pl.exceptions.PanicException("offset\nand more")

    def refuse(*_, **__):
        raise pl.exceptions.ComputeError("")

    monkeypatch.setattr(pl, "read_parquet", panic)
    monkeypatch.setattr(pl, "read_ndjson", refuse)
    monkeypatch.setattr(pl, "read_csv", refuse)
    with pytest.raises(tables.TableError, match=r"is not a whole Parquet file: offset$"):
        read(b"PAR1")
    assert read(b'{"a": 1}').rows() == [(1,)]  # which others read, too
    with pytest.raises(tables.TableError, match=r"cannot be read as CSV: ComputeError$"):
        read(b"a,b\n1,2\n")


@pytest.mark.parametrize(
    ("path", "words"),
    [("nowhere.csv", "No such file"), (".", "Is a directory"), ("a\0b", "embedded null byte")],
)
def test_a_path_that_cannot_be_read(path, words):
    with pytest.raises(tables.TableError, match=f"cannot be read: {words}"):
        tables.read(path)


@pytest.mark.parametrize("separator", ["::", "", "é", '"', "\n"])
def test_a_separator_is_one_character(separator):
    with pytest.raises(tables.TableError, match="the separator must be one ASCII character"):
        tables.read("table.csv", separator=separator)


def test_what_is_said_of_a_file_is_believed(read):
    assert read(b"a,b\tc\n1,2\t3\n", separator="\\t").columns == ["a,b", "c"]
    assert read("a\né\n".encode("latin-1"), encoding="latin-1")["a"].to_list() == ["é"]
    assert read(b"\xef\xbb\xbfa,b\n1,x\n2,y\n", encoding="utf-8").to_dict(as_series=False) == WRITTEN
    for unknown in ("utf-9", "base64"):
        with pytest.raises(tables.TableError, match=f"encoding '{unknown}' is not known: use utf-8"):
            read(b"a\n1\n", encoding=unknown)
    with pytest.raises(tables.TableError, match="cannot be read as undefined: use utf-8, cp1252 or utf-16"):
        read(b"a\n1\n", encoding="undefined")


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
def test_what_is_no_table_is_said_to_be_what_it_is(read, data, words):
    with pytest.raises(tables.TableError, match=words):
        read(data)


@pytest.mark.parametrize("encoding", ["utf-16", "UTF-16-LE", "utf_32"])
def test_an_encoding_in_which_no_line_would_end_is_refused(read, encoding):
    with pytest.raises(tables.TableError, match=rf"is not {encoding}, .* a byte of 0, .*--encoding utf-8"):
        read(b"x,label\n1,a\n2,b\n", encoding=encoding)
    with pytest.raises(tables.TableError, match="is empty"):
        read(b"", encoding=encoding)


def test_utf_32_is_read_by_its_mark(read):
    whole = read("a,b\n1,x\n2,y\n".encode("utf-32"))
    marked = read("a,b\n1,x\n2,y\n".encode("utf-16-le"), encoding="utf-16-le")
    assert whole.to_dict(as_series=False) == marked.to_dict(as_series=False) == WRITTEN


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
