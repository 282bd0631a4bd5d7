"""From features and labels, or numbers, to weights: the objective, the solver, and what a person should be told.

All faces of the package, the estimators and the model of a table, call `train`.
"""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer import diagnostics
from onelayer.data.columns import Columns
from onelayer.data.labels import Labels
from onelayer.data.targets import Targets
from onelayer.fits import notices
from onelayer.fits.problem import BREAKDOWN, Misled, Problem, growing_samples, split, that_count
from onelayer.fits.record import Iterate, Record, Told
from onelayer.fits.weight_decay import strengthened
from onelayer.rows.sparse import laid_out, lies_at_hand
from onelayer.rows.threads import one_thread_per_core
from onelayer.settings import Settings
from onelayer.solvers import HeldOut, Outcome, Watch, newton, proximal, quadratic, solve
from onelayer.solvers.first_order import explained
from onelayer.solvers.gaps import gap_at

Array = NDArray[Any]

TASKS = ("classification", "regression")


@dataclass(frozen=True)
class Fit:
    """What training found: weights (k, d + 1) with the bias last, and how it got there; of numbers, no classes.

    ``total_weight`` is that of the rows it was fitted to.

    ``hidden`` are such arrays of the hidden layers, the first one first, each (neurons, neurons before + 1).

    ``notices`` are all that a person should be told, ``warnings`` those among them that cast doubt on the weights.
    """

    weights: Array
    hidden: tuple[Array, ...]
    classes: Array
    total_weight: float
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
    X, labels = that_count(X, labels)
    X = laid_out(X, lies_at_hand(*X.shape))
    of_all, evaluation = X, None
    if eval_set is not None:
        evaluation = eval_set[0], labels.like(eval_set[1])
    elif chosen.holds_out(labels.rows):
        X, labels, evaluation = split(X, labels, chosen)

    def fit(*, cautious: bool) -> Fit:
        columns = Columns.of(of_all, chosen.fit_intercept, chosen.jobs, whole=cautious)
        problem = Problem.of(X, labels, columns, chosen, cautious=cautious)
        judge = problem.held_out(*evaluation) if evaluation else None
        record = Record(problem, started, judge, given=initial is not None)
        outcome = _solve(initial, record)
        if record.exact:
            outcome = replace(outcome, gap=outcome.point.value, gap_kind="bound", converged=True)
        if not cautious and _is_misled(outcome, record, names):
            raise Misled
        return _fit(record.problem, outcome, record, names)

    try:
        with np.errstate(over="ignore", invalid="ignore"):
            with suppress(*BREAKDOWN):
                return fit(cautious=False)
            return fit(cautious=True)
    except Told as told:
        raise cast(Exception, told.__cause__) from None
    except (np.linalg.LinAlgError, FloatingPointError) as error:
        raise ValueError("the curvature overflows: rescale the features or weights") from error


def _is_misled(outcome: Outcome, record: Record, names: Sequence[str] | None) -> bool:
    """Whether a sample of the rows, or their single precision, is to blame for how a fit ended."""
    problem = record.problem
    if record.led_nowhere(outcome):
        if math.isinf(problem.settings.C) and isinstance(problem.labels, Labels):  # that may be as it has to
            return notices.no_optimum(outcome, record, problem.labels, names) is None
        return True
    missed = not record.exact and outcome.gap > problem.settings.tol * outcome.point.value
    return outcome.converged and diagnostics.coarse(problem.objective, missed=missed)


def _targets(
    y: ArrayLike, sample_weight: ArrayLike | None, names: Sequence[str] | None, task: str, settings: Settings
) -> Labels | Targets:
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, not {task!r}")
    if task == "regression":
        return Targets.of(y, sample_weight, settings.fit_intercept)
    return Labels.of(y, sample_weight, settings.class_weight, names)


def _solve(initial: Sequence[Array] | None, record: Record) -> Outcome:
    watch = Watch(record)

    def run(problem: Problem, start: Array, watch: Watch) -> Outcome:
        record.decay = problem.decay
        return _run(problem, start, watch)

    try:
        with one_thread_per_core():
            start = record.problem.start(initial)
            if record.held_out is None and record.problem.settings.strengthens(record.problem.objective.rows.n):
                record.problem, end = strengthened(record.problem, run, watch)
                start = end if initial is None or watch.stopped else start
            outcome = run(record.problem, start, watch)
            if record.held_out is not None:
                outcome = _best_held_out(record.problem, outcome, record)
            settled = not watch.stopped or (record.held_out is not None and record.held_out.enough)
            return _explained(record.problem, outcome, record.held_out, initial) if settled else outcome
    except KeyboardInterrupt:
        best = record.kept
        if best is None:
            raise
        return Outcome(best, best.value, "bound", False, ("interrupted: the best weights so far are kept",))


def _run(problem: Problem, start: Array, watch: Watch) -> Outcome:
    objective, labels, settings = problem.objective, problem.labels, problem.settings
    common: dict[str, Any] = {"tol": settings.of_cost, "max_iter": settings.iterations(), "watch": watch}
    solver = settings.solver_for(objective.rows.n)
    if solver == "newton":
        if isinstance(labels, Targets) and objective.lasso is None:
            return quadratic(objective, start, **common)
        # squared errors have one curvature everywhere, which no sample knows better
        trusted = isinstance(labels, Labels) and not problem.cautious
        samples = growing_samples(objective, cast(Labels, labels), settings) if trusted else ()
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
        seed=settings.seed,
        **common,
    )


def _best_held_out(problem: Problem, outcome: Outcome, record: Record) -> Outcome:
    """The outcome at the point that serves the rows held out best; a network has arrived once none serves better."""
    record.finished = record.finished or outcome.converged
    point = record.kept or outcome.point
    if not problem.objective.convex:
        return replace(outcome, point=point, gap=point.value, converged=record.finished)
    gap, kind = gap_at(problem.objective, point)
    converged = bool(gap <= problem.settings.of_cost * point.value)
    return replace(outcome, point=point, gap=gap, gap_kind=kind, converged=converged)


def _explained(
    problem: Problem, outcome: Outcome, held_out: HeldOut | None, initial: Sequence[Array] | None
) -> Outcome:
    """The outcome, and what a learning rate that was given has to do with it."""
    settings, objective = problem.settings, problem.objective
    follows = settings.solver_for(objective.rows.n) not in ("newton", "lbfgs")
    ended = held_out is not None and held_out.enough and objective.convex  # by the rows held out, not by the rate
    if settings.learning_rate == "auto" or not follows or ended or not settings.iterations():
        return outcome
    loss = None if held_out is None else held_out.loss
    start = problem.start(initial if objective.convex else None)
    return explained(objective, outcome, start, float(settings.learning_rate), settings.of_cost, loss)


def _fit(problem: Problem, outcome: Outcome, record: Record, names: Sequence[str] | None) -> Fit:
    iterations = record.end(outcome.point)
    warnings, doubts, others = list(outcome.notices), [], []
    try:
        doubts = notices.doubts(outcome, record, iterations, names)
        others = notices.noticed(outcome, record, names)
    except KeyboardInterrupt:
        warnings.append("interrupted: the fit was over, but what else is worth knowing of it was not looked for")
    warnings += doubts
    *hidden, weights = problem.weights(outcome.point.u)
    return Fit(
        weights,
        tuple(hidden),
        problem.labels.classes,
        problem.labels.total_weight,
        record.history,
        iterations,
        outcome.converged and not doubts,
        2 * outcome.gap if record.exact else outcome.relative_gap,  # ½ is the cost without features, in our unit
        outcome.gap_kind,
        tuple(warnings),
        tuple([*warnings, *others]),
    )
