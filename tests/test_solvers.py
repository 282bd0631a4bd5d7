"""Solvers: no scale of a column stops them, and the gap they report is never less than half of the truth."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from onelayer.solvers.newton import solve_symmetric
from onelayer.training import train


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
def test_the_reported_gap_is_at_least_half_the_true_one(load, C):
    X, y = load(return_X_y=True)
    best = train(X, y, C=C, tol=1e-13, max_iter=500)
    optimum = best.history[-1].cost
    assert best.converged
    for solver in ("newton", "gd"):
        for max_iter in (0, 1, 2, 4, 8):
            fit = train(X, y, C=C, tol=0, max_iter=max_iter, solver=solver)
            assert fit.optimality_gap >= 0.5 * (fit.history[-1].cost - optimum) / optimum - 1e-12


@pytest.mark.parametrize(("factor", "shift"), [(1e8, 0), (1e-8, 0), (1, 1e6)])
@pytest.mark.parametrize("n", [500, 60_000])
def test_newton_reaches_a_gap_of_1e_10_on_columns_of_any_scale(factor, shift, n):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 40))
    y = X[:, 0] + rng.logistic(size=n) > 0
    X[:, 1] = X[:, 1] * factor + shift
    fit = train(X, y, C=10.0, tol=1e-10)
    assert fit.converged
    assert fit.optimality_gap <= 1e-10
    assert fit.history[-1].rows == n


def test_a_singular_system_gets_its_shortest_solution():
    H = np.array([[1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(solve_symmetric(H, np.array([2.0, 2.0])), [1.0, 1.0])


def test_interruption_keeps_the_best_so_far():
    X, y = load_breast_cancer(return_X_y=True)
    seen = []

    def interrupt(entry):
        seen.append(entry)
        if len(seen) == 4:
            raise KeyboardInterrupt

    fit = train(X, y, callbacks=[interrupt])
    assert not fit.converged
    assert fit.history[-1].cost == min(entry.cost for entry in fit.history)
    assert "interrupted" in fit.notices[0]
