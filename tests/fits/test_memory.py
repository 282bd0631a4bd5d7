"""What a fit holds beside the rows: little where they are wide, and with an L1 penalty one working set at a time."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model  # noqa: F401 - what a fit imports is not of the rows

from onelayer import PerceptronClassifier
from onelayer.fits.training import train
from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows


def peak_of(f):
    tracemalloc.start()
    found = f()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak


@pytest.mark.parametrize(
    ("n", "d", "settings", "most"),
    [
        (200, 14_000, {}, 0.2),
        (12_000, 900, {}, 0.2),
        (4_000, 1_500, {"C": 0.02, "l1_ratio": 1.0}, 0.3),
        (16_000, 600, {"C": 0.02, "l1_ratio": 1.0}, 0.3),
        (400_000, 20, {}, 0.3),
        (2_000_000, 5, {}, 0.2),
    ],
)
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])  # the latter as of a data frame
def test_a_fit_holds_little_beside_the_rows(n, d, settings, most, layout):
    rng = np.random.default_rng(0)
    X = layout(rng.standard_normal((n, d)))
    y = X[:, :5].sum(axis=1) + rng.logistic(size=n) > 0
    train(X[:60], y[:60], **settings)  # nor what else is imported on the way
    found, peak = peak_of(lambda: train(X, y, **settings))
    assert found.converged
    assert found.weights[0, :-1].any()
    assert peak < most * X.nbytes, f"{peak / X.nbytes:.2f} times the data"


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int64, bool])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_whole_numbers_are_fitted_as_they_are_and_never_copied_whole(dtype, layout):
    rng = np.random.default_rng(0)
    X = layout((rng.standard_normal((300_000, 16)) * 20).clip(-128, 127).astype(np.int8).astype(dtype))
    score = X[:, :5].sum(axis=1, dtype=float)
    y = (score - score.mean()) / score.std() + rng.logistic(size=len(X)) > 0
    PerceptronClassifier().fit(X[:60], y[:60])
    model, peak = peak_of(lambda: PerceptronClassifier().fit(X, y))
    answers, beside = peak_of(lambda: model.predict_proba(X))
    doubles = X.astype(np.float64)
    assert peak < 0.4 * doubles.nbytes, f"{peak / doubles.nbytes:.2f} times the rows in doubles"
    assert beside < 0.4 * doubles.nbytes + answers.nbytes
    plain = PerceptronClassifier().fit(doubles, y)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_allclose(answers, plain.predict_proba(doubles), rtol=1e-12)


@pytest.mark.parametrize(("settings", "most"), [({}, 0.68), ({"C": 0.3, "l1_ratio": 1.0}, 0.8)])
def test_a_fit_of_many_rare_words_holds_some_numbers_for_each_and_a_sixteenth_of_the_rows(settings, most):
    rng = np.random.default_rng(0)
    n, each, d = 100_000, 40, 60_000
    words = ((rng.zipf(1.3, n * each) - 1) % d).astype(np.int32)
    X = sp.csr_matrix((rng.random(n * each), words, np.arange(0, n * each + 1, each)), shape=(n, d))
    X.sum_duplicates()
    y = X @ rng.standard_normal(d) + rng.logistic(size=n) > 0
    train(X[:60], y[:60], **settings)
    found, peak = peak_of(lambda: train(X, y, **settings))
    size = X.data.nbytes + X.indices.nbytes
    assert found.converged
    assert peak < most * size, f"{peak / size:.2f} times the data"


@pytest.mark.parametrize(("d", "classes", "most"), [(1_000, 2, 2.2), (60, 12, 2.2)])
def test_while_a_hessian_is_made_hardly_more_than_another_is_in_memory(d, classes, most):
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, 4_000)
    rows, loss, k = Rows(rng.standard_normal((4_000, d)), y, jobs=1), SIGMOID, 1
    if classes > 2:
        loss, k = SOFTMAX, classes
    objective = Objective(rows, loss, k, np.ones(d), 4_000.0)
    u = np.zeros(objective.shape)
    hessian, peak = peak_of(lambda: objective.hessian(u, objective.logits(u)))
    assert peak < most * hessian.nbytes, f"{peak / hessian.nbytes:.2f} times the Hessian"


def test_a_fit_of_sparse_rows_holds_little_beside_them():
    rng = np.random.default_rng(0)
    n, each = 100_000, 60
    entries, columns = rng.random(n * each), rng.integers(0, 2_000, n * each).astype(np.int32)
    X = sp.csr_matrix((entries, columns, np.arange(0, n * each + 1, each)), shape=(n, 2_000))
    y = np.asarray(X[:, :50].sum(axis=1))[:, 0] + 0.3 * rng.logistic(size=n) > 0.75
    train(X[:60], y[:60])
    found, peak = peak_of(lambda: train(X, y))
    size = X.data.nbytes + X.indices.nbytes
    assert found.converged
    assert peak < 0.2 * size, f"{peak / size:.2f} times the data"


def test_a_triangle_of_many_classes_holds_little_beside_itself():
    rng = np.random.default_rng(0)
    k, y = 20, rng.integers(0, 20, 3_000)
    f = Objective(Rows(rng.standard_normal((3_000, 10)), y), SOFTMAX, k, np.ones(10), 3_000.0)
    logits = f.logits(np.zeros(f.shape))
    R, peak = peak_of(lambda: f.triangle(logits))
    assert peak < 20 * R.nbytes
