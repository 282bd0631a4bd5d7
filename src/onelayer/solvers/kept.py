"""What fits along a path with an L1 penalty keep from one another."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers import prices
from onelayer.solvers.asked import Layer
from onelayer.solvers.linear import Parts
from onelayer.solvers.place import Place
from onelayer.solvers.working_set import MANY, SINGLE, blurred

Array = NDArray[Any]

ROOM, LOOSE = 1.25, 2.0  # times the columns asked for: those that are copied, and of which a copy is made anew
FRESH = 2  # products that a fit takes with a Hessian just formed
HALF = 0.5  # of the price of a Hessian: one of single precision


class Kept:
    """Where the last two fits ended, the loss's Hessian for all columns, which changes little, and some columns' copy.

    A Hessian is formed once fits without one have cost as much, and anew when those with an old one have; unless so few
    of all `fits` are left that they will not.
    """

    def __init__(self, fits: int) -> None:
        self.left = fits
        self.places: list[Place] = []
        self.hessian = np.empty((0, 0))
        self.spent = 0.0  # products with all columns that a fresh one would have spared
        self.columns = np.empty(0, np.intp)
        self.copy: Layer | None = None
        self._of: tuple[Array, Array] = self.columns, np.empty(0)  # the columns, and their penalty, …
        self._parts = Parts(self.hessian)  # … of which this is the Hessian, with the last of its factors

    def seen_from(self, objective: Layer, u: Array) -> Place | None:
        """The last fit's end as if it were at u, with these penalties; None if there was no fit."""
        if not self.places:
            return None
        *older, last = self.places
        return last.with_penalties_of(objective, u, *older)

    def end(self, place: Place) -> None:
        """Where a fit ended."""
        self.places = [*self.places[-1:], place]

    def of(self, objective: Layer, columns: Array) -> Parts | None:
        """The Hessian of an objective of these columns, with its penalty; None until there is one."""
        if not self.hessian.size:
            return None
        if not all(map(np.array_equal, self._of, (columns, objective.ridge))):
            self._of = columns, objective.ridge
            self._parts = Parts(self._with_penalty(objective.ridge, columns))
        return self._parts

    def _with_penalty(self, ridge: Array, columns: Array) -> Array:
        chosen = columns if len(ridge) == len(columns) else np.append(columns, len(self.hessian) - 1)  # the bias's
        whole = len(chosen) == len(self.hessian)
        if whole and not ridge.any():
            return self.hessian
        hessian = self.hessian.copy() if whole else self.hessian[np.ix_(chosen, chosen)]
        hessian.ravel()[:: len(hessian) + 1] += ridge
        return hessian

    def pay(self, products: float, share: float, objective: Layer, place: Place) -> None:
        """Count a fit's products with a `share` of the columns, and form a Hessian here if that is paid for."""
        spared, price = max(products - FRESH, 0.0) * share, HALF * prices.hessian(objective)
        self.spent, self.left = self.spent + spared, self.left - 1
        due = self.spent >= price and self.left * spared >= price
        if objective.outputs == 1 and objective.rows.d <= MANY and due:
            loss, self.spent = objective.with_penalties(np.zeros_like(objective.penalty), None), 0.0
            self.hessian = blurred(loss.hessian(place.point.u, place.point.logits, single=True), SINGLE)
            self._of = np.empty(0, np.intp), np.empty(0)

    def on(self, objective: Layer, place: Place, columns: Array) -> tuple[Array, Layer]:
        """The objective of these columns and of those that are nearest to joining them; and which these are."""
        d = objective.rows.d
        if len(columns) == d:
            self.copy = None
            return columns, objective
        if self.copy is None or np.setdiff1d(columns, self.columns).size or len(self.columns) > LOOSE * len(columns):
            self.copy = None  # before the next one takes its memory
            slopes = np.abs(place.smooth[:, :d]).max(axis=0)
            slopes[columns] = math.inf
            count = max(len(columns), min(int(ROOM * len(columns)), d // 2))
            self.columns = np.sort(np.argpartition(-slopes, count - 1)[:count])
            self.copy = objective.of_columns(self.columns, often=True)
        kept = self.columns
        return kept, self.copy.with_penalties(objective.penalty[kept], objective.lasso[kept])
