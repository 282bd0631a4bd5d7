"""A path of 100 values of C with an L1 penalty, on each L1 set: ``python benchmarks/paths.py [SET…] [--peers P…]``.

The values are geometric, from the least C at which a weight is not 0 to a hundred times that; every solver takes them
in this order and may start each from the one before. One line of JSON is appended for each solver and tolerance: the
seconds of the whole path and its objectives, from which the gaps are counted at the end, against the least objective
that any line reaches at that C. celer has no intercept: its gaps are to optima without one, which skglm supplies.
``--table`` prints what the file holds.
"""

import argparse
import json
import os
import statistics
import warnings
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fits import HERE, data_bytes, objective, seconds_of
from peers import PEERS, Stored, adelie_matrix, adelie_path, by_columns, celer_path, glmnet_path
from workloads import WORKLOADS

RESULTS = HERE / "paths.jsonl"
SETS = ("reviews", "broad", "zipf")
VALUES, SPAN = 100, 100.0
REPEATS = 3
MINUTE = 60.0

Solve = Callable[[Stored, np.ndarray, np.ndarray, float, float], tuple[np.ndarray, np.ndarray]]


class Solver(NamedTuple):
    """A path of one peer: (stored, y, Cs, l1_ratio, tol) → (coefs (values, d), intercepts (values,))."""

    peer: str
    path: Solve
    store: Callable[[Any, np.ndarray], Any]
    tolerances: tuple[float, ...]
    intercept: bool = True


def onelayer_path(
    stored: Stored, y: np.ndarray, Cs: np.ndarray, l1_ratio: float, tol: float
) -> tuple[np.ndarray, np.ndarray]:
    """One call: the objective is built once, and each fit starts from the one before."""
    from onelayer import path

    found = path(stored.X, y, Cs=Cs, l1_ratio=l1_ratio, tol=tol)
    return found.coefs[:, 0], found.intercepts[:, 0]


def skglm_path(
    stored: Stored, y: np.ndarray, Cs: np.ndarray, l1_ratio: float, tol: float, fit_intercept: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """One estimator with ``warm_start``, as its documentation has it."""
    from skglm import SparseLogisticRegression

    model = SparseLogisticRegression(
        l1_ratio=l1_ratio, tol=tol, max_iter=1000, max_epochs=100_000, warm_start=True, fit_intercept=fit_intercept
    )
    return _one_by_one(lambda C: model.set_params(alpha=1 / (C * stored.n)).fit(stored.X, y), Cs)


def liblinear_path(
    stored: Stored, y: np.ndarray, Cs: np.ndarray, l1_ratio: float, tol: float
) -> tuple[np.ndarray, np.ndarray]:
    """Each value by itself: its L1 solver takes no start."""
    found = [PEERS["liblinear"].fit(stored, y, float(C), l1_ratio, tol) for C in Cs]
    return np.array([coef for coef, _ in found]), np.array([intercept for _, intercept in found])


def _one_by_one(fit: Callable[[float], Any], Cs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    coefs, intercepts = [], []
    for C in Cs:
        model = fit(float(C))
        coefs.append(np.ravel(model.coef_).copy())
        intercepts.append(float(np.ravel(model.intercept_)[0]))
    return np.array(coefs), np.array(intercepts)


SOLVERS = {
    "onelayer": Solver("onelayer", onelayer_path, PEERS["onelayer"].store, (1e-2, 1e-4, 1e-6, 1e-8)),
    "skglm": Solver("skglm", skglm_path, by_columns, (1e-3, 1e-4, 1e-6, 1e-8)),
    "glmnet": Solver("glmnet", glmnet_path, by_columns, (1e-3, 1e-5, 1e-7, 1e-9)),
    "adelie": Solver("adelie", adelie_path, adelie_matrix, (1e-3, 1e-5, 1e-7, 1e-9)),
    "liblinear": Solver("liblinear", liblinear_path, PEERS["liblinear"].store, (1e-1, 1e-2, 1e-3)),
    "celer": Solver("celer", celer_path, by_columns, (1e-3, 1e-5, 1e-7, 1e-9), intercept=False),
    "skglm without intercept": Solver(
        "skglm", partial(skglm_path, fit_intercept=False), by_columns, (1e-4, 1e-6, 1e-8), intercept=False
    ),
}


def values(X: Any, y: np.ndarray) -> np.ndarray:
    """From the least C at which a weight is not 0: where the largest slope of the loss is the penalty's, 1."""
    residual = y - y.mean()  # of the intercept alone
    least = 1 / np.abs(X.T @ residual).max()
    return np.geomspace(least, SPAN * least, VALUES)


def measure(name: str, solver_name: str, out: Path) -> None:
    workload, solver = WORKLOADS[name], SOLVERS[solver_name]
    X, y = workload.load()
    small_X, small_y = workload.rehearsal(1)
    small = Stored(solver.store(small_X, small_y), *small_X.shape)
    solver.path(small, small_y, values(small_X, small_y)[:20], 1.0, 1e-2)  # imports and compilation
    stored, Cs = Stored(solver.store(X, y), *X.shape), values(X, y)
    for tol in solver.tolerances:
        taken, (coefs, intercepts) = seconds_of(lambda tol=tol: solver.path(stored, y, Cs, 1.0, tol))
        times = [taken]
        while len(times) < REPEATS and sum(times) < 20:
            times.append(seconds_of(lambda tol=tol: solver.path(stored, y, Cs, 1.0, tol))[0])
        found = [objective(X, y, w, b, C, 1.0)[0] for w, b, C in zip(coefs, intercepts, Cs, strict=True)]
        line = {
            "workload": name,
            "peer": solver_name,
            "version": PEERS[solver.peer].version if solver.peer in PEERS else None,
            "tol": tol,
            "intercept": solver.intercept,
            "cores": os.cpu_count(),
            "data_bytes": data_bytes(X),
            "seconds": times,
            "last_support": int(np.count_nonzero(coefs[-1])),
            "objectives": found,
        }
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(f"{name:11} {solver_name:24} tol {tol:7.0e} {statistics.median(times):8.2f} s", flush=True)
        if taken > MINUTE:
            break


def table(path: Path) -> str:
    """Markdown: seconds and the largest and the median gap along the path, for each solver and tolerance."""
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    groups = defaultdict(list)
    for line in {(line["workload"], line["peer"], line["tol"]): line for line in lines}.values():
        groups[line["workload"], line["intercept"]].append(line)
    rows = [
        "| set | solver | tol | path, s | largest gap | median gap | weights at the end |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for (workload, intercept), group in groups.items():
        least = np.min([line["objectives"] for line in group], axis=0)
        title = WORKLOADS[workload].title.split(", ")[-1] + ("" if intercept else ", no intercept")
        for line in sorted(group, key=lambda line: statistics.median(line["seconds"])):
            gaps = (np.array(line["objectives"]) - least) / least
            rows.append(
                f"| {title} | {line['peer']} | {line['tol']:.0e} | {statistics.median(line['seconds']):.2f} "
                f"| {gaps.max():.1e} | {np.median(gaps):.1e} | {line['last_support']} |"
            )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; else all")
    parser.add_argument("--peers", nargs="+", choices=[*SOLVERS], default=[*SOLVERS], metavar="PEER")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    if asked.table:
        print(table(asked.out))
        return
    warnings.simplefilter("ignore")
    for name in asked.sets or SETS:
        if not WORKLOADS[name].available:
            print(f"{name} is left out: {WORKLOADS[name].needs} is not there; set ONELAYER_DATA to its folder")
            continue
        for solver in asked.peers:
            try:
                measure(name, solver, asked.out)
            except (ImportError, NotImplementedError) as error:
                print(f"{solver} is left out: {error}")


if __name__ == "__main__":
    main()
