"""The Hessian of few rows and many weights, which is never formed: what it is asked for goes through the rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.linear import Solve, inverse

Array = NDArray[Any]


@dataclass(frozen=True)
class LowRank:
    """Σ R Rᵀ ⊗ x xᵀ + penalties, over rows x and a root R of each one's curvature, of some weights, scaled.

    Parameters
    ----------
    rows : array of shape (n, p)
    roots : array of shape (n, k, r)
    kept : array of shape (m,)
        Which of the k p weights, those of one output after those of another.
    scale : array of shape (m,)
        What each is a multiple of.
    ridge : array of shape (m,)
        The penalty of each, as scaled.

    Examples
    --------
    >>> rows, roots = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]]), np.ones((2, 1, 1))
    >>> H = LowRank(rows, roots, np.arange(3), np.ones(3), np.full(3, 0.5))
    >>> H @ np.array([1.0, 0.0, 1.0])
    array([1.5, 3. , 1.5])
    >>> H.dense()
    array([[1.5, 2. , 0. ],
           [2. , 5.5, 1. ],
           [0. , 1. , 1.5]])
    """

    rows: Array
    roots: Array
    kept: Array
    scale: Array
    ridge: Array

    @classmethod
    def of_all(cls, rows: Array, roots: Array, ridge: Array) -> "LowRank":
        """Of all weights, as they are; `ridge` is that of one output, (p,)."""
        k = roots.shape[1]
        size = k * rows.shape[1]
        return cls(rows, roots, np.arange(size), np.ones(size), np.tile(ridge, k))

    def __matmul__(self, v: Array) -> Array:
        t = np.einsum("icm,im->ic", self.roots, self._forward(v))
        return np.asarray(self._backward(t) + self.ridge * v)

    def diagonal(self) -> Array:
        """Of each weight, (m,)."""
        own = np.square(self.roots).sum(axis=2)
        return np.asarray(np.dot(own.T, np.square(self.rows)).ravel()[self.kept] * self.scale**2 + self.ridge)

    def of(self, some: Array) -> "LowRank":
        """That of some of these weights."""
        return replace(self, kept=self.kept[some], scale=self.scale[some], ridge=self.ridge[some])

    def part(self, some: Array) -> Array:
        """The matrix of some of these weights."""
        return self.of(some).dense()

    def scaled(self, size: Array) -> "LowRank":
        """In weights that are `size` times as large."""
        return replace(self, scale=self.scale / size, ridge=self.ridge / size**2)

    def dense(self) -> Array:
        """The matrix itself, (m, m)."""
        output, column = np.divmod(self.kept, self.rows.shape[1])
        F = self.roots[:, output] * self.rows[:, column, None] * self.scale[:, None]  # (n, m, r)
        F = F.transpose(0, 2, 1).reshape(-1, len(self.kept))
        return np.asarray(np.dot(F.T, F) + np.diag(self.ridge))

    def shifted(self) -> Callable[[float], Solve]:
        """The function shift → v → (H + shift)⁻¹ v, by way of a matrix of n r rows (Woodbury's identity)."""
        n, _, r = self.roots.shape

        def of(shift: float) -> Solve:
            bent = self.ridge + shift
            weight = self._whole(self.scale**2 / bent)
            gram = np.zeros((r, n, r, n))
            for c, of_class in enumerate(weight):
                inner = np.dot(self.rows * of_class, self.rows.T)
                for a, b in product(range(r), repeat=2):  # a piece at a time: no second array of the size is needed
                    gram[a, :, b] += self.roots[:, c, a, None] * inner * self.roots[:, c, b]
            gram.ravel()[:: n * r + 1] += 1
            core = inverse(gram.reshape(n * r, n * r))

            def solve(v: Array) -> Array:
                along = v / bent
                inside = np.dot(core, self._forward(along).T.ravel()).reshape(r, n).T
                return np.asarray(along - self._backward(np.einsum("icm,im->ic", self.roots, inside)) / bent)

            return solve

        return of

    def _whole(self, v: Array) -> Array:
        """Of each weight there is, (k, p), 0 where it is none of these."""
        whole = np.zeros(self.roots.shape[1] * self.rows.shape[1])
        whole[self.kept] = v
        return whole.reshape(self.roots.shape[1], -1)

    def _forward(self, v: Array) -> Array:
        """How v moves each row, through its root, (n, r)."""
        return np.asarray(np.einsum("icm,ic->im", self.roots, np.dot(self.rows, self._whole(self.scale * v).T)))

    def _backward(self, t: Array) -> Array:
        """What moves the rows so, (n, k), as slopes of the weights, (m,)."""
        return np.asarray(np.dot(t.T, self.rows).ravel()[self.kept] * self.scale)


def part(hessian: Array | LowRank, some: Array) -> Any:
    """Its rows and columns of some weights."""
    return hessian.of(some) if isinstance(hessian, LowRank) else hessian[np.ix_(some, some)]
