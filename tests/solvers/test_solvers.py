"""Solvers: no scale of a column stops them, and the gap they report is never less than half of the truth."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression

from onelayer.fits.training import train
from onelayer.objective.layer import Objective
from onelayer.objective.losses import cross_entropy, log_loss
from onelayer.objective.product import Product


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


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_more_columns_than_rows_have_scikit_learns_optimum_and_a_bound(classes, C, fit_intercept):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 400)) + 3
    X[30] = X[31]
    y = np.arange(60) % classes
    fit = train(X, y, C=C, fit_intercept=fit_intercept, tol=1e-8)
    theirs = LogisticRegression(C=C, fit_intercept=fit_intercept, solver="newton-cg", tol=1e-10, max_iter=1000).fit(
        X, y
    )
    norms = (fit.weights[:, :-1] ** 2).sum(), (theirs.coef_**2).sum()
    loss = [
        mean_loss(X @ coef.T + bias, y)
        for coef, bias in ((fit.weights[:, :-1], fit.weights[:, -1]), (theirs.coef_, theirs.intercept_))
    ]
    values = [60 * C * a + b / 2 for a, b in zip(loss, norms, strict=True)]
    assert fit.converged
    assert fit.history[-1].rows == 60
    assert values[0] <= values[1] * (1 + 1e-8)
    assert fit.history[-1].cost * 60 * C == pytest.approx(values[0], rel=1e-9)


def mean_loss(z, y):
    return (log_loss(z[:, 0], y) if z.shape[1] == 1 else cross_entropy(z, y)).mean()


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
def test_a_bound_is_one(load):
    X, y = load(return_X_y=True)
    X = X / (np.abs(X).max(axis=0) + 1e-3)
    best = train(X, y, tol=1e-13, max_iter=500).history[-1].cost
    fit = train(X, y, C=1.0)
    assert fit.gap_kind == "bound"
    assert (fit.history[-1].cost - best) / best <= fit.optimality_gap <= 1e-6


@pytest.mark.parametrize("tol", [1e-4, 1e-6])
def test_the_gap_of_rare_levels_is_not_understated(tol):
    rng = np.random.default_rng(1)
    levels = rng.zipf(1.6, 20_000) % 2000
    X = sp.csr_matrix((np.ones(20_000), (np.arange(20_000), levels)), shape=(20_000, 2000))
    y = rng.standard_normal(2000)[levels] * 1.5 + rng.logistic(size=20_000) > 0
    best = train(X, y, tol=1e-12, max_iter=500).history[-1].cost
    fit = train(X, y, tol=tol)
    assert fit.converged
    assert fit.optimality_gap >= 0.5 * (fit.history[-1].cost - best) / best


@pytest.mark.parametrize(("n", "classes"), [(400_000, 2), (80_000, 6)])
def test_all_rows_are_asked_for_gradients_only(n, classes, monkeypatch):
    """Of rows that are nearly all sure few have a curvature; of many classes a Hessian is dear: a sample must do."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, n)
    X = rng.standard_normal((n, 2 if classes == 2 else 12)) + (3.5 if classes == 2 else 0.5) * y[:, None]
    asked = []
    for name in ("evaluate", "hessian", "product"):
        original = getattr(Objective, name)

        def counted(self, *args, _original=original, _name=name, **kwargs):
            asked.append((_name, self.rows.n))
            return _original(self, *args, **kwargs)

        monkeypatch.setattr(Objective, name, counted)
    fit = train(X, y)
    assert fit.converged
    assert {name for name, rows in asked if rows == n} == {"evaluate"}
    assert sum(rows == n for _, rows in asked) <= 4
    monkeypatch.undo()
    best = train(X, y, tol=1e-12).history[-1].cost
    assert (fit.history[-1].cost - best) / best <= 1e-6


@pytest.mark.parametrize("kind", ["decaying", "autoregressive"])
def test_columns_that_nearly_depend_on_one_another_take_no_more_products_than_a_hessian_costs(kind, monkeypatch):
    """Conjugate gradients alone took 2,021 products on the first and 201 on the other."""
    rng = np.random.default_rng(3)
    n, d = 6_000, 600
    X = rng.standard_normal((n, d))
    if kind == "decaying":
        X = (X * np.geomspace(1, 1e-3, d)) @ np.linalg.qr(rng.standard_normal((d, d)))[0]
    else:
        for j in range(1, d):
            X[:, j] = 0.95 * X[:, j - 1] + 0.3 * X[:, j]
    w = 2 * rng.standard_normal(d) / np.sqrt(d) / X.std(axis=0)
    y = X @ w + rng.logistic(size=n) > 0
    counts = {"products": 0, "hessians": 0}
    multiply, form = Product.__call__, Objective.hessian

    def counted_product(self, v):
        counts["products"] += self.objective.rows.n == n  # few rows, at the end, are another matter
        return multiply(self, v)

    def counted_hessian(self, *args, **told):
        counts["hessians"] += self.rows.n == n
        return form(self, *args, **told)

    monkeypatch.setattr(Product, "__call__", counted_product)
    monkeypatch.setattr(Objective, "hessian", counted_hessian)
    fit = train(X, y, C=1e3)
    assert fit.converged
    assert counts["hessians"] in (1, 2)
    assert counts["products"] <= 60
    monkeypatch.undo()
    best = train(X, y, C=1e3, tol=1e-11).history[-1].cost
    assert (fit.history[-1].cost - best) / best <= min(1e-6, 2 * fit.optimality_gap)
