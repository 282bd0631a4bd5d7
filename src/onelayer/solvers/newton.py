"""Newton's method: exact second derivatives while they are few, conjugate gradients when they are many.

The point is reached on a growing random sample of the rows first, where a step costs next to nothing, so that all of
them are swept only when little is left to do (Mokhtari et al., "Adaptive Newton method", NIPS 2016).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh

from onelayer.solvers.progress import Outcome, Point, Watch

Array = NDArray[Any]

DIRECT = 512  # parameters up to which forming and factoring the Hessian is cheaper than some 20 products with it
ARMIJO = 1e-4  # Nocedal & Wright, Numerical Optimization, 2nd ed., p. 33
HALVINGS = 40
FLOOR = 8 * np.finfo(np.float64).eps  # relative: below this, two values of the objective cannot be told apart


def newton(objective: Any, u: Array, *, tol: float, max_iter: int, watch: Watch, samples: list[Any]) -> Outcome:
    """Minimise a smooth convex objective to a relative gap of `tol`, by way of its `samples`, smallest first."""
    for sample in samples:
        # a sample of n rows knows the optimum to about p / (2 n), so going further would be wasted
        accuracy = 0.2 * u.size / sample.rows.n
        u = _minimise(sample, u, tol=accuracy, max_iter=max_iter, watch=watch).point.u
        if watch.stopped:
            break
    return _minimise(objective, u, tol=tol, max_iter=max_iter, watch=watch, polish=True)


def _minimise(objective: Any, u: Array, *, tol: float, max_iter: int, watch: Watch, polish: bool = False) -> Outcome:
    direct = u.size <= DIRECT
    point = Point.at(objective, u)
    watch(point)
    gap, kind, converged = math.inf, "estimate", False
    for iteration in range(max_iter + 1):
        forcing = 0.0 if direct else min(0.1, math.sqrt(min(gap, 1.0) / max(point.value, 1e-300)))
        step = _solve(objective, point, direct, forcing)
        decrement = -float((point.gradient * step).sum())
        gap, kind = _gap(objective, point, decrement)
        near = bool(gap <= max(tol, FLOOR) * point.value)
        if iteration == max_iter or watch.stopped or (near and not (polish and direct)):
            converged = near
            break
        following = _line_search(objective, point, step, decrement)
        if following is None:
            converged = near or bool(decrement <= 64 * FLOOR * point.value)
            break
        if near:  # the step was at hand already: take it, and all is decided to rounding
            point, converged = following, True
            watch(point)
            gap = min(gap, FLOOR * point.value + gap**2 / max(point.value, 1e-300))
            break
        point = following
        watch(point)
    return Outcome(point, gap, kind, converged)


def _solve(objective: Any, point: Point, direct: bool, forcing: float) -> Array:
    """The Newton step at a point: -H⁻¹ g, to a relative residual of `forcing` when by conjugate gradients."""
    if direct:
        return -solve_symmetric(_determined(objective, objective.hessian(point.u)), point.gradient.ravel()).reshape(
            point.u.shape
        )
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
    size = np.sqrt(np.diag(H))
    size = np.where(size > 0, size, 1)
    scaled, right = H / size / size[:, None], g / size
    try:
        factor = cho_factor(scaled, lower=True, check_finite=False)
        # a pivot this small holds no digit of its column
        if np.diag(factor[0]).min() > math.sqrt(len(g) * 4e-16):
            return np.asarray(cho_solve(factor, right, check_finite=False)) / size
    except np.linalg.LinAlgError:
        pass
    values, vectors = eigh(scaled)
    kept = values > len(g) * 1e-15 * values[-1]
    return np.asarray(vectors[:, kept] @ ((vectors[:, kept].T @ right) / values[kept])) / size


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
    noise = 64 * FLOOR * abs(point.value)
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
    step = _solve(objective, point, point.u.size <= DIRECT, forcing=0.1)
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
