"""Columns: coordinates that undo units and offsets, for every storage, and whose penalties rule no step."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer import PerceptronClassifier
from onelayer.data.columns import SMALL, Columns, not_finite
from onelayer.settings import SOLVERS

UNITS = {
    "as it is": (1, 0),
    "1e8": (1e8, 0),
    "1e-8": (1e-8, 0),
    "1e200": (1e200, 0),
    "1e-200": (1e-200, 0),
    "offset 1e6": (1, 1e6),
    "offset 1e9": (1, 1e9),
}


def rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 6))
    return X, (X @ np.linspace(-1, 1, 6) + 0.5 * rng.logistic(size=n) > 0).astype(int)


@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, sp.csr_matrix])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("n", [300, SMALL // 6 + 1])
def test_columns_of_any_unit_are_standardised_and_weights_come_back(storage, unit, n):
    factor, shift = UNITS[unit]
    X, _ = rows(n)
    X[:, 5] = X[:, 5] * factor + shift
    columns = Columns.of(storage(X), fit_intercept=True)
    assert not columns.constant.any()
    u = np.random.default_rng(1).standard_normal((2, 7))
    weights = columns.to_user(u)
    np.testing.assert_allclose(columns.from_user(weights), u, rtol=1e-9, atol=1e-9 + 1e-15 * shift)
    source = columns.rows(storage(X), np.zeros(n), None, 1)
    raw = np.concatenate([np.asarray(block) for block in source.each(lambda X, y, weight: X @ np.eye(6))])
    mean = 0 if columns.implicit_mean is None else columns.implicit_mean
    Z = (raw - mean) / (1 if columns.implicit_scale is None else columns.implicit_scale)
    if not (sp.issparse(storage(X)) and columns.explicit):  # sparse rows far from 0 cannot be centred
        np.testing.assert_allclose(Z.std(axis=0), 1, rtol=0.05)
        np.testing.assert_allclose(Z.mean(axis=0), 0, atol=0.2)
    with np.errstate(over="ignore"):
        expected, found = X @ weights[:, :6].T + weights[:, 6], Z @ u[:, :6].T + u[:, 6]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 + 1e-15 * shift)


@pytest.mark.parametrize("strength", [0.0, 1e-12, 1e-3, 1e6])
def test_braced_columns_bend_no_more_by_the_penalty_than_by_the_rows(strength):
    X, _ = rows()
    X *= [1, 1e-3, 1e-8, 1e-200, 1e8, 1e200]
    columns = Columns.of(X, fit_intercept=True)
    braced = columns.braced(strength)
    assert (braced.penalty(strength) <= 1 + 1e-12).all()
    slight = columns.penalty(strength) < 1e-9
    np.testing.assert_allclose(braced.scale[slight], columns.scale[slight], rtol=1e-9)
    u = np.ones((1, 7))
    np.testing.assert_allclose(braced.from_user(braced.to_user(u)), u, rtol=1e-9)


@pytest.mark.parametrize("solver", [solver for solver in SOLVERS if solver != "auto"])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_solver_learns_columns_of_any_unit(solver, C, storage, unit):
    factor, shift = UNITS[unit]
    X, y = rows()
    X[:, 5] = X[:, 5] * factor + shift
    model = PerceptronClassifier(C=C, solver=solver).fit(storage(X), y)
    best = PerceptronClassifier(C=C, tol=1e-9).fit(X, y)
    assert model.history_[-1].cost <= best.history_[-1].cost * (1 + 1e-4)
    if np.isinf(C):  # then units change no prediction
        assert best.history_[-1].cost == pytest.approx(PerceptronClassifier(C=C).fit(*rows()).history_[-1].cost)


def test_a_sparse_column_of_ones_has_weight_nought():
    X, y = rows()
    X = np.column_stack([X, np.full(len(y), 3.3)])
    model = PerceptronClassifier().fit(sp.csr_matrix(X), y)
    assert model.coef_[0, 6] == 0
    assert "column 6 is constant: weight 0" in model.notices_
    np.testing.assert_allclose(model.coef_[0, :6], PerceptronClassifier().fit(*rows()).coef_[0], rtol=1e-9)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("settings", [{}, {"solver": "gd"}, {"hidden_layer_sizes": (4,)}])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_column_too_small_for_any_weight_has_none(storage, C, settings):
    X, y = rows()
    tiny = np.column_stack([X, 5e-324 * (y == 1)])
    model = PerceptronClassifier(C=C, **settings).fit(storage(tiny), y)
    first = model.coefs_[0].T if "hidden_layer_sizes" in settings else model.coef_
    assert np.isfinite(first).all()
    assert np.isfinite(model.predict_proba(storage(tiny))).all()
    assert "column 6 is constant: weight 0" in model.notices_
    if "hidden_layer_sizes" not in settings:
        assert first[0, 6] == 0


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("settings", [{}, {"solver": "adam", "max_iter": 5}, {"hidden_layer_sizes": (4,)}])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_constant_column_has_no_weight_at_all(C, settings):
    X, y = rows()
    model = PerceptronClassifier(C=C, **settings).fit(np.column_stack([X, np.full(len(y), 3.3)]), y)
    first = model.coefs_[0].T if "hidden_layer_sizes" in settings else model.coef_
    assert not first[:, 6].any()
    other = np.column_stack([X, np.full(len(y), 1000.0)])
    np.testing.assert_array_equal(model.predict_proba(other)[:, 0] > 0.5, model.predict(other) == 0)
    assert model.score(other, y) > 0.8


def test_sparse_cells_given_in_two_parts_are_their_sum():
    X, y = rows()
    X[:, 5] += 1e6
    whole = sp.csr_matrix(X)
    halves = sp.csr_matrix((np.repeat(whole.data / 2, 2), np.repeat(whole.indices, 2), whole.indptr * 2), whole.shape)
    assert halves.nnz == 2 * whole.nnz
    model = PerceptronClassifier(C=np.inf).fit(halves, y)
    assert model.history_[-1].cost == pytest.approx(PerceptronClassifier(C=np.inf).fit(X, y).history_[-1].cost)


def test_a_sparse_cell_that_is_no_number_is_named_with_its_column_and_row():
    X = np.eye(50, 4)
    X[17, 2] = np.inf
    X = sp.csr_matrix(X)
    assert not_finite(X, ["a", "b", "c", "d"]) == (
        "column 'c' has NaN or infinity in 1 cell, first infinity in row 17: drop these rows or fill them first"
    )
    assert not_finite(X[:17]) is None


@pytest.mark.parametrize("dtype", [float, np.float32, int])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_the_copy_that_a_look_leaves_is_the_standardised_one(layout, dtype):
    X = layout((100 * rows()[0] + 7).astype(dtype))
    columns = Columns.of(X, True)
    left, made = (columns.rows(Z, np.zeros(400), None, 1).X for Z in (X, X.copy()))
    np.testing.assert_array_equal(left, made)
    np.testing.assert_allclose((left.mean(axis=0), left.std(axis=0)), ([0] * 6, [1] * 6), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "changed", [lambda columns, X: columns.within_reach(X), lambda columns, X: columns.braced(1e3)]
)
def test_of_other_scales_no_copy_is_left(changed):
    X = rows()[0]
    columns = changed(Columns.of(X, True), X)
    Z = columns.rows(X, np.zeros(400), None, 1).X
    np.testing.assert_allclose(Z, (X / columns.unit - columns.mean) / columns.scale, rtol=1e-12)
