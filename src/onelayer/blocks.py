"""The arithmetic of one block of rows, dense or sparse: forward, backward, rows with rows, each in its fastest way."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PRODUCTS = 2**18  # numbers of scaled rows that are made to be multiplied with one another
PANEL = 48  # columns of these that are multiplied with all others at once: fewer take longer


def dot(A: Any, B: Array) -> Array:
    """A product that lets other threads run meanwhile: NumPy's ``dot`` always does, its ``@`` on some shapes only."""
    return np.asarray(np.dot(A, B) if isinstance(A, np.ndarray) else A @ B)


def runs(n: int, step: int) -> Iterator[slice]:
    """Slices of so many of n rows."""
    return (slice(start, start + step) for start in range(0, n, step))


def between(A: Array, loss: Any, z: Array) -> Array:
    """Σ aᵢ aⱼ x xᵀ over the rows x of A for classes i < j, (k p, k p); what else is in there is of no use."""
    (n, p), k = A.shape, z.shape[1]
    total = np.zeros((k * p, k * p), A.dtype)
    step = p * max(1, PANEL // p)  # one panel after another: beside the total, no second array of its size
    for run in runs(n, max(64, PRODUCTS // (k * p))):
        B = (loss.activation(z[run])[:, :, None] * A[run, None, :]).reshape(-1, k * p)
        for start in range(0, k * p, step):
            others = start + step if step == p else start
            total[start : start + step, others:] += dot(B[:, start : start + step].T, B[:, others:])
    return total


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
    zt = np.dot(w.T, X.T) if isinstance(X, np.ndarray) else np.ascontiguousarray((X @ w).T)
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
