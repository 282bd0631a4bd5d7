"""A fit's record: every point it came by, the best of them, who wants to see them, and whether to stop."""

import math
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from numpy.typing import NDArray

from onelayer.columns import not_finite
from onelayer.problem import Problem
from onelayer.settings import Progress
from onelayer.solvers import HeldOut, Point
from onelayer.targets import Targets

Array = NDArray[Any]


class Iterate(NamedTuple):
    """One line of a fit's history: the mean objective in nats, its gradient's norm in scaled columns, when, on what."""

    cost: float
    gradient_norm: float
    seconds: float
    rows: int
    held_out: float | None = None


@dataclass
class Record:
    """Sees every point of a fit: keeps the history and the best, shows it to who asked, and says when to stop."""

    problem: Problem
    started: float
    held_out: HeldOut | None = None
    history: list[Iterate] = field(default_factory=list)
    best: Point | None = None  # on all rows
    nearest: Point | None = None  # on the largest sample so far
    perfect: bool = False  # every row on its side, or fitted to the last digit
    finished: bool = False  # on request, or since rows held out are served no better

    def __call__(self, point: Point) -> bool:
        if not math.isfinite(point.value + point.norm):
            raise ValueError(not_finite(self.problem.X) or "the logits overflow: rescale the features or weights")
        of_all, loss, enough = point.rows == self.problem.objective.rows.n, None, False
        self._keep(point, of_all)
        if self.held_out is not None and of_all:
            enough, loss = self.held_out(point), self.held_out.losses[-1]
        entry = self._enter(point, of_all, loss)
        if self.problem.settings.verbose:
            print(f"iteration {len(self.history) - 1}: cost {entry.cost:.9g}, gradient {entry.gradient_norm:.3g}")
        said = self._show(point, entry)
        self.finished = self.finished or said or enough
        return self.perfect or said or enough

    def end(self, point: Point) -> int:
        """The iterations there were; the returned point ends the history, once more if it was no iteration's last."""
        iterations = len(self.history) - 1
        last, unit = self.history[-1], self.problem.labels.unit
        if last.cost != point.value * unit * unit or last.rows != point.rows:
            of_all = point.rows == self.problem.objective.rows.n
            self._enter(point, of_all, None if self.held_out is None else self.held_out.loss(point.u))
        return iterations

    def _show(self, point: Point, entry: Iterate) -> bool:
        callbacks = self.problem.settings.callbacks
        if not callbacks:
            return False
        seen = Progress(*entry, point.gradient * self.problem.labels.unit, lambda: self._weights(point))
        return any([callback(seen) for callback in callbacks])

    def _enter(self, point: Point, of_all: bool, loss: float | None) -> Iterate:
        unit = self.problem.labels.unit
        self.perfect = of_all and self._can_be_perfect and point.value < self._enough
        seconds, norm = time.perf_counter() - self.started, point.norm * unit
        in_unit = None if loss is None else loss * unit * unit
        self.history.append(Iterate(point.value * unit * unit, norm, seconds, point.rows, in_unit))
        return self.history[-1]

    def _keep(self, point: Point, of_all: bool) -> None:
        if of_all:
            self.nearest = None
            if self.best is None or point.value <= self.best.value:
                self.best = point
        elif self.nearest is None or point.rows > self.nearest.rows or point.value <= self.nearest.value:
            self.nearest = point

    def _weights(self, point: Point) -> Any:
        stack = self.problem.weights(point.u)
        return stack if len(stack) > 1 else stack[0]

    @property
    def kept(self) -> Point | None:
        """The best point so far: on held-out rows, where there are some; of a sample, where not all were seen yet."""
        if self.held_out is not None and self.held_out.best is not None:
            return self.held_out.best
        if self.best is None and self.nearest is not None:
            return Point.at(self.problem.objective, self.nearest.u)
        return self.best

    @property
    def exact(self) -> bool:
        """Whether numbers are fitted to their last digits."""
        return self.perfect and isinstance(self.problem.labels, Targets)

    @cached_property
    def _can_be_perfect(self) -> bool:
        """A penalty keeps labels from it, in one layer, and numbers but where it is slight."""
        labels, unpenalised = self.problem.labels, math.isinf(self.problem.settings.C)
        return isinstance(labels, Targets) or (unpenalised and bool(self.problem.objective.convex))

    @cached_property
    def _enough(self) -> float:
        return self.problem.labels.enough(float(self.problem.objective.rows.precision))
