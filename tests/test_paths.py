"""Paths: every fit is the one made cold, and the first C is where weights begin."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit, log_softmax
from sklearn.datasets import load_breast_cancer, load_digits, load_iris

from onelayer import path
from onelayer.data.targets import Targets
from onelayer.fits.training import train
from onelayer.objective.layer import Objective
from onelayer.objective.product import Product
from onelayer.paths import PathProblem, _further
from onelayer.settings import Settings

STORAGES = [np.asarray, sp.csr_matrix, sp.csc_matrix]


def data(classes):
    X, y = load_breast_cancer(return_X_y=True) if classes == 2 else load_iris(return_X_y=True)
    return X / np.abs(X).max(axis=0), y


def objective(X, y, weights, C, l1_ratio, weight):
    z = X @ weights[:, :-1].T + weights[:, -1]
    z = np.column_stack([np.zeros(len(z)), z]) if z.shape[1] == 1 else z
    loss = -log_softmax(z, axis=1)[np.arange(len(y)), y]
    w = weights[:, :-1]
    return C * (weight * loss).sum() + (1 - l1_ratio) * (w**2).sum() / 2 + l1_ratio * np.abs(w).sum()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("storage", STORAGES)
def test_every_fit_is_the_one_made_cold(classes, l1_ratio, fit_intercept, storage):
    X, y = data(classes)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    settings = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "class_weight": "balanced"}
    found = path(storage(X), y, Cs=[10.0, 0.01, 1.0, 0.1], sample_weight=weight, **settings)
    total = weight * (weight.sum() / (classes * np.bincount(y, weights=weight)))[y]
    assert found.Cs.tolist() == [0.01, 0.1, 1.0, 10.0]
    assert found.converged.all()
    assert found.coefs.shape == (4, 1 if classes == 2 else classes, X.shape[1])
    for C, weights, gap in zip(found.Cs, found.weights, found.gaps, strict=True):
        cold = train(
            storage(X).tocsr() if sp.issparse(storage(X)) else X, y, sample_weight=weight, C=C, tol=1e-9, **settings
        )
        ours, best = (objective(X, y, w, C, l1_ratio, total) for w in (weights, cold.weights))
        assert abs(ours / best - 1) <= 1e-6
        assert ours / best - 1 <= 2 * gap + 1e-9
        assert gap <= 1e-6


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("storage", STORAGES)
def test_the_first_C_is_where_weights_begin(classes, l1_ratio, fit_intercept, storage):
    X, y = data(classes)
    settings = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "tol": 1e-10}
    (least,) = path(storage(X), y, Cs=1, **settings).Cs
    assert not path(storage(X), y, Cs=[least * 0.999], **settings).coefs.any()
    assert path(storage(X), y, Cs=[least * 1.001], **settings).coefs.any()


@pytest.mark.parametrize("l1_ratio", [0.7, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-9])
def test_slopes_to_first_order_prove_what_is_true(l1_ratio, fit_intercept, tol, monkeypatch):
    rng = np.random.default_rng(0)
    X = sp.random(3000, 500, 0.03, format="csr", random_state=0)
    y = (X[:, :30] @ rng.normal(size=30) * 4 + rng.logistic(size=3000) > 0.5).astype(int)
    weight = rng.integers(0, 3, 3000).astype(float)
    settings = {"Cs": 30, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "sample_weight": weight}
    best, seen, ahead = path(X, y, tol=1e-12, **settings), [], Product.ahead
    monkeypatch.setattr(Product, "ahead", lambda *args: seen.append(args) or ahead(*args))
    found = path(X, y, tol=tol, **settings)
    assert len(seen) > 15  # values of C, of which so many are proved by them
    assert found.converged.all()
    for C, ours, true, gap in zip(found.Cs, found.weights, best.weights, found.gaps, strict=True):
        ours, true = (objective(X, y, w, C, l1_ratio, weight) for w in (ours, true))
        assert -1e-12 <= ours / true - 1 <= gap + 1e-12
        assert gap <= tol


def test_signs_that_come_and_go_are_not_followed_for_ever(monkeypatch):
    rng = np.random.default_rng(260)
    X = sp.random(4000, 2000, 0.004, format="csr", random_state=260)
    z = X @ (rng.normal(size=2000) * (rng.random(2000) < 0.2))
    y = z / z.std() * 8 + rng.logistic(size=4000) > 0
    products, call = [], Product.__call__
    monkeypatch.setattr(Product, "__call__", lambda self, v: products.append(1) or call(self, v))
    assert path(X, y, Cs=12, l1_ratio=0.9).converged.all()
    assert len(products) < 10_000  # else half a million


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_a_hessian_kept_along_the_path_leads_to_the_same_weights(l1_ratio, monkeypatch):
    rng = np.random.default_rng(0)
    n, d = 4_000, 300
    X = rng.standard_normal((n, d)) + 0.7 * rng.standard_normal((n, 1))
    y = X[:, :40].sum(axis=1) / 4 + rng.logistic(size=n) > 0
    formed = []
    original = Objective.hessian

    def spied(self, *args, **known):
        formed.append(self.rows.d)
        return original(self, *args, **known)

    monkeypatch.setattr(Objective, "hessian", spied)
    found = path(X, y, Cs=40, l1_ratio=l1_ratio)
    assert d in formed[:-1]  # and fits were made after it was
    monkeypatch.undo()
    assert found.converged.all()
    for at in (20, 30, 39):
        cold = train(X, y, C=found.Cs[at], l1_ratio=l1_ratio, tol=1e-9)
        np.testing.assert_allclose(found.weights[at], cold.weights, atol=2e-4 * np.abs(cold.weights).max())


def test_the_first_C_is_known_by_hand():
    X, y = np.array([[1.0], [2.0], [4.0], [7.0]]), np.array([0, 0, 1, 1])
    slope = abs(X[:, 0] @ (expit(0.0) - y))  # of the loss, at the base rate of a half
    assert path(X, y, Cs=2).Cs[0] == pytest.approx(1 / slope, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-285, 1e-200, 1e29, 1e290])
def test_a_grid_begins_where_weights_do_whatever_the_unit(scale):
    X, y = data(2)
    X = X[:, :4] / X[:, :4].std(axis=0)
    plain, found = path(X, y, Cs=4), path(X * scale, y, Cs=4)
    np.testing.assert_allclose(found.Cs, plain.Cs / scale, rtol=1e-9)
    np.testing.assert_allclose(found.coefs * scale, plain.coefs, rtol=1e-4, atol=1e-4)
    assert found.converged.all()


def test_weak_penalties_and_heavy_rows_have_a_grid_too():
    X, y = data(2)
    heavy = path(X, y, Cs=3, sample_weight=np.full(len(y), 1e100))
    np.testing.assert_allclose(heavy.Cs, path(X, y, Cs=3).Cs / 1e100, rtol=1e-9)
    assert path(X, y, Cs=3, l1_ratio=1e-40).converged.all()
    assert not path(X, y, Cs=[1e-320]).coefs.any()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_biases_of_classes_sum_to_nought(l1_ratio):
    """No row sees what is common to all: which rows came first decided it where no L2 penalty did."""
    X, y = data(3)
    found = path(X, y, Cs=[0.1, 1.0], l1_ratio=l1_ratio)
    np.testing.assert_allclose(found.intercepts.sum(axis=1), 0, atol=1e-12)
    assert abs(train(X, y, l1_ratio=l1_ratio).weights[:, -1].sum()) < 1e-12


def test_values_of_C_span_more_where_rows_outnumber_columns_and_without_l1_are_scikit_learns():
    X, y = data(2)
    tall = path(X[:, :3], y, Cs=2)
    assert tall.Cs[1] / tall.Cs[0] == pytest.approx(1e4)
    wide = path(np.hstack([X[:20], X[40:60]]), np.arange(20) % 2, Cs=2)
    assert wide.Cs[1] / wide.Cs[0] == pytest.approx(100)
    np.testing.assert_allclose(path(X, y, Cs=5, l1_ratio=0.0).Cs, np.logspace(-4, 4, 5), rtol=1e-12)


def test_columns_of_zeros_leave_nothing_to_find():
    found = path(np.zeros((4, 2)), [0, 1, 0, 1], Cs=3)
    assert not found.coefs.any()
    assert found.converged.all()


def test_what_did_not_converge_is_said():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 1_000))
    y = X[:, :5].sum(axis=1) + rng.logistic(size=300) > 0
    with pytest.warns(UserWarning, match=r"of 5 fits stopped without reaching tol=1e-12, the first at C=.* raise max"):
        path(X, y, Cs=5, max_iter=1, tol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"Cs": 0}, "Cs must be a number of values, 1 or more"),
        ({"Cs": [1.0, -1.0]}, "Cs must hold positive finite numbers"),
        ({"Cs": [1.0, np.inf]}, "Cs must hold positive finite numbers"),
        ({"Cs": []}, "Cs must hold positive finite numbers"),
        ({"Cs": "a"}, "Cs must hold positive finite numbers"),
        ({"Cs": [1, "b"]}, "Cs must hold positive finite numbers"),
        ({"Cs": True}, "Cs must hold positive finite numbers"),
        ({"l1_ratio": 2.0}, "l1_ratio must be in"),
        ({"sample_weight": [1.0]}, "sample_weight has shape"),
    ],
)
def test_settings_are_refused_in_words(arguments, message):
    X, y = data(2)
    with pytest.raises(ValueError, match=message):
        path(X, y, **arguments)


def test_input_is_refused_in_words():
    X, y = data(2)
    with pytest.raises(ValueError, match="X has 9 rows, but y has 569 labels"):
        path(X[:9], y)
    X[5, 3] = np.nan
    with pytest.raises(ValueError, match="column 3 has NaN or infinity in 1 cell, first NaN in row 5"):
        path(X, y)


def test_columns_that_say_nothing_and_no_bias_are_a_path_all_the_same():
    y = np.arange(60) % 2
    assert not path(np.zeros((60, 3)), y, fit_intercept=False, Cs=3).weights.any()
    found = path(np.array([[1.0], [1.0], [-1.0], [-1.0]]), [0, 1, 0, 1], fit_intercept=False, Cs=3)
    assert not found.weights.any()
    with pytest.raises(ValueError, match=r"X must have rows and columns, but has shape \(60, 0\)"):
        path(sp.csr_matrix((60, 0)), y)


def test_a_value_of_c_may_be_given_twice():
    X, y = data(2)
    found = path(X, y, Cs=[0.1, 1, 1, 2])
    assert found.converged.all()
    np.testing.assert_allclose(found.coefs[1], found.coefs[2], atol=1e-5)


def test_a_missing_value_of_a_frame_is_named():
    import pandas as pd

    frame = pd.DataFrame({"age": pd.array([1.0, None, 2.0, 3.0], dtype="Float64")})
    with pytest.raises(ValueError, match="column 'age' has NaN or infinity in 1 cell, first NaN in row 1"):
        path(frame, [0, 1, 0, 1])


@pytest.mark.parametrize("classes", [2, 3])
def test_no_column_matters_and_there_is_no_bias(classes):
    """Of no column and several classes, the first to ask the rows divided by nought."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    found = path(X, np.arange(60) % classes, Cs=[1e-3, 1e-3], l1_ratio=1.0, fit_intercept=False)
    assert not found.weights.any()
    assert found.converged.all()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_a_path_of_numbers_is_that_of_separate_fits(l1_ratio):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 5))
    y = 1e3 * (X @ [3, 2, 1, 0, 0] + rng.standard_normal(80))
    targets = Targets.of(y, None, True)
    problem = PathProblem.of(X, targets, Settings(l1_ratio=l1_ratio, tol=1e-10), 1)
    found = problem.along(np.array([1e-6, 1e-3, 1]), l1_ratio)
    for C, w in zip(found.Cs, found.weights, strict=True):
        alone = train(X, y, task="regression", C=float(C), l1_ratio=l1_ratio, tol=1e-10).weights
        (here,) = targets.to_user([w])
        np.testing.assert_allclose(here, alone, rtol=1e-4, atol=1e-5 * np.abs(alone).max())


def test_what_no_path_knows_is_refused():
    for name, value in (("solver", "gd"), ("callbacks", [print]), ("C", 3.0), ("hidden_layer_sizes", (4,))):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            path([[0.0], [1.0], [2.0]], [0, 1, 0], **{name: value})


def test_a_fit_starts_where_the_last_three_point():
    """Along a parabola where there is a weight in all; twice as far where it has just come; where it is, if it goes."""
    points = [(0.0, np.array([[1.0, 0.0, 0.0, 1.0]])), (1.0, np.array([[2.0, 1.0, 0.0, 0.6]]))]
    np.testing.assert_allclose(_further(points, 2.0), [[3.0, 3.0, 0.0, 0.2]])
    points.append((3.0, np.array([[10.0, 2.0, 5.0, 0.05]])))
    np.testing.assert_allclose(_further(points, 4.0), [[17.0, 2.5, 10.0, 0.05]])
    points[1] = (1e-9, points[0][1] * (1 + 1e-9))  # so near that what bends is rounding
    np.testing.assert_allclose(_further(points, 4.0)[0, 0], 13.0)


def test_along_a_path_of_classes_no_step_leads_away_from_its_penalty(monkeypatch):
    """Beside a lesser one, whose optimum proves nothing of classes, steps were halved seventeen times: 5,731 points."""
    X, y = load_digits(return_X_y=True)
    points, evaluate = [], Objective.evaluate
    monkeypatch.setattr(Objective, "evaluate", lambda self, u, **k: (points.append(1), evaluate(self, u, **k))[1])
    assert path(X[:600], y[:600], Cs=20, tol=1e-2).converged.all()
    assert len(points) < 400


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_cell_that_the_sample_has_not_does_not_lead_a_path_astray(l1_ratio):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60_000, 10))
    y = (2 * X[:, 0] + rng.standard_normal(60_000) > 0).astype(int)
    X[30_007, 3] = 1e15
    found = path(X, y, Cs=[0.1, 1.0], l1_ratio=l1_ratio)
    z = X @ found.coefs[-1, 0] + found.intercepts[-1, 0]
    assert found.converged.all()
    assert ((z > 0) == y).mean() > 0.84


def test_two_values_of_c_that_nearly_meet_do_not_throw_the_next_start_far_off():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 8))
    y = X[:, 0] + rng.logistic(size=200) > 0
    found = path(X, y, Cs=[1.0, 1 + 1e-8, 1000.0], l1_ratio=0.5)
    assert found.converged.all()
    assert found.n_iter.max() <= 5


def test_along_a_path_single_precision_hides_nothing_either():
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((45_000, 25)).astype(np.float32)
    X = np.hstack([Z, Z + np.float32(1e-6) * rng.standard_normal(Z.shape).astype(np.float32) * Z])
    y = Z @ rng.standard_normal(25) * 0.3 + rng.logistic(size=len(Z)) > 0
    single, double = (path(table, y, Cs=[1.0, 1e10], l1_ratio=0) for table in (X, X.astype(np.float64)))
    costs = [np.logaddexp(0, np.where(y, -z, z)).sum() for z in (X @ found.coefs[-1, 0] for found in (single, double))]
    assert costs[0] <= costs[1] * (1 + 1e-5)


def test_penalties_beyond_all_floats_are_the_strongest_there_are():
    X, y = data(2)
    assert not path(X, y, Cs=[1e-200], sample_weight=np.full(len(y), 1e-200)).coefs.any()
    assert path(X, y, Cs=3, l1_ratio=1e-320).converged.all()
