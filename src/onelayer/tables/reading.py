"""Tables from files, streams and frames, as polars frames, with what is wrong with them said in one sentence."""

import gzip
import io
import re
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from onelayer.tables.frames import frame_of, refuse_mixed
from onelayer.tables.json_lines import read_json_lines
from onelayer.tables.naming import TableError, first_line, name_of, named
from onelayer.tables.separated import read_csv

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "utf-32",  # before utf-16, with whose mark it begins
    b"\0\0\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: unpack it, or save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the table as CSV",
    b"BZh": "packed with bzip2: unpack it (bunzip2)",
    b"\xfd7zXZ": "packed with xz: unpack it (unxz)",
    b"ARROW1": "an Arrow file: save the table as Parquet",
    b"SQLite format 3": "a database: save the table as CSV",
    b"%PDF": "a PDF document: save the table in it as CSV",
    b"\x89PNG": "a picture",
    b"\x93NUMPY": "a NumPy array: pass it to PerceptronClassifier in Python, or save it as CSV",
    b"\x80\x04\x95": "a pickle, which is code: save the table as CSV",
}
PACKED = {b"\x1f\x8b": ("gzip", gzip.decompress), b"\x28\xb5\x2f\xfd": ("zstd", zstd.decompress)}  # RFC 1952, RFC 8878


def read(
    source: Any, *, separator: str | None = None, encoding: str | None = None, labels: str | None = None
) -> pl.DataFrame:
    """A table as a polars frame.

    Parameters
    ----------
    source : path, "-", frame or columns
        A CSV, TSV, JSON-lines or Parquet file, "-" for standard input, all also packed with gzip or zstd, which their
        first bytes tell; a polars or pandas frame, an Arrow table, a dict of columns or a list of dicts.
    separator : str, optional
        Of a CSV file, one ASCII character; otherwise found in its first lines.
    encoding : str, optional
        Of a text file; otherwise UTF-8, or UTF-16 where a byte-order mark says so.
    labels : str, optional
        The column whose cells are to be of one kind where a list or JSON gives them one: texts, numbers or truths.

    Raises
    ------
    TableError
        If the table cannot be read, with the line or byte.

    Examples
    --------
    >>> read({"age": [30, 40]}).shape
    (2, 1)
    """
    if separator == r"\t":  # as a shell passes it
        separator = "\t"
    if separator is not None and (len(separator) != 1 or not separator.isascii() or separator in '"\r\n'):
        raise TableError(f"the separator must be one ASCII character, such as ',' or ';', not {separator!r}")
    from_path = isinstance(source, str | Path)
    if not from_path:
        _refuse_told("the table is no file of text", separator, encoding)
    if labels is not None:
        refuse_mixed(source, labels)
    frame = _read_path(str(source), separator, encoding, labels) if from_path else frame_of(source)
    if frame.height == 0:
        raise TableError(f"{name_of(source)} holds no rows: at least one is needed below the header")
    return named(frame)


def _refuse_told(what: str, separator: str | None, encoding: str | None) -> None:
    """Refuse a separator or an encoding where there is none."""
    for told, name, option in ((separator, "separator", "sep"), (encoding, "encoding", "encoding")):
        if told is not None:
            raise TableError(f"{what}, which has no {name}: leave it out ({name}=, --{option})")


def _read_path(path: str, separator: str | None, encoding: str | None, labels: str | None) -> pl.DataFrame:
    name = "standard input" if path == "-" else repr(path)
    if not path:
        raise TableError("the name of the table is empty: name a file, or - for standard input")
    if path == "-" and sys.stdin is None:
        raise TableError("standard input cannot be read, for it is closed: name a file")
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise TableError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    data, path = _unpacked(data, name), re.sub(r"\.(gz|zst)$", "", path)
    _refuse_foreign(data, name)
    if data[:4] == b"PAR1":
        _refuse_told(f"{name} is a Parquet file", separator, encoding)
        try:
            return pl.read_parquet(io.BytesIO(data))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise TableError(f"{name} is not a whole Parquet file: {first_line(error)}") from error
    text = _decoded(data, name, encoding).removeprefix("\ufeff")
    if "\n" not in text.rstrip("\r\n"):  # lines as the first Macintosh ended them, but perhaps the last
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text or text.isspace():
        raise TableError(f"{name} is empty: a header and at least one row are needed")
    if path.endswith((".jsonl", ".ndjson")) or text.lstrip()[:1] == "{":
        _refuse_told(f"{name} is a file of JSON lines", separator, None)
        return read_json_lines(text, name, labels)
    if re.match(r"\s*\[\s*\{", text):
        raise TableError(f"{name} is one JSON document: write each row as a line of its own (jq -c '.[]')")
    return read_csv(text, name, separator or ("\t" if path.endswith(".tsv") else None))


def _unpacked(data: bytes, name: str) -> bytes:
    for magic, (packing, unpack) in PACKED.items():
        if data.startswith(magic):
            try:
                return unpack(data)
            except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
                raise TableError(f"{name} is not a whole {packing} file: {first_line(error)}") from error
    return data


def _refuse_foreign(data: bytes, name: str) -> None:
    for magic, what in FOREIGN.items():
        if data.startswith(magic):
            raise TableError(f"{name} is no table but {what}")
    for magic, (packing, _) in PACKED.items():
        if data.startswith(magic):
            raise TableError(f"{name} is packed twice, with {packing} inside: unpack it once")
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml)", data, re.IGNORECASE):
        raise TableError(f"{name} is a page of HTML or XML, as of an error, and no table: fetch the table itself")


def _decoded(data: bytes, name: str, encoding: str | None) -> str:
    if encoding is None:
        encoding = next((code for mark, code in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
        if encoding == "utf-8" and data[:1000].count(0) > len(data[:1000]) // 3:
            order = "utf-16-le" if data[1:1000:2].count(0) > data[0:1000:2].count(0) else "utf-16-be"
            raise TableError(
                f"{name} holds a byte of 0 for every other: if it is UTF-16 without a byte-order mark, say so "
                f"(encoding={order!r}, --encoding {order})"
            )
    try:
        if data and b"\0" in "\n".encode(encoding) and b"\0" not in data:
            raise TableError(
                f"{name} is not {encoding}, in which the end of a line holds a byte of 0, for it has none: leave the "
                "encoding out, or say what it is (encoding='utf-8', --encoding utf-8)"
            )
        return data.decode(encoding)
    except LookupError as error:
        raise TableError(f"encoding {encoding!r} is not known: use utf-8, cp1252 or utf-16") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TableError(
            f"{name} is not {encoding}: byte {error.start} (line {line}) is 0x{data[error.start]:02x}; "
            f"say what it is (encoding={_likely(data)!r}, --encoding {_likely(data)})"
        ) from error
    except UnicodeError as error:  # of a codec that is none of files, as "undefined"
        raise TableError(f"{name} cannot be read as {encoding}: use utf-8, cp1252 or utf-16") from error


def _likely(data: bytes) -> str:
    """Of a text that is not UTF-8: Windows' code page, or latin-1 where a byte is none of its signs, as five are."""
    with suppress(UnicodeDecodeError):
        data.decode("cp1252")
        return "cp1252"
    return "latin-1"
