"""Raw columns to features: numbers standardised, categories one-hot, texts tf-idf; learnt once, applied ever after."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer.counting import counted
from onelayer.names import short
from onelayer.tables.cells import alike, as_text, blank, numbers, places, refuse_points
from onelayer.tables.kinds import KINDS, doubted, padded, recognised, refuse_type, say_kind, shown
from onelayer.tables.lexicon import Lexicon
from onelayer.tables.naming import TableError, TableWarning, composed, listed, shortened, suggestion
from onelayer.tables.texts import TEXT_LENGTH, learn, tf_idf
from onelayer.tables.tokens import FIRST_TOKEN, TOKEN, cut

Array = NDArray[Any]

OTHER, MISSING = "(other)", "(missing)"
MAX_LEVELS = 10_000  # bounds memory and width; the rest are one level: see docs/decisions/0005-levels.md
WORD_UNIT = "1 of tf-idf"  # more than a word has in most texts, whose length all of theirs share
FIRST_LENGTH = 4.0  # of texts in models that do not say it
FIRST_RULES, TEXT_RULES = 1, 2  # of models that do not say them: marks end words, and a missing text is an empty one
IMPUTE = ("mean", "median", "most_frequent")


@dataclass(frozen=True)
class Encoded:
    """Features of rows: CSR or dense (n, d); rows that cannot be answered, and why; rows without a known feature."""

    X: Any
    unanswerable: dict[int, str]
    empty: Array


@dataclass(frozen=True)
class Column:
    """What was learnt of one column: its kind, its feature names, and the numbers that make features of it.

    ``names`` are the levels of a category or the terms of a text; ``values`` are (mean, scale, fill) of a number, or
    the weight of each term.
    """

    name: str
    kind: str
    names: tuple[str, ...] = field(default=(), repr=False)  # of a text, screens full
    values: Array = field(default_factory=lambda: np.empty(0), repr=False)
    fill: str | None = None

    @property
    def width(self) -> int:
        """How many features it gives: one more than its levels for a category, for what was never seen."""
        return {"number": 1, "category": len(self.names) + 1, "text": len(self.names)}[self.kind]

    @property
    def unit(self) -> float | str | None:
        """What 1 of a feature is: a standard deviation of a number, a weight in texts of a word; nothing of a level."""
        if self.kind == "number":
            return float(self.values[1])
        return WORD_UNIT if self.kind == "text" else None

    @cached_property
    def lexicon(self) -> Lexicon:
        """Of a text, its terms as they are looked up."""
        return Lexicon.of(self.names)

    def features(self) -> list[str]:
        """Names a person reads."""
        if self.kind == "number":
            return [self.name]
        if self.kind == "category":
            return [*(f"{self.name}={level}" for level in self.names), f"{self.name}={OTHER}"]
        return [f"{self.name}: {word}" for word in self.names]


@dataclass(frozen=True)
class Encoder:
    """The columns of a table and how each becomes features; the features of a text have this length together.

    ``text_rules`` say how texts are cut, and whether a missing one can be answered.
    """

    columns: tuple[Column, ...]
    ngrams: int = 1
    notices: tuple[str, ...] = ()
    text_length: float = TEXT_LENGTH
    text_rules: int = TEXT_RULES

    @cached_property
    def feature_names(self) -> list[str]:
        """One name for each of the d features."""
        return [name for column in self.columns for name in column.features()]

    @property
    def has_texts(self) -> bool:
        """Whether a column is a text."""
        return any(column.kind == "text" for column in self.columns)

    @property
    def units(self) -> list[float | str | None]:
        """For each feature the amount of its column that is 1 of the feature; of a word in words; None of a level."""
        return [unit for c in self.columns for unit in [c.unit] * c.width]

    def describe(self) -> list[str]:
        """A line for each kind of column there is."""
        lines = []
        for kind in KINDS:
            names = [short(c.name) for c in self.columns if c.kind == kind]
            if names:
                width = sum(c.width for c in self.columns if c.kind == kind)
                lines.append(f"{kind}: {', '.join(shortened(names, 30))} ({counted(width, 'feature')})")
        return lines

    def transform(self, frame: pl.DataFrame) -> Encoded:
        """Features of a table's rows, its columns found by name."""
        known, given = ({name: None for name in names} for names in ((c.name for c in self.columns), frame.columns))
        missing = [name for name in known if name not in given]
        if missing:
            raise TableError(f"the table lacks {_listed(missing)}{suggestion(missing[0], frame.columns)}")
        extra = [name for name in given if name not in known]
        if extra:
            warnings.warn(f"columns not used: {listed(extra)}", TableWarning, stacklevel=2)
        unanswerable: dict[int, str] = {}
        blocks = [self._features(column, frame[column.name], unanswerable) for column in self.columns]
        return _encoded(self.columns, blocks, unanswerable, frame.height)

    def _features(self, column: Column, series: pl.Series, unanswerable: dict[int, str]) -> Any:
        refuse_type(series)
        if column.kind == "text":
            return self._of_texts(column, as_text(series), unanswerable)
        if column.kind == "category":
            return self._of_levels(column, as_text(series), unanswerable)
        _doubt_points(series)
        values, unread = numbers(series)
        for row in np.flatnonzero(unread | np.isnan(values) if column.fill is None else unread):
            cell = series[int(row)]
            held = "nothing" if cell is None else f"{shown(cell)}, not a number"
            unanswerable.setdefault(int(row), f"column {column.name!r} holds {held}")
        return _standardised(column, values)

    def _of_levels(self, column: Column, cells: pl.Series, unanswerable: dict[int, str]) -> Any:
        places, empty = _levels(column, cells)
        if column.fill is None:
            _flag_empty(column, empty, unanswerable)
        if column.names:
            flagged = empty if column.fill is None else pl.repeat(False, len(cells), eager=True)
            _say_unseen(cells, places.is_null() & ~flagged & (cells != OTHER).fill_null(True))
        return _one_hot(places, column.width)

    def _of_texts(self, column: Column, texts: pl.Series, unanswerable: dict[int, str]) -> Any:
        first = self.text_rules == FIRST_RULES
        if column.fill is None and not first:
            _flag_empty(column, texts.is_null(), unanswerable)
        return tf_idf(column.lexicon.count(texts, FIRST_TOKEN if first else TOKEN), column.values, self.text_length)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Everything, as what JSON can hold and arrays."""
        meta = [{"name": c.name, "kind": c.kind, "names": list(c.names), "fill": c.fill} for c in self.columns]
        described: dict[str, Any] = {"columns": meta, "ngrams": self.ngrams, "notices": list(self.notices)}
        if self.has_texts and self.text_length != FIRST_LENGTH:
            described["text_length"] = self.text_length
        if self.has_texts and self.text_rules != FIRST_RULES:
            described["text_rules"] = self.text_rules
        return described, {f"column.{i}": c.values for i, c in enumerate(self.columns)}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, Array]) -> "Encoder":
        """The inverse of `state`; anything that cannot have come from it is refused."""
        try:
            columns = tuple(_column(c, arrays[f"column.{i}"]) for i, c in enumerate(meta["columns"]))
            length = float(meta.get("text_length", FIRST_LENGTH))
            rules = int(meta.get("text_rules", FIRST_RULES))
            encoder = cls(columns, int(meta["ngrams"]), tuple(map(str, meta["notices"])), length, rules)
            if encoder.ngrams < 1 or not columns or len({c.name for c in columns}) < len(columns):
                raise ValueError("there are none, or two of a name")
            if not 0 < length < np.inf:
                raise ValueError(f"the length of texts is {length}")
            if rules not in (FIRST_RULES, TEXT_RULES):
                raise ValueError(f"the rules of texts are {rules}")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise TableError(f"the model's columns are damaged: {error}") from error
        return encoder


def _column(meta: dict[str, Any], values: Array) -> Column:
    column = Column(meta["name"], meta["kind"], tuple(meta["names"]), values, meta["fill"])
    if not all(isinstance(name, str) for name in (column.name, *column.names)) or column.fill not in (None, *IMPUTE):
        raise ValueError(f"column {column.name!r} has no such names")
    expected = {"number": 3, "category": 0, "text": len(column.names)}[column.kind]
    whole = values.shape == (expected,) and values.dtype == np.float64 and np.isfinite(values).all()
    if not whole or (column.kind == "number" and values[1] <= 0):
        raise ValueError(f"column {column.name!r} has no such numbers")
    return replace(column, name=composed(column.name))


def fit(
    frame: pl.DataFrame,
    *,
    rows: Array | None = None,
    kinds: Mapping[str, str] | None = None,
    impute: str | None = None,
    ngrams: int = 2,
    max_features: int = 200_000,
) -> tuple[Encoder, Encoded]:
    """Learn how the columns of a table become features, and make them.

    What a column is, and whether its cells can be used, is decided on all rows.

    Parameters
    ----------
    frame : polars frame
        Features only.
    rows : (n,) of bool, optional
        The rows to learn from, whose features are made; otherwise all.
    kinds : mapping from column to "number", "category" or "text", optional
        Where what is recognised is not what is meant.
    impute : {"mean", "median", "most_frequent"}, optional
        How missing numbers are filled; missing categories are then a level, ``(missing)``, and missing texts empty.
    ngrams : int
        Texts: runs of up to so many words are features.
    max_features : int
        Texts: at most so many, those in most rows.

    Raises
    ------
    TableError
        For columns or cells that cannot be used, with their place.

    Examples
    --------
    >>> encoder, encoded = fit(pl.DataFrame({"age": [20.0, 30.0], "town": ["Bonn", "Rome"]}))
    >>> encoder.feature_names
    ['age', 'town=Bonn', 'town=Rome', 'town=(other)']
    """
    kinds = kinds or {}
    _check(frame, kinds, impute)
    rows = np.ones(frame.height, dtype=bool) if rows is None else rows
    notices: list[str] = []
    columns, blocks, with_zeros = [], [], padded(frame)
    for series in frame.get_columns():
        refuse_type(series)
        kind = kinds.get(series.name) or recognised(series, series.name in with_zeros)
        if kind != "number" and series.name not in kinds and (noticed := doubted(series, kind)) is not None:
            notices.append(noticed)
        if kind == "number":
            column, block = _fit_number(series, rows, impute, notices)
        elif kind == "category":
            column, block = _fit_category(series, rows, impute, notices)
        else:
            column, block = _fit_text(series, rows, impute, ngrams, max_features, notices)
        columns.append(column)
        blocks.append(block)
    encoder = Encoder(tuple(columns), ngrams, tuple(notices))
    return encoder, _encoded(encoder.columns, blocks, {}, int(rows.sum()))


def _check(frame: pl.DataFrame, kinds: Mapping[str, str], impute: str | None) -> None:
    for name, kind in kinds.items():
        if name not in frame.columns:
            raise TableError(f"kind is given for column {name!r}, which is not there{suggestion(name, frame.columns)}")
        if kind not in KINDS:
            raise TableError(f"kind of column {name!r} must be {', '.join(KINDS)}, not {kind!r}")
    if impute is not None and impute not in IMPUTE:
        raise TableError(f"impute must be one of {', '.join(IMPUTE)}, not {impute!r}")
    if frame.width == 0:
        raise TableError(
            "no column is left beside the target and what is not to be used: at least one feature is needed"
        )


def _listed(names: list[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {', '.join(shortened([*map(repr, names)]))}"


def _refuse_missing(name: str, missing: pl.Series, impute: str | None, remedy: str) -> None:
    if missing.all():
        raise TableError(f"column {name!r} has no value at all: exclude it (exclude=, --exclude)")
    if missing.any() and impute is None:
        row = (missing.arg_max() or 0) + 1
        raise TableError(
            f"column {name!r} has {counted(int(missing.sum()), 'missing value')}, first in row {row}; drop them or "
            f"{remedy} (impute='median', --impute median)"
        )


def _fit_number(series: pl.Series, rows: Array, impute: str | None, notices: list[str]) -> tuple[Column, Array]:
    values, unread = numbers(series)
    name, missing = series.name, np.isnan(values)
    if unread.any():
        row = int(unread.argmax())
        raise TableError(
            f"column {name!r} is to be a number, but there is no finite one in {counted(int(unread.sum()), 'cell')}, "
            f"first {shown(series[row])} in row {row + 1}: correct or drop these rows, or {say_kind(name)}"
        )
    _refuse_missing(name, pl.Series(missing), impute, "say how to fill them")
    if np.abs(values[~missing]).max() >= 2**53 and _whole(series, values):
        notices.append(
            f"column {name!r} holds whole numbers beyond 2^53, which are rounded: if they are names, {say_kind(name)}"
        )
    seen = values[rows & ~missing] if (rows & ~missing).any() else np.zeros(1)
    unit = 2.0 ** (np.frexp(np.abs(seen).max() or 1.0)[1] - 1)
    mean = float((seen / unit).mean() * unit)
    scale = float((seen / unit - mean / unit).std() * unit) if seen.min() < seen.max() else 1.0
    filled = np.median(seen) if impute == "median" else _most_frequent(seen) if impute == "most_frequent" else mean
    column = Column(name, "number", values=np.array([mean, scale or 1.0, float(filled)]), fill=impute)
    return column, _standardised(column, values[rows])


def _whole(series: pl.Series, values: Array) -> bool:
    """Whether numbers beyond 2^53 are given as whole ones."""
    if series.dtype != pl.String:
        return series.dtype.is_integer()
    return bool(series.filter(np.abs(values) >= 2**53).str.contains(r"^\s*[+-]?\d+\s*$").any())


def _most_frequent(values: Array) -> float:
    different, counts = np.unique(values, return_counts=True)
    return float(different[counts.argmax()])


def _fit_category(series: pl.Series, rows: Array, impute: str | None, notices: list[str]) -> tuple[Column, Any]:
    """One level for each value but those that must share the last, ``(other)``, with what was never seen."""
    series = as_text(series)
    series = series.set(blank(series), None)
    _refuse_missing(
        series.name, series.is_null(), impute, f"make them the level {MISSING}, and missing numbers their median"
    )
    series = series.filter(rows).fill_null(MISSING)
    levels = series.alias("level").value_counts(name="rows").filter(pl.col("level") != OTHER)
    kept = levels.sort(["rows", "level"], descending=[True, False]).head(MAX_LEVELS)
    if kept.height < levels.height:
        notices.append(
            f"column {series.name!r} has {levels.height} different values: the {MAX_LEVELS} most frequent are kept, "
            f"the others are {OTHER}"
        )
    column = Column(series.name, "category", tuple(kept["level"].sort().to_list()), fill=impute)
    if groups := alike(column.names):
        examples = "; ".join(", ".join(map(shown, group[:4])) for group in groups[:3])
        notices.append(
            f"levels of column {series.name!r} differ only in case, blanks or how they are written: {examples}"
            f"{'; …' if len(groups) > 3 else ''}: if they are one, write them alike"
        )
    return column, _one_hot(_levels(column, series)[0], column.width)


def _fit_text(
    series: pl.Series, rows: Array, impute: str | None, ngrams: int, max_features: int, notices: list[str]
) -> tuple[Column, Any]:
    texts = as_text(series)
    _refuse_missing(series.name, texts.is_null(), impute, "make them empty texts, and missing numbers their median")
    vocabulary, counts = learn(texts.filter(rows), ngrams, max_features)
    if not vocabulary.names and not len(cut(texts).words):
        raise TableError(f"column {series.name!r} holds no word in any of its rows: exclude it (exclude=, --exclude)")
    if vocabulary.capped:
        notices.append(
            f"column {series.name!r} has more than {max_features} different terms: those in most rows are kept"
        )
    weights = vocabulary.weights(counts.shape[0])
    return Column(series.name, "text", vocabulary.names, weights, impute), tf_idf(counts, weights, TEXT_LENGTH)


def _standardised(column: Column, values: Array) -> Array:
    mean, scale, fill = column.values
    # Halves, for the difference of two numbers near ±1.8e308 is no longer finite.
    with np.errstate(over="ignore"):
        halves: Array = (np.where(np.isfinite(values), values, fill) / 2 - mean / 2) / (scale / 2)
    return halves[:, None]


def _levels(column: Column, cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Where cells are among a category's levels, and which hold nothing: of a model that knows them, ``(missing)``."""
    found = places(cells, column.names)
    empty = found.is_null() & blank(cells)  # models saved before may know an empty cell as a level
    if empty.any() and MISSING in column.names:
        found = found.set(empty, column.names.index(MISSING))
    return found, empty


def _doubt_points(series: pl.Series) -> None:
    """What a fit refuses is said where rows are to be answered: a model does not know how its own were written."""
    try:
        refuse_points(series, "", "")
    except TableError as doubt:
        warnings.warn(str(doubt), TableWarning, stacklevel=2)


def _say_unseen(cells: pl.Series, unseen: pl.Series) -> None:
    """That cells hold what no row of the fit held: they count as ``(other)``."""
    if not (count := int(unseen.sum())):
        return
    row = unseen.arg_max() or 0
    where = f" in {counted(count, 'row')}, first row {row + 1}" if len(cells) > 1 else ""
    what = f"{where}, such as {shown(cells[row]) if cells[row] else 'an empty cell'}: taken as {OTHER}"
    warnings.warn(f"column {cells.name!r} holds what the model does not know{what}", TableWarning, stacklevel=2)


def _one_hot(places: pl.Series, width: int) -> Any:
    """A one for each row: where its level is, and in the last column where it has none."""
    n = len(places)
    codes = places.fill_null(width - 1).to_numpy().astype(np.int32)
    return sp.csr_matrix((np.ones(n), codes, np.arange(n + 1)), shape=(n, width))


def _flag_empty(column: Column, empty: pl.Series, unanswerable: dict[int, str]) -> None:
    for row in empty.arg_true():
        unanswerable.setdefault(row, f"column {column.name!r} is empty")


def _encoded(columns: tuple[Column, ...], blocks: list[Any], unanswerable: dict[int, str], n: int) -> Encoded:
    empty = np.full(n, all(column.kind == "text" for column in columns))
    empty[list(unanswerable)] = False
    if all(isinstance(block, np.ndarray) for block in blocks):
        return Encoded(np.hstack(blocks), unanswerable, empty)
    X: Any = blocks[0] if len(blocks) == 1 else sp.hstack([sp.csr_matrix(block) for block in blocks], format="csr")
    return Encoded(X, unanswerable, empty & (np.diff(X.indptr) == 0))
