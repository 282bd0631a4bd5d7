"""Learning from rows that come in parts: coordinates, weights and the solver's memory are carried from part to part."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.data.columns import TINY, Columns, cancelled, full_columns, not_finite, power_of_two
from onelayer.data.labels import Labels, row_weights, weights_of_a_part
from onelayer.data.targets import Targets, numbers
from onelayer.fits.problem import from_users_units, in_users_units, make_objective, penalty_strength, that_count
from onelayer.rows.sources import in_floats
from onelayer.rows.sparse import summed_up
from onelayer.rows.threads import one_thread_per_core
from onelayer.settings import Settings
from onelayer.solvers.first_order import ADAPTIVE_RATE, batches, curvature_bound, falling, polyak, recent, small_batch
from onelayer.solvers.rules import adam, gradient_descent

Array = NDArray[Any]

ROUNDING = 4 * np.finfo(np.float64).eps
EXTREME = 1e100  # unit of a sparse column from which cells are divided by it, and not in the algebra
AWAY = 3  # times the cost of before, or without features: what no noise of small parts is
FALL, MEAN = 100, 250  # steps taken for an epoch, as a stream has none: where rates fall, and where means forget


@dataclass
class Moments:
    """Mean and mean square about it of each column of all rows so far (Chan, Golub & LeVeque, 1979).

    Both are of the columns divided by ``unit``, a power of two near the first entries that are not 0: 0 without any.
    """

    rows: float
    unit: Array
    mean: Array
    square: Array

    @classmethod
    def none(cls, d: int) -> "Moments":
        """Of no rows yet."""
        return cls(0.0, np.zeros(d), np.zeros(d), np.zeros(d))

    def add(self, X: Any, centred: bool) -> None:
        """Take rows in; ``square`` is about the mean if `centred`, else about 0, and the mean 0."""
        n = X.shape[0]
        total = self.rows + n
        self._measure(X)
        mean, squares = (_of_dense if isinstance(X, np.ndarray) else _of_sparse)(X, self.units, centred)
        apart = mean - self.mean
        self.square += (squares - self.square) * (n / total) + apart**2 * (self.rows * n / total**2)
        self.mean = self.mean + apart * (n / total)
        self.rows = total

    def _measure(self, X: Any) -> None:
        largest = np.zeros(len(self.unit))
        if isinstance(X, np.ndarray):
            largest = np.abs(X).max(axis=0).astype(np.float64)
        else:
            np.maximum.at(largest, X.indices, np.abs(X.data))
        new = (self.unit == 0) & (largest >= TINY)
        self.unit[new] = power_of_two(largest[new])

    @property
    def units(self) -> Array:
        """Of each column, 1 of one that has been 0 so far."""
        return np.where(self.unit > 0, self.unit, 1.0)

    def columns(self, X: Any, fit_intercept: bool, hidden: bool = False) -> Columns:
        """The coordinates that these moments give to a part X of the rows.

        Sparse columns are centred in the algebra, or if they are full in their cells, as those of a fit are, and not at
        all where neither can be: with hidden layers, or far from 0.
        """
        unit, mean, square, full = self.units, self.mean, self.square, None
        explicit = isinstance(X, np.ndarray) or bool(((unit < 1 / EXTREME) | (unit > EXTREME)).any())
        if not isinstance(X, np.ndarray) and fit_intercept:
            far = square * cancelled(X.dtype) ** 2 < square + mean**2
            cells = far | explicit | hidden
            full = cells & full_columns(X) if cells.any() else cells
            bare = cells & ~full
            mean, square = np.where(bare, 0, mean), square + np.where(bare, mean**2, 0)
            full = full if full.any() else None
        scale = np.sqrt(square)
        constant = scale <= ROUNDING * np.abs(mean)  # what is left of one once centred
        return Columns(unit, mean, np.where(constant, 1.0, scale), constant, explicit, fit_intercept, full)


def _of_dense(X: Array, unit: Array, centred: bool) -> tuple[Array, Array]:
    """Mean and mean square about it of each column; about 0, if not `centred`."""
    cells = X / unit
    mean = cells.mean(axis=0) if centred else np.zeros(len(unit))
    return mean, np.mean((cells - mean) ** 2, axis=0)


def _of_sparse(X: Any, unit: Array, centred: bool) -> tuple[Array, Array]:
    """The same, of what is not stored as 0."""
    (n, d), j = X.shape, X.indices
    cells = X.data / unit[j]
    mean = np.bincount(j, weights=cells, minlength=d) / n if centred else np.zeros(d)
    stored = np.bincount(j, weights=(cells - mean[j]) ** 2, minlength=d)
    return mean, (stored + (n - np.bincount(j, minlength=d)) * mean**2) / n


class Stream:
    """A fit that goes on with each part of the rows: averaged small steps, Adam's with hidden layers.

    The penalty is that of a fit to all rows so far, 1/C beside the sum of their losses. Weights live in the user's
    units between two parts, because the mean and scale of the columns move.

    Parameters
    ----------
    settings : Settings
    classes : array of shape (k,), or None
        All there will be, in order; None where targets are numbers.
    d : int
        Columns.
    initial : sequence of arrays
        Weights of each layer to start from, in the user's units; none to start anew.
    weight : float
        That of the rows from which these were learnt.

    Examples
    --------
    >>> stream = Stream(Settings(), np.array([0, 1]), 1)
    >>> for _ in range(50):
    ...     stream.learn(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]))
    >>> bool(stream.stack[0][0, 0] > 0)
    True
    """

    def __init__(
        self, settings: Settings, classes: Array | None, d: int, initial: Sequence[Array] = (), weight: float = 0.0
    ) -> None:
        self.classes = classes
        self.go_on_by(settings)
        self.moments, self.of_targets = Moments.none(d), Moments.none(1)
        self.rng = np.random.default_rng(settings.seed)
        self.steps, self.weight, self.L, self.looked = 0, weight, 0.0, 0
        self.notices: tuple[str, ...] = ()
        self.leads_away: float | str | None = None  # the rate of which that has been said
        self.state: Any = None
        self.newest = self.stack = list(initial)

    def go_on_by(self, settings: Settings) -> None:
        """These settings; not all of them can be had."""
        if settings.class_weight == "balanced":
            raise ValueError("class_weight='balanced' needs all rows at once: pass a dict to use it with partial_fit")
        if settings.l1_ratio > 0:
            raise ValueError("l1_ratio above 0 needs all rows at once: leave it at 0 to use partial_fit, or use fit")
        self.settings = replace(settings, callbacks=None)  # nobody calls them, and not all can be pickled

    @property
    def _rule(self) -> Any:
        """Functions, made when they are asked for: an estimator is pickled with its stream."""
        told = self.settings
        return adam(told.beta_1, told.beta_2, told.epsilon) if told.hidden_layer_sizes else gradient_descent()

    def copy(self) -> "Stream":
        """Another that learns apart from this one."""
        other = copy.copy(self)
        for name in ("moments", "of_targets", "rng", "state"):
            setattr(other, name, copy.deepcopy(getattr(self, name)))
        return other

    def learn(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Take a part of the rows in; those of weight 0 are as if they were not there.

        Raises
        ------
        ValueError
            For labels that were not announced, and for NaN or infinity in X, with the place.
        """
        if (message := not_finite(X)) is not None:
            raise ValueError(message)
        labels = self._labels(y, sample_weight)
        rows = np.arange(labels.rows) if labels.weight is None else np.flatnonzero(labels.weight)
        if not len(rows):
            return
        X, labels = that_count(X, labels)
        X = in_floats(X) if isinstance(X, np.ndarray) else summed_up(X)
        labels = self._centred(labels, rows) if isinstance(labels, Targets) else labels
        self._take_in(self.moments, X, rows, "column {} has")
        self.weight += labels.total_weight
        columns = self.moments.columns(X, self.settings.fit_intercept, bool(self.settings.hidden_layer_sizes))
        if self.newest:  # a part in which a column is constant does not unlearn its weight
            learnt = (self.newest[0][:, :-1] != 0).any(axis=0)
            columns = replace(columns, constant=columns.constant & ~learnt)
        if not self.settings.hidden_layer_sizes:
            columns = columns.braced(penalty_strength(self.settings.C, self.weight))
        objective = make_objective(X, labels, columns, self.settings, all_weight=self.weight)
        with one_thread_per_core(), np.errstate(over="ignore", invalid="ignore"):
            start, before = self._start(objective, labels, columns)
            u, mean = self._step(objective, start, before)
            if not np.isfinite(u).all():
                raise ValueError("the steps overflow: lower learning_rate, and bring sample_weight near 1")
            self.notices = self._noticed(objective, before, mean, labels.cost_alone(False))
        self.newest = labels.to_user(in_users_units(u, objective, columns))
        self.stack = labels.to_user(in_users_units(mean, objective, columns))

    def _labels(self, y: ArrayLike, sample_weight: ArrayLike | None) -> Labels | Targets:
        """Of this part, which need not hold every class; numbers as they came."""
        if self.classes is None:
            values = numbers(y)
            return Targets(values, weights_of_a_part(sample_weight, len(values)), 0.0, 1.0)
        labels = Labels.among(self.classes, y, "partial_fit")
        weight = weights_of_a_part(sample_weight, labels.rows)
        by_class = row_weights(None, self.settings.class_weight, self.classes, labels.codes)
        if weight is not None and by_class is not None:
            weight = weight * by_class
        return labels.weighted(by_class if weight is None else weight)

    def _take_in(self, moments: Moments, cells: Any, rows: Array, what: str) -> None:
        """Add rows of these numbers to the moments; one whose square is no number beside the others' is named."""
        with np.errstate(over="ignore", invalid="ignore"):
            moments.add(cells, self.settings.fit_intercept)
        for j in np.flatnonzero(~np.isfinite(moments.square))[:1]:
            column = cells[:, [j]]
            column = np.asarray(column if isinstance(column, np.ndarray) else column.toarray())[:, 0]
            row = int(np.abs(column).argmax())
            raise ValueError(
                f"{what.format(j)} {column[row]:g} in row {rows[row]}, which is too far from the rows before to learn "
                "from both: drop the row, or begin anew in another unit"
            )

    def _centred(self, targets: Targets, rows: Array) -> Targets:
        """Centred and scaled as all numbers so far would be."""
        y = targets.values[:, None]
        self._take_in(self.of_targets, y, rows, "y has")
        columns = self.of_targets.columns(y, self.settings.fit_intercept)
        ((unit,), (mean,), (scale,)) = columns.unit, columns.mean, columns.scale
        values = (targets.values / unit - mean) / scale
        return Targets(values, targets.weight, float(mean * unit), float(scale * unit))

    def _start(self, objective: Any, labels: Labels | Targets, columns: Columns) -> tuple[Array, Array]:
        if self.state is None:
            self.state = self._rule.start(np.zeros(objective.shape))
        if not self.newest:
            u = np.zeros(objective.shape) if objective.convex else objective.initial(self.settings.seed)
            return u, u
        newest, mean = (
            from_users_units(labels.from_user(stack), objective, columns) for stack in (self.newest, self.stack)
        )
        return newest, mean

    def _step(self, objective: Any, u: Array, mean: Array) -> tuple[Array, Array]:
        rule = self._rule
        for batch in batches(objective, small_batch(objective.rows.n), self.rng):
            self.state, step = rule.step(self.state, batch.value_gradient(u)[1])
            u = u - self._rate(batch, u) * step
            self.steps += 1
            mean = mean + (polyak if objective.convex else recent)(self.steps, MEAN) * (u - mean)
        return u, mean

    def _noticed(self, objective: Any, before: Array, after: Array, alone: float) -> tuple[str, ...]:
        """That a given rate leads away, once: the rows just learnt from cost more than before, and than no features."""
        rate = self.settings.learning_rate
        if rate in ("auto", self.leads_away):
            return ()
        cost = objective.value(after)
        if cost <= AWAY * max(objective.value(before), alone):
            return ()
        self.leads_away = rate
        return (
            f"steps by learning_rate={rate:g} lead away: the rows just learnt from cost {cost / alone:.3g} times what "
            "they would without features; use learning_rate='auto'",
        )

    def _rate(self, batch: Any, u: Array) -> float:
        if self.settings.learning_rate != "auto":
            return float(self.settings.learning_rate)
        if not batch.convex:
            return ADAPTIVE_RATE
        if self.looked < 4:  # the largest curvature in a few batches
            self.L, self.looked = max(self.L, curvature_bound(batch, u)), self.looked + 1
        return falling(self.steps / FALL) / max(self.L, 1e-300)
