"""A second look at what seems to be the optimum: whether columns that nearly depend on one another hide a way down.

Along their difference a gradient is as small as what tells them apart, and the curvature is the square of that: a
residual says nothing of such a direction, and conjugate gradients that were exact enough may not have met it. They do
where the Hessian of a few rows preconditions them, all else being solved at once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.sampling import DIRECT
from onelayer.solvers.asked import Layer
from onelayer.solvers.curvature import along, of_one_block, ridge_gap
from onelayer.solvers.linear import BLUR, Solve, conjugate_gradients, symmetric_solver
from onelayer.solvers.prices import BLOCK
from onelayer.solvers.progress import Point

Array = NDArray[Any]

LARGEST, LARGEST_OF_SPARSE = 4000, 1200  # parameters of one output whose Hessian is formed of a few rows
ROWS, ROWS_OF_MANY, FEWEST = 4, 2, 250  # for each parameter, for each of more than BLOCK, and at least
MANY = 32  # rows for each parameter, where so few see too much
AMPLE = 1.5  # times a gap that few rows may take it for
STEPS = 12  # of conjugate gradients
LEFT = 0.01  # of a residual, as a Hessian that was formed sees it: nothing is flat to that
SCARCE = 0.5  # of a column's mean square: one that has less is rare among these rows
EAGER = 4  # times `tol`: at an estimate below it, a few rows are asked
NEAR = 1e3  # times `tol`: a duality gap below it


class SecondLook:
    """How far the objective falls from where a solver takes it to be optimal, as a few of its rows see it.

    That is nearer the truth than the estimates of a solver that must be sure: so they are asked as soon as these are
    near `tol`, and may end the fit.

    Attributes
    ----------
    clear : bool
        Whether nothing is hidden: few rows have said so, or steps were solved with a Hessian of all of them.
    few : objective, optional
        Of the rows that are asked, where it is not to be any: where nearly all are sure, any know next to nothing.
    """

    def __init__(self, objective: Layer, tol: float) -> None:
        self.objective, self.tol, self.clear, self._asked = objective, tol, False, False
        self.few: Layer | None = None

    def gap(self, point: Point) -> float:
        """How far the objective falls by what an estimate may not have seen: 0 where that is known to be nothing.

        The fewer rows, the more they see: where few see too much, more are asked, which costs little beside a Hessian
        of all.
        """
        if self.clear:
            return 0.0
        seen, size = _gap(self.objective, point, self.few), MANY * self.objective.shape[1]
        unsure = self.few is None and seen > AMPLE * self.tol * point.value
        if unsure and point.u.size <= DIRECT and size < self.objective.rows.n:
            seen = _gap(self.objective, point, self.objective.thinned(size))
        return seen

    def sharper(self, point: Point, gap: float) -> float:
        """An estimate of the gap; or what few rows see, where the one is near `tol` and the other below.

        Where a duality gap will be sharp a few steps later, which needs no second look, they are not asked.
        """
        wanted = self.tol * point.value
        if self._asked or not wanted < gap <= EAGER * wanted or ridge_gap(self.objective, point) <= NEAR * wanted:
            return gap
        seen, self._asked = _gap(self.objective, point, self.few), True
        self.clear = seen <= wanted
        return seen if self.clear else gap


def _gap(objective: Layer, point: Point, few: Layer | None) -> float:
    """Half of gᵀ H⁻¹ g, and a fifth for what is left of higher terms, with the Hessian of a few rows.

    Columns that these rows know little of, such as rare levels, are taken to bend as others do.
    """
    p, u, g = objective.shape[1], point.u, point.gradient
    thin = few or objective.thinned(max((ROWS if p <= BLOCK else ROWS_OF_MANY) * p, FEWEST))
    logits = thin.logits(u)
    own, scarce = thin.mean_curvature(logits)[:, None] + thin.ridge, np.zeros(thin.shape[1], dtype=bool)
    if thin.rows.n < objective.rows.n:
        scarce[: thin.rows.d] = thin.second_moments([np.ones(len(z)) for z in logits]) < SCARCE

    def missing(diagonal: Array) -> Array:
        return np.where(scarce, np.maximum(own - diagonal, 0.0), 0.0)

    solve, more, left = _preconditioner(thin, u, logits, own, missing)
    product = thin.product(u, logits)
    step, _ = conjugate_gradients(lambda v: product(v) + more * v, -g, solve, left, 0.0, most=STEPS)
    decrement, penalty = -float(np.vdot(g, step)), thin.ridge + more
    if thin.rows.n < objective.rows.n and decrement > 0:
        held = float(np.vdot(step, penalty * step)) / decrement  # what does not depend on how few rows there are
        decrement /= held + (1 - held) * _excess(solve, penalty, thin.rows.n)
    return 0.6 * decrement


def _excess(solve: Solve, penalty: Array, n: int) -> float:
    """By how much the inverse of what so few rows say of the Hessian H is too large: 1 / (1 - p / n), as of Wishart's.

    The parameters p are those that rows determine and no penalty P, tr (H - P) H⁻¹, here by random signs (Hutchinson,
    "A stochastic estimator of the trace of the influence matrix", Communications in Statistics 19, 1990).
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], penalty.shape)
    determined = float(np.vdot(signs, signs - penalty * solve(signs))) / len(signs)
    return 1 / (1 - min(determined / n, 1 / ROWS_OF_MANY))


def _preconditioner(
    thin: Any, u: Array, logits: Any, own: Array, missing: Callable[[Array], Array]
) -> tuple[Solve, Array, float]:
    """The Hessian's inverse, what its diagonal is missing, and what may be left of a residual.

    Of several outputs, it is that of their blocks, or of one for all; where that is too large, of the diagonal.
    """
    k, p = u.shape
    if k > 1 and p <= BLOCK:
        directions, found = thin.block_diagonal(u)
        more = missing(found[:k].diagonal(axis1=1, axis2=2))
        for H, by in zip(found, [*more, more.mean(axis=0)], strict=True):
            _shored(H, by)
        return along(directions, found), more, LEFT
    if p > (LARGEST_OF_SPARSE if thin.rows.sparse else LARGEST):
        return lambda v: v / own, missing(thin.diagonal(u, logits)), 0.0
    H = thin.hessian(u, logits, single=True) if k == 1 else thin.mean_block(logits)
    bent = np.diag(H).copy()
    more = missing(bent[None])
    inside = symmetric_solver(_shored(H, more.mean(axis=0)), overwrite=True)
    return (lambda v: inside(v[0])[None]) if k == 1 else of_one_block(thin, bent, inside), more, LEFT


def _shored(H: Array, more: Array) -> Array:
    """With `more` on the diagonal, and what single precision may have taken from its least eigenvalues."""
    H[np.diag_indices_from(H)] = (1 + BLUR) * (np.diag(H) + more)
    return H
