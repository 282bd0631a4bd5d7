"""Newton's method with an L1 penalty: few columns at a time, and of these the ones that are not 0.

The columns that may matter form a working set (Johnson & Guestrin, "Blitz", ICML 2015), on which `working_set` takes
its steps. A duality gap over all columns says which enter, and when to stop.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.asked import Layer
from onelayer.solvers.gaps import ROUNDING, gap_from
from onelayer.solvers.kept import Kept
from onelayer.solvers.lasso import lasso_minimum
from onelayer.solvers.linear import of_rows
from onelayer.solvers.place import Place, duality_gap, subgradient
from onelayer.solvers.progress import Outcome, Watch
from onelayer.solvers.walk import Walk
from onelayer.solvers.working_set import MANY, on_working_set

Array = NDArray[Any]

# columns that may enter an empty working set at once (later as many as are in it): of dense ones, whose models cost
# their square, as many as the root of so many times all columns, or the least
FIRST, LEAST, TIMES = 400, 32, 8
# rows of a sample for each column of its set, dense or sparse: fewer would tell more of themselves than of all rows
TELLING, TELLING_OF_SPARSE = 10, 2
SETTLED = 0.1  # of the working set: when no more columns enter, it is taken for the last one
# of samples: their penalties, the relative gap asked for, and a share of the value that is hardly worth another step:
# near-separable ones go on for seconds (models of 3,800 weights) after what moves all rows' weights no more
STRONGER, ROUGH, HARDLY = 1.4, 0.1, 0.01
COARSE = 0.1  # of the lasso weights: violations that may be left while columns still enter
EARLY = 0.3  # of a set's violation: may be left while there was no room for all columns that object
CLOSE = 0.1  # of the value: a gap above it says that the set is not the last one
SOON = 2**22  # entries of rows that are fitted within tenths of a second
FINE = 0.5  # of the violation that would make up all of the gap asked for
STANDING = 0.5  # of the violation before, where no value is gained: if more is left, what is left is rounding
SLIGHT = 0.1  # of `tol`: where no column enters and all steps allowed would gain no more, none is worth its time
SHRINK = 0.3  # of the level before, where it did not suffice


def proximal(
    objective: Layer,
    u: Array,
    *,
    tol: float,
    max_iter: int,
    watch: Watch,
    samples: Iterable[Layer] = (),
    kept: Kept | None = None,
    sampled: bool = False,
) -> Outcome:
    """Minimise a smooth convex objective plus Σ lasso_j |u_j| to a relative duality gap of `tol`.

    What is `kept` of fits with penalties near these tells which columns may get a weight since then: only those are
    looked at until they have theirs (after the sequential strong rule of Tibshirani et al., Journal of the Royal
    Statistical Society B 74, 2012).
    """
    before = None if kept is None else kept.seen_from(objective, u)
    u = _on_samples(objective, samples, u, max_iter, watch)
    gap, kind, steps, level, owed = math.inf, "bound", 0, COARSE, 0
    if before is None:
        u, logits = objective.balanced(u)
        place = Place.at(objective, u, logits=logits)
        watch(place.point)
    else:
        place = before
    while True:
        if before is None:
            enough = max(tol, ROUNDING) * place.point.value
            gap = min(duality_gap(objective, place, enough), place.point.value)
            if gap <= enough or steps >= max_iter or watch.stopped:
                break
        columns, entering, waiting = _working_set(place, objective.rows)
        if sampled and len(columns) * (TELLING_OF_SPARSE if objective.rows.sparse else TELLING) > objective.rows.n:
            break
        columns = _all_if_most(objective, columns)
        fresh = before is not None or place.defect > 0  # what is known is of another point
        columns, inner, start = _on_columns(objective, place, columns, kept, fresh=fresh)
        # the gap is, to first order, the largest violation times the penalty: once few columns enter, go all the way
        level = min(level, COARSE * gap / place.point.value)
        if waiting and inner is not objective:
            level = max(level, EARLY * start.violation)  # that of all may be of a column with hardly any penalty
        last_one = entering <= SETTLED * len(columns) and gap <= CLOSE * place.point.value
        if before is not None or last_one:
            level = min(SHRINK * level, place.level(FINE * tol))
        # nobody is shown the gradients of a path: there, those of slopes to first order will do
        walk = Walk(0.0 if kept is None else tol * place.point.value)
        hessian = None if kept is None else kept.of(inner, columns)
        # where no column is left to follow, there is no other set
        at_once = inner is objective and kept is None and not sampled and _goes_at_once(objective)
        reached = on_working_set(
            inner,
            start,
            level,
            watch,
            walk,
            hessian,
            near=before is not None,
            owed=owed,
            hardly=HARDLY if sampled else 0.0,
            gap=FINE * tol if at_once else math.inf,
        )
        steps, owed = steps + 1, owed + walk.products if reached.violation > level else 0
        last, place = place, _of_all(objective, inner, columns, reached, walk, place)
        watch(place.point)
        if kept is not None:
            kept.pay(walk.products + walk.modelled, len(columns) / objective.rows.d, objective, place)
        del inner, start, reached  # before the next working set takes their memory
        gained = last.point.value - place.point.value
        if sampled and gained < HARDLY * place.point.value:
            break
        pace, little = (1, ROUNDING) if entering else (max(max_iter - steps, 1), max(ROUNDING, SLIGHT * tol))
        stands = pace * gained <= little * place.point.value and place.violation >= STANDING * last.violation
        if before is None and not last.defect and stands:
            place, gap, kind = _at_rest(objective, min(last, place, key=lambda known: known.point.value), gap)
            break
        before = None
    if kept is not None:
        kept.end(place)
    converged = bool(gap <= max(tol, ROUNDING) * place.point.value)
    return Outcome(place.point, gap, kind, converged)


def _goes_at_once(objective: Layer) -> bool:
    """Whether rows are so many for each weight that steps lead there, and so few that nobody waits to see one."""
    rows = objective.rows
    return bool(objective.outputs == 1 and 2 * rows.d <= rows.n and rows.entries <= SOON)


def _at_rest(objective: Layer, place: Place, gap: float) -> tuple[Place, float, str]:
    """Where steps lead nowhere, how far that is from the optimum, and whether that is a "bound" or an "estimate".

    Beside a penalty a million times less than what the loss says, no gradient has the digits that a dual point needs;
    what the model of the loss still promises is then told.
    """
    columns, _, waiting = _working_set(place, objective.rows)
    if waiting or not 0 < len(columns) * objective.outputs <= MANY:
        return place, gap, "bound"
    inner = objective.of_columns(columns)
    here = place.of_columns(columns, inner)
    u = here.point.u
    hessian = inner.hessian(u)
    v = lasso_minimum(hessian, here.smooth.ravel() - hessian @ u.ravel(), here.lasso.ravel(), u.ravel())
    promised = here.size - float(here.lasso.ravel() @ np.abs(v)) - float(here.smooth.ravel() @ (v - u.ravel()))
    promised += _overlooked(inner, here, v.reshape(u.shape))
    left, kind = gap_from(place.point, max(promised, 0.0))
    left += ROUNDING * place.point.value * max(1.0, float(np.abs(u).max()))  # logits have no more digits than weights
    return (place, left, kind) if left < gap else (place, gap, "bound")


def _overlooked(objective: Layer, place: Place, v: Array) -> float:
    """What the minimum v of the loss's model leaves, as rows and slopes see it: its Hessian has half their digits."""
    u, logits = place.point.u, objective.logits(place.point.u)
    slopes = place.smooth + objective.product(u, logits)(v - u)
    g = subgradient(v, slopes, place.lasso)
    inside = np.flatnonzero((v != 0) | (g != 0))
    seen = of_rows(objective.triangle(logits)[:, inside])[0].T @ g.ravel()[inside]
    return float(seen @ seen) / 2


def _on_samples(objective: Layer, samples: Iterable[Layer], u: Array, max_iter: int, watch: Watch) -> Array:
    """The optimum of the largest sample, about, with penalties that keep out what only a sample shows."""
    for sample in samples:
        stronger = STRONGER * math.sqrt(objective.rows.n / sample.rows.n)
        sample = sample.with_penalties(stronger * sample.penalty, stronger * sample.lasso)
        u = proximal(sample, u, tol=ROUGH, max_iter=max_iter, watch=watch, sampled=True).point.u
        del sample  # before the next one takes its memory
    return u


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


def _all_if_most(objective: Layer, columns: Array) -> Array:
    """All columns, where these are most of them and a model of all is not too large."""
    rows = objective.rows
    modelled = rows.sparse or objective.outputs * rows.d <= MANY
    return np.arange(rows.d) if modelled and 2 * len(columns) > rows.d else columns


def _on_columns(
    objective: Layer, place: Place, columns: Array, kept: Kept | None, *, fresh: bool
) -> tuple[Array, Layer, Place]:
    """These columns, or more that are kept, their objective, and the place as it is seen there; if `fresh`, anew."""
    inner, start = objective, place
    if kept is not None and not objective.rows.sparse:
        columns, inner = kept.on(objective, place, columns)
    elif len(columns) < objective.rows.d:
        inner = objective.of_columns(columns, often=kept is not None)
    if inner is not objective:
        start = place.of_columns(columns, inner)
    return columns, inner, Place.at(inner, start.point.u) if fresh else start


def _of_all(objective: Layer, inner: Layer, columns: Array, reached: Place, walk: Walk, place: Place) -> Place:
    """Where steps on these columns led, seen with all: no other column of `place` has a weight."""
    known: dict[str, Any] = {}
    logits: Any  # kept, of a point that has any
    if walk.ahead is None:
        bias_slope = reached.smooth[:, -1] if objective.bias else None
        v, logits = inner.balanced(reached.point.u, reached.point.logits, bias_slope)
    else:
        v, logits, slopes, defect = walk.ahead
        known = {"slopes": objective.rows.cut(slopes), "defect": defect}
    u, k, d = np.zeros_like(place.point.u), len(columns), objective.rows.d
    u[:, columns], u[:, d:] = v[:, :k], v[:, k:]
    return Place.at(objective, u, logits=objective.rows.cut(logits), **known)
