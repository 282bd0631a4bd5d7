"""The minimum of a quadratic with an L1 penalty: signs by coordinate descent, then numbers exactly."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.rows.together import Together
from onelayer.solvers.linear import Parts
from onelayer.solvers.low_rank import LowRank, part
from onelayer.solvers.splitting import by_splitting, unrest

Array = NDArray[Any]

WELL, ROUGHLY = (1e-4, 200), (1e-2, 40)  # of the largest weight: a change to rest at; and epochs at most
RESTING = 1e-7  # of what its penalty holds: a slope that is off by no more is at rest
SURELY, LONG, PATIENT = 1e-10, 100_000, 10**9  # the same where slopes are to rest; epochs at most, and multiplications
FEW = 0.1  # of the weights: signs that are not those of the start, up to which they are changed all at once
ROUNDS = 8  # signs that are tried at most: columns that depend on one another would go on for long
ALIKE = 1e-12  # of a correlation of 1: columns so near it are one
FORMED = 2_000  # weights, up to which the Hessian of few rows is formed where copies of the weights lead nowhere
STEPS = 8  # of a path at most, for each weight
MARGIN, ABOUT = 1 + 1e-9, 1 + 1e-3  # of what a penalty holds: slopes beyond it are, also where it is known about


def lasso_minimum(hessian: Array | Parts, linear: Array, lasso: Array, v: Array) -> Array:
    """The v that minimises vᵀ H v / 2 + linear · v + Σ lasso_j |v_j|, from one near it.

    Signs by coordinate descent, unless those of v are right; for them, numbers exactly.

    Parameters
    ----------
    hessian : array of shape (p, p), or `Parts` of one
        Positive semidefinite.
    linear, lasso, v : arrays of shape (p,)
        Where `lasso` is 0, there is no penalty.

    Examples
    --------
    >>> lasso_minimum(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([-3.0, -1.6]), np.array([1.0, 1.0]), np.zeros(2))
    array([1., 0.])
    """
    parts = hessian if isinstance(hessian, Parts) else Parts(hessian)
    found = _by_few_signs(parts, linear, lasso, v) if np.count_nonzero(v) > 1 else None  # a bias alone tells no signs
    if found is not None:
        return found
    return _by_signs(parts, linear, lasso, _Penalised(parts.matrix, linear, lasso).by_coordinates(v, *WELL))


def lasso_roughly(hessian: Array, linear: Array, lasso: Array, v: Array) -> Array:
    """What some epochs of coordinate descent find of `lasso_minimum`, whose parameters these are."""
    return _Penalised(hessian, linear, lasso).by_coordinates(v, *ROUGHLY)


def lasso_surely(
    hessian: Array | LowRank, linear: Array, lasso: Array, v: Array, ridge: Array, *, left: float = 0.0
) -> Array:
    """`lasso_minimum` where that does not arrive, since there are more weights than rows that tell them apart.

    By two copies of the weights; where these lead nowhere, nor numbers for their signs, by way of all stronger
    penalties; and where ties along it end that early, by as many epochs as it takes. Of what slopes at v are off by, a
    share may be `left`. Of the Hessian's diagonal, `ridge` (p,) are L2 penalties: without them it may be of low rank.
    One that is known by few rows, and too large to be formed, is minimised by the two copies alone.
    """

    def value(v: Array) -> float:
        return float(v @ (hessian @ v / 2 + linear) + lasso @ np.abs(v))

    def off(v: Array) -> float:
        return unrest(v, hessian @ v + linear, lasso)

    enough = max(RESTING, left * off(v))
    found = _split(hessian, linear, lasso, v, ridge, enough)
    if off(found) <= enough or (isinstance(hessian, LowRank) and len(v) > FORMED):
        return found
    H = hessian.dense() if isinstance(hessian, LowRank) else hessian
    parts = Parts(H)
    found = _by_signs(parts, linear, lasso, found)
    if off(found) <= enough:
        return found
    problem = _Penalised(H, linear, lasso)
    best = min(found, lasso_minimum(parts, linear, lasso, v), problem.along_path(), key=value)
    if off(best) <= RESTING:
        return best
    epochs = min(LONG, PATIENT // len(v) ** 2)
    return min(best, _by_signs(parts, linear, lasso, problem.by_coordinates(best, SURELY, epochs)), key=value)


def _split(hessian: Array | LowRank, linear: Array, lasso: Array, v: Array, ridge: Array, enough: float) -> Array:
    """`by_splitting` of the weights that are not 0 or object to it, until no other objects, but for `enough`."""
    objecting = _beyond(hessian @ v + linear, lasso, v) > 0
    for _ in range(ROUNDS):
        inside = np.flatnonzero((v != 0) | (lasso == 0) | objecting)
        if not len(inside):
            break
        found, bent = np.zeros_like(v), part(hessian, inside)
        found[inside] = by_splitting(bent, linear[inside], lasso[inside], v[inside], ridge[inside], enough)
        v, objecting = found, _beyond(hessian @ found + linear, lasso * ABOUT, found) > enough * lasso
        objecting[inside] = False
        if not objecting.any():
            break
    return v


def _by_few_signs(parts: Parts, linear: Array, lasso: Array, v: Array) -> Array | None:
    """The minimum, where few of its signs are not those of v: what crosses 0 stays there, what objects enters, at once.

    None where that does not settle soon (Hintermüller, Ito & Kunisch, "The primal-dual active set strategy as a
    semismooth Newton method", SIAM Journal on Optimization 13, 2002).
    """
    hessian, moving = parts.matrix, v != 0
    for _ in range(ROUNDS):
        found, crossing = _for_signs(parts, lasso, v, hessian @ v + linear, moving)
        entering = _beyond(hessian @ found + linear, lasso, found) > 0
        changing = np.count_nonzero(crossing | entering)
        if not changing:
            return found
        if changing > FEW * np.count_nonzero(v):
            break
        v = np.where(crossing, 0, found)
        moving = (v != 0) | entering
    return None


def _by_signs(parts: Parts, linear: Array, lasso: Array, v: Array) -> Array:
    """The numbers for the signs of v and of weights that enter, as long as these or their signs change.

    Where the numbers cross 0, the best of the crossings is taken and the signs there are tried next (Lee, Battle,
    Raina & Ng, "Efficient sparse coding algorithms", NIPS 2006). Where that gains nothing, fewer weights enter: one,
    then none.
    """
    hessian, admitted = parts.matrix, len(v)
    for _ in range(ROUNDS):
        g = hessian @ v + linear
        beyond = _beyond(g, lasso, v)
        count = min(admitted, int(np.count_nonzero(beyond)))
        least = np.partition(beyond, -count)[-count] if count else math.inf
        found, crossed = _for_signs(parts, lasso, v, g, (v != 0) | (beyond >= least))
        crossing = crossed.any()
        if crossing:
            found = _best_crossing(hessian, g, lasso, v, found - v)
        if found is not v:
            if not crossing and count == 0 and admitted > 0:
                return found
            v, admitted = found, len(v)
        elif count == 0:
            break
        else:
            admitted = min(count, 2) - 1
    return v


def _beyond(g: Array, lasso: Array, v: Array) -> Array:
    """By how much the slopes of weights that are 0 are beyond what the penalty holds."""
    return np.where(v == 0, np.maximum(np.abs(g) - lasso * MARGIN, 0), 0)


def _for_signs(parts: Parts, lasso: Array, v: Array, g: Array, moving: Array) -> tuple[Array, Array]:
    """The minimum for the signs of v, or those in which weights leave 0; and which of them it crosses.

    Of several, the nearest to v: a weight that enters alone then never moves against its sign.
    """
    inside = np.flatnonzero(moving | (lasso == 0))
    found, crossing = np.zeros_like(v), np.zeros(len(v), bool)
    if not len(inside):
        return found, crossing
    own, slopes, held = v[inside], g[inside], lasso[inside]
    sign = np.sign(np.where(own != 0, own, -slopes))
    own -= parts.solver(inside)(slopes + held * sign)
    found[inside], crossing[inside] = own, (np.sign(own) != sign) & (held > 0)
    return found, crossing


class _Penalised:
    """The problem in weights that all have the same L1 penalty, 1, for scikit-learn's solvers.

    Weights without a penalty are put in terms of the others, and these in units of their penalties.
    """

    def __init__(self, hessian: Array, linear: Array, lasso: Array) -> None:
        self.held, self.free = np.flatnonzero(lasso > 0), np.flatnonzero(lasso == 0)
        held, free = self.held, self.free
        self.unit, self.linear = lasso[held], linear
        first = len(held) > 0 and held[-1] < len(held)  # all but a bias: copied in a fifth of the time
        H = hessian[: len(held), : len(held)].copy() if first else hessian[held[:, None], held]
        pull = linear[held]
        if len(free):
            self.beside, own = hessian[free[:, None], held], hessian[free[:, None], free]
            self.inverse = 1 / own if own.size == 1 and own > 0 else np.linalg.pinv(own, hermitian=True)
            H -= self.beside.T @ (self.inverse @ self.beside)
            pull = pull - self.beside.T @ (self.inverse @ linear[free])
        H *= 1 / self.unit
        H *= 1 / self.unit[:, None]
        self.gram, self.covariance = H, -pull / self.unit

    def by_coordinates(self, v: Array, resting: float, epochs: int) -> Array:
        """Coordinate descent from v (Friedman, Hastie & Tibshirani, Journal of Statistical Software 33, 2010)."""
        from sklearn import config_context
        from sklearn.linear_model import enet_path

        with _quiet(), config_context(skip_parameter_validation=True):  # a check takes longer than many epochs
            found = enet_path(
                np.zeros((1, len(self.held)), order="F"),  # the rows are known by their products alone
                np.ones(1),
                l1_ratio=1.0,
                alphas=[1.0],
                precompute=self.gram,
                Xy=self.covariance,
                coef_init=v[self.held] * self.unit,
                copy_X=False,
                check_input=False,
                tol=resting,
                max_iter=epochs,
            )[1][:, 0]
        return self._all(found)

    def along_path(self) -> Array:
        """By way of all stronger penalties (Efron, Hastie, Johnstone & Tibshirani, Annals of Statistics 32, 2004)."""
        from sklearn.linear_model import lars_path_gram

        size = np.sqrt(np.maximum(self.gram.diagonal(), 1e-300))
        order = np.argsort(-size, kind="stable")
        alike = np.abs(self.gram[np.ix_(order, order)]) > (1 - ALIKE) * np.multiply.outer(size[order], size[order])
        kept = order[~np.triu(alike, 1).any(axis=0)]  # of parallel columns the longest, which costs least
        found = np.zeros(len(self.held))
        with _quiet(), suppress(OverflowError):  # it shores up a singular matrix by powers of two, beyond all floats
            _, _, found[kept] = lars_path_gram(
                self.covariance[kept],
                self.gram[np.ix_(kept, kept)],
                n_samples=1,
                alpha_min=1.0,
                method="lasso",
                max_iter=STEPS * len(kept),
                return_path=False,
            )
        return self._all(found)

    def _all(self, found: Array) -> Array:
        v = np.zeros(len(self.linear))
        v[self.held] = found / self.unit
        if len(self.free):
            v[self.free] = -self.inverse @ (self.linear[self.free] + self.beside @ v[self.held])
        return v


@contextmanager
def _unwarned() -> Iterator[None]:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


_quiet = Together(_unwarned)  # nobody is told that a solver did not converge: who calls looks for himself


def _best_crossing(hessian: Array, g: Array, lasso: Array, v: Array, step: Array) -> Array:
    """The best of the points from v to v + step where a weight is 0, and of the end; v where none is better."""
    moving = np.flatnonzero((step != 0) & (v != 0) & (lasso > 0))
    shares = -v[moving] / step[moving]
    shares = np.append(shares[(shares > 0) & (shares < 1)], 1.0)
    points = v + shares[:, None] * step
    points[np.abs(points) <= 1e-14 * np.abs(v)] = 0
    slope, bend = float(g @ step), float(step @ (hessian @ step))
    gains = shares * slope + shares**2 / 2 * bend + (np.abs(points) - np.abs(v)) @ lasso
    best = int(gains.argmin())
    return points[best] if gains[best] < 0 else v
