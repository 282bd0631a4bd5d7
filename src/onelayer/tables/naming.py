"""What a table is called: its columns by their names, and its owner told what is wrong with it, in one sentence."""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from onelayer.names import short


class TableError(ValueError):
    """Something about a table that only its owner can put right."""


class TableWarning(UserWarning):
    """Something about a table that its owner should know."""


def composed(name: str) -> str:
    """A name as tables have it: in Unicode's form NFC, as their cells are."""
    return unicodedata.normalize("NFC", name)


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame, its names composed."""
    names = [*map(composed, frame.columns)]
    if names == frame.columns:
        return frame
    if doubled := [name for name, count in Counter(names).items() if count > 1]:
        raise TableError(f"the table names {doubled[0]!r} twice, in two forms of Unicode: rename one of them")
    return frame.rename(dict(zip(frame.columns, names, strict=True)))


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


def name_of(source: Any) -> str:
    """What a table is called in a sentence."""
    return repr(source) if isinstance(source, str | Path) else "the table"


def first_line(error: Exception) -> str:
    """What an error says, without what follows."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
