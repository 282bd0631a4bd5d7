"""L1 and elastic net: scikit-learn's optimum, a duality gap that is a bound, and the optimum's own conditions."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression

from onelayer import PerceptronClassifier, PerceptronRegressor
from onelayer.fits.training import train
from onelayer.objective.layer import Objective
from onelayer.objective.losses import cross_entropy, log_loss
from onelayer.objective.product import Product
from onelayer.solvers import working_set
from onelayer.solvers.working_set import _Models


def data(classes):
    X, y = load_breast_cancer(return_X_y=True) if classes == 2 else load_iris(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def objective(X, y, coef, intercept, C, l1_ratio, weight):
    z = X @ coef.T + intercept
    loss = log_loss(z[:, 0], y) if len(coef) == 1 else cross_entropy(z, y)
    return C * (weight * loss).sum() + (1 - l1_ratio) * (coef**2).sum() / 2 + l1_ratio * np.abs(coef).sum()


@pytest.mark.filterwarnings("ignore:The max_iter was reached")  # saga's
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("C", [0.05, 1.0])
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_optimum_is_sagas_and_the_gap_is_a_bound(classes, C, l1_ratio, fit_intercept, storage):
    X, y = data(classes)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    settings = {"C": C, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    ours = PerceptronClassifier(**settings).fit(storage(X), y, weight)
    exact = PerceptronClassifier(**settings, tol=1e-9).fit(storage(X), y, weight)
    theirs = LogisticRegression(**settings, solver="saga", tol=1e-10, max_iter=5_000).fit(X, y, weight)
    values = [objective(X, y, m.coef_, m.intercept_, C, l1_ratio, weight) for m in (ours, exact, theirs)]
    assert ours.converged_
    assert ours.gap_kind_ == exact.gap_kind_ == "bound"
    assert values[1] <= values[2] * (1 + 1e-9)
    assert values[0] <= values[2] * (1 + 1e-6)
    if theirs.n_iter_[0] < theirs.max_iter:
        assert values[0] == pytest.approx(values[2], rel=1e-6)
    assert (values[0] - values[1]) / values[1] <= ours.optimality_gap_ + 1e-13
    assert ours.optimality_gap_ <= 1e-6
    assert ours.history_[-1].cost * C * weight.sum() == pytest.approx(values[0], rel=1e-12)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_no_weight_objects_at_the_optimum(storage):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 600)) * (rng.random((400, 600)) < 0.2)
    y = X[:, :5].sum(axis=1) + rng.logistic(size=400) > 0
    fit = train(storage(X), y, l1_ratio=1.0, C=0.5, tol=1e-10)
    w, b = fit.weights[0, :-1], fit.weights[0, -1]
    slope = 1 / (1 + np.exp(-(X @ w + b))) - y
    gradient = 0.5 * X.T @ slope
    assert fit.converged
    assert 0 < np.count_nonzero(w) < 200
    assert np.abs(slope.sum()) < 1e-9
    np.testing.assert_allclose(gradient[w != 0], -np.sign(w[w != 0]), rtol=1e-6)
    assert np.abs(gradient).max() <= 1 + 1e-6


def test_a_penalty_that_is_strong_enough_leaves_the_base_rate():
    X, y = data(2)
    fit = train(X, y, l1_ratio=1.0, C=1e-4)
    assert not fit.weights[0, :-1].any()
    assert fit.weights[0, -1] == pytest.approx(np.log(y.mean() / (1 - y.mean())), rel=1e-12)


@pytest.mark.parametrize("n", [100, 3000])
def test_units_of_a_column_change_the_weights_of_an_elastic_net_as_its_penalty_says(n):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((n, 30)) + 5
    y = X[:, 0] - X[:, 1] + rng.logistic(size=n) > 0
    scaled = X.copy()
    scaled[:, 1] *= 1e6
    fit = train(scaled, y, l1_ratio=0.5, tol=1e-8)
    z = scaled @ fit.weights[0, :-1] + fit.weights[0, -1]
    # a weight a million times smaller is hardly penalised: the same as no penalty on this column
    assert fit.converged
    assert log_loss(z, y).mean() < log_loss(X @ (w := train(X, y, l1_ratio=0.5).weights[0])[:-1] + w[-1], y).mean()


def test_separable_classes_are_fitted_and_proved_too():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 12))
    fit = train(X, X[:, 0] > 0, C=1e4, l1_ratio=1.0)
    assert fit.converged
    assert fit.gap_kind == "bound"
    assert "apart" in fit.notices[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"l1_ratio": 1.5}, "l1_ratio must be in"),
        ({"l1_ratio": 0.5, "solver": "adam"}, "needs solver='auto' or 'newton'"),
        ({"l1_ratio": 0.5, "hidden_layer_sizes": (4,)}, "needs one layer"),
    ],
)
def test_what_l1_cannot_do_is_refused_in_words(settings, words):
    with pytest.raises(ValueError, match=words):
        train(np.eye(4), [0, 1, 0, 1], **settings)


@pytest.mark.parametrize("kind", ["dense", "sparse", "alike"])
@pytest.mark.parametrize("strength", [3, 100, 3000])
def test_more_columns_than_rows_under_any_penalty(kind, strength):
    """Steps cut off at the first signs that changed left 118 x 795 at twice the optimum, and gaps of 1 to 6."""
    rng = np.random.default_rng(strength)
    if kind == "sparse":
        X = sp.random(164, 1049, 0.03, format="csr", random_state=rng, data_rvs=rng.standard_exponential)
    else:
        X = rng.standard_normal((118, 795)) + (kind == "alike") * rng.standard_normal((118, 1))
    y = rng.integers(0, 2, X.shape[0])
    least = 1 / np.abs(X.T @ (y - y.mean())).max()
    model = PerceptronClassifier(C=strength * least, l1_ratio=1.0).fit(X, y)
    assert model.gap_kind_ == "bound"
    assert model.optimality_gap_ <= 1e-6
    assert np.count_nonzero(model.coef_) <= X.shape[0]
    z = np.asarray(X @ model.coef_[0]) + model.intercept_[0]
    back = strength * least * np.asarray(X.T @ (1 / (1 + np.exp(-z)) - y))
    assert np.abs(back).max() <= 1 + 1e-3
    np.testing.assert_allclose(back[model.coef_[0] != 0], -np.sign(model.coef_[0][model.coef_[0] != 0]), atol=1e-3)


@pytest.mark.parametrize(("n", "d", "seed"), [(150, 60, 0), (120, 200, 1)])
def test_steps_of_several_classes_go_to_minima_of_models_and_not_by_epochs(n, d, seed, monkeypatch):
    """Sixty steps, each a second of descent that was not to arrive, and then its minimum surely."""
    epochs = []
    descend = working_set.lasso_minimum
    monkeypatch.setattr(working_set, "lasso_minimum", lambda *model: epochs.append(1) or descend(*model))
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 2 * rng.standard_normal((n, 1))
    y = (X @ rng.standard_normal((d, 4)) / 3 + rng.gumbel(size=(n, 4))).argmax(axis=1)
    fit = train(X, y, C=30.0, l1_ratio=1.0)
    assert fit.converged
    assert fit.gap_kind == "bound"
    assert not epochs


def test_many_columns_that_nearly_depend_on_one_another_are_solved_under_a_weak_penalty():
    """Conjugate gradients alone stopped after 40 s, four times as far from the optimum as it is from 0."""
    rng = np.random.default_rng(3)
    n, d = 2_000, 700
    X = rng.standard_normal((n, d))
    X = (X * np.geomspace(1, 1e-3, d)) @ np.linalg.qr(rng.standard_normal((d, d)))[0]
    w = 2 * rng.standard_normal(d) / np.sqrt(d) / X.std(axis=0)
    fit = train(X, X @ w + rng.logistic(size=n) > 0, C=100.0, l1_ratio=1.0)
    assert fit.converged
    assert fit.optimality_gap <= 1e-6
    assert fit.gap_kind == "bound"


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_a_weak_penalty_hardly_keeps_from_separating_are_solved(seed):
    """Steps along nearly flat directions are too long there: all that were allowed ended far from the optimum."""
    rng = np.random.default_rng(seed)
    X = sp.random(600, 1500, 0.02, format="csr", random_state=seed, data_rvs=lambda k: rng.exponential(1, k))
    y = rng.random(600) < 0.5
    fit = train(X, y, C=1000.0, l1_ratio=1.0)
    assert fit.converged
    assert fit.gap_kind == "bound"
    assert fit.n_iter <= 20


def test_few_rows_of_columns_that_nearly_depend_on_one_another_take_few_products(monkeypatch):
    """Each step took thousands of products, and then changed signs: 150,000 of them reached no optimum."""
    rng = np.random.default_rng(3)
    turn, other = (np.linalg.qr(rng.standard_normal((700, 700)))[0] for _ in range(2))
    X = rng.standard_normal((700, 700)) @ (turn * np.geomspace(1, 1e-3, 700)) @ other
    y = X @ rng.standard_normal(700) / X.std(axis=0).mean() / 10 + rng.logistic(size=700) > 0
    products = count_calls(monkeypatch, Product, "__call__")
    fit = train(X, y, C=3.0, l1_ratio=1.0)
    assert fit.converged
    assert len(products) < 1000


def test_steps_that_signs_cut_off_have_a_model_made(monkeypatch):
    """Of correlated columns most of which matter, each step wanted a hundred signs to change: 163 looks at the rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 800)) + rng.standard_normal((4000, 1)) / 2
    y = X @ rng.standard_normal(800) / 14 + rng.logistic(size=4000) > 0
    looks = [*(count_calls(monkeypatch, *of) for of in ((Product, "__call__"), (Objective, "evaluate")))]
    fit = train(X, y, C=0.1, l1_ratio=1.0)
    assert fit.converged
    assert np.count_nonzero(fit.weights) > 600
    assert sum(map(len, looks)) < 80


@pytest.mark.parametrize("C", [1.0, 10.0])
def test_columns_with_hardly_any_penalty_that_find_no_room_do_not_end_a_fit(C):
    """Of heavy tails a penalty differs from one column to the next; the fit ended with all weights 0."""
    rng = np.random.default_rng(0)
    X = rng.standard_t(2, (100, 1500))
    y = (X[:, :4] / np.abs(X[:, :4]).mean(axis=0)).sum(axis=1) + rng.logistic(size=100) > 0
    assert train(X, y, C=C, l1_ratio=1.0).converged


def count_calls(monkeypatch, owner, name):
    calls, call = [], getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *args, **known: calls.append(None) or call(*args, **known))
    return calls


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize(("n", "d"), [(5, 30), (20, 100), (30, 401)])
@pytest.mark.parametrize("outputs", [0, 2, 3])
def test_fewer_rows_than_columns_and_a_weak_penalty(n, d, outputs, l1_ratio):
    """Numbers, two and three classes: signs cut steps off, more weights than rows have no minimum for their signs."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
        if seed == 2:  # columns alike, and ties
            X = (X > 1) * 1.0
        kind = PerceptronClassifier if outputs else PerceptronRegressor
        targets = {0: y, 2: (y > np.median(y)).astype(int), 3: np.arange(n) % 3}[outputs]
        for C in (100.0, 1e4):
            model = kind(C=C, l1_ratio=l1_ratio).fit(X, targets)
            assert model.converged_
            assert model.optimality_gap_ <= 1e-6


@pytest.mark.parametrize("C", [100.0, 551.0, 1e4])
def test_classes_under_an_l1_penalty_that_leaves_what_is_common_to_them_free(C):
    """No row bends it, and neither does the penalty, so that models have no one minimum however many rows there are."""
    rng = np.random.default_rng(1)
    X = (rng.random((1500, 40)) < 0.1) * 1.0
    scores = X @ (rng.normal(size=(40, 5)) * (rng.random((40, 5)) < 0.2))
    model = PerceptronClassifier(C=C, l1_ratio=1.0).fit(X, (scores + rng.gumbel(size=(1500, 5))).argmax(axis=1))
    assert model.converged_
    assert model.n_iter_[0] < 20


def test_many_weights_of_several_classes_have_a_model_made(monkeypatch):
    """Without one, since it would be larger than the rows, signs cut steps off on and on: 88,000 products."""
    rng = np.random.default_rng(0)
    X = sp.random(1000, 200, 0.1, format="csr", random_state=rng)
    X.data = rng.exponential(1, X.nnz)
    logits = X @ (rng.standard_normal((200, 3)) * (rng.random((200, 1)) < 0.2))
    y = (3 * logits / logits.std() + rng.gumbel(size=logits.shape)).argmax(axis=1)
    products = count_calls(monkeypatch, Product, "__call__")
    fit = train(X, y, C=25.0, l1_ratio=1.0)
    assert fit.converged
    assert len(products) < 1000


def test_a_penalty_too_small_to_be_told_from_rounding_ends_with_an_estimate():
    """The gradient of a column in units of 1e6 does not have the digits of a dual point: a gap of 400,000 was said."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2)) * [1e7, 1.0] + [1e8, 0.0]
    y = (X[:, 0] - 1e8) / 1e7 + rng.logistic(size=40) > 0
    fit = train(X, y, C=1e8, l1_ratio=1.0, sample_weight=np.full(40, 1e8))
    assert fit.converged
    assert fit.gap_kind == "estimate"
    assert 1e-16 < fit.optimality_gap < 1e-6
    best = train(X, y, C=1e8, tol=1e-9)  # of an L2 penalty that is nothing, too
    assert fit.history[-1].cost == pytest.approx(best.history[-1].cost, rel=1e-6)


def test_rows_that_a_model_has_all_of_are_modelled_in_double_precision():
    """Columns far from 0 and no bias: in single precision a model had no minimum, and a hundred steps led nowhere."""
    rng = np.random.default_rng(0)
    own = rng.standard_normal((600, 80))
    y = (own @ (0.2 * rng.standard_normal((80, 3))) + rng.gumbel(size=(600, 3))).argmax(axis=1)
    fit = train(1000 + own, y, C=100.0, l1_ratio=1.0, fit_intercept=False, max_iter=5)
    assert fit.converged
    assert fit.n_iter <= 3


@pytest.mark.parametrize(("n", "d"), [(2000, 100), (30000, 60)], ids=["all rows", "a sample first"])
def test_models_of_single_precision_have_a_minimum(monkeypatch, n, d):
    """Of columns far from 0 without a bias: rounding bent them down, and 100 steps or 50 of a sample led nowhere."""
    rng = np.random.default_rng(0)
    own = rng.standard_normal((n, d))
    y = own @ (0.5 * rng.standard_normal(d)) + rng.logistic(size=n) > 0
    models = count_calls(monkeypatch, _Models, "_make")
    fit = train(1000 + own, y, C=1000.0, l1_ratio=1.0, fit_intercept=False, max_iter=10)
    assert fit.converged
    assert len(models) <= 30


@pytest.mark.parametrize("n", [60, 3_000])
def test_of_all_columns_of_many_rows_the_first_set_is_the_last(n):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, 12))
    y = X[:, :8].sum(axis=1) + rng.logistic(size=n) > 0
    fit = train(X, y, C=60 / n, l1_ratio=1.0)
    assert fit.converged
    assert fit.gap_kind == "bound"
    assert fit.n_iter == 1
    assert 0 < np.count_nonzero(fit.weights[:, :-1]) < 12


@pytest.mark.parametrize("off", [1e6, 1e7, 1e9])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_what_a_model_has_no_digits_for_is_not_left_out_of_the_gap(off, l1_ratio):
    """Far columns without a bias tell rows apart by 1e-9: half the cost was left, and 2e-15 was said to be."""
    rng = np.random.default_rng(0)
    S = rng.standard_normal((200, 4))
    y = S @ [1, -2, 1, 0.5] + rng.logistic(size=200) > 0
    X = S + off * np.arange(1, 5)
    fit = train(X, y, C=100.0, l1_ratio=l1_ratio, fit_intercept=False)
    ridge = train(X, y, C=100.0, fit_intercept=False)
    optimum = ridge.history[-1].cost
    assert fit.converged == (fit.history[-1].cost < 1.001 * optimum)
    assert fit.optimality_gap >= (fit.history[-1].cost - 1.001 * optimum) / optimum
