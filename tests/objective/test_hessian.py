"""The Hessian and its parts, against finite differences and one another: sources × losses × coordinates."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.objective.layer import Objective
from onelayer.objective.losses import IDENTITY, SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3)) + 1


def objective(loss, storage, implicit, bias):
    k = 3 if loss is SOFTMAX else 1
    y = RNG.integers(0, max(k, 2), 40)
    weight = RNG.uniform(0.5, 2, 40)
    mean = np.array([1.0, 2.0, -1.0]) if implicit and bias else None
    scale = np.array([2.0, 0.5, 1.0]) if implicit else None
    rows = Rows(storage(X), y if k > 1 else y.astype(float), weight)
    return Objective(rows, loss, k, np.array([0.3, 0.1, 0.7]), weight.sum(), bias, mean, scale)


@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX, IDENTITY], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, sp.csr_matrix])
@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_gradient_hessian_and_product_agree(loss, storage, implicit, bias):
    f = objective(loss, storage, implicit, bias)
    u = RNG.standard_normal(f.shape)
    gradient = f.value_gradient(u)[1]
    H = f.hessian(u)
    product = f.product(u)
    for i, direction in enumerate(np.eye(u.size)):
        step = 1e-5 * direction.reshape(u.shape)
        slope = (f.value(u + step) - f.value(u - step)) / 2e-5
        assert gradient.ravel()[i] == pytest.approx(slope, rel=1e-6, abs=1e-8)
        bend = (f.value_gradient(u + step)[1] - f.value_gradient(u - step)[1]).ravel() / 2e-5
        np.testing.assert_allclose(H[i], bend, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(product(direction.reshape(u.shape)).ravel(), H[i], rtol=1e-10, atol=1e-13)
    R = f.triangle(f.logits(u))
    np.testing.assert_allclose(R.T @ R, H, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_without_weights_the_hessian_of_classes_is_blocks_in_other_directions(storage, many):
    _, f, u = many(SOFTMAX, storage)
    u[:, :-1] = 0
    directions, blocks = f.block_diagonal(u)
    v = RNG.standard_normal(u.shape)
    v[:, f.ridge == 0] -= v[:, f.ridge == 0].mean(axis=0)  # what is common to all classes is not bent at all there
    found = directions @ np.einsum("kij,kj->ki", blocks, directions.T @ v)
    np.testing.assert_allclose(found, f.product(u)(v), atol=1e-13)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("implicit", [False, True])
def test_second_moments_are_those_of_scaled_columns(storage, implicit):
    f = objective(SIGMOID, storage, implicit, True)
    share = RNG.uniform(0.5, 2, 40)
    scaled = (X - f.mean) / f.scale if implicit else X
    found = f.second_moments([share])
    np.testing.assert_allclose(found, (share * f.rows.weight) @ scaled**2 / f.total_weight, rtol=1e-12)
    some = np.array([0, 2])
    np.testing.assert_allclose(f.of_columns(some).second_moments([share]), found[some], rtol=1e-12)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_classes_have_the_mean_of_their_blocks(storage, many):
    _, f, u = many(SOFTMAX, storage)
    k, p = f.shape
    blocks = f.hessian(u).reshape(k, p, k, p)
    own = np.mean([blocks[i, :, i] for i in range(k)], axis=0)
    np.testing.assert_allclose(f.mean_block(f.logits(u)), own, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("k", [1, 5])
def test_a_triangle_has_the_hessian_and_no_more_lines_than_the_rows(k):
    rng = np.random.default_rng(0)
    y = rng.integers(0, max(k, 2), 6)
    rows = Rows(rng.standard_normal((6, 40)), y if k > 1 else y.astype(float))
    f = Objective(rows, SOFTMAX if k > 1 else SIGMOID, k, np.zeros(40), 6.0)
    u = rng.standard_normal(f.shape) / 10
    R = f.triangle(f.logits(u))
    assert len(R) <= 6 * max(k - 1, 1)
    np.testing.assert_allclose(R.T @ R, f.hessian(u), atol=1e-12)
