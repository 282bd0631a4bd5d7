"""Newton's method with an L1 penalty: few columns at a time, and of these the ones that are not 0.

The columns that may matter form a working set (Johnson & Guestrin, "Blitz", ICML 2015). On it, each step goes to the
minimum of a quadratic model with the penalty (Lee, Sun & Saunders, SIAM Journal on Optimization 24, 2014); or is
Newton's on the weights that are not 0 or are about to leave it, cut off where a weight would change its sign (Keskar,
Nocedal, Öztoprak & Wächter, Optimization Methods and Software 31, 2016). A duality gap over all columns says when to
stop.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.curvature import hessian_price
from onelayer.solvers.lasso import lasso_minimum, lasso_roughly, lasso_surely
from onelayer.solvers.newton import ARMIJO, FLOOR, HALVINGS, ROUNDING, STALE
from onelayer.solvers.place import Place, duality_gap
from onelayer.solvers.progress import Outcome, Watch
from onelayer.solvers.walk import Walk

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
TELLING = 10  # rows of a sample for each column of its set: fewer would tell more of themselves than of all rows
SETTLED = 0.1  # of the working set: when no more columns enter, it is taken for the last one
DENSE, SPARSE = 600, 150  # weights up to which a sample's Hessian serves as model and preconditioner
CHEAP = 10**9  # rows times the square of the weights up to which the model is of more rows, or of all
MANY = 1200  # columns, more of which make a model dearer than products
LARGEST = 4000  # weights of a model that is made for its price though it is larger than the rows
MODEL = 4  # times the price of a Hessian: what to minimise its model costs, about
WASTE = 0.25  # times that price: what steps cut off by signs may take before a model is made
RICH = 20  # rows of that sample for each weight
STRONGER, ROUGH = 1.4, 0.1
COARSE = 0.1  # of the lasso weights: violations that may be left while columns still enter
EARLY = 0.3  # of a set's violation: may be left while there was no room for all columns that object
CLOSE = 0.1  # of the value: a gap above it says that the set is not the last one
FINE = 0.5  # of the violation that would make up all of the gap asked for
LINGERING = 0.3  # of what the step before gained: a model that does not do better is made anew
SHRINK = 0.3  # of the level before, where it did not suffice
INNER = 50  # Newton steps on one working set


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
    sampled: bool = False,
) -> Outcome:
    """Minimise a smooth convex objective plus Σ lasso_j |u_j| to a relative duality gap of `tol`.

    `before` is what is known of an optimum with penalties near these: only columns that may get a weight since then
    are looked at until all of those have theirs (the sequential strong rule of Tibshirani et al., Journal of the Royal
    Statistical Society B 74, 2012). `kept` is of these fits, too.
    """
    gap, steps, level, owed = math.inf, 0, COARSE, 0
    for sample in samples:
        stronger = STRONGER * math.sqrt(objective.rows.n / sample.rows.n)
        sample = replace(sample, penalty=stronger * sample.penalty, lasso=stronger * sample.lasso)
        u = proximal(sample, u, tol=ROUGH, max_iter=max_iter, watch=watch, sampled=True).point.u
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
        if sampled and not objective.rows.sparse and len(columns) * TELLING > objective.rows.n:
            break
        modelled = objective.rows.sparse or objective.outputs * objective.rows.d <= MANY  # a model is not too large
        whole = 2 * len(columns) > objective.rows.d and (modelled or len(columns) == objective.rows.d)
        if whole:
            columns = np.arange(objective.rows.d)
        inner, start = objective, place
        if not whole:
            inner = objective.of_columns(columns, often=kept is not None)
            start = place.of_columns(columns, inner)
        if before is not None or place.defect > 0:  # what is known is of another point
            start = Place.at(inner, start.point.u)
        # the gap is, to first order, the largest violation times the penalty: once few columns enter, go all the way
        level = min(level, COARSE * gap / place.point.value)
        if waiting and not whole:
            level = max(level, EARLY * start.violation)  # that of all may be of a column with hardly any penalty
        last_one = entering <= SETTLED * len(columns) and gap <= CLOSE * place.point.value
        if before is not None or last_one:
            level = min(SHRINK * level, FINE * tol * place.point.value / max(place.size, 1e-300))
        model = None if kept is None else kept.of(inner, columns)
        # nobody is shown the gradients of a path: there, those of slopes to first order will do
        walk = Walk(0.0 if kept is None else tol * place.point.value)
        reached = _on_working_set(inner, start, level, watch, model, walk, near=before is not None, owed=owed)
        steps, owed = steps + 1, owed + walk.products if reached.violation > level else 0
        if walk.ahead is None:
            bias_slope = reached.smooth[:, -1] if objective.bias else None
            u, logits = inner.balanced(reached.point.u, reached.point.logits, bias_slope)
            known: dict[str, Any] = {}
        else:
            u, logits, slopes, defect = walk.ahead
            known = {"slopes": objective.rows.cut(slopes), "defect": defect}
        u = u if whole else _of_all(u, columns, place.point.u)
        last, place = place, Place.at(objective, u, logits=objective.rows.cut(logits), **known)
        watch(place.point)
        if kept is not None:
            kept.pay(walk.products * len(columns) / objective.rows.d, objective, place)
        del inner, start, reached  # before the next working set takes their memory
        stands = place.point.value >= last.point.value and place.violation >= last.violation
        if before is None and not last.defect and stands:
            break
        before = None
    converged = bool(gap <= max(tol, ROUNDING) * place.point.value)
    return Outcome(place.point, gap, "bound", converged, known=place)


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
    walk: Walk,
    *,
    near: bool,
    owed: int,
) -> Place:
    """Newton's steps on the weights that are not 0 or leave it, until no subgradient is above `level` times lasso.

    Or until the walk sees the minimum ahead, from the place returned. `model` is a Hessian taken before; to form one of
    sparse rows does not pay at once where the start is `near`. As many products as are `owed` led nowhere before.

    Dense rows that cost little are modelled anew at each step, which goes to the model's minimum. Otherwise a sample of
    the rows is, and once the signs rest, conjugate gradients go on with all rows, that model preconditioning. Of more
    weights than rows, steps that lead hardly anywhere have a model made, and its minimum found surely.
    """
    gain, size = math.inf, place.point.u.size
    rows, price = objective.rows, hessian_price(objective, LARGEST)
    # along some directions nothing bends: shifts common to all classes are such, too
    scarce = rows.n < size or objective.outputs > 1
    flat = objective.outputs == 1 and rows.n <= FLAT * size and size <= FLATTEST
    anew = not rows.sparse and (flat or size**2 * (rows.n + size) <= TRIFLE)
    few = anew or model is not None or size <= (SPARSE if rows.sparse else DENSE)
    slow = anew or (model is None and not (near and rows.sparse))
    hessian, taken_at, stuck, exact, worst = model, place.point.value, False, False, math.inf
    lately = math.inf  # what the step before gained, with which the next is compared
    for _ in range(INNER):
        point, violation = place.point, place.violation
        if violation <= level or watch.stopped:
            break
        left = MODEL * price - walk.products - owed
        paid = left <= 0 or (walk.wasted >= WASTE * price and not rows.sparse and RIGHT * size <= rows.n)
        if stuck or (slow and (few or paid)) or (few and point.value < STALE * taken_at):
            modelled = objective.thinned(max(RICH * size, CHEAP // size**2)) if few and not anew else objective
            hessian, taken_at = modelled.hessian(point.u, single=not (anew or scarce)), point.value
            lately = gain if scarce else math.inf  # of few rows, a model is cheap beside its minimum
        resting, worst = scarce and exact and violation > FALLING * worst, violation
        exact = stuck or RIGHT * size <= rows.n or violation <= NEARLY or gain <= LITTLE * point.value
        minimum = lasso_surely if stuck or resting else lasso_minimum if exact else lasso_roughly
        target = point.u if hessian is None else _of_model(minimum, hessian, place)
        if anew or not np.array_equal(np.sign(target), np.sign(point.u)):
            following = _towards(objective, place, target)
        else:
            following = walk.on(objective, place, hessian, level, left)
            if walk.ahead is not None:
                break
        if following is None and (stuck or size > LARGEST):
            break
        stuck = following is None  # signs cut off what there was of a step, or were not those of the model's minimum
        if following is not None:
            gain = point.value - following.point.value
            crawls = gain <= CRAWLING * point.value and following.violation > NEARLY
            stuck = crawls and scarce and size <= MANY and not rows.sparse
            slow = anew or gain > LINGERING * lately
            place, lately = following, gain
        few = few or stuck
    return place


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
