"""How strong the penalty of hidden layers is to be: as strong as rows held out for a while ask for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.fits.problem import Problem, held_rows
from onelayer.solvers import Outcome, Watch

Array = NDArray[Any]
Minimise = Callable[[Problem, Array, Watch], Outcome]

FRACTION = 0.2  # of the rows: a tenth of some hundred says too little, twelve sets
FEWEST = 10  # rows held out: what fewer say is noise
STRONGER = (1.0, 3.0, 10.0, 30.0, 100.0)


def strengthened(problem: Problem, minimise: Minimise, watch: Watch) -> tuple[Problem, Array]:
    """The problem with its penalty as strong as serves best a fifth of the rows, held out for a while; where it ended.

    A network that fits every row has learnt the noise, too. Each penalty starts at the weights of the one before, and
    the first that serves no better is the last: so that all take about as long as one fit. Stopping early instead
    keeps digits at a log loss of 0.100 rather than 0.072, and 500 noisy rows of twenty columns at 0.61 for 0.55.
    The start is drawn, whatever is known already: weights of a fit before have seen the rows that are held out.
    """
    objective, seed = problem.objective, problem.settings.seed
    u = end = np.asarray(objective.initial(seed))
    held = held_rows(problem.labels, FRACTION, seed)
    if held.sum() < FEWEST:
        return problem, u
    fit, judge = _part(objective, ~held), replace(_part(objective, held), penalty=0.0)
    best, chosen = np.inf, 1.0
    for factor in STRONGER:
        stronger = replace(problem, objective=replace(fit, penalty=factor * fit.penalty), decay=factor)
        u = minimise(stronger, u, watch).point.u
        loss = judge.value(u)
        if watch.stopped or loss >= best:
            break
        best, chosen, end = loss, factor, u
    objective = replace(objective, penalty=chosen * objective.penalty)
    return replace(problem, objective=objective, decay=chosen), u if watch.stopped else end


def _part(objective: Any, rows: Array) -> Any:
    """Of these rows, with the penalty that C means for as many."""
    weight = None if objective.rows.weight is None else objective.rows.weight[rows]
    total = float(rows.sum() if weight is None else weight.sum())
    part = objective.sample(np.flatnonzero(rows), weight, total)
    return replace(part, penalty=objective.penalty * objective.total_weight / total)
