"""Tables whose cells are parted by a comma or the like: CSV, and what is wrong where it is none."""

import csv
import re
from itertools import dropwhile
from typing import Any

import polars as pl

from onelayer.counting import counted
from onelayer.tables.naming import TableError, first_line

SEPARATORS = ",;\t|"
TO_EXCEL = r'"?sep=([^"\r\n])"?\r?\n'  # a first line that says what the separator is


def read_csv(text: str, name: str, separator: str | None) -> pl.DataFrame:
    """A text with a header, cut at the separator that is told or found."""
    if said := re.match(TO_EXCEL, text, re.IGNORECASE):
        separator, text = separator or said[1], "\n" + text[said.end() :]  # a blank line keeps lines' numbers
    separator = separator or _sniffed(text)
    csv.field_size_limit(2**31 - 1)
    header = next((row for row in _records(text, separator) if row), None)
    if header is None:
        raise TableError(f"{name} is empty: a header and at least one row are needed")
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
    """Of separators that cut the header, one at which quotes end, and rows alike; of these, into most cells."""
    lines = re.split("[\r\n]+", text.lstrip("\r\n")[:100_000])[:20]

    def merit(separator: str) -> tuple[bool, bool, int]:
        rows = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
        whole = rows[0] > 1 and not _misquoted("\n".join(lines), separator, ends=False)
        return whole, rows[0] > 1 and len({*rows}) == 1, rows[0]

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
    return f" cannot be read as CSV: {first_line(error)}"
