"""Newton's method: exact second derivatives while they are few, conjugate gradients when they are many.

The point is reached on a growing random sample of the rows first, where a step costs next to nothing, so that all of
them are swept only when little is left to do (Mokhtari et al., "Adaptive Newton method", NIPS 2016).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh

from onelayer.solvers.progress import Outcome, Point, Watch

Array = NDArray[Any]

DIRECT = 512  # parameters up to which forming and factoring the Hessian is cheaper than some 20 products with it
ARMIJO = 1e-4  # Nocedal & Wright, Numerical Optimization, 2nd ed., p. 33
HALVINGS = 40
SLOW = 0.1  # of the decrement left after a step with a borrowed Hessian: from there on, all rows' own pays
DOUBLE = float(np.finfo(np.float64).eps)
FLOOR = 8  # units of the rows' precision: below this, two values of the objective cannot be told apart


@dataclass(frozen=True)
class Curvature:
    """The Hessian at some point, factored: ``solve(g)`` is H⁻¹ g.

    ``error`` is how much it may be off, as a factor of the true one: 1 for all rows; for a sample of s rows and p
    parameters (1 + √(p/s))², the edge of the spectrum of a sampled covariance (Marchenko & Pastur, 1967).
    """

    solve: Callable[[Array], Array]
    error: float = 1.0


def newton(objective: Any, u: Array, *, tol: float, max_iter: int, watch: Watch, samples: list[Any]) -> Outcome:
    """Minimise a smooth convex objective to a relative gap of `tol`, by way of its `samples`, smallest first.

    All rows are then asked for gradients only: their curvature is the last sample's, as long as that halves the way
    often enough (Bollapragada, Byrd & Nocedal, IMA Journal of Numerical Analysis 39, 2019).
    """
    curvature = None
    for sample in samples:
        # a sample of n rows knows the optimum to about p / (2 n), so going further would be wasted
        accuracy = 0.2 * u.size / sample.rows.n
        outcome, curvature = _minimise(sample, u, tol=accuracy, max_iter=max_iter, watch=watch)
        u = outcome.point.u
        if curvature is not None:
            curvature = replace(curvature, error=(1 + math.sqrt(u.size / sample.rows.n)) ** 2)
        if watch.stopped:
            break
    return _minimise(objective, u, tol=tol, max_iter=max_iter, watch=watch, borrowed=curvature, polish=True)[0]


def _minimise(
    objective: Any,
    u: Array,
    *,
    tol: float,
    max_iter: int,
    watch: Watch,
    borrowed: Curvature | None = None,
    polish: bool = False,
) -> tuple[Outcome, Curvature | None]:
    direct = u.size <= DIRECT
    point = Point.at(objective, u)
    watch(point)
    gap, kind, converged, last = math.inf, "estimate", False, math.inf
    curvature = borrowed
    for iteration in range(max_iter + 1):
        if direct and borrowed is None:
            curvature = factored(objective, point.u)
        step = -curvature.solve(point.gradient) if curvature else _conjugate_step(objective, point, gap)
        decrement = -float((point.gradient * step).sum())
        gap, kind = _gap(objective, point, decrement * (curvature.error if curvature else 1))
        near = bool(gap <= max(tol, FLOOR * DOUBLE) * point.value)
        exact = direct and borrowed is None
        if iteration == max_iter or watch.stopped or (near and not (polish and exact)):
            converged = near
            break
        following = _line_search(objective, point, step, decrement)
        if following is None and borrowed is None:
            converged = near or bool(decrement <= 64 * FLOOR * objective.rows.precision * point.value)
            break
        if following is None or decrement > SLOW * last:  # the sample has taught what it can
            borrowed = None
        last = decrement
        if following is None:
            continue
        point = following
        watch(point)
        if near:  # the step was at hand already: take it, and all is decided to rounding
            converged = True
            gap = min(gap, FLOOR * DOUBLE * point.value + gap**2 / max(point.value, 1e-300))
            break
    return Outcome(point, gap, kind, converged), curvature


def factored(objective: Any, u: Array) -> Curvature:
    """The Hessian at u, factored once."""
    H = _determined(objective, objective.hessian(u))
    solve = symmetric_solver(H)
    return Curvature(lambda g: solve(g.ravel()).reshape(g.shape))


def _conjugate_step(objective: Any, point: Point, gap: float) -> Array:
    """-H⁻¹ g by conjugate gradients, the more exactly the nearer the optimum (Nocedal & Wright, 2nd ed., § 7.1)."""
    forcing = min(0.1, math.sqrt(min(gap, 1.0) / max(point.value, 1e-300)))
    product, curvature = objective.product(point.u)
    diagonal = curvature[:, None] + objective.ridge
    return conjugate_gradients(product, -point.gradient, np.maximum(diagonal, 1e-300), forcing)


def _determined(objective: Any, H: Array) -> Array:
    """Add curvature along shifts common to all classes, which change no softmax and along which no gradient points."""
    k, p = objective.shape
    if k > 1:
        free = np.flatnonzero(objective.ridge == 0)
        blocks = H.reshape(k, p, k, p)
        blocks[:, free, :, free] += (np.abs(np.diag(H)).reshape(k, p).mean(axis=0)[free] / k)[:, None, None]
    return H


def solve_symmetric(H: Array, g: Array) -> Array:
    """H⁻¹ g for a positive semidefinite H, the shortest solution in scaled columns where H is singular."""
    return symmetric_solver(H)(g)


def symmetric_solver(H: Array) -> Callable[[Array], Array]:
    """The function g → H⁻¹ g, H factored once."""
    size = np.sqrt(np.diag(H))
    size = np.where(size > 0, size, 1)
    scaled = H / size / size[:, None]
    try:
        factor = cho_factor(scaled, lower=True, check_finite=False)
        # a pivot this small holds no digit of its column
        if np.diag(factor[0]).min() > math.sqrt(len(H) * 4e-16):
            return lambda g: np.asarray(cho_solve(factor, g / size, check_finite=False)) / size
    except np.linalg.LinAlgError:
        pass
    values, vectors = eigh(scaled)
    kept = values > len(H) * 1e-15 * values[-1]
    values, vectors = values[kept], vectors[:, kept]
    return lambda g: np.asarray(vectors @ ((vectors.T @ (g / size)) / values)) / size


def conjugate_gradients(product: Any, right: Array, diagonal: Array, forcing: float) -> Array:
    """Solve H x = right from 0, preconditioned by a diagonal, to a residual relative in the preconditioner's norm."""
    x = np.zeros_like(right)
    residual = right.copy()
    preconditioned = residual / diagonal
    direction = preconditioned.copy()
    rho = first = float((residual * preconditioned).sum())
    for _ in range(10 * right.size):
        if rho <= forcing**2 * first or rho == 0:
            break
        bent = product(direction)
        curvature = float((direction * bent).sum())
        if curvature <= 0:
            break
        x += (rho / curvature) * direction
        residual -= (rho / curvature) * bent
        preconditioned = residual / diagonal
        rho, before = float((residual * preconditioned).sum()), rho
        direction = preconditioned + (rho / before) * direction
    return x if x.any() else preconditioned


def _line_search(objective: Any, point: Point, step: Array, decrement: float) -> Point | None:
    """The first of the steps 1, 1/2, 1/4 … that lowers the value enough, or, at the limit of rounding, the gradient."""
    t = 1.0
    noise = 64 * FLOOR * objective.rows.precision * abs(point.value)
    norm = np.linalg.norm(point.gradient)
    for _ in range(HALVINGS):
        trial = Point.at(objective, point.u + t * step)
        if trial.value <= point.value - ARMIJO * t * decrement:
            return trial
        if trial.value <= point.value + noise and np.linalg.norm(trial.gradient) < norm:
            return trial
        if t * decrement < noise / 64:
            return None
        t /= 2
    return None


def gap_at(objective: Any, point: Point) -> tuple[float, str]:
    """How far the value at a point is from the optimum, and whether that is a "bound" or an "estimate"."""
    exact = point.u.size <= DIRECT
    step = -factored(objective, point.u).solve(point.gradient) if exact else _conjugate_step(objective, point, 0.01)
    return _gap(objective, point, -float((point.gradient * step).sum()))


def _gap(objective: Any, point: Point, decrement: float) -> tuple[float, str]:
    """How far the value is from the optimum: half the Newton decrement near it, a bound elsewhere.

    The decrement is exact for a quadratic; where it is a large part of the value, the objective is not one yet.
    """
    bound = point.value
    penalised = objective.ridge > 0
    if penalised.any() and not (point.gradient[:, ~penalised]).any():
        bound = min(bound, float((point.gradient[:, penalised] ** 2 / objective.ridge[penalised]).sum()) / 2)
    estimate = 0.6 * decrement  # half, and a fifth of it for what is left of higher terms
    return (estimate, "estimate") if estimate < 0.05 * point.value else (bound, "bound")
