"""Steps by conjugate gradients beside an L1 penalty, on the weights that are not 0 or are about to leave it."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.asked import Layer
from onelayer.solvers.gaps import FLOOR
from onelayer.solvers.lasso import lasso_minimum
from onelayer.solvers.lbfgs import ARMIJO
from onelayer.solvers.line_search import HALVINGS
from onelayer.solvers.linear import UNSEEN, Parts, Seen, Solve, conjugate_gradients, symmetric_solver
from onelayer.solvers.low_rank import LowRank
from onelayer.solvers.place import Place, subgradient

Array = NDArray[Any]

MOST = 50  # products for a step: columns that nearly depend on one another would take thousands, and signs then change
POOR = 0.1  # of what a step promised: one that brings less was too long, and conjugate gradients are ended earlier
ROUGH, HALF = 0.3, 0.5  # of a residual, and of the level: what a step may leave
AGAIN = 0.02  # of a residual: what may be left before signs are looked at again
ROUNDS, FALLING = 12, 0.9  # of signs; and of what was off before one: if more is, others would follow for ever
DEFECT, ROOM = 0.4, 0.8  # of the gap asked for, and of the level: what the model's minimum may take


class Ahead(NamedTuple):
    """A model's minimum: the point, its logits, the rows' slopes to first order, and their defect (`Place`)."""

    u: Array
    logits: Any
    slopes: Any
    defect: float


class Walk:
    """Steps on the weights that are not 0 or leave it, while these keep their signs.

    ``products`` is how many there were, what line searches tried counting as well, ``wasted`` those of them whose steps
    brought little of what they promised: weights wanted to change their signs; ``modelled`` is what models of the loss
    and steps to their minima cost beside, in products; ``share`` how much was taken of the last step. ``ahead`` is set
    where `wanted`, a gap, is reached at the minimum of a quadratic model: there the slopes to first order prove it.
    """

    def __init__(self, wanted: float) -> None:
        self.wanted, self.products, self.wasted, self.modelled = wanted, 0, 0, 0.0
        self.ahead: Ahead | None = None
        self.share = 1.0
        self._seen, self._relative, self._most = UNSEEN, 1.0, float(MOST)

    def is_there(self, place: Place, level: float) -> bool:
        """Whether the place, as a model's minimum would, proves the gap that is wanted."""
        if not self.wanted:
            return False
        lasso, enough = _held_less(place, ROOM * level)
        return bool((np.abs(subgradient(place.point.u, place.smooth, lasso)) <= enough).all())

    def on(
        self, objective: Layer, place: Place, hessian: Parts | LowRank | None, level: float, left: float
    ) -> Place | None:
        """The next place, if there is one; `left` is how many products a model to precondition with costs more."""
        point, self.share = place.point, 1.0
        wanted = self.wanted if objective.outputs == 1 else 0.0  # of classes, slopes to first order prove nothing
        model = _Model(objective, place, hessian, level, wanted)
        most = math.inf if hessian is not None else min(self._most, left if left > 0 else math.inf)
        self._seen = model.descend(min(ROUGH, place.violation, math.sqrt(self._relative)), self._seen, most)
        steps, step, moves = self._seen.steps, model.u - point.u, model.product.moved
        if steps and model.is_near():
            self.ahead, moves = self._minimum(model), None  # the model has gone on
        self.products += model.products
        if self.ahead is not None:
            return None
        promised = max(-float(np.vdot(point.gradient, step)), 0.0)
        self._relative = min(1.0, promised / point.value)
        following, trials = _line_search(objective, place, step, moves)
        self.products += trials - 1
        kept_up = following is not None and point.value - following.point.value > POOR * promised
        self._most = min(2 * self._most, MOST) if kept_up else max(steps // 2, 2)
        self.wasted += 0 if kept_up else model.products + trials - 1
        return following

    def towards(
        self, objective: Layer, place: Place, hessian: Parts | LowRank | None, target: Array, level: float
    ) -> Place | None:
        """The next place on the way to the minimum of a model of some rows, or of rows elsewhere; if there is one.

        Where a gap is wanted, that of all rows here is gone on with from there, and its minimum may be ahead.
        """
        moves = None
        if self.wanted and isinstance(hessian, Parts) and objective.outputs == 1:
            model = _Model(objective, place, hessian, level, self.wanted)
            model.go_to(target)
            if model.is_near():
                self.ahead = self._minimum(model)
            else:
                moves = model.product.moved
            self.products += model.products
            if self.ahead is not None:
                return None
        following, trials = _towards(objective, place, target, moves)
        self.modelled, self.share = self.modelled + trials, 0.5 ** (trials - 1)
        return following

    def _minimum(self, model: "_Model") -> Ahead | None:
        """The model's, where it is found and still near; if not, no other is sought: signs may come and go for ever."""
        off = math.inf
        for _ in range(ROUNDS):
            before, off = off, model.unrest()
            if off <= 1:
                return model.minimum()
            if off > FALLING * before:
                break
            self._seen = model.approach(self._seen)
            if not model.is_near():
                break
        self.wanted = 0.0
        return None


class _Model:
    """The quadratic model of the loss at a place, beside the penalty: where steps have led to, and what is so there.

    ``u`` is where they led; ``smooth`` the model's gradient there, without the penalty; ``gradient`` and ``free``, the
    subgradient and the weights to be moved, are those of where its last descent began. Where a gap is wanted, the
    penalty is a little less than it is: at that minimum, no column objects to the true one.
    """

    def __init__(
        self, objective: Layer, place: Place, hessian: Parts | LowRank | None, level: float, wanted: float
    ) -> None:
        self.objective, self.hessian, self.wanted, self.products = objective, hessian, wanted, 0
        self.product = objective.product(place.point.u, place.point.logits)
        self.curvatures = self.product.mean_curvature()
        held, self.enough = _held_less(place, level * (ROOM if wanted else HALF))
        self.lasso = held if wanted else place.lasso
        self.u, self.smooth = place.point.u, place.smooth.copy()
        self.gradient = subgradient(self.u, self.smooth, self.lasso)
        self.free = (self.u != 0) | (self.lasso == 0) | ((self.gradient != 0) & (hessian is None))
        self._start, self._bent = self.u, self.smooth

    def descend(self, forcing: float, seen: Seen, most: float = math.inf) -> Seen:
        """Go on to the minimum on the free weights, until `forcing` is met or they rest, whatever signs that takes."""
        shift = self.free.all(axis=0) * (self.curvatures.mean() if len(self.u) > 1 else 0.0)
        self._start = self.u
        step, seen = conjugate_gradients(
            self._masked(shift),
            np.where(self.free, -self.gradient, 0),
            self._preconditioner(shift),
            forcing,
            0.0,
            seen,
            self.enough,
            along=self._along,
            most=most,
            further=self._holds,
        )
        self.u = self._start + step
        return seen

    def go_to(self, target: Array) -> None:
        """Start anew from there."""
        self._times(target - self.u)
        self._along(1.0)
        self.u = self._start = target

    def approach(self, seen: Seen) -> Seen:
        """Go nearer to the minimum: to that of the Hessian known, and once it has these signs, from where it is."""
        if isinstance(self.hessian, Parts) and len(self.u) == 1:
            linear = self.smooth[0] - self.hessian.matrix @ self.u[0]
            target = lasso_minimum(self.hessian, linear, self.lasso[0], self.u[0])[None]
            if not np.array_equal(np.sign(target), np.sign(self.u)):
                self.go_to(target)
                return seen
            self.free = (self.u != 0) | (self.lasso == 0)
        return self.descend(AGAIN, seen, MOST)

    def is_near(self) -> bool:
        """Whether the slopes to first order would prove the gap that is wanted, as far as some rows tell."""
        return bool(self.wanted and self.product.defect() <= DEFECT * self.wanted)

    def unrest(self) -> float:
        """Take weights that crossed 0 back to it; how far the others' slopes then are from rest, which is at 1."""
        crossing = _crossing(self._start, self.gradient, self.lasso, self.u)
        back = np.where(crossing, -self.u, 0)
        self.u = np.where(crossing, 0, self.u)
        if back.any():
            self._times(back)
            self._along(1.0)
        self.gradient = subgradient(self.u, self.smooth, self.lasso)
        self.free = (self.u != 0) | (self.lasso == 0) | (self.gradient != 0)
        return float((np.abs(self.gradient) / self.enough).max())

    def minimum(self) -> Ahead:
        """Where it rests, the slopes summing to nought."""
        shift = 0.0
        if self.objective.bias and self.curvatures[0] > 0:
            shift = -float(self.smooth[0, -1] / self.curvatures[0])
            self.u[:, -1] += shift
        return Ahead(self.u, *self.product.ahead(shift))

    def _holds(self, step: Array) -> bool:
        """Whether no sign changes on this step from where the descent began, and no other weight objects."""
        if not self.is_near() or _crossing(self._start, self.gradient, self.lasso, self._start + step).any():
            return False
        found = subgradient(self._start + step, self.smooth, self.lasso)
        return bool((np.abs(found) <= self.enough)[~self.free].all())

    def _times(self, v: Array) -> Array:
        self.products += 1
        self._bent = self.product(v)
        return self._bent

    def _along(self, step: float) -> None:
        """Go by so much of the v last multiplied."""
        self.product.along(step)
        self.smooth += step * self._bent

    def _masked(self, shift: Array) -> Solve:
        """The product on free weights; shifts common to all classes, which bend no softmax, are given curvature."""
        if len(self.u) == 1:
            return lambda v: self._times(v) * self.free
        return lambda v: np.where(self.free, self._times(v) + shift * v.mean(axis=0), 0)

    def _preconditioner(self, shift: Array) -> Solve:
        """The inverse of a sample's Hessian on free weights where there is one, else of the Hessian's diagonal."""
        if self.hessian is None:
            diagonal = np.maximum(self.curvatures[:, None] + self.objective.ridge, 1e-300)
            return lambda g: np.asarray(g / diagonal)
        inside, (k, p) = np.flatnonzero(self.free), self.u.shape
        if k == 1 and isinstance(self.hessian, Parts):
            inverse = self.hessian.solver(inside)
        else:
            bent = self.hessian.part(inside)
            column = inside % p
            inverse = symmetric_solver(bent + np.where(column == column[:, None], shift[column] / k, 0))

        def solve(g: Array) -> Array:
            step = np.zeros_like(g)
            step.ravel()[inside] = inverse(g.ravel()[inside])
            return step

        return solve


def _held_less(place: Place, room: float) -> tuple[Array, Array]:
    """The penalty less a share of it, beside which a point is sought, and as much: what its slopes may be off by."""
    return (1 - room) * place.lasso, room * np.where(place.lasso > 0, place.lasso, place.lasso.max(initial=0.0))


def _crossing(u: Array, gradient: Array, lasso: Array, following: Array) -> Array:
    """Of a point after u, the weights that have changed their sign, or left 0 the wrong way."""
    sign = np.where(u != 0, np.sign(u), -np.sign(gradient))
    return np.asarray((lasso > 0) & (np.sign(following) != sign))


def _towards(objective: Layer, place: Place, target: Array, moves: Any) -> tuple[Place | None, int]:
    """The first of the points all, a half, a quarter … of the way to the model's minimum that gains enough.

    `moves` is how that moves the logits, where it is known.
    """
    u, step = place.point.u, target - place.point.u
    gain = -float(np.vdot(place.smooth, step) + (place.lasso * (np.abs(target) - np.abs(u))).sum())

    def at(t: float) -> tuple[Place, float]:
        near = None if moves is None else (place.point.logits, moves, t)
        return Place.at(objective, target if t == 1 else u + t * step, near=near), t * gain

    return halved(objective, place, at)


def _line_search(objective: Layer, place: Place, step: Array, moves: Any) -> tuple[Place | None, int]:
    """`halved` along a step that is cut off where a weight would change its sign.

    `moves` is how it moves the logits, where that is known.
    """
    point = place.point

    def at(t: float) -> tuple[Place, float]:
        moved = point.u + t * step
        crossing = _crossing(point.u, point.gradient, place.lasso, moved)
        near = None if moves is None or crossing.any() else (point.logits, moves, t)
        u = np.where(crossing, 0, moved)
        return Place.at(objective, u, near=near), -float(np.vdot(point.gradient, u - point.u))

    return halved(objective, place, at)


def halved(objective: Layer, place: Place, at: Callable[[float], tuple[Place, float]]) -> tuple[Place | None, int]:
    """The first of the steps 1, 1/2, 1/4 … that gains enough, if any does, and how many were tried.

    ``at(t)`` is where a step of t leads, and what it promised to gain.
    """
    point = place.point
    noise = 64 * FLOOR * objective.rows.precision * abs(point.value)
    for trials in range(1, HALVINGS + 1):
        trial, gain = at(0.5 ** (trials - 1))
        if trial.point.value <= point.value - ARMIJO * gain and trial.point.value < point.value:
            return trial, trials
        if trial.point.value <= point.value + noise and trial.point.norm < point.norm:
            return trial, trials  # two values so near cannot be told apart: the subgradient still can
        if abs(gain) < noise / 64:
            return None, trials
    return None, HALVINGS
