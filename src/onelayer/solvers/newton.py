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
from scipy.linalg import eigh
from scipy.linalg.lapack import dpotrf, dpotrs

from onelayer.solvers.progress import Outcome, Point, Watch

Array = NDArray[Any]
Solve = Callable[[Array], Array]

DIRECT = 512  # parameters up to which forming and factoring the Hessian is cheaper than some 20 products with it
BLOCK = 512  # parameters of one output up to which its own block of the Hessian is factored as preconditioner
ARMIJO = 1e-4  # Nocedal & Wright, Numerical Optimization, 2nd ed., p. 33
HALVINGS = 40
SLOW = 0.1  # of the decrement left after a step with an older Hessian: from there on, a new one pays
DOUBLE = float(np.finfo(np.float64).eps)
FLOOR = 8  # units of the rows' precision: below this, two values of the objective cannot be told apart
NEAR = 0.05  # of the value: a decrement below it is that of a quadratic, to a few per cent


@dataclass(frozen=True)
class Curvature:
    """The Hessian at some point, factored: ``solve(g)`` is H⁻¹ g.

    ``error`` is how much it may be off, as a factor of the true one: 1 for all rows; for a sample of s rows and p
    parameters (1 + √(p/s))², the edge of the spectrum of a sampled covariance (Marchenko & Pastur, 1967).
    """

    solve: Solve
    error: float = 1.0


def newton(objective: Any, u: Array, *, tol: float, max_iter: int, watch: Watch, samples: list[Any]) -> Outcome:
    """Minimise a smooth convex objective to a relative gap of `tol`, by way of its `samples`, smallest first.

    With few parameters, all rows are then asked for gradients only: their curvature is the last sample's, as long as
    that shortens the way enough (Bollapragada, Byrd & Nocedal, IMA Journal of Numerical Analysis 39, 2019).
    """
    minimise = _direct if u.size <= DIRECT else _truncated
    curvature = None
    for sample in samples:
        # a sample of n rows knows the optimum to about p / (2 n), so going further would be wasted
        accuracy = min(0.2 * u.size / sample.rows.n, 0.02)
        outcome, curvature = minimise(sample, u, accuracy, max_iter, watch, None)
        u = outcome.point.u
        if curvature is not None:
            curvature = replace(curvature, error=(1 + math.sqrt(u.size / sample.rows.n)) ** 2)
        if watch.stopped:
            break
    return minimise(objective, u, tol, max_iter, watch, curvature)[0]


def _direct(
    objective: Any, u: Array, tol: float, max_iter: int, watch: Watch, curvature: Curvature | None
) -> tuple[Outcome, Curvature | None]:
    """Steps with a factored Hessian, kept as long as each step leaves little of the decrement."""
    point = Point.at(objective, u)
    watch(point)
    gap, kind, converged, last, older = math.inf, "estimate", False, math.inf, True
    for iteration in range(max_iter + 1):
        step, decrement = _step(curvature, point) if curvature else (u, math.inf)
        if curvature is None or (older and decrement > SLOW * last):
            curvature, older = factored(objective, point), False
            step, decrement = _step(curvature, point)
        gap, kind = _gap(objective, point, decrement * curvature.error)
        if iteration == max_iter or watch.stopped or gap <= max(tol, FLOOR * DOUBLE) * point.value:
            converged = bool(gap <= max(tol, FLOOR * DOUBLE) * point.value)
            break
        following = _line_search(objective, point, step, decrement)
        if following is None and older:
            curvature = None
            continue
        if following is None:
            converged = _at_rounding(objective, point, decrement)
            break
        point, last, older = following, decrement, True
        watch(point)
    return Outcome(point, gap, kind, converged), curvature


def _step(curvature: Curvature, point: Point) -> tuple[Array, float]:
    step = -curvature.solve(point.gradient)
    return step, -float(np.vdot(point.gradient, step))


def _truncated(
    objective: Any, u: Array, tol: float, max_iter: int, watch: Watch, curvature: Curvature | None
) -> tuple[Outcome, None]:
    """Steps by conjugate gradients, no more exact than they need be (Nocedal & Wright, 2nd ed., § 7.1)."""
    point = Point.at(objective, u)
    watch(point)
    gap, kind, converged, least, solve = math.inf, "estimate", False, 1.0, None
    for iteration in range(max_iter + 1):
        if solve is not None:
            # what the conjugate gradients of the step before have seen of the spectrum, with a factor of two to spare
            gap, kind = _gap(objective, point, 2 * float(np.vdot(point.gradient, solve(point.gradient))) / least)
            if gap <= tol * point.value:
                converged = True
                break
        product, curvatures = objective.product(point.u, point.logits)
        solve = _preconditioner(objective, point, curvatures)
        wanted = 0.2 * tol * point.value
        forcing = min(0.3, math.sqrt(min(gap, point.value) / max(point.value, 1e-300)))
        step, least = conjugate_gradients(product, -point.gradient, solve, forcing, wanted, least)
        decrement = -float(np.vdot(point.gradient, step))
        gap, kind = _gap(objective, point, decrement + 4 * wanted + 2 * forcing**2 * decrement)
        if iteration == max_iter or watch.stopped or gap <= max(tol, FLOOR * DOUBLE) * point.value:
            converged = bool(gap <= max(tol, FLOOR * DOUBLE) * point.value)
            break
        following = _line_search(objective, point, step, decrement)
        if following is None:
            converged = _at_rounding(objective, point, decrement)
            break
        point = following
        watch(point)
    return Outcome(point, gap, kind, converged), None


def _preconditioner(objective: Any, point: Point, curvatures: Array) -> Solve:
    """Each output's own block of the Hessian where it is small, else the Hessian's diagonal in scaled columns."""
    if objective.outputs > 1 and objective.shape[1] <= BLOCK:
        blocks = objective.diagonal_blocks(point.u, point.logits)
        solvers = [symmetric_solver(block) for block in blocks]
        return lambda g: np.stack([solve(row) for solve, row in zip(solvers, g, strict=True)])
    diagonal = np.maximum(curvatures[:, None] + objective.ridge, 1e-300)
    return lambda g: np.asarray(g / diagonal)


def factored(objective: Any, point: Point) -> Curvature:
    """The Hessian at a point, factored once."""
    H = _determined(objective, objective.hessian(point.u, point.logits))
    solve = symmetric_solver(H)
    return Curvature(lambda g: solve(g.ravel()).reshape(g.shape))


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


def symmetric_solver(H: Array) -> Solve:
    """The function g → H⁻¹ g, H factored once."""
    size = np.sqrt(H.diagonal())
    size[size == 0] = 1
    scaled = H / size
    scaled /= size[:, None]
    factor, failed = dpotrf(scaled, lower=1, overwrite_a=0, clean=0)
    # a pivot this small holds no digit of its column
    if not failed and factor.diagonal().min() > math.sqrt(len(H) * 4e-16):
        return lambda g: dpotrs(factor, g / size, lower=1)[0] / size
    values, vectors = eigh(scaled)
    kept = values > len(H) * 1e-15 * values[-1]
    values, vectors = values[kept], vectors[:, kept]
    return lambda g: np.asarray(vectors @ ((vectors.T @ (g / size)) / values)) / size


def conjugate_gradients(
    product: Callable[[Array], Array], right: Array, solve: Solve, forcing: float, wanted: float, least: float = 1.0
) -> tuple[Array, float]:
    """Solve H x = right from 0, preconditioned, and say what the least eigenvalue of the preconditioned H seems to be.

    Stops at a residual `forcing` relative in the preconditioner's norm, or once what is left of the quadratic is
    below `wanted`. `least` is what is known of that eigenvalue before.
    """
    x = np.zeros_like(right)
    residual = right.copy()
    preconditioned = solve(residual)
    direction = preconditioned.copy()
    rho = first = float(np.vdot(residual, preconditioned))
    diagonal: list[float] = []
    beside: list[float] = []
    ratio = step = 0.0
    for _ in range(10 * right.size):
        if rho == 0 or rho <= forcing**2 * first or rho <= 2 * wanted * least:
            break
        bent = product(direction)
        curvature = float(np.vdot(direction, bent))
        if curvature <= 0:
            break
        # Lanczos' tridiagonal matrix from the coefficients (Golub & Van Loan, 4th ed., § 11.3.5)
        diagonal.append(curvature / rho + (ratio / step if step else 0.0))
        step = rho / curvature
        x += step * direction
        residual -= step * bent
        preconditioned = solve(residual)
        rho, before = float(np.vdot(residual, preconditioned)), rho
        ratio = rho / before
        beside.append(math.sqrt(ratio) / step)
        least = min(least, _least_eigenvalue(diagonal, beside[:-1]))
        direction *= ratio
        direction += preconditioned
    return (x if x.any() else preconditioned), least


def _least_eigenvalue(diagonal: list[float], beside: list[float]) -> float:
    if len(diagonal) == 1:
        return diagonal[0]
    T = np.diag(diagonal) + np.diag(beside, -1)
    return float(max(np.linalg.eigvalsh(T)[0], 1e-12))


def _line_search(objective: Any, point: Point, step: Array, decrement: float) -> Point | None:
    """The first of the steps 1, 1/2, 1/4 … that lowers the value enough, or, at the limit of rounding, the gradient."""
    t = 1.0
    noise = 64 * FLOOR * objective.rows.precision * abs(point.value)
    norm = math.inf
    for _ in range(HALVINGS):
        trial = Point.at(objective, point.u + t * step)
        if trial.value <= point.value - ARMIJO * t * decrement:
            return trial
        norm = min(norm, float(np.linalg.norm(point.gradient)))
        if trial.value <= point.value + noise and np.linalg.norm(trial.gradient) < norm:
            return trial
        if t * decrement < noise / 64:
            return None
        t /= 2
    return None


def _at_rounding(objective: Any, point: Point, decrement: float) -> bool:
    """Whether no step lowers the value because what is left is below its rounding."""
    return bool(decrement <= 64 * FLOOR * objective.rows.precision * point.value)


def gap_at(objective: Any, point: Point) -> tuple[float, str]:
    """How far the value at a point is from the optimum, and whether that is a "bound" or an "estimate"."""
    if point.u.size <= DIRECT:
        return _gap(objective, point, _step(factored(objective, point), point)[1])
    product, curvatures = objective.product(point.u, point.logits)
    step, _ = conjugate_gradients(product, -point.gradient, _preconditioner(objective, point, curvatures), 0.1, 0.0)
    return _gap(objective, point, -float(np.vdot(point.gradient, step)))


def _gap(objective: Any, point: Point, decrement: float) -> tuple[float, str]:
    """How far the value is from the optimum: half the Newton decrement near it, a bound elsewhere.

    The decrement is exact for a quadratic; where it is a large part of the value, the objective is not one yet.
    """
    estimate = 0.6 * decrement  # half, and a fifth of it for what is left of higher terms
    return (estimate, "estimate") if estimate < NEAR * point.value else (point.value, "bound")
