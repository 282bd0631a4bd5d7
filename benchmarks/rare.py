"""Rows of which few know of the optimum, beside scikit-learn's quickest solvers: ``python benchmarks/rare.py``.

A million rows of twenty columns: of a class that gets rarer and rarer, with long tails, with rare levels, of four
classes with a rare one. Each solver is at the loosest tolerance that reaches a relative gap of 1e-6 of our fit to
1e-10; medians of fits in turns. A line of JSON is appended to ``rare.jsonl`` for each; ``table.py`` tells of them all.
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
OTHERS, ROUNDS, PATIENCE = ("newton-cholesky", "lbfgs"), 3, 8.0


def table(path):
    """Markdown: milliseconds of each solver, the latest of each."""
    lines = {line["rows"]: line["milliseconds"] for line in map(json.loads, path.read_text().splitlines())}
    rows = [f"| rows | {' | '.join((OURS, *OTHERS))} |", "|---|" + "--:|" * (1 + len(OTHERS))]
    for name, taken in lines.items():
        cells = (f"{taken[peer]:,.0f}" if peer in taken else "–" for peer in (OURS, *OTHERS))
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def problems():
    """What they are called, the rows and their labels."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((N, D))
    logits = X @ rng.standard_normal(D) * (2 / np.sqrt(D))
    for offset in OFFSETS:
        y = logits - offset + rng.logistic(size=N) > 0
        yield f"{100 * y.mean():.3g} % of the class", X, y
    y, half = X[:, 0] + rng.logistic(size=N) > 0, D // 2
    yield "long tails: ten columns exp(2 z)", np.hstack([X[:, :half], np.exp(2 * X[:, half:])]), y
    levels = (rng.random((N, D - half)) < 10 ** rng.uniform(-4, -1, D - half)).astype(float)
    y = X[:, 0] + 0.3 * levels.sum(axis=1) + rng.logistic(size=N) > 0
    yield "ten columns of rare levels", np.hstack([X[:, :half], levels]), y
    y = (X @ rng.standard_normal((D, 4)) + [0, 0, 0, -8] + rng.gumbel(size=(N, 4))).argmax(axis=1)
    yield f"four classes, {100 * (y == 3).mean():.2g} % of one", X, y


def main():
    for name, X, labels in problems():
        y = labels.astype(np.int64)
        solve = {peer: partial(PEERS[peer].fit, PEERS[peer].stored(X, y), y, 1.0, 0.0) for peer in (OURS, *OTHERS)}

        def value(weights, X=X, y=y):
            return objective(X, y, *weights, 1.0, 0.0)[0]

        enough = value(solve[OURS](1e-10)) * (1 + GAP)
        fits = {}
        for peer, fit in solve.items():
            for tol in (GAP,) if peer == OURS else TOLERANCES:
                seconds, weights = seconds_of(partial(fit, tol))
                if value(weights) <= enough:
                    fits[peer] = partial(fit, tol)
                if peer in fits or seconds > PATIENCE:
                    break
        taken = {peer: [] for peer in fits}
        for _ in range(ROUNDS):
            for peer, fit in fits.items():
                taken[peer].append(settled(fit))
        milliseconds = {peer: 1e3 * statistics.median(times) for peer, times in taken.items()}
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"rows": name, "milliseconds": milliseconds}) + "\n")
        words = "  ".join(f"{peer} {time:.0f} ms" for peer, time in milliseconds.items())
        print(f"{name}: {words}", flush=True)


if __name__ == "__main__":
    main()
