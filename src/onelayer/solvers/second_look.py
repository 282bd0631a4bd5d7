"""A second look at what seems to be the optimum: whether columns that nearly depend on one another hide a way down.

Along their difference a gradient is as small as what tells them apart, and the curvature is the square of that: a
residual says nothing of such a direction, and conjugate gradients that were exact enough may not have met it. They do
where the Hessian of a few rows preconditions them, all else being solved at once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.curvature import BLOCK, along, ridge_gap
from onelayer.solvers.linear import Solve, conjugate_gradients, symmetric_solver
from onelayer.solvers.progress import Point

Array = NDArray[Any]

LARGEST = 1200  # parameters of one output whose Hessian is formed of a few rows
ROWS, ROWS_OF_MANY, FEWEST = 4, 2, 250  # for each parameter, for each of more than BLOCK, and at least
STEPS = 12  # of conjugate gradients
LEFT = 0.01  # of a residual, as a Hessian that was formed sees it: nothing is flat to that
SCARCE = 0.5  # of the curvature of columns on average: one that has less is rare among these rows
NOISE = 1e-6  # of a diagonal: what single precision leaves of a Hessian's least eigenvalues
EAGER = 10  # times `tol`: at an estimate below it, a few rows are asked
LEAST = 0.1  # of an estimate: no less is believed
NEAR = 1e3  # times `tol`: a duality gap below it
CHANCE = 10  # times `tol`: that much a Hessian of so few rows may say too much by itself


class SecondLook:
    """Whether the objective falls by much more than `tol` of its value from where a solver takes it to be optimal.

    As a few of its rows see it. What they see is nearer the truth than the estimates of a solver that must be sure: so
    they are asked as soon as these are near `tol`, and then only once.

    Attributes
    ----------
    clear : bool
        Whether nothing is hidden: few rows have said so, or steps were solved with a Hessian of all of them.
    """

    def __init__(self, objective: Any, tol: float) -> None:
        self.objective, self.tol, self.clear, self._share = objective, tol, False, 0.0

    def hides(self, point: Point) -> bool:
        """Whether there is a way down that an estimate has not seen."""
        return not self.clear and self._seen(point) > CHANCE * self.tol * point.value

    def sharper(self, point: Point, gap: float) -> float:
        """An estimate of the gap, by what few rows saw of one that was near `tol`.

        Where a duality gap will be sharp a few steps later, which needs no second look, they are not asked.
        """
        wanted = self.tol * point.value
        if not self._share and wanted < gap <= EAGER * wanted and ridge_gap(self.objective, point) > NEAR * wanted:
            seen = self._seen(point)
            self._share, self.clear = max(seen / gap, LEAST), seen <= CHANCE * wanted
        return gap * (self._share or 1.0)

    def _seen(self, point: Point) -> float:
        return 0.6 * _decrement(self.objective, point)


def _decrement(objective: Any, point: Point) -> float:
    """gᵀ H⁻¹ g, or less, with the Hessian of a few rows.

    Columns that these rows know little of, such as rare levels, are taken to bend as others do.
    """
    p, u, g = objective.shape[1], point.u, point.gradient
    thin = objective.thinned(max((ROWS if p <= BLOCK else ROWS_OF_MANY) * p, FEWEST))
    logits = thin.logits(u)
    own, scarce = thin.mean_curvature(logits)[:, None] + thin.ridge, SCARCE if thin.rows.n < objective.rows.n else 0.0

    def missing(diagonal: Array) -> Array:
        return np.where(diagonal < scarce * own, own - diagonal, 0.0)

    solve, more, left = _preconditioner(thin, u, logits, own, missing)
    product = thin.product(u, logits)
    step, _ = conjugate_gradients(lambda v: product(v) + more * v, -g, solve, left, 0.0, most=STEPS)
    return -float(np.vdot(g, step))


def _preconditioner(
    thin: Any, u: Array, logits: Any, own: Array, missing: Callable[[Array], Array]
) -> tuple[Solve, Array, float]:
    """The Hessian's inverse, what its diagonal is missing, and what may be left of a residual.

    Of several outputs, it is that of their blocks; where these are too large, that of the diagonal.
    """
    k, p = u.shape
    if k == 1 and p <= LARGEST:
        H = thin.hessian(u, logits, single=True)
        more = missing(np.diag(H)[None])
        inside = symmetric_solver(_shored(H, more[0]), overwrite=True)
        return lambda v: inside(v[0])[None], more, LEFT
    if k > 1 and p <= BLOCK:
        directions, found = thin.block_diagonal(u)
        more = missing(found[:k].diagonal(axis1=1, axis2=2))
        for H, by in zip(found, [*more, more.mean(axis=0)], strict=True):
            _shored(H, by)
        return along(directions, found), more, LEFT
    return lambda v: v / own, missing(thin.diagonal(u, logits)), 0.0


def _shored(H: Array, more: Array) -> Array:
    """With `more` on the diagonal, and what single precision may have taken from its least eigenvalues."""
    H[np.diag_indices_from(H)] = (1 + NOISE) * (np.diag(H) + more)
    return H
