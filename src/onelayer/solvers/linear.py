"""Linear systems: conjugate gradients that know when they are exact enough, and symmetric matrices factored."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dpstrf, dsterf, spotrf, spotrs

Array = NDArray[Any]
Solve = Callable[[Array], Array]

LANCZOS = 40  # steps of conjugate gradients after which the least eigenvalue they see hardly moves
FIRST = 6  # of these, whose vectors are kept to know what is steep
OUT, UNSETTLED = 4, 0.1  # times the least eigenvalue, from where one is; and of itself, what it may still be off
NOTHING = 1e-30  # of a residual's square, as the preconditioner sees it: what is left is rounding, of any sign
NOISE = 2  # times what rounding leaves of cells: less is none of a column's own
BLUR = 1e-6  # of a diagonal: what single precision leaves of a Hessian's least eigenvalues
SEEN = 1e-12  # of the largest singular value: below, it is rounding of numbers that are multiples of one another
FLAT = 1e-13  # of what the preconditioner says: curvature below it is rounding, along a direction that changes nothing


def symmetric_solver(
    H: Array,
    *,
    overwrite: bool = False,
    singular: Callable[[Solve], Solve] | None = None,
    least: float = 0.0,
) -> Solve:
    """The function g → H⁻¹ g of a positive semidefinite H, factored once, in its own memory if it may `overwrite` that.

    Where H is `singular`, or tells columns apart by no more than the `least` of their size, the shortest solution in
    scaled columns, or what that makes of it; g is a vector, or columns of a matrix. An H of single precision is
    factored in it, in half the time, where that leaves digits enough.
    """
    if not H.size:
        return np.copy
    single = H.dtype == np.float32
    size, factor = _cholesky(H, overwrite=overwrite, least=least)
    if factor is not None:
        potrs = spotrs if single else dpotrs
        return lambda g: potrs(factor, g, lower=1)[0]
    if single:
        below = np.tril(H.astype(np.float64))  # what is above the diagonal may have been overwritten
        return symmetric_solver(below + np.tril(below, -1).T, overwrite=True, singular=singular, least=least)
    inside = _singular(H / size / size[:, None])

    def shortest(g: Array) -> Array:
        return np.asarray((inside((g.T / size).T).T / size).T)

    return singular(shortest) if singular else shortest


def rough_solver(H: Array) -> Solve | None:
    """The function g → H⁻¹ g, about, of an H of single precision, which is overwritten; None where it has no factor."""
    H.ravel()[:: len(H) + 1] *= 1 + BLUR
    factor, failed = spotrf(H.T, lower=1, overwrite_a=True, clean=0)
    if failed:
        return None

    def solve(g: Array) -> Array:
        size = float(np.abs(g).max()) or 1.0
        return np.asarray(size * spotrs(factor, g / size, lower=1)[0].astype(np.float64))

    return solve


def of_rows(R: Array, grain: Array | None = None) -> tuple[Array, int]:
    """W, with W Wᵀ the inverse of RᵀR, along directions that R sees in scaled columns, and how many these are.

    Squared, as in a Hessian, numbers hold half the digits: what is 1e-8 of a column is gone. What is no more than the
    `grain` of columns, (p,), which rounding left of their cells, is not seen.
    """
    size = np.sqrt(np.square(R).sum(axis=0))
    size[size == 0.0] = 1.0
    _, values, Vt = np.linalg.svd(R / size, full_matrices=False)
    floor = 0.0 if grain is None else NOISE * np.linalg.norm(Vt * grain, axis=1)
    seen = values > np.maximum(SEEN * values[0], floor)
    return (Vt[seen] / values[seen, None] / size).T, int(seen.sum())


class Parts:
    """A positive semidefinite matrix, and solvers with its rows and columns of some weights.

    The last one is kept: steps that change no sign ask for it again and again.
    """

    def __init__(self, matrix: Array) -> None:
        self.matrix = matrix
        self._some, self._solve = np.empty(0, np.intp), symmetric_solver(np.empty((0, 0)))

    def part(self, some: Array) -> Array:
        """Its rows and columns of some weights."""
        return self.matrix if len(some) == len(self.matrix) else np.asarray(self.matrix[some[:, None], some])

    def solver(self, some: Array) -> Solve:
        """The function g → the solution with these, as `symmetric_solver` has it."""
        if not np.array_equal(some, self._some):
            self._some, self._solve = some, symmetric_solver(self.part(some))
        return self._solve


def _singular(H: Array) -> Solve:
    """The function g → the shortest v with H v = g, of an H of rank r that has a unit diagonal and is overwritten.

    H is L D Lᵀ, L having r columns: a Cholesky factor whose next pivot is the largest, until one is rounding. L⁺ takes
    its normal equations, which do no harm: all that makes H ill-conditioned is in D (Higham, Accuracy and Stability of
    Numerical Algorithms, 2nd ed., § 10.3). An eigendecomposition takes several times as long.
    """
    L, pivots = _pivoted(H)
    if not len(pivots):
        return np.zeros_like
    normal = dpotrf(np.dot(L.T, L), lower=1)[0]

    def solve(g: Array) -> Array:
        along = dpotrs(normal, np.dot(L.T, g), lower=1)[0]
        return np.asarray(np.dot(L, dpotrs(normal, (along.T / pivots).T, lower=1)[0]))

    return solve


def _pivoted(H: Array) -> tuple[Array, Array]:
    """L, (p, r), and the diagonal of D, (r,), with L D Lᵀ = H, whose rank is r; H is overwritten."""
    factor, order, rank, _ = dpstrf(H.T, lower=0, tol=len(H) * 1e-15, overwrite_a=True)  # what is below H's diagonal
    roots, L = factor.diagonal()[:rank], np.empty((len(H), rank))
    L[order - 1] = np.tril(factor.T[:, :rank]) / roots
    return L, roots**2


def shifted(H: Array, ridge: Array) -> Callable[[float], Solve]:
    """The function shift → v → (H + shift)⁻¹ v, for many shifts and v, of an H with a unit diagonal.

    Where the rank of H is below half its size, without the `ridge`, (p,), that is part of its diagonal, by way of that
    (Woodbury's identity).
    """
    if ridge.any() or _cholesky(H)[1] is None:
        L, pivots = _pivoted(H - np.diag(ridge))
        if 0 < 2 * len(pivots) < len(H):
            F = L * np.sqrt(pivots)

            def of(shift: float) -> Solve:
                bent = ridge + shift
                gram = np.dot(F.T, F / bent[:, None])
                gram.ravel()[:: len(gram) + 1] += 1
                inner = inverse(gram)

                def solve(v: Array) -> Array:
                    along = v / bent
                    return np.asarray(along - F @ (inner @ (F.T @ along)) / bent)

                return solve

            return of
    return lambda shift: inverse(H + shift * np.eye(len(H))).dot


def inverse(H: Array) -> Array:
    """H⁻¹ itself, for many products with a small one; as `symmetric_solver` has it where H is singular."""
    factor = _cholesky(H)[1]
    if factor is None:
        return symmetric_solver(H)(np.eye(len(H)))
    half = np.tril(dpotri(factor, lower=1, overwrite_c=1)[0])
    half.ravel()[:: len(H) + 1] /= 2
    return np.asarray(half + half.T)


def _cholesky(H: Array, *, overwrite: bool = False, least: float = 0.0) -> tuple[Array, Array | None]:
    """The columns' sizes, and the lower factor of H; None where H, in scaled columns, holds too few digits of it.

    The factor may `overwrite` what is above the diagonal, and then the rest is as it was where there is none.

    Scaling would not change a digit of the factor (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
    § 10.1).
    """
    squares = H.diagonal().copy()
    size = np.sqrt(squares)
    size[size == 0.0] = 1.0
    potrf = spotrf if H.dtype == np.float32 else dpotrf
    factor, failed = potrf(H.T, lower=1, overwrite_a=overwrite, clean=0)
    # a pivot this small holds no digit of its column
    digits = max(least, math.sqrt(len(H) * 2 * np.finfo(H.dtype).eps))
    if failed or (factor.diagonal() / size).min() <= digits:
        if overwrite:
            H.ravel()[:: len(H) + 1] = squares
        return size, None
    return size, factor


class Steep(NamedTuple):
    """Eigenvalues of P⁻¹H far above all others, P times their vectors, which P gives length 1, and the others' mean."""

    values: Array
    directions: Array
    others: float


class Seen(NamedTuple):
    """What conjugate gradients have seen of the preconditioned Hessian P⁻¹H.

    The least eigenvalue, in how many steps it was seen; the residual's square that is left, by P⁻¹; and what is steep,
    if that was asked for and there is any.
    """

    least: float
    steps: int
    left: float = 0.0
    steep: Steep | None = None


UNSEEN = Seen(1.0, 0)


def conjugate_gradients(
    product: Callable[[Array], Array],
    right: Array,
    solve: Solve,
    forcing: float,
    wanted: float,
    seen: Seen = UNSEEN,
    enough: Array | None = None,
    along: Callable[[float], None] = lambda step: None,
    most: float = math.inf,
    steep: bool = False,
    quadratic: float = 0.0,
    there_is: float = math.inf,
    further: Callable[[Array], bool] = lambda x: False,
) -> tuple[Array, Seen]:
    """Solve H x = right from 0, preconditioned, and say what was seen of the spectrum on the way.

    Stops at a residual `forcing` relative in the preconditioner's norm, or once what is left of the quadratic is
    below `wanted`, or no residual above its own `enough`; `seen` is what is known of the spectrum before. Without
    `enough`, a residual is relative to what was gained, if that is less: one steep direction may hold most of a
    gradient and little of the way (equally correlated columns: half as many steps of Newton's). `along` is
    told each step along the last direction multiplied. After `most` steps, x is what there is by then. `steep` asks
    for what is steep. While less than `quadratic` is gained, `forcing` does not count: after such a step no other is
    to be needed. Nor does it where `further` says so of the x at which it is met. Once more is gained than `there_is`,
    the quadratic is none that anybody has.
    """
    x, residual = np.zeros_like(right), right.copy()
    del right  # which whoever asks need not keep
    preconditioned = solve(residual)
    direction = preconditioned.copy() if preconditioned is residual else preconditioned
    rho = first = float(np.vdot(residual, preconditioned))
    least, gained = seen.least, 0.0
    diagonal: list[float] = []
    beside: list[float] = []
    basis: list[Array] = []  # what P makes of Lanczos' vectors, whose signs alternate
    ratio = step = 0.0
    for _ in range(int(min(10 * x.size, most))):
        if gained >= quadratic and rho <= forcing**2 * (first if enough is not None else min(first, gained)):
            if not further(x):
                break
            forcing = 0.0
        if gained > there_is or (enough is not None and (np.abs(residual) <= enough).all()):
            break
        if rho <= 2 * wanted * least:  # only now is a better estimate worth its price
            least = min(least, _least_eigenvalue(diagonal, beside))
            if rho <= 2 * wanted * least:
                break
        if steep and len(basis) < FIRST:
            basis.append((-1) ** len(basis) * residual / math.sqrt(rho))
        bent = product(direction)
        curvature = float(np.vdot(direction, bent))
        if curvature <= FLAT * rho:
            break
        # Lanczos' tridiagonal matrix from the coefficients (Golub & Van Loan, 4th ed., § 11.3.5)
        diagonal.append(curvature / rho + (ratio / step if step else 0.0))
        step = rho / curvature
        gained += step * rho
        x += step * direction
        along(step)
        residual -= step * bent
        preconditioned = solve(residual)
        rho, before = float(np.vdot(residual, preconditioned)), rho
        if rho <= NOTHING * first:
            rho = max(rho, 0.0)
            beside.append(0.0)
            break
        ratio = rho / before
        beside.append(math.sqrt(ratio) / step)
        direction *= ratio
        direction += preconditioned
    if not diagonal:
        return preconditioned, Seen(least, 0, rho)
    least = min(least, _least_eigenvalue(diagonal, beside))
    return x, Seen(least, len(diagonal), rho, _steep(diagonal, beside, basis) if basis else None)


def _least_eigenvalue(diagonal: list[float], beside: list[float]) -> float:
    if len(diagonal) < 2:
        return diagonal[0] if diagonal else 1.0
    d = diagonal[:LANCZOS]
    return float(max(dsterf(d, beside[: len(d) - 1])[0][0], 1e-12))


def _steep(diagonal: list[float], beside: list[float], basis: list[Array]) -> Steep | None:
    """Ritz values that stand out and have settled, in the space of the first steps (Golub & Van Loan, § 10.1.4)."""
    m = len(basis)
    values, vectors = eigh_tridiagonal(diagonal[:m], beside[: m - 1])
    out = (values > OUT * values[0]) & (beside[m - 1] * np.abs(vectors[-1]) < UNSETTLED * values)
    if not out.any() or out.all():
        return None
    return Steep(values[out], np.tensordot(vectors[:, out].T, np.stack(basis), 1), float(values[~out].mean()))
