"""The cells of a column as text, and those of a target as labels or numbers."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from onelayer.tables.reading import TableError


def as_numbers(series: pl.Series) -> NDArray[np.float64]:
    """The cells of a target column as finite numbers.

    Raises
    ------
    TableError
        For what is no number, with its row.

    Examples
    --------
    >>> as_numbers(pl.Series("price", ["1.5", "2"]))
    array([1.5, 2. ])
    """
    plain = series.dtype.is_numeric() or series.dtype == pl.Boolean
    values = (series if plain else as_text(series)).cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise TableError(
            f"target column {series.name!r} must hold numbers, but {wrong.sum()} of its cells are none, first "
            f"{series[row]!r:.60} in row {row + 1}: correct or drop these rows"
        )
    return values


def as_text(series: pl.Series) -> pl.Series:
    """Cells as text, the same whatever way they came in: 1.0 and 1 are "1", NaN is missing."""
    if isinstance(series.dtype, pl.Decimal):
        series = series.cast(pl.Float64)
    if not series.dtype.is_float():
        return series.cast(pl.String)
    return series.fill_nan(None).cast(pl.String).str.replace(r"\.0$", "")


def as_labels(series: pl.Series) -> pl.Series:
    """The cells of a target column as labels: text, none of them empty.

    Raises
    ------
    TableError
        For types that are no labels, and for cells that are empty, or NaN among numbers, with the first row.

    Examples
    --------
    >>> as_labels(pl.Series("kind", [1.0, 0.0])).to_list()
    ['1', '0']
    """
    if series.dtype.is_nested() or series.dtype.is_temporal() or series.dtype in (pl.Binary, pl.Object):
        raise TableError(f"target column {series.name!r} is of type {series.dtype}: it must hold classes, such as text")
    labels = as_text(series)
    bare = labels.str.strip_chars().fill_null("")
    empty = (bare == "") | _stray_nan(bare)
    if empty.any():
        row = (empty.arg_max() or 0) + 1
        raise TableError(
            f"target column {series.name!r} has {empty.sum()} empty cells, first in row {row}: label or drop these rows"
        )
    return labels


def _stray_nan(cells: pl.Series) -> pl.Series:
    """Where a cell reads NaN and all others are numbers, so that it is none of the classes."""
    nan = cells.str.to_lowercase() == "nan"
    others = cells.filter(~nan)
    return nan & others.cast(pl.Float64, strict=False).is_not_null().all()
