"""Gradient descent on a smooth convex objective, as in the guide, but with a step that its curvature allows."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.newton import gap_at
from onelayer.solvers.progress import Outcome, Point, Watch

Array = NDArray[Any]

GAP_EVERY = 25  # iterations between two looks at the gap, each of which costs a Newton step


def curvature_bound(objective: Any, u: Array) -> float:
    """L, the largest curvature along any direction: power iteration on the Hessian at 0, where every loss bends most.

    Sigmoid and softmax bend most at z = 0 along every direction through all rows, so that L there bounds L anywhere.
    Kuczyński & Woźniakowski (1992): 30 steps from a random start are within a few per cent; 1.05 makes up for them.
    """
    product, _ = objective.product(np.zeros_like(u))
    v = np.random.default_rng(0).standard_normal(u.shape)
    length = 1.0
    for _ in range(30):
        v = product(v / np.linalg.norm(v))
        length = float(np.linalg.norm(v))
        if length == 0:
            return 1.0
    # softmax: its curvature at z = 0 is 1/k of a projection, but elsewhere reaches 1/2 (Böhning 1992)
    return 1.05 * length * (1 if objective.outputs == 1 else objective.outputs / 2)


def gd(
    objective: Any, u: Array, *, tol: float, max_iter: int, watch: Watch, learning_rate: float | str = "auto"
) -> Outcome:
    """Full-batch gradient descent; ``"auto"`` steps by 1/L (Nesterov, Introductory Lectures, 2004, theorem 2.1.14)."""
    L = curvature_bound(objective, u)
    rate = 1 / L if learning_rate == "auto" else float(learning_rate)
    notices = []
    if rate > 2 / L:
        notices.append(
            f"learning_rate {rate:g} is above the stable bound 2/L = {2 / L:.4g} (L = {L:.4g} is the largest "
            "curvature in scaled columns): the cost may rise; use learning_rate='auto'"
        )
    best = point = Point.at(objective, u)
    watch(point)
    for iteration in range(max_iter):
        if watch.stopped or (iteration % GAP_EVERY == 0 and gap_at(objective, point)[0] <= tol * point.value):
            break
        with np.errstate(over="ignore", invalid="ignore"):
            following = Point.at(objective, point.u - rate * point.gradient)
        if not math.isfinite(following.value):
            notices.append("the cost overflowed: the best weights so far are kept; use learning_rate='auto'")
            break
        point = following
        best = min(best, point, key=lambda p: p.value)
        watch(point)
    gap, kind = gap_at(objective, best)
    return Outcome(best, gap, kind, gap <= tol * best.value, tuple(notices))
