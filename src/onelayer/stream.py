"""Learning from rows that come in parts: coordinates, weights and the solver's memory are carried from part to part."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.columns import Columns, not_finite
from onelayer.labels import Labels, row_weights
from onelayer.problem import from_users_units, in_users_units, make_objective
from onelayer.settings import Settings
from onelayer.solvers.first_order import ADAPTIVE_RATE, batches, curvature_bound, small_batch
from onelayer.solvers.rules import adam, gradient_descent
from onelayer.sources import one_thread_per_core

Array = NDArray[Any]

FALL = 100  # steps after which the rate has fallen to 1/√2
RECENT = 0.02  # share of a network's newest point in the mean


@dataclass
class Moments:
    """Mean and mean square of each column of all rows so far (Chan, Golub & LeVeque, 1979); of sparse ones no mean."""

    rows: float
    mean: Array
    square: Array

    @classmethod
    def none(cls, d: int) -> "Moments":
        """Of no rows yet."""
        return cls(0.0, np.zeros(d), np.zeros(d))

    def add(self, X: Any, centred: bool) -> None:
        """Take rows in; ``square`` is about the mean if `centred`, about 0 otherwise."""
        n = X.shape[0]
        total = self.rows + n
        if not isinstance(X, np.ndarray):
            squares = np.bincount(X.indices, weights=X.data.astype(np.float64) ** 2, minlength=X.shape[1]) / n
            self.square += (squares - self.square) * (n / total)
        elif not centred:
            self.square += (np.mean(np.square(X, dtype=np.float64), axis=0) - self.square) * (n / total)
        else:
            mean = X.mean(axis=0, dtype=np.float64)
            apart = mean - self.mean
            squares = np.mean((X - mean) ** 2, axis=0)
            self.square += (squares - self.square) * (n / total) + apart**2 * (self.rows * n / total**2)
            self.mean = self.mean + apart * (n / total)
        self.rows = total

    def columns(self, fit_intercept: bool) -> Columns:
        """The coordinates that these moments give."""
        scale = np.sqrt(self.square)
        return Columns(np.ones(len(scale)), self.mean, np.where(scale > 0, scale, 1.0), scale == 0, True, fit_intercept)


class Stream:
    """A fit that goes on with each part of the rows: averaged small steps, Adam's with hidden layers.

    The penalty is that of a fit to all rows so far, 1/C beside the sum of their losses. Weights live in the user's
    units between two parts, because the mean and scale of the columns move.

    Parameters
    ----------
    settings : Settings
    classes : array of shape (k,)
        All there will be, in order.
    d : int
        Columns.
    initial : sequence of arrays
        Weights of each layer to start from, in the user's units; none to start anew.

    Examples
    --------
    >>> stream = Stream(Settings(), np.array([0, 1]), 1)
    >>> for _ in range(50):
    ...     stream.learn(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]))
    >>> bool(stream.stack[0][0, 0] > 0)
    True
    """

    def __init__(self, settings: Settings, classes: Array, d: int, initial: Sequence[Array] = ()) -> None:
        if settings.class_weight == "balanced":
            raise ValueError("class_weight='balanced' needs all rows at once: pass a dict to use it with partial_fit")
        self.settings, self.classes = settings, classes
        self.moments = Moments.none(d)
        self.rule = adam() if settings.hidden_layer_sizes else gradient_descent()
        self.rng = np.random.default_rng(settings.random_state or 0)
        self.steps, self.weight, self.L = 0, 0.0, 0.0
        self.state: Any = None
        self.newest = self.stack = list(initial)

    def learn(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Take a part of the rows in.

        Raises
        ------
        ValueError
            For labels that were not announced, and for NaN or infinity in X, with the place.
        """
        labels = self._labels(y, sample_weight)
        if (message := not_finite(X)) is not None:
            raise ValueError(message)
        self.moments.add(X, self.settings.fit_intercept)
        self.weight += float(labels.totals.sum())
        columns = self.moments.columns(self.settings.fit_intercept)
        if not self.settings.hidden_layer_sizes:
            columns = columns.braced(1 / (self.settings.C * self.weight))
        objective = make_objective(X, labels, columns, self.settings, all_weight=self.weight)
        with one_thread_per_core(), np.errstate(over="ignore", invalid="ignore"):
            u, mean = self._step(objective, *self._start(objective, columns))
        self.newest = in_users_units(u, objective, columns)
        self.stack = in_users_units(mean, objective, columns)

    def _labels(self, y: ArrayLike, sample_weight: ArrayLike | None) -> Labels:
        labels = Labels.among(self.classes, y, "partial_fit")
        present, codes = np.unique(labels.codes, return_inverse=True)  # a part need not hold every class
        weight = row_weights(sample_weight, None, self.classes[present], codes)
        by_class = row_weights(None, self.settings.class_weight, self.classes, labels.codes)
        if weight is not None and by_class is not None:
            weight = weight * by_class
        return labels.weighted(by_class if weight is None else weight)

    def _start(self, objective: Any, columns: Columns) -> tuple[Array, Array]:
        if self.state is None:
            self.state = self.rule.start(np.zeros(objective.shape))
        if not self.newest:
            u = np.zeros(objective.shape) if objective.convex else objective.initial(self.settings.random_state or 0)
            return u, u
        return from_users_units(self.newest, objective, columns), from_users_units(self.stack, objective, columns)

    def _step(self, objective: Any, u: Array, mean: Array) -> tuple[Array, Array]:
        for batch in batches(objective, small_batch(objective.rows.n), self.rng):
            self.state, step = self.rule.step(self.state, batch.value_gradient(u)[1])
            u = u - self._rate(batch, u) * step
            self.steps += 1
            share = 4 / (self.steps + 3) if objective.convex else max(1 / self.steps, RECENT)
            mean = mean + share * (u - mean)
        return u, mean

    def _rate(self, batch: Any, u: Array) -> float:
        if self.settings.learning_rate != "auto":
            return float(self.settings.learning_rate)
        if not batch.convex:
            return ADAPTIVE_RATE
        if self.steps < 4:  # the largest curvature in a few batches
            self.L = max(self.L, curvature_bound(batch, u))
        return 1 / self.L / math.sqrt(1 + self.steps / FALL)
