"""Prediction: one row through the estimator, and a million rows × 50 against ``X @ w``, with its peak of memory.

``python benchmarks/predict.py``, beside scikit-learn; medians, the runs of all interleaved.
"""

import statistics
import subprocess
import sys
import time
from functools import partial

import numpy as np
from fits import SETTLE
from sklearn.linear_model import LogisticRegression
from workloads import WORKLOADS, dense

from onelayer import PerceptronClassifier

METHODS = ("decision_function", "predict_proba", "predict")
TARGET_ROW, TARGET_ROWS = 25.0, 1.3  # microseconds; times X @ w

# What a process holds at most beyond the data while it predicts them, in bytes for a row. VmHWM is Linux's.
MEMORY = """
import sys, numpy as np
from pathlib import Path
from workloads import WORKLOADS, dense
from onelayer import PerceptronClassifier
def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
model = PerceptronClassifier().fit(*dense(5000, 50, 2))
getattr(model, sys.argv[1])(dense(5000, 50, 2)[0])
X, y = WORKLOADS["tall"].load()
held = peak()
getattr(model, sys.argv[1])(X)
print((peak() - held) / len(X))
"""


def median_seconds(runs, repeats, inner=1, pause=0.0):
    """Medians of each run, taken in turns with a pause between them."""
    times = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            time.sleep(pause)
            start = time.perf_counter()
            for _ in range(inner):
                run()
            times[name].append((time.perf_counter() - start) / inner)
    return {name: statistics.median(values) for name, values in times.items()}


def one_row():
    X, y = dense(5000, 50, 2)
    models = {"onelayer": PerceptronClassifier().fit(X, y), "scikit-learn": LogisticRegression().fit(X, y)}
    row = X[:1].copy()
    for method in METHODS:
        runs = {name: partial(getattr(model, method), row) for name, model in models.items()}
        for name, seconds in median_seconds(runs, 21, 200).items():
            target = f", target {TARGET_ROW:.0f}" if name == "onelayer" else ""
            print(f"one row, {method:18} {name:13} {1e6 * seconds:7.1f} µs{target}")


def many_rows():
    X, y = WORKLOADS["tall"].load()
    models = {
        "onelayer": PerceptronClassifier().fit(X[:5000], y[:5000]),
        "scikit-learn": LogisticRegression().fit(X[:5000], y[:5000]),
    }
    w = models["onelayer"].coef_[0].copy()
    for method in METHODS:
        runs = {name: partial(getattr(model, method), X) for name, model in models.items()}
        medians = median_seconds({"X @ w": lambda: X @ w, **runs}, 9, pause=SETTLE)
        for name in models:
            target = f", target {TARGET_ROWS}" if name == "onelayer" else ""
            ratio = medians[name] / medians["X @ w"]
            print(f"1e6 × 50, {method:18} {name:13} {1e3 * medians[name]:7.1f} ms, {ratio:.2f} × X @ w{target}")


def memory():
    result = np.dtype(float).itemsize
    for method in METHODS:
        command = [sys.executable, "-c", MEMORY, method]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=sys.path[0])
        print(f"1e6 × 50, {method:18} onelayer      {float(done.stdout):7.1f} bytes a row at most ({result} a number)")


if __name__ == "__main__":
    one_row()
    many_rows()
    memory()
