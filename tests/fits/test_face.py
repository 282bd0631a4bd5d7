"""What both estimators share: weights shown and taken back, shapes of X, settings that outlive a fit."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from onelayer import PerceptronClassifier, PerceptronClassifierCV, PerceptronRegressor
from onelayer.fits import face

BOTH = [PerceptronClassifier, PerceptronRegressor]


def rows(n=60, d=3):
    X = np.random.default_rng(0).standard_normal((n, d))
    return X, (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
def test_weights_shown_are_weights_taken_back(estimator, hidden):
    X, y = rows()
    model = estimator(hidden_layer_sizes=hidden).fit(X, y)
    stack = face.kept_stack(model)
    assert [w.shape for w in stack] == [(b, a + 1) for a, b in zip((3, *hidden), (*hidden, 1), strict=True)]
    before = model.predict(X)
    keep = getattr(model, "_keep", lambda stack: face.keep_weights(model, stack))  # one weight a column: one axis
    keep(stack)
    np.testing.assert_array_equal(model.predict(X), before)
    assert face.warm_stack(model, 3, 1) is not None
    assert face.warm_stack(model, 4, 1) is None
    assert face.warm_stack(model, 3, 2) is None


@pytest.mark.parametrize("estimator", BOTH)
def test_what_is_set_after_a_fit_is_for_the_next_one(estimator):
    X, y = rows()
    for hidden, other in (((4,), ()), ((), (4,))):
        model = estimator(hidden_layer_sizes=hidden).fit(X, y)
        before = model.predict(X)
        np.testing.assert_array_equal(model.set_params(hidden_layer_sizes=other).predict(X), before)
        model.fit(X, y)
        assert hasattr(model, "coefs_") == bool(other)
        assert hasattr(model, "coef_") != bool(other)
    model = estimator(hidden_layer_sizes=(4,)).fit(X, y)
    before = model.predict(X)
    for activation in ("tanh", "foo"):
        np.testing.assert_array_equal(model.set_params(activation=activation).predict(X), before)


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("began", "then"),
    [
        ({}, {"hidden_layer_sizes": (4,)}),
        ({"hidden_layer_sizes": (4,)}, {"hidden_layer_sizes": ()}),
        ({"hidden_layer_sizes": (4,)}, {"activation": "tanh"}),
        ({}, {"fit_intercept": False}),
    ],
)
def test_what_decides_which_weights_there_are_cannot_be_changed_under_them(estimator, method, began, then):
    X, y = rows()
    announced = {"classes": [0, 1]} if (estimator, method) == (PerceptronClassifier, "partial_fit") else {}
    model = getattr(estimator(**began), method)(X, y, **announced)
    before = model.predict(X)
    (name,) = then
    with pytest.raises(ValueError, match=f"{name} was .* when the weights were learnt, and is .* now: set it back"):
        model.set_params(**then).partial_fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    model.set_params(**{name: began.get(name, estimator().get_params()[name])}).partial_fit(X, y)


@pytest.mark.parametrize("estimator", BOTH)
def test_a_fit_that_is_refused_changes_nothing(estimator):
    X, y = rows()
    announced = {"classes": [0, 1]} if estimator is PerceptronClassifier else {}
    model, plain = (estimator().partial_fit(X, y, **announced) for _ in range(2))
    for wrong in (np.full((60, 2), np.nan), np.full((60, 3), np.inf)):
        with pytest.raises(ValueError, match="column 0 has NaN or infinity"):
            model.fit(wrong, y)
    np.testing.assert_array_equal(model.partial_fit(X, y).coef_, plain.partial_fit(X, y).coef_)


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_was_refused_at_first_is_not_fitted(estimator, method):
    X, y = rows()
    announced = {"classes": [0, 1]} if (estimator, method) == (PerceptronClassifier, "partial_fit") else {}
    model = estimator()
    with pytest.raises(ValueError, match="column 0 has NaN"):
        getattr(model, method)(X * np.nan, y, **announced)
    with pytest.raises(NotFittedError):
        model.predict(X)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8, bool])
def test_one_row_and_many_are_answered_alike(estimator, hidden, dtype):
    X, y = rows()
    X = X.astype(dtype) if dtype is not np.int8 else (X * 20).astype(dtype)
    model = estimator(hidden_layer_sizes=hidden).fit(X, y)
    answers = model.predict(X)
    assert answers.shape == (60,)
    np.testing.assert_allclose([model.predict(row[None])[0] for row in X], answers, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("dtype", [np.int8, bool, np.float16, np.float32, np.longdouble])
@pytest.mark.parametrize("storage", [sp.csr_matrix, sp.coo_matrix])
def test_entries_of_any_type_are_added_up_as_numbers(estimator, hidden, dtype, storage):
    """Two entries of one cell: of 60 and 70, 8 bits make -126, and of True and True a bool one."""
    cells = (np.array([[60, 70, 1], [1, 2, 3], [70, 60, 2], [3, 1, 2]] * 20)).ravel().astype(dtype)
    i, j, y = np.repeat(np.arange(80), 3), np.tile([0, 0, 1], 80), np.tile([1, 0, 1, 0], 20)
    X = sp.coo_matrix((np.zeros(240), (i, j)), shape=(80, 2))
    X = X if storage is sp.coo_matrix else sp.csr_matrix((np.zeros(240), j, np.arange(0, 241, 3)), shape=(80, 2))
    X.data, dense = cells, np.zeros((80, 2))
    np.add.at(dense, (i, j), cells.astype(np.float64))
    model, plain = (estimator(hidden_layer_sizes=hidden).fit(each, y) for each in (X, dense))
    np.testing.assert_allclose(model.predict(X), plain.predict(dense), rtol=1e-4, atol=1e-4)
    announced = {"classes": [0, 1]} if estimator is PerceptronClassifier else {}
    streamed, plain = (
        estimator(hidden_layer_sizes=hidden).partial_fit(x, y, **announced) for x in (X, sp.csr_matrix(dense))
    )
    np.testing.assert_allclose(streamed.predict(X), plain.predict(dense), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("estimator", BOTH)
def test_answers_to_long_doubles_are_doubles(estimator):
    X, y = rows()
    model = estimator().fit(X.astype(np.longdouble), y)
    assert getattr(model, "predict_proba", model.predict)(X.astype(np.longdouble)).dtype == np.float64


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones(3), "X has one axis, of 3 numbers"),
        (np.ones((0, 3)), "0 sample"),
        (np.ones((2, 2)), "X has 2 features, but Perceptron.* is expecting 3 features"),
        (np.full((1, 3), np.nan), "column 0 has NaN or infinity in 1 cell, first NaN in row 0"),
    ],
)
def test_rows_that_cannot_be_answered_are_refused(estimator, X, message):
    for hidden in ((), (4,)):
        with pytest.raises(ValueError, match=message):
            estimator(hidden_layer_sizes=hidden).fit(*rows()).predict(X)


def test_a_warning_that_is_an_error_is_no_refusal():
    X, y = load_breast_cancer(return_X_y=True)
    model = PerceptronClassifier(solver="gd", max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning):
            model.fit(X, y)
    assert model.n_iter_[0] == 1
    assert len(model.predict(X)) == len(y)


def test_a_stream_that_was_warned_of_has_learnt_all_the_same():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    y = (X[:, 0] > 0).astype(int)
    model = PerceptronClassifier(learning_rate=1e3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        raised = 0
        for start in range(0, 400, 50):
            try:
                model.partial_fit(X[start : start + 50], y[start : start + 50], classes=[0, 1])
            except ConvergenceWarning:
                raised += 1
    assert raised == 1
    assert model.n_iter_[0] >= 8


def test_truths_of_numpy_are_truths():
    X, y = load_breast_cancer(return_X_y=True)
    model = PerceptronClassifier(fit_intercept=np.True_).fit(X, y)
    assert model.partial_fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("estimator", [PerceptronClassifier(), PerceptronClassifierCV(cv=3, Cs=3)])
def test_a_warning_of_a_callback_that_is_an_error_is_a_refusal(estimator):
    X, y = load_breast_cancer(return_X_y=True)
    model = clone(estimator).fit(X, y)
    before = model.predict(X)
    settings = (
        {"callbacks": [lambda seen: warnings.warn("x", stacklevel=1)]} if "C" in model.get_params() else {"cv": 1}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((UserWarning, ValueError)):
            model.set_params(**settings).fit(X[:, :3], y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_a_choice_of_c_that_was_warned_of_is_kept():
    X, y = load_breast_cancer(return_X_y=True)
    model = PerceptronClassifierCV(cv=3, Cs=3, max_iter=1, tol=1e-14)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning):
            model.fit(X, y)
    assert model.n_features_in_ == 30
    assert len(model.predict(X)) == len(y)
