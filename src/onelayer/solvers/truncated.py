"""Newton's method by conjugate gradients, no more exact than they need be, while products cost less than a Hessian."""

import math
from collections import deque
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.asked import Layer
from onelayer.solvers.curvature import Curvature, Preconditioning, ridge_gap
from onelayer.solvers.gaps import ROUNDING, at_rounding, gap_from, to_come
from onelayer.solvers.lbfgs import Pair, least_eigenvalue, remember, two_loops
from onelayer.solvers.line_search import line_search
from onelayer.solvers.linear import UNSEEN, Seen, Solve, conjugate_gradients
from onelayer.solvers.progress import Outcome, Point, Watch
from onelayer.solvers.second_look import SecondLook

Array = NDArray[Any]

SURE = 1e-3  # of a residual that may hide a way down: what may be left of it
EASY = 6  # products for a step: columns that took more depend on one another too much for a Hessian to be remembered
PAIRS = 12  # of steps and what they change
BEYOND = 4  # times the value, half of which a step promises: no loss is below 0, and a longer one is cut off anyway
RECENT = 5  # of them, which may have seen the same Hessian
LATELY = 3  # steps, in which a decrement halves at least while what is remembered is of use
QUADRATIC = 0.5  # times √tol of the value: after a decrement below it, what is not quadratic is below tol
PROVABLE = 600  # times what is left of the quadratic: a duality gap that is no more is brought below `tol` with it


def truncated(
    objective: Layer,
    point: Point,
    tol: float,
    max_iter: int,
    watch: Watch,
    curvature: Curvature | None,
    within: float = math.inf,
    *,
    look: SecondLook | None = None,
    sure: bool = False,
) -> tuple[Outcome, Curvature | None]:
    """Steps by conjugate gradients, no more exact than they need be (Nocedal & Wright, 2nd ed., § 7.1).

    Once these have taken as many products as a Hessian, or its blocks, cost, they are formed to precondition the next:
    columns that nearly depend on one another need that or thousands of products, and twice the least is spent at most.
    Ends `within` so many, for whoever knows another way then. To be `sure`, steps are as exact as they are long: what
    is left of a residual may still hide a way down. What preconditioned the last step is told, too.
    """
    ways, remembering = Preconditioning(objective, curvature), curvature is None and _memorable(objective)
    end, near = _End(objective, tol, look, sure), QUADRATIC * math.sqrt(tol)
    seen, last, steps = UNSEEN, math.inf, 0
    if point.logits is None:
        point = replace(point, logits=objective.logits(point.u))
    while not end.foreseen(point, ways.curvature, seen, last):
        product, curvature = objective.product(point.u, point.logits), ways.at(point, seen.steps)
        if look and ways.exact:
            look.clear = True
        forcing, wanted = end.exactness(point, curvature, seen)
        step, seen = conjugate_gradients(
            product,
            -point.gradient,
            curvature.solve,
            forcing,
            wanted,
            seen._replace(least=min(seen.least, end.floor)),
            along=product.along,
            most=min(ways.left, within),
            steep=remembering,
            quadratic=near * point.value,
            there_is=BEYOND * point.value,
        )
        decrement = -float(np.vdot(point.gradient, step))
        end.estimate(point, curvature, seen, (1 + 2 * forcing**2) * decrement * to_come(decrement, last) + 4 * wanted)
        ways.left, within = ways.left - seen.steps, within - seen.steps
        if min(ways.left, within) <= 0:  # they may have been cut short, and then the decrement says nothing
            end.forget(point)
            if within <= 0:
                break
            ways.go_on()
            seen, remembering = UNSEEN, False
        if steps == max_iter or watch.stopped or end.reached(point):
            break
        following = line_search(objective, point, step, decrement, product.moved, last=decrement < near * point.value)
        if following is None:
            return end.outcome(point, rounding=at_rounding(objective, point, decrement)), ways.curvature
        before, point, last = point if remembering else None, following, decrement
        del product, step, following  # before the next ones take their memory
        steps += 1
        watch(point)
        if before and seen.steps <= EASY:
            steep = curvature.beside(seen.steep)
            outcome, done = _remembering(objective, before, point, steep, tol, max_iter - steps, watch, look)
            if outcome.converged:
                return outcome, ways.curvature
            point, remembering = outcome.point, False
            steps, ways.left, within = steps + done, max(1, ways.left - done), max(1, within - done)
    return end.outcome(point), ways.curvature


class _End:
    """How far the point of a fit is from the optimum, whether that is near enough, and what would make it so.

    Attributes
    ----------
    gap, kind : float, str
        Of the point, as an `Outcome` has them.
    left : float
        What of it steps may still gain: without what no product sees.
    floor : float
        The least eigenvalue of P⁻¹H that directions have which no product sees.
    loose : float
        Times as much as is left of the quadratic is the duality gap; infinite where no bound is aimed at.
    """

    def __init__(self, objective: Layer, tol: float, look: SecondLook | None, sure: bool) -> None:
        self.objective, self.tol, self._look, self._sure = objective, tol, look, sure
        self.gap = self.left = self.loose = self._dual = math.inf
        self.kind, self.floor, self._enough = "estimate", 1.0, False

    def foreseen(self, point: Point, curvature: Curvature | None, seen: Seen, last: float) -> bool:
        """Whether the point is near enough, as far as that is known before another product.

        By the duality gap, a bound once the biases are balanced. Else as if all of the gradient lay where the last step
        saw the least of the spectrum, and half of that; unless a bound is within reach.
        """
        most, self._dual = self.tol * point.value, ridge_gap(self.objective, point)
        if self._dual <= most and not self._sure:
            self.gap, self.kind = self._dual, "estimate"
            return True
        if curvature is None or seen.steps < 3 or self.loose <= PROVABLE:
            return False
        decrement = 2 / seen.least * curvature.step(point)[1]
        self.left, self.kind = gap_from(point, decrement * to_come(decrement, last))
        if self.left > most:
            return False
        more, self.floor = curvature.unseen(self.objective, point, self.tol)
        self.gap = self.left + more
        return seen.least <= self.floor and self.gap <= most

    def exactness(self, point: Point, curvature: Curvature, seen: Seen) -> tuple[float, float]:
        """What the next step may leave: of its residual, as a share, and of the quadratic.

        Where the duality gap will be sharp enough with little more, so much less.
        """
        if self._sure:
            return SURE, 0.0
        forcing = min(0.3, math.sqrt(min(self.left, point.value) / max(point.value, 1e-300)))
        unproved = self._look is not None and not self._look.clear
        self.loose = 2 * self._dual / max(curvature.step(point)[1], 1e-300) if unproved else math.inf
        wanted = 0.2 * self.tol * point.value
        return forcing, wanted / max(1.0, self.loose * seen.least) if self.loose <= PROVABLE else wanted

    def estimate(self, point: Point, curvature: Curvature, seen: Seen, decrement: float) -> None:
        """The gap from a decrement, and from what no product sees."""
        self.gap, self.kind = gap_from(point, decrement)
        self.left = self.gap
        if self.gap <= self.tol * point.value:
            more, self.floor = curvature.unseen(self.objective, point, self.tol)
            self.gap += more + (seen.left / self.floor if self.floor < 1 else 0.0)

    def forget(self, point: Point) -> None:
        """What was said of the point."""
        self.gap, self.kind, self.left, self.floor = point.value, "bound", point.value, 1.0

    def reached(self, point: Point) -> bool:
        """Whether the point is near enough; one that a step more may prove to be so is given that step."""
        before, self._enough = self._enough, self._is_enough(point)
        return self._enough and (before or self.loose > PROVABLE)

    def outcome(self, point: Point, *, rounding: bool = False) -> Outcome:
        """At the point, from which there may be no way on for rounding."""
        return Outcome(point, self.gap, self.kind, rounding or self._is_enough(point))

    def _is_enough(self, point: Point) -> bool:
        return bool(self.gap <= max(self.tol, ROUNDING) * point.value)


def _memorable(objective: Layer) -> bool:
    """Whether steps with a remembered Hessian pay: of sparse rows and of softmax, products cost much less than they."""
    return bool(objective.outputs == 1 and not objective.rows.sparse)


def _remembering(
    objective: Layer,
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
            following = line_search(objective, point, step, decrements[-1])
        if following is None:
            return Outcome(point, point.value, "bound", False), done
        before, point = point, following
        watch(point)


def _remembered_gap(
    objective: Layer, point: Point, curvature: Curvature, pairs: deque[Pair], decrement: float, tol: float
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
