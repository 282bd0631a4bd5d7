"""The estimator: scikit-learn's own checks, its optimum, and hard input."""

import datetime
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from onelayer import PerceptronClassifier, PerceptronClassifierCV
from onelayer.objective.losses import cross_entropy, log_loss


@parametrize_with_checks([PerceptronClassifier()])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def objective(X, y, coef, intercept, C, weight):
    z = X @ coef.T + intercept
    loss = log_loss(z[:, 0], y) if len(coef) == 1 else cross_entropy(z, y)
    return C * (weight * loss).sum() + (coef**2).sum() / 2


def data(classes):
    X, y = load_breast_cancer(return_X_y=True) if classes == 2 else load_digits(return_X_y=True)
    keep = slice(0, 400)
    X = X[keep] / (np.abs(X[keep]).max(axis=0) + 1e-3)
    return X, y[keep]


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("C", [1e-2, 1.0, 1e2])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_optimum_is_scikit_learns(classes, C, class_weight, weighted, storage):
    X, y = data(classes)
    weight = np.random.default_rng(0).uniform(0.2, 3, len(y)) if weighted else np.ones(len(y))
    total = weight * (
        np.array([weight.sum() / (classes * weight[y == k].sum()) for k in range(classes)])[y] if class_weight else 1
    )
    ours = PerceptronClassifier(C=C, class_weight=class_weight).fit(storage(X), y, weight)
    exact = PerceptronClassifier(C=C, class_weight=class_weight, tol=1e-10).fit(storage(X), y, weight)
    theirs = LogisticRegression(
        C=C, class_weight=class_weight, tol=1e-10, max_iter=10_000, solver="newton-cholesky"
    ).fit(X, y, weight)
    value = objective(X, y, ours.coef_, ours.intercept_, C, total)
    assert value == pytest.approx(objective(X, y, theirs.coef_, theirs.intercept_, C, total), rel=1e-6)
    best = objective(X, y, exact.coef_, exact.intercept_, C, total)
    assert best == pytest.approx(objective(X, y, theirs.coef_, theirs.intercept_, C, total), rel=1e-9)
    assert ours.converged_
    assert (value - best) / best <= 2 * ours.optimality_gap_ + 1e-12
    assert ours.optimality_gap_ <= 1e-6
    assert ours.history_[-1].cost * C * total.sum() == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(("factor", "shift"), [(1e8, 0), (1e-8, 0), (1, 1e6), (1, 1e9), (1e200, 0), (1e-200, 0)])
def test_units_of_a_column_change_no_prediction_without_a_penalty(factor, shift):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((300, 4))
    y = X @ [1, -1, 0.5, 0] + rng.logistic(size=300) > 0
    expected = PerceptronClassifier(C=np.inf).fit(X, y).predict_proba(X)
    X[:, 1] = X[:, 1] * factor + shift
    np.testing.assert_allclose(PerceptronClassifier(C=np.inf).fit(X, y).predict_proba(X), expected, atol=1e-6)


def test_weight_two_is_a_row_twice_and_weight_nought_a_row_gone():
    X, y = data(2)
    weight = np.arange(len(y)) % 3
    repeated = PerceptronClassifier().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    weighted = PerceptronClassifier().fit(X, y, weight)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-6)


def test_results_are_the_same_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60_000, 40))
    y = X[:, 0] + rng.logistic(size=60_000) > 0
    fits = [PerceptronClassifier(n_jobs=jobs).fit(X, y).coef_ for jobs in (1, 2, 3)]
    assert np.array_equal(fits[0], fits[1])
    assert np.array_equal(fits[0], fits[2])


def test_nan_is_named_with_column_count_and_row():
    X, y = data(2)
    X[[5, 9], 3] = np.nan
    with pytest.raises(ValueError, match="column 3 has NaN or infinity in 2 cells, first NaN in row 5"):
        PerceptronClassifier().fit(X, y)


def test_separable_without_penalty_is_said():
    with pytest.warns(UserWarning, match="separable"):
        PerceptronClassifier(C=np.inf).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])


def test_gradient_descent_reaches_the_same_optimum():
    X, y = data(2)
    newton = PerceptronClassifier(C=0.1).fit(X, y)
    gd = PerceptronClassifier(C=0.1, solver="gd", tol=1e-7, max_iter=20_000).fit(X, y)
    assert gd.history_[-1].cost == pytest.approx(newton.history_[-1].cost, rel=1e-6)


@pytest.mark.parametrize("estimator", [PerceptronClassifier(), PerceptronClassifierCV(Cs=2, cv=2)])
@pytest.mark.parametrize(
    "classes",
    [
        (False, True),
        (0, 1),
        (datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)),
        (Decimal(1), Decimal(2)),
        ("a", "b"),
    ],
)
def test_labels_that_are_objects_are_scored_as_others_are(estimator, classes):
    X, y = data(2)
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    labels = np.array(classes, dtype=object)[y]
    expected = accuracy_score(y, clone(estimator).fit(X, y).predict(X), sample_weight=weight)
    model = clone(estimator).fit(X, labels)
    assert model.score(X, labels, weight) == pytest.approx(expected, rel=1e-12)
    if isinstance(classes[0], datetime.date):
        model = clone(estimator).fit(X, labels.astype("M8[ns]"))
        assert model.score(X, labels, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 1.5}, "threshold must be a probability"),
        ({"C": -1}, "C must be positive"),
        ({"solver": "magic"}, "solver must be one of"),
        ({"class_weight": {"no": 2}}, "not a class in y"),
    ],
)
def test_settings_are_refused_in_words(settings, message):
    with pytest.raises(ValueError, match=message):
        PerceptronClassifier(**settings).fit([[0.0], [1.0]], [0, 1])


def test_a_refused_fit_leaves_the_fit_before_as_it_was():
    X = np.random.default_rng(0).standard_normal((60, 3))
    two, three = np.arange(60) % 2, np.arange(60) % 3
    model = PerceptronClassifier(threshold=0.3).fit(X, two)
    before = model.predict(X)
    with pytest.raises(ValueError, match="needs two classes, but there are 3"):
        model.fit(X, three)
    np.testing.assert_array_equal(model.predict(X), before)
    model = PerceptronClassifier().fit(X, three)
    assert len(model.set_params(threshold=0.3).fit(X, two).classes_) == 2
    with pytest.raises(ValueError, match="needs two classes"):
        PerceptronClassifier(threshold=0.3).fit(X, three).predict(X)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("solver", ["auto", "newton"])
def test_a_warm_start_from_where_every_row_is_sure_arrives_all_the_same(solver, l1_ratio):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    y = (X[:, 0] + rng.standard_normal(200) > 0).astype(int)
    warm = PerceptronClassifier(warm_start=True, solver=solver, l1_ratio=l1_ratio).fit(X, y)
    warm.fit(100 * X + 1000, y)
    cold = PerceptronClassifier(solver=solver, l1_ratio=l1_ratio).fit(100 * X + 1000, y)
    assert warm.converged_
    np.testing.assert_allclose(warm.coef_, cold.coef_, atol=1e-5)


@pytest.mark.parametrize("settings", [{"early_stopping": True}, {"hidden_layer_sizes": (3,)}])
def test_rows_of_weight_nought_are_not_held_out(settings):
    X, y = np.random.default_rng(0).standard_normal((300, 3)), np.arange(300) % 2
    weight = np.where(np.arange(300) < 20, 1.0, 0.0)
    for seed in range(3):
        model = PerceptronClassifier(random_state=seed, max_iter=50, **settings)
        model.fit(X, y, sample_weight=weight)
        assert np.isfinite(model.predict_proba(X)).all()


def test_settings_of_any_precision_and_weights_too_large_to_add_up():
    X, y = np.random.default_rng(0).standard_normal((60, 3)), np.arange(60) % 2
    half = PerceptronClassifier(C=np.float16(0.1)).fit(X, y)
    np.testing.assert_array_equal(half.coef_, PerceptronClassifier(C=float(np.float16(0.1))).fit(X, y).coef_)
    with pytest.raises(ValueError, match="C must be positive"):
        PerceptronClassifier(C=10**400).fit(X, y)
    with pytest.raises(ValueError, match="adds up to infinity"):
        PerceptronClassifier().fit(X, y, np.full(60, 1e308))
    assert not PerceptronClassifier(C=1e-300).fit(X, y, np.full(60, 1e-30)).coef_.any()


def test_a_sparse_matrix_of_few_cells_is_fitted_as_the_same_cells_dense():
    X, y = load_breast_cancer(return_X_y=True)
    X = np.where(np.median(X, axis=0) > X, 0, X)
    rows = np.random.default_rng(0).permutation(len(X))
    fit, held = rows[:400], rows[400:]
    for settings in ({}, {"l1_ratio": 1.0}, {"early_stopping": True}):
        dense = PerceptronClassifier(**settings).fit(X[fit], y[fit], eval_set=(X[held], y[held]))
        sparse = PerceptronClassifier(**settings).fit(
            sp.csr_matrix(X[fit]), y[fit], eval_set=(sp.csr_matrix(X[held]), y[held])
        )
        np.testing.assert_array_equal(sparse.coef_, dense.coef_)
        assert sparse.notices_ == dense.notices_


@pytest.mark.parametrize("at_hand", [0, 2**17])
def test_single_precision_of_sparse_cells_costs_no_digit_of_the_optimum(monkeypatch, at_hand):
    monkeypatch.setattr("onelayer.rows.sparse.AT_HAND", at_hand)
    for seed in (1, 14, 22, 46):
        rng, y = np.random.default_rng(seed), np.arange(10) % 3
        X = (rng.standard_normal((10, 3)) * [1, 1e4, 1] * (rng.random((10, 3)) < 0.5)).astype(np.float32)
        X[0] = 1
        single = PerceptronClassifier(C=1000).fit(sp.csr_matrix(X), y)
        double = PerceptronClassifier(C=1000, tol=1e-10).fit(X.astype(float), y)
        reached, best = (objective(X.astype(float), y, m.coef_, m.intercept_, 1000, 1.0) for m in (single, double))
        assert reached <= best * (1 + 2 * single.optimality_gap_ + 1e-9)


def test_a_fit_is_the_same_to_the_last_bit_in_any_thread():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 30))
    y = (X @ rng.standard_normal((30, 3)) + 2 * rng.gumbel(size=(20_000, 3))).argmax(axis=1)
    here = PerceptronClassifier().fit(X, y)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(PerceptronClassifier().fit, X, y).result()
    np.testing.assert_array_equal(there.coef_, here.coef_)


@pytest.mark.parametrize("k", [2, 3])
def test_an_infinite_logit_has_a_probability_and_its_logarithm(k):
    model = PerceptronClassifier().fit(np.arange(9.0)[:, None], np.arange(9) % k)
    model.coef_ = np.array([[1.0]] if k == 2 else [[1.0], [0.0], [-1.0]]) * 1e300
    X = np.array([[1e300], [-1e300], [0.0]])
    with np.errstate(all="raise", under="ignore", over="ignore"):
        p, log_p = model.predict_proba(X), model.predict_log_proba(X)
    np.testing.assert_array_equal(np.exp(log_p[:2]), p[:2])
    np.testing.assert_array_equal(np.sort(p[:2])[:, -1], 1)
    np.testing.assert_allclose(np.exp(log_p[2]), p[2], rtol=1e-12)


def test_a_threshold_is_what_predict_proba_says():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    model = PerceptronClassifier().fit(X, X[:, 0] + rng.logistic(size=400) > 0)
    p = model.predict_proba(X)[:, 1]
    for threshold in p[:100]:  # as a curve of precision and recall hands them over
        model.set_params(threshold=threshold)
        np.testing.assert_array_equal(model.predict(X), p > threshold)


@pytest.mark.parametrize("hidden", [(), (3,)])
@pytest.mark.filterwarnings("error")
def test_logits_beyond_all_odds_have_probabilities_and_no_warning(hidden):
    X, y = np.array([[-1.0], [-0.5], [0.5], [1.0]]), [0, 0, 1, 1]
    model = PerceptronClassifier(hidden_layer_sizes=hidden, max_iter=50).fit(X, y)
    if hidden:
        model.coefs_ = [1e5 * w for w in model.coefs_]
    else:
        model.coef_ = 1e5 * model.coef_
    np.testing.assert_array_equal(model.predict_proba(np.array([[-1.0], [1.0]])), [[1, 0], [0, 1]])
