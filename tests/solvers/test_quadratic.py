"""The minimum of a squared error, against NumPy's least squares: to the last digits, whatever the shape."""

import numpy as np
import pytest

from onelayer.objective.layer import Objective
from onelayer.objective.losses import IDENTITY
from onelayer.rows.sources import Rows
from onelayer.solvers import Watch, quadratic


def ridge(X, y, penalty):
    """By QR of the rows with the penalty's own below them: no product of rows loses digits."""
    n, d = X.shape
    A = np.block([[X / np.sqrt(n), np.ones((n, 1)) / np.sqrt(n)], [np.sqrt(penalty) * np.eye(d), np.zeros((d, 1))]])
    return np.linalg.lstsq(A, np.append(y / np.sqrt(n), np.zeros(d)), rcond=None)[0]


@pytest.mark.parametrize(("n", "d"), [(400, 5), (3_000, 600), (40, 300), (700, 2_000)])
def test_to_the_last_digits(n, d):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, d))
    y = X[:, 0] + rng.standard_normal(n)
    objective = Objective(Rows(X, y), IDENTITY, 1, np.full(d, 0.01), float(n))
    outcome = quadratic(objective, np.zeros((1, d + 1)), tol=1e-12, max_iter=100, watch=Watch())
    assert outcome.converged
    np.testing.assert_allclose(outcome.point.u[0], ridge(X, y, 0.01), rtol=1e-6, atol=1e-7)


def test_steps_from_gradients_win_back_what_the_hessian_loses():
    """Of a condition of 1e6 its square leaves four digits to a Hessian, and ten to the rows."""
    rng = np.random.default_rng(0)
    turns = [np.linalg.qr(rng.standard_normal((size, 8)))[0] for size in (500, 8)]
    X = 20 * turns[0] * np.geomspace(1, 1e-6, 8) @ turns[1].T
    y = rng.standard_normal(500)
    objective = Objective(Rows(X, y), IDENTITY, 1, np.zeros(8), 500.0)
    outcome = quadratic(objective, np.zeros((1, 9)), tol=1e-14, max_iter=100, watch=Watch())
    truth = ridge(X, y, 0.0)
    assert np.linalg.norm(outcome.point.u[0] - truth) <= 1e-8 * np.linalg.norm(truth)


def test_a_stop_is_obeyed():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((50, 3)), rng.standard_normal(50)
    objective = Objective(Rows(X, y), IDENTITY, 1, np.full(3, 0.1), 50.0)
    watch = Watch(lambda point: True)
    quadratic(objective, np.zeros((1, 4)), tol=1e-12, max_iter=100, watch=watch)
    assert watch.points == 1
