"""What a column is: a number, a category or a text; and what none of these can be made of."""

import re
import shlex
from typing import Any

import polars as pl

from onelayer.counting import counted
from onelayer.names import short
from onelayer.tables.cells import absent, refuse_points, says_no_value
from onelayer.tables.naming import TableError

KINDS = ("number", "category", "text")
LEVELS = 50  # a column of strings with at most so many different values, each seen often, is a category
# What people write in numbers that computers do not read: spaces, separators of thousands, a decimal comma, percent,
# currencies, the typographic minus; brackets for it; and points between thousands, 1.234.567,8.
ORNAMENTS_BUT_COMMAS = r"[\s'’_%‰\p{Sc}]|\b(EUR|USD|GBP|CHF|JPY|CNY)\b"
ORNAMENTS = rf",|{ORNAMENTS_BUT_COMMAS}"
BRACKETS = r"^\(([\d.]+)\)$"  # beside plain numbers
UNIT = r"^[+\-−]?\d[\d.,]*\s*([\p{L}°²³/]{1,5})$"
NO_UNIT = r"(?i)st|nd|rd|th|e|[a-f]"  # of ordinals, house numbers and the like
WORD = r"^\s*[A-Za-z0-9_.@-]+\s*$"
FEW_WORDS = 20  # which may well be all different
FEW = 2  # different numbers, which may be levels beside words
D, M = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])"
MONTH = (
    r"(?i:jan(uary?|vier|uar)?|feb(ruary?|ruar)?|mar(ch|s)?|märz?|apr(il)?|may|mai|june?|juni|july?|juli"
    r"|aug(ust)?|sept?(ember)?|o[ck]t(ober)?|nov(ember)?|de[cz](ember)?)"
)
LONGEST = 50  # bytes of a cell that could be meant as a number
DATE = (
    rf"(\d{{4}}[-/.]{M}[-/.]{D}|({D}[-/.]{M}|{M}[-/.]{D})[-/.](\d{{4}}|\d\d)|(19|20)\d\d-(0[1-9]|1[0-2])"
    rf"|\d{{1,2}}(\.? |-){MONTH}(\.? |-)\d{{4}}|{MONTH}\.? \d{{1,2}},? \d{{4}})"
)
TIME = r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?"
DATES = rf"^({DATE}|{TIME}|{DATE}[T ]{TIME}\s*(Z|[AaPp][Mm]|[+-]\d\d:?\d\d)?)$"
LEADING_ZERO = r"^\s*[+-]?0\d"
THOUSANDS = r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$"


def padded(frame: pl.DataFrame) -> set[str]:
    """Columns in which a cell begins with a zero and another digit: asked of all at once, in a tenth of the time."""
    found = frame.select(pl.col(pl.String).str.contains(LEADING_ZERO).any())
    return {name for name, there in zip(found.columns, found.row(0) if found.width else (), strict=True) if there}


def recognised(series: pl.Series, padded: bool = True) -> str:
    """Numbers are numbers, as text too; strings are a category while few and repeated, else a text.

    `padded` is whether a cell begins with a zero and another digit, if that is known.
    """
    if series.dtype.is_numeric() or series.dtype == pl.Null:
        return "number"
    if series.dtype != pl.String:
        return "category"
    if _holds_numbers(series, padded):
        return "number"
    few = max(2, min(LEVELS, len(series) // 2))
    return "category" if _different(series.head(20 * few)) <= few and _different(series) <= few else "text"


def _different(series: pl.Series) -> int:
    """How many values there are; a cell that is empty or missing is none."""
    values = series.unique().drop_nulls()
    return int((values != "").sum())


def refuse_type(series: pl.Series) -> None:
    """Dates, lists and the like: what number they mean only their owner knows."""
    dtype = series.dtype
    if dtype.is_numeric() or dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null):
        return
    example = series.drop_nulls()[:1].to_list()
    remedy = "make it a number or a text"
    if dtype.is_temporal():
        remedy = "make it a number, such as days since a date or the hour"
    elif dtype.is_nested():
        remedy = "make each of its parts a column"
    raise TableError(
        f"column {series.name!r} is of type {dtype}{f', such as {shown(example[0])}' if example else ''}: "
        f"{remedy}, or exclude it (exclude=, --exclude)"
    )


def doubted(series: pl.Series, kind: str) -> str | None:
    """What to say of strings that are levels or texts, though dates, measured, or one for each row; None of others."""
    if series.dtype != pl.String:
        return None
    return dates_noticed(series) or ((_measures(series) or _words_of_one_row(series)) if kind == "text" else None)


def _measures(series: pl.Series) -> str | None:
    """What to say of a text that is a number and the same unit in each row; None of others."""
    for part in (series.head(100), series):  # the first tell of most columns
        cells = part.str.strip_chars().replace("", None).drop_nulls()
        cells = cells.filter(~absent(cells))
        units = cells.str.extract(UNIT)
        if not len(cells) or units.null_count() or units.n_unique() > 1 or re.fullmatch(NO_UNIT, units[0]):
            return None
    return (
        f"column {series.name!r} holds numbers of {units[0]!r}, such as {shown(cells[0])}, taken as text: write plain "
        "numbers if they are to count as such"
    )


def _words_of_one_row(series: pl.Series) -> str | None:
    """What to say of a text that is another word in each row, as identifiers are; None of others."""
    cells = series.drop_nulls()
    if len(cells) < FEW_WORDS or not cells.head(100).str.contains(WORD).all() or cells.n_unique() < len(cells):
        return None
    if not cells.str.contains(WORD).all():
        return None
    return (
        f"column {series.name!r} holds another word in each row, such as {shown(cells[0])}, taken as text, which says "
        "nothing of rows to come: exclude it (exclude=, --exclude), or write what comes again in it as a column"
    )


def dates_noticed(series: pl.Series) -> str | None:
    """What to say of a column of dates or times as text, which is a level or a text for each; None of others."""
    for part in (series.head(100), series):  # the first tell of most columns
        cells = part.str.strip_chars().replace("", None).drop_nulls()
        dates = cells.str.contains(DATES)
        if not absent(cells.filter(~dates)).all():
            return None
    cells = cells.filter(dates)
    if not len(cells):
        return None
    return (
        f"column {series.name!r} holds dates or times, such as {shown(cells[0])}, taken as text: make it a number, "
        "such as days since a date or the hour, or exclude it (exclude=, --exclude)"
    )


def shown(cell: Any) -> str:
    """A cell in a sentence, a text in quotes."""
    return short(repr(cell) if isinstance(cell, str) else cell)


def say_kind(name: str) -> str:
    """The remedy where a column is not what it looks like."""
    return f"say what the column is ({_kind(name, 'category')})"


def _kind(name: str, kind: str) -> str:
    """How to say in Python, and to a shell, what a column is."""
    return f"kinds={{{name!r}: {kind!r}}}, --kind {shlex.quote(f'{name}={kind}')}"


def _holds_numbers(series: pl.Series, padded: bool) -> bool:
    """True if every cell that is not empty is a number; if only most are, the first that is not is named.

    Codes with a leading zero, such as 00501, are names and no numbers.
    """
    if series.cast(pl.Float64, strict=False).null_count() == series.null_count() < len(series):  # of most columns
        return _are_numbers(series, padded)
    cells = series.str.strip_chars().replace("", None)
    filled = cells.is_not_null()
    blocked = filled & cells.cast(pl.Float64, strict=False).is_null()
    if not filled.any() or (padded and _are_names(cells)):
        return False
    if not blocked.any():
        return _are_numbers(cells, padded)
    brief, count = cells.filter(cells.str.len_bytes() <= LONGEST), int(filled.sum())
    if 2 * len(brief) <= count:  # texts: spare them what follows
        return False
    different = brief.alias("cell").value_counts(name="rows")
    brief, rows = different["cell"], different["rows"]
    without = absent(brief)
    meant = _are_meant(brief) & ~without
    numbers, none = int(rows.filter(meant).sum()), int(rows.filter(without).sum())
    words = bool((~meant & ~says_no_value(brief)).any())  # beside which a few numbers may be levels
    if 2 * numbers <= count - none or (2 * numbers <= count and meant.sum() <= FEW and words):
        return False
    row = blocked.arg_max() or 0
    name, all_cells = series.name, counted(count, "cell")
    raise TableError(
        f"column {name!r} holds numbers, but {blocked.sum()} of {all_cells} cannot be read as one, first "
        f"{shown(series[row])} in row {row + 1}{_obstacle(cells[row])}: write plain numbers, "
        f"nothing where one is missing, or {say_kind(name)}"
    )


def _are_numbers(cells: pl.Series, padded: bool) -> bool:
    """Whether cells that can all be read as numbers are no names; they are refused if a point may part thousands."""
    if padded and _are_names(cells):
        return False
    refuse_points(cells, "", f", or say that it is one ({_kind(cells.name, 'number')})")
    return True


def _are_meant(cells: pl.Series) -> pl.Series:
    """Which cells are numbers but for their ornaments."""
    minus = cells.str.replace_all("−", "-", literal=True)
    bare = minus.str.replace_all(ORNAMENTS, "")
    points = minus.str.replace_all(ORNAMENTS_BUT_COMMAS, "").str.contains(THOUSANDS)
    meant = bare.cast(pl.Float64, strict=False).is_not_null() | points
    return meant | bare.str.contains(BRACKETS) if meant.any() else meant


def _are_names(cells: pl.Series) -> bool:
    """Whether leading zeros make names of cells: half of them have one, or one has and all are as long."""
    zeros = cells.str.contains(LEADING_ZERO).sum()
    bare = cells.str.strip_chars().drop_nulls()
    return bool(zeros and (2 * zeros >= len(bare) or bare.str.len_chars().n_unique() == 1))


def _obstacle(cell: str) -> str:
    found = re.search(r"[^\d.+-]+", cell)
    return f" ({found[0]!r} is in the way)" if found and re.search(r"\d", cell) and len(found[0]) < 9 else ""
