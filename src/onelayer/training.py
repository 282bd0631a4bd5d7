"""From features and labels to weights: the settings, the objective, the solver, and what a person should be told.

Both faces of the package, the estimator and the model of a table, call `train`.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer import diagnostics, sampling
from onelayer.columns import Columns, not_finite
from onelayer.labels import class_totals, encode_labels, row_weights
from onelayer.losses import SIGMOID, SOFTMAX
from onelayer.objective import Objective
from onelayer.solvers import Outcome, Point, Watch, gd, newton
from onelayer.sources import available_jobs, one_thread_per_core

Array = NDArray[Any]

SOLVERS = ("auto", "newton", "gd")


class Iterate(NamedTuple):
    """One line of a fit's history: the mean objective in nats, its gradient's norm in scaled columns, when, on what."""

    cost: float
    gradient_norm: float
    seconds: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a fit may be told, as `onelayer.PerceptronClassifier` describes it.

    Raises
    ------
    ValueError, NotImplementedError
        For a setting that cannot be used.

    Examples
    --------
    >>> Settings(C=10.0).C
    10.0
    """

    C: float = 1.0
    l1_ratio: float = 0.0
    fit_intercept: bool = True
    class_weight: Mapping[Any, float] | str | None = None
    solver: str = "auto"
    learning_rate: float | str = "auto"
    tol: float = 1e-6
    max_iter: int = 100
    random_state: int | None = None
    n_jobs: int | None = None
    verbose: int = 0
    callbacks: Sequence[Callable[[Iterate], bool | None]] | None = None

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise ValueError(f"C must be positive (np.inf for no penalty), not {self.C!r}")
        if self.l1_ratio != 0:
            raise NotImplementedError(f"l1_ratio={self.l1_ratio!r}: only the L2 penalty, l1_ratio=0, is there so far")
        if self.solver not in SOLVERS:
            raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, not {self.solver!r}")
        rate = self.learning_rate
        if rate != "auto" and not (isinstance(rate, int | float) and 0 < rate < math.inf):
            raise ValueError(f"learning_rate must be 'auto' or a positive finite number, not {rate!r}")
        if not self.tol >= 0:
            raise ValueError(f"tol must be 0 or more, not {self.tol!r}")
        if self.max_iter < 0:
            raise ValueError(f"max_iter must be 0 or more, not {self.max_iter!r}")


@dataclass(frozen=True)
class Fit:
    """What training found: weights (k, d + 1) with the bias last, and how it got there.

    ``notices`` are all that a person should be told, ``warnings`` those among them that cast doubt on the weights.
    """

    weights: Array
    classes: Array
    history: list[Iterate]
    n_iter: int
    converged: bool
    optimality_gap: float
    gap_kind: str
    warnings: tuple[str, ...]
    notices: tuple[str, ...]


def train(
    X: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    initial: Array | None = None,
    names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    **settings: Any,
) -> Fit:
    """Minimise C · Σ ω loss + (1 - l1_ratio)/2 · ‖w‖² over weights and an unpenalised intercept.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, d)
        Features, never modified.
    y : array of shape (n,)
        Labels of two or more classes.
    sample_weight : array of shape (n,), optional
    initial : array of shape (k, d + 1), optional
        Where to start, in the user's units.
    names, class_names : d and k names, optional
        Of columns and classes, for what a person is told.
    settings
        Of `Settings`.

    Returns
    -------
    Fit
        ``cost`` in its history is the objective divided by C · Σ ω.

    Raises
    ------
    ValueError
        For labels, weights or settings that cannot be used, and for NaN or infinity in X, with the place.

    Examples
    --------
    >>> fit = train(np.array([[0.0], [1.0], [2.0], [3.0]]), ["no", "yes", "no", "yes"])
    >>> fit.classes.tolist(), fit.converged
    (['no', 'yes'], True)
    """
    started = time.perf_counter()
    chosen = Settings(**settings)
    labels = _Labels.of(y, sample_weight, chosen.class_weight, class_names)
    columns = Columns.of(X, chosen.fit_intercept)
    objective = _objective(X, labels, columns, chosen)
    start = columns.from_user(initial) if initial is not None else _base_rate(labels.totals, objective)
    record = _Record(X, labels, objective, chosen, started)
    outcome = _solve(objective, start, labels, chosen, record)
    return _fit(X, labels, columns, outcome, record, names)


@dataclass(frozen=True)
class _Labels:
    """Classes; their code in each row; the rows' weights, None where all are 1; each class's sum of them; its name."""

    classes: Array
    codes: Array
    weight: Array | None
    totals: Array
    names: Sequence[Any]

    @classmethod
    def of(
        cls, y: ArrayLike, sample_weight: ArrayLike | None, class_weight: Any, names: Sequence[str] | None
    ) -> "_Labels":
        classes, codes = encode_labels(y)
        weight = row_weights(sample_weight, class_weight, classes, codes)
        return cls(classes, codes, weight, class_totals(codes, weight, len(classes)), names or classes.tolist())


def _objective(X: Any, labels: _Labels, columns: Columns, settings: Settings) -> Objective:
    k = 1 if len(labels.classes) == 2 else len(labels.classes)
    total_weight = float(labels.totals.sum())
    target = labels.codes.astype(np.float64) if k == 1 else labels.codes
    return Objective(
        columns.rows(X, target, labels.weight, available_jobs(settings.n_jobs)),
        SIGMOID if k == 1 else SOFTMAX,
        k,
        columns.penalty(1 / (settings.C * total_weight)),
        total_weight,
        settings.fit_intercept,
        columns.implicit_mean,
        columns.implicit_scale,
    )


@dataclass
class _Record:
    """Sees every point of a fit: keeps the history and the best, shows it to who asked, and says when to stop."""

    X: Any
    labels: _Labels
    objective: Objective
    settings: Settings
    started: float
    history: list[Iterate] = field(default_factory=list)
    best: Point | None = None
    separated: bool = False

    def __call__(self, point: Point) -> bool:
        if not (math.isfinite(point.value) and np.isfinite(point.gradient).all()):
            raise ValueError(not_finite(self.X) or "the logits overflow: rescale the features or weights")
        of_all = point.rows == self.objective.rows.n
        if of_all and (self.best is None or point.value <= self.best.value):
            self.best = point
        seconds = time.perf_counter() - self.started
        entry = Iterate(point.value, float(np.linalg.norm(point.gradient)), seconds, point.rows)
        self.history.append(entry)
        if self.settings.verbose:
            print(f"iteration {len(self.history) - 1}: cost {entry.cost:.9g}, gradient {entry.gradient_norm:.3g}")
        self.separated = of_all and math.isinf(self.settings.C) and point.value < self._one_row_wrong
        return self.separated or any([callback(entry) for callback in self.settings.callbacks or ()])

    @property
    def _one_row_wrong(self) -> float:
        """The least cost at which a row can be on the wrong side: its own loss at probability 1/2, and no other's."""
        weight = self.labels.weight
        least = 1.0 if weight is None else float(weight[weight > 0].min())
        return least * math.log(2) / self.objective.total_weight


def _solve(objective: Objective, start: Array, labels: _Labels, settings: Settings, record: _Record) -> Outcome:
    common: dict[str, Any] = {"tol": settings.tol, "max_iter": settings.max_iter, "watch": Watch(record)}
    try:
        with one_thread_per_core(), np.errstate(over="ignore", invalid="ignore"):
            if settings.solver == "gd":
                return gd(objective, start, learning_rate=settings.learning_rate, **common)
            return newton(objective, start, samples=growing_samples(objective, labels, settings), **common)
    except KeyboardInterrupt:
        if record.best is None:
            raise
        best = record.best
        return Outcome(best, best.value, "bound", False, ("interrupted: the best weights so far are kept",))


def _fit(
    X: Any, labels: _Labels, columns: Columns, outcome: Outcome, record: _Record, names: Sequence[str] | None
) -> Fit:
    point = outcome.point
    if record.history[-1].cost != point.value or record.history[-1].rows != point.rows:
        record(point)
    doubts = _doubts(X, labels, outcome, record, names)
    warnings = [*outcome.notices, *doubts]
    notices = _noticed(X, labels, columns, point, record, names)
    floor = point.value - outcome.gap
    return Fit(
        columns.to_user(point.u),
        labels.classes,
        record.history,
        len(record.history) - 1,
        outcome.converged and not doubts,
        outcome.gap / floor if floor > 0 else (0.0 if outcome.gap == 0 else math.inf),
        outcome.gap_kind,
        tuple(warnings),
        tuple([*warnings, *notices]),
    )


def _doubts(X: Any, labels: _Labels, outcome: Outcome, record: _Record, names: Sequence[str] | None) -> list[str]:
    """What casts doubt on the weights."""
    settings = record.settings
    if math.isinf(settings.C):
        parting = diagnostics.separating(X, labels.codes, by_chance=True)
        if parting or record.separated:
            where = f" ({_parts(parting, labels, names)})" if parting else ""
            return [
                f"the classes are separable{where}, so without a penalty no finite optimum exists and the weights "
                "grow with every iteration: set a finite C"
            ]
    if outcome.converged or outcome.notices:
        return []
    return [
        f"stopped after {settings.max_iter} iterations without reaching tol={settings.tol:g}: raise max_iter, or "
        "accept the gap"
    ]


def _noticed(
    X: Any, labels: _Labels, columns: Columns, point: Point, record: _Record, names: Sequence[str] | None
) -> list[str]:
    """What else is worth knowing."""
    found = []
    constant, objective, settings = columns.constant, record.objective, record.settings
    if constant.any() and settings.fit_intercept:
        first = diagnostics.name(int(constant.argmax()), names)
        found.append(f"{constant.sum()} constant columns, first {first}: weight 0")
    if math.isinf(settings.C):
        p = objective.shape[1] - int(constant.sum())
        if objective.shape[1] <= diagnostics.RANKED and (rank := diagnostics.rank(objective)) < p:
            found.append(
                f"columns are collinear, rank {rank} of {p} with the bias: of all weights that fit alike, the shortest "
                "in scaled columns are given"
            )
    elif parting := diagnostics.separating(X, labels.codes, by_chance=False):
        found.append(
            f"{_parts(parting, labels, names)}: the penalty alone keeps that weight finite; look whether the column "
            "gives the label away"
        )
    return found


def _parts(parting: list[diagnostics.Separating], labels: _Labels, names: Sequence[str] | None) -> str:
    first = parting[0]
    others = f", and {len(parting) - 1} others do the like" if len(parting) > 1 else ""
    column, class_name = diagnostics.name(first.column, names), labels.names[first.code]
    return f"{column} alone sets {first.rows} rows of class {class_name!r} apart{others}"


def growing_samples(objective: Objective, labels: _Labels, settings: Settings) -> list[Objective]:
    """Samples of the rows, smallest first; none where all rows are few."""
    rng = np.random.default_rng(settings.random_state or 0)
    sizes = sampling.sizes(objective.rows.n, objective.shape, settings.tol, sparse=objective.rows.sparse)
    chosen = [sampling.stratified(labels.codes, labels.totals, labels.weight, size, rng) for size in sizes]
    return [objective.sample(*sample) for sample in chosen if sample is not None and settings.max_iter]


def _base_rate(totals: Array, objective: Objective) -> Array:
    """Weights 0, and the bias at the log-odds of the classes, where it would be without features."""
    u = np.zeros(objective.shape)
    if objective.bias:
        logs = np.log(totals)
        u[:, -1] = logs[1] - logs[0] if len(logs) == 2 else logs - logs.mean()
    return u
