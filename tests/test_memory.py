"""What a fit holds beside the rows: little where they are wide, and with an L1 penalty one working set at a time."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model  # noqa: F401 - what a fit imports is not of the rows

from onelayer.training import train


def peak_of(f):
    tracemalloc.start()
    found = f()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak


@pytest.mark.parametrize(
    ("n", "d", "settings", "most"),
    [
        (200, 14_000, {}, 0.2),
        (4_000, 1_500, {"C": 0.02, "l1_ratio": 1.0}, 0.3),
        (16_000, 600, {"C": 0.02, "l1_ratio": 1.0}, 0.3),
    ],
)
def test_a_fit_holds_little_beside_the_rows(n, d, settings, most):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = X[:, :5].sum(axis=1) + rng.logistic(size=n) > 0
    train(X[:60], y[:60], **settings)  # nor what else is imported on the way
    found, peak = peak_of(lambda: train(X, y, **settings))
    assert found.converged
    assert found.weights[0, :-1].any()
    assert peak < most * X.nbytes, f"{peak / X.nbytes:.2f} times the data"


def test_a_fit_of_sparse_rows_holds_little_beside_them():
    rng = np.random.default_rng(0)
    n, each = 100_000, 60
    entries, columns = rng.random(n * each), rng.integers(0, 2_000, n * each).astype(np.int32)
    X = sp.csr_matrix((entries, columns, np.arange(0, n * each + 1, each)), shape=(n, 2_000))
    y = np.asarray(X[:, :50].sum(axis=1))[:, 0] + 0.3 * rng.logistic(size=n) > 0.75
    train(X[:60], y[:60])
    found, peak = peak_of(lambda: train(X, y))
    size = X.data.nbytes + X.indices.nbytes
    assert found.converged
    assert peak < 0.2 * size, f"{peak / size:.2f} times the data"
