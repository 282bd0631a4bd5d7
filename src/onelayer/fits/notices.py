"""What a person is told of a fit: what casts doubt on its weights, and what else is worth knowing."""

import math
from collections.abc import Sequence

import numpy as np

from onelayer import diagnostics
from onelayer.counting import counted
from onelayer.data.labels import Labels
from onelayer.fits import separation
from onelayer.fits.problem import Problem
from onelayer.fits.record import Record
from onelayer.solvers import Outcome

NAMED, MAIN = 3, 0.01  # columns of a direction that are named at most, and of the largest: what counts


def doubts(outcome: Outcome, record: Record, iterations: int, names: Sequence[str] | None) -> list[str]:
    """What casts doubt on the weights."""
    labels, settings = record.problem.labels, record.problem.settings
    if isinstance(labels, Labels) and math.isinf(settings.C) and record.problem.objective.convex:
        where = no_optimum(outcome, record, labels, names)
        if where is not None:
            return [
                f"the classes are separable{where}, so without a penalty no finite optimum exists and the weights "
                "grow with every iteration: set a finite C"
            ]
    if outcome.converged or outcome.notices or record.finished:
        return []
    if iterations < settings.iterations():
        otherwise = "" if settings.solver in ("auto", "newton") else ", or use solver='auto'"
        return [
            f"stopped after {iterations} iterations without reaching tol={settings.tol:g}, where rounding left no step "
            f"that lowers the cost: accept the gap{otherwise}"
        ]
    still = ", while the loss on rows held out still fell" if record.held_out is not None else ""
    otherwise = ", or accept the gap" if record.problem.objective.convex else ""  # hidden layers know of none
    return [
        f"stopped after {settings.iterations()} iterations without reaching tol={settings.tol:g}{still}: raise "
        f"max_iter{otherwise}"
    ]


def noticed(outcome: Outcome, record: Record, names: Sequence[str] | None) -> list[str]:
    """What else is worth knowing."""
    found, problem, held_out = [], record.problem, record.held_out
    constant, objective, settings, labels = (
        problem.columns.constant,
        problem.objective,
        problem.settings,
        problem.labels,
    )
    if constant.any() and settings.fit_intercept:
        first = diagnostics.name(int(constant.argmax()), names)
        many = f"{constant.sum()} constant columns, first {first}" if constant.sum() > 1 else f"{first} is constant"
        found.append(f"{many}: weight 0")
    if problem.cautious and isinstance(problem.X, np.ndarray) and (far := diagnostics.farthest(problem.X)):
        column, cell, times = far
        found.append(
            f"{diagnostics.name(column, names)} holds {cell:.6g}, {times:.0e} times as far out as other cells: if that "
            "stands for no value, drop or correct its row"
        )
    if record.exact:
        found.append("every row is fitted to its last digits: what is left of the cost is rounding")
    if problem.decay > 1:
        found.append(
            f"rows held out for a while were served best by a penalty {problem.decay:g} times as strong, that of "
            f"C={settings.C / problem.decay:.3g}, which all rows were then fitted with: early_stopping=False keeps C"
        )
    if not objective.convex:
        return found
    if held_out is not None and held_out.enough and not outcome.converged:
        found.append(
            f"stopped short of the optimum, as for {counted(held_out.patience, 'iteration')} rows held out were served "
            "no better; the weights that served them best are kept: early_stopping=False goes on to the optimum"
        )
    if math.isinf(settings.C):
        p = objective.shape[1] - int(constant.sum())
        if objective.shape[1] <= diagnostics.RANKED and (rank := diagnostics.rank(objective)) < p:
            found.append(
                f"columns are collinear, rank {rank} of {p} with the bias: of all weights that fit alike, the shortest "
                "in scaled columns are given"
            )
    elif isinstance(labels, Labels) and (parting := _separating(problem, labels, by_chance=False)):
        found.append(
            f"{_parts(parting, labels, names)}: the penalty alone keeps that weight finite; look whether the column "
            "gives the label away"
        )
    return found


def no_optimum(outcome: Outcome, record: Record, labels: Labels, names: Sequence[str] | None) -> str | None:
    """Where unpenalised weights grow for ever, as the end of a sentence; None where, as far as is seen, they do not."""
    if parting := _separating(record.problem, labels, by_chance=True):
        return f" ({_parts(parting, labels, names)})"
    if record.perfect:
        return ""
    objective = record.problem.objective
    way = separation.escape(objective, outcome.point.u, labels.codes) if outcome.converged else None
    if way is None:
        return None
    size = np.abs(way[:, : objective.rows.d]).max(axis=0)  # in scaled columns
    most = [int(j) for j in np.argsort(-size, kind="stable")[:NAMED] if size[j] >= MAIN * size.max()]
    others = len(most) < int((size >= MAIN * size.max()).sum())
    return f" along {' and '.join(diagnostics.name(j, names) for j in most)}{' and others' * others}"


def _separating(problem: Problem, labels: Labels, *, by_chance: bool) -> list[separation.Separating]:
    objective = problem.objective
    return separation.separating(
        problem.X, labels.codes, by_chance=by_chance, bias=objective.bias, jobs=objective.rows.jobs
    )


def _parts(parting: list[separation.Separating], labels: Labels, names: Sequence[str] | None) -> str:
    first, many = parting[0], len({each.column for each in parting})  # one may part both classes
    others = {1: "", 2: ", and one other does the like"}.get(many, f", and {many - 1} others do the like")
    column, class_name = diagnostics.name(first.column, names), labels.names[first.code]
    return f"{column} alone sets {counted(first.rows, 'row')} of class {class_name!r} apart{others}"
