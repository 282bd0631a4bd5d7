"""L-BFGS: Newton's method with a Hessian remembered from the last few steps, for any smooth objective.

Ours rather than SciPy's: whoever watches sees every point with its gradient and may stop at it, no evaluation is made
that nobody sees, and loading `scipy.optimize` takes longer than most fits.
"""

import math
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.progress import Point

Array = NDArray[Any]
Pair = tuple[Array, Array, float]  # a step, what it changed in the gradient, and their product

MEMORY = 10  # pairs: 3 to 20 do, Nocedal & Wright, 2nd ed., p. 176
ARMIJO = 1e-4  # Nocedal & Wright, 2nd ed., p. 33
WOLFE = 0.9  # the same, p. 34
TRIALS = 30


def two_loops(pairs: deque[Pair], gradient: Array) -> Array:
    """H⁻¹ g by the pairs (Nocedal & Wright, 2nd ed., algorithm 7.4); without any, the gradient at length 1 at most."""
    if not pairs:
        return gradient / max(1.0, float(np.linalg.norm(gradient)))
    q, alphas = gradient.copy(), []
    for s, t, product in reversed(pairs):
        alphas.append(float(np.vdot(s, q)) / product)
        q -= alphas[-1] * t
    s, t, product = pairs[-1]
    q *= product / float(np.vdot(t, t))
    for (s, t, product), alpha in zip(pairs, reversed(alphas), strict=True):
        q += (alpha - float(np.vdot(t, q)) / product) * s
    return q


def search(objective: Any, point: Point, direction: Array) -> Point | None:
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


def remember(pairs: deque[Pair], before: Point, after: Point) -> None:
    """Add what a step has taught of the curvature, unless rounding has left nothing of it."""
    s, t = after.u - before.u, after.gradient - before.gradient
    product = float(np.vdot(s, t))
    if product > 1e-10 * float(np.vdot(t, t)):  # else the memory would not be positive definite: p. 537
        pairs.append((s, t, product))
