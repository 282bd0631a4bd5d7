"""Newton's method: exact second derivatives while they are few, products and remembered ones when they are many.

The point is reached on a growing random sample of the rows first, where a step costs next to nothing, so that all of
them are swept only when little is left to do (Mokhtari et al., "Adaptive Newton method", NIPS 2016).
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from onelayer.sampling import DIRECT, SQUARE, formed
from onelayer.solvers.lbfgs import Pair, least_eigenvalue, remember, two_loops
from onelayer.solvers.linear import UNSEEN, Solve, Steep, conjugate_gradients, inverse, symmetric_solver
from onelayer.solvers.progress import Lifted, Outcome, Point, Watch

Array = NDArray[Any]

BLOCK = 512  # parameters of one output up to which its own block of the Hessian is factored as preconditioner
ROWS = 15  # for each parameter of one output, from which its block is taken: it only preconditions
ARMIJO = 1e-4  # Nocedal & Wright, Numerical Optimization, 2nd ed., p. 33
HALVINGS = 40
AGED = 4  # how much an older Hessian may have changed along the gradient
SLOW = 0.1  # of the decrement left after a step with an older Hessian: from there on, a new one pays
DOUBLE = float(np.finfo(np.float64).eps)
STALE = 0.5  # of the value: from there on, a Hessian has changed enough to be taken anew
NEARLY = 0.03  # of a residual: what may be left when a sample's Hessian is inverted
FLOOR = 8  # units of the rows' precision: below this, two values of the objective cannot be told apart
ROUNDING = FLOOR * DOUBLE
# a Hessian costs a product for so many columns, times those there are for each entry of a row; products of sparse rows
# are slower for their entries
COLUMNS, COLUMNS_OF_SPARSE = 25, 250
LEAST, LEAST_OF_SPARSE = 10, 20  # products, whatever they cost
WIDE = 16  # times columns and outputs: the square of the rows, from where it takes longer to diagonalise them
FEW, FEW_OF_SPARSE = 128, 32  # parameters up to which a Hessian that no sample has is formed at once
EASY = 6  # products for a step: columns that took more depend on one another too much for a Hessian to be remembered
PAIRS = 12  # of steps and what they change
RECENT = 5  # of them, which may have seen the same Hessian
LATELY = 3  # steps, in which a decrement halves at least while what is remembered is of use
NEAR = 0.05  # of the value: a decrement below it is that of a quadratic, to a few per cent


@dataclass(frozen=True)
class Curvature:
    """The Hessian at some point, or nearly: ``solve(g)`` is H⁻¹ g.

    ``error`` is how much it may be off, as a factor of the true one: 1 for all rows; for a sample of s rows and p
    parameters (1 + √(p/s))², the edge of the spectrum of a sampled covariance (Marchenko & Pastur, 1967).
    ``value`` is the objective's where it was taken.
    """

    solve: Solve
    value: float
    error: float = 1.0
    times: Solve | None = None  # the inverse of solve
    diagonal: Array | None = None  # of what times multiplies with, about, where it knows nothing of other directions

    def step(self, point: Point) -> tuple[Array, float]:
        """Newton's step from a point, and the decrement: twice what it promises to lower the value by."""
        step = -self.solve(point.gradient)
        return step, -float(np.vdot(point.gradient, step))

    def hidden(self, objective: Any, point: Point, tol: float) -> tuple[float, float]:
        """What directions that no product sees may hold of the gap, and 1; or nothing, and the least eigenvalue there.

        Along directions that no row tells from one another (all levels of a category, and the bias) penalties alone
        bend. Weights grow in multiples of P⁻¹ times what rows say; the optimum has such multiples of the penalties'
        inverse. What of the penalty no multiple explains may be lost along them: if it is more than half of `tol` and
        no duality gap denies it, P⁻¹H is taken to have as small an eigenvalue as penalties allow.
        """
        d = objective.rows.d
        u = point.u[:, :d]
        if self.diagonal is None or not (objective.penalty > 0).all() or not u.any():
            return 0.0, 1.0
        squares, ratio = objective.penalty * u**2, self.diagonal[:, :d] / objective.penalty
        lost = float(squares.sum() - (squares * ratio).sum() ** 2 / (squares * ratio**2).sum()) / 2
        lost = min(max(lost, 0.0), _duality_gap(objective, point))
        return (lost, 1.0) if lost <= tol / 2 * point.value else (0.0, float(1 / ratio.max()))

    def beside(self, steep: Steep | None) -> "Curvature":
        """The same but along steep directions, which are given the curvature that was seen there."""
        if steep is None:
            return self
        solve, times, (values, bent, others) = self.solve, cast(Solve, self.times), steep
        directions = np.stack([solve(b) for b in bent])
        more = values / others  # than others: P is to have all alike

        def with_them(f: Solve, along: Array, share: Array) -> Solve:
            return lambda v: f(v) + np.tensordot(share * np.tensordot(along, v, v.ndim), along, 1)

        return replace(self, solve=with_them(solve, directions, 1 / more - 1), times=with_them(times, bent, more - 1))


def spanned(objective: Any) -> bool:
    """Whether the weights lie in the span of fewer rows: all are penalised; and no block is to be prepared."""
    rows = objective.rows
    return bool(rows.d > rows.n and rows.plain and (objective.penalty > 0).all())


def newton(objective: Any, u: Array, *, tol: float, max_iter: int, watch: Watch, samples: Iterable[Any]) -> Outcome:
    """Minimise a smooth convex objective to a relative gap of `tol`, by way of its `samples`, smallest first.

    With few parameters, all rows are then asked for gradients only: their curvature is the last sample's, as long as
    that shortens the way enough (Bollapragada, Byrd & Nocedal, IMA Journal of Numerical Analysis 39, 2019); after
    that it preconditions conjugate gradients, which cost less than second derivatives of all rows.
    """
    u, curvature = _on_samples(samples, u, max_iter, watch)
    rows = objective.rows
    if spanned(objective) and rows.n**2 < WIDE * objective.outputs * rows.d:
        return in_row_space(objective, u, tol, max_iter, watch)
    few = DIRECT if curvature is not None else FEW_OF_SPARSE if rows.sparse else FEW
    if u.size > few:
        outcome = _truncated(objective, _seen(objective, u, watch), tol, max_iter, watch, curvature)
    else:
        cheap = curvature is None or u.size <= SQUARE  # the Hessian of all rows, beside some products with it
        outcome, curvature = _direct(objective, u, tol, max_iter, watch, curvature, anew=cheap)
        if not cheap and not outcome.converged and not watch.stopped:
            outcome = _truncated(objective, outcome.point, tol, max_iter, watch, curvature)
    return certified(objective, outcome, tol, watch)


def _on_samples(samples: Iterable[Any], u: Array, max_iter: int, watch: Watch) -> tuple[Array, Curvature | None]:
    """The optimum of the largest sample, about, and its curvature there."""
    curvature = None
    for sample in samples:
        # a sample of n rows knows the optimum to about p / (2 n), so going further would be wasted
        accuracy = min(0.2 * u.size / sample.rows.n, 0.02)
        if formed(sample.rows.n, u.shape):
            outcome, curvature = _direct(sample, u, accuracy, max_iter, watch, None)
            if curvature is not None:
                curvature = replace(curvature, error=(1 + math.sqrt(u.size / sample.rows.n)) ** 2)
        else:
            outcome = _truncated(sample, _seen(sample, u, watch), accuracy, max_iter, watch, curvature)
            if curvature is not None:
                curvature = _of_sample(sample, outcome.point, curvature)
        u = outcome.point.u
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
        seen = Watch(see)
        outcome = _truncated(inside, _seen(inside, start, seen), tol, max_iter, seen, None)
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
            curvature, older = factored(objective, point), False
            step, decrement = curvature.step(point)
        gap, kind = _gap(point, decrement * (AGED if older and curvature.error == 1 else curvature.error))
        if iteration == max_iter or watch.stopped or gap <= max(tol, ROUNDING) * point.value:
            break
        following = _line_search(objective, point, step, decrement)
        if following is None and older:
            curvature = None
            continue
        if following is None:
            return Outcome(point, gap, kind, _at_rounding(objective, point, decrement)), curvature
        point, last, older = following, decrement, True
        watch(point)
    return Outcome(point, gap, kind, bool(gap <= max(tol, ROUNDING) * point.value)), curvature


def _seen(objective: Any, u: Array, watch: Watch) -> Point:
    point = Point.at(objective, u, keep=True)
    watch(point)
    return point


def _truncated(
    objective: Any, point: Point, tol: float, max_iter: int, watch: Watch, curvature: Curvature | None
) -> Outcome:
    """Steps by conjugate gradients, no more exact than they need be (Nocedal & Wright, 2nd ed., § 7.1).

    Once these have taken as many products as a Hessian costs, one is formed to precondition the next: columns that
    nearly depend on one another need it or thousands of products, and no more than twice the least is spent so.
    """
    gap, kind, seen, price, prepare = math.inf, "estimate", UNSEEN, hessian_price(objective), _preconditioner
    left = gap  # without what is hidden
    if point.logits is None:
        point = replace(point, logits=objective.logits(point.u))
    remembering, floor, steps = curvature is None and _memorable(objective), 1.0, 0
    while True:
        if curvature is not None and seen.steps >= 3:
            # as if all of the gradient lay where the step before has seen the least of the spectrum, and half of that
            gap, kind = _gap(point, 2 / seen.least * curvature.step(point)[1])
            left = gap
            if gap <= tol * point.value:
                more, floor = curvature.hidden(objective, point, tol)
                if seen.least <= floor and gap + more <= tol * point.value:
                    gap += more
                    break
        product = objective.product(point.u, point.logits)
        if curvature is None or point.value < STALE * curvature.value:
            curvature = prepare(objective, point)
        wanted = 0.2 * tol * point.value
        forcing = min(0.3, math.sqrt(min(left, point.value) / max(point.value, 1e-300)))
        step, seen = conjugate_gradients(
            product,
            -point.gradient,
            curvature.solve,
            forcing,
            wanted,
            seen._replace(least=min(seen.least, floor)),
            along=product.along,
            most=price,
            steep=remembering,
        )
        decrement = -float(np.vdot(point.gradient, step))
        gap, kind = _gap(point, decrement + 4 * wanted + 2 * forcing**2 * decrement)
        left = gap
        if gap <= tol * point.value:
            more, floor = curvature.hidden(objective, point, tol)
            gap += more + (seen.left / floor if floor < 1 else 0.0)
        price -= seen.steps
        if price <= 0:  # they may have been cut short, and then the decrement says nothing
            curvature, prepare, price, seen, remembering = None, factored, math.inf, UNSEEN, False
            gap, kind, left = point.value, "bound", point.value
        if steps == max_iter or watch.stopped or gap <= max(tol, ROUNDING) * point.value:
            break
        following = _line_search(objective, point, step, decrement, product.moved)
        if following is None:
            return Outcome(point, gap, kind, _at_rounding(objective, point, decrement))
        point, before = following, point
        steps += 1
        watch(point)
        if curvature is not None and remembering and seen.steps <= EASY:
            outcome, more = _remembering(
                objective, before, point, curvature.beside(seen.steep), tol, max_iter - steps, watch
            )
            if outcome.converged:
                return outcome
            point, remembering = outcome.point, False
            steps, price = steps + more, max(1, price - more)
    return Outcome(point, gap, kind, bool(gap <= max(tol, ROUNDING) * point.value))


def _memorable(objective: Any) -> bool:
    """Whether steps with a remembered Hessian pay: of sparse rows and of softmax, products cost much less than they."""
    return bool(objective.outputs == 1 and not objective.rows.sparse)


def _remembering(
    objective: Any, before: Point, point: Point, curvature: Curvature, tol: float, max_iter: int, watch: Watch
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
    if (objective.penalty > 0).all() and (dual := _duality_gap(objective, point)) <= 10 * wanted:
        return dual
    plain = float(np.vdot(point.gradient, curvature.solve(point.gradient)))
    if 1.2 * plain > wanted:  # no eigenvalue is much above 1
        return point.value
    least = least_eigenvalue(list(pairs)[-RECENT:], cast(Solve, curvature.times))
    more, floor = curvature.hidden(objective, point, tol)
    return _gap(point, 2 / min(least, floor) * plain)[0] + more if least > 0 else point.value


def hessian_price(objective: Any) -> float:
    """How many products a Hessian costs, about; infinitely many where it would be twice as large as the rows."""
    size, rows = math.prod(objective.shape), objective.rows
    if size**2 > 2 * rows.entries:
        return math.inf
    ratio: float = size**2 * (rows.n + size) / (rows.entries * objective.outputs)  # to form it, and to factor it
    least, columns = (LEAST_OF_SPARSE, COLUMNS_OF_SPARSE) if rows.sparse else (LEAST, COLUMNS)
    return max(least, math.ceil(ratio / columns))


def _of_sample(sample: Any, point: Point, curvature: Curvature) -> Curvature:
    """The sample's Hessian, inverted by conjugate gradients: dearer to form than to multiply with."""
    product = sample.product(point.u, point.logits)

    def solve(g: Array) -> Array:
        return conjugate_gradients(product, g, curvature.solve, NEARLY, 0.0)[0]

    return Curvature(solve, point.value, (1 + math.sqrt(point.u.size / sample.rows.n)) ** 2)


def _preconditioner(objective: Any, point: Point) -> Curvature:
    """Each output's own block of the Hessian where it is small, else the Hessian's diagonal in scaled columns."""
    if objective.outputs > 1 and objective.shape[1] <= BLOCK:
        few = objective.thinned(ROWS * objective.shape[1])
        directions, blocks = few.blocks(point.u)
        inverses = np.stack([inverse(block) for block in blocks])
        return Curvature(
            lambda g: directions @ np.matmul(inverses, (directions.T @ g)[:, :, None])[:, :, 0], point.value
        )
    diagonal = np.maximum(objective.diagonal(point.u, point.logits), 1e-300)
    return Curvature(
        lambda g: np.asarray(g / diagonal), point.value, times=lambda v: np.asarray(v * diagonal), diagonal=diagonal
    )


def factored(objective: Any, point: Point) -> Curvature:
    """The Hessian at a point, factored once."""
    H = _determined(objective, objective.hessian(point.u, point.logits))
    solve = symmetric_solver(H)
    return Curvature(lambda g: solve(g.ravel()).reshape(g.shape), point.value)


def _determined(objective: Any, H: Array) -> Array:
    """Add curvature along shifts common to all classes, which change no softmax and along which no gradient points."""
    k, p = objective.shape
    if k > 1:
        free = np.flatnonzero(objective.ridge == 0)
        blocks = H.reshape(k, p, k, p)
        blocks[:, free, :, free] += (np.abs(np.diag(H)).reshape(k, p).mean(axis=0)[free] / k)[:, None, None]
    return H


def _line_search(objective: Any, point: Point, step: Array, decrement: float, moved: Any = None) -> Point | None:
    """The first of the steps 1, 1/2, 1/4 … that lowers the value enough, or, at the limit of rounding, the gradient.

    `moved` is how it moves the logits, where that is known.
    """
    t = 1.0
    noise = 64 * FLOOR * objective.rows.precision * abs(point.value)
    for _ in range(HALVINGS):
        near = None if moved is None else (point.logits, moved, t)
        trial = Point.at(objective, point.u + t * step, keep=point.logits is not None, near=near)
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
    if watch.stopped or not outcome.converged or not (objective.penalty > 0).all():
        return outcome
    point, most = outcome.point, max(tol, 2 * ROUNDING)
    if _duality_gap(objective, point) > most * point.value:
        return outcome
    if objective.bias:
        u, logits = objective.balanced(point.u, point.logits, point.gradient[:, -1])
        point = Point.at(objective, u, logits=logits)
    gap = _duality_gap(objective, point) + ROUNDING * point.value
    if gap > most * point.value:
        return outcome
    watch(point)
    return replace(outcome, point=point, gap=gap, gap_kind="bound")


def _duality_gap(objective: Any, point: Point) -> float:
    g = point.gradient[:, : objective.rows.d]
    return float((g**2 / (2 * objective.penalty)).sum())


def gap_at(objective: Any, point: Point) -> tuple[float, str]:
    """How far the value at a point is from the optimum, and whether that is a "bound" or an "estimate"."""
    if point.u.size <= DIRECT:
        return _gap(point, factored(objective, point).step(point)[1])
    solve = _preconditioner(objective, point).solve
    step, _ = conjugate_gradients(objective.product(point.u, point.logits), -point.gradient, solve, 0.1, 0.0)
    return _gap(point, -float(np.vdot(point.gradient, step)))


def _gap(point: Point, decrement: float) -> tuple[float, str]:
    """How far the value is from the optimum: half the Newton decrement near it, a bound elsewhere.

    The decrement is exact for a quadratic; where it is a large part of the value, the objective is not one yet, and
    no loss is below 0.
    """
    estimate = 0.6 * decrement  # half, and a fifth of it for what is left of higher terms
    return (estimate, "estimate") if estimate < NEAR * point.value else (point.value, "bound")
