"""Newton's method with an L1 penalty: few columns at a time, and of these the ones that are not 0.

The columns that may matter form a working set (Johnson & Guestrin, "Blitz", ICML 2015). On it, each step is Newton's on
the weights that are not 0 or are about to leave it, cut off where a weight would change its sign (Keskar, Nocedal,
Öztoprak & Wächter, Optimization Methods and Software 31, 2016). A duality gap over all columns says when to stop.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh

from onelayer.solvers.curvature import hessian_price
from onelayer.solvers.linear import UNSEEN, Solve, conjugate_gradients, symmetric_solver
from onelayer.solvers.newton import ARMIJO, FLOOR, HALVINGS, ROUNDING, STALE
from onelayer.solvers.progress import Outcome, Point, Watch

Array = NDArray[Any]

FIRST = 400  # columns that may enter an empty working set at once; later as many as are in it
SETTLED = 0.1  # of the working set: when no more columns enter, it is taken for the last one
FISTA, ROUNDS = 100, 40  # proximal steps before the signs are tried, and how many signs are
DENSE, SPARSE = 600, 150  # weights up to which a sample's Hessian serves as model and preconditioner
CHEAP = 10**9  # rows times the square of the weights up to which the model is of more rows, or of all
MANY = 1200  # columns, more of which make a model dearer than products
MOST = 50  # products for a step: columns that nearly depend on one another would take thousands, and signs then change
POOR = 0.1  # of what a step promised: one that brings less was too long, and conjugate gradients are ended earlier
MODEL = 4  # times the price of a Hessian: what to minimise its model costs, about
RICH = 20  # rows of that sample for each weight
STRONGER, ROUGH = 1.4, 0.1
COARSE = 0.1  # of the lasso weights: violations that may be left while columns still enter
FINE = 0.5  # of the violation that would make up all of the gap asked for
LINGERING = 0.3  # of what the step before gained: a model that does not do better is made anew
SHRINK = 0.3  # of the level before, where it did not suffice
INNER = 50  # Newton steps on one working set


@dataclass(frozen=True)
class Place:
    """A point, the gradient of the smooth part, the weight of each |u_j| (0 for the bias) and their sum."""

    point: Point
    smooth: Array
    lasso: Array
    size: float

    @classmethod
    def at(cls, objective: Any, u: Array, **known: Any) -> "Place":
        """Ask the objective; the point's gradient is the subgradient of least size, 0 where u is optimal.

        What is `known` of the logits is for `Objective.evaluate`.
        """
        value, g, logits = objective.evaluate(u, keep=True, **known)
        lasso = _lasso(objective, u)
        held = np.sign(g) * np.maximum(np.abs(g) - lasso, 0)
        steepest = np.where(u != 0, g + lasso * np.sign(u), held)
        size = float((lasso * np.abs(u)).sum())
        return cls(Point(u, value + size, steepest, objective.rows.n, logits), g, lasso, size)

    def with_penalties_of(self, objective: Any, u: Array) -> "Place":
        """As if it were at u, with other penalties: no column may object by more than they have changed."""
        lasso = _lasso(objective, u)
        moved = self.lasso - lasso
        gradient = np.sign(self.smooth) * np.maximum(np.abs(self.smooth) + moved - lasso, 0)
        size = float((lasso * np.abs(u)).sum())
        return Place(replace(self.point, u=u, gradient=gradient), self.smooth, lasso, size)

    def of_columns(self, kept: Array, objective: Any) -> "Place":
        """As it is seen by an objective of these columns, all others having no weight."""
        chosen, point = np.append(kept, self.lasso.shape[1] - 1) if objective.bias else kept, self.point
        logits = objective.rows.cut(point.logits)
        point = replace(point, u=point.u[:, chosen], gradient=point.gradient[:, chosen], logits=logits)
        return Place(point, self.smooth[:, chosen], self.lasso[:, chosen], self.size)

    @property
    def violation(self) -> float:
        """The largest subgradient, relative to its lasso weight."""
        return float((np.abs(self.point.gradient) / np.maximum(self.lasso, 1e-300))[self.lasso > 0].max(initial=0.0))


class Kept:
    """The loss's Hessian for all columns, along a path, on which it differs little from one fit to the next.

    It is formed once products have cost as much, and anew when they have again. ``steepest`` is its largest
    eigenvalue, and no less than that of any of its parts.
    """

    def __init__(self) -> None:
        self.hessian, self.steepest = np.empty((0, 0)), 0.0
        self.spent = 0.0  # products with all columns since it was formed

    def of(self, objective: Any, columns: Array) -> tuple[Array, float] | None:
        """That of an objective of these columns, with its penalty, and how steep it is at most; None until it is."""
        if not self.hessian.size:
            return None
        chosen = np.append(columns, len(self.hessian) - 1) if objective.bias else columns
        ridge = objective.ridge
        return self.hessian[np.ix_(chosen, chosen)] + np.diag(ridge), self.steepest + float(ridge.max())

    def pay(self, products: float, objective: Any, place: Place) -> None:
        """Count so many products, and form it at this place if that is paid for."""
        self.spent += products
        if objective.outputs == 1 and objective.rows.d <= MANY and self.spent >= hessian_price(objective):
            self.hessian = objective.hessian(place.point.u, place.point.logits) - np.diag(objective.ridge)
            self.spent, self.steepest = 0.0, _steepest(self.hessian)


def proximal(
    objective: Any,
    u: Array,
    *,
    tol: float,
    max_iter: int,
    watch: Watch,
    samples: Iterable[Any] = (),
    before: Place | None = None,
    kept: Kept | None = None,
) -> Outcome:
    """Minimise a smooth convex objective plus Σ lasso_j |u_j| to a relative duality gap of `tol`.

    `before` is what is known of an optimum with penalties near these: only columns that may get a weight since then
    are looked at until all of those have theirs (the sequential strong rule of Tibshirani et al., Journal of the Royal
    Statistical Society B 74, 2012). `kept` is of these fits, too.
    """
    gap, steps, level = math.inf, 0, COARSE
    for sample in samples:
        stronger = STRONGER * math.sqrt(objective.rows.n / sample.rows.n)
        sample = replace(sample, penalty=stronger * sample.penalty, lasso=stronger * sample.lasso)
        u = proximal(sample, u, tol=ROUGH, max_iter=max_iter, watch=watch).point.u
    if before is None:
        u, logits = objective.balanced(u)
        place = Place.at(objective, u, logits=logits)
        watch(place.point)
    else:
        place = before.with_penalties_of(objective, u)
    while True:
        if before is None:
            gap = min(duality_gap(objective, place), place.point.value)
            if gap <= max(tol, ROUNDING) * place.point.value or steps >= max_iter or watch.stopped:
                break
        columns, entering = _working_set(place, objective.rows.d)
        whole = 2 * len(columns) > objective.rows.d
        if whole:
            columns = np.arange(objective.rows.d)
        inner, start = objective, place
        if not whole:
            inner = objective.of_columns(columns)
            start = place.of_columns(columns, inner)
        if before is not None:  # what is known is of another point
            start = Place.at(inner, start.point.u)
        # the gap is, to first order, the largest violation times the penalty: once few columns enter, go all the way
        level = min(level, COARSE * gap / place.point.value)
        if before is not None or entering <= SETTLED * len(columns):
            level = min(SHRINK * level, FINE * tol * place.point.value / max(place.size, 1e-300))
        model = None if kept is None else kept.of(inner, columns)
        reached, taken, products = _on_working_set(inner, start, level, watch, model, near=before is not None)
        steps += 1
        found, logits = inner.balanced(reached.point.u, reached.point.logits, reached.smooth[:, -1])
        u = found if whole else _of_all(found, columns, place.point.u)
        last, place = place, Place.at(objective, u, logits=objective.rows.cut(logits))
        watch(place.point)
        if kept is not None:
            kept.pay(products * inner.rows.d / objective.rows.d, objective, place)
        if taken == 0 and before is None and place.point.value >= last.point.value:
            break
        before = None
    converged = bool(gap <= max(tol, ROUNDING) * place.point.value)
    return Outcome(place.point, gap, "bound", converged, known=place)


def _lasso(objective: Any, u: Array) -> Array:
    return np.broadcast_to(np.append(objective.lasso, 0.0) if objective.bias else objective.lasso, u.shape)


def duality_gap(objective: Any, place: Place) -> float:
    """How far the value is from the optimum at most: primal less dual, at slopes shrunk until no column objects.

    The slopes at a point whose biases are balanced, times a share, are feasible in the dual once no column's
    gradient is beyond its lasso weight, or costs its square where the column has an L2 penalty, too (Fenchel's
    duality; Ndiaye, Fercoq, Gramfort & Salmon, Journal of Machine Learning Research 18, 2017).
    """
    d = objective.rows.d
    u, lasso, penalty = place.point.u[:, :d], place.lasso[:, :d], objective.penalty
    back = np.abs(place.smooth[:, :d] - penalty * u)
    over = (back / np.maximum(lasso, 1e-300)).max(axis=0, initial=0.0)
    both = np.flatnonzero(penalty > 0)
    # a share at which no column objects; or, where that is more, one at which those without an L2 penalty do not
    shares = {1 / max(1.0, float(each.max(initial=0.0))) for each in (over, np.delete(over, both))}

    def dual(share: float) -> float:
        beyond = np.maximum(share * back[:, both] - lasso[:, both], 0)
        return float(objective.dual(place.point.logits, share) - (beyond**2 / (2 * penalty[both])).sum())

    return max(place.point.value - max(map(dual, shares)), 0.0)


def _working_set(place: Place, d: int) -> tuple[Array, int]:
    """Columns with a weight, and those that would gain most from one, as many at most as there are; and how many."""
    inside = (place.point.u[:, :d] != 0).any(axis=0)
    violation = np.where(inside, 0, np.abs(place.point.gradient[:, :d]).max(axis=0))
    room = max(FIRST, int(inside.sum()))
    entering = np.flatnonzero(violation)
    if len(entering) > room:
        entering = entering[np.argpartition(-violation[entering], room)[:room]]
    return np.sort(np.concatenate([np.flatnonzero(inside), entering])), len(entering)


def _of_all(v: Array, kept: Array, u: Array) -> Array:
    whole = np.zeros_like(u)
    whole[:, kept] = v[:, : len(kept)]
    whole[:, len(u[0]) - (len(v[0]) - len(kept)) :] = v[:, len(kept) :]
    return whole


def _on_working_set(
    objective: Any,
    place: Place,
    level: float,
    watch: Watch,
    model: tuple[Array, float] | None,
    *,
    near: bool,
) -> tuple[Place, int, int]:
    """Newton's steps on the weights that are not 0 or leave it, until no subgradient is above `level` times lasso.

    How many there were is told, and with how many products. `model` is a Hessian taken before, and how steep it is; to
    form one of sparse rows does not pay at once where the start is `near`.
    """
    seen, relative, gain, products, most, size = UNSEEN, 1.0, math.inf, 0, MOST, place.point.u.size
    few, price = model is not None or size <= (SPARSE if objective.rows.sparse else DENSE), hessian_price(objective)
    slow = model is None and not (near and objective.rows.sparse)
    (hessian, steepest), taken_at = model or (None, 0.0), place.point.value
    for iteration in range(INNER):
        point, violation = place.point, place.violation
        if violation <= level or watch.stopped:
            return place, iteration, products
        product, curvatures = objective.product(point.u, point.logits), objective.mean_curvature(point.logits)
        left = MODEL * price - products
        if (slow and (few or left <= 0)) or (few and point.value < STALE * taken_at):
            rows = objective.thinned(max(RICH * size, CHEAP // size**2)) if few else objective
            hessian, taken_at = rows.hessian(point.u), point.value
            steepest = _steepest(hessian)
        target = point.u if hessian is None else _model_minimum(hessian, steepest, place)
        if not np.array_equal(np.sign(target), np.sign(point.u)):
            following = _towards(objective, place, target)
        else:
            free = (point.u != 0) | (place.lasso == 0) | ((point.gradient != 0) & (hessian is None))
            shift = free.all(axis=0) * (curvatures.mean() if objective.outputs > 1 else 0.0)
            solve = _preconditioner(hessian, free, shift, np.maximum(curvatures[:, None] + objective.ridge, 1e-300))
            step, seen = conjugate_gradients(
                _masked(product, free, shift),
                np.where(free, -point.gradient, 0),
                solve,
                min(0.3, violation, math.sqrt(relative)),
                0.0,
                seen,
                0.5 * level * np.where(place.lasso > 0, place.lasso, place.lasso.max(initial=0.0)),
                along=product.along,
                most=min(left, most) if hessian is None else math.inf,
            )
            promised = max(-float(np.vdot(point.gradient, step)), 0.0)
            relative = min(1.0, promised / point.value)
            following, trials = _line_search(objective, place, step, product.moved)
            products += seen.steps + trials - 1
            kept_up = following is not None and point.value - following.point.value > POOR * promised
            most = min(2 * most, MOST) if kept_up else max(seen.steps // 2, 2)
        if following is None:
            return place, iteration, products
        gain, before = point.value - following.point.value, gain
        slow = gain > LINGERING * before
        place = following
    return place, INNER, products


def _steepest(hessian: Array) -> float:
    return float(eigvalsh(hessian, subset_by_index=[len(hessian) - 1] * 2)[0])


def _model_minimum(hessian: Array, steepest: float, place: Place) -> Array:
    """Where the quadratic model with its L1 penalty is least: signs by proximal gradients, then numbers exactly.

    Where these numbers cross 0, the best of the crossings is taken and the signs there are tried next (Lee, Battle,
    Raina & Ng, "Efficient sparse coding algorithms", NIPS 2006); where that gains nothing, one weight enters at a time.
    """
    u, lasso = place.point.u.ravel(), place.lasso.ravel()
    linear = place.smooth.ravel() - hessian @ u
    v, single = _proximal_gradients(hessian, steepest, linear, lasso, u), False
    for _ in range(ROUNDS):
        g = hessian @ v + linear
        beyond = np.where(v == 0, np.maximum(np.abs(g) - lasso * (1 + 1e-9), 0), 0)
        entering = beyond == beyond.max() if single else beyond > 0
        entering &= beyond > 0
        inside = np.flatnonzero((v != 0) | (lasso == 0) | entering)
        sign = np.where(v != 0, np.sign(v), -np.sign(g))[inside]
        exact = np.zeros_like(v)
        exact[inside] = -symmetric_solver(hessian[np.ix_(inside, inside)])(linear[inside] + lasso[inside] * sign)
        crossing = inside[(np.sign(exact[inside]) != sign) & (lasso[inside] > 0)]
        if len(crossing):
            following = _best_crossing(hessian, g, lasso, v, exact - v)
            if following is v and (single or not entering.any()):
                break
            single, v = following is v, following
        elif entering.any():
            single, v = False, exact
        else:
            v = exact
            if (np.abs(hessian @ v + linear) <= lasso * (1 + 1e-9))[v == 0].all():
                break
    return np.asarray(v.reshape(place.point.u.shape))


def _best_crossing(hessian: Array, g: Array, lasso: Array, v: Array, step: Array) -> Array:
    """The best of the points from v to v + step where a weight is 0, and of the end; v where none is better."""
    moving = np.flatnonzero((step != 0) & (v != 0) & (lasso > 0))
    shares = -v[moving] / step[moving]
    shares = np.append(shares[(shares > 0) & (shares < 1)], 1.0)
    points = v + shares[:, None] * step
    points[np.abs(points) <= 1e-14 * np.abs(v)] = 0
    slope, bend = float(g @ step), float(step @ (hessian @ step))
    gains = shares * slope + shares**2 / 2 * bend + (np.abs(points) - np.abs(v)) @ lasso
    best = int(gains.argmin())
    return points[best] if gains[best] < 0 else v


def _proximal_gradients(hessian: Array, steepest: float, linear: Array, lasso: Array, v: Array) -> Array:
    """Accelerated steps, with a restart when momentum leads uphill (O'Donoghue & Candès, FoCM 15, 2015)."""
    rate, ahead, momentum = 1 / steepest, v, 1.0
    for _ in range(FISTA):
        moved = ahead - rate * (hessian @ ahead + linear)
        following = np.sign(moved) * np.maximum(np.abs(moved) - rate * lasso, 0)
        change = following - v
        if (ahead - following) @ change > 0:
            momentum = 1.0
        after = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / after * change
        v, momentum = following, after
        if np.abs(change).max() <= 1e-6 * np.abs(v).max():
            break
    return v


def _towards(objective: Any, place: Place, target: Array) -> Place | None:
    """The first of the points all, a half, a quarter … of the way to the model's minimum that gains enough."""
    point, step = place.point, target - place.point.u
    gain = -float(np.vdot(place.smooth, step) + (place.lasso * (np.abs(target) - np.abs(point.u))).sum())
    t = 1.0
    for _ in range(HALVINGS):
        trial = Place.at(objective, target if t == 1 else point.u + t * step)
        if trial.point.value <= point.value - ARMIJO * t * gain and trial.point.value < point.value:
            return trial
        if t * gain < FLOOR * objective.rows.precision * point.value:
            return None
        t /= 2
    return None


def _masked(product: Solve, free: Array, shift: Array) -> Solve:
    """A product on the free weights; shifts common to all classes, which bend no softmax, are given curvature."""
    if len(free) == 1:
        return lambda v: product(v) * free
    return lambda v: np.where(free, product(v) + shift * v.mean(axis=0), 0)


def _preconditioner(hessian: Array | None, free: Array, shift: Array, diagonal: Array) -> Solve:
    """The inverse of a sample's Hessian on the free weights where there is one, else of the Hessian's diagonal."""
    if hessian is None:
        return lambda g: np.asarray(g / diagonal)
    k = len(free)
    hessian = hessian + np.kron(np.full((k, k), 1 / k), np.diag(shift))
    inside = np.flatnonzero(free)
    inverse = symmetric_solver(hessian[np.ix_(inside, inside)])

    def solve(g: Array) -> Array:
        step = np.zeros_like(g)
        step.ravel()[inside] = inverse(g.ravel()[inside])
        return step

    return solve


def _line_search(objective: Any, place: Place, step: Array, moves: Any) -> tuple[Place | None, int]:
    """The first of the steps 1, 1/2, 1/4 … cut off where a weight would change its sign, that gains enough.

    How many were tried is told. `moves` is how it moves the logits, where that is known.
    """
    point = place.point
    sign = np.where(point.u != 0, np.sign(point.u), -np.sign(point.gradient))
    bound = place.lasso > 0
    noise = 64 * FLOOR * objective.rows.precision * abs(point.value)
    t = 1.0
    for trials in range(1, HALVINGS + 1):
        moved = point.u + t * step
        crossing = bound & (np.sign(moved) != sign)
        near = None if moves is None or crossing.any() else (point.logits, moves, t)
        u = np.where(crossing, 0, moved)
        trial = Place.at(objective, u, near=near)
        gain = -float(np.vdot(point.gradient, u - point.u))
        if trial.point.value <= point.value - ARMIJO * gain and trial.point.value < point.value:
            return trial, trials
        if trial.point.value <= point.value + noise and trial.point.norm < point.norm:
            return trial, trials  # two values so near cannot be told apart: the subgradient still can
        if abs(gain) < noise / 64:
            return None, trials
        t /= 2
    return None, HALVINGS
