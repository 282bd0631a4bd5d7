"""The arithmetic of one block of rows, dense or sparse: forward, backward, rows with rows, each in its fastest way."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PRODUCTS = 2**18  # numbers of scaled rows that are made to be multiplied with one another
WIDE, PANEL = 512, 128  # columns, of more of which so many are multiplied with all others at once
CLASSES = 48  # columns of all classes of which the same is done: fewer take longer


def dot(A: Any, B: Array) -> Array:
    """A product that lets other threads run meanwhile: NumPy's ``dot`` always does, its ``@`` on some shapes only.

    But ``dot`` first copies what does not lie in one piece.
    """
    return np.asarray(np.dot(A, B) if isinstance(A, np.ndarray) and A.flags.forc and B.flags.forc else A @ B)


def runs(n: int, step: int) -> Iterator[slice]:
    """Slices of so many of n rows."""
    return (slice(start, start + step) for start in range(0, n, step))


def in_panels(rows: Callable[[slice], Array], n: int, p: int) -> Iterator[Array]:
    """Σ x xᵀ over n rows x, of p columns: some of its rows after the other, when they are asked for, to be `joined`.

    `rows` gives those of a slice: a few of them are in memory.
    """
    # a product of fewer rows than half the columns takes no longer than to add it
    first, *others = runs(n, max(PRODUCTS // p, p // 2))
    if not others:
        return _panels(rows(first))
    totals = list(_panels(rows(first)))
    for run in others:
        for total, part in zip(totals, _panels(rows(run)), strict=True):
            total += part
    return iter(totals)


def _panels(A: Array) -> Iterator[Array]:
    """Of Aᵀ A, a panel of rows after the other, from the diagonal on; of few columns all at once."""
    p = A.shape[1]
    if p <= WIDE:
        yield dot(A.T, A)
        return
    At = np.ascontiguousarray(A.T)  # no panel of it is copied to be multiplied
    del A
    for rows in runs(p, PANEL):
        yield dot(At[rows], At[rows.start :].T)


def joined(panels: Sequence[Array]) -> Array:
    """The symmetric matrix of which these are the rows from the diagonal on, one panel after another."""
    if len(panels) == 1:
        return panels[0]
    p = panels[0].shape[1]
    whole = np.empty((p, p), panels[0].dtype)
    for panel, rows in zip(panels, runs(p, PANEL), strict=True):
        whole[rows, rows.start :] = panel
        whole[rows.start :, rows] = panel.T
    return whole


def between(rows: Callable[[slice], Array], p: int, loss: Any, z: Array) -> Array:
    """Σ aᵢ aⱼ x xᵀ over the rows x, of p columns, for classes i < j, (k p, k p); what else is in there is of no use.

    `rows` gives those of a slice: beside the total, a few are in memory.
    """
    (n, k), total = z.shape, None
    step = p * max(1, CLASSES // p)  # one panel after another: beside the total, no second array of its size
    for run in runs(n, max(64, PRODUCTS // (2 * k * p))):
        A = np.ascontiguousarray(rows(run).T)
        total = np.zeros((k * p, k * p), A.dtype) if total is None else total
        activation = np.ascontiguousarray(loss.activation(z[run]).T)
        B = (activation[:, None] * A).reshape(k * p, -1)  # lies so that no panel of it is copied to be multiplied
        for start in range(0, k * p, step):
            others = start + step if step == p else start
            total[start : start + step, others:] += dot(B[start : start + step], B[others:].T)
    return np.asarray(total)


def constant(X: Any, w: Array, b: Any) -> Array:
    """The logits where all weights are 0."""
    return np.asarray(np.full((*w.shape[1:], X.shape[0]), np.reshape(b, (-1, 1)[: w.ndim]), X.dtype).T)


def forward(X: Any, w: Array, b: Any) -> Array:
    """X w + b; of several outputs with each one's in one run, as Wᵀ Xᵀ is: BLAS takes half the time for that, too."""
    w = w.astype(X.dtype, copy=False)
    if w.ndim == 1:
        z = dot(X, w)
        z += b
        return z
    zt = dot(w.T, X.T) if isinstance(X, np.ndarray) else np.ascontiguousarray((X @ w).T)
    np.add(zt, b[:, None], out=zt, casting="same_kind")
    return np.asarray(zt.T)


def times(values: Array, weight: Array | None) -> Array:
    """The values of each row times its weight."""
    if weight is None:
        return values
    return values * (weight if values.ndim == 1 else weight[:, None])


def backward(X: Any, values: Array) -> tuple[Array, Any]:
    """The backward pass of a block: Xᵀ values, transposed, and the sum of the values."""
    values = values.astype(X.dtype, copy=False)
    return summed(X, values), values.sum(axis=0, dtype=np.float64)


def summed(X: Any, values: Array) -> Array:
    """Xᵀ values, transposed."""
    back = dot(values.T, X) if isinstance(X, np.ndarray) else (X.T @ values).T
    return np.asarray(back, dtype=np.float64)
