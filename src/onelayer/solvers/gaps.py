"""How far a point is from the optimum: by Newton's decrement, by duality, and where rounding ends."""

import math
from dataclasses import replace

import numpy as np

from onelayer.objective.sampling import DIRECT
from onelayer.solvers.asked import Layer
from onelayer.solvers.curvature import DOUBLE, diagonal, factored, ridge_gap
from onelayer.solvers.linear import conjugate_gradients
from onelayer.solvers.progress import Outcome, Point, Watch

FLOOR = 8  # units of the rows' precision: below this, two values of the objective cannot be told apart
ROUNDING = FLOOR * DOUBLE
NEAR = 0.05  # of the value: a decrement below it is that of a quadratic, to a few per cent
FARTHEST = 0.9  # of a distance left after a step: of slower ones no more is believed


def gap_from(point: Point, decrement: float) -> tuple[float, str]:
    """How far the value is from the optimum: half the Newton decrement near it, a bound elsewhere.

    The decrement is exact for a quadratic; where it is a large part of the value, the objective is not one yet, and
    no loss is below 0.
    """
    estimate = 0.6 * decrement  # half, and a fifth of it for what is left of higher terms
    return (estimate, "estimate") if 0 <= estimate < NEAR * point.value else (point.value, "bound")


def to_come(decrement: float, last: float, earlier: float = math.inf) -> float:
    """How much more than this decrement is left, where others follow it as it followed the one before.

    Distances then shrink by the root of that ratio from step to step, or, where that was less, by that of the `earlier`
    step, too. Beside an optimum's quadratic they shrink faster, but rows of little weight, or in the tail of the loss,
    may have their own optimum far off while all others have not.
    """
    decrement = max(decrement, 0.0)
    left = math.sqrt(max(decrement / max(last, 1e-300), math.sqrt(decrement / max(earlier, 1e-300))))
    return 1 / (1 - min(left, FARTHEST)) ** 2


def at_rounding(objective: Layer, point: Point, decrement: float) -> bool:
    """Whether no step lowers the value because what is left is below its rounding."""
    return bool(decrement <= 64 * FLOOR * objective.rows.precision * point.value)


def certified(objective: Layer, outcome: Outcome, tol: float, watch: Watch) -> Outcome:
    """The outcome with a duality gap, where all weights are penalised and it is no worse than what was asked for.

    At slopes that sum to nought, primal less dual is Σ g_j² / (2 ρ_j): so the biases are balanced first.
    """
    if watch.stopped or not outcome.converged:
        return outcome
    point, most = outcome.point, max(tol, 2 * ROUNDING)
    if ridge_gap(objective, point) > most * point.value:
        return outcome
    if objective.bias:
        u, logits = objective.balanced(point.u, point.logits, point.gradient[:, -1])
        point = point if u is point.u else Point.at(objective, u, logits=logits)
    gap = ridge_gap(objective, point) + ROUNDING * point.value
    if gap > most * point.value:
        return outcome
    watch(point)
    return replace(outcome, point=point, gap=gap, gap_kind="bound")


def gap_at(objective: Layer, point: Point) -> tuple[float, str]:
    """How far the value at a point is from the optimum, and whether that is a "bound" or an "estimate"."""
    if point.u.size <= DIRECT:
        return gap_from(point, factored(objective, point).step(point)[1])
    solve = diagonal(objective, point).solve
    step, _ = conjugate_gradients(objective.product(point.u, point.logits), -point.gradient, solve, 0.1, 0.0)
    return gap_from(point, -float(np.vdot(point.gradient, step)))
