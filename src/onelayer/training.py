"""From features and labels to weights: the settings, the objective, the solver, and what a person should be told.

Both faces of the package, the estimator and the model of a table, call `train`.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer import diagnostics, sampling
from onelayer.columns import Columns, not_finite
from onelayer.labels import class_totals, encode_labels, row_weights
from onelayer.losses import SIGMOID, SOFTMAX
from onelayer.network import ACTIVATIONS, Network, layers
from onelayer.objective import Objective
from onelayer.solvers import HeldOut, Outcome, Point, Watch, newton, solve
from onelayer.solvers.first_order import NAMES
from onelayer.solvers.newton import gap_at
from onelayer.sources import available_jobs, one_thread_per_core

Array = NDArray[Any]

SOLVERS = ("auto", "newton", *NAMES)
FEW_ROWS = 10_000  # up to here L-BFGS on all rows fits a network to the end in the time batches take to come near
ITERATIONS, ITERATIONS_HIDDEN = 100, 2000


class Iterate(NamedTuple):
    """One line of a fit's history: the mean objective in nats, its gradient's norm in scaled columns, when, on what."""

    cost: float
    gradient_norm: float
    seconds: float
    rows: int
    held_out: float | None = None


class Progress(NamedTuple):
    """What a callback sees of an iterate: its entry of the history, the gradient in scaled columns, and the weights.

    ``weights()`` gives them in the user's units: (k, d + 1) with the bias last, or with hidden layers a list of
    such arrays, one for each layer.
    """

    cost: float
    gradient_norm: float
    seconds: float
    rows: int
    held_out: float | None
    gradient: Array
    weights: Callable[[], Any]


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
    max_iter: int | None = None
    random_state: int | None = None
    n_jobs: int | None = None
    verbose: int = 0
    callbacks: Sequence[Callable[[Progress], bool | None]] | None = None
    hidden_layer_sizes: Sequence[int] = ()
    activation: str = "relu"
    batch_size: int | str = "auto"
    momentum: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    early_stopping: bool | str = "auto"
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10

    def iterations(self) -> int:
        """How many at most."""
        if self.max_iter is not None:
            return self.max_iter
        return ITERATIONS_HIDDEN if self.hidden_layer_sizes else ITERATIONS

    def solver_for(self, n: int) -> str:
        """The solver's name on n rows."""
        if self.solver != "auto":
            return self.solver
        if not self.hidden_layer_sizes:
            return "newton"
        return "lbfgs" if n <= FEW_ROWS else "adam"

    def holds_out(self, n: int) -> bool:
        """Whether some of the rows are to be held out."""
        if self.early_stopping == "auto":
            return bool(self.hidden_layer_sizes) and self.solver_for(n) not in ("lbfgs", "gd")
        return bool(self.early_stopping)

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
        if self.max_iter is not None and self.max_iter < 0:
            raise ValueError(f"max_iter must be 0 or more, not {self.max_iter!r}")
        self._check_hidden()
        self._check_descent()

    def _check_hidden(self) -> None:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, int) or not all(isinstance(size, int | np.integer) and size > 0 for size in sizes):
            raise ValueError(
                f"hidden_layer_sizes must hold the number of neurons of each layer, such as (16,), not {sizes!r}"
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {self.activation!r}")
        if sizes and self.solver == "newton":
            raise ValueError(
                "solver='newton' needs one layer, but there are hidden ones: use 'auto', 'lbfgs' or 'adam'"
            )
        if sizes and not self.fit_intercept:
            raise ValueError("fit_intercept=False needs one layer, but there are hidden ones: leave it True")

    def _check_descent(self) -> None:
        size = self.batch_size
        if size != "auto" and not (isinstance(size, int | np.integer) and size > 0):
            raise ValueError(f"batch_size must be 'auto' or a positive number of rows, not {size!r}")
        for name in ("momentum", "beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, not {getattr(self, name)!r}")
        if not self.epsilon > 0:
            raise ValueError(f"epsilon must be positive, not {self.epsilon!r}")
        if self.early_stopping not in (True, False, "auto"):
            raise ValueError(f"early_stopping must be True, False or 'auto', not {self.early_stopping!r}")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must lie between 0 and 1, not {self.validation_fraction!r}")
        if self.n_iter_no_change < 1:
            raise ValueError(f"n_iter_no_change must be 1 or more, not {self.n_iter_no_change!r}")


@dataclass(frozen=True)
class Fit:
    """What training found: weights (k, d + 1) with the bias last, and how it got there.

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
    eval_set : tuple of X and y, optional
        Rows held out: their loss says when to stop, and which weights are returned.
    initial : sequence of arrays, optional
        Where to start, in the user's units: the weights of each layer.
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
    labels = Labels.of(y, sample_weight, chosen.class_weight, class_names)
    columns = Columns.of(X, chosen.fit_intercept)
    if chosen.hidden_layer_sizes:
        columns = columns.within_reach(X)
    evaluation = None
    if eval_set is not None:
        evaluation = eval_set[0], Labels.among(labels.classes, eval_set[1], "eval_set")
    elif chosen.holds_out(len(labels.codes)):
        X, labels, evaluation = _split(X, labels, chosen)
    objective = make_objective(X, labels, columns, chosen)
    start = _start(objective, columns, labels, chosen, initial)
    held_out = _held_out(evaluation, columns, chosen) if evaluation else None
    record = _Record(X, labels, columns, objective, chosen, started, held_out)
    outcome = _solve(objective, start, labels, chosen, record)
    return _fit(X, labels, columns, outcome, record, names)


@dataclass(frozen=True)
class Labels:
    """Classes; their code in each row; the rows' weights, None where all are 1; each class's sum of them; its name."""

    classes: Array
    codes: Array
    weight: Array | None
    totals: Array
    names: Sequence[Any]

    @classmethod
    def of(
        cls, y: ArrayLike, sample_weight: ArrayLike | None, class_weight: Any, names: Sequence[str] | None
    ) -> "Labels":
        classes, codes = encode_labels(y)
        weight = row_weights(sample_weight, class_weight, classes, codes)
        return cls(classes, codes, weight, class_totals(codes, weight, len(classes)), names or classes.tolist())

    @classmethod
    def among(cls, classes: Array, y: ArrayLike, argument: str) -> "Labels":
        """Labels as codes of classes known beforehand; the argument that brought them is named where they are not."""
        y = np.asarray(y)
        codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
        unknown = classes[codes] != y
        if unknown.any():
            found = y[unknown].tolist()[0]
            raise ValueError(
                f"{argument} got label {found!r} in row {unknown.argmax()}, which is none of the classes "
                f"{classes.tolist()!r}: drop it, or announce it"
            )
        return cls(classes, codes, None, np.bincount(codes, minlength=len(classes)), classes.tolist())

    def weighted(self, weight: Array | None) -> "Labels":
        """The same with weights of the rows."""
        return replace(self, weight=weight, totals=np.bincount(self.codes, weights=weight, minlength=len(self.classes)))

    def take(self, rows: Array) -> "Labels":
        """Those of some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, codes=self.codes[rows]).weighted(weight)


def make_objective(
    X: Any, labels: Labels, columns: Columns, settings: Settings, *, all_weight: float | None = None
) -> Any:
    """One layer's objective, or a network's; `all_weight` is that of all rows, where these are not all."""
    k = 1 if len(labels.classes) == 2 else len(labels.classes)
    total_weight = float(labels.totals.sum())
    target = labels.codes.astype(np.float64) if k == 1 else labels.codes
    loss = SIGMOID if k == 1 else SOFTMAX
    strength, jobs = 1 / (settings.C * (all_weight or total_weight)), available_jobs(settings.n_jobs)
    if settings.hidden_layer_sizes:
        sizes = (X.shape[1], *settings.hidden_layer_sizes, k)
        rows = columns.copy(X, target, labels.weight, jobs)
        return Network(rows, loss, sizes, ACTIVATIONS[settings.activation], strength, total_weight)
    return Objective(
        columns.rows(X, target, labels.weight, jobs),
        loss,
        k,
        columns.penalty(strength),
        total_weight,
        settings.fit_intercept,
        columns.implicit_mean,
        columns.implicit_scale,
    )


def _start(
    objective: Any, columns: Columns, labels: Labels, settings: Settings, initial: Sequence[Array] | None
) -> Array:
    if initial is None:
        seed = settings.random_state or 0
        return _base_rate(labels.totals, objective) if objective.convex else np.asarray(objective.initial(seed))
    return from_users_units(initial, objective, columns)


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


def _split(X: Any, labels: Labels, settings: Settings) -> tuple[Any, Labels, tuple[Any, Labels]]:
    """A fraction of each class's rows, drawn at random, is held out; none of a class that would be left without."""
    rng = np.random.default_rng(settings.random_state or 0)
    held = np.zeros(len(labels.codes), dtype=bool)
    for code in range(len(labels.classes)):
        of_class = rng.permutation(np.flatnonzero(labels.codes == code))
        held[of_class[: int(settings.validation_fraction * len(of_class))]] = True
    if not held.any():
        raise ValueError(
            f"early_stopping holds out validation_fraction={settings.validation_fraction!r} of each class, but of "
            f"{len(held)} rows this is none: raise it, pass an eval_set, or set early_stopping=False"
        )
    kept, held = np.flatnonzero(~held), np.flatnonzero(held)
    return X[kept], labels.take(kept), (X[held], labels.take(held))


def _held_out(evaluation: tuple[Any, Labels], columns: Columns, settings: Settings) -> HeldOut:
    X, labels = evaluation
    objective = make_objective(X, labels, columns, replace(settings, C=math.inf))  # the loss alone, without a penalty
    return HeldOut(objective.value, settings.n_iter_no_change)


@dataclass
class _Record:
    """Sees every point of a fit: keeps the history and the best, shows it to who asked, and says when to stop."""

    X: Any
    labels: Labels
    columns: Columns
    objective: Any
    settings: Settings
    started: float
    held_out: HeldOut | None = None
    history: list[Iterate] = field(default_factory=list)
    best: Point | None = None
    separated: bool = False
    asked_to_stop: bool = False

    def __call__(self, point: Point) -> bool:
        if not (math.isfinite(point.value) and np.isfinite(point.gradient).all()):
            raise ValueError(not_finite(self.X) or "the logits overflow: rescale the features or weights")
        of_all = point.rows == self.objective.rows.n
        if of_all and (self.best is None or point.value <= self.best.value):
            self.best = point
        enough = self.held_out is not None and of_all and self.held_out(point)
        loss = self.held_out.losses[-1] if self.held_out is not None and of_all else None
        seconds = time.perf_counter() - self.started
        entry = Iterate(point.value, float(np.linalg.norm(point.gradient)), seconds, point.rows, loss)
        self.history.append(entry)
        if self.settings.verbose:
            print(f"iteration {len(self.history) - 1}: cost {entry.cost:.9g}, gradient {entry.gradient_norm:.3g}")
        unpenalised = math.isinf(self.settings.C) and self.objective.convex
        self.separated = of_all and unpenalised and point.value < self._one_row_wrong
        seen = Progress(*entry, point.gradient, lambda: self._weights(point))
        said = any([callback(seen) for callback in self.settings.callbacks or ()])
        self.asked_to_stop = self.asked_to_stop or said or enough
        return self.separated or said or enough

    def _weights(self, point: Point) -> Any:
        stack = in_users_units(point.u, self.objective, self.columns)
        return stack if len(stack) > 1 else stack[0]

    @property
    def kept(self) -> Point | None:
        """The best point so far: on held-out rows, where there are some."""
        return self.best if self.held_out is None or self.held_out.best is None else self.held_out.best

    @property
    def _one_row_wrong(self) -> float:
        """The least cost at which a row can be on the wrong side: its own loss at probability 1/2, and no other's."""
        weight = self.labels.weight
        least = 1.0 if weight is None else float(weight[weight > 0].min())
        return float(least * math.log(2) / self.objective.total_weight)


def _solve(objective: Any, start: Array, labels: Labels, settings: Settings, record: _Record) -> Outcome:
    try:
        with one_thread_per_core(), np.errstate(over="ignore", invalid="ignore"):
            outcome = _run(objective, start, labels, settings, Watch(record))
            return outcome if record.held_out is None else _best_held_out(objective, outcome, settings, record)
    except KeyboardInterrupt:
        best = record.kept
        if best is None:
            raise
        return Outcome(best, best.value, "bound", False, ("interrupted: the best weights so far are kept",))


def _run(objective: Any, start: Array, labels: Labels, settings: Settings, watch: Watch) -> Outcome:
    common: dict[str, Any] = {"tol": settings.tol, "max_iter": settings.iterations(), "watch": watch}
    solver = settings.solver_for(objective.rows.n)
    if solver == "newton":
        return newton(objective, start, samples=growing_samples(objective, labels, settings), **common)
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
    X: Any, labels: Labels, columns: Columns, outcome: Outcome, record: _Record, names: Sequence[str] | None
) -> Fit:
    point = outcome.point
    if record.history[-1].cost != point.value or record.history[-1].rows != point.rows:
        record(point)
    doubts = _doubts(X, labels, outcome, record, names)
    warnings = [*outcome.notices, *doubts]
    notices = _noticed(X, labels, columns, point, record, names)
    floor = point.value - outcome.gap
    *hidden, weights = in_users_units(point.u, record.objective, columns)
    return Fit(
        weights,
        tuple(hidden),
        labels.classes,
        record.history,
        len(record.history) - 1,
        outcome.converged and not doubts,
        outcome.gap / floor if floor > 0 else (0.0 if outcome.gap == 0 else math.inf),
        outcome.gap_kind,
        tuple(warnings),
        tuple([*warnings, *notices]),
    )


def _doubts(X: Any, labels: Labels, outcome: Outcome, record: _Record, names: Sequence[str] | None) -> list[str]:
    """What casts doubt on the weights."""
    settings = record.settings
    if math.isinf(settings.C) and record.objective.convex:
        parting = diagnostics.separating(X, labels.codes, by_chance=True)
        if parting or record.separated:
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
    X: Any, labels: Labels, columns: Columns, point: Point, record: _Record, names: Sequence[str] | None
) -> list[str]:
    """What else is worth knowing."""
    found = []
    constant, objective, settings = columns.constant, record.objective, record.settings
    if constant.any() and settings.fit_intercept:
        first = diagnostics.name(int(constant.argmax()), names)
        found.append(f"{constant.sum()} constant columns, first {first}: weight 0")
    if not objective.convex:
        return found
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


def _parts(parting: list[diagnostics.Separating], labels: Labels, names: Sequence[str] | None) -> str:
    first = parting[0]
    others = f", and {len(parting) - 1} others do the like" if len(parting) > 1 else ""
    column, class_name = diagnostics.name(first.column, names), labels.names[first.code]
    return f"{column} alone sets {first.rows} rows of class {class_name!r} apart{others}"


def growing_samples(objective: Objective, labels: Labels, settings: Settings) -> list[Objective]:
    """Samples of the rows, smallest first; none where all rows are few."""
    rng = np.random.default_rng(settings.random_state or 0)
    sizes = sampling.sizes(objective.rows.n, objective.shape, settings.tol, sparse=objective.rows.sparse)
    chosen = [sampling.stratified(labels.codes, labels.totals, labels.weight, size, rng) for size in sizes]
    return [objective.sample(*sample) for sample in chosen if sample is not None and settings.iterations()]


def _base_rate(totals: Array, objective: Objective) -> Array:
    """Weights 0, and the bias at the log-odds of the classes, where it would be without features."""
    u = np.zeros(objective.shape)
    if objective.bias:
        logs = np.log(totals)
        u[:, -1] = logs[1] - logs[0] if len(logs) == 2 else logs - logs.mean()
    return u
