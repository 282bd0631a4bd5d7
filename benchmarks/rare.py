"""A class that gets rarer and rarer, beside scikit-learn's quickest solvers: ``python benchmarks/rare.py``.

A million rows of twenty columns; each solver at the loosest tolerance that reaches a relative gap of 1e-6 of our fit to
1e-10, medians of fits in turns. A line of JSON is appended to ``rare.jsonl`` for each share; ``table.py`` tells of
them all.
"""

import json
import statistics
from functools import partial
from pathlib import Path

import numpy as np
from drawn import GAP, OURS, TOLERANCES, settled
from fits import objective, seconds_of
from peers import PEERS

RESULTS = Path(__file__).parent / "rare.jsonl"
N, D = 1_000_000, 20
OFFSETS = (0, 4, 6, 8, 10, 12)  # nats, by which the bias is below 0
OTHERS, ROUNDS = ("newton-cholesky", "lbfgs"), 3


def table(path):
    """Markdown: milliseconds of each solver, the latest of each share."""
    lines = {line["share"]: line["milliseconds"] for line in map(json.loads, path.read_text().splitlines())}
    rows = [f"| of the class | {' | '.join((OURS, *OTHERS))} |", "|--:" * (2 + len(OTHERS)) + "|"]
    for share, taken in lines.items():
        cells = (f"{taken[name]:,.0f}" if name in taken else "–" for name in (OURS, *OTHERS))
        rows.append(f"| {100 * share:.3g} % | {' | '.join(cells)} |")
    return "\n".join(rows)


def main():
    rng = np.random.default_rng(4)
    X = rng.standard_normal((N, D))
    logits = X @ rng.standard_normal(D) * (2 / np.sqrt(D))
    for offset in OFFSETS:
        y = (logits - offset + rng.logistic(size=N) > 0).astype(np.int64)
        solve = {name: partial(PEERS[name].fit, PEERS[name].stored(X, y), y, 1.0, 0.0) for name in (OURS, *OTHERS)}

        def value(weights, y=y):
            return objective(X, y, *weights, 1.0, 0.0)[0]

        enough = value(solve[OURS](1e-10)) * (1 + GAP)
        fits = {}
        for name, fit in solve.items():
            tolerances = (GAP,) if name == OURS else TOLERANCES
            tol = next((tol for tol in tolerances if value(seconds_of(partial(fit, tol))[1]) <= enough), None)
            if tol is not None:
                fits[name] = partial(fit, tol)
        taken = {name: [] for name in fits}
        for _ in range(ROUNDS):
            for name, fit in fits.items():
                taken[name].append(settled(fit))
        milliseconds = {name: 1e3 * statistics.median(times) for name, times in taken.items()}
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"share": y.mean(), "milliseconds": milliseconds}) + "\n")
        words = "  ".join(f"{name} {time:.0f} ms" for name, time in milliseconds.items())
        print(f"{100 * y.mean():7.4f} % of {N:,} rows: {words}", flush=True)


if __name__ == "__main__":
    main()
