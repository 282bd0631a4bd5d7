"""The Hessian of an objective at a point, as what multiplies a vector: it is never formed, the rows are swept."""

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.blocks import backward, forward, times

Array = NDArray[Any]
Bend = Callable[[Array], Array]
Logits = list[Array]  # of each block of the rows

MOVED, SMALL = 1 / 16, 2**20  # of the rows' numbers, and numbers: what how logits move may take
EVERY = 8  # rows, of which one tells enough to go on or not


class Product:
    """The function v → H v at some point; and, of the sum of steps along such v, how it moves the logits.

    What it bends of each block is kept. So is how logits move, where that is little beside the rows and no rounding
    of single precision adds up: the next point's are then known.
    """

    def __init__(self, objective: Any, logits: Logits) -> None:
        self.objective, self.logits, rows = objective, logits, objective.rows
        self.bends = rows.each(lambda X, y, weight, z: objective.loss.bend(z), logits)
        few = rows.n * objective.outputs <= max(MOVED * rows.entries, SMALL)
        self.follows = few and rows.precision < 1e-10
        self.last: Logits = []
        self.moved: Logits | None = None

    def __call__(self, v: Array) -> Array:
        t, c = self.objective.of_raw_columns(v)

        def sweep(X: Any, y: Array, weight: Array | None, bend: Bend) -> tuple[tuple[Array, Any], Array | None]:
            z = forward(X, t, c)
            return backward(X, times(bend(z), weight)), z if self.follows else None

        sums, self.last = self.objective.rows.total_and_each(sweep, self.bends)
        back: Array = self.objective.of_scaled_columns(*sums)
        back += self.objective.ridge * v
        return back

    def mean_curvature(self) -> Array:
        """As of the objective; of one output, no exponential is taken again."""
        if self.objective.outputs > 1:
            return np.asarray(self.objective.mean_curvature(self.logits))
        rows, weight = self.objective.rows, self.objective.rows.weight
        total = sum(
            float(h.sum(dtype=np.float64) if weight is None else weight[span] @ h)
            for h, span in zip(self.curvatures, rows.spans, strict=True)
        )
        return np.array([total / self.objective.total_weight])

    @cached_property
    def curvatures(self) -> list[Array]:
        """Of each row, where there is one output."""
        return [bend(np.ones_like(z)) for bend, z in zip(self.bends, self.logits, strict=True)]

    def defect(self) -> float:
        """About what of a duality gap is left where logits move so and slopes follow to first order: of some rows."""
        if self.moved is None or self.objective.outputs > 1:
            return math.inf
        some = slice(None, None, EVERY)
        parts = zip(self.curvatures, self.moved, strict=True)
        total = sum(float(self.objective.loss.defect(h[some], t[some], None)) for h, t in parts)
        return EVERY * total / float(self.objective.rows.n)

    def ahead(self, shift: float) -> tuple[Logits, list[Array], float]:
        """The logits as they moved, with a shift of the bias; slopes to first order, weighted; and what this leaves."""

        def block(X: Any, y: Array, weight: Array | None, z: Array, h: Array, t: Array) -> Any:
            t = t + shift
            slope = self.objective.loss.sum_slope(z, y, weight)[1]
            slope += times(h * t, weight)
            return (self.objective.loss.defect(h, t, weight),), (z + t, slope)

        rows = self.objective.rows
        (defect,), found = rows.total_and_each(block, self.logits, self.curvatures, self.moved)
        logits, slopes = zip(*found, strict=True)
        return list(logits), list(slopes), float(defect / self.objective.total_weight)

    def along(self, step: float) -> None:
        """Go by so much of the v last asked for."""
        if not self.follows:
            return
        for z in self.last:
            z *= step
        if self.moved is None:
            self.moved = self.last
        else:
            for moved, z in zip(self.moved, self.last, strict=True):
                moved += z
        self.last = []
