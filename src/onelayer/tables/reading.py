"""Tables from files, streams and frames, as polars frames, with what is wrong with them said in one sentence."""

import csv
import difflib
import gzip
import io
import json
import re
import sys
import unicodedata
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import dropwhile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from onelayer.counting import counted
from onelayer.names import short

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SEPARATORS = ",;\t|"
MISSING = ("NAType", "NaTType")  # of pandas, for cells without a value
PLAIN = (int, float, str, Decimal, type(None))  # kinds of cells that may stand in one column
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


class TableError(ValueError):
    """Something about a table that only its owner can put right."""


class TableWarning(UserWarning):
    """Something about a table that its owner should know."""


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
        _refuse_mixed(source, labels)
    frame = _read_path(str(source), separator, encoding, labels) if from_path else _frame(source)
    if frame.height == 0:
        raise TableError(f"{_name(source)} holds no rows: at least one is needed below the header")
    return _named(frame)


def composed(name: str) -> str:
    """A name as tables have it: in Unicode's form NFC, as their cells are."""
    return unicodedata.normalize("NFC", name)


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    names = [*map(composed, frame.columns)]
    if names == frame.columns:
        return frame
    if doubled := [name for name, count in Counter(names).items() if count > 1]:
        raise TableError(f"the table names {doubled[0]!r} twice, in two forms of Unicode: rename one of them")
    return frame.rename(dict(zip(frame.columns, names, strict=True)))


def _refuse_told(what: str, separator: str | None, encoding: str | None) -> None:
    """Refuse a separator or an encoding where there is none."""
    for told, name, option in ((separator, "separator", "sep"), (encoding, "encoding", "encoding")):
        if told is not None:
            raise TableError(f"{what}, which has no {name}: leave it out ({name}=, --{option})")


def column(frame: pl.DataFrame, name: str, role: str = "target") -> pl.Series:
    """A column by name; a name that is not there is answered with the nearest that is."""
    name = composed(name)
    if name in frame.columns:
        return frame[name]
    if frame.width == 1 and re.search(r"\W", frame.columns[0]):
        raise TableError(
            f"{role} column {name!r} is not in the table, whose only column is {frame.columns[0]!r:.80}: to cut it, "
            "name the separator (separator=, --sep)"
        )
    raise TableError(f"{role} column {name!r} is not in the table{suggestion(name, frame.columns)}")


def suggestion(name: str, names: list[str]) -> str:
    """: did you mean …? or the names there are."""
    lower = {other.lower(): other for other in reversed(names)}
    near = difflib.get_close_matches(name.lower(), list(lower), n=1)
    return f": did you mean {lower[near[0]]!r}?" if near else f": its columns are {listed(names)}"


def shortened(names: list[str], most: int = 10) -> list[str]:
    """The first names, and a sign that there are more."""
    return names if len(names) <= most else [*names[:most], "…"]


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first names in a sentence, with quotes where blanks at their edge would be lost."""
    return ", ".join(shortened([*map(short, names[: most + 1])], most))


def _name(source: Any) -> str:
    return repr(source) if isinstance(source, str | Path) else "the table"


def _refuse_mixed(source: Any, name: str) -> None:
    """Refuse labels of more than one kind in columns or rows: 1, "1" and True may not be meant alike."""
    if isinstance(source, Mapping):
        cells = source.get(name)
    elif isinstance(source, list | tuple) and all(isinstance(row, Mapping) for row in source):
        cells = [row.get(name) for row in source]
    else:
        return
    if not isinstance(cells, list | tuple):
        return
    first: dict[str, int] = {}
    for row, cell in enumerate(cells):
        if (kind := _kind(cell)) is not None:
            first.setdefault(kind, row)
    if len(first) > 1:
        (one, i), (other, j) = list(first.items())[:2]
        raise TableError(
            f"target column {name!r} holds {one}, {cells[i]!r:.40} in row {i + 1}, and {other}, {cells[j]!r:.40} in "
            f"row {j + 1}: make them one kind"
        )


def _kind(cell: Any) -> str | None:
    """What a label is, of what may be one."""
    if isinstance(cell, bool | np.bool_):
        return "a truth"
    if isinstance(cell, int | float | Decimal | np.number) and cell == cell:
        return "a number"
    return "a text" if isinstance(cell, str) else None


def _frame(source: Any) -> pl.DataFrame:
    if source is None:
        raise TableError("the table is None: pass a frame, columns by name, or a path")
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, pl.DataFrame):
        return source
    kind = type(source).__name__
    try:
        frame = _converted(source, type(source).__module__.split(".")[0])
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise TableError(f"the table cannot be read from a {kind}: {_first_line(error)}") from error
    if not isinstance(frame, pl.DataFrame):
        raise TableError(f"the table cannot be read from a {kind}: pass a frame, columns by name, or a path")
    return frame


def _converted(source: Any, module: str) -> Any:
    if module == "pandas":
        return _from_pandas(source)
    if module == "pyarrow":
        return pl.from_arrow(source)
    if isinstance(source, bytes | bytearray | pl.Series):
        return None
    if isinstance(source, list | tuple) and source and all(isinstance(row, Mapping) for row in source):
        source = _of_rows(source)
    elif isinstance(source, Mapping):
        source = {name: _of_cells(name, cells) for name, cells in source.items()}
    return pl.DataFrame(source, strict=False, infer_schema_length=None)


def _of_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Columns of what rows name; what one does not name is missing there."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _of_cells(name, [row.get(name) for row in rows]) for name in names}


def _of_cells(name: str, cells: Any) -> Any:
    """A column given as a list, of one kind: polars would make what does not fit its first cells fit, or nothing."""
    if not isinstance(cells, list | tuple):
        return cells
    kinds = set(map(type, cells))
    if any(issubclass(kind, np.generic) or kind.__name__ in MISSING for kind in kinds):
        cells = [_in_python(cell) for cell in cells]
        kinds = set(map(type, cells))
    odd = next((kind for kind in kinds if not issubclass(kind, PLAIN)), None)
    if odd is not None and any(issubclass(kind, PLAIN) and kind is not type(None) for kind in kinds):
        row, other = (
            next(i for i, cell in enumerate(cells) if cell is not None and (type(cell) is odd) == is_odd)
            for is_odd in (True, False)
        )
        raise TypeError(
            f"column {name!r} holds {cells[other]!r:.40} in row {other + 1} and {cells[row]!r:.40} ({odd.__name__}) in "
            f"row {row + 1}, make them one kind"
        )
    column = pl.Series(name, cells, strict=False)
    if column.null_count() > sum(cell is None for cell in cells):
        row = next(i for i, cell in enumerate(cells) if cell is not None and column[i] is None)
        raise TypeError(
            f"column {name!r} holds {cells[row]!r:.40} ({type(cells[row]).__name__}) in row {row + 1}, which fits none "
            "of its types, make it a float or a text"
        )
    return column


def _in_python(cell: Any) -> Any:
    """A scalar of NumPy, of whose type polars would make the whole column, or of pandas, as Python has it."""
    if type(cell).__name__ in MISSING:
        return None
    if isinstance(cell, np.datetime64 | np.timedelta64):
        return cell.astype(f"{cell.dtype.kind}8[us]").item()
    if isinstance(cell, np.longdouble):
        return float(cell)
    return cell.item() if isinstance(cell, np.generic) else cell


def _from_pandas(source: Any) -> pl.DataFrame | None:
    """A pandas frame; categories that are numbers become strings first, or polars would make numbers of them."""
    if not hasattr(source, "columns"):
        return None
    if not source.columns.is_unique:
        raise TypeError(f"it names {source.columns[source.columns.duplicated()][0]!r} twice, rename one of them")
    for name, dtype in source.dtypes.items():
        if dtype.kind == "c":
            example = source[name].iloc[:1].tolist()
            raise TypeError(f"column {name!r} is of type {dtype}, such as {example}, make its two parts columns")
    frame = source
    for name in [name for name, dtype in source.dtypes.items() if str(dtype).startswith("Sparse[")]:
        frame = frame.assign(**{name: frame[name].sparse.to_dense()})
    for name in [name for name, dtype in source.dtypes.items() if str(dtype) == "category"]:
        frame = frame.assign(**{name: frame[name].cat.rename_categories(lambda level: str(level))})
    try:
        return pl.from_pandas(frame)
    except (TypeError, ValueError) as error:
        mixed = [name for name in frame.columns if frame[name].dropna().map(type).nunique() > 1]
        raise TypeError(f"column {mixed[0]!r} mixes types, make them one" if mixed else str(error)) from error


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
            raise TableError(f"{name} is not a whole Parquet file: {_first_line(error)}") from error
    text = _decoded(data, name, encoding).removeprefix("\ufeff")
    if "\n" not in text.rstrip("\r\n"):  # lines as the first Macintosh ended them, but perhaps the last
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text or text.isspace():
        raise TableError(f"{name} is empty: a header and at least one row are needed")
    if path.endswith((".jsonl", ".ndjson")) or text.lstrip()[:1] == "{":
        _refuse_told(f"{name} is a file of JSON lines", separator, None)
        return _read_json_lines(text, name, labels)
    if re.match(r"\s*\[\s*\{", text):
        raise TableError(f"{name} is one JSON document: write each row as a line of its own (jq -c '.[]')")
    return _read_csv(text, name, separator or ("\t" if path.endswith(".tsv") else None))


def _read_json_lines(text: str, name: str, labels: str | None) -> pl.DataFrame:
    try:
        frame = pl.read_ndjson(io.BytesIO(text.encode()), infer_schema_length=None)
        _refuse_doubled(text, name, frame)
        if labels is not None and frame.schema.get(labels) == pl.String and _unquoted(text, labels):
            _refuse_mixed([json.loads(line) for line in text.split("\n") if line.strip()], labels)
        return frame
    except pl.exceptions.PolarsError as error:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip() and not _is_json_object(line):
                raise TableError(
                    f'{name}, line {number}: not one JSON object, such as {{"age": 30}}, or {{"age": null}} where '
                    "nothing is known (NaN is no JSON)"
                ) from error
        # the types of some lines are not those of others
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
        _refuse_doubled(text, name)
        if labels is not None:
            _refuse_mixed(rows, labels)
        try:
            return pl.DataFrame(_of_rows(rows))
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as said:
            raise TableError(f"{name}: {_first_line(said)}") from error


def _unquoted(text: str, key: str) -> bool:
    """Whether a number or a truth may stand at a key of JSON."""
    written = "|".join(map(re.escape, {key, json.dumps(key)[1:-1]}))
    return re.search(rf'"({written})"\s*:\s*[-\dtf]', text) is not None


def _refuse_doubled(text: str, name: str, frame: pl.DataFrame | None = None) -> None:
    """A key twice in an object, of which one value would be lost: looked for where there are more keys than values."""
    lines = pl.Series(text.split("\n"))
    keys = lines.str.count_matches(r'"\s*:')
    filled = (lines.str.strip_chars() != "").arg_true()
    found = lines.str.count_matches(r":\s*null")
    if frame is not None and frame.width and len(filled) == frame.height:
        values = frame.select(pl.sum_horizontal(pl.all().is_not_null())).to_series().cast(found.dtype)
        found = found.scatter(filled, found.gather(filled) + values)
    for row in (keys > found).arg_true():
        doubled: list[str] = []

        def keep(pairs: list[tuple[str, Any]], doubled: list[str] = doubled) -> dict[str, Any]:
            doubled.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
            return dict(pairs)

        with suppress(ValueError, RecursionError):  # which polars tells of
            json.loads(lines[row], object_pairs_hook=keep)
        if doubled:
            raise TableError(f"{name}, line {row + 1}: the object names {doubled[0]!r} twice: rename one of them")


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line, parse_constant=int), dict)  # int refuses NaN and Infinity
    except (ValueError, RecursionError):
        return False


def _unpacked(data: bytes, name: str) -> bytes:
    for magic, (packing, unpack) in PACKED.items():
        if data.startswith(magic):
            try:
                return unpack(data)
            except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
                raise TableError(f"{name} is not a whole {packing} file: {_first_line(error)}") from error
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


def _read_csv(text: str, name: str, separator: str | None) -> pl.DataFrame:
    if said := re.match(
        '"?sep=([^"\\r\\n])"?\\r?\\n', text, re.IGNORECASE
    ):  # to Excel; a blank line keeps lines' numbers
        separator, text = separator or said[1], "\n" + text[said.end() :]
    separator = separator or _sniffed(text)
    csv.field_size_limit(2**31 - 1)
    header = next(row for row in _records(text, separator) if row)
    seen = set()
    for position, title in enumerate(header, 1):
        if not title.strip():
            raise TableError(f"{name}: column {position} of the header has no name: give it one")
        if title in seen:
            raise TableError(f"{name}: the header names {title!r} twice: rename one of them")
        seen.add(title)
    try:  # a cell is what is written: types would be those of this one file
        frame = pl.read_csv(text.encode(), separator=separator, infer_schema=False)
        frame.columns = header  # polars leaves the quotes in a name doubled
    except pl.exceptions.PolarsError as error:
        raise TableError(f"{name}{_ragged(text, separator, len(header), error)}") from error
    frame = _without_blank_lines(frame, text, separator)
    _refuse_short(frame, text, separator, name)
    return frame


def _records(text: str, separator: str, strict: bool = False) -> Any:
    """Rows of cells, of lines that end where they do for polars: a carriage return alone is a sign like others."""
    lines = (re.sub("\r(?!\n)", " ", line[0]) for line in re.finditer("[^\n]*\n|[^\n]+", text))  # no copy of all
    return csv.reader(lines, delimiter=separator, strict=strict)


def _without_blank_lines(frame: pl.DataFrame, text: str, separator: str) -> pl.DataFrame:
    """Blank lines are no rows, but where there is one column only; a line of empty cells is one, to be answered."""
    if frame.width == 1:  # an empty line is an empty text
        return frame.fill_null("")
    hollow = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    if not hollow.any():
        return frame
    lines = dropwhile(lambda row: not row, _records(text, separator))
    blank = pl.Series([not row for row in lines][1:], dtype=pl.Boolean)
    return frame.filter(~(hollow & blank)) if len(blank) == len(hollow) else frame


def _refuse_short(frame: pl.DataFrame, text: str, separator: str, name: str) -> None:
    """Rows cut off before their last column, which polars fills up: looked for where separators outside quotes lack."""
    if frame.width == 1 or not frame.to_series(-1).null_count():
        return
    unquoted = re.sub('"[^"]*"', "", text)
    if unquoted.count(separator) == (frame.height + 1) * (frame.width - 1):
        return
    reader = _records(text, separator)
    for row in reader:
        if 0 < len(row) < frame.width:
            raise TableError(
                f"{name}, line {reader.line_num}: {counted(len(row), 'cell')} where the header has {frame.width} "
                f"(separator {separator!r}): complete the row, with a separator before each empty cell"
            )


def _sniffed(text: str) -> str:
    """The separator that cuts the header into most cells, first of those at which quotes end; then as many lines."""
    lines = re.split("[\r\n]+", text.lstrip("\r\n")[:100_000])[:20]

    def merit(separator: str) -> tuple[bool, int, int]:
        rows = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
        return not _misquoted("\n".join(lines), separator, ends=False), rows[0], rows.count(rows[0])

    return max(SEPARATORS, key=merit)


def _misquoted(text: str, separator: str, ends: bool = True) -> int | None:
    """The line of the first row in which a cell goes on behind its quotes or, unless the text is cut, never ends."""
    reader, start = _records(text, separator, strict=True), 1
    try:
        for _ in reader:
            start = reader.line_num + 1
    except csv.Error as error:
        return start if ends or "expected after" in str(error) else None
    return None


def _ragged(text: str, separator: str, width: int, error: Exception) -> str:
    reader, start, quote = _records(text, separator), 1, None
    for row in reader:
        if len(row) > width:
            return (
                f", line {reader.line_num}: {len(row)} cells where the header has {width} (separator {separator!r}): "
                "put quotes around cells that hold the separator, or name another (separator=, --sep)"
            )
        if quote is None and any('"' in cell or "\n" in cell for cell in row):
            quote = start
        start = reader.line_num + 1
    if quote is None:
        quote = _misquoted(text, separator)
    if quote is not None:
        return f', line {quote}: a quote begins or ends inside a cell: write it twice, in a cell in quotes, "5"" nail"'
    return f" cannot be read as CSV: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
