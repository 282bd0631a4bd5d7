"""A mean loss plus a penalty, asked at a point: value, gradient, Hessian, Hessian·v, a sample of itself.

The objective is ``Σ ω loss(z, y) / Ω + Σ_j penalty_j u_j² / 2`` with ``z = ((X - mean) / scale) u + bias``: the
point u, of shape (k, d + 1) with the bias last (k = 1 for one output), holds weights of centred and scaled columns.
Rows may come centred and scaled; where they do not, both happen in the algebra, and no copy of them is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Product = Callable[[Array], Array]


@dataclass(frozen=True)
class Objective:
    """A penalised mean loss over a source of rows.

    Parameters
    ----------
    rows : source
        Answers ``total`` and ``each`` (`onelayer.sources.Rows`).
    loss : loss
        Its ``value_slope``, ``curvature`` and ``bend`` are used (`onelayer.losses.Loss`).
    outputs : int
        k, the number of rows of a point.
    penalty : array of shape (d,)
        Weight of u_j² / 2 beside the mean loss; the bias is never penalised.
    total_weight : float
        Ω, the sum of the rows' weights.
    bias : bool
        Whether there is one; without it, points have d columns.
    mean, scale : arrays of shape (d,), optional
        Of the columns; None where rows come centred or scaled.
    """

    rows: Any
    loss: Any
    outputs: int
    penalty: Array
    total_weight: float
    bias: bool = True
    mean: Array | None = None
    scale: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a point."""
        return self.outputs, self.rows.d + self.bias

    @cached_property
    def ridge(self) -> Array:
        """The penalty of each coordinate of a row of a point, 0 for the bias; shape (d + bias,)."""
        return np.append(self.penalty, 0.0) if self.bias else self.penalty

    def value_gradient(self, u: Array) -> tuple[float, Array]:
        """The objective at u, in nats, and its gradient, of u's shape: one sweep over the rows."""
        w, b = self._of_raw_columns(u)

        def sweep(X: Any, y: Array, weight: Array | None) -> tuple[Any, Array, Any]:
            value, slope = self.loss.value_slope(_logits(X, w, b), y)
            if weight is not None:
                value, slope = value * weight, _by_row(slope, weight)
            return value.sum(dtype=np.float64), *_back(X, slope)

        value, back, back_bias = self.rows.total(sweep)
        gradient = self._of_scaled_columns(back, back_bias) / self.total_weight + self.ridge * u
        return float(value / self.total_weight + (self.ridge * u * u).sum() / 2), gradient

    def value(self, u: Array) -> float:
        """The objective at u, in nats."""
        return self.value_gradient(u)[0]

    def hessian(self, u: Array) -> Array:
        """Second derivatives at u, (k (d + bias), k (d + bias)), in the order of ``u.ravel()``."""
        w, b = self._of_raw_columns(u)
        k, p = self.shape

        def block(X: Any, y: Array, weight: Array | None) -> tuple[Array]:
            z = _logits(X, w, b)
            A = self._standardised(X)
            h = self.loss.curvature(z)
            h = h if weight is None else h * weight.reshape(-1, *[1] * (h.ndim - 1))
            if h.ndim == 1:
                A *= np.sqrt(h)[:, None]
                return (A.T @ A,)
            H = np.empty((k, p, k, p))
            for i in range(k):
                for j in range(i + 1):
                    H[i, :, j] = A.T @ (h[:, i, j, None] * A)
                    H[j, :, i] = H[i, :, j].T
            return (H.reshape(k * p, k * p),)

        (H,) = self.rows.total(block)
        H /= self.total_weight
        H[np.diag_indices_from(H)] += np.tile(self.ridge, k)
        return np.asarray(H)

    def product(self, u: Array) -> tuple[Product, Array]:
        """The function v → Hessian(u) · v on arrays of u's shape, and the mean curvature of each output, (k,)."""
        w, b = self._of_raw_columns(u)
        bends = self.rows.each(lambda X, y, weight: self.loss.bend(_logits(X, w, b)))

        def curvature(X: Any, y: Array, weight: Array | None, bend: Product) -> tuple[Array]:
            n, k = X.shape[0], self.outputs
            ones = np.ones(n) if weight is None else weight
            if k == 1:
                return (np.array([ones @ bend(np.ones(n))]),)
            return (np.array([ones @ bend(np.broadcast_to(row, (n, k)))[:, j] for j, row in enumerate(np.eye(k))]),)

        def product(v: Array) -> Array:
            t, c = self._of_raw_columns(v)

            def sweep(X: Any, y: Array, weight: Array | None, bend: Product) -> tuple[Array, Any]:
                bent = bend(_logits(X, t, c))
                return _back(X, bent if weight is None else _by_row(bent, weight))

            back = self._of_scaled_columns(*self.rows.total(sweep, bends))
            return np.asarray(back / self.total_weight + self.ridge * v)

        return product, self.rows.total(curvature, bends)[0] / self.total_weight

    def logits(self, u: Array) -> Array:
        """z of all rows at u, (n,) or (n, k), in nats."""
        w, b = self._of_raw_columns(u)
        return np.concatenate(self.rows.each(lambda X, y, weight: _logits(X, w, b)))

    def sample(self, rows: Array, weight: Array | None, total_weight: float) -> "Objective":
        """The objective of some of the rows, with weights of their own: the same mean, estimated."""
        return replace(self, rows=self.rows.take(rows, weight), total_weight=total_weight)

    def _of_raw_columns(self, u: Array) -> tuple[Array, Any]:
        """w and b with z = X w + b: (d,) and a number for one output, else (d, k) and (k,)."""
        d = self.rows.d
        W = u[:, :d] if self.scale is None else u[:, :d] / self.scale
        b = u[:, d] if self.bias else np.zeros(self.outputs)
        if self.mean is not None:
            b = b - W @ self.mean
        return (W[0], b[0]) if self.outputs == 1 else (np.ascontiguousarray(W.T), b)

    def _of_scaled_columns(self, back: Array, back_bias: Any) -> Array:
        """What came back through X and through the bias, (d, k) and (k,), as an array of a point's shape."""
        back, back_bias = back.reshape(self.outputs, -1), np.reshape(back_bias, (self.outputs, 1))
        if self.mean is not None:
            back = back - back_bias * self.mean
        if self.scale is not None:
            back = back / self.scale
        return np.hstack([back, back_bias]) if self.bias else np.asarray(back)

    def _standardised(self, X: Any) -> Array:
        """A dense copy of a block, centred and scaled, with a column of ones for the bias."""
        A = np.ones((X.shape[0], self.shape[1]))
        inside = A[:, : X.shape[1]]
        inside[...] = X if isinstance(X, np.ndarray) else X.toarray()
        if self.mean is not None:
            inside -= self.mean
        if self.scale is not None:
            inside /= self.scale
        return A


def _logits(X: Any, w: Array, b: Any) -> Array:
    return np.asarray(X @ w.astype(X.dtype, copy=False) + b)


def _by_row(values: Array, weight: Array) -> Array:
    return values * (weight if values.ndim == 1 else weight[:, None])


def _back(X: Any, values: Array) -> tuple[Array, Any]:
    """The backward pass of a block: Xᵀ values, transposed, and the sum of the values."""
    return np.asarray(values.T.astype(X.dtype, copy=False) @ X, dtype=np.float64), values.sum(axis=0)
