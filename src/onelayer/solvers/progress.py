"""What passes between a solver and its caller: points, the outcome, and the one who watches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

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
    def at(cls, objective: Any, u: Array, **kept: Any) -> "Point":
        """Ask the objective; what is `kept`, and what is known near u, is for `Objective.evaluate`."""
        value, gradient, logits = objective.evaluate(u, **kept)
        return cls(u, value, gradient, objective.rows.n, logits)


@dataclass(frozen=True)
class Outcome:
    """Where a solver stopped: the point, how far its value is from the optimum, and how that is known.

    ``known`` is what else it knows there, of use to itself when it starts again with penalties near these.
    """

    point: Point
    gap: float
    gap_kind: str
    converged: bool
    notices: tuple[str, ...] = ()
    known: Any = None


@dataclass
class Watch:
    """Sees every point; once ``see`` returns True, the solver is to stop and return the best it has."""

    see: Callable[[Point], bool | None] = lambda point: None
    stopped: bool = field(default=False)

    def __call__(self, point: Point) -> None:
        self.stopped = bool(self.see(point)) or self.stopped
