"""A fit's record: every point it came by, the best of them, who wants to see them, and whether to stop."""

import math
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from numpy.typing import NDArray

from onelayer.data.targets import Targets
from onelayer.fits.problem import BREAKDOWN, Problem, refuse_misled, refuse_overflow
from onelayer.settings import Progress
from onelayer.solvers import HeldOut, Outcome, Point

Array = NDArray[Any]


class Iterate(NamedTuple):
    """One line of a fit's history: the mean objective in nats, its gradient's norm in scaled columns, when, on what.

    ``decay`` is how many times as strong as C says a network's penalty was: several are tried, one after the other.
    """

    cost: float
    gradient_norm: float
    seconds: float
    rows: int
    held_out: float | None = None
    decay: float = 1.0


class Told(Exception):
    """What a callback raised, which is no word of the fit."""


@dataclass
class Record:
    """Sees every point of a fit: keeps the history and the best, shows it to who asked, and says when to stop."""

    problem: Problem
    started: float
    held_out: HeldOut | None = None
    given: bool = False  # whether the start was, so that nothing is told by its cost
    history: list[Iterate] = field(default_factory=list)
    best: Point | None = None  # on all rows
    nearest: Point | None = None  # on the largest sample so far
    perfect: bool = False  # every row on its side, or fitted to the last digit
    finished: bool = False  # on request, or since rows held out are served no better
    decay: float = 1.0  # of the problem that is solved at present

    def __call__(self, point: Point) -> bool:
        norm = point.norm
        if not math.isfinite(point.value + norm):
            refuse_overflow(self.problem)
        settings, loss, enough, said = self.problem.settings, None, False, False
        of_all = point.rows == self.problem.objective.rows.n
        if of_all:
            led = self.nearest is not None or not (self.problem.columns.whole or self.given)
            if self.best is None and led:
                refuse_misled(self.problem, point)
            self.nearest = None
            if self.best is None or point.value <= self.best.value:
                self.best = point
            if self.held_out is not None:
                enough, loss = self.held_out(point), self.held_out.losses[-1]
        elif self.nearest is None or point.rows > self.nearest.rows or point.value <= self.nearest.value:
            self.nearest = point
        entry = self._enter(point, norm, of_all, loss)
        if settings.verbose:
            print(f"iteration {len(self.history) - 1}: cost {entry.cost:.9g}, gradient {entry.gradient_norm:.3g}")
        if settings.callbacks:
            seen = Progress(*entry, point.gradient * self.problem.labels.unit, lambda: self._weights(point))
            try:
                said = any([callback(seen) for callback in settings.callbacks])
            except BREAKDOWN as error:
                raise Told from error
        self.finished = self.finished or said or enough
        return self.perfect or said or enough

    def led_nowhere(self, outcome: Outcome) -> bool:
        """Whether no step from where a sample led lowers the cost any more, though more were allowed."""
        problem = self.problem
        if outcome.converged or outcome.notices or self.finished or not problem.objective.convex:
            return False
        sampled = not problem.columns.whole or any(entry.rows < self.history[-1].rows for entry in self.history)
        return sampled and len(self.history) - 1 < problem.settings.iterations()

    def end(self, point: Point) -> int:
        """The iterations there were; the returned point ends the history, once more if it was no iteration's last."""
        iterations = len(self.history) - 1
        last, unit = self.history[-1], self.problem.labels.unit
        if last.cost != point.value * unit * unit or last.rows != point.rows:
            of_all = point.rows == self.problem.objective.rows.n
            self._enter(point, point.norm, of_all, None if self.held_out is None else self.held_out.loss(point.u))
        return iterations

    def _enter(self, point: Point, norm: float, of_all: bool, loss: float | None) -> Iterate:
        unit = self.problem.labels.unit
        self.perfect = of_all and self._can_be_perfect and point.value < self._enough
        in_unit = None if loss is None else loss * unit * unit
        seconds = time.perf_counter() - self.started
        entry = Iterate(point.value * unit * unit, norm * unit, seconds, point.rows, in_unit, self.decay)
        self.history.append(entry)
        return entry

    def _weights(self, point: Point) -> Any:
        stack = self.problem.weights(point.u)
        return stack if len(stack) > 1 else stack[0]

    @property
    def kept(self) -> Point | None:
        """The best point so far: on held-out rows, where there are some; of a sample, where not all were seen yet."""
        if self.held_out is not None and self.held_out.best is not None:
            return self.held_out.best
        if self.best is None and self.nearest is not None:
            point, objective = Point.at(self.problem.objective, self.nearest.u), self.problem.objective
            return replace(point, value=objective.cost(point.u)) if objective.convex else point  # with an L1 penalty
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
