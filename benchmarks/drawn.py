"""Problems nobody chose, ours beside others' solvers: ``python benchmarks/drawn.py [--l1] [--count N] [--seed S]``.

Drawn at random are the kind of columns, how many rows, columns and classes there are, and C, so that a regime in which
another solver is better has nowhere to hide. Each solver is at its loosest tolerance that reaches a relative gap of
1e-6, counted from our fit to 1e-10; medians of fits in turns, quick ones right after one that is not timed. Others are
scikit-learn's solvers; with ``--l1``, an L1 penalty and two classes, compiled coordinate descent, whose rows are put
into its own storage before the clock starts.
A line of JSON is appended to ``drawn.jsonl`` for each problem; ``table.py`` tells of them all.
"""

import argparse
import json
import math
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from fits import SETTLE, objective, seconds_of
from peers import PEERS

RESULTS = Path(__file__).parent / "drawn.jsonl"
OURS = "onelayer"
CELLS = 2e7  # at most, also of sparse rows
GAP = 1e-6
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
DESCENDING = ("liblinear", "skglm")  # one weight at a time; glmnet did not return from one problem in 18 minutes
L1_TOLERANCES = (1e-1, *TOLERANCES, 1e-8, 1e-9)
L1_CELLS = 3e6
FACTORED = 1500  # weights up to which newton-cholesky is asked
PATIENCE = 20.0  # seconds, after which a solver is not asked for more digits
ENOUGH, LEAST = 30, 1.0  # times ours, and seconds, after which that is so with an L1 penalty
REPEATS, QUICK = 5, 0.2  # fits of less than so many seconds; others are fitted once
LEVELS = 8  # columns with levels

Rng = np.random.Generator


def _decaying(rng: Rng, n: int, d: int) -> np.ndarray:
    d = min(d, 1500)
    turns = [np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2)]
    return rng.standard_normal((n, d)) @ (turns[0] * np.geomspace(1, 1e-3, d)) @ turns[1]


def _sparse(rng: Rng, n: int, d: int) -> Any:
    density = 10 ** rng.uniform(-2.5, -0.5)
    X = sp.random(n, d, density, format="csr", random_state=rng)
    X.data = rng.exponential(1, X.nnz)
    return X


def _levels(rng: Rng, n: int, d: int) -> Any:
    """One-hot columns of a few categories, most of whose levels are rare."""
    categories = min(LEVELS, d)
    many = max(1, d // categories)
    rows, ones = np.arange(n), np.ones(n)
    each = [np.minimum(rng.zipf(1.5, n) - 1, many - 1) for _ in range(categories)]
    return sp.hstack([sp.csr_matrix((ones, (rows, levels)), shape=(n, many)) for levels in each]).tocsr()


KINDS: dict[str, Callable[[Rng, int, int], Any]] = {
    "independent": lambda rng, n, d: rng.standard_normal((n, d)),
    "equally correlated": lambda rng, n, d: rng.standard_normal((n, d)) + rng.standard_normal((n, 1)),
    "few factors": lambda rng, n, d: (
        0.3 * rng.standard_normal((n, d)) + rng.standard_normal((n, 8)) @ rng.standard_normal((8, d))
    ),
    "decaying spectrum": _decaying,
    "heavy tails": lambda rng, n, d: rng.standard_t(2.5, (n, d)),
    "counts": lambda rng, n, d: rng.poisson(np.exp(rng.normal(-1, 1, d)), (n, d)).astype(float),
    "sparse": _sparse,
    "levels": _levels,
}


class Problem(NamedTuple):
    """What is to be fitted."""

    kind: str
    classes: int
    C: float
    X: Any
    y: np.ndarray
    l1_ratio: float = 0.0


def draw(rng: Rng, cells: float = CELLS) -> Problem:
    """A problem with every class in three rows or more; labels are drawn from a planted softmax."""
    while True:
        kind, classes = str(rng.choice(list(KINDS))), int(rng.choice([2, 2, 3, 8]))
        n, d = int(10 ** rng.uniform(1.7, 4.9)), int(10 ** rng.uniform(0.5, 3.6))
        n = max(50, min(n, int(cells / d)))
        X, C = KINDS[kind](rng, n, d), float(10 ** rng.uniform(-2, 3))
        d = X.shape[1]
        dense = isinstance(X, np.ndarray)
        scaled = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-12) if dense else X
        length = math.sqrt(d if dense else max(1.0, float(X.multiply(X).sum()) / n))  # of a row
        logits = scaled @ (2 * rng.standard_normal((d, classes)) / length)
        y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
        if np.bincount(y, minlength=classes).min() >= 3:
            return Problem(kind, classes, C, X, y)


def draw_l1(rng: Rng, cells: float = L1_CELLS) -> Problem:
    """A problem in two classes with an L1 penalty, C being 1.6 to 500 times the least at which a weight is not 0."""
    while True:
        kind, classes, _, X, labels, _ = draw(rng, cells)
        y = (labels >= classes // 2).astype(np.int64)
        steepest = float(np.abs(X.T @ (y - y.mean())).max())
        if steepest > 1e-9 * np.abs(X).max():
            return Problem(kind, 2, float(10 ** rng.uniform(0.2, 2.7)) / steepest, X, y, 1.0)


def solvers(problem: Problem) -> dict[str, Callable[[float], Any]]:
    """Ours and those of others that may be the quickest: functions of a tolerance, to coefficients and intercepts."""
    weights = problem.X.shape[1] * (1 if problem.classes == 2 else problem.classes)
    others = ("lbfgs", "newton-cg", *(["newton-cholesky"] if weights <= FACTORED else []))
    return {
        name: partial(PEERS[name].fit, PEERS[name].stored(problem.X, problem.y), problem.y, problem.C, problem.l1_ratio)
        for name in (OURS, *(DESCENDING if problem.l1_ratio else others))
    }


def settled(fit: Callable[[], Any]) -> float:
    """Seconds that a fit takes after another of its own, once the threads of the solver before it spin no more."""
    time.sleep(SETTLE)
    seconds = seconds_of(fit)[0]
    return seconds_of(fit)[0] if seconds < QUICK else seconds


def compare(problem: Problem) -> dict[str, float]:
    """Milliseconds to the gap, ours and those of each solver that reaches it."""

    def value(coef: Any, intercept: Any) -> float:
        return objective(problem.X, problem.y, coef, intercept, problem.C, problem.l1_ratio)[0]

    asked = solvers(problem)
    ours = asked.pop(OURS)
    enough = value(*ours(1e-10)) * (1 + GAP)
    seconds, weights = seconds_of(partial(ours, GAP))
    fits: dict[str, Callable[[], Any]] = {OURS: partial(ours, GAP)} if value(*weights) <= enough else {}
    patience = max(LEAST, ENOUGH * seconds) if problem.l1_ratio else PATIENCE
    for name, fit in asked.items():
        spent = 0.0
        for tol in L1_TOLERANCES if problem.l1_ratio else TOLERANCES:
            seconds, weights = seconds_of(partial(fit, tol))
            spent += seconds
            if value(*weights) <= enough:
                fits[name] = partial(fit, tol)
                break
            if spent > patience:
                break
    taken: dict[str, list[float]] = {name: [settled(fit)] for name, fit in fits.items()}
    for _ in range(REPEATS - 1):
        for name, fit in fits.items():
            if taken[name][0] < QUICK:
                taken[name].append(settled(fit))
    return {name: 1e3 * statistics.median(times) for name, times in taken.items()}


def ratio(milliseconds: dict[str, float]) -> float:
    """Our time over that of the best other solver; infinite where we do not reach the gap."""
    if OURS not in milliseconds:
        return math.inf
    return milliseconds[OURS] / min((taken for name, taken in milliseconds.items() if name != OURS), default=math.inf)


def table(path: Path, l1_ratio: float = 0.0) -> str:
    """Markdown: of each kind of columns, our time over the best other's."""
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line.get("l1_ratio", 0.0) == l1_ratio]
    latest = {(line["seed"], line["number"]): line for line in lines}.values()
    rows = [
        "| columns | problems | median | quickest | slowest | that one |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for kind in [*KINDS, "all"]:
        of_kind = [line for line in latest if kind in (line["kind"], "all")]
        if not of_kind:
            continue
        ratios = [ratio(line["milliseconds"]) for line in of_kind]
        worst = of_kind[int(np.argmax(ratios))]
        three = statistics.median(ratios), min(ratios), max(ratios)
        found = " | ".join(f"{value:.2f}" if value > 0 else "no other" for value in three)  # none arrived
        others = {name: taken for name, taken in worst["milliseconds"].items() if name != OURS}
        rows.append(
            f"| {kind} | {len(of_kind)} | {found} | {worst['n']:,} × {worst['d']:,}, {worst['classes']} classes, "
            f"C = {worst['C']:.2g}: {worst['milliseconds'].get(OURS, math.inf):,.1f} ms, "
            f"{min(others, key=others.__getitem__)} {min(others.values()):,.1f} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--l1", action="store_true", help="an L1 penalty, two classes")
    parser.add_argument("--count", type=int, default=100, help="how many problems are drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="the number of the first")
    options = parser.parse_args()
    draw_one = draw_l1 if options.l1 else draw
    warnings.simplefilter("ignore")
    for small in range(8):  # imports, threads, what is compiled at first use
        compare(draw_one(np.random.default_rng([0, small]), 1e4))
    for number in range(options.start, options.start + options.count):
        problem = draw_one(np.random.default_rng([options.seed, number]))
        n, d = problem.X.shape
        line = {"seed": options.seed, "number": number, "kind": problem.kind, "n": n, "d": d}
        line |= {"classes": problem.classes, "C": problem.C, "l1_ratio": problem.l1_ratio}
        line |= {"milliseconds": compare(problem)}
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        words = "  ".join(f"{name} {taken:.1f} ms" for name, taken in line["milliseconds"].items())
        print(
            f"{number:3} {problem.kind:18} {n:6} × {d:<5} {problem.classes} classes, C = {problem.C:<8.3g} {words}",
            flush=True,
        )


if __name__ == "__main__":
    main()
