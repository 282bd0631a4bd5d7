"""Rows that lie column by column, as a data frame's do, and whole numbers, beside doubles row by row.

``python benchmarks/layouts.py``: a fit and a prediction of each, in turns, medians; what a fit holds beside the rows;
and scikit-learn's fit, once. Whole numbers are the cells, times 16 and rounded, with a C that makes the problem the
same. A line of JSON is appended to ``layouts.jsonl`` for each; ``table.py`` tells of them.
"""

import json
import statistics
import time
import tracemalloc
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from fits import SETTLE
from sklearn.linear_model import LogisticRegression
from workloads import dense

from onelayer import PerceptronClassifier

SHAPES = ((1_000_000, 20), (1_000_000, 50), (20_000, 1_000), (2_000, 5_000))
ROUNDS = 7
UNIT = 16  # of whole numbers
RESULTS = Path(__file__).parent / "layouts.jsonl"


def by_column(X):
    """The frames are made of columns, as those of a file are."""
    columns = {f"x{i}": column.copy() for i, column in enumerate(X.T)}
    return {"by column": np.asfortranarray(X), "pandas": pd.DataFrame(columns), "polars": pl.DataFrame(columns)}


def whole(X):
    numbers = np.clip(np.round(UNIT * X), -128, 127)
    return {"8 bits": numbers.astype(np.int8), "32 bits": numbers.astype(np.int32), "64 bits": numbers.astype(np.int64)}


def bytes_beside(run):
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def seconds_of(run):
    time.sleep(SETTLE)
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def table(path):
    """Markdown: the latest of each shape and layout."""
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    latest = {(line["shape"], line["layout"]): line for line in lines}
    rows = [
        "| rows | as they are | fit, ms | beside them, MB | predict, ms | scikit-learn's fit, ms |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for (shape, layout), line in latest.items():
        cells = (f"{line[name]:,.0f}" for name in ("fit", "beside", "predict", "theirs"))
        rows.append(f"| {shape} | {layout} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main():
    warnings.simplefilter("ignore")
    for n, d in SHAPES:
        X, y = dense(n, d, 4)
        layouts = {"by row": X, **by_column(X), **whole(X)}
        C = {name: UNIT**-2 if name.endswith("bits") else 1.0 for name in layouts}
        models = {name: PerceptronClassifier(C=C[name]).fit(rows, y) for name, rows in layouts.items()}
        taken = {name: ([], []) for name in layouts}
        for _ in range(ROUNDS):
            for name, rows in layouts.items():
                taken[name][0].append(seconds_of(partial(models[name].fit, rows, y)))
                taken[name][1].append(seconds_of(partial(models[name].predict, rows)))
        for name, times in taken.items():
            fit, predict = (1e3 * statistics.median(seconds) for seconds in times)
            theirs = 1e3 * seconds_of(partial(LogisticRegression(C=C[name]).fit, layouts[name], y))
            beside = bytes_beside(partial(models[name].fit, layouts[name], y)) / 1e6
            line = {"shape": f"{n:,} × {d:,}", "layout": name, "fit": fit, "beside": beside, "predict": predict}
            line |= {"theirs": theirs}
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print("  ".join(f"{part:.1f}" if isinstance(part, float) else part for part in line.values()), flush=True)


if __name__ == "__main__":
    main()
