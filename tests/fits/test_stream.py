"""partial_fit: a stream comes near the fit of all its rows, whatever its units and its order of classes."""

import pickle
import re
import threading
import time

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss

from onelayer import PerceptronClassifier, PerceptronRegressor
from onelayer.fits.stream import Moments


def rows(n, classes=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    z = X @ np.random.default_rng(9).standard_normal((5, classes)) * 2
    return X, (z + rng.gumbel(size=z.shape)).argmax(axis=1)


def streamed(X, y, classes, size=100, **settings):
    model = PerceptronClassifier(**settings)
    for a in range(0, len(y), size):
        part = X[a : a + size]
        model.partial_fit(part, y[a : a + size], classes=classes if a == 0 else None)
    return model


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_a_stream_comes_near_the_fit_of_all_its_rows(classes, storage):
    X, y = rows(20_000, classes)
    held, labels = rows(5000, classes, seed=1)
    model = streamed(storage(X), y, np.arange(classes))
    best = log_loss(labels, PerceptronClassifier().fit(X, y).predict_proba(held))
    assert log_loss(labels, model.predict_proba(storage(held))) <= best * 1.01


@pytest.mark.parametrize(("factor", "shift"), [(1e8, 0), (1e-8, 0), (1, 1e5), (1e200, 0), (1e-200, 0)])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_units_change_no_prediction_of_a_stream_without_a_penalty(factor, shift, storage):
    X, y = rows(3000)
    held, _ = rows(500, seed=1)
    scale, offset = np.array([1, factor, 1, 1, 1]), np.array([0, shift, 0, 0, 0])
    expected = streamed(X, y, [0, 1], C=np.inf).predict_proba(held)
    moved = streamed(storage(X * scale + offset), y, [0, 1], C=np.inf).predict_proba(held * scale + offset)
    np.testing.assert_allclose(moved, expected, atol=1e-4)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("factor", [1e-200, 1e-8, 1e8, 1e200])
def test_a_stream_with_a_penalty_comes_near_the_fit_in_any_unit(storage, factor):
    X, y = rows(10_000)
    X[:, 1] *= factor
    model, best = streamed(storage(X), y, [0, 1]), PerceptronClassifier().fit(X, y)
    assert log_loss(y, model.predict_proba(X)) <= 1.01 * log_loss(y, best.predict_proba(X))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("offset", [0, 1990, 1e5])
def test_sparse_rows_in_parts_are_learnt_as_dense_ones_are(dtype, offset):
    """Years and one of eight: sparse columns that were not centred explained 0.70 of the variance, dense ones 0.99."""
    rng = np.random.default_rng(0)
    years, which = rng.integers(0, 31, 4000), rng.integers(0, 8, 4000)
    X = np.column_stack([years + offset, np.eye(8)[which]]).astype(dtype)
    y = 0.1 * years + rng.standard_normal(8)[which] + 0.1 * rng.standard_normal(4000)
    dense, sparse, twice = PerceptronRegressor(), PerceptronRegressor(), PerceptronRegressor()
    for a in range(0, 4000, 100):
        part = sp.csr_matrix(X[a : a + 100])
        halves = part.data / 2
        entries = np.column_stack([halves, halves]).ravel().astype(dtype), part.indices.repeat(2), 2 * part.indptr
        dense.partial_fit(part.toarray(), y[a : a + 100])
        sparse.partial_fit(part, y[a : a + 100])
        twice.partial_fit(sp.csr_matrix(entries, shape=part.shape), y[a : a + 100])
    assert dense.score(X, y) > 0.98
    np.testing.assert_allclose(sparse.predict(X), dense.predict(X), atol=1e-4)
    np.testing.assert_allclose(twice.predict(X), dense.predict(X), atol=1e-4)


def numbers(n, seed=0):
    X, _ = rows(n, seed=seed)
    return X, X @ [1, 2, -3, 4, 0] + 0.5 * np.random.default_rng(seed + 1).standard_normal(n) + 7


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("factor", [1e-200, 1.0, 1e100])
@pytest.mark.parametrize("offset", [0, 1e6])
def test_numbers_in_parts_come_near_the_fit_of_all(storage, factor, offset):
    X, y = numbers(20_000)
    model = PerceptronRegressor()
    for a in range(0, len(y), 200):
        model.partial_fit(storage(X[a : a + 200]), (y[a : a + 200] + offset) * factor)
    np.testing.assert_allclose(model.coef_ / factor, PerceptronRegressor().fit(X, y).coef_, atol=0.03)
    held, truth = numbers(2000, seed=5)
    mean_square = np.mean((model.predict(storage(held)) / factor - offset - truth) ** 2)
    assert mean_square <= 1.02 * np.mean((PerceptronRegressor().fit(X, y).predict(held) - truth) ** 2)


def test_numbers_of_weight_nought_are_not_learnt_and_a_fit_is_gone_on_from():
    X, y = numbers(4000)
    wrong = np.where(np.arange(4000) % 2, 1000 - y, y)
    fit = PerceptronRegressor().fit(X, y)
    before = fit.coef_.copy()
    fit.partial_fit(X[:1000], wrong[:1000], sample_weight=1 - np.arange(1000) % 2)
    np.testing.assert_allclose(fit.coef_, before, atol=0.2)
    assert fit.score(X, y) > 0.98
    np.testing.assert_array_equal(fit.fit(X, y).coef_, before)


@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_rows_of_weight_nought_are_as_if_they_were_not_there(estimator, hidden):
    X, y = rows(400)
    announced = {"classes": [0, 1]} if estimator is PerceptronClassifier else {}
    far = np.full((50, 5), 1e6), y[:50] if announced else np.full(50, -999e6)
    weight = np.random.default_rng(1).uniform(0.5, 2, 400)
    plain, beside = (estimator(hidden_layer_sizes=hidden) for _ in range(2))
    for a in range(0, 400, 100):
        part = slice(a, a + 100)
        plain.partial_fit(X[part], y[part], sample_weight=weight[part], **announced)
        with_far = np.vstack([far[0], X[part]]), np.concatenate([far[1], y[part]])
        beside.partial_fit(*with_far, sample_weight=np.concatenate([np.zeros(50), weight[part]]), **announced)
    np.testing.assert_array_equal(beside.predict(X), plain.predict(X))


@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_a_part_without_any_weight_changes_nothing(estimator):
    X, y = rows(200)
    announced = {"classes": [0, 1]} if estimator is PerceptronClassifier else {}
    begun = estimator().partial_fit(X[:1], y[:1], sample_weight=[0], **announced)
    with pytest.raises(NotFittedError):
        begun.predict(X)
    plain = estimator().partial_fit(X, y, **announced)
    np.testing.assert_array_equal(begun.partial_fit(X, y).coef_, plain.coef_)
    fitted = estimator().fit(X, y)
    for model in (fitted, plain):
        before = model.coef_.copy()
        model.partial_fit(X[:2] * 1e6, y[:2], sample_weight=0)
        np.testing.assert_array_equal(model.coef_, before)
    assert fitted.converged_
    half = PerceptronClassifier().partial_fit(X[:2], [0, 1], classes=[0, 1], sample_weight=[0, 1])
    np.testing.assert_array_equal(half.coef_, PerceptronClassifier().partial_fit(X[1:2], [1], classes=[0, 1]).coef_)


def test_hidden_layers_learn_numbers_from_a_stream():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (20_000, 2))
    y = 100 + 50 * X[:, 0] * X[:, 1]
    model = PerceptronRegressor(hidden_layer_sizes=(16,))
    for a in range(0, 19_000, 500):
        model.partial_fit(X[a : a + 500], y[a : a + 500])
    assert model.score(X[19_000:], y[19_000:]) > 0.95


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], [1.0, np.nan], "y contains NaN or infinity in 1 row, first NaN in row 1"),
        ([[1.0], [np.inf]], [1.0, 2.0], "column 0 has NaN or infinity in 1 cell, first infinity in row 1"),
        ([[1.0], [2.0]], [1.0], "X has 2 rows, but y has 1 number:"),
        ([[1.0, 2.0]], [1.0], "X has 2 features, but PerceptronRegressor is expecting 1 features"),
    ],
)
def test_what_a_stream_of_numbers_cannot_take_is_named_and_changes_nothing(X, y, message):
    model = PerceptronRegressor().partial_fit([[0.0], [1.0]], [1.0, 2.0])
    before = model.coef_.copy()
    with pytest.raises(ValueError, match=re.escape(message)):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(model.coef_, before)


def test_hidden_layers_learn_from_a_stream():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (20_000, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = streamed(X[:19_000], y[:19_000], [0, 1], size=500, hidden_layer_sizes=(16,))
    assert model.score(X[19_000:], y[19_000:]) >= 0.95


def test_a_part_need_not_hold_every_class_and_labels_may_be_text():
    X, y = rows(400, 3)
    names = np.array(["low", "mid", "top"])[y]
    model = PerceptronClassifier()
    for name in ("low", "mid", "top"):
        model.partial_fit(X[names == name], names[names == name], classes=["low", "mid", "top"])
    assert model.classes_.tolist() == ["low", "mid", "top"]
    assert set(model.predict(X)) <= {"low", "mid", "top"}


def test_a_stream_goes_on_from_a_fit_and_a_fit_ends_a_stream():
    X, y = rows(2000)
    fit = PerceptronClassifier().fit(X, y)
    best = log_loss(y, fit.predict_proba(X))
    assert log_loss(y, fit.partial_fit(X[:200], y[:200]).predict_proba(X)) <= best * 1.1
    again = streamed(X, y, [0, 1]).fit(X, y)
    np.testing.assert_array_equal(again.coef_, PerceptronClassifier().fit(X, y).coef_)


@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_a_part_in_which_a_column_is_constant_does_not_unlearn_its_weight(storage, hidden):
    """A dummy that a part has not: its weight was set to 0, as that of a column is which has never been another."""
    X, y = numbers(2000)
    X[:, 4] = np.arange(2000) < 200
    y = y + 5 * X[:, 4]
    model = PerceptronRegressor(hidden_layer_sizes=hidden).fit(storage(X), y)
    before = model.score(storage(X), y)
    model.partial_fit(storage(X[1000:1200]), y[1000:1200])
    assert 1 - model.score(storage(X), y) < 1.2 * (1 - before)


def test_rows_of_a_fit_count_in_the_penalty_of_what_goes_on_from_it():
    X, y = numbers(2000)
    model = PerceptronRegressor(C=0.1).fit(X, y)
    before = model.coef_.copy()
    np.testing.assert_allclose(model.partial_fit(X[:20], y[:20]).coef_, before, atol=0.2)


def test_steps_that_overflow_are_said_to():
    X, y = rows(100)
    with pytest.raises(ValueError, match="the steps overflow: lower learning_rate"):
        PerceptronClassifier(learning_rate=1e300).partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_a_rate_that_leads_away_is_said_to_once(estimator, hidden):
    X, y = rows(400)
    announced = {"classes": [0, 1]} if estimator is PerceptronClassifier else {}
    model = estimator(hidden_layer_sizes=hidden, learning_rate=1e3)
    with pytest.warns(ConvergenceWarning, match="steps by learning_rate=1000 lead away: .* use learning_rate='auto'"):
        model.partial_fit(X[:100], y[:100], **announced)
    model.partial_fit(X[:100], y[:100])
    model = estimator(hidden_layer_sizes=hidden, learning_rate=0.1 if not hidden else 0.01)
    for part in np.split(np.arange(400), 40):
        model.partial_fit(X[part], y[part], **announced)


def test_a_rate_may_be_left_to_be_found_later():
    X, y = rows(400)
    model = PerceptronClassifier(learning_rate=0.1).partial_fit(X, y, classes=[0, 1])
    assert model.set_params(learning_rate="auto").partial_fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_a_number_too_far_from_those_before_is_named(storage):
    X, y = rows(100)
    far = np.where(np.arange(100)[:, None] == 7, [0, 1e200, 0, 0, 0], X)
    for model, announced in ((PerceptronClassifier(), {"classes": [0, 1]}), (PerceptronRegressor(), {})):
        model.partial_fit(storage(X), y, **announced)
        with pytest.raises(ValueError, match=r"column 1 has 1e\+200 in row 7, which is too far from the rows before"):
            model.partial_fit(storage(far), y, sample_weight=np.arange(100) != 3)
    with pytest.raises(ValueError, match=r"y has 1e\+200 in row 7, which is too far from the rows before"):
        model.partial_fit(storage(X), far[:, 1])
    named = pd.DataFrame(X, columns=list("abcde")), pd.DataFrame(far, columns=list("abcde"))
    with pytest.raises(ValueError, match=r"column 'b' has 1e\+200 in row 7"):
        PerceptronRegressor().partial_fit(named[0], y).partial_fit(named[1], y)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_what_is_left_of_a_constant_is_no_column_and_no_unit(storage):
    """The mean of 0.1s is not 0.1: from what was left of them grew weights of 1e16."""
    X, y = rows(400)
    model, plain, constant = PerceptronClassifier(C=np.inf), PerceptronClassifier(C=np.inf), PerceptronRegressor()
    beside = np.column_stack([X, np.full(400, 0.1)])
    for part in np.split(np.arange(400), 40):
        model.partial_fit(storage(beside[part]), y[part], classes=[0, 1])
        plain.partial_fit(storage(X[part]), y[part], classes=[0, 1])
        constant.partial_fit(storage(X[part]), np.full(10, 0.1))
    np.testing.assert_allclose(model.coef_, np.append(plain.coef_, 0)[None], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(constant.predict(X), 0.1, rtol=1e-12)


def test_classes_must_be_announced_at_the_first_call():
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        PerceptronClassifier().partial_fit(*rows(100))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, X, y: m.partial_fit(X, y, classes=[0, 1, 2]), "classes are [0, 1] since the first call"),
        (lambda m, X, y: m.partial_fit(X, y + 5), "partial_fit got label 5 in row"),
        (lambda m, X, y: m.partial_fit(X * np.nan, y), "column 0 has NaN or infinity in 400 cells"),
        (lambda m, X, y: m.partial_fit(X, np.where(y, "a", "b")), "which is none of the classes"),
        (lambda m, X, y: m.partial_fit(X, np.array(["a", 1] * 200, dtype=object)), "which have no order beside"),
        (lambda m, X, y: m.partial_fit(X, y[:-1]), "X has 400 rows, but y has 399 labels"),
    ],
)
def test_what_a_stream_cannot_take_is_named(call, message):
    X, y = rows(400)
    model = streamed(X, y, [0, 1])
    with pytest.raises(ValueError, match=re.escape(message)):
        call(model, X, y)


def test_balanced_weights_need_all_rows():
    with pytest.raises(ValueError, match="class_weight='balanced' needs all rows at once"):
        PerceptronClassifier(class_weight="balanced").partial_fit(*rows(100), classes=[0, 1])


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_moments_of_parts_are_those_of_the_whole(storage):
    X = np.random.default_rng(0).standard_normal((1000, 3)) * [1, 10, 0.1] + [0, 100, 5]
    X[np.abs(X) < 0.5] = 0
    moments = Moments.none(3)
    for part in np.split(X, [10, 400, 401]):
        moments.add(storage(part), centred=True)
    np.testing.assert_allclose(moments.mean * moments.unit, X.mean(axis=0), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(moments.square * moments.unit**2, X.var(axis=0), rtol=1e-11)


@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_what_a_fit_has_proved_is_not_told_of_weights_that_have_moved(estimator):
    X, y = rows(100)
    model = estimator().fit(X, y)
    assert model.converged_
    model.partial_fit(X, y)
    for name in ("converged_", "optimality_gap_", "gap_kind_", "history_", "notices_"):
        assert not hasattr(model, name)
    assert model.predict(X).shape == (100,)


@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_a_first_part_that_is_refused_leaves_nothing_behind(estimator):
    X, y = rows(100, 3)
    announced = {"classes": [0, 1]} if estimator is PerceptronClassifier else {}
    model = estimator()
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(np.where(X > 2, np.nan, X), y.clip(max=1), **announced)
    announced = {"classes": [0, 1, 2]} if announced else {}
    model.partial_fit(X[:, :2], y, **announced)
    assert model.coef_.shape[-1] == 2


@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_a_later_part_that_is_refused_changes_nothing(estimator):
    X, y = rows(200)
    announced = {"classes": [0, 1]} if estimator is PerceptronClassifier else {}
    model, plain = (estimator().partial_fit(X[:100], y[:100], **announced) for _ in range(2))
    with pytest.raises(ValueError, match="overflow"):
        model.partial_fit(X[:100], y[:100], sample_weight=np.full(100, 1e300))
    for each in (model, plain):
        each.partial_fit(X[100:], y[100:])
    np.testing.assert_array_equal(model.coef_, plain.coef_)


def test_an_l1_penalty_needs_all_rows():
    X, y = rows(100)
    with pytest.raises(ValueError, match="l1_ratio above 0 needs all rows at once"):
        PerceptronClassifier(l1_ratio=0.5).partial_fit(X, y, classes=[0, 1])


def test_weights_of_rows_and_of_classes_are_multiplied():
    X, y = rows(200)
    weight = np.random.default_rng(1).uniform(0.5, 2, 200)
    both = PerceptronClassifier(class_weight={0: 3.0}).partial_fit(X, y, classes=[0, 1], sample_weight=weight)
    product = PerceptronClassifier().partial_fit(X, y, classes=[0, 1], sample_weight=weight * np.where(y == 0, 3, 1))
    np.testing.assert_allclose(both.coef_, product.coef_, rtol=1e-12)


@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_a_stream_goes_on_after_a_pickle_whatever_watches_it(estimator, hidden):
    X, y = rows(200)
    announced = {"classes": [0, 1]} if estimator is PerceptronClassifier else {}
    model = estimator(hidden_layer_sizes=hidden).partial_fit(X[:100], y[:100], **announced)
    again = pickle.loads(pickle.dumps(model))
    for each in (model, again):
        each.partial_fit(X[100:], y[100:])
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    watched = estimator(callbacks=[threading.Lock().acquire]).partial_fit(X, y, **announced)
    pickle.dumps(watched.partial_fit(X, y).set_params(callbacks=None))


def test_a_part_of_a_hundred_thousand_columns_is_looked_at_at_once():
    X = sp.random(100, 100_000, 1e-3, format="csr", random_state=0)
    started = time.perf_counter()
    PerceptronClassifier().partial_fit(X, np.arange(100) % 2, classes=[0, 1])
    assert time.perf_counter() - started < 5  # columns one by one took twenty seconds


def test_steps_with_hidden_layers_are_those_of_the_adam_that_was_asked_for():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((64, 3))
    y = X[:, 0] > 0
    told = [{}, {"beta_1": 0.5}, {"beta_2": 0.9}, {"epsilon": 0.1}]
    found = [
        PerceptronClassifier(hidden_layer_sizes=(4,), **each).partial_fit(X, y, classes=[False, True]).coefs_[0]
        for each in told
    ]
    for other in found[1:]:
        assert not np.allclose(found[0], other, rtol=1e-6)


def test_settings_that_change_between_parts_count_from_then_on():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 3))
    y = X[:, 0] > 0
    model = PerceptronClassifier().partial_fit(X, y, classes=[False, True])
    before = np.abs(model.coef_).max()
    model.set_params(C=1e-9)
    for _ in range(50):
        model.partial_fit(X, y)
    assert np.abs(model.coef_).max() < 0.1 * before
