"""Raw columns to features: numbers standardised, categories one-hot, texts tf-idf; learnt once, applied ever after."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer.tables.reading import TableError, TableWarning, suggestion

Array = NDArray[Any]

# A token is a run of letters, digits and apostrophes inside words, or any other sign that is neither space nor mark, so
# that "!" and an emoji count; ideographs, which no space divides, count one by one.
TOKEN = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}_]+(?:['’][\p{L}]+)*|[^\s\p{L}\p{N}_]"
TEXT_LENGTH = 4.0  # of a text's row, for C = 1: by cross-validation, see docs/decisions/0003-text-defaults.md
OTHER = "(other)"
MAX_LEVELS = 10_000  # bounds memory and width; the rest are one level: see docs/decisions/0005-levels.md
LEVELS = 50  # a column of strings with at most so many different values, each seen often, is a category
KINDS = ("number", "category", "text")
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

    ``names`` are the levels of a category or the words of a text; ``values`` are (mean, scale, fill) of a number, or
    the inverse document frequency of each word.
    """

    name: str
    kind: str
    names: tuple[str, ...] = ()
    values: Array = field(default_factory=lambda: np.empty(0))
    fill: str | None = None

    @property
    def width(self) -> int:
        """How many features it gives: one more than its levels for a category, for what was never seen."""
        return {"number": 1, "category": len(self.names) + 1, "text": len(self.names)}[self.kind]

    def features(self) -> list[str]:
        """Names a person reads."""
        if self.kind == "number":
            return [self.name]
        if self.kind == "category":
            return [*(f"{self.name}={level}" for level in self.names), f"{self.name}={OTHER}"]
        return [f"{self.name}: {word}" for word in self.names]


@dataclass(frozen=True)
class Encoder:
    """The columns of a table and how each becomes features."""

    columns: tuple[Column, ...]
    ngrams: int = 1
    notices: tuple[str, ...] = ()

    @property
    def feature_names(self) -> list[str]:
        """One name for each of the d features."""
        return [name for column in self.columns for name in column.features()]

    def describe(self) -> list[str]:
        """A line for each kind of column there is."""
        lines = []
        for kind in KINDS:
            names = [c.name for c in self.columns if c.kind == kind]
            if names:
                width = sum(c.width for c in self.columns if c.kind == kind)
                lines.append(f"{kind}: {', '.join(names)} ({width} features)")
        return lines

    def transform(self, frame: pl.DataFrame) -> Encoded:
        """Features of a table's rows, its columns found by name."""
        known = [column.name for column in self.columns]
        missing = [name for name in known if name not in frame.columns]
        if missing:
            raise TableError(f"the table lacks column {missing[0]!r}{suggestion(missing[0], frame.columns)}")
        extra = [name for name in frame.columns if name not in known]
        if extra:
            warnings.warn(f"columns not used: {', '.join(extra)}", TableWarning, stacklevel=2)
        unanswerable: dict[int, str] = {}
        blocks = [_features(column, frame[column.name], self.ngrams, unanswerable) for column in self.columns]
        return _encoded(self.columns, blocks, unanswerable, frame.height)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Everything, as what JSON can hold and arrays."""
        meta = [{"name": c.name, "kind": c.kind, "names": list(c.names), "fill": c.fill} for c in self.columns]
        return {"columns": meta, "ngrams": self.ngrams, "notices": list(self.notices)}, {
            f"column.{i}": c.values for i, c in enumerate(self.columns)
        }

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, Array]) -> "Encoder":
        """The inverse of `state`; anything that cannot have come from it is refused."""
        try:
            columns = tuple(
                Column(str(c["name"]), str(c["kind"]), tuple(map(str, c["names"])), arrays[f"column.{i}"], c["fill"])
                for i, c in enumerate(meta["columns"])
            )
            encoder = cls(columns, int(meta["ngrams"]), tuple(map(str, meta["notices"])))
        except (KeyError, TypeError, ValueError) as error:
            raise TableError(f"the model's description of its columns is damaged: {error!r}") from error
        for c in columns:
            expected = {"number": 3, "category": 0, "text": len(c.names)}.get(c.kind)
            whole = c.values.ndim == 1 and c.values.dtype == np.float64 and np.isfinite(c.values).all()
            if expected is None or not whole or len(c.values) != expected:
                raise TableError(f"the model's numbers for column {c.name!r} are damaged")
        return encoder


def fit(
    frame: pl.DataFrame,
    *,
    kinds: Mapping[str, str] | None = None,
    impute: str | None = None,
    ngrams: int = 2,
    max_features: int = 200_000,
) -> tuple[Encoder, Encoded]:
    """Learn how the columns of a table become features, and make them.

    Parameters
    ----------
    frame : polars frame
        Features only.
    kinds : mapping from column to "number", "category" or "text", optional
        Where what is recognised is not what is meant.
    impute : {"mean", "median", "most_frequent"}, optional
        How missing numbers are filled; missing categories are then ``(other)`` and missing texts empty.
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
    for name, kind in (kinds or {}).items():
        if name not in frame.columns:
            raise TableError(f"kind is given for column {name!r}, which is not there{suggestion(name, frame.columns)}")
        if kind not in KINDS:
            raise TableError(f"kind of column {name!r} must be {', '.join(KINDS)}, not {kind!r}")
    if impute is not None and impute not in IMPUTE:
        raise TableError(f"impute must be one of {', '.join(IMPUTE)}, not {impute!r}")
    if frame.width == 0:
        raise TableError("the table has no column but the target: at least one feature is needed")
    notices: list[str] = []
    columns: list[Column] = []
    blocks: list[Any] = []
    unanswerable: dict[int, str] = {}
    for series in frame.get_columns():
        kind = (kinds or {}).get(series.name) or _recognised(series)
        series = series if kind == "number" else series.cast(pl.String)
        if kind != "number" and series.null_count() and impute is None:
            raise TableError(_missing(series.name, series.is_null()))
        if kind == "text":
            column, block = _fit_text(series, ngrams, max_features, notices)
        else:
            column = _fit_number(series, impute) if kind == "number" else _fit_category(series, impute, notices)
            block = _features(column, series, ngrams, unanswerable)
        columns.append(column)
        blocks.append(block)
    encoder = Encoder(tuple(columns), ngrams, tuple(notices))
    return encoder, _encoded(encoder.columns, blocks, unanswerable, frame.height)


def _recognised(series: pl.Series) -> str:
    """Numbers are numbers; strings are a category while few and repeated, else a text."""
    if series.dtype.is_numeric() or series.dtype == pl.Null:
        return "number"
    if series.dtype in (pl.Boolean, pl.Categorical, pl.Enum):
        return "category"
    if series.dtype != pl.String:
        example = series.drop_nulls()[:1].to_list()
        raise TableError(
            f"column {series.name!r} is of type {series.dtype}, such as {example[0] if example else None}: "
            "turn it into a number or a text, or exclude it (exclude=, --exclude)"
        )
    _refuse_blocked_number(series)
    different = series.n_unique()
    return "category" if different <= max(2, min(LEVELS, len(series) // 2)) else "text"


def _refuse_blocked_number(series: pl.Series) -> None:
    """A column of numbers that some cells keep from being read as such: the first of them is named."""
    cells = series.str.strip_chars()
    blocked = cells.is_not_null() & cells.cast(pl.Float64, strict=False).is_null()
    plain = cells.str.replace_all(r"[%\s,]", "").cast(pl.Float64, strict=False).is_null() & cells.is_not_null()
    count = len(cells) - cells.null_count()
    if count and blocked.any() and (blocked.sum() <= 0.1 * count or not plain.any()):
        row = blocked.arg_max() or 0
        raise TableError(
            f"column {series.name!r} holds numbers but for {blocked.sum()} cells, first {series[row]!r} in row "
            f"{row + 1}: correct them, or say what it is (kinds={{{series.name!r}: 'category'}}, "
            f"--kind {series.name}=category)"
        )


def _missing(name: str, missing: pl.Series) -> str:
    row = (missing.arg_max() or 0) + 1
    return (
        f"column {name!r} has {missing.sum()} missing values, first in row {row}; drop them or say how to fill them "
        "(impute='median', --impute median)"
    )


def _fit_number(series: pl.Series, impute: str | None) -> Column:
    values, missing = _numbers(series)
    if missing.any() and impute is None:
        raise TableError(_missing(series.name, pl.Series(missing)))
    seen = values[~missing]
    if not len(seen):
        raise TableError(f"column {series.name!r} has no value at all: exclude it (exclude=, --exclude)")
    unit = 2.0 ** np.frexp(np.abs(seen).max() or 1.0)[1]
    mean = float((seen / unit).mean() * unit)
    scale = float((seen / unit - mean / unit).std() * unit) if seen.min() < seen.max() else 1.0
    filled = np.median(seen) if impute == "median" else _most_frequent(seen) if impute == "most_frequent" else mean
    return Column(series.name, "number", values=np.array([mean, scale or 1.0, float(filled)]), fill=impute)


def _most_frequent(values: Array) -> float:
    different, counts = np.unique(values, return_counts=True)
    return float(different[counts.argmax()])


def _numbers(series: pl.Series) -> tuple[Array, Array]:
    """Values as float64, and which are missing or infinite."""
    values = series.cast(pl.Float64, strict=False).to_numpy()
    return values, ~np.isfinite(values)


def _fit_category(series: pl.Series, impute: str | None, notices: list[str]) -> Column:
    """One level for each value but those that must share the last, ``(other)``, with what was never seen."""
    counted = series.drop_nulls().alias("level").value_counts(name="rows").filter(pl.col("level") != OTHER)
    kept = counted.sort(["rows", "level"], descending=[True, False]).head(MAX_LEVELS)
    if kept.height < counted.height:
        notices.append(
            f"column {series.name!r} has {counted.height} different values: the {MAX_LEVELS} most frequent are kept, "
            f"the others are {OTHER}"
        )
    return Column(series.name, "category", tuple(kept["level"].sort().to_list()), fill=impute)


def _tokens(texts: pl.Series, ngrams: int) -> pl.DataFrame:
    """One line for each (row, term) with its count."""
    frame = pl.DataFrame({"row": pl.arange(len(texts), dtype=pl.UInt32, eager=True), "text": texts})
    words = (
        frame.with_columns(term=pl.col("text").str.to_lowercase().str.extract_all(TOKEN))
        .select("row", "term")
        .explode("term")
        .drop_nulls()
    )
    runs = [words]
    for length in range(2, ngrams + 1):
        term, row = pl.col("term"), pl.col("row")
        joined = pl.concat_str([term, *(term.shift(-i) for i in range(1, length))], separator=" ")
        runs.append(
            words.select("row", joined.alias("term"), (row == row.shift(1 - length)).alias("same"))
            .filter(pl.col("same"))
            .select("row", "term")
        )
    return pl.concat(runs).group_by("row", "term").len("count")


def _fit_text(series: pl.Series, ngrams: int, max_features: int, notices: list[str]) -> tuple[Column, Any]:
    counted = _tokens(series.fill_null(""), ngrams)
    spread = counted.group_by("term").len("documents").sort(["documents", "term"], descending=[True, False])
    if spread.height > max_features:
        notices.append(
            f"column {series.name!r} has {spread.height} different terms: the {max_features} in most rows are kept "
            "(max_features)"
        )
    spread = spread.head(max_features)
    frequency = np.log((1 + len(series)) / (1 + spread["documents"].to_numpy())) + 1
    column = Column(series.name, "text", tuple(spread["term"].to_list()), frequency)
    return column, _weighted(column, counted, len(series))


def _weighted(column: Column, counted: pl.DataFrame, n: int) -> Any:
    """Sublinear tf-idf (Manning, Raghavan & Schütze, 2008, § 6.4), each row of unit length."""
    vocabulary = pl.DataFrame({"term": column.names, "code": np.arange(len(column.names), dtype=np.int32)})
    known = counted.join(vocabulary, on="term", how="inner").sort("row", "code")
    codes, rows = known["code"].to_numpy(), known["row"].to_numpy()
    data = (1 + np.log(known["count"].to_numpy())) * column.values[codes]
    lengths = np.sqrt(np.bincount(rows, weights=data**2, minlength=n))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return sp.csr_matrix((data * (TEXT_LENGTH / lengths[rows]), codes, indptr), shape=(n, len(column.names)))


def _features(column: Column, series: pl.Series, ngrams: int, unanswerable: dict[int, str]) -> Any:
    if column.kind == "text":
        return _weighted(column, _tokens(series.cast(pl.String).fill_null(""), ngrams), len(series))
    if column.kind == "category":
        return _one_hot(column, series.cast(pl.String), unanswerable)
    values, missing = _numbers(series)
    mean, scale, fill = column.values
    if column.fill is None:
        for row in np.flatnonzero(missing):
            unanswerable.setdefault(int(row), f"column {column.name!r} holds {series[int(row)]!r}, not a number")
    return ((np.where(missing, fill, values) - mean) / scale)[:, None]


def _one_hot(column: Column, series: pl.Series, unanswerable: dict[int, str]) -> Any:
    n, levels = len(series), pl.DataFrame({"level": column.names}, schema={"level": pl.String})
    coded = pl.DataFrame({"level": series}).join(
        levels.with_row_index("code"), on="level", how="left", maintain_order="left"
    )
    if column.fill is None:
        for row in np.flatnonzero(series.is_null().to_numpy()):
            unanswerable.setdefault(int(row), f"column {column.name!r} is empty")
    codes = coded["code"].fill_null(len(column.names)).to_numpy().astype(np.int32)
    return sp.csr_matrix((np.ones(n), codes, np.arange(n + 1)), shape=(n, column.width))


def _encoded(columns: tuple[Column, ...], blocks: list[Any], unanswerable: dict[int, str], n: int) -> Encoded:
    empty = np.full(n, all(column.kind == "text" for column in columns))
    if all(isinstance(block, np.ndarray) for block in blocks):
        return Encoded(np.hstack(blocks), unanswerable, empty)
    X: Any = sp.hstack([sp.csr_matrix(block) for block in blocks], format="csr")
    return Encoded(X, unanswerable, empty & (np.diff(X.indptr) == 0))
