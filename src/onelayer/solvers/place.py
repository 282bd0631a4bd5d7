"""A point beside an L1 penalty: what is known there, and how far it is from the optimum at most."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.asked import Layer
from onelayer.solvers.curvature import DOUBLE
from onelayer.solvers.progress import Point

Array = NDArray[Any]

NOTHING = 1e-15  # of a shift: what rounding leaves of a weight that it ends
# times the last change of penalties: of others, slopes are not foreseen; and of a change, what foreseen ones may be off
LEAST, MOST, SURPRISE = 0.5, 2.0, 0.3


@dataclass(frozen=True)
class Place:
    """A point, the gradient of the smooth part, the weight of each |u_j| (0 for the bias) and their sum.

    Where the gradient is that of slopes to first order, `defect` is how far, at most, these are from the point's own.
    """

    point: Point
    smooth: Array
    lasso: Array
    size: float
    defect: float = 0.0

    @classmethod
    def at(cls, objective: Layer, u: Array, defect: float = 0.0, **known: Any) -> "Place":
        """Ask the objective; the point's gradient is the subgradient of least size, 0 where u is optimal.

        What is `known` of the logits and slopes is for `Objective.evaluate`.
        """
        value, g, logits = objective.evaluate(u, keep=True, **known)
        lasso = objective.held
        size = float((lasso * np.abs(u)).sum())
        point = Point(u, value + size, subgradient(u, g, lasso), objective.rows.n, logits)
        return cls(point, g, lasso, size, defect)

    def with_penalties_of(self, objective: Layer, u: Array, older: "Place | None" = None) -> "Place":
        """As if it were at u, with other penalties: no column may object by more than they have changed.

        Where an `older` place, of about as much stronger penalties, tells where slopes lead, by no more than a part.
        """
        lasso = objective.held
        slopes, moved = self.smooth, self.lasso - lasso
        share = 0.0 if older is None else moved.max() / max(float((older.lasso - self.lasso).max()), 1e-300)
        if older is not None and LEAST <= share <= MOST:
            slopes, moved = slopes + share * (slopes - older.smooth), SURPRISE * moved
        gradient = np.sign(slopes) * np.maximum(np.abs(slopes) + moved - lasso, 0)
        size = float((lasso * np.abs(u)).sum())
        return Place(replace(self.point, u=u, gradient=gradient), self.smooth, lasso, size)

    def centred(self, objective: Layer) -> "Place":
        """With the shifts common to all classes, which no row sees, that its penalties hold least.

        Without an L2 penalty that is a column's median (Friedman, Hastie & Tibshirani, Journal of Statistical Software
        33, 2010, § 4.1).
        """
        d = objective.rows.d
        u, lasso, penalty = self.point.u[:, :d], self.lasso[:, :d], objective.penalty
        if len(u) == 1 or not u.any():
            return self
        shift = least_held(u, lasso[0], penalty)
        if not shift.any():
            return self
        moved = self.point.u.copy()
        moved[:, :d] += shift
        moved[:, :d][np.abs(moved[:, :d]) <= NOTHING * np.abs(shift)] = 0
        smooth, size = self.smooth.copy(), float((self.lasso * np.abs(moved)).sum())
        smooth[:, :d] += penalty * shift
        value = self.point.value + size - self.size + float((penalty * (moved[:, :d] ** 2 - u**2)).sum()) / 2
        if not value < self.point.value:
            return self
        point = replace(self.point, u=moved, value=value, gradient=subgradient(moved, smooth, self.lasso))
        return replace(self, point=point, smooth=smooth, size=size)

    def of_columns(self, kept: Array, objective: Layer) -> "Place":
        """As it is seen by an objective of these columns, all others having no weight."""
        chosen, point = np.append(kept, self.lasso.shape[1] - 1) if objective.bias else kept, self.point
        logits = objective.rows.cut(point.logits)
        point = replace(point, u=point.u[:, chosen], gradient=point.gradient[:, chosen], logits=logits)
        return Place(point, self.smooth[:, chosen], self.lasso[:, chosen], self.size)

    @cached_property
    def violation(self) -> float:
        """The largest subgradient, relative to its lasso weight."""
        return float((np.abs(self.point.gradient) / np.maximum(self.lasso, 1e-300))[self.lasso > 0].max(initial=0.0))

    def level(self, gap: float) -> float:
        """The violation that makes up a relative gap: to first order, it is the violation times the penalty."""
        return gap * self.point.value / max(self.size, 1e-300)


def least_held(u: Array, lasso: Array, penalty: Array) -> Array:
    """The c of each column for which Σ_k lasso |u_k + c| + penalty (u_k + c)² / 2 is least, of u (k, d); (d,).

    Examples
    --------
    >>> least_held(np.array([[1.0, 1.0], [2.0, 2.0], [6.0, 6.0]]), np.ones(2), np.array([0.0, 1.0]))
    array([-2.        , -2.66666667])
    """
    k = len(u)
    kinks, mean, step = np.sort(-u, axis=0), u.mean(axis=0), np.arange(k)[:, None]
    slope = k * penalty * (mean + kinks) - lasso * (k - 2 * step)  # before each kink; beyond it, by twice lasso more
    last = np.minimum((slope + 2 * lasso < 0).sum(axis=0), k - 1)
    at, before = (np.take_along_axis(values, last[None], axis=0)[0] for values in (kinks, slope))
    # a slope that is below 0 beyond one kink and above it before the next, as an L2 penalty bends it, is 0 between them
    return np.asarray(np.where(before > 0, at - before / np.maximum(k * penalty, 1e-300), at))


def subgradient(u: Array, smooth: Array, lasso: Array) -> Array:
    """The one of least size, 0 where u is optimal; `smooth` is the gradient without the penalty."""
    held = np.sign(smooth) * np.maximum(np.abs(smooth) - lasso, 0)
    return np.asarray(np.where(u != 0, smooth + lasso * np.sign(u), held))


def duality_gap(objective: Layer, place: Place, enough: float = 0.0) -> float:
    """How far the value is from the optimum at most: primal less dual, at slopes shrunk until no column objects.

    The slopes at a point whose biases are balanced, times a share, are feasible in the dual once no column's
    gradient is beyond its lasso weight, or costs its square where the column has an L2 penalty, too (Fenchel's
    duality; Ndiaye, Fercoq, Gramfort & Salmon, Journal of Machine Learning Research 18, 2017). Of all of the slopes,
    the rows' part of the dual is their loss less what slopes and logits make together. It is concave in the share, and
    0 of none: so a share of it is no more than the dual of that share. Where this bound is not `enough`, the rows are
    asked. Of slopes to first order it is less by their `defect`, which is what Fenchel's inequality lacks.
    """
    d, value = objective.rows.d, place.point.value
    u, lasso, penalty = place.point.u[:, :d], place.lasso[:, :d], objective.penalty
    slopes = place.smooth.copy()
    slopes[:, :d] -= penalty * u
    back, both = np.abs(slopes[:, :d]), np.flatnonzero(penalty > 0)
    over = (back / np.maximum(lasso, 1e-300)).max(axis=0, initial=0.0)
    # a share at which no column objects; or, where that is more, one at which those without an L2 penalty do not
    objecting = (over, np.delete(over, both)) if len(both) else (over,)
    shares = {1 / max(1.0, float(each.max(initial=0.0))) for each in objecting}
    loss = value - place.size - float((penalty * u**2).sum()) / 2
    whole = loss - float(np.vdot(slopes, place.point.u)) - place.defect

    def beyond(share: float) -> float:
        if not len(both):
            return 0.0
        return float((np.maximum(share * back[:, both] - lasso[:, both], 0) ** 2 / (2 * penalty[both])).sum())

    def gap(of_rows: Callable[[float], float]) -> float:
        return max(value - max(of_rows(share) - beyond(share) for share in shares), 0.0)

    at_once = gap(lambda share: share * whole)
    exact = objective.rows.precision == DOUBLE  # of single precision, the gradient knows no more than seven digits
    if place.defect > 0 or (exact and at_once <= enough):  # the rows would tell of the point's own slopes
        return at_once
    return gap(lambda share: objective.dual(place.point.logits, share))
