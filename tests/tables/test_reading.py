"""Tables read from anything, and the sentences for what cannot be read."""

import gzip
import io
import sys

import polars as pl
import pytest

from onelayer import tables
from onelayer.tables.reading import zstd

TABLE = {"a": [1, 2], "b": ["x", "y"]}
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
    assert read(tmp_path, data, f"table.csv{ending}").to_dict(as_series=False) == TABLE
    assert read(tmp_path, data, "table").to_dict(as_series=False) == TABLE


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
    assert tables.read("-").to_dict(as_series=False) == TABLE


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
        assert read(tmp_path, pack(b"a,b\n1,x\n") + pack(b"2,y\n")).to_dict(as_series=False) == TABLE


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"a,b\n", "holds no rows"),
        (b"a,a\n1,2\n", "names 'a' twice"),
        (b"a,,c\n1,2,3\n", "column 2 of the header has no name"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells where the header has 2"),
        (b"a\ncaf\xe9\n", "byte 5 \\(line 2\\) is 0xe9"),
    ],
)
def test_a_bad_file_is_answered_in_one_sentence(tmp_path, data, message):
    for pack in PACKINGS.values():
        with pytest.raises(tables.TableError, match=message):
            read(tmp_path, pack(data))


def test_a_missing_file_and_a_misspelt_column():
    with pytest.raises(tables.TableError, match="No such file"):
        tables.read("nowhere.csv")
    with pytest.raises(tables.TableError, match="did you mean 'label'"):
        tables.column(pl.DataFrame({"label": [1]}), "Lable")
