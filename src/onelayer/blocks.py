"""The arithmetic of one block of rows, dense or sparse: forward, backward, rows with rows, each in its fastest way."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

RUN = 512  # rows
CACHED = 2**17  # numbers, which a core's second cache holds
TURNED = 10**6  # multiplications, above which BLAS has no way of its own for small matrices
PRODUCTS = 2**18  # numbers of scaled rows that are made to be multiplied with one another


def dot(A: Any, B: Array) -> Array:
    """A product that lets other threads run meanwhile: NumPy's ``dot`` always does, its ``@`` on some shapes only."""
    return np.asarray(np.dot(A, B) if isinstance(A, np.ndarray) else A @ B)


def runs(n: int, step: int) -> Iterator[slice]:
    """Slices of so many of n rows."""
    return (slice(start, start + step) for start in range(0, n, step))


def between(A: Array, loss: Any, z: Array) -> Array:
    """Σ aᵢ aⱼ x xᵀ over the rows x of A for each two classes i and j, (k p, k p)."""
    (n, p), k = A.shape, z.shape[1]
    total = np.zeros((k * p, k * p), A.dtype)
    for run in runs(n, max(64, PRODUCTS // (k * p))):
        B = (loss.activation(z[run])[:, :, None] * A[run, None, :]).reshape(-1, k * p)
        total += dot(B.T, B)
    return total


def constant(X: Any, w: Array, b: Any) -> Array:
    """The logits where all weights are 0."""
    return np.asarray(np.full((*w.shape[1:], X.shape[0]), np.reshape(b, (-1, 1)[: w.ndim]), X.dtype).T)


def forward(X: Any, w: Array, b: Any) -> Array:
    """X w + b; of several outputs with each one's in one run."""
    w = w.astype(X.dtype, copy=False)
    if w.ndim == 1:
        z = dot(X, w)
        z += b
        return z
    # as measured: of rows in cache, in double precision, a product takes three quarters of the time this way round
    if isinstance(X, np.ndarray) and X.dtype == np.float64 and X.size <= CACHED and X.size * len(b) > TURNED:
        by_output = dot(w.T, X.T)
        by_output += b[:, None]
    else:
        z = dot(X, w)
        by_output = np.add(z.T, b[:, None], out=np.empty(z.T.shape, z.dtype), casting="same_kind")
    return by_output.T


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
    if not isinstance(X, np.ndarray):
        back = (X.T @ values).T
    elif values.ndim == 1 or not X.flags.c_contiguous:
        back = dot(values.T, X)
    else:
        back = _by_runs(values.T, X)
    return np.asarray(back, dtype=np.float64)


def _by_runs(V: Array, X: Array) -> Array:
    """V X, V of few rows: products of short runs find X in a core's first cache, and take half as long as one."""
    whole, d = len(X) // RUN * RUN, X.shape[1]
    runs = V[:, :whole].reshape(len(V), -1, RUN).transpose(1, 0, 2) @ X[:whole].reshape(-1, RUN, d)
    return np.asarray(runs.sum(axis=0) + dot(V[:, whole:], X[whole:]))
