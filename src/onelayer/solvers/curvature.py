"""Curvature: the Hessian at some point, or nearly, as what solvers ask of it."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers import prices
from onelayer.solvers.asked import Layer
from onelayer.solvers.linear import (
    NOISE,
    Solve,
    Steep,
    conjugate_gradients,
    inverse,
    of_rows,
    rough_solver,
    symmetric_solver,
)
from onelayer.solvers.progress import Point

Array = NDArray[Any]

DOUBLE = float(np.finfo(np.float64).eps)
AT_ONCE = 4  # products, for which what is dearer is not put off
NEARLY = 0.03  # of a residual: what may be left when a sample's Hessian is inverted
ASTRAY, AGAIN = 0.1, 4  # of the decrement: a step that leaves more in the sample asks for its Hessian there; so often
ROUNDED = 64  # units of the rows' precision, and of slopes, about the value: what may be left of a gradient
STALE = 0.5  # of the value: from there on, a Hessian has changed enough to be taken anew
WORTH = 0.25  # of its price, in products: with one that has changed, a step of fewer is followed by another


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
    sample: Layer | None = None  # the objective of some rows, as many as it is of, or more
    seen: Point | None = None  # where the sample was asked last
    singular: bool = False  # whether there are directions of which the Hessian tells nothing

    def step(self, point: Point) -> tuple[Array, float]:
        """Newton's step from a point, and the decrement: twice what it promises to lower the value by."""
        step = -self.solve(point.gradient)
        return step, -float(np.vdot(point.gradient, step))

    def bent(self, point: Point, step: Array, decrement: float) -> Array:
        """The step to where the sample's gradient vanishes, moved so that at the point it is that of all rows.

        That is right beyond what is quadratic, too: what is left is what the sample has another Hessian for (Shamir,
        Srebro & Zhang, "Communication-efficient distributed optimization using an approximate Newton-type method",
        ICML 2014), about one in so many of the decrement as it has rows a parameter. Where its own Hessian changes on
        the way, it is taken anew. Far from the optimum the step is as it was: there, one of Newton's may lead astray.
        """
        if self.sample is None:
            return step
        seen = self.seen if self.seen and self.seen.u is point.u else Point.at(self.sample, point.u)
        moved = point.gradient - seen.gradient
        enough = point.u.size / self.sample.rows.n * decrement
        bent, solve, again = step, self.solve, 0
        while decrement > enough:
            here = Point.at(self.sample, point.u + bent)
            left = here.gradient + moved
            more = solve(left)
            if not float(np.vdot(left, more)) <= ASTRAY * decrement:
                if again == AGAIN:
                    break
                solve, again = factored(self.sample, here).solve, again + 1
                more = solve(left)
            size = float(np.vdot(left, more))
            if not size <= decrement:
                break
            bent, decrement = bent - more, size
        return bent if np.linalg.norm(bent - step) <= np.linalg.norm(step) else step

    def unseen(self, objective: Layer, point: Point, tol: float) -> tuple[float, float]:
        """What directions that no product sees may hold of the gap, and 1; or nothing, and the least eigenvalue there.

        Along directions that no row tells from one another (all levels of a category, and the bias) penalties alone
        bend. Weights grow in multiples of P⁻¹ times what rows say; the optimum has such multiples of the penalties'
        inverse. What of the penalty no multiple explains may be lost along them: if it is more than half of `tol` and
        no duality gap denies it, P⁻¹H is taken to have as small an eigenvalue as penalties allow. A preconditioner
        with blocks has the penalties' curvature there by itself.
        """
        d = objective.rows.d
        u = point.u[:, :d]
        if self.diagonal is None or not (objective.penalty > 0).all() or not u.any():
            return 0.0, 1.0
        squares, ratio = objective.penalty * u**2, self.diagonal[:, :d] / objective.penalty
        lost = float(squares.sum() - (squares * ratio).sum() ** 2 / (squares * ratio**2).sum()) / 2
        lost = min(max(lost, 0.0), ridge_gap(objective, point))
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


def ridge_gap(objective: Layer, point: Point) -> float:
    """Σ g_j² / (2 ρ_j): how far the value is from the optimum at most, where the biases are balanced.

    At slopes that sum to nought, it is primal less dual; ρ are the L2 penalties. Infinite where one of them is 0.
    """
    if not (objective.penalty > 0).all():
        return math.inf
    g = point.gradient[:, : objective.rows.d]
    return float((g**2 / (2 * objective.penalty)).sum())


def of_sample(sample: Layer, point: Point, curvature: Curvature) -> Curvature:
    """The sample's Hessian, inverted by conjugate gradients: dearer to form than to multiply with."""
    product = sample.product(point.u, point.logits)

    def solve(g: Array) -> Array:
        return conjugate_gradients(product, g, curvature.solve, NEARLY, 0.0)[0]

    error = (1 + math.sqrt(point.u.size / sample.rows.n)) ** 2
    return Curvature(solve, point.value, error, singular=curvature.singular)


def preconditioners(objective: Layer) -> list[tuple[Callable[[Layer, Point], Curvature], float]]:
    """What preconditions, the cheapest first, and after how many products something dearer has paid for itself."""
    parts, whole = prices.blocks(objective), prices.hessian(objective)
    if parts < whole:
        first = [] if parts <= AT_ONCE else [(diagonal, parts)]
        return [*first, (blocks, whole - parts), (factored, math.inf)]
    k, p = objective.shape
    if p > prices.BLOCK and k == 1:
        return [(diagonal, whole), (rough, whole), (factored, math.inf)]
    if p > prices.BLOCK and (one := prices.mean_block(objective)) < whole:
        return [(diagonal, one), (alike, whole - one), (factored, math.inf)]
    return [(diagonal, whole), (factored, math.inf)]


class Preconditioning:
    """What preconditions the steps of conjugate gradients: the cheapest first, and in time something dearer.

    ``left`` is how many more products may be taken before that has paid for itself.
    """

    def __init__(self, objective: Layer, given: Curvature | None) -> None:
        ways = preconditioners(objective)
        known = given is not None and blocks in dict(ways)  # a sample's Hessian is no worse than a diagonal
        self._ways = deque(ways[-2:] if known else ways)
        self._objective, self._whole, self.curvature = objective, prices.hessian(objective), given
        self._prepare, self.left = self._ways.popleft()

    def at(self, point: Point, steps: int) -> Curvature:
        """Taken anew where the value has halved; a Hessian of all rows once steps with the old one are dear."""
        worn = halved = self.curvature is not None and point.value < STALE * self.curvature.value
        if self._prepare in (rough, factored):
            worn = steps >= (WORTH if halved else 1) * self._whole
        if self.curvature is None or worn:
            self.curvature = self._prepare(self._objective, point)
        return self.curvature

    @property
    def exact(self) -> bool:
        """Whether it is a Hessian of all rows in double precision, which leaves nothing hidden."""
        return self._prepare is factored and bool(self._objective.rows.precision == DOUBLE)

    def go_on(self) -> None:
        """To what is dearer."""
        self._prepare, self.left = self._ways.popleft()
        self.curvature = None


def diagonal(objective: Layer, point: Point) -> Curvature:
    """The Hessian's diagonal in scaled columns; and what is common to all outputs, along which penalties alone bend."""
    own = np.maximum(objective.diagonal(point.u, point.logits or objective.logits(point.u)), 1e-300)
    if objective.outputs == 1:
        return Curvature(lambda g: np.asarray(g / own), point.value, times=lambda v: np.asarray(v * own), diagonal=own)
    ridge = np.where(objective.bends_shifts(own.mean(axis=0)), objective.ridge, np.inf)

    def solve(g: Array) -> Array:
        common = g.mean(axis=0)
        apart = (g - common) / own
        return np.asarray(apart - apart.mean(axis=0) + common / ridge)

    return Curvature(solve, point.value, diagonal=own)


def blocks(objective: Layer, point: Point) -> Curvature:
    """Each output's own block of the Hessian, of as many rows as that takes."""
    return Curvature(along(*objective.thinned(prices.ROWS * objective.shape[1]).block_diagonal(point.u)), point.value)


def along(directions: Array, found: Array) -> Solve:
    """The inverse of the Hessian that has these blocks along these directions among the outputs, as columns."""
    inverses = np.stack([inverse(block) for block in found])
    return lambda g: np.asarray(directions @ np.matmul(inverses, (directions.T @ g)[:, :, None])[:, :, 0])


def alike(objective: Layer, point: Point) -> Curvature:
    """One block for all outputs: what they bend in the mean, of as many rows as that takes, in single precision."""
    size = prices.ROWS * objective.shape[1]
    thin = objective.thinned(size) if objective.rows.n > size else objective
    H = thin.mean_block(thin.logits(point.u))
    bent, inside = H.diagonal().copy(), rough_solver(H)
    if inside is None:
        return diagonal(objective, point)
    return Curvature(of_one_block(objective, bent, inside), point.value)


def of_one_block(objective: Layer, bent: Array, inside: Solve) -> Solve:
    """The inverse of a Hessian with one block for all outputs, `bent` being its diagonal and `inside` its inverse.

    Along what is common to all outputs penalties alone bend.
    """
    ridge = np.where(objective.bends_shifts(bent), objective.ridge, np.inf)

    def solve(g: Array) -> Array:
        common = g.mean(axis=0)
        apart = inside((g - common).T).T
        return np.asarray(apart - apart.mean(axis=0) + common / ridge)

    return solve


def rough(objective: Layer, point: Point) -> Curvature:
    """As `factored`, of one output, in single precision and half the time: it is to precondition with."""
    solve = rough_solver(objective.hessian(point.u, point.logits, single=True))
    if solve is None:
        return factored(objective, point)
    return Curvature(lambda g: solve(g[0])[None], point.value)


def factored(objective: Layer, point: Point) -> Curvature:
    """The Hessian at a point, factored once; where it is singular and the gradient tells of more, by its rows."""
    singular, grain = False, grain_of(objective)

    def looked_into(shortest: Solve) -> Solve:
        nonlocal singular
        singular = True
        g, logits = point.gradient, point.logits or objective.logits(point.u)
        if grain is None:
            unexplained = g - objective.product(point.u, logits)(shortest(g.ravel()).reshape(g.shape))
            if np.abs(unexplained).max() <= ROUNDED * objective.rows.precision * min(point.value, 1.0):
                return shortest
        W = of_rows(objective.triangle(logits), grain)[0]
        return lambda g: _without_shifts(objective, W @ (W.T @ g))

    H = _determined(objective, objective.hessian(point.u, point.logits))
    least = 0.0 if grain is None else NOISE * float(grain.max())
    solve = symmetric_solver(H, overwrite=True, singular=looked_into, least=least)
    return Curvature(lambda g: solve(g.ravel()).reshape(g.shape), point.value, singular=singular)


def _without_shifts(objective: Layer, v: Array) -> Array:
    """A step without what is common to all classes where no penalty bends that: no row sees it."""
    k, p = objective.shape
    if k > 1:
        free = objective.ridge == 0
        apart = v.reshape(k, p)
        apart[:, free] -= apart[:, free].mean(axis=0)
    return v


def grain_of(objective: Layer) -> Array | None:
    """What rounding leaves of cells, of each coordinate of a point: the bias has none."""
    if objective.grain is None:
        return None
    return np.tile(np.append(objective.grain, [0.0] * objective.bias), objective.outputs)


def _determined(objective: Layer, H: Array) -> Array:
    """Add curvature along shifts common to all classes, which change no softmax and along which no gradient points."""
    k, p = objective.shape
    if k > 1:
        own = np.abs(np.diag(H)).reshape(k, p).mean(axis=0)
        free = np.flatnonzero(~objective.bends_shifts(own))
        blocks = H.reshape(k, p, k, p)
        blocks[:, free, :, free] += (own[free] / k)[:, None, None]
    return H
