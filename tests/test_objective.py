"""The objective's derivatives against finite differences: sources × losses × coordinates."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.losses import IDENTITY, SIGMOID, SOFTMAX
from onelayer.objective import Objective
from onelayer.sources import Rows

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
