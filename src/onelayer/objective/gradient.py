"""A mean loss plus a penalty, asked at a point: value, gradient, logits, the best biases, the dual.

The objective is ``Σ ω loss(z, y) / Ω + Σ_j penalty_j u_j² / 2`` with ``z = ((X - mean) / scale) u + bias``: the
point u, of shape (k, d + 1) with the bias last (k = 1 for one output), holds weights of centred and scaled columns.
Rows may come centred and scaled; where they do not, both happen in the algebra, and no copy of them is made.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.blocks import backward, constant, forward, summed, times
from onelayer.objective.product import Logits

Array = NDArray[Any]
FEW = 2**18  # logits: up to here to keep them costs nothing
NOTHING_LEFT = 1e-14  # nats of a bias: its curvature is another by as small a part
FAR = 1e-3  # nats, by which a bias may move before its curvature is another


@dataclass(frozen=True)
class Differentiable:
    """A penalised mean loss over a source of rows.

    Parameters
    ----------
    rows : source
        Answers ``total`` and ``each`` (`onelayer.rows.sources.Rows`).
    loss : loss
        Its ``sum_slope``, ``activation``, ``curvature`` and ``bend`` are used (`onelayer.objective.losses.Loss`).
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
    lasso : array of shape (d,), optional
        Weight of |u_j| beside the mean loss. That part has no gradient: `solvers.proximal` adds it, nothing here does.
    grain : array of shape (d,), optional
        What rounding leaves of a cell, in scaled columns, where that is more than arithmetic does.
    """

    rows: Any
    loss: Any
    outputs: int
    penalty: Array
    total_weight: float
    bias: bool = True
    mean: Array | None = None
    scale: Array | None = None
    lasso: Array | None = None
    grain: Array | None = None

    convex: ClassVar[bool] = True

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a point."""
        return self.outputs, self.rows.d + self.bias

    @cached_property
    def ridge(self) -> Array:
        """The penalty of each coordinate of a row of a point, 0 for the bias; shape (d + bias,)."""
        return np.append(self.penalty, 0.0) if self.bias else self.penalty

    @cached_property
    def held(self) -> Array:
        """The L1 penalty of each coordinate of a point, 0 for the bias and where there is none; of a point's shape."""
        held = np.zeros(self.shape)
        held[:, : self.rows.d] = 0.0 if self.lasso is None else self.lasso
        return held

    def with_penalties(self, penalty: Array, lasso: Array | None) -> Self:
        """The same loss beside other penalties."""
        return replace(self, penalty=penalty, lasso=lasso)

    def value(self, u: Array) -> float:
        """The objective at u, in nats."""
        return self.evaluate(u)[0]

    def value_gradient(self, u: Array) -> tuple[float, Array]:
        """The objective at u, in nats, and its gradient, of u's shape: one sweep over the rows."""
        return self.evaluate(u)[:2]

    def cost(self, u: Array) -> float:
        """The objective at u with the L1 penalty."""
        return self.value(u) + float((self.held * np.abs(u)).sum())

    def evaluate(
        self,
        u: Array,
        *,
        keep: bool = False,
        logits: Logits | None = None,
        near: tuple[Logits, Logits, float] | None = None,
        slopes: list[Array] | None = None,
    ) -> tuple[float, Array, Logits | None]:
        """`value_gradient` and, to keep, the logits of each block, which `product` and `hessian` need not find again.

        Those of many blocks are new memory, which takes longer to get than to fill: a fifth of a sweep of few columns.
        With `logits`, or with `near`, the logits of another point, how they move from there, and by which step, the
        forward pass is left out. With `logits` and `slopes`, weighted, the gradient is that of these.
        """
        if self._at_hand is not None and near is None and slopes is None:
            return self._evaluate_at_hand(self._at_hand, u, logits)
        w, b = self.of_raw_columns(u)
        keep = keep or self.rows.n * self.outputs <= FEW
        logits_of, step = forward if w.any() else constant, 0.0 if near is None else near[2]
        known = (logits, slopes) if slopes else (logits,) if logits else near[:2] if near else ()

        def sweep(X: Any, y: Array, weight: Array | None, *known: Array) -> tuple[tuple[Any, ...], Array | None]:
            if not known:
                z = logits_of(X, w, b)
            elif logits:
                z = known[0]
            else:
                z = known[0] + step * known[1]
            total, slope = self.loss.sum_slope(z, y, weight)
            return (total, *backward(X, known[1] if slopes else slope)), z if keep else None

        (total, back, back_bias), kept = self.rows.total_and_each(sweep, *known)
        gradient, pull = self.of_scaled_columns(back, back_bias), self.ridge * u
        gradient += pull
        return float(total / self.total_weight + np.vdot(pull, u) / 2), gradient, kept if keep else None

    @cached_property
    def _at_hand(self) -> Array | None:
        """Few dense rows, centred and scaled, with a column of ones for the bias: all in one array; else None."""
        rows = self.rows
        if not rows.plain or len(rows.spans) > 1 or not (self.mean is None and self.scale is None):
            return None
        return np.hstack([rows.X, np.ones((rows.n, 1), rows.X.dtype)]) if self.bias else rows.X

    def _evaluate_at_hand(self, A: Array, u: Array, logits: Logits | None) -> tuple[float, Array, Logits]:
        """The same without blocks to add up: of thirty rows it takes a third of the time."""
        y, weight = self.rows.y, self.rows.weight
        if self.outputs == 1 and A.dtype == u.dtype:
            z = logits[0] if logits else np.dot(A, u[0])
            total, slope = self.loss.sum_slope(z, y, weight)
            gradient = np.dot(slope, A)[None]
        else:
            w = u[0] if self.outputs == 1 else np.ascontiguousarray(u.T)
            z = logits[0] if logits else forward(A, w, np.zeros(self.outputs))
            total, slope = self.loss.sum_slope(z, y, weight)
            gradient = self._without_common(summed(A, slope).reshape(u.shape))
        gradient /= self.total_weight
        pull = self.ridge * u
        gradient += pull
        return total / self.total_weight + float(np.vdot(pull, u)) / 2, gradient, [z]

    def logits(self, u: Array) -> Logits:
        """z at u, (rows,) or (rows, k) of each block, in nats."""
        w, b = self.of_raw_columns(u)
        logits_of = forward if w.any() else constant
        return list(self.rows.each(lambda X, y, weight: logits_of(X, w, b)))

    def balanced(
        self, u: Array, logits: Logits | None = None, slopes: Array | None = None
    ) -> tuple[Array, Logits | None]:
        """The point with the biases that are best for its weights, and its logits, where they are known by then.

        The slopes of each output sum to nought there; `slopes` are their means at u, (k,), if known.
        """
        one = self.outputs == 1  # whose numbers are no arrays: of thirty rows these take most of the time
        largest: Any = abs if one else lambda values: float(np.abs(values).max())
        if slopes is not None and one:
            slopes = slopes[0]
        if not self.bias:
            return u, logits
        if slopes is not None and largest(slopes) <= NOTHING_LEFT:
            slopes = None  # rounding, or the slopes of rows that are all sure: their sizes tell
        logits, bent = self.logits(u) if logits is None else logits, None
        shift = moved = 0.0 if one else np.zeros(self.outputs)  # in all, and since the curvature was taken

        def sums(X: Any, y: Array, weight: Array | None, z: Array) -> tuple[Any, Any]:
            slope = times(self.loss.slope(z, y), weight)
            return slope.sum(axis=0, dtype=np.float64), np.abs(slope).sum(axis=0, dtype=np.float64)

        def bend(X: Any, y: Array, weight: Array | None, z: Array) -> tuple[Any]:
            if one:
                return (times(self.loss.curvature(z), weight).sum(),)
            a = self.loss.activation(z)
            return (np.diag(times(a, weight).sum(axis=0)) - np.dot(a.T, times(a, weight)),)

        for _ in range(8):
            if slopes is None:
                total, sizes = self.rows.total(sums, logits)
                if largest(total / (sizes + 1e-300)) <= 4e-16:
                    break
                slopes = total / self.total_weight
            if bent is None or largest(moved) > FAR:
                bent, moved = self.rows.total(bend, logits)[0] / self.total_weight, 0 * shift
            if one:
                step: Any = -slopes / bent if bent > 0 else 0.0
            else:
                step = np.linalg.lstsq(bent, -slopes, rcond=1e-12)[0]
            if largest(step) > 1:
                step = np.clip(step, -1, 1)
            shift, moved, slopes = shift + step, moved + step, None
            logits = [z + step for z in logits]
            if largest(step) * largest(moved) <= NOTHING_LEFT:  # a curvature is off by as much as it moved
                break
        if largest(shift) > 0:
            u = u.copy()
            u[:, -1] += shift
        return u, logits

    def dual(self, logits: Logits, share: float) -> float:
        """The mean entropy of the probabilities once they are moved towards the labels, of which `share` is left.

        It is minus the conjugate of the loss at `share` times the slopes: the dual's part that comes from the rows.
        """

        def entropy(X: Any, y: Array, weight: Array | None, z: Array) -> tuple[float]:
            values = self.loss.entropy(self.loss.slope(z, y) * share, y)
            return (float(values.sum() if weight is None else values @ weight),)

        return float(self.rows.total(entropy, logits)[0] / self.total_weight)

    def of_raw_columns(self, u: Array) -> tuple[Array, Any]:
        """w and b with z = X w + b: (d,) and a number for one output, else (d, k) and (k,)."""
        d = self.rows.d
        W = u[:, :d] if self.scale is None else u[:, :d] / self.scale
        b = u[:, d] if self.bias else np.zeros(self.outputs)
        if self.mean is not None:
            b = b - W @ self.mean
        W = self.rows.to_all_columns(W)
        return (W[0], b[0]) if self.outputs == 1 else (np.ascontiguousarray(W.T), b)

    def of_scaled_columns(self, back: Array, back_bias: Any) -> Array:
        """The means of what came back through X and through the bias, (d, k) and (k,), of a point's shape."""
        back, back_bias = (
            self._without_common(part.reshape(self.outputs, -1))
            for part in (self.rows.chosen(back), np.asarray(back_bias))
        )
        g = np.empty(self.shape)
        inside, g[:, self.rows.d :] = g[:, : self.rows.d], back_bias[:, : self.bias] / self.total_weight
        if self.mean is None:
            inside[...] = back
        else:
            np.multiply(back_bias, self.mean, out=inside)
            np.subtract(back, inside, out=inside)
        if self.scale is not None:
            inside /= self.scale
        inside /= self.total_weight
        return g

    def _without_common(self, back: Array) -> Array:
        """Slopes of classes sum to nought, in each row and so in each column: what is left of it is rounding.

        Along shifts common to all classes only penalties bend, and weights would follow it far.
        """
        return back if self.outputs == 1 else back - back.mean(axis=0)

    def _standardised(self, X: Any, root: Array | None = None) -> Array:
        """A dense copy of a block, centred and scaled, with a column of ones for the bias, each row times its root.

        It has the precision of the root, if there is one, unless that of the block is less.
        """
        X, d = self.rows.chosen(X), self.rows.d
        root = np.ones(1, X.dtype) if root is None else root.astype(min(X.dtype, root.dtype), copy=False)
        A = np.empty((X.shape[0], self.shape[1]), root.dtype)
        inside = A[:, :d]
        X = X if isinstance(X, np.ndarray) else X.toarray()
        if self.mean is not None:
            X = np.subtract(X, self.mean, out=inside, casting="same_kind")
        if self.scale is not None:
            X = np.divide(X, self.scale, out=inside, casting="same_kind")
        np.multiply(X, root[:, None], out=inside, casting="same_kind")
        A[:, d:] = root[:, None]
        return A
