"""What a person should know of the data before believing the weights: constant, separating and collinear columns."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[Any]

SEEN = 1_000  # rows on which a column must separate before all rows are asked
SEEN_ENTRIES = 100_000  # and no more cells than these, or a hundred rows
CHANCE = 1e-3  # that any column of noise would separate as many rows: below it, separation is said
RANKED = 512  # parameters up to which the rank is worth an eigendecomposition


class Separating(NamedTuple):
    """A column beyond whose other values there are rows of one class only, and how many."""

    column: int
    code: int
    rows: int


def separating(X: Any, codes: Array, *, by_chance: bool) -> list[Separating]:
    """Columns each of which parts one class from all others, if only by touching (Albert & Anderson, 1984).

    Parameters
    ----------
    X : array or CSR matrix of shape (n, d)
    codes : integer array of shape (n,)
    by_chance : bool
        Whether to name columns, too, that may part so few rows by chance.

    Returns
    -------
    list of Separating
        Those that part most rows first.

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [1.0, 2.0], [1.0, 1.0]])
    >>> separating(X, np.array([0, 1, 0, 1, 1]), by_chance=True)
    [Separating(column=0, code=1, rows=2)]
    """
    n, d = X.shape
    share = np.bincount(codes) / n
    if sp.issparse(X):
        found = _only_nonzeros(X, codes, len(share))
    else:
        seen = max(100, min(SEEN, SEEN_ENTRIES // d))
        sample = np.sort(np.random.default_rng(0).choice(n, seen, replace=False)) if n > 2 * seen else slice(None)
        suspects = np.unique(_beyond(X[sample], codes[sample], len(share))[0])
        if not len(suspects):
            return []
        column, code, rows = _beyond(X[:, suspects], codes, len(share))
        found = suspects[column], code, rows
    column, code, rows = found
    kept = np.flatnonzero((rows < n) & (by_chance | (d * share[code] ** rows < CHANCE)))
    kept = kept[np.argsort(-rows[kept], kind="stable")]
    return [Separating(int(column[i]), int(code[i]), int(rows[i])) for i in kept]


def _only_nonzeros(X: Any, codes: Array, k: int) -> tuple[Array, Array, Array]:
    """Sparse columns without a negative entry that are zero in all classes but one; the class, and how many rows."""
    negative = X.data < 0
    sizes = sp.csr_matrix((np.abs(X.data), X.indices, X.indptr), shape=X.shape, copy=False) if negative.any() else X
    sums = sizes.T @ (codes[:, None] == np.arange(k)).astype(X.dtype)  # (d, k)
    pure = np.count_nonzero(sums, axis=1) == 1
    pure[X.indices[negative]] = False
    column = np.flatnonzero(pure)
    rows = np.bincount(X.indices[X.data != 0], minlength=X.shape[1])[column] if len(column) else column
    return column, sums[column].argmax(axis=1), rows


def _beyond(X: Array, codes: Array, k: int) -> tuple[Array, Array, Array]:
    """Dense columns in which the values of a class all lie on one side of all others', or touch them; and so on."""
    found = [(np.empty(0, dtype=np.intp),) * 3]
    for code in range(k):
        ours, others = X[codes == code], X[codes != code]
        if not (len(ours) and len(others)):
            continue
        for sign in (1, -1):
            edge = (sign * others).max(axis=0)
            rows = (sign * ours > edge).sum(axis=0)
            parts = np.flatnonzero(((sign * ours).min(axis=0) >= edge) & (rows > 0))
            found.append((parts, np.full(len(parts), code), rows[parts]))
    columns, codes_of_parts, rows_apart = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return columns, codes_of_parts, rows_apart


def rank(objective: Any) -> int:
    """How many directions of one output's coordinates the rows determine, of those there are."""
    H = objective.hessian(np.zeros(objective.shape))[: objective.shape[1], : objective.shape[1]]
    H = H - np.diag(objective.ridge)
    size = np.sqrt(np.maximum(np.diag(H), 1e-300))
    values = np.linalg.eigvalsh(H / size / size[:, None])
    # a constant column has nothing, and says so elsewhere
    return int((values > len(H) * 1e-14 * values[-1]).sum())


def name(j: int, names: Sequence[str] | None) -> str:
    """What a person calls column j."""
    return f"column {j}" if names is None else f"column {names[j]!r}"
