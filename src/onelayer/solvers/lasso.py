"""The minimum of a quadratic with an L1 penalty: signs by coordinate descent, then numbers exactly."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from onelayer.solvers.linear import symmetric_solver
from onelayer.together import Together

Array = NDArray[Any]

WELL, ROUGHLY = (1e-4, 200), (1e-2, 40)  # of the largest weight: a change to rest at; and epochs at most
ROUNDS = 8  # signs that are tried at most: columns that depend on one another would go on for long
SOLVED = 1e-7  # of the right side: more left of a linear system says that it has no solution
FAR = 100.0  # times the way to the first weight that becomes 0: no further along what bends nothing
MARGIN = 1 + 1e-9  # of what a penalty holds: slopes beyond it are


def lasso_minimum(hessian: Array, linear: Array, lasso: Array, v: Array) -> Array:
    """The v that minimises vᵀ H v / 2 + linear · v + Σ lasso_j |v_j|, from one near it.

    Signs by coordinate descent, unless those of v are right; for them, numbers exactly.

    Parameters
    ----------
    hessian : array of shape (p, p)
        Positive semidefinite.
    linear, lasso, v : arrays of shape (p,)
        Where `lasso` is 0, there is no penalty.

    Examples
    --------
    >>> lasso_minimum(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([-3.0, -1.6]), np.array([1.0, 1.0]), np.zeros(2))
    array([1., 0.])
    """
    found, crossing = _for_signs(hessian, linear, lasso, v, hessian @ v + linear, v != 0)
    if not crossing and not _beyond(hessian @ found + linear, lasso, found).any():
        return found
    return _by_signs(hessian, linear, lasso, _by_coordinates(hessian, linear, lasso, v, *WELL))


def lasso_roughly(hessian: Array, linear: Array, lasso: Array, v: Array) -> Array:
    """What some epochs of coordinate descent find of `lasso_minimum`, whose parameters these are."""
    return _by_coordinates(hessian, linear, lasso, v, *ROUGHLY)


def _by_signs(hessian: Array, linear: Array, lasso: Array, v: Array) -> Array:
    """The numbers for the signs of v and of weights that enter, as long as these or their signs change.

    Where the numbers cross 0, the best of the crossings is taken and the signs there are tried next (Lee, Battle,
    Raina & Ng, "Efficient sparse coding algorithms", NIPS 2006). Where that gains nothing, fewer weights enter: one,
    then none.
    """
    admitted = len(v)
    for _ in range(ROUNDS):
        g = hessian @ v + linear
        beyond = _beyond(g, lasso, v)
        count = min(admitted, int(np.count_nonzero(beyond)))
        least = np.partition(beyond, -count)[-count] if count else math.inf
        found, crossing = _for_signs(hessian, linear, lasso, v, g, (v != 0) | (beyond >= least))
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


def _for_signs(hessian: Array, linear: Array, lasso: Array, v: Array, g: Array, moving: Array) -> tuple[Array, bool]:
    """The minimum for the signs of v, or those in which weights leave 0; and whether it crosses any of them.

    More weights than there are rows have none: along what bends nothing, it goes downhill until weights have crossed 0.
    """
    inside = np.flatnonzero(moving | (lasso == 0))
    found = np.zeros_like(v)
    if not len(inside):
        return found, False
    sign, bent = np.where(v != 0, np.sign(v), -np.sign(g))[inside], hessian[np.ix_(inside, inside)]
    pull = linear[inside] + lasso[inside] * sign
    found[inside] = -symmetric_solver(bent)(pull)
    left = bent @ found[inside] + pull
    if np.abs(left).max() > SOLVED * np.abs(pull).max():
        # in scaled columns, as they were solved, this bends nothing
        downhill = -left / np.maximum(bent.diagonal(), 1e-300)
        shares = -v[inside] / np.where(downhill == 0, np.inf, downhill)
        shares = shares[(shares > 0) & (lasso[inside] > 0)]
        if len(shares):
            found[inside] = v[inside] + min(shares.max(), FAR * shares.min()) * downhill
            return found, True
    return found, bool(((np.sign(found[inside]) != sign) & (lasso[inside] > 0)).any())


def _by_coordinates(hessian: Array, linear: Array, lasso: Array, v: Array, resting: float, epochs: int) -> Array:
    """Coordinate descent (Friedman, Hastie & Tibshirani, Journal of Statistical Software 33, 2010), scikit-learn's.

    Weights without a penalty are put in terms of the others, and these in units of their penalties.
    """
    from sklearn import config_context
    from sklearn.linear_model import enet_path

    held, free = np.flatnonzero(lasso > 0), np.flatnonzero(lasso == 0)
    H, pull, unit = hessian[np.ix_(held, held)], linear[held], lasso[held]
    if len(free):
        beside = hessian[np.ix_(free, held)]
        own = hessian[np.ix_(free, free)]
        inverse = 1 / own if own.size == 1 and own > 0 else np.linalg.pinv(own, hermitian=True)
        H -= beside.T @ (inverse @ beside)
        pull = pull - beside.T @ (inverse @ linear[free])
    H /= unit
    H /= unit[:, None]
    found = np.zeros_like(v)
    with _quiet(), config_context(skip_parameter_validation=True):  # a check takes longer than many epochs
        found[held] = enet_path(
            np.zeros((1, len(held)), order="F"),  # the rows are known by their products alone
            np.ones(1),
            l1_ratio=1.0,
            alphas=[1.0],
            precompute=H,
            Xy=-pull / unit,
            coef_init=v[held] * unit,
            copy_X=False,
            check_input=False,
            tol=resting,
            max_iter=epochs,
        )[1][:, 0]
    found[held] /= unit
    if len(free):
        found[free] = -inverse @ (linear[free] + beside @ found[held])
    return found


@contextmanager
def _unwarned() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


_quiet = Together(_unwarned)  # nobody is told that coordinate descent did not converge: it need not


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
