"""Sparse matrices that share their entries: to copy them takes as long as to multiply with them."""

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[Any]

AT_HAND = 2**17  # cells: as a dense array, so few take less time than a sparse matrix takes to be asked


RUN = 2**18  # entries of a run of rows, about


def lies_at_hand(n: int, d: int) -> bool:
    """Whether so many rows of so many columns are best laid out dense."""
    return n * d <= AT_HAND


def laid_out(X: Any, dense: bool) -> Any:
    """X as a dense array, if it is to be one."""
    return X.toarray() if dense and not isinstance(X, np.ndarray) else X


def summed_up(X: Any) -> Any:
    """X with each cell stored once, if it is sparse; what was given stays as it is."""
    if isinstance(X, np.ndarray) or X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X


class _TransposedOnce:
    """A sparse matrix that keeps its transpose: to make one takes as long as a product with few entries."""

    @cached_property
    def T(self) -> Any:
        other = sp.csc_matrix if self.format == "csr" else sp.csr_matrix  # type: ignore[attr-defined]
        n, d = self.shape  # type: ignore[attr-defined]
        return _sharing(other, (d, n), self.data, self.indices, self.indptr)  # type: ignore[attr-defined]


class ByRow(_TransposedOnce, sp.csr_matrix):
    """Rows, one after another."""


class ByColumn(_TransposedOnce, sp.csc_matrix):
    """Columns, one after another."""


def _sharing(kind: Any, shape: tuple[int, int], data: Array, indices: Array, indptr: Array) -> Any:
    """A sparse matrix of these very arrays: the constructors copy those that are small parts of larger ones."""
    matrix = kind(shape, dtype=data.dtype)
    matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
    return matrix


def with_entries(X: Any, data: Array) -> Any:
    """The cells of a CSR matrix with other entries."""
    return _sharing(ByRow, X.shape, data, X.indices, X.indptr)


def row_run(X: Any, span: slice) -> Any:
    """A run of rows that shares its entries with X; slicing would copy them."""
    ends = X.indptr[span.start : span.stop + 1]
    inside = slice(ends[0], ends[-1])
    return _sharing(ByRow, (len(ends) - 1, X.shape[1]), X.data[inside], X.indices[inside], ends - ends[0])


def rows_of(X: Any, rows: Array, prepare: Callable[[Any], Any]) -> Any:
    """What `prepare` makes of some rows of a CSR matrix: beside that, no more than a run of them is in memory."""
    bound = int(np.diff(X.indptr)[rows].sum(dtype=np.int64))
    step = max(1, len(rows) * RUN // max(bound, 1))
    first, n = prepare(X[rows[:step]]), len(rows)
    others = ((slice(a, a + step), prepare(X[rows[a : a + step]])) for a in range(step, n, step))
    if step >= n:
        return first
    if isinstance(first, np.ndarray):
        whole = np.empty((n, first.shape[1]), first.dtype)
        whole[:step] = first
        for span, part in others:
            whole[span] = part
        return whole
    data, indices = np.empty(bound, first.data.dtype), np.empty(bound, first.indices.dtype)
    ends, filled = [np.zeros(1, first.indptr.dtype)], 0
    for _, part in chain([(None, first)], others):
        there = slice(filled, filled + part.nnz)
        data[there], indices[there] = part.data, part.indices
        ends.append(part.indptr[1:] + ends[-1][-1])
        filled = there.stop
    return _sharing(ByRow, (n, first.shape[1]), data[:filled], indices[:filled], np.concatenate(ends))


def row_runs(X: Any) -> Iterator[tuple[slice, Any]]:
    """A CSR matrix in runs of rows: a copy of the entries of one is little, and sums of its columns are less still."""
    n, d = X.shape
    step = max(1, n * max(RUN, 2 * d) // max(X.nnz, 1))
    for start in range(0, n, step):
        span = slice(start, min(start + step, n))
        yield span, row_run(X, span)
