"""The regression twin: scikit-learn's own checks, the optimum of Ridge, ElasticNet, least squares, and hard targets."""

from decimal import Decimal

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet, LinearRegression, Ridge
from sklearn.model_selection import KFold, cross_val_predict, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from onelayer import PerceptronRegressor


@parametrize_with_checks([PerceptronRegressor()])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def data(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * np.geomspace(0.1, 10, d) + rng.standard_normal(d)
    return X, X @ rng.standard_normal(d) + rng.standard_normal(n) + 100


def close(model, other, X):
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=0, atol=1e-8 * np.abs(other.coef_).max())
    np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(model.predict(X), other.predict(X), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("shape", [(300, 5), (40, 120), (2000, 90)])
@pytest.mark.parametrize("C", [1e-2, 1.0, 1e2])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_optimum_is_ridges(shape, C, fit_intercept, weighted, storage):
    X, y = data(*shape)
    weight = np.random.default_rng(1).uniform(0.2, 3, len(y)) if weighted else None
    ours = PerceptronRegressor(C=C, fit_intercept=fit_intercept).fit(storage(X), y, weight)
    theirs = Ridge(alpha=1 / C, fit_intercept=fit_intercept, solver="svd").fit(X, y, weight)
    close(ours, theirs, X)
    assert ours.converged_
    assert ours.optimality_gap_ <= 1e-6
    omega = np.ones(len(y)) if weight is None else weight
    squares = (omega * (theirs.predict(X) - y) ** 2).sum() / 2 + (theirs.coef_**2).sum() / (2 * C)
    assert ours.history_[-1].cost * omega.sum() == pytest.approx(squares, rel=1e-9)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("n", [400, 900])
def test_many_columns_at_a_tight_tolerance_are_ridges_too(storage, n):
    X, y = data(n, 700)
    ours = PerceptronRegressor(C=1e-2, tol=1e-15).fit(storage(X), y)
    theirs = Ridge(alpha=100, solver="svd").fit(X, y)
    # conjugate gradients stop by the value: weights are as near as the square root of its 16 digits
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=5e-8 * np.abs(theirs.coef_).max())


HARD = {
    "nearly equal columns": lambda rng: rng.standard_normal((300, 1)) + 1e-4 * rng.standard_normal((300, 10)),
    "powers": lambda rng: np.linspace(0, 1, 200)[:, None] ** np.arange(1, 11),
    "far from 0": lambda rng: rng.standard_normal((300, 10)) + 1e6,
    "few rows": lambda rng: rng.standard_normal((40, 120)),
    "many columns": lambda rng: rng.standard_normal((900, 600)),
}


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("alpha", [1e-6, 1e-2, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix, np.float32])
def test_ill_conditioned_columns_are_ridges_too(kind, alpha, fit_intercept, storage):
    rng = np.random.default_rng(0)
    X = HARD[kind](rng)
    X = X.astype(np.float32).astype(float) if storage is np.float32 else X
    y, weight = X @ rng.standard_normal(X.shape[1]) / np.abs(X).max() + rng.standard_normal(len(X)), rng.random(len(X))
    ours = PerceptronRegressor(C=1 / alpha, fit_intercept=fit_intercept).fit(storage(X), y, weight)
    theirs = Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd").fit(X, y, weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-8 * np.abs(theirs.coef_).max())
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0, atol=1e-8 * np.abs(y).max())
    assert ours.converged_


def test_many_rows_in_blocks_are_ridges_too():
    X, y = data(60_000, 40)
    close(PerceptronRegressor().fit(X, y), Ridge().fit(X, y), X)


@pytest.mark.parametrize("solver", ["lbfgs", "gd", "nesterov"])
def test_first_order_solvers_come_to_the_same_optimum(solver):
    X, y = load_diabetes(return_X_y=True)
    ours = PerceptronRegressor(C=0.1, solver=solver, tol=1e-10, max_iter=20_000).fit(X, y)
    newton = PerceptronRegressor(C=0.1).fit(X, y)
    assert ours.history_[-1].cost == pytest.approx(newton.history_[-1].cost, rel=1e-8)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_without_a_penalty_it_is_least_squares(fit_intercept):
    X, y = data(300, 8)
    ours = PerceptronRegressor(C=np.inf, fit_intercept=fit_intercept).fit(X, y)
    close(ours, LinearRegression(fit_intercept=fit_intercept).fit(X, y), X)


def test_of_collinear_columns_the_shortest_weights_are_given_and_said():
    X, y = data(100, 3)
    X = np.column_stack([X, X[:, 0], np.ones(100)])
    ours = PerceptronRegressor(C=np.inf).fit(X, y)
    close(ours, LinearRegression().fit(X, y), X)  # of twins, each has half
    assert any("columns are collinear, rank 4 of 5 with the bias" in notice for notice in ours.notices_)
    assert any("column 4 is constant: weight 0" in notice for notice in ours.notices_)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("C", [1e-3, 1e-2, 1.0])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("weighted", [True, False])
def test_optimum_is_elastic_nets_and_the_gap_is_a_bound(l1_ratio, C, unit, storage, weighted):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 40))
    y = unit * (X[:, :4] @ [1, 2, -3, 4] + rng.standard_normal(200) + 7)
    weight = rng.uniform(0.5, 2, 200) if weighted else np.ones(200)
    ours = PerceptronRegressor(C=C, l1_ratio=l1_ratio).fit(storage(X), y, weight)
    exact = PerceptronRegressor(C=C, l1_ratio=l1_ratio, tol=1e-11).fit(storage(X), y, weight)
    theirs = ElasticNet(alpha=1 / (C * weight.sum()), l1_ratio=l1_ratio, tol=1e-14, max_iter=100_000).fit(X, y, weight)

    def objective(model):
        w = model.coef_
        squares = (weight * (X @ w + model.intercept_ - y) ** 2).sum() / 2
        return C * squares + (1 - l1_ratio) * w @ w / 2 + l1_ratio * np.abs(w).sum()

    assert ours.converged_
    assert ours.gap_kind_ == exact.gap_kind_ == "bound"
    assert objective(ours) == pytest.approx(objective(theirs), rel=1e-6)
    assert objective(exact) == pytest.approx(objective(theirs), rel=1e-9)
    assert objective(ours) / objective(exact) - 1 <= ours.optimality_gap_ + 1e-13


def test_lasso_leaves_the_same_weights_out():
    X, y = load_diabetes(return_X_y=True)
    ours = PerceptronRegressor(C=1 / len(y), l1_ratio=1.0, tol=1e-10).fit(X, y)
    theirs = ElasticNet(alpha=1.0, l1_ratio=1.0, tol=1e-14).fit(X, y)
    assert np.array_equal(ours.coef_ != 0, theirs.coef_ != 0)
    assert 0 < np.count_nonzero(ours.coef_) < 10


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("y", [np.zeros(50), np.full(50, 3.3), np.full(50, 1e9 + 0.1)])
def test_a_constant_target_is_its_own_prediction(C, fit_intercept, y):
    X = np.random.default_rng(0).standard_normal((50, 3))
    model = PerceptronRegressor(C=C, fit_intercept=fit_intercept).fit(X, y)
    assert model.converged_
    if fit_intercept or not y.any():
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-15)
        assert not model.coef_.any()
        assert model.optimality_gap_ == 0


@pytest.mark.parametrize("shape", [(200, 10), (20, 50)])
@pytest.mark.parametrize("factor", [1e-200, 1.0, 1e150])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_a_perfect_fit_has_converged_and_says_so(shape, factor, offset):
    X = np.random.default_rng(0).standard_normal(shape)
    y = (X @ np.ones(shape[1]) + offset) * factor
    model = PerceptronRegressor(C=np.inf).fit(X, y)
    assert model.converged_
    assert model.optimality_gap_ < 1e-20
    assert any("fitted to its last digits" in notice for notice in model.notices_)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-10, atol=1e-10 * np.abs(y).max())


@pytest.mark.parametrize(("factor", "shift"), [(1e8, 0), (1e-8, 0), (1, 1e9), (1e200, 0), (1e-200, 0)])
def test_units_change_no_prediction_without_a_penalty(factor, shift):
    X, y = data(300, 4)
    expected = PerceptronRegressor(C=np.inf).fit(X, y).predict(X)
    again = X.copy()
    again[:, 1] = again[:, 1] * factor + shift
    np.testing.assert_allclose(PerceptronRegressor(C=np.inf).fit(again, y).predict(again), expected, rtol=1e-7)
    if shift == 0:
        scaled = PerceptronRegressor().fit(X, y * factor).predict(X) / factor
        np.testing.assert_allclose(scaled, PerceptronRegressor().fit(X, y).predict(X), rtol=1e-12)


def test_weight_two_is_a_row_twice_and_weight_nought_a_row_gone():
    X, y = data(200, 6)
    weight = np.arange(200) % 3
    repeated = PerceptronRegressor().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(PerceptronRegressor().fit(X, y, weight).coef_, repeated.coef_, rtol=1e-9)


def test_float32_rows_and_integer_targets():
    X, y = data(500, 6)
    model = PerceptronRegressor().fit(X.astype(np.float32), y.round().astype(int))
    np.testing.assert_allclose(model.coef_, Ridge().fit(X, y.round()).coef_, rtol=1e-5, atol=1e-5)


def test_a_warm_start_begins_where_the_last_fit_ended():
    X, y = data(300, 6)
    model = PerceptronRegressor(warm_start=True, solver="lbfgs", tol=1e-10).fit(X, y)
    first = model.n_iter_[0]
    assert model.fit(X, y).n_iter_[0] < first


def waves(n, seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3, 3, (n, 2))
    return X, 1000 + 50 * np.sin(2 * X[:, 0]) * X[:, 1] + rng.standard_normal(n)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")  # scikit-learn's
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_hidden_layers_learn_waves_as_well_as_scikit_learns(activation):
    X, y = waves(1500, 0)
    new = waves(1500, 1)
    ours = PerceptronRegressor(hidden_layer_sizes=(32, 32), activation=activation).fit(X, y)
    assert ours.score(*new) > 0.99
    assert PerceptronRegressor().fit(X, y).score(*new) < 0.3
    assert [W.shape for W in ours.coefs_] == [(2, 32), (32, 32), (32, 1)]
    theirs = MLPRegressor(hidden_layer_sizes=(32, 32), solver="lbfgs", alpha=1e-3, max_iter=500, random_state=0)
    theirs.fit(X, (y - 1000) / 50)
    assert ours.score(*new) > theirs.score(new[0], (new[1] - 1000) / 50) - 0.01


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_hidden_layers_serve_noisy_numbers_about_as_well_as_one_layer(activation):
    X, y = load_diabetes(return_X_y=True)
    folds = KFold(5, shuffle=True, random_state=0)
    linear = max(cross_val_score(PerceptronRegressor(C=C), X, y, cv=folds).mean() for C in (1, 10, 100))
    net = PerceptronRegressor(hidden_layer_sizes=(16,), activation=activation)
    assert cross_val_score(net, X, y, cv=folds).mean() > linear - 0.03
    by_heart = cross_val_score(net.set_params(early_stopping=False), X, y, cv=folds).mean()
    assert by_heart < linear - 0.06


def test_hidden_layers_with_batches_hold_rows_out():
    X, y = waves(4000, 0)
    model = PerceptronRegressor(hidden_layer_sizes=(32,), solver="adam").fit(X, y)
    assert model.converged_
    assert model.score(*waves(1000, 1)) > 0.95
    assert model.history_[-1].held_out is not None


def test_rows_held_out_say_when_to_stop():
    X, y = load_diabetes(return_X_y=True)
    seen = []
    model = PerceptronRegressor(solver="gd", C=np.inf, callbacks=[lambda at: seen.append(at.weights())])
    model.set_params(max_iter=5000, n_iter_no_change=5).fit(X[:300], y[:300], eval_set=(X[300:], y[300:]))
    losses = [entry.held_out for entry in model.history_]
    assert losses[-1] == pytest.approx(np.mean((model.predict(X[300:]) - y[300:]) ** 2) / 2, rel=1e-9)
    assert losses[-1] == min(losses)
    assert seen[0].shape == (1, 11)
    np.testing.assert_allclose(seen[0], [[0] * 10 + [y[:300].mean()]], atol=1e-10)
    with pytest.raises(ValueError, match=r"holds out validation_fraction=0.1, but of 5 rows this is none"):
        PerceptronRegressor(early_stopping=True).fit(X[:5], y[:5])


def test_the_history_of_hidden_layers_is_in_the_targets_unit():
    X, y = waves(300, 0)
    model = PerceptronRegressor(hidden_layer_sizes=(8,), C=1e12, early_stopping=False).fit(X, y)
    half = np.mean((model.predict(X) - y) ** 2) / 2
    assert model.history_[-1].cost == pytest.approx(half, rel=1e-4)  # rows are in single precision


@pytest.mark.parametrize("factor", [2.0**-1000, 1.0, 2.0**1000])
def test_the_score_is_the_same_in_every_unit_of_y(factor):
    X, y = load_diabetes(return_X_y=True)
    weight = np.linspace(0, 1, len(y))
    model, ours = Ridge(alpha=1.0).fit(X, y), PerceptronRegressor().fit(X, y * factor)
    assert ours.score(X, y * factor) == pytest.approx(model.score(X, y), rel=1e-7)
    assert ours.score(X, y * factor, weight) == pytest.approx(model.score(X, y, weight), rel=1e-7)


def test_the_score_of_a_constant_is_scikit_learns():
    X, y = np.arange(4.0)[:, None], np.zeros(4)
    assert PerceptronRegressor().fit(X, y).score(X, y) == 1.0
    assert PerceptronRegressor().fit(X, y + 1).score(X, y) == 0.0


def test_it_serves_cross_validation():
    X, y = load_diabetes(return_X_y=True)
    found = cross_val_predict(PerceptronRegressor(C=10.0), X, y)
    np.testing.assert_allclose(found, cross_val_predict(Ridge(alpha=0.1), X, y), rtol=1e-7)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.nan, 2.0], "y contains NaN or infinity in 1 row, first NaN in row 1"),
        ([1.0, 2.0, np.inf], "y contains NaN or infinity in 1 row, first infinity in row 2"),
        ([1.0, "tall", 2.0], "y holds 'tall' in row 1, which is no number"),
        (np.array(["1", "2", "3"]), "y holds '1' in row 0, which is no number"),
        ([1.0, None, 2.0], "y is missing in row 1"),
        ([1j, 2.0, 3.0], "Complex data not supported: y is complex"),
        (np.array([1j, 2, 3]), "Complex data not supported: y is complex"),
        (np.array(["2020-01-01"] * 3, dtype="datetime64[D]"), "days since a date"),
        ([1.0, 2.0], "X has 3 rows, but y has 2 numbers"),
        (np.ones((3, 2)), "y must hold one number for each row"),
    ],
)
def test_what_is_no_number_is_refused_in_words(y, message):
    with pytest.raises(ValueError, match=message):
        PerceptronRegressor().fit([[0.0], [1.0], [3.0]], y)


def test_decimals_are_numbers():
    model = PerceptronRegressor(C=np.inf).fit([[0.0], [1.0], [3.0]], [Decimal("1.5"), Decimal("2.5"), Decimal("4.5")])
    assert model.predict([[2.0]])[0] == pytest.approx(3.5, rel=1e-12)
    assert model._repr_html_().count("units of y per unit") == 1
    assert "squares of y&#x27;s unit" in model._repr_html_() or "squares of y's unit" in model._repr_html_()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"C": -1}, "C must be positive"),
        ({"l1_ratio": 2}, "l1_ratio must be in"),
        ({"solver": "newton", "hidden_layer_sizes": (3,)}, "solver='newton' needs one layer"),
    ],
)
def test_settings_are_refused_in_words(settings, message):
    with pytest.raises(ValueError, match=message):
        PerceptronRegressor(**settings).fit([[0.0], [1.0]], [0, 1])
