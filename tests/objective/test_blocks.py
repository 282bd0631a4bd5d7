"""The arithmetic of one block: forward, backward, and rows with rows."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.objective.blocks import PANEL, PRODUCTS, WIDE, backward, between, forward, in_panels, joined
from onelayer.objective.losses import SOFTMAX

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, sp.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "d"), [(1, 3), (0, 3), (512, 5), (1031, 40), (700, 1500), (40, 15_000)])
def test_several_outputs_go_forward_and_back_with_each_ones_in_one_run(kind, dtype, n, d):
    X = RNG.standard_normal((n, d)).astype(dtype)
    w, b = RNG.standard_normal((d, 3)), RNG.standard_normal(3)
    values = np.asfortranarray(RNG.standard_normal((n, 3)))
    digits = 1e3 * np.finfo(dtype).eps * np.sqrt(max(n, d))
    z = forward(kind(X), w, b)
    np.testing.assert_allclose(z, X.astype(float) @ w + b, atol=digits)
    assert z.T.flags.c_contiguous
    back, sums = backward(kind(X), values)
    np.testing.assert_allclose(back, values.T @ X.astype(float), atol=digits)
    np.testing.assert_allclose(sums, values.sum(axis=0), atol=digits)


@pytest.mark.parametrize(("n", "p", "k"), [(7, 3, 4), (600, 5, 12), (600, PANEL, 3), (2_000, 60, 10)])
def test_products_between_classes_in_panels_are_those_of_all_at_once(n, p, k):
    A, z = RNG.standard_normal((n, p)), RNG.standard_normal((n, k))
    a = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    found = between(A.__getitem__, p, SOFTMAX, z).reshape(k, p, k, p)
    for i, j in zip(*np.triu_indices(k, 1), strict=True):
        np.testing.assert_allclose(found[i, :, j], (A * (a[:, i] * a[:, j])[:, None]).T @ A, atol=1e-11)


@pytest.mark.parametrize(
    ("n", "p"), [(5, 3), (PRODUCTS // 3 + 1, 3), (40, WIDE), (700, WIDE + 1), (2_000, 2 * WIDE + 9)]
)
def test_rows_with_rows_in_panels_are_those_of_all_at_once(n, p):
    A = RNG.standard_normal((n, p))
    found = joined(list(in_panels(A.__getitem__, n, p)))
    np.testing.assert_allclose(found, A.T @ A, atol=1e-10)
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_block_of_many_columns_is_multiplied_where_it_lies(outputs):
    """Of rows that lie column by column it is in many pieces, which NumPy's ``dot`` would first put together."""
    X = np.asfortranarray(RNG.standard_normal((4_000, 600)))[1_000:2_000]
    w = RNG.standard_normal((600, outputs)) if outputs > 1 else RNG.standard_normal(600)
    tracemalloc.start()
    z = forward(X, w, np.zeros(outputs))
    back, _ = backward(X, z)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * X.nbytes
    np.testing.assert_allclose(z, X.copy() @ w, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(back, z.T @ X.copy(), rtol=1e-10, atol=1e-8)
