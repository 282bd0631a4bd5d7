"""Second derivatives of the objective of one layer: the Hessian and its parts, its products, roots and diagonal."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.blocks import between, dot, in_panels, joined, runs, times
from onelayer.objective.gradient import Differentiable
from onelayer.objective.product import Logits, Product
from onelayer.rows.sparse import row_runs, with_entries

Array = NDArray[Any]
SLIGHT = 1e-10  # of a column's curvature: a penalty whose pull is lost in the digits of a gradient
TRIFLE = 2**15  # numbers: a Hessian of so few rows takes no longer than the calls around it


@dataclass(frozen=True)
class TwiceDifferentiable(Differentiable):
    """A penalised mean loss that knows how it bends."""

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
