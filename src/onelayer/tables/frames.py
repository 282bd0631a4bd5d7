"""Tables in memory, frames, columns by name or rows that name theirs, as polars frames whose types hold every cell."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from onelayer.tables.naming import TableError, first_line

MISSING = ("NAType", "NaTType")  # of pandas, for cells without a value
PLAIN = (int, float, str, Decimal, type(None))  # kinds of cells that may stand in one column


def frame_of(source: Any) -> pl.DataFrame:
    """A frame of another library, columns by name, or rows that name theirs."""
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
        raise TableError(f"the table cannot be read from a {kind}: {first_line(error)}") from error
    if not isinstance(frame, pl.DataFrame):
        raise TableError(f"the table cannot be read from a {kind}: pass a frame, columns by name, or a path")
    return frame


def refuse_mixed(source: Any, name: str) -> None:
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


def _converted(source: Any, module: str) -> Any:
    if module == "pandas":
        return _from_pandas(source)
    if module == "pyarrow":
        return pl.from_arrow(source)
    if isinstance(source, bytes | bytearray | pl.Series):
        return None
    if isinstance(source, list | tuple) and source and all(isinstance(row, Mapping) for row in source):
        source = of_rows(source)
    elif isinstance(source, Mapping):
        source = {name: _of_cells(name, cells) for name, cells in source.items()}
    return pl.DataFrame(source, strict=False, infer_schema_length=None)


def of_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
