"""What a fit holds beside the rows: little where they are wide, and with an L1 penalty one working set at a time."""

import tracemalloc

import numpy as np
import pytest

from onelayer.training import train


@pytest.mark.parametrize(
    ("n", "d", "settings", "most"), [(200, 14_000, {}, 0.6), (4_000, 1_500, {"C": 0.02, "l1_ratio": 1.0}, 0.4)]
)
def test_a_fit_holds_little_beside_the_rows(n, d, settings, most):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = X[:, :5].sum(axis=1) + rng.logistic(size=n) > 0
    train(X[:60], y[:60], **settings)  # what is imported on the way is not of the fit
    tracemalloc.start()
    found = train(X, y, **settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.converged
    assert found.weights[0, :-1].any()
    assert peak < most * X.nbytes, f"{peak / X.nbytes:.2f} times the data"
