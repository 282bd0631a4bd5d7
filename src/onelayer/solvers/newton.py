"""Newton's method: exact second derivatives while they are few, products and remembered ones when they are many.

The point is reached on a growing random sample of the rows first, where a step costs next to nothing, so that all of
them are swept only when little is left to do (Mokhtari et al., "Adaptive Newton method", NIPS 2016).
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from onelayer.sampling import DIRECT, SQUARE, formed
from onelayer.solvers import prices
from onelayer.solvers.curvature import (
    DOUBLE,
    STALE,
    Curvature,
    Preconditioning,
    diagonal,
    factored,
    of_sample,
    ridge_gap,
)
from onelayer.solvers.lbfgs import ARMIJO, Pair, least_eigenvalue, remember, two_loops
from onelayer.solvers.linear import UNSEEN, Seen, Solve, conjugate_gradients
from onelayer.solvers.progress import Lifted, Outcome, Point, Watch
from onelayer.solvers.second_look import SecondLook

Array = NDArray[Any]

HALVINGS = 40
AGED = 4  # how much an older Hessian may have changed along the gradient
FARTHEST = 0.9  # of a distance left after a step: of slower ones no more is believed
SLOW = 0.1  # of the decrement left after a step with an older Hessian: from there on, a new one pays
FLOOR = 8  # units of the rows' precision: below this, two values of the objective cannot be told apart
ROUNDING = FLOOR * DOUBLE
WIDE = 16  # times the columns: the square of the rows, from where it takes longer to diagonalise them
ALIKE = 1e10  # times the least penalty: of sixteen digits, six are left
NARROW = 256  # columns, and 64 rows, below which that is no matter
CHEAP = 32  # parameters up to which each sample's Hessian costs less than steps with the one before
BENT = 30  # times `tol`: of a larger decrement, a step by a sample's Hessian alone leaves too much
AMPLE = 1.5  # times a gap that few rows may take it for
SURE = 1e-3  # of a residual that may hide a way down: what may be left of it
PROVABLE = 600  # times what is left of the quadratic: a duality gap that is no more is brought below `tol` with it
EASY = 6  # products for a step: columns that took more depend on one another too much for a Hessian to be remembered
PAIRS = 12  # of steps and what they change
RECENT = 5  # of them, which may have seen the same Hessian
LATELY = 3  # steps, in which a decrement halves at least while what is remembered is of use
QUADRATIC = 0.5  # times √tol of the value: after a decrement below it, what is not quadratic is below tol
NEAR = 0.05  # of the value: a decrement below it is that of a quadratic, to a few per cent


def spanned(objective: Any) -> bool:
    """Whether the weights lie in the span of fewer rows: all are penalised; and no block is to be prepared.

    Nor may their penalties differ so much, as of a column in a very large unit, that in products of rows with one
    another it would leave all other columns no digits.
    """
    rows, penalty = objective.rows, objective.penalty
    if not (rows.d > rows.n and rows.plain and (penalty > 0).all()):
        return False
    return bool(penalty.max() <= ALIKE * penalty.min())


def newton(objective: Any, u: Array, *, tol: float, max_iter: int, watch: Watch, samples: Iterable[Any]) -> Outcome:
    """Minimise a smooth convex objective to a relative gap of `tol`, by way of its `samples`, smallest first.

    With few parameters, all rows are then asked for gradients only: their curvature is the last sample's, as long as
    that shortens the way enough (Bollapragada, Byrd & Nocedal, IMA Journal of Numerical Analysis 39, 2019); after
    that it preconditions conjugate gradients, which cost less than second derivatives of all rows.
    """
    u, curvature = _on_samples(samples, u, max_iter, watch)
    rows, before, look = objective.rows, watch.points, SecondLook(objective, tol)
    if spanned(objective) and rows.n**2 < WIDE * max(rows.d, NARROW):
        return in_row_space(objective, u, tol, max_iter, watch)
    if not prices.paid_at_once(objective, sampled=curvature is not None):
        within = prices.row_space(objective) if spanned(objective) else math.inf
        within = within if within < prices.hessian(objective) else math.inf
        outcome = _truncated(objective, _seen(objective, u, watch), tol, max_iter, watch, curvature, within, look=look)
        left = max_iter - (watch.points - before) - 1  # there, start and end are looked at, too
        if within < math.inf and not outcome.converged and not watch.stopped and left > 0:
            return in_row_space(objective, u, tol, left, watch)
    else:
        cheap = curvature is None or u.size <= SQUARE  # the Hessian of all rows, beside some products with it
        outcome, curvature = _direct(objective, u, tol, max_iter, watch, curvature, anew=cheap)
        if not cheap and not outcome.converged and not watch.stopped:
            outcome = _truncated(objective, outcome.point, tol, max_iter, watch, curvature)
        look.clear = curvature is not None and curvature.error == 1 and rows.precision == DOUBLE
    outcome = certified(objective, outcome, tol, watch)
    return _looked_at_again(objective, outcome, tol, max_iter - (watch.points - before), watch, look)


def _looked_at_again(
    objective: Any, outcome: Outcome, tol: float, max_iter: int, watch: Watch, look: SecondLook
) -> Outcome:
    """The outcome, if few rows see hardly more of a gap than `tol`; else on from there, until they do not."""
    before = watch.points
    while outcome.converged and outcome.gap_kind == "estimate" and not watch.stopped:
        left, point, seen = max_iter - (watch.points - before), outcome.point, look.gap(outcome.point)
        most = max(tol, ROUNDING) * point.value
        enough = seen <= AMPLE * most
        if enough or left <= 0:
            return replace(outcome, gap=max(outcome.gap, min(seen, most)) if enough else seen, converged=enough)
        if point.u.size <= DIRECT:
            return certified(objective, _direct(objective, point.u, tol, left, watch, None)[0], tol, watch)
        outcome = certified(objective, _truncated(objective, point, tol, left, watch, None, sure=True), tol, watch)
        if outcome.point is point:  # what a few rows saw, exact steps with all of them do not
            break
    return outcome


def _on_samples(samples: Iterable[Any], u: Array, max_iter: int, watch: Watch) -> tuple[Array, Curvature | None]:
    """The optimum of the largest sample, about, and its curvature there."""
    curvature = None
    for sample in samples:
        # a sample of n rows knows the optimum to about p / (2 n), so going further would be wasted
        accuracy = min(0.2 * u.size / sample.rows.n, 0.02)
        if formed(sample.rows.n, u.shape):
            older = curvature if u.size > CHEAP else None
            outcome, curvature = _direct(sample, u, accuracy, max_iter, watch, older)
            if curvature is not None:
                error = curvature.error if curvature is older else (1 + math.sqrt(u.size / sample.rows.n)) ** 2
                curvature = replace(curvature, error=error, sample=sample, seen=outcome.point)
        else:
            outcome = _truncated(sample, _seen(sample, u, watch), accuracy, max_iter, watch, curvature)
            if curvature is not None:
                curvature = of_sample(sample, outcome.point, curvature)
        u = outcome.point.u
        del sample, outcome  # before the next one takes its memory; what a curvature keeps is an eighth of that
        if watch.stopped:
            break
    return u, curvature


def in_row_space(objective: Any, u: Array, tol: float, max_iter: int, watch: Watch) -> Outcome:
    """More columns than rows: solve in the span of the rows, and look at the result with all columns."""
    inside, back = objective.in_row_space()
    start = np.zeros(inside.shape)
    start[:, inside.rows.d :] = u[:, objective.rows.d :]
    k, d = objective.outputs, objective.rows.d

    def lift(point: Point) -> Point:
        u, gradient = np.split(back(np.vstack([point.u, point.gradient])), [k])
        gradient[:, :d] *= objective.penalty  # coordinates of an orthonormal basis, by √ρ
        return Point(u, point.value, gradient, point.rows)

    root = math.sqrt(objective.penalty.mean())

    def see(point: Point) -> bool:
        watch(cast(Point, Lifted(point, lift, root * point.norm)))
        return watch.stopped

    if start.size <= DIRECT:
        outcome = _direct(inside, start, tol, max_iter, Watch(see), None)[0]
    else:
        seen, look = Watch(see), SecondLook(inside, tol)
        outcome = _truncated(inside, _seen(inside, start, seen), tol, max_iter, seen, None, look=look)
        outcome = _looked_at_again(inside, outcome, tol, max_iter - seen.points, seen, look)
    point = Point.at(objective, back(outcome.point.u))
    watch(point)
    return certified(objective, replace(outcome, point=point), tol, watch)


def _direct(
    objective: Any,
    u: Array,
    tol: float,
    max_iter: int,
    watch: Watch,
    curvature: Curvature | None,
    *,
    anew: bool = True,
) -> tuple[Outcome, Curvature | None]:
    """Steps with a factored Hessian, kept as long as each step leaves little of the decrement, then taken `anew`."""
    point = Point.at(objective, u)
    watch(point)
    gap, kind, last, older = math.inf, "estimate", math.inf, True
    for iteration in range(max_iter + 1):
        step, decrement = curvature.step(point) if curvature else (point.u, math.inf)
        if curvature is None or (older and (decrement > SLOW * last or point.value < STALE * curvature.value)):
            if not anew:
                break
            curvature = None
            curvature, older = factored(objective, point), False
            step, decrement = curvature.step(point)
        aged = AGED if older and curvature.error == 1 else curvature.error
        gap, kind = gap_from(point, decrement * max(aged, _to_come(decrement, last)))
        if iteration == max_iter or watch.stopped or gap <= max(tol, ROUNDING) * point.value:
            break
        if decrement > BENT * tol * point.value:
            step = curvature.bent(point, step, decrement)
        following = _line_search(objective, point, step, decrement)
        if following is None and older:
            curvature = None
            continue
        if following is None:
            return Outcome(point, gap, kind, _at_rounding(objective, point, decrement)), curvature
        point, last, older = following, decrement, True
        watch(point)
    return Outcome(point, gap, kind, bool(gap <= max(tol, ROUNDING) * point.value)), curvature


def _to_come(decrement: float, last: float) -> float:
    """How much more than this decrement is left, where others follow it as it followed the one before.

    Distances then shrink by the root of that ratio from step to step. Beside an optimum's quadratic they shrink faster,
    but rows of little weight, or in the tail of the loss, may have their own optimum far off while all others have not.
    """
    left = math.sqrt(max(decrement, 0.0) / max(last, 1e-300))
    return 1 / (1 - min(left, FARTHEST)) ** 2


def _seen(objective: Any, u: Array, watch: Watch) -> Point:
    point = Point.at(objective, u, keep=True)
    watch(point)
    return point


def _truncated(
    objective: Any,
    point: Point,
    tol: float,
    max_iter: int,
    watch: Watch,
    curvature: Curvature | None,
    within: float = math.inf,
    *,
    look: SecondLook | None = None,
    sure: bool = False,
) -> Outcome:
    """Steps by conjugate gradients, no more exact than they need be (Nocedal & Wright, 2nd ed., § 7.1).

    Once these have taken as many products as a Hessian, or its blocks, cost, they are formed to precondition the next:
    columns that nearly depend on one another need that or thousands of products, and twice the least is spent at most.
    Ends `within` so many, for whoever knows another way then. To be `sure`, steps are as exact as they are long: what
    is left of a residual may still hide a way down.
    """
    ways, remembering = Preconditioning(objective, curvature), curvature is None and _memorable(objective)
    gap, kind, last, seen, floor, steps = math.inf, "estimate", math.inf, UNSEEN, 1.0, 0
    left, near = gap, QUADRATIC * math.sqrt(tol)  # without what is hidden
    loose, enough = (
        gap,
        False,
    )  # times as much as is left of the quadratic is the duality gap; whether that is below tol
    if point.logits is None:
        point = replace(point, logits=objective.logits(point.u))
    while True:
        dual = ridge_gap(objective, point)
        if dual <= tol * point.value and not sure:
            gap, kind = dual, "estimate"  # a bound, once the biases are balanced
            break
        if ways.curvature is not None and seen.steps >= 3 and loose > PROVABLE:
            left, kind = _foreseen(point, ways.curvature, seen, last)
            if left <= tol * point.value:
                more, floor = ways.curvature.unseen(objective, point, tol)
                gap = left + more
                if seen.least <= floor and gap <= tol * point.value:
                    break
        product, curvature = objective.product(point.u, point.logits), ways.at(point, seen.steps)
        if look and ways.exact:
            look.clear = True
        wanted = 0.0 if sure else 0.2 * tol * point.value
        loose = 2 * dual / max(curvature.step(point)[1], 1e-300) if look and not look.clear else math.inf
        if loose <= PROVABLE:
            wanted /= max(1.0, loose * seen.least)
        forcing = SURE if sure else min(0.3, math.sqrt(min(left, point.value) / max(point.value, 1e-300)))
        step, seen = conjugate_gradients(
            product,
            -point.gradient,
            curvature.solve,
            forcing,
            wanted,
            seen._replace(least=min(seen.least, floor)),
            along=product.along,
            most=min(ways.left, within),
            steep=remembering,
            quadratic=near * point.value,
        )
        decrement = -float(np.vdot(point.gradient, step))
        gap, kind = gap_from(point, (1 + 2 * forcing**2) * decrement * _to_come(decrement, last) + 4 * wanted)
        left = gap
        if gap <= tol * point.value:
            more, floor = curvature.unseen(objective, point, tol)
            gap += more + (seen.left / floor if floor < 1 else 0.0)
        ways.left, within = ways.left - seen.steps, within - seen.steps
        if min(ways.left, within) <= 0:  # they may have been cut short, and then the decrement says nothing
            gap, kind, left = point.value, "bound", point.value
            if within <= 0:
                break
            ways.go_on()
            seen, remembering, floor = UNSEEN, False, 1.0
        before_last, enough = enough, bool(gap <= max(tol, ROUNDING) * point.value)
        if steps == max_iter or watch.stopped or (enough and (before_last or loose > PROVABLE)):
            break
        following = _line_search(objective, point, step, decrement, product.moved, last=decrement < near * point.value)
        if following is None:
            return Outcome(point, gap, kind, enough or _at_rounding(objective, point, decrement))
        point, before, last = following, point, decrement
        steps += 1
        watch(point)
        if remembering and seen.steps <= EASY:
            steep = curvature.beside(seen.steep)
            outcome, done = _remembering(objective, before, point, steep, tol, max_iter - steps, watch, look)
            if outcome.converged:
                return outcome
            point, remembering = outcome.point, False
            steps, ways.left, within = steps + done, max(1, ways.left - done), max(1, within - done)
    return Outcome(point, gap, kind, bool(gap <= max(tol, ROUNDING) * point.value))


def _foreseen(point: Point, curvature: Curvature, seen: Seen, last: float) -> tuple[float, str]:
    """The gap before another product: as if all of the gradient lay where the last step saw the least of the spectrum.

    And half of that.
    """
    decrement = 2 / seen.least * curvature.step(point)[1]
    return gap_from(point, decrement * _to_come(decrement, last))


def _memorable(objective: Any) -> bool:
    """Whether steps with a remembered Hessian pay: of sparse rows and of softmax, products cost much less than they."""
    return bool(objective.outputs == 1 and not objective.rows.sparse)


def _remembering(
    objective: Any,
    before: Point,
    point: Point,
    curvature: Curvature,
    tol: float,
    max_iter: int,
    watch: Watch,
    look: SecondLook | None,
) -> tuple[Outcome, int]:
    """Steps with a remembered Hessian: one sweep each, and not one for every product and another at its end.

    Each step tells of what it changed in the gradient (L-BFGS), and the curvature of all else (Morales & Nocedal,
    "Automatic preconditioning by limited memory quasi-Newton updating", SIAM Journal on Optimization 10, 2000). Ends
    where that is not enough, since columns depend on one another too much. How many steps there were is told.
    """
    pairs, decrements = deque[Pair](), list[float]()
    while True:
        remember(pairs, point.u - before.u, point.gradient - before.gradient)
        step = -two_loops(pairs, point.gradient, curvature.solve)
        decrements.append(-float(np.vdot(point.gradient, step)))
        gap, done = _remembered_gap(objective, point, curvature, pairs, decrements[-1], tol), len(decrements) - 1
        gap = look.sharper(point, gap) if look else gap
        if gap <= tol * point.value:
            return Outcome(point, gap, "estimate", True), done
        slow = done >= LATELY and decrements[-1] >= decrements[-1 - LATELY] / 2
        following = None
        if not slow and done < min(PAIRS, max_iter) and not watch.stopped:
            following = _line_search(objective, point, step, decrements[-1])
        if following is None:
            return Outcome(point, point.value, "bound", False), done
        before, point = point, following
        watch(point)


def _remembered_gap(
    objective: Any, point: Point, curvature: Curvature, pairs: deque[Pair], decrement: float, tol: float
) -> float:
    """How far the value is from the optimum, once it may be near: as if the gradient lay along the flattest step.

    Where a duality gap is sharp enough, or will be after another step, no more is asked.
    """
    wanted = tol * point.value
    if not pairs or 0.6 * decrement > wanted:
        return point.value
    if (dual := ridge_gap(objective, point)) <= 10 * wanted:
        return dual
    plain = float(np.vdot(point.gradient, curvature.solve(point.gradient)))
    if 1.2 * plain > wanted:  # no eigenvalue is much above 1
        return point.value
    least = least_eigenvalue(list(pairs)[-RECENT:], cast(Solve, curvature.times))
    more, floor = curvature.unseen(objective, point, tol)
    return gap_from(point, 2 / min(least, floor) * plain)[0] + more if least > 0 else point.value


def _line_search(
    objective: Any, point: Point, step: Array, decrement: float, moved: Any = None, *, last: bool = False
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


def _at_rounding(objective: Any, point: Point, decrement: float) -> bool:
    """Whether no step lowers the value because what is left is below its rounding."""
    return bool(decrement <= 64 * FLOOR * objective.rows.precision * point.value)


def certified(objective: Any, outcome: Outcome, tol: float, watch: Watch) -> Outcome:
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


def gap_at(objective: Any, point: Point) -> tuple[float, str]:
    """How far the value at a point is from the optimum, and whether that is a "bound" or an "estimate"."""
    if point.u.size <= DIRECT:
        return gap_from(point, factored(objective, point).step(point)[1])
    solve = diagonal(objective, point).solve
    step, _ = conjugate_gradients(objective.product(point.u, point.logits), -point.gradient, solve, 0.1, 0.0)
    return gap_from(point, -float(np.vdot(point.gradient, step)))


def gap_from(point: Point, decrement: float) -> tuple[float, str]:
    """How far the value is from the optimum: half the Newton decrement near it, a bound elsewhere.

    The decrement is exact for a quadratic; where it is a large part of the value, the objective is not one yet, and
    no loss is below 0.
    """
    estimate = 0.6 * decrement  # half, and a fifth of it for what is left of higher terms
    return (estimate, "estimate") if 0 <= estimate < NEAR * point.value else (point.value, "bound")
