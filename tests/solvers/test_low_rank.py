"""The Hessian of few rows: what is asked of it is what the matrix says, and an L1 fit of few rows needs no matrix."""

import numpy as np
import pytest

from onelayer import PerceptronClassifier
from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows
from onelayer.solvers.low_rank import LowRank, part
from onelayer.solvers.splitting import by_splitting

RNG = np.random.default_rng(0)


def drawn(classes, *, weighted=False, bias=True):
    """An objective of nine rows and eleven columns, and a point of it."""
    X, k = RNG.standard_normal((9, 11)), 1 if classes == 2 else classes
    rows = Rows(X, RNG.integers(0, classes, 9), RNG.random(9) if weighted else None)
    mean, scale = RNG.standard_normal(11), RNG.random(11) + 0.5
    objective = Objective(rows, SIGMOID if k == 1 else SOFTMAX, k, RNG.random(11), 9.0, bias, mean, scale)
    return objective, RNG.standard_normal(objective.shape)


def low_rank_of(objective, u):
    return LowRank.of_all(*objective.rows_and_roots(objective.logits(u)), objective.ridge)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_it_is_the_hessian_that_the_objective_forms(classes, weighted, bias):
    objective, u = drawn(classes, weighted=weighted, bias=bias)
    H, low, v = objective.hessian(u), low_rank_of(objective, u), RNG.standard_normal(u.size)
    np.testing.assert_allclose(low.dense(), H, atol=1e-13)
    np.testing.assert_allclose(low @ v, H @ v, atol=1e-13)
    np.testing.assert_allclose(low.diagonal(), H.diagonal(), atol=1e-13)
    some, size = np.array([0, 3, u.size - 1]), np.array([0.5, 2.0, 3.0])
    scaled = part(low, some).scaled(size)
    expected = part(H, some) / size / size[:, None]
    np.testing.assert_allclose(scaled.dense(), expected, atol=1e-13)
    np.testing.assert_allclose(scaled @ v[:3], expected @ v[:3], atol=1e-13)
    solved = scaled.shifted()(0.3)(v[:3])
    np.testing.assert_allclose(expected @ solved + 0.3 * solved, v[:3], atol=1e-12)


@pytest.mark.parametrize("classes", [2, 4])
def test_copies_of_the_weights_find_the_same_minimum_with_it(classes):
    objective, u = drawn(classes)
    low, (_, gradient) = low_rank_of(objective, u), objective.value_gradient(u)
    H, linear, ridge = low.dense(), gradient.ravel() - low @ u.ravel(), np.tile(objective.ridge, len(u))
    lasso = np.tile(np.append(np.full(11, 0.05), 0.0), len(u))

    def value(v):
        return v @ (H @ v / 2 + linear) + lasso @ np.abs(v)

    found, expected = (by_splitting(hessian, linear, lasso, u.ravel(), ridge) for hessian in (low, H))
    assert value(found) == pytest.approx(value(expected), rel=1e-6)
    assert np.array_equal(found == 0, expected == 0)


def test_few_rows_of_many_columns_and_classes_arrive_without_a_matrix():
    """Of 7,000 weights no model was made, and the fit ended ten seconds and a hundred iterations later, far above."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 40)) @ rng.standard_normal((40, 2_400)) * 0.3 + 100 * rng.standard_normal(2_400)
    y = rng.permutation(np.repeat([0, 1, 2], [5, 53, 2]))
    model = PerceptronClassifier(C=100.0, l1_ratio=0.3, class_weight="balanced", fit_intercept=False).fit(X, y)
    assert model.converged_
    assert model.n_iter_[0] < 30
