"""What passes between a solver and its caller: points, the outcome, and the one who watches."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.asked import Smooth

Array = NDArray[Any]


@dataclass(frozen=True)
class Point:
    """A point with the objective's value and gradient there; on how many rows they were taken; the logits, if kept."""

    u: Array
    value: float
    gradient: Array
    rows: int
    logits: Any = None

    @classmethod
    def at(cls, objective: Smooth, u: Array, **kept: Any) -> "Point":
        """Ask the objective; what is `kept`, and what is known near u, is for `Objective.evaluate`."""
        value, gradient, logits = objective.evaluate(u, **kept)
        return cls(u, value, gradient, objective.rows.n, logits)

    @property
    def norm(self) -> float:
        """Of the gradient."""
        return math.sqrt(float(np.vdot(self.gradient, self.gradient)))


@dataclass(frozen=True)
class Lifted:
    """A point found in other coordinates; what it is in the objective's own is worked out when it is asked for.

    ``norm`` is the gradient's, about: nobody who only keeps a history pays for a product with all columns.
    """

    inside: Point
    lift: Callable[[Point], Point]
    norm: float

    @cached_property
    def _lifted(self) -> Point:
        return self.lift(self.inside)

    @property
    def u(self) -> Array:
        """As of a `Point`."""
        return self._lifted.u

    @property
    def gradient(self) -> Array:
        """As of a `Point`."""
        return self._lifted.gradient

    @property
    def value(self) -> float:
        """As of a `Point`."""
        return self.inside.value

    @property
    def rows(self) -> int:
        """As of a `Point`."""
        return self.inside.rows

    @property
    def logits(self) -> None:
        """Not known."""
        return None


@dataclass(frozen=True)
class Outcome:
    """Where a solver stopped: the point, how far its value is from the optimum, and how that is known."""

    point: Point
    gap: float
    gap_kind: str
    converged: bool
    notices: tuple[str, ...] = ()

    @property
    def relative_gap(self) -> float:
        """The gap, relative to what the optimum is at least."""
        floor = self.point.value - self.gap
        return self.gap / floor if floor > 0 else (0.0 if self.gap == 0 else math.inf)


@dataclass
class Watch:
    """Sees and counts every point; once ``see`` returns True, the solver is to stop and return the best it has."""

    see: Callable[[Point], bool | None] = lambda point: None
    stopped: bool = field(default=False)
    points: int = field(default=0)

    def __call__(self, point: Point) -> None:
        self.points += 1
        self.stopped = bool(self.see(point)) or self.stopped
