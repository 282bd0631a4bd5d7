"""Newton's method with an L1 penalty: few columns at a time, and of these the ones that are not 0.

The columns that may matter form a working set (Johnson & Guestrin, "Blitz", ICML 2015). On it, each step goes to the
minimum of a quadratic model with the penalty (Lee, Sun & Saunders, SIAM Journal on Optimization 24, 2014); or is
Newton's on the weights that are not 0 or are about to leave it, cut off where a weight would change its sign (Keskar,
Nocedal, Öztoprak & Wächter, Optimization Methods and Software 31, 2016). A duality gap over all columns says when to
stop.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.curvature import hessian_price
from onelayer.solvers.lasso import lasso_minimum, lasso_roughly, lasso_surely
from onelayer.solvers.linear import UNSEEN, Solve, conjugate_gradients, symmetric_solver
from onelayer.solvers.newton import ARMIJO, DOUBLE, FLOOR, HALVINGS, ROUNDING, STALE
from onelayer.solvers.progress import Outcome, Point, Watch

Array = NDArray[Any]

# columns that may enter an empty working set at once (later as many as are in it): of dense ones, whose models cost
# their square, as many as the root of so many times all columns, or the least
FIRST, LEAST, TIMES = 400, 32, 8
TRIFLE = 2**24  # multiplications: dense rows whose Hessian and its inverse cost no more are modelled anew at each step
FLAT, FLATTEST = 4, 600  # rows at most for each weight, and weights, of which that is true, too
RIGHT = 4  # rows for each weight from where the exact minimum of a model costs little beside it
NEARLY, LITTLE = 0.1, 0.01  # of the lasso weights, and the value: a violation, or a gain, from where it is worth that
FALLING = 0.5  # of the violation before: what may be left of it after a step to a model's minimum that was one
CRAWLING = 1e-3  # of the value: a step with more weights than dense rows that gains no more leads nowhere, either
SETTLED = 0.1  # of the working set: when no more columns enter, it is taken for the last one
DENSE, SPARSE = 600, 150  # weights up to which a sample's Hessian serves as model and preconditioner
CHEAP = 10**9  # rows times the square of the weights up to which the model is of more rows, or of all
MANY = 1200  # columns, more of which make a model dearer than products
LARGEST = 4000  # weights of a model that is made where nothing else leads on
MOST = 50  # products for a step: columns that nearly depend on one another would take thousands, and signs then change
POOR = 0.1  # of what a step promised: one that brings less was too long, and conjugate gradients are ended earlier
MODEL = 4  # times the price of a Hessian: what to minimise its model costs, about
RICH = 20  # rows of that sample for each weight
STRONGER, ROUGH = 1.4, 0.1
COARSE = 0.1  # of the lasso weights: violations that may be left while columns still enter
EARLY = 0.3  # of the violation before: may be left while there was no room for all columns that object
CLOSE = 0.1  # of the value: a gap above it says that the set is not the last one
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

    It is formed once products have cost as much, and anew when they have again.
    """

    def __init__(self) -> None:
        self.hessian = np.empty((0, 0))
        self.spent = 0.0  # products with all columns since it was formed

    def of(self, objective: Any, columns: Array) -> Array | None:
        """That of an objective of these columns, with its penalty; None until there is one."""
        if not self.hessian.size:
            return None
        chosen = np.append(columns, len(self.hessian) - 1) if objective.bias else columns
        return np.asarray(self.hessian[np.ix_(chosen, chosen)] + np.diag(objective.ridge))

    def pay(self, products: float, objective: Any, place: Place) -> None:
        """Count so many products, and form it at this place if that is paid for."""
        self.spent += products
        if objective.outputs == 1 and objective.rows.d <= MANY and self.spent >= hessian_price(objective):
            self.hessian = objective.hessian(place.point.u, place.point.logits) - np.diag(objective.ridge)
            self.spent = 0.0


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
        del sample  # before the next one takes its memory
    if before is None:
        u, logits = objective.balanced(u)
        place = Place.at(objective, u, logits=logits)
        watch(place.point)
    else:
        place = before.with_penalties_of(objective, u)
    while True:
        if before is None:
            enough = max(tol, ROUNDING) * place.point.value
            gap = min(duality_gap(objective, place, enough), place.point.value)
            if gap <= enough or steps >= max_iter or watch.stopped:
                break
        columns, entering, waiting = _working_set(place, objective.rows)
        modelled = objective.rows.sparse or objective.outputs * objective.rows.d <= MANY  # a model is not too large
        whole = 2 * len(columns) > objective.rows.d and (modelled or len(columns) == objective.rows.d)
        if whole:
            columns = np.arange(objective.rows.d)
        inner, start = objective, place
        if not whole:
            inner = objective.of_columns(columns, often=kept is not None)
            start = place.of_columns(columns, inner)
        if before is not None:  # what is known is of another point
            start = Place.at(inner, start.point.u)
        # the gap is, to first order, the largest violation times the penalty: once few columns enter, go all the way
        level = min(level, COARSE * gap / place.point.value)
        if waiting and not whole:
            level = max(level, EARLY * place.violation)
        last_one = entering <= SETTLED * len(columns) and gap <= CLOSE * place.point.value
        if before is not None or last_one:
            level = min(SHRINK * level, FINE * tol * place.point.value / max(place.size, 1e-300))
        model = None if kept is None else kept.of(inner, columns)
        reached, products = _on_working_set(inner, start, level, watch, model, near=before is not None)
        steps += 1
        found, logits = inner.balanced(
            reached.point.u, reached.point.logits, reached.smooth[:, -1] if objective.bias else None
        )
        u = found if whole else _of_all(found, columns, place.point.u)
        last, place = place, Place.at(objective, u, logits=objective.rows.cut(logits))
        watch(place.point)
        if kept is not None:
            kept.pay(products * len(columns) / objective.rows.d, objective, place)
        del inner, start, reached  # before the next working set takes their memory
        if before is None and place.point.value >= last.point.value and place.violation >= last.violation:
            break
        before = None
    converged = bool(gap <= max(tol, ROUNDING) * place.point.value)
    return Outcome(place.point, gap, "bound", converged, known=place)


def _lasso(objective: Any, u: Array) -> Array:
    return np.broadcast_to(np.append(objective.lasso, 0.0) if objective.bias else objective.lasso, u.shape)


def duality_gap(objective: Any, place: Place, enough: float = 0.0) -> float:
    """How far the value is from the optimum at most: primal less dual, at slopes shrunk until no column objects.

    The slopes at a point whose biases are balanced, times a share, are feasible in the dual once no column's
    gradient is beyond its lasso weight, or costs its square where the column has an L2 penalty, too (Fenchel's
    duality; Ndiaye, Fercoq, Gramfort & Salmon, Journal of Machine Learning Research 18, 2017). Of all of the slopes,
    the rows' part of the dual is their loss less what slopes and logits make together. It is concave in the share, and
    0 of none: so a share of it is no more than the dual of that share. Where this bound is not `enough`, the rows are
    asked.
    """
    d, value = objective.rows.d, place.point.value
    u, lasso, penalty = place.point.u[:, :d], place.lasso[:, :d], objective.penalty
    slopes = place.smooth.copy()
    slopes[:, :d] -= penalty * u
    back, both = np.abs(slopes[:, :d]), np.flatnonzero(penalty > 0)
    over = (back / np.maximum(lasso, 1e-300)).max(axis=0, initial=0.0)
    # a share at which no column objects; or, where that is more, one at which those without an L2 penalty do not
    shares = {1 / max(1.0, float(each.max(initial=0.0))) for each in (over, np.delete(over, both))}
    loss = value - place.size - float((penalty * u**2).sum()) / 2
    whole = loss - float(np.vdot(slopes, place.point.u))

    def gap(of_rows: Callable[[float], float]) -> float:
        beyond = {share: np.maximum(share * back[:, both] - lasso[:, both], 0) for share in shares}
        dual = max(of_rows(share) - float((b**2 / (2 * penalty[both])).sum()) for share, b in beyond.items())
        return max(value - dual, 0.0)

    at_once = gap(lambda share: share * whole)
    exact = objective.rows.precision == DOUBLE  # of single precision, the gradient knows no more than seven digits
    return at_once if exact and at_once <= enough else gap(lambda share: objective.dual(place.point.logits, share))


def _working_set(place: Place, rows: Any) -> tuple[Array, int, int]:
    """Columns with a weight, and those that would gain most from one, as many at most as there are.

    How many enter, and for how many there was no room, is told.
    """
    d = rows.d
    few = not rows.sparse and len(place.point.u) == 1  # models are made for them, and these cost their square
    first = min(FIRST, max(LEAST, rows.n), max(LEAST, math.isqrt(TIMES * d)) if few else FIRST)
    inside = (place.point.u[:, :d] != 0).any(axis=0)
    violation = np.where(inside, 0, np.abs(place.point.gradient[:, :d]).max(axis=0))
    room = max(first, int(inside.sum()))
    objecting = entering = np.flatnonzero(violation)
    if len(objecting) > room:
        entering = objecting[np.argpartition(-violation[objecting], room)[:room]]
    columns = np.sort(np.concatenate([np.flatnonzero(inside), entering]))
    return columns, len(entering), len(objecting) - len(entering)


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
    model: Array | None,
    *,
    near: bool,
) -> tuple[Place, int]:
    """Newton's steps on the weights that are not 0 or leave it, until no subgradient is above `level` times lasso.

    With how many products is told, too. `model` is a Hessian taken before; to form one of sparse
    rows does not pay at once where the start is `near`.

    Dense rows that cost little are modelled anew at each step, which goes to the model's minimum. Otherwise a sample of
    the rows is, and once the signs rest, conjugate gradients go on with all rows, that model preconditioning. Of more
    weights than rows, steps that lead hardly anywhere have a model made, and its minimum found surely.
    """
    walk, gain, size = Walk(), math.inf, place.point.u.size
    rows, price = objective.rows, hessian_price(objective)
    scarce = (
        rows.n < size or objective.outputs > 1
    )  # nothing bends along some directions: shifts common to all classes, too
    flat = objective.outputs == 1 and rows.n <= FLAT * size and size <= FLATTEST
    anew = not rows.sparse and (flat or size**2 * (rows.n + size) <= TRIFLE)
    few = anew or model is not None or size <= (SPARSE if rows.sparse else DENSE)
    slow = anew or (model is None and not (near and rows.sparse))
    hessian, taken_at, stuck, exact, worst = model, place.point.value, False, False, math.inf
    for _ in range(INNER):
        point, violation = place.point, place.violation
        if violation <= level or watch.stopped:
            break
        left = MODEL * price - walk.products
        if stuck or (slow and (few or left <= 0)) or (few and point.value < STALE * taken_at):
            modelled = objective.thinned(max(RICH * size, CHEAP // size**2)) if few and not anew else objective
            hessian, taken_at = modelled.hessian(point.u), point.value
        resting, worst = scarce and exact and violation > FALLING * worst, violation
        exact = stuck or RIGHT * size <= rows.n or violation <= NEARLY or gain <= LITTLE * point.value
        minimum = lasso_surely if stuck or resting else lasso_minimum if exact else lasso_roughly
        target = point.u if hessian is None else _of_model(minimum, hessian, place)
        if anew or not np.array_equal(np.sign(target), np.sign(point.u)):
            following = _towards(objective, place, target)
        else:
            following = walk.on(objective, place, hessian, level, left)
        if following is None and (stuck or size > LARGEST):
            break
        stuck = following is None  # signs cut off what there was of a step, or were not those of the model's minimum
        if following is not None:
            gain, before = point.value - following.point.value, gain
            crawls = gain <= CRAWLING * point.value and following.violation > NEARLY
            stuck = crawls and scarce and size <= MANY and not rows.sparse
            slow = anew or gain > LINGERING * before
            place = following
        few = few or stuck
    return place, walk.products


class Walk:
    """Steps by conjugate gradients on the weights that are not 0 or leave it, while these keep their signs.

    ``products`` is how many there were, what line searches tried counting as well.
    """

    def __init__(self) -> None:
        self.products, self._seen, self._relative, self._most = 0, UNSEEN, 1.0, MOST

    def on(self, objective: Any, place: Place, hessian: Array | None, level: float, left: float) -> Place | None:
        """The next place, if there is one; `left` is how many products a model to precondition with costs more."""
        point = place.point
        product = objective.product(point.u, point.logits)
        curvatures = product.mean_curvature()
        free = (point.u != 0) | (place.lasso == 0) | ((point.gradient != 0) & (hessian is None))
        shift = free.all(axis=0) * (curvatures.mean() if objective.outputs > 1 else 0.0)
        step, self._seen = conjugate_gradients(
            _masked(product, free, shift),
            np.where(free, -point.gradient, 0),
            _preconditioner(hessian, free, shift, np.maximum(curvatures[:, None] + objective.ridge, 1e-300)),
            min(0.3, place.violation, math.sqrt(self._relative)),
            0.0,
            self._seen,
            0.5 * level * np.where(place.lasso > 0, place.lasso, place.lasso.max(initial=0.0)),
            along=product.along,
            most=min(left, self._most) if hessian is None else math.inf,
        )
        promised = max(-float(np.vdot(point.gradient, step)), 0.0)
        self._relative = min(1.0, promised / point.value)
        following, trials = _line_search(objective, place, step, product.moved)
        self.products += self._seen.steps + trials - 1
        kept_up = following is not None and point.value - following.point.value > POOR * promised
        self._most = min(2 * self._most, MOST) if kept_up else max(self._seen.steps // 2, 2)
        return following


def _of_model(minimum: Callable[..., Array], hessian: Array, place: Place) -> Array:
    """The minimum of the quadratic model with its L1 penalty, as `minimum` finds it."""
    u = place.point.u
    linear = place.smooth.ravel() - hessian @ u.ravel()
    return minimum(hessian, linear, place.lasso.ravel(), u.ravel()).reshape(u.shape)


def _towards(objective: Any, place: Place, target: Array) -> Place | None:
    """The first of the points all, a half, a quarter … of the way to the model's minimum that gains enough."""
    point, step = place.point, target - place.point.u
    gain = -float(np.vdot(place.smooth, step) + (place.lasso * (np.abs(target) - np.abs(point.u))).sum())
    t, noise = 1.0, 64 * FLOOR * objective.rows.precision * abs(point.value)
    for _ in range(HALVINGS):
        trial = Place.at(objective, target if t == 1 else point.u + t * step)
        if trial.point.value <= point.value - ARMIJO * t * gain and trial.point.value < point.value:
            return trial
        if trial.point.value <= point.value + noise and trial.point.norm < point.norm:
            return trial  # two values so near cannot be told apart: the subgradient still can
        if t * gain < noise / 64:
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
