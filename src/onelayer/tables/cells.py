"""The cells of a column as text, numbers or labels, and where they are among words that are known."""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from onelayer.counting import counted
from onelayer.tables.naming import TableError

DIGITS = 15  # of a number, which a double holds whatever they are
CONTROL = r"[\p{Cc}--[\t\r\n]]"
NO_VALUE = r"(?i)^(n/?a|n\.a\.|#n/a|<na>|nan|null|\?+)$"  # as programs write it; people write the others, too
ABSENT = rf"{NO_VALUE}|(?i)^(none|nil|missing|unknown|k\.?\s?a\.|[-–—]+|\.+)$"
UNSEEN = "\u00ad\u200b\u200e\u200f\u2060\ufeff"  # hyphens and blanks of no width, marks of direction and of byte order
BELOW_THOUSAND = r"^\s*[+-]?[0-9]{1,3}\s*$"
FIRST = 50  # cells
SEVERAL, APART = 3, 5  # different numbers of each kind, and times as large: as 500 to 999 are beside 1.001 to 99.999
THREE_AFTER_A_POINT = r"^\s*[+-]?[1-9][0-9]{0,2}\.[0-9]{3}\s*$"


def as_numbers(series: pl.Series, role: str = "target", least: float | None = None) -> NDArray[np.float64]:
    """The cells of a column in this role as finite numbers, none below the least.

    Raises
    ------
    TableError
        For types that are no numbers, and for what is no such number, with its row.

    Examples
    --------
    >>> as_numbers(pl.Series("price", ["1.5", " 2 "]))
    array([1.5, 2. ])
    """
    what = "numbers" if least is None else f"numbers of at least {least:g}"
    _refuse_type(series, role, what)
    refuse_points(series, f"{role} ", "")
    values, _ = numbers(series)
    wrong = ~np.isfinite(values) | (values < (-np.inf if least is None else least))
    if wrong.any():
        row, cells = int(wrong.argmax()), counted(int(wrong.sum()), "cell")
        raise TableError(
            f"{role} column {series.name!r} must hold {what}, but there is none in {cells}, first "
            f"{series[row]!r:.60} in row {row + 1}: correct or drop these rows"
        )
    return values


def numbers(series: pl.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values as float64, NaN where there is none; and which cells hold something that is no finite number."""
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    values = series.cast(pl.Float64, strict=False)
    unread = pl.repeat(False, len(series), eager=True)
    if values.null_count() > series.null_count():
        cells = series.str.strip_chars().replace("", None)
        values = cells.cast(pl.Float64, strict=False)
        unread = cells.is_not_null() & values.is_null()
    return values.to_numpy(), (unread | values.is_infinite().fill_null(False)).to_numpy()


def refuse_points(series: pl.Series, role: str, remedy: str) -> None:
    """Refuse numbers as text of which a point may part thousands: 1.200 and the like beside 950 and its like.

    Programs write the decimals of a column alike, 950.000, or none that are 0, and then some are fewer than three; and
    whole numbers lie where others do. Where several are below a thousand, and as a rule far above those that have a
    point, these tell of another meaning.
    """
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype != pl.String:
        return
    first = series.head(FIRST).drop_nulls().to_list()  # which tell of most columns
    if any("." in cell and not re.match(THREE_AFTER_A_POINT, cell) for cell in first):
        return
    points = series.str.contains(".", literal=True).fill_null(False)
    if not points.any():
        return
    pointed, others = series.filter(points), series.filter(~points & ~blank(series) & ~says_no_value(series))
    if not (pointed.str.contains(THREE_AFTER_A_POINT).all() and others.str.contains(BELOW_THOUSAND).all()):
        return
    parted, whole = (part.str.strip_chars().cast(pl.Float64).abs().unique() for part in (pointed, others))
    if min(len(parted), len(whole)) < SEVERAL or not whole.median() > APART * parted.median():  # type: ignore[operator]
        return
    row = points.arg_max() or 0
    cell, other = series[row].strip(), str(int(whole.to_numpy().max()))
    raise TableError(
        f"{role}column {series.name!r} holds {cell!r} in row {row + 1}, beside whole numbers below 1000: whether its "
        f"point is a decimal one or parts thousands is not known: write {cell.replace('.', '')}, or {other}.000 for "
        f"{other} and its like{remedy}"
    )


def says_no_value(cells: pl.Series) -> pl.Series:
    """Which cells of text are what programs write where there is no value; words that people mean are none of them."""
    return cells.str.strip_chars().str.contains(NO_VALUE).fill_null(False)


def absent(cells: pl.Series) -> pl.Series:
    """Which cells of text say that there is no value, such as NA or ?."""
    return cells.str.strip_chars().str.contains(ABSENT).fill_null(False)


def as_text(series: pl.Series) -> pl.Series:
    """Cells as text, the same whatever type they are of: 1.0 and 1 are "1", -0.0 is "0", NaN is missing.

    Strings are in Unicode's form NFC, in which an accent is part of its letter.
    """
    if isinstance(series.dtype, pl.Decimal):
        series = series.cast(pl.Float64)
    if not series.dtype.is_float():
        return _composed(series.cast(pl.String))
    return series.fill_nan(None).cast(pl.String).str.replace(r"\.0$", "").replace("-0", "0")


def _composed(cells: pl.Series) -> pl.Series:
    """In NFC; as ASCII is, which is told by its bytes in a fiftieth of the time."""
    cell = pl.first()
    ascii = cell.str.len_bytes() == cell.str.len_chars()
    return cells.to_frame().select(pl.when(ascii).then(cell).otherwise(cell.str.normalize("NFC"))).to_series()


def blank(cells: pl.Series) -> pl.Series:
    """Which cells of text hold nothing, or nothing but blanks, in quotes or not."""
    return cells.str.strip_chars().fill_null("") == ""


def as_labels(series: pl.Series) -> pl.Series:
    """The cells of a target column as labels: text, none of them empty, no character that a terminal would obey.

    Raises
    ------
    TableError
        For types that are no labels, for control characters such as NUL, and for cells that are empty, or NaN among
        numbers, with the first row.

    Examples
    --------
    >>> as_labels(pl.Series("kind", [1.0, 0.0])).to_list()
    ['1', '0']
    """
    _refuse_type(series, "target", "classes, such as text")
    labels = as_text(series)
    empty = blank(labels) | _stray_nan(labels.str.strip_chars().fill_null(""))
    if empty.any():
        row = (empty.arg_max() or 0) + 1
        raise TableError(
            f"target column {series.name!r} has {counted(int(empty.sum()), 'empty cell')}, first in row {row}: "
            "label or drop these rows"
        )
    control = labels.str.contains(CONTROL)
    if control.any():
        row, cells = control.arg_max() or 0, counted(int(control.sum()), "cell")
        raise TableError(
            f"target column {series.name!r} has a control character in {cells}, first {labels[row]!r:.60} in row "
            f"{row + 1}: remove it from the file, or say what encoding it is (encoding=, --encoding)"
        )
    return labels


def alike(words: Sequence[str]) -> list[list[str]]:
    """Words that differ only in case, blanks, signs that are not seen, or in how a number or a truth is written.

    Examples
    --------
    >>> alike(["yes", "no", "Yes ", "1", "1.0"])
    [['yes', 'Yes '], ['1', '1.0']]
    """
    groups: dict[str, list[str]] = {}
    for word in words:
        seen = "".join(sign for sign in word.lower() if not (sign.isspace() or sign in UNSEEN))
        with suppress(ValueError):
            if len(seen) <= DIGITS and "_" not in seen and math.isfinite(number := float(seen)):
                seen = repr(number + 0.0)
        groups.setdefault(seen, []).append(word)
    return [group for group in groups.values() if len(group) > 1]


def places(cells: pl.Series, known: Sequence[str]) -> pl.Series:
    """Where text is among known words: as it is written or, where that is none of them, by its value; else null.

    So a level is found whatever way it came in: a file's 02 and True are the 2 and true of a typed column. Of two words
    of one value none is meant.

    Examples
    --------
    >>> places(pl.Series(["1", "02", "True", "3"]), ["true", "2", "1.0"]).to_list()
    [2, 1, 0, None]
    """
    words = pl.DataFrame({"cell": known}, schema={"cell": pl.String}).with_row_index("place")
    found = _joined(cells, words)
    unknown = cells.filter(found.is_null()).drop_nulls().unique()
    if not len(unknown):
        return found
    by_value = words.select("place", cell=_value(words["cell"])).unique("cell", keep="none")
    others = pl.DataFrame({"cell": unknown, "place": _joined(_value(unknown), by_value)})
    return pl.select(pl.coalesce(found, _joined(cells, others))).to_series()


def _joined(cells: pl.Series, words: pl.DataFrame) -> pl.Series:
    return pl.DataFrame({"cell": cells}).join(words, on="cell", how="left", maintain_order="left")["place"]


def _value(cells: pl.Series) -> pl.Series:
    """Text that is the same for all ways to write a number, whole ones exactly, or a truth; others are themselves."""
    bare = cells.str.strip_chars()
    number, truth = bare.cast(pl.Float64, strict=False), bare.str.to_lowercase()
    digits = bare.str.replace("[eE].*", "").str.replace_all(r"\D", "").str.strip_chars_start("0").str.len_chars()
    exact = number.is_finite() & (digits <= DIGITS) & ((number != 0) | (digits == 0))
    number = number.set(~exact, None)  # 12e45678, as an identifier may be, has no value
    ways: list[Any] = [
        bare.str.replace(r"\.0*$", "").cast(pl.Int128, strict=False).cast(pl.String),
        number.set(number != number.floor(), None).cast(pl.Int128, strict=False).cast(pl.String),
        as_text(number),
        truth.set(~truth.is_in(["true", "false"]), None),
        _composed(cells),
    ]
    return pl.select(pl.coalesce(ways)).to_series()


def _refuse_type(series: pl.Series, role: str, what: str) -> None:
    if series.dtype.is_nested() or series.dtype.is_temporal() or series.dtype in (pl.Binary, pl.Object):
        raise TableError(f"{role} column {series.name!r} is of type {series.dtype}: it must hold {what}")


def _stray_nan(cells: pl.Series) -> pl.Series:
    """Where a cell reads NaN and all others are numbers, so that it is none of the classes."""
    nan = cells.str.to_lowercase() == "nan"
    others = cells.filter(~nan)
    return nan & others.cast(pl.Float64, strict=False).is_not_null().all()
