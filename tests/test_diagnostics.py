"""What is noticed of columns: collinear ones are counted, constant ones named, and how far weights may be off."""

import numpy as np
import pytest
import scipy.sparse as sp
import statsmodels.api as sm

from onelayer import PerceptronClassifier
from onelayer.diagnostics import rank, standard_errors
from onelayer.fits.training import train
from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID
from onelayer.rows.sources import Rows

RNG = np.random.default_rng(0)
X = RNG.standard_normal((500, 4))
Y = (X[:, 0] + RNG.logistic(size=500) > 0).astype(int)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_collinear_columns_get_the_shortest_weights_and_a_notice_with_the_rank(storage):
    twice = storage(np.column_stack([X, X[:, 1]]))
    fit = train(twice, Y, C=np.inf)
    once = train(storage(X), Y, C=np.inf)
    assert fit.converged
    assert fit.notices == (
        "columns are collinear, rank 5 of 6 with the bias: of all weights that fit alike, the shortest in scaled "
        "columns are given",
    )
    assert once.notices == ()
    assert fit.history[-1].cost == pytest.approx(once.history[-1].cost, rel=1e-12)
    np.testing.assert_allclose(fit.weights[:, [1, 4]], np.repeat(once.weights[:, [1]] / 2, 2, axis=1), rtol=1e-6)


@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, sp.csr_matrix])
@pytest.mark.parametrize("differ", [0, 1, 40])
def test_of_many_rows_some_say_that_columns_are_not_collinear_and_all_that_they_are(storage, differ, monkeypatch):
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((30_000, 6))
    Z[:, 5] = Z[:, 4]
    Z[np.arange(differ) * 700 + 13, 5] += 1.0  # not in the same distance as rows that are looked at first
    looked, hessian = [], Objective.hessian
    monkeypatch.setattr(
        Objective, "hessian", lambda self, *at, **how: (looked.append(self.rows.n), hessian(self, *at, **how))[1]
    )
    rows = Rows(storage(Z), rng.integers(0, 2, 30_000).astype(float))
    assert rank(Objective(rows, SIGMOID, 1, np.zeros(6), 30_000.0)) == 7 - (differ == 0)
    assert looked[-1] == 30_000
    looked.clear()
    apart = Rows(storage(rng.standard_normal((30_000, 6))), rows.y)
    assert rank(Objective(apart, SIGMOID, 1, np.zeros(6), 30_000.0)) == 7
    assert max(looked) < 100


@pytest.mark.parametrize("constants", [1, 7])
def test_constant_columns_are_none_that_rows_are_factored_for(constants, monkeypatch):
    """They took ten times as long as the fit."""
    monkeypatch.setattr(Objective, "triangle", None)
    rows = Rows(np.column_stack([X, *[np.zeros(500)] * constants]), Y.astype(float))
    assert rank(Objective(rows, SIGMOID, 1, np.zeros(4 + constants), 500.0)) == 5
    assert rank(Objective(rows.with_features(np.zeros((500, 2))), SIGMOID, 1, np.zeros(2), 500.0, bias=False)) == 0


def test_a_constant_column_has_weight_nought_and_is_named():
    fit = train(np.column_stack([X[:, :3], np.full(500, 3.0)]), Y, names=list("abcd"))
    assert fit.weights[0, 3] == 0
    assert fit.notices == ("column 'd' is constant: weight 0",)


def fitted(X, y, **settings):
    model = PerceptronClassifier(tol=1e-14, **settings).fit(X, y)
    return np.column_stack([model.coef_, model.intercept_])


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-6])
def test_standard_errors_are_those_of_statsmodels(storage, scale):
    far = (X + np.array([0, 0, 5, 0])) * scale
    weights = fitted(far, Y, C=np.inf)
    logit = sm.Logit(Y, sm.add_constant(X + np.array([0, 0, 5, 0]))).fit(disp=0, tol=1e-14)
    errors = standard_errors(storage(far), weights)
    np.testing.assert_allclose(errors[0], np.append(logit.bse[1:] / scale, logit.bse[0]), rtol=1e-6)


def test_standard_errors_with_weights_of_rows_are_those_of_rows_repeated():
    times = RNG.integers(0, 4, 500)
    weights = np.array([[0.8, -0.1, 0.3, 0.0, 0.2]])
    repeated = standard_errors(np.repeat(X, times, axis=0), weights, C=3.0)
    np.testing.assert_allclose(standard_errors(X, weights, C=3.0, sample_weight=times), repeated, rtol=1e-10)


def test_standard_errors_without_a_bias():
    weights = np.array([[0.8, -0.1, 0.3, 0.0, 0.0]])
    errors = standard_errors(X, weights, fit_intercept=False)
    p = 1 / (1 + np.exp(-X @ weights[0, :-1]))
    np.testing.assert_allclose(errors[0, :-1] ** 2, np.diag(np.linalg.inv((X.T * p * (1 - p)) @ X)), rtol=1e-10)
    assert errors[0, -1] == 0


def test_a_penalty_is_a_prior():
    """By finite differences of the penalised cost, and without rows that say anything, the prior's own spread."""
    weights = fitted(X, Y, C=0.3)
    A = np.column_stack([X, np.ones(500)])

    def cost(w):
        return np.logaddexp(0, np.where(Y == 1, -1, 1) * (A @ w)).sum() + w[:-1] @ w[:-1] / (2 * 0.3)

    h, n = 1e-3, 5
    E = np.eye(n) * h
    w = weights[0]
    H = np.array(
        [[(cost(w + a + b) - cost(w + a - b) - cost(w - a + b) + cost(w - a - b)) / (4 * h * h) for a in E] for b in E]
    )
    np.testing.assert_allclose(standard_errors(X, weights, C=0.3)[0] ** 2, np.diag(np.linalg.inv(H)), rtol=1e-5)
    nothing = np.column_stack([X, np.zeros(500)])
    assert standard_errors(nothing, np.append(w, 0.0)[None, [0, 1, 2, 3, 5, 4]], C=4.0)[0, 4] == pytest.approx(2.0)


def test_standard_errors_of_three_classes_are_those_of_statsmodels():
    """Weights that sum to zero are linear in the differences to the first class, and so are their covariances."""
    y = np.clip(np.round(X[:, 0] + RNG.logistic(size=500)), -1, 1).astype(int) + 1
    weights = fitted(X, y, C=np.inf)
    multinomial = sm.MNLogit(y, sm.add_constant(X)).fit(disp=0, tol=1e-14)
    V = np.asarray(multinomial.cov_params())  # of (w1 - w0, w2 - w0), the constant first in each
    p = 5
    to_centred = np.array([[-1, -1], [2, -1], [-1, 2]]) / 3  # weights that sum to zero, from the two differences
    for j, place in enumerate([1, 2, 3, 4, 0]):
        block = V[np.ix_([place, p + place], [place, p + place])]
        expected = np.sqrt(np.diag(to_centred @ block @ to_centred.T))
        np.testing.assert_allclose(standard_errors(X, weights)[:, j], expected, rtol=1e-5)


def test_what_the_rows_do_not_determine_has_an_infinite_error():
    twice = np.column_stack([X, X[:, 1]])
    weights = np.array([[0.5, 0.1, 0.2, 0.0, 0.1, 0.3]])
    errors = standard_errors(twice, weights)
    assert np.isinf(errors[0]).tolist() == [False, True, False, False, True, False]
    np.testing.assert_allclose(errors[0, 0], standard_errors(X, np.array([[0.5, 0.2, 0.2, 0.0, 0.3]]))[0, 0], rtol=1e-9)


def test_too_many_weights_are_refused():
    with pytest.raises(ValueError, match=r"there are 5,001 weights; standard errors are for at most 4,096"):
        standard_errors(np.ones((2, 5000)), np.zeros((1, 5001)))


def test_the_rank_counts_directions_that_a_hessian_rounds_off():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 200))
    X = np.column_stack([a, a + 1e-8 * rng.standard_normal(200), b])
    y = rng.random(200) < 0.5
    assert not train(X, y, C=np.inf).notices
    assert "rank 4 of 5" in train(np.column_stack([X, a + b]), y, C=np.inf).notices[0]
