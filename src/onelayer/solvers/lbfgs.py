"""L-BFGS: Newton's method with a Hessian remembered from the last few steps, for any smooth objective.

Ours rather than SciPy's: whoever watches sees every point with its gradient and may stop at it, no evaluation is made
that nobody sees, and loading `scipy.optimize` takes longer than most fits.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.asked import Smooth
from onelayer.solvers.progress import Point

Array = NDArray[Any]
Solve = Callable[[Array], Array]
Pair = tuple[Array, Array, float]  # a step, what it changed in the gradient, and their product

MEMORY = 10  # pairs: 3 to 20 do, Nocedal & Wright, 2nd ed., p. 176
ARMIJO = 1e-4  # Nocedal & Wright, 2nd ed., p. 33
WOLFE = 0.9  # the same, p. 34
TRIALS = 30


def two_loops(pairs: deque[Pair], gradient: Array, precondition: Solve | None = None) -> Array:
    """H⁻¹ g by the pairs, and by a preconditioner what they say nothing of (Nocedal & Wright, 2nd ed., algorithm 7.4).

    Without any, the gradient at length 1 at most.
    """
    if not pairs:
        return gradient / max(1.0, float(np.linalg.norm(gradient))) if precondition is None else precondition(gradient)
    q, alphas = gradient.copy(), []
    for s, t, product in reversed(pairs):
        alphas.append(float(np.vdot(s, q)) / product)
        q -= alphas[-1] * t
    s, t, product = pairs[-1]
    if precondition is None:
        q *= product / float(np.vdot(t, t))
    else:
        q = product / float(np.vdot(t, precondition(t))) * precondition(q)
    for (s, t, product), alpha in zip(pairs, reversed(alphas), strict=True):
        q += (alpha - float(np.vdot(t, q)) / product) * s
    return q


def least_eigenvalue(pairs: Sequence[Pair], times: Solve) -> float:
    """The least eigenvalue of P⁻¹H in the space of the pairs' steps (Rayleigh & Ritz), P times a vector given.

    Steps of which each saw another Hessian say nothing together, and the number may then be negative.
    """
    steps = np.stack([s.ravel() for s, _, _ in pairs])
    H = steps @ np.stack([t.ravel() for _, t, _ in pairs]).T
    P = steps @ np.stack([times(s).ravel() for s, _, _ in pairs]).T
    size = np.sqrt(P.diagonal())
    values, vectors = np.linalg.eigh(P / size / size[:, None])
    kept = values > len(P) * 1e-12 * values[-1]
    basis = vectors[:, kept] / np.sqrt(values[kept]) / size[:, None]  # of length 1 by P
    return float(np.linalg.eigvalsh(basis.T @ (H + H.T) @ basis / 2)[0])


def search(objective: Smooth, point: Point, direction: Array) -> Point | None:
    """A point along the direction that is low enough and no longer as steep, by doubling and bisection.

    Lewis & Overton, "Nonsmooth optimization via quasi-Newton methods" (Mathematical Programming 141, 2013), § 3: sure
    to end, also where ReLU has kinks. None where rounding leaves nothing to find.
    """
    slope = float(np.vdot(point.gradient, direction))
    low, high, t = 0.0, math.inf, 1.0
    lowest = None
    for _ in range(TRIALS):
        trial = Point.at(objective, point.u + t * direction)
        if not trial.value <= point.value + ARMIJO * t * slope:  # NaN is no progress
            high = t
        elif float(np.vdot(trial.gradient, direction)) < WOLFE * slope:
            low, lowest = t, trial
        else:
            return trial
        t = (low + high) / 2 if high < math.inf else 2 * low
    return lowest


def remember(pairs: deque[Pair], step: Array, change: Array) -> None:
    """Add a step and what it changed in the gradient, unless rounding has left nothing of its curvature."""
    product = float(np.vdot(step, change))
    if product > 1e-10 * float(np.vdot(change, change)):  # else the memory would not be positive definite: p. 537
        pairs.append((step, change, product))
