"""What is given as X: frames by their columns' names and types, arrays by their cells; refused in our own words.

Only what scikit-learn accepts silently or refuses without a place is looked at here; an array of numbers costs nothing.
"""

import warnings
from datetime import date, timedelta
from numbers import Number, Real
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from onelayer.counting import counted
from onelayer.names import short
from onelayer.rows.sparse import with_entries

Array = NDArray[Any]

ENCODE = "encode the column or drop it; onelayer.fit takes such tables as they are"
REMEDIES = {
    "M": "make it a number, such as days since a date",
    "m": "make it a number, such as its seconds",
    "c": "give its real and imaginary parts as two columns",
}


def checked(X: Any, known: list[str] | None = None) -> Any:
    """X as it came, or the columns of a frame that are known; rows of cells as an array.

    Parameters
    ----------
    X : array, sparse matrix, frame or rows of cells
    known : list of str, optional
        At prediction, the names of the columns at the fit.

    Raises
    ------
    ValueError, TypeError
        With column, type, example and remedy, where a column holds no numbers; for what has not two axes.

    Examples
    --------
    >>> checked([[1, "red"]])
    Traceback (most recent call last):
    ...
    ValueError: column 1 (object) holds 'red' (str) in row 0, but X as an argument must be without strings, a number in
    each cell: encode the column or drop it; onelayer.fit takes such tables as they are
    """
    if type(X).__name__ == "LazyFrame":
        raise TypeError("X is a LazyFrame, whose rows are not there yet: pass X.collect()")
    if type(X).__module__.partition(".")[0] == "pyarrow":
        from polars import from_arrow

        X = from_arrow(X)
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        X = _known_columns(X, known)
        _refuse_columns(X)
        return X
    if X is None or isinstance(X, str | bytes | Number) or (isinstance(X, dict) and not hasattr(X, "shape")):
        raise ValueError(f"X is {X!r:.60}, not rows of numbers: pass an array or a frame; onelayer.fit reads tables")
    if isinstance(X, list | tuple):
        X = _rows(X)
    if isinstance(X, np.ndarray):
        _refuse_array(X)
    elif getattr(X, "dtype", None) is not None and getattr(X.dtype, "kind", "f") == "c":
        raise ValueError(f"Complex data not supported: X is of type {X.dtype}; {REMEDIES['c']}")
    return _in_doubles(X)


def _in_doubles(X: Any) -> Any:
    """What has a type of which sums are none: long doubles, and the entries of a sparse matrix.

    A cell may be the sum of several entries, which overflows in 8 bits; half precision SciPy does not add up at all.
    """
    dtype = getattr(X, "dtype", np.dtype(np.float64))
    odd = hasattr(X, "tocsr") and dtype.kind in "biuf" and dtype not in (np.float32, np.float64)
    if not odd and not (isinstance(X, np.ndarray) and dtype == np.longdouble):
        return X
    with np.errstate(over="ignore"):  # infinity is told of with its place
        by_row = getattr(X, "format", "") == "csr"  # whose indices a conversion by SciPy would copy, too
        return with_entries(X, X.data.astype(np.float64)) if by_row else X.astype(np.float64)


def refuse_width(X: Any, width: int, estimator: str) -> None:
    """An array must have as many columns as at the fit; a frame goes by its names."""
    if getattr(X, "ndim", 0) == 2 and not hasattr(X, "columns") and X.shape[1] != width:
        looks = ": X looks transposed, pass X.T" if X.shape[0] == width else ""
        raise ValueError(f"X has {X.shape[1]} features, but {estimator} is expecting {width} features as input{looks}")


def _rows(X: Any) -> Array:
    widths = [len(row) for row in X if hasattr(row, "__len__") and not isinstance(row, str | bytes)]
    if len(widths) == len(X) and len(set(widths)) > 1:
        odd = next(i for i, width in enumerate(widths) if width != widths[0])
        raise ValueError(
            f"row {odd} of X has {counted(widths[odd], 'cell')}, but row 0 has {widths[0]}: make them as many"
        )
    try:
        array = np.asarray(X)
    except ValueError:  # a cell that is a list
        array = np.asarray(X, dtype=object)
    # NumPy makes texts of numbers that stand beside a text: keep each cell as it is
    return np.asarray(X, dtype=object) if array.dtype.kind in "US" else array


def _known_columns(X: Any, known: list[str] | None) -> Any:
    """The columns known from the fit where others stand beside them; names that are missing are for scikit-learn."""
    columns = list(X.columns)
    twice = [name for i, name in enumerate(columns) if name in columns[:i]] if len(set(columns)) < len(columns) else []
    if twice:
        raise ValueError(f"X names column {twice[0]!r} twice: rename one of them")
    if known is None or columns == known or not set(known) <= set(columns):
        return X
    extra = [name for name in columns if name not in set(known)]
    if not extra:
        raise ValueError(
            "The feature names should match those that were passed during fit.\n"  # scikit-learn's words, for its check
            "Feature names must be in the same order as they were in fit.\n"
            "Pass X[list(model.feature_names_in_)]."
        )
    warnings.warn(f"columns not used: {', '.join(map(str, extra))}", UserWarning, stacklevel=5)
    return X[known]


def _refuse_columns(X: Any) -> None:
    for name, dtype in zip(X.columns, X.dtypes, strict=True):
        if not _plain(dtype):
            _refuse_cells(np.asarray(X[name]), repr(name), str(dtype))


def _plain(dtype: Any) -> bool:
    """Numbers, by a NumPy, pandas or polars type; a Decimal is none, for its digits would be lost unseen."""
    if hasattr(dtype, "is_numeric"):
        return (dtype.is_numeric() and not dtype.is_decimal()) or str(dtype) in ("Boolean", "Null")
    return getattr(dtype, "kind", "O") in "biuf"


def _refuse_array(X: Array) -> None:
    if X.ndim != 2:
        _refuse_shape(X.shape)
    if isinstance(X, np.ma.MaskedArray) and np.ma.getmaskarray(X).any():
        row, j = np.argwhere(np.ma.getmaskarray(X))[0]
        raise ValueError(f"column {j} is masked in row {row}: fill it (X.filled) or drop the row")
    if X.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: X is of type {X.dtype}; {REMEDIES['c']}")
    if X.dtype.kind not in "biuf":
        for j in range(X.shape[1]):
            _refuse_cells(X[:, j], str(j), str(X.dtype))


def _refuse_shape(shape: tuple[int, ...]) -> NoReturn:
    if len(shape) == 1:
        raise ValueError(
            f"X has one axis, of {counted(shape[0], 'number')}, where rows and columns are needed. Reshape your data: "
            "X.reshape(-1, 1) is one column, X.reshape(1, -1) one row"
        )
    raise ValueError(f"X has shape {shape}, where rows and columns are needed: one number in each cell")


def _refuse_cells(cells: Array, name: str, dtype: str) -> None:
    """The first cell of a column that is no number, nor a text that is one."""
    if cells.dtype.kind in "Mmc":
        example = f", such as {cells[0]}" if len(cells) else ""
        raise ValueError(f"column {name} is of type {dtype}{example}: {REMEDIES[cells.dtype.kind]}, or drop it")
    if cells.dtype.kind in "US":
        _refuse_texts(cells, name, dtype)
    if cells.dtype.kind != "O":
        return
    for row, cell in enumerate(cells):
        if cell is None or isinstance(cell, Real | np.bool_) or _reads_as_number(cell):
            continue
        if type(cell).__name__ in ("NAType", "NaTType"):
            raise ValueError(f"column {name} has a missing value in row {row}: drop the row or fill it first")
        error = ValueError if isinstance(cell, str | bytes) else TypeError
        raise error(
            f"column {name} ({dtype}) holds {_shown(cell)} ({type(cell).__name__}) in row {row}, but X as an "
            f"argument must be without strings, a number in each cell: {_remedy(cell)}"
        )


def _remedy(cell: Any) -> str:
    if isinstance(cell, Number):  # a Decimal
        return "make it a float (astype(float))"
    if isinstance(cell, date | timedelta):
        return REMEDIES["M" if isinstance(cell, date) else "m"]
    if not isinstance(cell, str | bytes) and hasattr(cell, "__len__"):
        return "make each of its parts a column"
    return ENCODE


def _refuse_texts(cells: Array, name: str, dtype: str) -> NoReturn:
    blocked = next((row for row, cell in enumerate(cells) if not _reads_as_number(cell)), None)
    if blocked is None:
        raise ValueError(f"column {name} is of type {dtype}, such as {_shown(cells[0])}: pass X.astype(float)")
    raise ValueError(f"column {name} is of type {dtype} and holds {_shown(cells[blocked])} in row {blocked}: {ENCODE}")


def _reads_as_number(cell: Any) -> bool:
    if not isinstance(cell, str | bytes):
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _shown(cell: Any) -> str:
    return short(repr(cell.item() if isinstance(cell, np.generic) else cell))
