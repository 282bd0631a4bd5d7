"""Time to a relative gap of 1e-6: onelayer beside scikit-learn, each at its loosest tolerance that gets there.

``python benchmarks/fits.py [WORKLOAD…]`` prints one table. A pass is the time of ``X @ w`` on the same data; the whole of
``fit`` is timed; the gap is measured against the best of all optima, on the one objective, in double precision.
"""

import statistics
import sys
import time
import warnings

import numpy as np
from scipy.special import expit
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression

from onelayer import PerceptronClassifier
from onelayer.losses import cross_entropy, log_loss

GAP = 1e-6
REPEATS = 5
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10)


def dense(n, d, dtype="float64", seed=11):
    """Gaussian columns, every pair correlated by a half; labels from a planted neuron."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d), dtype="float32").astype(dtype)
    X += rng.standard_normal((n, 1)).astype(dtype)
    X *= np.sqrt(0.5)
    w = 2 * rng.standard_normal(d) / np.sqrt(d)
    return X, (rng.random(n) < expit(X @ w - 0.7)).astype(int)


def classes(n, d, k, seed=11):
    """k classes from a planted softmax."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    z = X @ (1.5 * rng.standard_normal((d, k)) / np.sqrt(d))
    return X, (z + rng.gumbel(size=z.shape)).argmax(axis=1)


def scaled(load):
    X, y = load(return_X_y=True)
    return X / np.abs(X).max(axis=0).clip(1e-9), y


WORKLOADS = {
    "dense 1e6 x 50": lambda: dense(1_000_000, 50),
    "the same in float32": lambda: dense(1_000_000, 50, "float32"),
    "dense 2e4 x 1000": lambda: dense(20_000, 1000),
    "softmax 2e5 x 50 x 10": lambda: classes(200_000, 50, 10),
    "digits": lambda: scaled(load_digits),
    "breast cancer": lambda: scaled(load_breast_cancer),
    "1000 x 20": lambda: dense(1000, 20),
}


def objective(model, X, y):
    """C · Σ loss + ‖w‖² / 2 at C = 1, in blocks of rows in double precision."""
    total = float((model.coef_.astype(float) ** 2).sum() / 2)
    for rows in np.array_split(np.arange(len(y)), max(1, X.size // 10_000_000)):
        z = X[rows].astype(float) @ model.coef_.T.astype(float) + model.intercept_
        total += float((log_loss(z[:, 0], y[rows]) if z.shape[1] == 1 else cross_entropy(z, y[rows])).sum())
    return total


def fitted(make, X, y):
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        model = make().fit(X, y)
        times.append(time.perf_counter() - start)
        if sum(times) > 30:
            break
    return objective(model, X, y), statistics.median(times)


def compare(name, X, y):
    best = objective(PerceptronClassifier(tol=1e-12).fit(X.astype(float), y), X, y)
    k = len(np.unique(y))
    w = np.ones((X.shape[1], k if k > 2 else 1), X.dtype)
    passes = []
    for _ in range(15):
        start = time.perf_counter()
        X @ w
        passes.append(time.perf_counter() - start)
    one_pass = statistics.median(passes)
    contenders = {"onelayer": lambda tol: PerceptronClassifier()}
    for solver in ("lbfgs", "newton-cholesky", "newton-cg"):
        contenders[solver] = lambda tol, solver=solver: LogisticRegression(solver=solver, tol=tol, max_iter=10_000)
    for contender, make in contenders.items():
        for tol in TOLERANCES:
            value, seconds = fitted(lambda make=make, tol=tol: make(tol), X, y)
            gap = (value - best) / best
            if gap <= GAP or contender == "onelayer" or seconds > 30:
                break
        figures = f"{1e3 * seconds:10.1f} ms {seconds / one_pass:9.1f} passes  gap {gap:8.1e}"
        print(f"{name:24} {contender:16} {figures}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or WORKLOADS:
        compare(name, *WORKLOADS[name]())
