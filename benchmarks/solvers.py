"""Whether ``solver="auto"`` is the right one: our own solvers beside it, ``python benchmarks/solvers.py [WORKLOAD…]``.

Each at its loosest tolerance that reaches a relative gap of 1e-6, the gap counted against the least value of all fits;
medians of three. A solver that takes thirty times as long as "auto", or does not get there, takes inf.
"""

import math
import statistics
import sys
import warnings
from functools import partial
from typing import Any

import numpy as np
from fits import objective, seconds_of
from workloads import WORKLOADS

from onelayer import PerceptronClassifier

SOLVERS = ("lbfgs", "nesterov", "gd")
TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
GAP, REPEATS, PATIENCE = 1e-6, 3, 30


def milliseconds(solver: str, name: str, optimum: float, patience: float) -> float:
    """To the gap, at the loosest tolerance that reaches it; infinity where none does in so many seconds."""
    workload = WORKLOADS[name]
    X, y = workload.load()
    for tol in TOLERANCES:
        model = PerceptronClassifier(
            C=workload.C, solver=solver, tol=tol, max_iter=100_000, callbacks=[lambda seen: seen.seconds > patience]
        )
        taken = [seconds_of(partial(model.fit, X, y))[0]]
        if value(model, X, y) / optimum - 1 <= GAP:
            taken += [seconds_of(partial(model.fit, X, y))[0] for _ in range(REPEATS - 1)]
            return 1e3 * statistics.median(taken)
        if not model.converged_:
            break
    return math.inf


def value(model: PerceptronClassifier, X: Any, y: np.ndarray) -> float:
    return objective(X, y, model.coef_, model.intercept_, model.C, 0.0)[0]


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    for name in names:
        X, y = WORKLOADS[name].load()
        optimum = value(PerceptronClassifier(C=WORKLOADS[name].C, tol=1e-11).fit(X, y), X, y)
        auto = milliseconds("auto", name, optimum, math.inf)
        found = {"auto": auto} | {
            solver: milliseconds(solver, name, optimum, PATIENCE * auto / 1e3) for solver in SOLVERS
        }
        words = "  ".join(f"{solver} {taken:9.1f} ms" for solver, taken in found.items())
        print(f"{name:13} {words}   auto takes {auto / min(found.values()):.2f} of the best", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or [name for name, workload in WORKLOADS.items() if not workload.l1_ratio and workload.available])
