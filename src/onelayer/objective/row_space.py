"""The span of the rows, for more columns than rows: there is nothing outside it that an L2 penalty would keep.

With penalties ρ on all weights, the optimal √ρ u lie in the span of the rows B = (X - mean) / (scale √ρ). Where
B = L Qᵀ with orthonormal columns Q, the rows are those of L there, and every penalty is 1 (Kimeldorf & Wahba, Journal
of Mathematical Analysis and Applications 33, 1971).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.blocks import runs

Array = NDArray[Any]
Map = Callable[[Array], Array]

AT_ONCE, LEAST = 2**16, 64  # numbers of columns in which rows are multiplied with rows, and columns at least
NOTHING = 1e-15  # of the largest eigenvalue, times the rows: what rounding leaves of a direction that is in no row


class Span(NamedTuple):
    """The rows' coordinates L, (n, r), and the ways from v, (k, r) and the bias if there is one, to a point and back.

    Of a point, what lies in the span is left: all that rows see of it.
    """

    coordinates: Array
    back: Map
    of: Map


def spanned(objective: Any, *, exact: bool) -> Span:
    """The span of an objective's dense rows: by their products with one another, or, if `exact`, by QR.

    That takes several times as long, and a copy of the rows, but no digits.
    """
    mean = np.zeros(objective.rows.d) if objective.mean is None else objective.mean
    root = np.sqrt(objective.penalty)
    whole = root if objective.scale is None else root * objective.scale
    L, onto, into = (_by_rows if exact else _by_products)(objective.rows, mean, whole)

    def back(v: Array) -> Array:
        within, bias = np.split(v, [L.shape[1]], axis=1)
        return np.hstack([into(within) / root, bias])

    def of(u: Array) -> Array:
        weights, bias = np.split(u, [objective.rows.d], axis=1)
        within = onto(weights * root) if weights.any() else np.zeros((len(u), L.shape[1]))
        return np.hstack([within, bias])

    return Span(L, back, of)


def _by_rows(rows: Any, mean: Array, root: Array) -> tuple[Array, Map, Map]:
    """L, and the functions w → w Q and v → v Qᵀ: of the rows themselves."""
    Q, R = np.linalg.qr(((rows.X - mean) / root).T)
    return R.T, lambda w: np.asarray(w @ Q), lambda v: np.asarray(v @ Q.T)


def _by_products(rows: Any, mean: Array, root: Array) -> tuple[Array, Map, Map]:
    """The same of B Bᵀ = L Lᵀ, with Q = Bᵀ L / λ, which is never formed."""
    X, n = rows.X, rows.n

    def product(span: slice) -> Array:
        B: Array = X[:, span] - mean[span]
        B /= root[span]
        return np.asarray(np.dot(B, B.T))

    # a product of fewer columns than an eighth of the rows takes hardly longer than to add it
    step = max(AT_ONCE // n, n // 8, LEAST)
    values, vectors = np.linalg.eigh(rows.sum_of(product, list(runs(rows.d, step))))
    kept = values > n * NOTHING * values[-1]
    roots, vectors = np.sqrt(values[kept]), vectors[:, kept]

    def onto(w: Array) -> Array:
        w = w / root
        return np.asarray(((np.dot(X, w.T).T - (w @ mean)[:, None]) @ vectors) / roots)

    def into(v: Array) -> Array:
        alpha = (v / roots) @ vectors.T
        return np.asarray((np.dot(alpha, X) - alpha.sum(axis=1, keepdims=True) * mean) / root)

    return vectors * roots, onto, into
