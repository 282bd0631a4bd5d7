"""Newton's method with a factored Hessian, which serves as many steps as it can."""

import math
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from onelayer.solvers.asked import Layer
from onelayer.solvers.curvature import STALE, Curvature, factored
from onelayer.solvers.gaps import NEAR, ROUNDING, at_rounding, gap_from, to_come
from onelayer.solvers.line_search import line_search
from onelayer.solvers.progress import Outcome, Point, Watch

Array = NDArray[Any]

AGED = 4  # how much an older Hessian may have changed along the gradient
SLOW = 0.1  # of the decrement left after a step with an older Hessian: from there on, a new one pays
CHOICES = 3  # of rows, before all are taken: with far ones, one choice is not the last
BENT = 30  # times `tol`: of a larger decrement, a step by a sample's Hessian alone leaves too much


def direct(
    objective: Layer,
    u: Array,
    tol: float,
    max_iter: int,
    watch: Watch,
    curvature: Curvature | None,
    *,
    anew: bool = True,
    chosen: Callable[[Point], Curvature | None] = lambda point: None,
) -> tuple[Outcome, Curvature | None]:
    """Steps with a factored Hessian, kept as long as each step leaves little of the decrement, then taken `anew`.

    Near the optimum, one of rows `chosen` at the point serves first, a few times, where there are such.
    """
    point = Point.at(objective, u)
    watch(point)
    gap, kind, last, earlier, older, choices = math.inf, "estimate", math.inf, math.inf, True, 0
    for iteration in range(max_iter + 1):
        step, decrement = curvature.step(point) if curvature else (point.u, math.inf)
        if curvature is None or (older and (decrement > SLOW * last or point.value < STALE * curvature.value)):
            if not anew:
                break
            near = choices < CHOICES and decrement <= NEAR * point.value
            choices, curvature = choices + 1, chosen(point) if near else None
            if curvature is None:
                choices, curvature, older = CHOICES, factored(objective, point), False
            step, decrement = curvature.step(point)
        aged = AGED if older and curvature.error == 1 else curvature.error
        gap, kind = gap_from(point, decrement * (aged - 1 + to_come(decrement, last, earlier)))
        if iteration == max_iter or watch.stopped or gap <= max(tol, ROUNDING) * point.value:
            break
        if decrement > BENT * tol * point.value:
            step = curvature.bent(point, step, decrement)
        following = line_search(objective, point, step, decrement)
        if following is None and older:
            curvature = None
            continue
        if following is None:
            return Outcome(point, gap, kind, at_rounding(objective, point, decrement)), curvature
        point, last, earlier, older = following, decrement, last, True
        watch(point)
    return Outcome(point, gap, kind, bool(gap <= max(tol, ROUNDING) * point.value)), curvature
