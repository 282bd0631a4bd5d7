"""Value, gradient and logits: of runs of rows, near a point that is known, beside the best biases."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.objective.blocks import forward
from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, sp.csr_matrix])
def test_rows_of_several_runs_have_the_sums_of_single_rows(loss, storage, many):
    Z, f, u = many(loss, storage)
    z = ((Z - 0.5) / 2) @ u[:, :-1].T + u[:, -1]
    A = np.column_stack([(Z - 0.5) / 2, np.ones(len(Z))])
    y, weight = f.rows.y, f.rows.weight
    slope = loss.slope(z, y) if f.outputs > 1 else loss.slope(z[:, 0], y)[:, None]
    ridge = f.ridge * u
    expected = (slope * weight[:, None]).T @ A / f.total_weight + ridge
    np.testing.assert_allclose(f.value_gradient(u)[1], expected, rtol=1e-11, atol=1e-14)
    bend = loss.curvature(z) if f.outputs > 1 else loss.curvature(z[:, 0])[:, None, None]
    H = np.einsum("n,nij,na,nb->iajb", weight, bend, A, A).reshape(u.size, u.size) / f.total_weight
    np.testing.assert_allclose(f.hessian(u), H + np.diag(np.tile(f.ridge, f.outputs)), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_logits_known_near_a_point_give_what_a_forward_pass_does(loss, storage, many):
    f, u = many(loss, storage)[1:]
    first, second = (np.random.default_rng(i).standard_normal(u.shape) for i in (2, 3))
    product = f.product(u)
    product(first)
    product.along(0.5)
    product(second)
    product.along(-2.0)
    there = u + 0.25 * (0.5 * first - 2 * second)
    value, gradient, logits = f.evaluate(there, keep=True, near=(f.logits(u), product.moved, 0.25))
    expected = f.evaluate(there, keep=True)
    assert value == pytest.approx(expected[0], rel=1e-13)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(np.concatenate(logits), np.concatenate(expected[2]), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_slopes_to_first_order_have_the_gradient_of_the_quadratic_model(storage, many):
    f, u = many(SIGMOID, storage)[1:]
    v = 0.01 * np.random.default_rng(2).standard_normal(u.shape)
    product, shift = f.product(u), 1e-3
    assert product.defect() == np.inf
    bent = product(v)
    product.along(2.0)
    about = product.defect()
    logits, slopes, defect = product.ahead(shift)
    there = u + 2 * v
    there[:, -1] += shift
    common = np.zeros_like(u)
    common[:, -1] = shift
    value, gradient, _ = f.evaluate(there, logits=logits, slopes=slopes)
    expected = f.value_gradient(u)[1] + 2 * bent + product(common)
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-14)
    assert value == pytest.approx(f.value(there), rel=1e-13)
    assert about / 3 <= defect <= 3 * about  # of every eighth row, all weighing alike
    assert 0 < defect < 1e-3


@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_without_weights_the_logits_are_the_biases(loss, storage, dtype, many):
    f, u = many(loss, storage, dtype)[1:]
    u[:, :-1] = 0
    nearly = u.copy()
    nearly[:, 0] = 1e-30  # not nought, but nothing
    (value, gradient), (expected, slope) = f.value_gradient(u), f.value_gradient(nearly)
    assert value == pytest.approx(expected, rel=1e-6 if dtype is np.float32 else 1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=0, atol=1e-6 if dtype is np.float32 else 1e-14)


def test_in_single_precision_moved_logits_are_not_summed(many):
    f, u = many(SIGMOID, np.asarray, np.float32)[1:]
    product = f.product(u)
    product(u)
    product.along(1.0)
    assert product.moved is None


@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_balanced_biases_leave_slopes_that_sum_to_nought_and_their_logits_are_known(loss, storage, many):
    _, f, u = many(loss, storage)
    for known in ({}, {"logits": f.logits(u)}, {"logits": f.logits(u), "slopes": f.value_gradient(u)[1][:, -1]}):
        there, logits = f.balanced(u, **known)
        np.testing.assert_array_equal(there[:, :-1], u[:, :-1])
        assert np.abs(f.value_gradient(there)[1][:, -1]).max() < 1e-14
        value, gradient, _ = f.evaluate(there, logits=logits)
        assert value == pytest.approx(f.value(there), rel=1e-14)
        np.testing.assert_allclose(gradient, f.value_gradient(there)[1], atol=1e-14)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_no_rounding_of_single_precision_bends_or_slopes_what_is_common_to_all_classes(storage, many):
    _, f, u = many(SOFTMAX, storage, np.float32)
    common = np.tile(RNG.standard_normal(u.shape[1]), (f.outputs, 1))
    np.testing.assert_allclose(f.value_gradient(u)[1].mean(axis=0), (f.ridge * u).mean(axis=0), atol=1e-15)
    np.testing.assert_allclose(f.product(u)(common).mean(axis=0), f.ridge * common[0], atol=1e-15)
    np.testing.assert_allclose(f.hessian(u) @ common.ravel(), (f.ridge * common).ravel(), atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [500, 1797])
def test_logits_of_many_classes_are_the_same_whichever_way_round_they_are_multiplied(n, dtype):
    Z, W, b = (RNG.standard_normal(shape).astype(dtype) for shape in ((n, 64), (64, 10), 10))
    off = 400 * np.finfo(dtype).eps  # sums of 64 products of numbers about 1
    np.testing.assert_allclose(forward(Z, W, b), Z.astype(float) @ W + b, rtol=0, atol=off)


def test_the_biases_of_rows_that_are_all_sure_are_balanced_too():
    y = np.array([0.0, 1.0])
    f = Objective(Rows(np.array([[-1.0], [1.0]]), y), SIGMOID, 1, np.ones(1), 2.0)
    u = np.array([[33.0, 0.5]])  # slopes of 1e-15
    balanced, _ = f.balanced(u, None, f.value_gradient(u)[1][:, -1])
    assert abs(balanced[0, 1]) < 1e-9
