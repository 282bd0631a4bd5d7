"""From features and labels, or numbers, to weights: the objective, the solver, and what a person should be told.

All faces of the package, the estimators and the model of a table, call `train`.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer import diagnostics, sampling
from onelayer.columns import Columns, not_finite
from onelayer.labels import Labels
from onelayer.network import ACTIVATIONS, Network, layers
from onelayer.objective import Objective
from onelayer.settings import Progress, Settings
from onelayer.solvers import HeldOut, Outcome, Point, Watch, newton, proximal, solve
from onelayer.solvers.newton import gap_at
from onelayer.sources import available_jobs, one_thread_per_core
from onelayer.targets import Targets

Array = NDArray[Any]

TASKS = ("classification", "regression")


class Iterate(NamedTuple):
    """One line of a fit's history: the mean objective in nats, its gradient's norm in scaled columns, when, on what."""

    cost: float
    gradient_norm: float
    seconds: float
    rows: int
    held_out: float | None = None


@dataclass(frozen=True)
class Fit:
    """What training found: weights (k, d + 1) with the bias last, and how it got there; of numbers, no classes.

    ``hidden`` are such arrays of the hidden layers, the first one first, each (neurons, neurons before + 1).

    ``notices`` are all that a person should be told, ``warnings`` those among them that cast doubt on the weights.
    """

    weights: Array
    hidden: tuple[Array, ...]
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
    eval_set: tuple[Any, ArrayLike] | None = None,
    initial: Sequence[Array] | None = None,
    names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    task: str = "classification",
    **settings: Any,
) -> Fit:
    """Minimise C · Σ ω loss + (1 - l1_ratio)/2 · ‖w‖² + l1_ratio · ‖w‖₁ over weights and an unpenalised intercept.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, d)
        Features, never modified.
    y : array of shape (n,)
        Labels of two or more classes, or numbers.
    sample_weight : array of shape (n,), optional
    eval_set : tuple of X and y, optional
        Rows held out: their loss says when to stop, and which weights are returned.
    initial : sequence of arrays, optional
        Where to start, in the user's units: the weights of each layer.
    names, class_names : d and k names, optional
        Of columns and classes, for what a person is told.
    task : {"classification", "regression"}
        Whether y are labels, with the log loss, or numbers, with the squared error ½(z - y)².
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
    labels = _targets(y, sample_weight, class_names, task, chosen)
    columns = Columns.of(X, chosen.fit_intercept)
    if chosen.hidden_layer_sizes:
        columns = columns.within_reach(X)
    evaluation = None
    if eval_set is not None:
        evaluation = eval_set[0], labels.like(eval_set[1])
    elif chosen.holds_out(labels.rows):
        X, labels, evaluation = _split(X, labels, chosen)
    objective = make_objective(X, labels, columns, chosen)
    start = _start(objective, columns, labels, chosen, initial)
    held_out = _held_out(evaluation, columns, chosen) if evaluation else None
    record = _Record(X, labels, columns, objective, chosen, started, held_out)
    outcome = _solve(objective, start, labels, chosen, record)
    if record.exact:
        outcome = replace(outcome, gap=outcome.point.value, gap_kind="bound", converged=True)
    return _fit(X, labels, columns, outcome, record, names)


def _targets(
    y: ArrayLike, sample_weight: ArrayLike | None, names: Sequence[str] | None, task: str, settings: Settings
) -> Labels | Targets:
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, not {task!r}")
    if task == "regression":
        return Targets.of(y, sample_weight, settings.fit_intercept)
    return Labels.of(y, sample_weight, settings.class_weight, names)


def make_objective(
    X: Any, labels: Labels | Targets, columns: Columns, settings: Settings, *, all_weight: float | None = None
) -> Any:
    """One layer's objective, or a network's; `all_weight` is that of all rows, where these are not all."""
    k, loss, target, total_weight = labels.outputs, labels.loss, labels.values, labels.total_weight
    strength, jobs = 1 / (settings.C * (all_weight or total_weight)), available_jobs(settings.n_jobs)
    if settings.hidden_layer_sizes:
        sizes = (X.shape[1], *settings.hidden_layer_sizes, k)
        rows = columns.copy(X, target, labels.weight, jobs)
        return Network(rows, loss, sizes, ACTIVATIONS[settings.activation], strength, total_weight)
    return Objective(
        columns.rows(X, target, labels.weight, jobs),
        loss,
        k,
        columns.penalty((1 - settings.l1_ratio) * strength),
        total_weight,
        settings.fit_intercept,
        columns.implicit_mean,
        columns.implicit_scale,
        columns.lasso(settings.l1_ratio * strength / labels.unit),
    )


def _start(
    objective: Any, columns: Columns, labels: Labels | Targets, settings: Settings, initial: Sequence[Array] | None
) -> Array:
    if initial is None:
        seed = settings.random_state or 0
        return base_rate(labels, objective) if objective.convex else np.asarray(objective.initial(seed))
    return from_users_units(labels.from_user(initial), objective, columns)


def from_users_units(stack: Sequence[Array], objective: Any, columns: Columns) -> Array:
    """The point of these weights: the inverse of `in_users_units`."""
    first = columns.from_user(stack[0])
    if objective.convex:
        return first
    u = np.empty(objective.shape)
    for (W, b), weights in zip(layers(u, objective.sizes), [first, *stack[1:]], strict=True):
        W[...], b[...] = weights[:, :-1].T, weights[:, -1]
    return u


def in_users_units(u: Array, objective: Any, columns: Columns) -> list[Array]:
    """The weights of each layer, (neurons, neurons before + 1) with the bias last."""
    if objective.convex:
        return [columns.to_user(u)]
    first, *others = [np.column_stack([W.T, b]) for W, b in layers(u, objective.sizes)]
    return [columns.to_user(first), *others]


def _split(X: Any, labels: Any, settings: Settings) -> tuple[Any, Any, tuple[Any, Any]]:
    """A fraction of each class's rows, drawn at random, is held out; none of a class that would be left without."""
    rng = np.random.default_rng(settings.random_state or 0)
    strata = labels.strata
    held = np.zeros(labels.rows, dtype=bool)
    for code in range(int(strata.max()) + 1):
        of_class = rng.permutation(np.flatnonzero(strata == code))
        held[of_class[: int(settings.validation_fraction * len(of_class))]] = True
    if not held.any():
        of_each = " of each class" if len(labels.classes) else ""
        raise ValueError(
            f"early_stopping holds out validation_fraction={settings.validation_fraction!r}{of_each}, but of "
            f"{len(held)} rows this is none: raise it, pass an eval_set, or set early_stopping=False"
        )
    kept, held = np.flatnonzero(~held), np.flatnonzero(held)
    return X[kept], labels.take(kept), (X[held], labels.take(held))


def _held_out(evaluation: tuple[Any, Any], columns: Columns, settings: Settings) -> HeldOut:
    X, labels = evaluation
    objective = make_objective(X, labels, columns, replace(settings, C=math.inf))  # the loss alone, without a penalty
    return HeldOut(objective.value, settings.n_iter_no_change)


@dataclass
class _Record:
    """Sees every point of a fit: keeps the history and the best, shows it to who asked, and says when to stop."""

    X: Any
    labels: Labels | Targets
    columns: Columns
    objective: Any
    settings: Settings
    started: float
    held_out: HeldOut | None = None
    history: list[Iterate] = field(default_factory=list)
    best: Point | None = None
    perfect: bool = False  # every row on its side, or fitted to the last digit
    asked_to_stop: bool = False

    def __call__(self, point: Point) -> bool:
        if not (math.isfinite(point.value) and np.isfinite(point.gradient).all()):
            raise ValueError(not_finite(self.X) or "the logits overflow: rescale the features or weights")
        of_all = point.rows == self.objective.rows.n
        if of_all and (self.best is None or point.value <= self.best.value):
            self.best = point
        enough = self.held_out is not None and of_all and self.held_out(point)
        unit = self.labels.unit
        loss = self.held_out.losses[-1] * unit * unit if self.held_out is not None and of_all else None
        seconds = time.perf_counter() - self.started
        norm = float(np.linalg.norm(point.gradient)) * unit
        entry = Iterate(point.value * unit * unit, norm, seconds, point.rows, loss)
        self.history.append(entry)
        if self.settings.verbose:
            print(f"iteration {len(self.history) - 1}: cost {entry.cost:.9g}, gradient {entry.gradient_norm:.3g}")
        self.perfect = of_all and self._can_be_perfect and point.value < self._enough
        seen = Progress(*entry, point.gradient * unit, lambda: self._weights(point))
        said = any([callback(seen) for callback in self.settings.callbacks or ()])
        self.asked_to_stop = self.asked_to_stop or said or enough
        return self.perfect or said or enough

    def _weights(self, point: Point) -> Any:
        stack = self.labels.to_user(in_users_units(point.u, self.objective, self.columns))
        return stack if len(stack) > 1 else stack[0]

    @property
    def kept(self) -> Point | None:
        """The best point so far: on held-out rows, where there are some."""
        return self.best if self.held_out is None or self.held_out.best is None else self.held_out.best

    @property
    def exact(self) -> bool:
        """Whether numbers are fitted to their last digits."""
        return self.perfect and isinstance(self.labels, Targets)

    @cached_property
    def _can_be_perfect(self) -> bool:
        """A penalty keeps labels from it, in one layer, and numbers but where it is slight."""
        return isinstance(self.labels, Targets) or (math.isinf(self.settings.C) and bool(self.objective.convex))

    @cached_property
    def _enough(self) -> float:
        return self.labels.enough(float(self.objective.rows.precision))


def _solve(objective: Any, start: Array, labels: Labels | Targets, settings: Settings, record: _Record) -> Outcome:
    try:
        with one_thread_per_core(), np.errstate(over="ignore", invalid="ignore"):
            outcome = _run(objective, start, labels, settings, Watch(record))
            return outcome if record.held_out is None else _best_held_out(objective, outcome, settings, record)
    except KeyboardInterrupt:
        best = record.kept
        if best is None:
            raise
        return Outcome(best, best.value, "bound", False, ("interrupted: the best weights so far are kept",))


def _run(objective: Any, start: Array, labels: Labels | Targets, settings: Settings, watch: Watch) -> Outcome:
    common: dict[str, Any] = {"tol": settings.tol, "max_iter": settings.iterations(), "watch": watch}
    solver = settings.solver_for(objective.rows.n)
    if solver == "newton":
        # squared errors have one curvature everywhere: a step with that of all rows ends the fit
        samples = growing_samples(objective, labels, settings) if isinstance(labels, Labels) else ()
        minimise = newton if objective.lasso is None else proximal
        return minimise(objective, start, samples=samples, **common)
    return solve(
        objective,
        start,
        solver=solver,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        decay=settings.momentum,
        beta_1=settings.beta_1,
        beta_2=settings.beta_2,
        epsilon=settings.epsilon,
        seed=settings.random_state or 0,
        **common,
    )


def _best_held_out(objective: Any, outcome: Outcome, settings: Settings, record: _Record) -> Outcome:
    """The outcome at the point that serves the rows held out best; a network has arrived once none serves better."""
    point = record.kept or outcome.point
    if not objective.convex:
        return replace(outcome, point=point, gap=point.value, converged=outcome.converged or record.asked_to_stop)
    gap, kind = gap_at(objective, point)
    return replace(outcome, point=point, gap=gap, gap_kind=kind, converged=bool(gap <= settings.tol * point.value))


def _fit(
    X: Any, labels: Labels | Targets, columns: Columns, outcome: Outcome, record: _Record, names: Sequence[str] | None
) -> Fit:
    point, cost = outcome.point, outcome.point.value * labels.unit * labels.unit
    if record.history[-1].cost != cost or record.history[-1].rows != point.rows:
        record(point)
    doubts = _doubts(X, labels, outcome, record, names)
    warnings = [*outcome.notices, *doubts]
    notices = _noticed(X, labels, columns, point, record, names)
    *hidden, weights = labels.to_user(in_users_units(point.u, record.objective, columns))
    return Fit(
        weights,
        tuple(hidden),
        labels.classes,
        record.history,
        len(record.history) - 1,
        outcome.converged and not doubts,
        2 * outcome.gap if record.exact else _relative_gap(outcome),  # ½ is the cost without features, in our unit
        outcome.gap_kind,
        tuple(warnings),
        tuple([*warnings, *notices]),
    )


def _relative_gap(outcome: Outcome) -> float:
    floor = outcome.point.value - outcome.gap
    return outcome.gap / floor if floor > 0 else (0.0 if outcome.gap == 0 else math.inf)


def _doubts(
    X: Any, labels: Labels | Targets, outcome: Outcome, record: _Record, names: Sequence[str] | None
) -> list[str]:
    """What casts doubt on the weights."""
    settings = record.settings
    if isinstance(labels, Labels) and math.isinf(settings.C) and record.objective.convex:
        parting = diagnostics.separating(X, labels.codes, by_chance=True)
        if parting or record.perfect:
            where = f" ({_parts(parting, labels, names)})" if parting else ""
            return [
                f"the classes are separable{where}, so without a penalty no finite optimum exists and the weights "
                "grow with every iteration: set a finite C"
            ]
    if outcome.converged or outcome.notices or record.asked_to_stop:
        return []
    return [
        f"stopped after {settings.iterations()} iterations without reaching tol={settings.tol:g}: raise max_iter, or "
        "accept the gap"
    ]


def _noticed(
    X: Any, labels: Labels | Targets, columns: Columns, point: Point, record: _Record, names: Sequence[str] | None
) -> list[str]:
    """What else is worth knowing."""
    found = []
    constant, objective, settings = columns.constant, record.objective, record.settings
    if constant.any() and settings.fit_intercept:
        first = diagnostics.name(int(constant.argmax()), names)
        many = f"{constant.sum()} constant columns, first {first}" if constant.sum() > 1 else f"{first} is constant"
        found.append(f"{many}: weight 0")
    if record.exact:
        found.append("every row is fitted to its last digits: what is left of the cost is rounding")
    if not objective.convex:
        return found
    if math.isinf(settings.C):
        p = objective.shape[1] - int(constant.sum())
        if objective.shape[1] <= diagnostics.RANKED and (rank := diagnostics.rank(objective)) < p:
            found.append(
                f"columns are collinear, rank {rank} of {p} with the bias: of all weights that fit alike, the shortest "
                "in scaled columns are given"
            )
    elif isinstance(labels, Labels) and (parting := diagnostics.separating(X, labels.codes, by_chance=False)):
        found.append(
            f"{_parts(parting, labels, names)}: the penalty alone keeps that weight finite; look whether the column "
            "gives the label away"
        )
    return found


def _parts(parting: list[diagnostics.Separating], labels: Labels, names: Sequence[str] | None) -> str:
    first = parting[0]
    others = {1: "", 2: ", and one other does the like"}.get(
        len(parting), f", and {len(parting) - 1} others do the like"
    )
    column, class_name = diagnostics.name(first.column, names), labels.names[first.code]
    return f"{column} alone sets {first.rows} rows of class {class_name!r} apart{others}"


def growing_samples(objective: Objective, labels: Labels, settings: Settings) -> Iterator[Objective]:
    """Samples of the rows, smallest first, each made when it is asked for; none where all rows are few."""
    rng = np.random.default_rng(settings.random_state or 0)
    rows = objective.rows
    if objective.lasso is None:
        sizes = sampling.sizes(rows.n, objective.shape, settings.tol, sparse=rows.sparse)
    else:
        sizes = sampling.sizes_of_support(rows.n, rows.d, sparse=rows.sparse)
    for size in sizes if settings.iterations() else []:
        chosen = sampling.stratified(labels.codes, labels.totals, labels.weight, size, rng)
        if chosen is not None:
            yield objective.sample(*chosen)


def base_rate(labels: Labels | Targets, objective: Objective) -> Array:
    """Weights 0, and the bias where it would be without features."""
    u = np.zeros(objective.shape)
    if objective.bias:
        u[:, -1] = labels.base
    return u
