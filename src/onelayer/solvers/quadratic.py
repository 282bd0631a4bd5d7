"""The minimum of a quadratic: one Hessian, factored once, and steps with it until only rounding is left."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.sampling import DIRECT
from onelayer.solvers.asked import Layer
from onelayer.solvers.curvature import factored
from onelayer.solvers.gaps import ROUNDING, certified
from onelayer.solvers.newton import in_row_space, newton, spanned
from onelayer.solvers.progress import Outcome, Point, Watch

Array = NDArray[Any]

SMALL, DIRECT_IF_SMALL = 2**21, 1024  # entries up to which the Hessian of so many weights costs less than its products
SETTLED = 1e-12  # of the point: a step below it changes no digit that anybody asks for
GAIN = 0.25  # of what a step promises, left for the next one: if more, it is rounding


def quadratic(objective: Layer, u: Array, *, tol: float, max_iter: int, watch: Watch) -> Outcome:
    """Minimise a quadratic objective, a squared error with L2 penalties, to the digits of its gradients.

    A step solves with the Hessian, whose condition is the square of the rows': the digits it loses are won back by
    steps from gradients, which are taken from the rows themselves (iterative refinement: Wilkinson, Rounding Errors in
    Algebraic Processes, 1963). Where the Hessian is too large, and in the span of few rows, it is Newton's method.
    """
    rows = objective.rows
    small = rows.n * rows.d <= SMALL
    if spanned(objective) and rows.n <= DIRECT:
        return in_row_space(objective, u, tol, max_iter, watch)
    if u.size > (DIRECT_IF_SMALL if small else DIRECT):
        return newton(objective, u, tol=tol, max_iter=max_iter, watch=watch, samples=())
    point = Point.at(objective, u)
    watch(point)
    curvature = factored(objective, point)
    step, left = curvature.step(point)
    for _ in range(max_iter):
        if watch.stopped or np.linalg.norm(step) <= SETTLED * np.linalg.norm(point.u):
            break
        following = Point.at(objective, point.u + step)
        step, next_left = curvature.step(following)
        if not next_left <= GAIN * left:
            break
        point, left = following, next_left
        watch(point)
    gap, kind = min((0.6 * left, "estimate"), (point.value, "bound"))  # half, and a fifth of it for rounding
    converged = bool(gap <= max(tol, ROUNDING) * point.value)
    return certified(objective, Outcome(point, gap, kind, converged), tol, watch)
