"""Paths: the fits at many values of C, each started from the ones before.

The objective is built once: from one C to the next, only the weights of its penalties change.
"""

import math
import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer import diagnostics
from onelayer.data import features
from onelayer.data.columns import NOTHING, Columns, naming
from onelayer.data.labels import Labels
from onelayer.fits.problem import (
    BREAKDOWN,
    LEAST,
    Misled,
    base_rate,
    growing_samples,
    in_users_units,
    make_objective,
    penalty_strength,
    refuse_misled,
    refuse_overflow,
    that_count,
)
from onelayer.objective.layer import Objective
from onelayer.rows.sources import as_given
from onelayer.rows.sparse import laid_out, lies_at_hand
from onelayer.rows.threads import one_thread_per_core
from onelayer.settings import Settings
from onelayer.solvers import Kept, Outcome, Point, Watch, newton, proximal

Array = NDArray[Any]

GRID = (1e-4, 1e4)  # of C with an L2 penalty alone: scikit-learn's
# with an L1 penalty, times the least C that matters: Friedman, Hastie & Tibshirani, Journal of Statistical Software 33,
# 2010, § 2.5, whose ends for more rows than columns and for fewer are these
SPAN, SPAN_WIDE = 1e4, 1e2
LONGEST = 4  # times the way between two values of C: where their fits tell nothing of the next
FURTHER = "raise max_iter if that is all it allows; else rounding leaves no step, and a larger tol is met"


@dataclass(frozen=True)
class Path:
    """Fits along values of C.

    Parameters
    ----------
    Cs : array of shape (m,)
        Inverse strengths of the penalty, ascending.
    weights : array of shape (m, k, d + 1)
        In the user's units, the bias last; k is 1 for two classes.
    gaps : array of shape (m,)
        The relative distance of each from its optimum.
    gap_kinds : tuple of m str
        Whether that is a "bound" or an "estimate".
    n_iter : array of shape (m,)
    converged : array of shape (m,)
        Whether the gap is no more than ``tol``, or than rounding leaves.
    classes : array
    """

    Cs: Array
    weights: Array
    gaps: Array
    gap_kinds: tuple[str, ...]
    n_iter: Array
    converged: Array
    classes: Array

    @property
    def coefs(self) -> Array:
        """Weights of the columns, (m, k, d)."""
        return self.weights[..., :-1]

    @property
    def intercepts(self) -> Array:
        """Biases, (m, k)."""
        return self.weights[..., -1]


def path(
    X: Any,
    y: ArrayLike,
    *,
    Cs: int | ArrayLike = 100,
    l1_ratio: float = 1.0,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    class_weight: Mapping[Any, float] | str | None = None,
    tol: float = 1e-6,
    max_iter: int | None = None,
    random_state: int | None = None,
    n_jobs: int | None = None,
) -> Path:
    """Fit at every C, from the strongest penalty to the weakest, each fit started from the one before.

    Each is as near its own optimum as a fit by itself, and says how near.

    Parameters
    ----------
    X : array, frame or sparse matrix of shape (n, d)
    y : array of shape (n,)
    Cs : int or array of positive numbers
        The values, or how many in equal ratios: with an L1 penalty from the least C at which any weight can be other
        than 0 to 10,000 times that, 100 times where columns outnumber rows; without one from 1e-4 to 1e4.
    l1_ratio : float in [0, 1]
    sample_weight : array of shape (n,), optional
    fit_intercept, class_weight, tol, max_iter, random_state, n_jobs
        As `onelayer.PerceptronClassifier` has them.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        For input that cannot be used, with the place.

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [3.0, 1.0], [4.0, 1.0], [5.0, 0.0]])
    >>> found = path(X, ["no", "no", "yes", "no", "yes", "yes"], Cs=5)
    >>> np.count_nonzero(found.coefs[:, 0], axis=1).tolist(), bool(found.converged.all())
    ([0, 2, 2, 2, 2], True)
    """
    chosen = Settings(
        l1_ratio=l1_ratio,
        fit_intercept=fit_intercept,
        class_weight=class_weight,
        tol=tol,
        max_iter=max_iter,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    labels = Labels.of(y, sample_weight, chosen.class_weight, None)
    names = list(map(str, X.columns)) if hasattr(X, "columns") else None
    X = as_matrix(features.checked(X))
    if X.shape[0] != len(labels.codes):
        raise ValueError(f"X has {X.shape[0]} rows, but y has {len(labels.codes)} labels: pass one for each row")
    with naming(X, names):
        problem = PathProblem.of(X, labels, chosen, chosen.jobs)
        found = problem.along(problem.values(Cs, [l1_ratio]), l1_ratio)
    if not found.converged.all():
        first = int(found.converged.argmin())
        warnings.warn(
            f"{(~found.converged).sum()} of {len(found.Cs)} fits stopped without reaching tol={chosen.tol:g}, the "
            f"first at C={found.Cs[first]:.3g} (gap {found.gaps[first]:.1e}) after {found.n_iter[first]} iterations: "
            f"{FURTHER}",
            stacklevel=2,
        )
    return found


@dataclass(frozen=True)
class PathProblem:
    """What all fits of the same rows share: labels, coordinates, the objective."""

    X: Any
    labels: Labels
    columns: Columns
    objective: Objective
    settings: Settings
    stop: threading.Event = field(default_factory=threading.Event)
    cautious: bool = False

    @classmethod
    def of(
        cls,
        X: Any,
        labels: Labels,
        settings: Settings,
        jobs: int,
        stop: threading.Event | None = None,
        *,
        cautious: bool = False,
    ) -> "PathProblem":
        """Look at the rows, once; who sets `stop` ends what is going on."""
        X, labels = that_count(X, labels)
        settings, X = replace(settings, n_jobs=jobs), laid_out(X, lies_at_hand(*X.shape))
        columns = Columns.of(X, settings.fit_intercept, jobs, whole=cautious)
        objective = make_objective(X, labels, columns, settings)
        return cls(X, labels, columns, objective, settings, stop or threading.Event(), cautious)

    @cached_property
    def samples(self) -> list[Objective]:
        """Of the rows, smallest first."""
        return [] if self.cautious else list(growing_samples(self.objective, self.labels, self.settings))

    def values(self, Cs: int | ArrayLike, l1_ratios: Sequence[float]) -> Array:
        """The values of C, ascending: those given, or so many as suit the penalties."""
        if isinstance(Cs, int | np.integer) and not isinstance(Cs, bool):
            if Cs < 1:
                raise ValueError(f"Cs must be a number of values, 1 or more, or the values themselves, not {Cs!r}")
            shares = [ratio for ratio in l1_ratios if ratio > NOTHING]
            if not shares:
                return np.geomspace(*GRID, int(Cs))
            n, d = self.X.shape
            least = min(self.least(ratio) for ratio in shares)
            return np.geomspace(least, least * (SPAN if n > d else SPAN_WIDE), int(Cs))
        try:
            found = np.asarray(Cs, dtype=np.float64)
        except (TypeError, ValueError):
            found = np.array(math.nan)
        if found.ndim != 1 or not len(found) or not ((found > 0) & np.isfinite(found)).all():
            raise ValueError(f"Cs must hold positive finite numbers, or be how many of them, not {Cs!r}")
        return np.sort(found)

    def least(self, l1_ratio: float) -> float:
        """The C up to which an L1 penalty keeps every weight at 0: where the steepest loss just balances it."""
        loss = self.objective.with_penalties(np.zeros(self.objective.rows.d), None)
        gradient = np.abs(loss.value_gradient(base_rate(self.labels, loss))[1][:, : loss.rows.d])
        varies, size = ~self.columns.constant, self.columns.scale * self.columns.unit
        steepest = float((gradient * size)[:, varies].max(initial=0.0)) * loss.total_weight / l1_ratio
        return max(1 / steepest, LEAST) if steepest > 0 else GRID[0]

    def along(self, Cs: Array, l1_ratio: float) -> Path:
        """The fits at ascending values of C."""
        if self.cautious:
            return self._along(Cs, l1_ratio)
        if "_again" not in vars(self):  # as it is once a path was misled
            with suppress(*BREAKDOWN):
                if diagnostics.coarse(self._penalised(self.objective, float(Cs[-1]), l1_ratio)):
                    raise Misled
                return self._along(Cs, l1_ratio)
        return self._again._along(Cs, l1_ratio)

    @cached_property
    def _again(self) -> "PathProblem":
        """The same, which takes no sample's word."""
        return PathProblem.of(self.X, self.labels, self.settings, self.settings.jobs, self.stop, cautious=True)

    def _along(self, Cs: Array, l1_ratio: float) -> Path:
        cold = base_rate(self.labels, self.objective)
        u, kept, gaps, outcomes = cold, Kept(len(Cs)), [], []
        points: list[tuple[float, Array]] = []  # the last three, of different C
        weights = np.zeros((len(Cs), *cold.shape[:1], self.X.shape[1] + 1))
        for i, C in enumerate(Cs):
            start = _further(points, math.log(C)) if len(points) > 1 else u
            # from a near start, only the curvature of the largest sample is of use
            outcome, steps = self._fit(start, float(C), l1_ratio, slice(-1, None) if i else slice(None), kept)
            longest = steps
            if i and not outcome.converged and not self.stop.is_set():  # rare: a start that led nowhere
                other, more = self._fit(cold, float(C), l1_ratio, slice(None))
                longest, steps = max(steps, more), steps + more
                outcome = min(outcome, other, key=lambda found: (not found.converged, found.point.value))
                kept.places.clear()  # nor do slopes lead on from there
            ended = outcome.converged or longest >= self.settings.iterations() or self.stop.is_set()
            if not ended and not self.cautious and (self.samples or not self.columns.whole):
                raise Misled
            u = outcome.point.u
            if not points or math.log(C) > points[-1][0]:
                points = [*points[-2:], (math.log(C), u)]
            (found,) = in_users_units(u, self.objective, self.columns)
            inside = found != 0
            weights[i][inside] = found[inside]  # what is never written to takes no memory
            gaps.append(outcome.relative_gap)
            outcomes.append((outcome.gap_kind, steps, outcome.converged))
        kinds, steps_taken, converged = zip(*outcomes, strict=True)
        return Path(
            Cs,
            weights,
            np.array(gaps),
            kinds,
            np.array(steps_taken),
            np.array(converged),
            self.labels.classes,
        )

    def _fit(
        self, u: Array, C: float, l1_ratio: float, samples: slice, kept: Kept | None = None
    ) -> tuple[Outcome, int]:
        """What the solver finds from u, and how many points it saw on its way."""
        seen: list[float] = []
        of_all: list[Point] = []
        cold = kept is None or not kept.places  # of those that go on from another, the start is no point seen

        def see(point: Point) -> bool:
            if not (math.isfinite(point.value) and math.isfinite(point.norm)):
                refuse_overflow(self)
            if cold and point.rows == self.objective.rows.n and not of_all:
                refuse_misled(self, point)
                of_all.append(point)
            seen.append(point.value)
            return self.stop.is_set()

        objective = self._penalised(self.objective, C, l1_ratio)
        common: dict[str, Any] = {
            "tol": self.settings.of_cost,
            "max_iter": self.settings.iterations(),
            "watch": Watch(see),
        }
        with one_thread_per_core(), np.errstate(over="ignore", invalid="ignore"):
            if objective.lasso is not None:
                outcome = proximal(objective, u, kept=kept, **common)
            else:
                parts = [self._penalised(sample, C, l1_ratio) for sample in self.samples[samples]]
                outcome = newton(objective, u, samples=parts, **common)
        return outcome, len(seen) - cold

    def _penalised(self, objective: Objective, C: float, l1_ratio: float) -> Objective:
        strength = penalty_strength(C, self.objective.total_weight)
        lasso = self.columns.lasso(l1_ratio * strength / self.labels.unit)
        return objective.with_penalties(self.columns.penalty((1 - l1_ratio) * strength), lasso)


def _further(points: Sequence[tuple[float, Array]], at: float) -> Array:
    """Where the last two or three points lead, (log C, u) in order of C.

    A weight goes on along a parabola where all three have it and lie about as far apart, along a line where two have.
    New in the last, it is taken to have come half-way from the one before; if it changes its sign, it stays. So do all
    where the way on is many times as long as the one before, along which a fit's tolerance would be multiplied.
    """
    (t, before), (last, u) = points[-2:]
    if at - last > LONGEST * (last - t):
        return u
    slope = (u - before) / (last - t) * np.where(before == 0, 2, 1)
    moved = u + (at - last) * slope
    first, older = points[0]
    if len(points) > 2 and 0.5 <= (last - t) / (t - first) <= 2:  # of two that nearly meet, rounding would bend it
        bend = (slope - (before - older) / (t - first)) / (last - first)
        moved += np.where((older * before > 0) & (before * u > 0), (at - last) * (at - t) * bend, 0)
    return np.where((moved * u > 0) & (before * u >= 0), moved, u)


def as_matrix(X: Any) -> Any:
    """An array of numbers or a CSR matrix."""
    if hasattr(X, "iloc"):  # what is missing in a pandas frame may be no float before
        X = X.astype(np.float64)
    X = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
    X = X if as_given(X.dtype) else X.astype(np.float64)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X must have rows and columns, but has shape {X.shape}")
    return X
