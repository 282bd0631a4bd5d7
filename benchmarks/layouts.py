"""Rows that lie column by column, as a data frame's do, beside the same row by row: ``python benchmarks/layouts.py``.

A fit and a prediction of each, in turns, medians; and scikit-learn's fit of what lies by column, once.
"""

import statistics
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
from fits import SETTLE
from sklearn.linear_model import LogisticRegression
from workloads import dense

from onelayer import PerceptronClassifier

SHAPES = ((1_000_000, 20), (1_000_000, 50), (20_000, 1_000), (2_000, 5_000))
ROUNDS = 7


def by_column(X):
    """The frames are made of columns, as those of a file are."""
    columns = {f"x{i}": column.copy() for i, column in enumerate(X.T)}
    return {"by column": np.asfortranarray(X), "pandas": pd.DataFrame(columns), "polars": pl.DataFrame(columns)}


def seconds_of(run):
    time.sleep(SETTLE)
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main():
    warnings.simplefilter("ignore")
    for n, d in SHAPES:
        X, y = dense(n, d, 4)
        layouts = {"by row": X, **by_column(X)}
        models = {name: PerceptronClassifier().fit(rows, y) for name, rows in layouts.items()}
        taken = {name: ([], []) for name in layouts}
        for _ in range(ROUNDS):
            for name, rows in layouts.items():
                taken[name][0].append(seconds_of(partial(models[name].fit, rows, y)))
                taken[name][1].append(seconds_of(partial(models[name].predict, rows)))
        first = [statistics.median(seconds) for seconds in taken["by row"]]
        for name, seconds in taken.items():
            fit, predict = (statistics.median(times) for times in seconds)
            ratios = f"{fit / first[0]:5.2f} and {predict / first[1]:5.2f} of it by row"
            print(
                f"{n:,} × {d:,}  {name:10} fit {1e3 * fit:8.1f} ms, predict {1e3 * predict:7.1f} ms: {ratios}",
                flush=True,
            )
        theirs = seconds_of(partial(LogisticRegression().fit, layouts["by column"], y))
        print(f"{n:,} × {d:,}  by column  scikit-learn's LogisticRegression {1e3 * theirs:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
