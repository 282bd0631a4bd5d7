"""A mean loss plus a penalty, asked at a point: value, gradient, Hessian, Hessian·v, a sample of itself.

The objective is ``Σ ω loss(z, y) / Ω + Σ_j penalty_j u_j² / 2`` with ``z = ((X - mean) / scale) u + bias``: the
point u, of shape (k, d + 1) with the bias last (k = 1 for one output), holds weights of centred and scaled columns.
Rows may come centred and scaled; where they do not, both happen in the algebra, and no copy of them is made.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.blocks import backward, between, constant, dot, forward, in_panels, joined, runs, summed, times
from onelayer.objective.product import Logits, Product
from onelayer.objective.row_space import Map, spanned
from onelayer.objective.sampling import formed, in_proportion
from onelayer.rows.sparse import lies_at_hand, row_runs, with_entries

Array = NDArray[Any]
FEW = 2**18  # logits: up to here to keep them costs nothing
SLIGHT = 1e-10  # of a column's curvature: a penalty whose pull is lost in the digits of a gradient
TRIFLE = 2**15  # numbers: a Hessian of so few rows takes no longer than the calls around it
NOTHING_LEFT = 1e-14  # nats of a bias: its curvature is another by as small a part
FAR = 1e-3  # nats, by which a bias may move before its curvature is another


@dataclass(frozen=True)
class Objective:
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

    def with_penalties(self, penalty: Array, lasso: Array | None) -> "Objective":
        """The same loss beside other penalties."""
        return replace(self, penalty=penalty, lasso=lasso)

    def value_gradient(self, u: Array) -> tuple[float, Array]:
        """The objective at u, in nats, and its gradient, of u's shape: one sweep over the rows."""
        return self.evaluate(u)[:2]

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

    def of_columns(self, kept: Array, *, often: bool = False) -> "Objective":
        """The objective of some of the columns, the others left out: rows of its own, in the same coordinates."""
        mean, scale, lasso, grain = (
            None if part is None else part[kept] for part in (self.mean, self.scale, self.lasso, self.grain)
        )
        rows, penalty = self.rows.of_columns(kept, often=often), self.penalty[kept]
        chosen = replace(self, rows=rows, penalty=penalty, mean=mean, scale=scale, lasso=lasso, grain=grain)
        if mean is scale is None or rows.prepare is not None or not lies_at_hand(rows.n, rows.d):
            return chosen
        X = np.concatenate([chosen._standardised(block)[:, : rows.d] for block in rows.blocks])
        return replace(chosen, rows=rows.with_features(X), mean=None, scale=None)

    def value(self, u: Array) -> float:
        """The objective at u, in nats."""
        return self.evaluate(u)[0]

    def cost(self, u: Array) -> float:
        """The objective at u with the L1 penalty."""
        return self.value(u) + float((self.held * np.abs(u)).sum())

    def hessian(self, u: Array, logits: Logits | None = None, *, single: bool = False) -> Array:
        """Second derivatives at u, (k (d + bias), k (d + bias)), in the order of ``u.ravel()``.

        In `single` precision, those of one output take half the time: enough of a model, or to precondition with.
        """
        k, p = self.shape
        if k == 1 and logits is not None and self._at_hand is not None and self._at_hand.size <= TRIFLE:
            A = self._at_hand  # without blocks to add up: of thirty rows it takes half the time
            H = dot((A * times(self.loss.curvature(logits[0]), self.rows.weight)[:, None]).T, A)
            H = H.astype(np.float64, copy=False)
            H /= self.total_weight
            H.ravel()[:: p + 1] += self.ridge
            return H

        logits = self.logits(u) if logits is None else logits
        H = self._moments(self.loss.curvature, logits, single=single) if k == 1 else self._of_classes(logits)
        H.ravel()[:: k * p + 1] += np.tile(self.ridge, k)
        return H

    def _of_classes(self, logits: Logits) -> Array:
        """The Hessian of several outputs without penalties.

        The curvature's rows sum to nought: a class bends as much by itself as against all others.
        """
        k, p = self.shape

        def block(X: Any, y: Array, weight: Array | None, z: Array) -> Iterable[Array]:
            return [between(self._rows_of(X, None if weight is None else np.sqrt(weight)), p, self.loss, z)]

        H = self._mean(self.rows.total_of_parts(block, logits), np.float64)
        among, each = H.reshape(k, p, k, p), np.arange(k)
        among[each, :, each] = 0
        for i in each:
            others = among[i, :, i + 1 :]
            # what rounding leaves of the difference would bend shifts common to all classes more than penalties do
            others += others.transpose(2, 1, 0).copy()
            others /= 2
            among[i + 1 :, :, i] = others.swapaxes(0, 1)
        own = among.sum(axis=2)
        np.negative(H, out=H)
        among[each, :, each] = own
        return H

    def mean_block(self, logits: Logits) -> Array:
        """The block of the Hessian that several outputs have in the mean, (d + bias, d + bias); in single precision."""
        H = self._moments(lambda z: self._own_curvature(z).mean(axis=1), logits, single=True)
        H.ravel()[:: len(H) + 1] += self.ridge
        return H

    def _moments(self, curvature: Callable[[Array], Array], logits: Logits, *, single: bool) -> Array:
        """Σ h x xᵀ over standardised rows x, each as it bends at its logits, beside all weights."""

        def block(X: Any, y: Array, weight: Array | None, z: Array) -> Iterable[Array]:
            size = times(curvature(z), weight)
            root = np.sqrt(size, dtype=np.float32 if single else size.dtype)
            return in_panels(self._rows_of(X, root), X.shape[0], self.shape[1])

        return self._mean(self.rows.total_of_parts(block, logits), np.float32 if single else np.float64)

    def _mean(self, panels: Sequence[Array], dtype: Any) -> Array:
        """Of all rows' weight, what they sum to in these panels."""
        H = np.asarray(joined(panels), dtype=dtype)
        H /= self.total_weight
        return H

    def _rows_of(self, X: Any, root: Array | None) -> Callable[[slice], Array]:
        """Standardised rows of a slice of a block, each times its root."""
        X = X if isinstance(X, np.ndarray) else X.tocsr()

        def rows(run: slice) -> Array:
            part = None if root is None else root[run]
            return self._standardised(X[run], part) if self._at_hand is None else times(self._at_hand[run], part)

        return rows

    def rows_and_roots(self, logits: Logits) -> tuple[Array, Array]:
        """Rows x as the Hessian has them, (n, d + bias), and a root R of each one's curvature, (n, k, its rank).

        Without penalties, the Hessian is Σ R Rᵀ ⊗ x xᵀ.
        """
        roots = self.loss.root(np.concatenate(logits))
        roots *= np.sqrt(times(np.full(len(roots), 1 / self.total_weight), self.rows.weight))[:, None, None]
        return self.rows.in_one_array(self._standardised) if self._at_hand is None else self._at_hand, roots

    def triangle(self, logits: Logits) -> Array:
        """R, (lines, k (d + bias)), with Rᵀ R the Hessian: of the rows themselves, and not of their products.

        There are as many lines as columns; fewer of few rows without a penalty.
        By QR, some rows after the others, in four times as long (Golub & Van Loan, 4th ed., § 5.3).
        """
        k, p = self.shape
        ridge = np.tile(self.ridge, k)
        R = np.diag(np.sqrt(ridge))[ridge > 0]
        for i, z in enumerate(logits):
            X, _, weight = self.rows.block(i)
            for run in runs(len(z), 2 * k * p // max(k - 1, 1)):  # of a row, as many lines as its curvature has rank
                share = (1.0 if weight is None else weight[run, None, None]) / self.total_weight
                roots = self.loss.root(z[run]) * np.sqrt(share)
                A = np.einsum("icr,ij->ircj", roots, self._standardised(X[run])).reshape(-1, k * p)
                R = np.asarray(np.linalg.qr(np.vstack([R, A]), mode="r"))
        return R

    def block_diagonal(self, u: Array) -> tuple[Array, Array]:
        """Directions among the outputs, (k, k + 1), as columns t, and blocks B along them: the Hessian is Σ t tᵀ ⊗ B.

        They are the outputs themselves, and what else couples them is left out; and what is common to all, along which
        no softmax changes and penalties alone bend. Where no output has a weight, nothing is left out: all rows bend
        alike, the Hessian is the Kronecker product of that curvature with the rows' second moments, plus penalties,
        and has blocks along the curvature's eigenvectors.
        """
        weighted = bool(u[:, : self.rows.d].any())

        def block(X: Any, y: Array, weight: Array | None, z: Array) -> tuple[Array]:
            h = self._own_curvature(z) if weighted else np.ones((len(z), 1), X.dtype)
            return (
                np.stack([dot(A.T, A) for A in (self._standardised(X, root) for root in np.sqrt(times(h, weight)).T)]),
            )

        logits = self.logits(u)
        found = np.asarray(self.rows.total(block, logits)[0], dtype=np.float64) / self.total_weight
        turn = np.eye(self.outputs)
        if not weighted:
            values, turn = np.linalg.eigh(self.loss.curvature(logits[0][:1])[0])
            found = np.maximum(values, values.mean() / self.outputs)[:, None, None] * found
        own = found.diagonal(axis1=1, axis2=2).mean(axis=0)
        common = np.where(self.bends_shifts(own), self.ridge, np.maximum(own, 1.0))
        directions = np.column_stack([turn - turn.mean(axis=0), np.full(self.outputs, 1 / math.sqrt(self.outputs))])
        return directions, np.concatenate([found + np.diag(self.ridge), np.diag(common)[None]])

    def bends_shifts(self, own: Array) -> Array:
        """Which penalties bend shifts common to all classes, which no row sees, more than rounding does.

        Beside the curvature `own` to each column, (d + bias,): along all other shifts nothing is to move.
        """
        return np.asarray(self.ridge > SLIGHT * own)

    def product(self, u: Array, logits: Logits | None = None) -> Product:
        """The function v → Hessian(u) · v on arrays of u's shape."""
        return Product(self, self.logits(u) if logits is None else logits)

    def mean_curvature(self, logits: Logits) -> Array:
        """Of each output by itself, (k,): the Hessian's diagonal in scaled columns, about."""

        def block(X: Any, y: Array, weight: Array | None, z: Array) -> tuple[Any]:
            h = self._own_curvature(z)
            return (np.atleast_1d(h.sum(axis=0, dtype=np.float64) if weight is None else weight @ h),)

        return np.asarray(self.rows.total(block, logits)[0] / self.total_weight)

    def _own_curvature(self, z: Array) -> Array:
        """Of each output by itself, of z's shape; it only preconditions, so what a (1 - a) cancels does not matter."""
        if z.ndim == 1:
            return np.asarray(self.loss.curvature(z))
        a = self.loss.activation(z)
        return np.asarray(a * (1 - a))

    def diagonal(self, u: Array, logits: Logits) -> Array:
        """The Hessian's diagonal, of u's shape: exact for one output of sparse rows, whose levels differ most."""
        mean = self.mean_curvature(logits)[:, None]
        if not self.rows.sparse or self.outputs > 1 or self.scale is None or not u[:, : self.rows.d].any():
            return np.asarray(mean + self.ridge)

        own = self.second_moments([self.loss.curvature(z) for z in logits])
        return np.hstack([own[None], mean])[:, : self.shape[1]] + self.ridge

    def second_moments(self, shares: list[Array]) -> Array:
        """Σ h x² of each scaled column, (d,), with each row's share h of its weight, beside all weights."""

        def block(X: Any, y: Array, weight: Array | None, h: Array) -> tuple[Array, Array, float]:
            h = times(h, weight)
            if isinstance(X, np.ndarray):
                squares: Any = np.dot(h, np.square(X))
            else:
                X = X.tocsr()
                squares = sum(with_entries(run, run.data * run.data).T @ h[span] for span, run in row_runs(X))
            return self.rows.chosen(np.asarray(squares, float)), self.rows.chosen(np.asarray(X.T @ h, float)), h.sum()

        squares, sums, total = (part / self.total_weight for part in self.rows.total(block, shares))
        mean, scale = 0 if self.mean is None else self.mean, 1 if self.scale is None else self.scale
        return np.asarray((squares + mean * (total * mean - 2 * sums)) / scale**2)

    def in_row_space(self, *, exact: bool = False) -> "tuple[Objective, Map, Map]":
        """The same objective in as many coordinates as there are rows, and the ways there and back (`row_space`)."""
        span = spanned(self, exact=exact)
        inside = replace(
            self,
            rows=self.rows.with_features(span.coordinates),
            penalty=np.ones(span.coordinates.shape[1]),
            mean=None,
            scale=None,
            lasso=None,
            grain=None,
        )
        return inside, span.of, span.back

    def sample(self, rows: Array, weight: Array | None, total_weight: float) -> "Objective":
        """The objective of some of the rows, with weights of their own: the same mean, estimated.

        Its rows are a standardised copy in single precision, which is more than a sample knows of the optimum.
        """
        weight = None if weight is None else weight.astype(np.float32)
        # dense where it is small, or Hessians are formed of it and that takes no more numbers than all sparse rows have
        small, many = lies_at_hand(len(rows), self.rows.d), len(rows) * self.rows.d > self.rows.entries
        if self.rows.sparse and not small and (many or not formed(len(rows), self.shape)):
            taken = self.rows.take(rows, weight, lambda X: with_entries(X, X.data.astype(np.float32)))
            return replace(self, rows=taken, total_weight=total_weight)

        def prepare(X: Any) -> Array:
            X = X.toarray() if self.rows.sparse else X
            if self.mean is not None:
                X -= self.mean
            scale = 1 if self.scale is None else 1 / self.scale
            return np.asarray(np.multiply(X, scale, dtype=np.float32, casting="same_kind"))

        taken = self.rows.take(rows, weight, prepare)
        return replace(self, rows=taken, total_weight=total_weight, mean=None, scale=None)

    def _pulls(self, u: Array) -> list[Array]:
        """How each row pulls at u, about: slope times length, in scaled columns, times its weight; of each block."""
        w, b = self.of_raw_columns(u)
        logits_of = forward if w.any() else constant
        bend = self.rows.to_all_columns(np.ones(self.rows.d) if self.scale is None else self.scale**-2.0)
        mean = np.zeros(self.rows.d) if self.mean is None else self.mean
        across = self.rows.to_all_columns(mean) * bend
        least = 1 + float(across @ self.rows.to_all_columns(mean))

        def pull(X: Any, y: Array, weight: Array | None) -> Array:
            slope = np.abs(self.loss.slope(logits_of(X, w, b), y), dtype=np.float32)
            slope = slope if slope.ndim == 1 else slope.sum(axis=1)
            squares = np.square(X) if isinstance(X, np.ndarray) else X.multiply(X)
            length = least + dot(squares, bend.astype(X.dtype)) - 2 * dot(X, across.astype(X.dtype))
            return times(slope * np.sqrt(np.maximum(length, 1), dtype=np.float32), weight)

        return list(self.rows.each(pull))

    def surprising(self, u: Array, size: int) -> "Objective":
        """The objective of about so many rows, half of them by how they pull at u, half by their weights.

        Where nearly all rows are sure there, or some lie far out, few know of the optimum and its curvature (Fithian &
        Hastie, "Local case-control sampling in imbalanced data sets", Annals of Statistics 42, 2014). A row weighs as
        much less as it is likelier to be chosen.
        """
        pulls, own = self._pulls(u), self.rows.weight
        mean = max(sum(float(part.sum(dtype=np.float64)) for part in pulls) / self.total_weight, 1e-300)
        offsets = np.random.default_rng(0).random(len(pulls))

        def choose(i: int) -> tuple[Array, Array]:
            span = self.rows.spans[i]
            each = np.ones(len(pulls[i])) if own is None else own[span]
            share = (pulls[i] / mean + each) * (size / (2 * self.total_weight))
            rows = in_proportion(share, offsets[i])
            return span.start + rows, each[rows] / np.minimum(share[rows], 1)

        chosen, weights = map(np.concatenate, zip(*self.rows.map(choose, range(len(pulls))), strict=True))
        return self.sample(chosen, weights, self.total_weight)

    def thinned(self, size: int) -> "Objective":
        """The objective of rows at equal distances, about `size` of them: good enough to precondition with."""
        rows = np.arange(0, self.rows.n, max(1, -(-self.rows.n // size)))
        weight = None if self.rows.weight is None else self.rows.weight[rows]
        return self.sample(rows, weight, float(len(rows) if weight is None else max(weight.sum(), 1e-300)))

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
