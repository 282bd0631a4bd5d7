"""The Hessian times a vector: how logits move along it, and what slopes to first order leave."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows

RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, 4))
WEIGHT = RNG.uniform(0.5, 2, 120)


def objective(storage=np.asarray, classes=2, weight=None, dtype=float):
    y = RNG.integers(0, classes, 120)
    loss, k, y = (SIGMOID, 1, y.astype(float)) if classes == 2 else (SOFTMAX, classes, y)
    total = 120.0 if weight is None else float(weight.sum())
    return Objective(
        Rows(storage(X.astype(dtype)), y, weight), loss, k, np.full(4, 0.1), total, True, None, np.full(4, 2.0)
    )


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_logits_move_as_the_point_does(storage, classes):
    f = objective(storage, classes)
    u = RNG.standard_normal(f.shape)
    product, end = f.product(u), u
    for step in (0.5, -2.0):
        v = RNG.standard_normal(f.shape)
        product(v)
        product.along(step)
        end = end + step * v
    before, after = (np.concatenate(f.logits(at)) for at in (u, end))
    np.testing.assert_allclose(before + np.concatenate(product.moved), after, rtol=1e-12, atol=1e-12)


def test_in_single_precision_nothing_is_followed():
    """Its rounding would add up."""
    product = objective(dtype=np.float32).product(np.zeros((1, 5)))
    product(np.ones((1, 5)))
    product.along(1.0)
    assert product.moved is None
    assert product.defect() == np.inf


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_what_is_ahead_is_first_order(weight):
    f = objective(weight=weight)
    u, v = RNG.standard_normal((2, *f.shape))
    product = f.product(u)
    product(v)
    product.along(0.01)
    (logits,), (slopes,), defect = product.ahead(0.02)
    end = u + 0.01 * v
    end[:, -1] += 0.02
    each = np.ones(120) if weight is None else weight
    np.testing.assert_allclose(logits, f.logits(end)[0], rtol=1e-12)
    exact = each * (expit(logits) - f.rows.y)
    assert 0 < np.abs(slopes - exact).max() < 1e-3 * np.abs(exact).max()
    # what Fenchel's inequality lacks of slopes that are not the logits' own is of their difference's square
    assert 0 < defect < 1e-6


def test_rows_that_are_few_tell_about_the_same():
    f = objective()
    product = f.product(np.zeros((1, 5)))
    product(np.ones((1, 5)))
    product.along(0.1)
    assert product.defect() == pytest.approx(product.ahead(0.0)[2], rel=1.0)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_the_mean_curvature_is_the_biases(storage, weight):
    f = objective(storage, weight=weight)
    u = RNG.standard_normal(f.shape)
    assert f.product(u).mean_curvature()[0] == pytest.approx(f.hessian(u)[-1, -1], rel=1e-12)
