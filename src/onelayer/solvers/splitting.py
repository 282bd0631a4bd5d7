"""A quadratic with an L1 penalty, minimised by two copies of the weights, one for each of the two."""

import math
from typing import Any

import numpy as np
from numpy.linalg import norm
from numpy.typing import NDArray

from onelayer.solvers.linear import shifted
from onelayer.solvers.low_rank import LowRank

Array = NDArray[Any]

COUPLING = 0.1  # of the curvature of a column: how much the copies are held together at first
SETTLED = 1e-6  # of their size: what they may differ by in the end, and change
STEPS, OFTEN, TUNED = 1500, 10, 50  # at most; from one look at what is left to the next; of the coupling to the next
RELAXED = 1.6  # of a step
UNEVEN, FARTHEST = 5.0, 25.0  # how far apart the two errors are when the coupling is tuned, and by how much at most


def by_splitting(
    hessian: Array | LowRank, linear: Array, lasso: Array, v: Array, ridge: Array, enough: float = 0.0
) -> Array:
    """About the v that minimises vᵀ H v / 2 + linear · v + Σ lasso_j |v_j|, from one near it.

    It ends where slopes are no further than `enough` times the penalties from where weights rest.

    The alternating direction method of multipliers (Boyd, Parikh, Chu, Peleato & Eckstein, Foundations and Trends in
    Machine Learning 3, 2011, § 6.4), in scaled columns. Columns that depend on one another are no hindrance: the
    coupling bends where they do not, and its inverse is formed once or a few times. Parameters are those of
    `onelayer.solvers.lasso.lasso_surely`.

    Examples
    --------
    >>> H = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> by_splitting(H, np.array([-3.0, -1.6]), np.ones(2), np.zeros(2), np.zeros(2)).round(4)
    array([1., 0.])
    """
    size = np.sqrt(np.maximum(hessian.diagonal(), 1e-300))
    linear, lasso, z = linear / size, lasso / size, v * size
    if isinstance(hessian, LowRank):
        H: Any = hessian.scaled(size)
        coupled_by = H.shifted()
    else:
        H = hessian / size / size[:, None]
        coupled_by = shifted(H, ridge / size**2)
    coupling = COUPLING
    dual = np.clip(-(H @ z + linear), -lasso, lasso) / coupling
    coupled = coupled_by(coupling)
    for step in range(1, STEPS + 1):
        x = coupled(coupling * (z - dual) - linear)
        before, moved = z, RELAXED * x + (1 - RELAXED) * z + dual
        dual = np.clip(moved, -lasso / coupling, lasso / coupling)
        z = moved - dual
        if step % OFTEN:
            continue
        if unrest(z, (H @ z + linear) * size, lasso * size) <= enough:
            break
        apart = float(norm(x - z) / max(float(norm(x)), float(norm(z)), 1e-300))
        changed = float(norm(z - before) / max(float(norm(dual)), 1e-300))
        if max(apart, changed) <= SETTLED:
            break
        if step % TUNED == 0 and max(apart, changed) > UNEVEN * min(apart, changed):
            ratio = min(max(math.sqrt(apart / max(changed, 1e-300)), 1 / FARTHEST), FARTHEST)
            coupling, dual = coupling * ratio, dual / ratio
            coupled = coupled_by(coupling)
    return np.asarray(z / size)


def unrest(v: Array, g: Array, lasso: Array) -> float:
    """How far slopes g are, at most, from where weights v rest, relative to their penalties, or the largest of them."""
    off = np.where(v != 0, np.abs(g + lasso * np.sign(v)), np.maximum(np.abs(g) - lasso, 0))
    return float((off / np.maximum(np.where(lasso > 0, lasso, lasso.max()), 1e-300)).max())
