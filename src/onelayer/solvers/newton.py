"""Newton's method: exact second derivatives while they are few, products and remembered ones when they are many.

The point is reached on a growing random sample of the rows first, where a step costs next to nothing, so that all of
them are swept only when little is left to do (Mokhtari et al., "Adaptive Newton method", NIPS 2016).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.sampling import DIRECT, SQUARE, SQUARE_OF_SPARSE, formed
from onelayer.solvers import prices
from onelayer.solvers.asked import Layer
from onelayer.solvers.curvature import DOUBLE, Curvature, factored, of_sample, ridge_gap
from onelayer.solvers.direct import direct
from onelayer.solvers.gaps import ROUNDING, certified, gap_from, to_come
from onelayer.solvers.line_search import line_search
from onelayer.solvers.progress import Lifted, Outcome, Point, Watch
from onelayer.solvers.second_look import AMPLE, SecondLook
from onelayer.solvers.truncated import truncated

Array = NDArray[Any]

WIDE = 16  # times the columns: the square of the rows, from where it takes longer to diagonalise them
ALIKE = 1e10  # times the least penalty: of sixteen digits, six are left
NARROW = 256  # columns, and 64 rows, below which that is no matter
# of the value: a sample that leaves more of it is a poor one, where the value is below that of rows nearly all sure;
# and times the value, how much less is left by as many rows that are chosen for their slopes
POOR, SURE, BETTER = 0.02, 0.06, 4.0
MANY = 16  # parameters, of fewer of which a Hessian of all rows costs no more than to choose some
CHEAP = 32  # parameters up to which each sample's Hessian costs less than steps with the one before
TWICE = 2  # times what is left in the span, more than which all columns may not say is left there


def spanned(objective: Layer) -> bool:
    """Whether the weights lie in the span of fewer rows: all are penalised; and no block is to be prepared.

    Nor may their penalties differ so much, as of a column in a very large unit, that in products of rows with one
    another it would leave all other columns no digits.
    """
    rows, penalty = objective.rows, objective.penalty
    if not (rows.d > rows.n and rows.plain and (penalty > 0).all()):
        return False
    return bool(penalty.max() <= ALIKE * penalty.min())


def newton(objective: Layer, u: Array, *, tol: float, max_iter: int, watch: Watch, samples: Iterable[Layer]) -> Outcome:
    """Minimise a smooth convex objective to a relative gap of `tol`, by way of its `samples`, smallest first.

    With few parameters, all rows are then asked for gradients only: their curvature is the last sample's, as long as
    that shortens the way enough (Bollapragada, Byrd & Nocedal, IMA Journal of Numerical Analysis 39, 2019); after
    that it preconditions conjugate gradients, which cost less than second derivatives of all rows.
    """
    u, curvature = _on_samples(objective, samples, u, max_iter, watch)
    rows, before, look = objective.rows, watch.points, SecondLook(objective, tol)
    if spanned(objective) and rows.n**2 < WIDE * max(rows.d, NARROW):
        return in_row_space(objective, u, tol, max_iter, watch)
    if not prices.paid_at_once(objective, sampled=curvature is not None):
        within = prices.row_space(objective) if spanned(objective) else math.inf
        within = within if within < prices.hessian(objective) else math.inf
        start = _seen(objective, u, watch)
        outcome, _ = truncated(objective, start, tol, max_iter, watch, curvature, within, look=look)
        left = max_iter - (watch.points - before) - 1  # there, start and end are looked at, too
        if within < math.inf and not outcome.converged and not watch.stopped and left > 0:
            return in_row_space(objective, outcome.point.u, tol, left, watch)
    else:
        # whether the Hessian of all rows is, beside some products with it
        cheap = curvature is None or u.size <= (SQUARE_OF_SPARSE if rows.sparse else SQUARE)
        few = None if curvature is None or u.size < MANY else curvature.sample
        chosen = (lambda point: None) if few is None else partial(_of_chosen, objective, few.rows.n)
        outcome, curvature = direct(objective, u, tol, max_iter, watch, curvature, anew=cheap, chosen=chosen)
        if not cheap and not outcome.converged and not watch.stopped:
            outcome, _ = truncated(objective, outcome.point, tol, max_iter, watch, curvature, look=look)
        if curvature is not None and (curvature.value < SURE or curvature.sample is not few):
            look.few = curvature.sample
        exact = curvature is not None and curvature.error == 1 and rows.precision == DOUBLE
        look.clear = look.clear or exact
    outcome = certified(objective, outcome, tol, watch)
    return _looked_at_again(objective, outcome, tol, max_iter - (watch.points - before), watch, look, curvature)


def _looked_at_again(
    objective: Layer,
    outcome: Outcome,
    tol: float,
    max_iter: int,
    watch: Watch,
    look: SecondLook,
    curvature: Curvature | None = None,
) -> Outcome:
    """The outcome, if few rows see hardly more of a gap than `tol`; else on from there, until they do not.

    With the `curvature` of a sample, if there is one, for a step at first: that is a sweep, where a Hessian is many.
    """
    before = watch.points
    while outcome.converged and outcome.gap_kind == "estimate" and not watch.stopped:
        left, point, seen = max_iter - (watch.points - before), outcome.point, look.gap(outcome.point)
        most = max(tol, ROUNDING) * point.value
        enough = seen <= AMPLE * most
        if enough or left <= 0:
            return replace(outcome, gap=max(outcome.gap, min(seen, most)) if enough else seen, converged=enough)
        if curvature is not None and curvature.error > 1:
            outcome, curvature = _further(objective, outcome, curvature, tol, watch), None
            if outcome.converged:
                continue
            point, left = outcome.point, left - 1
        if point.u.size <= DIRECT:
            return certified(objective, direct(objective, point.u, tol, left, watch, None)[0], tol, watch)
        outcome = certified(objective, truncated(objective, point, tol, left, watch, None, sure=True)[0], tol, watch)
        if outcome.point is point:  # what a few rows saw, exact steps with all of them do not
            break
    return outcome


def _further(objective: Layer, outcome: Outcome, curvature: Curvature, tol: float, watch: Watch) -> Outcome:
    """After another step with this curvature, if there is one."""
    step, last = curvature.step(outcome.point)
    point = line_search(objective, outcome.point, step, last)
    if point is None:
        return replace(outcome, converged=False)
    watch(point)
    decrement = curvature.step(point)[1]
    gap, kind = gap_from(point, decrement * (curvature.error - 1 + to_come(decrement, last)))
    return Outcome(point, gap, kind, bool(gap <= max(tol, ROUNDING) * point.value))


def _on_samples(
    objective: Layer, samples: Iterable[Layer], u: Array, max_iter: int, watch: Watch
) -> tuple[Array, Curvature | None]:
    """The optimum of the largest sample, about, and its curvature there; unless that is the sample's alone.

    A sample of n rows knows the optimum to about p / (2 n), so going further would be wasted. Where that is much of the
    value, since nearly all rows are sure, as many rows that are not are chosen for another sample.
    """
    curvature, known, value, size = None, 0.0, math.inf, 0
    for sample in samples:
        size = sample.rows.n
        known = u.size / (2 * size)
        u, curvature, value = _on_sample(sample, u, curvature, known, known, max_iter, watch)
        del sample  # before the next one takes its memory; what a curvature keeps is an eighth of that
        if watch.stopped:
            break
    poor = POOR * value < known and value < SURE and u.size >= MANY
    if poor and formed(size, u.shape) and not watch.stopped:
        value = max(value, known)
        known *= BETTER * value
        u, curvature, _ = _on_sample(objective.surprising(u, size), u, None, known, known / value, max_iter, watch)
    # in single precision, and of some rows, more is lost than that of all rows
    return u, None if curvature is None or curvature.singular else curvature


def _on_sample(
    sample: Layer, u: Array, curvature: Curvature | None, known: float, tol: float, max_iter: int, watch: Watch
) -> tuple[Array, Curvature | None, float]:
    """The optimum of a sample, about, its curvature, and the value there.

    Of one whose optimum is less than what is `known` of it, as that of rows which a plane parts, no more is believed:
    where it lies, all rows are sure, and some wrong.
    """
    accuracy, seen = min(0.4 * tol, 0.02), Watch(_until(known, watch))
    if formed(sample.rows.n, u.shape):
        older, curvature = [curvature if u.size > CHEAP else None], None  # who takes it may let it go
        outcome, curvature = direct(sample, u, accuracy, max_iter, seen, older.pop())
        if curvature is not None:
            error = (1 + math.sqrt(u.size / sample.rows.n)) ** 2
            error = error if curvature.sample is None else curvature.error
            curvature = replace(curvature, error=error, sample=sample, seen=outcome.point)
    else:
        outcome, last = truncated(sample, _seen(sample, u, seen), accuracy, max_iter, seen, curvature)
        if curvature is not None:
            curvature = of_sample(sample, outcome.point, last or curvature)
    value = outcome.point.value
    return (u, None, value) if value < known else (outcome.point.u, curvature, value)


def _of_chosen(objective: Layer, size: int, point: Point) -> Curvature | None:
    """Of about so many rows, chosen for how they pull at a point, the curvature there; None where it is singular."""
    sample = objective.surprising(point.u, size)
    seen = Point.at(sample, point.u)
    curvature = factored(sample, seen)
    error = (1 + math.sqrt(point.u.size / sample.rows.n)) ** 2
    return None if curvature.singular else replace(curvature, error=error, sample=sample, seen=seen)


def _until(known: float, watch: Watch) -> Callable[[Point], bool]:
    """Shows the points to `watch`; a value below what is known of it ends the steps."""

    def see(point: Point) -> bool:
        watch(point)
        return watch.stopped or point.value < known

    return see


def in_row_space(objective: Layer, u: Array, tol: float, max_iter: int, watch: Watch) -> Outcome:
    """More columns than rows: solve in the span of the rows, and look at the result with all columns.

    If these say something else, the rows' products with one another have lost what tells rows apart, as beside means
    that nobody takes off: the span is then taken from the rows themselves.
    """
    end = watch.points + max_iter
    for exact in (False, True):
        inner, back, inside = _in_span(objective, u, tol, end - watch.points, watch, exact=exact)
        point = Point.at(objective, back(inner.point.u))
        off, enough = abs(point.value - inner.point.value), max(tol, ROUNDING) * point.value
        left = ridge_gap(objective, point) - TWICE * ridge_gap(inside, inner.point)
        if max(off, left) <= enough or watch.points > end or watch.stopped:
            break
    outcome = replace(inner, point=point, gap=max(inner.gap, off), converged=inner.converged and off <= enough)
    watch(point)
    return certified(objective, outcome, tol, watch)


def _in_span(
    objective: Layer, u: Array, tol: float, max_iter: int, watch: Watch, *, exact: bool
) -> tuple[Outcome, Callable[[Array], Array], Layer]:
    """The outcome in the span of the rows, the way back from it, and the objective there."""
    inside, there, back = objective.in_row_space(exact=exact)
    k, d = objective.outputs, objective.rows.d
    start = there(u)

    def lift(point: Point) -> Point:
        u, gradient = np.split(back(np.vstack([point.u, point.gradient])), [k])
        gradient[:, :d] *= objective.penalty  # coordinates of an orthonormal basis, by √ρ
        return Point(u, point.value, gradient, point.rows)

    root = math.sqrt(objective.penalty.mean())

    def see(point: Point) -> bool:
        watch(cast(Point, Lifted(point, lift, root * point.norm)))
        return watch.stopped

    if start.size <= DIRECT:
        outcome = direct(inside, start, tol, max_iter, Watch(see), None)[0]
    else:
        seen, look = Watch(see), SecondLook(inside, tol)
        outcome, _ = truncated(inside, _seen(inside, start, seen), tol, max_iter, seen, None, look=look)
        outcome = _looked_at_again(inside, outcome, tol, max_iter - seen.points, seen, look)
    return outcome, back, inside


def _seen(objective: Layer, u: Array, watch: Watch) -> Point:
    point = Point.at(objective, u, keep=True)
    watch(point)
    return point
