"""A line search along a step of Newton's method, by halves."""

from typing import Any

from numpy.typing import NDArray

from onelayer.solvers.asked import Layer
from onelayer.solvers.gaps import FLOOR
from onelayer.solvers.lbfgs import ARMIJO
from onelayer.solvers.progress import Point

Array = NDArray[Any]

HALVINGS = 40


def line_search(
    objective: Layer, point: Point, step: Array, decrement: float, moved: Any = None, *, last: bool = False
) -> Point | None:
    """The first of the steps 1, 1/2, 1/4 … that lowers the value enough, or, at the limit of rounding, the gradient.

    `moved` is how it moves the logits, where that is known: the biases of what may be the `last` step are then balanced
    before it is looked at, and not in another sweep for the duality gap.
    """
    t = 1.0
    noise = 64 * FLOOR * objective.rows.precision * abs(point.value)
    for _ in range(HALVINGS):
        u, near, logits = point.u + t * step, None if moved is None else (point.logits, moved, t), None
        if last and near:
            u, logits = objective.balanced(u, [z + t * by for z, by in zip(point.logits, moved, strict=True)])
        trial = Point.at(objective, u, keep=point.logits is not None, near=near, logits=logits)
        if trial.value <= point.value - ARMIJO * t * decrement:
            return trial
        if trial.value <= point.value + noise and trial.norm < point.norm:
            return trial
        if t * decrement < noise / 64:
            return None
        t /= 2
    return None
