"""The objective's derivatives against finite differences: sources × losses × coordinates."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.objective.blocks import forward
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


def many(loss, storage, dtype=float, n=1300):
    """Rows enough for several runs of a product, and a rest."""
    rng = np.random.default_rng(1)
    k = 4 if loss is SOFTMAX else 1
    Z = rng.standard_normal((n, 5)).astype(dtype)
    rows = Rows(storage(Z), rng.integers(0, max(k, 2), n), rng.uniform(0.5, 2, n))
    f = Objective(rows, loss, k, np.full(5, 0.1), rows.weight.sum(), True, np.full(5, 0.5), np.full(5, 2.0))
    return Z, f, rng.standard_normal(f.shape)


@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, sp.csr_matrix])
def test_rows_of_several_runs_have_the_sums_of_single_rows(loss, storage):
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
def test_logits_known_near_a_point_give_what_a_forward_pass_does(loss, storage):
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
def test_slopes_to_first_order_have_the_gradient_of_the_quadratic_model(storage):
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
def test_without_weights_the_logits_are_the_biases(loss, storage, dtype):
    f, u = many(loss, storage, dtype)[1:]
    u[:, :-1] = 0
    nearly = u.copy()
    nearly[:, 0] = 1e-30  # not nought, but nothing
    (value, gradient), (expected, slope) = f.value_gradient(u), f.value_gradient(nearly)
    assert value == pytest.approx(expected, rel=1e-6 if dtype is np.float32 else 1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=0, atol=1e-6 if dtype is np.float32 else 1e-14)


@pytest.mark.parametrize(("d", "dense"), [(12, True), (400, False)])
def test_a_sample_of_sparse_rows_is_dense_only_where_that_takes_less_than_the_rows(d, dense):
    X = sp.random(40_000, d, density=5 / d, format="csr", random_state=0)
    rows = Rows(X, np.zeros(40_000, dtype=np.int8))
    whole = Objective(rows, SIGMOID, 1, np.full(d, 1e-4), 40_000.0)
    sample = whole.sample(np.arange(0, 40_000, 4), None, 10_000.0)
    assert sample.rows.sparse is not dense
    u = np.full((1, d + 1), 0.1)
    expected = replace(whole, rows=Rows(X[::4].toarray(), rows.y[::4]), total_weight=10_000.0).value(u)
    assert sample.value(u) == pytest.approx(expected, rel=1e-6)


def test_in_single_precision_moved_logits_are_not_summed():
    f, u = many(SIGMOID, np.asarray, np.float32)[1:]
    product = f.product(u)
    product(u)
    product.along(1.0)
    assert product.moved is None


@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_balanced_biases_leave_slopes_that_sum_to_nought_and_their_logits_are_known(loss, storage):
    _, f, u = many(loss, storage)
    for known in ({}, {"logits": f.logits(u)}, {"logits": f.logits(u), "slopes": f.value_gradient(u)[1][:, -1]}):
        there, logits = f.balanced(u, **known)
        np.testing.assert_array_equal(there[:, :-1], u[:, :-1])
        assert np.abs(f.value_gradient(there)[1][:, -1]).max() < 1e-14
        value, gradient, _ = f.evaluate(there, logits=logits)
        assert value == pytest.approx(f.value(there), rel=1e-14)
        np.testing.assert_allclose(gradient, f.value_gradient(there)[1], atol=1e-14)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_no_rounding_of_single_precision_bends_or_slopes_what_is_common_to_all_classes(storage):
    _, f, u = many(SOFTMAX, storage, np.float32)
    common = np.tile(RNG.standard_normal(u.shape[1]), (f.outputs, 1))
    np.testing.assert_allclose(f.value_gradient(u)[1].mean(axis=0), (f.ridge * u).mean(axis=0), atol=1e-15)
    np.testing.assert_allclose(f.product(u)(common).mean(axis=0), f.ridge * common[0], atol=1e-15)
    np.testing.assert_allclose(f.hessian(u) @ common.ravel(), (f.ridge * common).ravel(), atol=1e-13)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_without_weights_the_hessian_of_classes_is_blocks_in_other_directions(storage):
    _, f, u = many(SOFTMAX, storage)
    u[:, :-1] = 0
    directions, blocks = f.block_diagonal(u)
    v = RNG.standard_normal(u.shape)
    v[:, f.ridge == 0] -= v[:, f.ridge == 0].mean(axis=0)  # what is common to all classes is not bent at all there
    found = directions @ np.einsum("kij,kj->ki", blocks, directions.T @ v)
    np.testing.assert_allclose(found, f.product(u)(v), atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [500, 1797])
def test_logits_of_many_classes_are_the_same_whichever_way_round_they_are_multiplied(n, dtype):
    Z, W, b = (RNG.standard_normal(shape).astype(dtype) for shape in ((n, 64), (64, 10), 10))
    off = 400 * np.finfo(dtype).eps  # sums of 64 products of numbers about 1
    np.testing.assert_allclose(forward(Z, W, b), Z.astype(float) @ W + b, rtol=0, atol=off)


@pytest.mark.parametrize("n", [1300, 40_000])  # rows of one block, and of several
@pytest.mark.parametrize("at_hand", [0, 2**17])
@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("in_place", [False, True])
def test_few_columns_are_as_all_are_where_the_others_have_no_weight(monkeypatch, at_hand, loss, storage, n, in_place):
    monkeypatch.setattr("onelayer.rows.sparse.AT_HAND", at_hand)
    for name, value in {"SET_ENTRIES": 0, "SHARE": 100, "SPARSE_SHARE": 100}.items() if in_place else ():
        monkeypatch.setattr(f"onelayer.rows.sources.{name}", value)
    _, f, u = many(loss, storage, n=n)
    kept = np.array([0, 3])
    u[:, [1, 2, 4]] = 0
    few, inside = f.of_columns(kept), np.append(kept, 5)
    assert (few.scale is None) == (at_hand > 0)
    value, gradient = f.value_gradient(u)
    assert few.value_gradient(u[:, inside])[0] == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(few.value_gradient(u[:, inside])[1], gradient[:, inside], rtol=1e-10, atol=1e-14)
    every = (np.arange(f.outputs)[:, None] * 6 + inside).ravel()
    np.testing.assert_allclose(few.hessian(u[:, inside]), f.hessian(u)[np.ix_(every, every)], rtol=1e-10, atol=1e-14)


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
def test_classes_have_the_mean_of_their_blocks(storage):
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


def test_the_biases_of_rows_that_are_all_sure_are_balanced_too():
    y = np.array([0.0, 1.0])
    f = Objective(Rows(np.array([[-1.0], [1.0]]), y), SIGMOID, 1, np.ones(1), 2.0)
    u = np.array([[33.0, 0.5]])  # slopes of 1e-15
    balanced, _ = f.balanced(u, None, f.value_gradient(u)[1][:, -1])
    assert abs(balanced[0, 1]) < 1e-9


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, sp.csr_matrix])
def test_rows_chosen_for_their_slopes_know_what_all_rows_say(storage, loss, weighted):
    """Of a class in three rows of a thousand, rows by chance would know a twentieth as well."""
    rng = np.random.default_rng(0)
    n, k = 100_000, 3 if loss is SOFTMAX else 1
    X = rng.standard_normal((n, 4))
    logits = np.column_stack([7 + 0 * X[:, 0], *(X[:, :1] + X[:, j : j + 1] for j in range(1, max(k, 2)))])
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    weight = rng.uniform(0.5, 2, n) if weighted else None
    rows = Rows(storage(X), y if k > 1 else y.astype(float), weight)
    f = Objective(rows, loss, k, np.full(4, 1e-4), n if weight is None else weight.sum(), True, None, np.full(4, 2.0))
    u = np.zeros(f.shape)
    u[0 if k > 1 else -1, -1] = 6.0 if k > 1 else -6.0
    some = f.surprising(u, 5_000)
    assert 3_000 < some.rows.n < 5_100
    by_chance = f.sample(np.arange(0, n, 20), None if weight is None else weight[::20], f.total_weight / 20)
    (truth, g, _), (value, found, _), (_, other, _) = (part.evaluate(u) for part in (f, some, by_chance))
    assert value == pytest.approx(truth, rel=0.02)
    assert np.linalg.norm(found - g) < 0.1 * np.linalg.norm(g)
    assert np.linalg.norm(found - g) < 0.5 * np.linalg.norm(other - g)


def test_rows_without_weight_are_not_chosen():
    rng = np.random.default_rng(0)
    weight = (np.arange(40_000) % 3 > 0).astype(float)
    rows = Rows(rng.standard_normal((40_000, 2)), rng.integers(0, 2, 40_000).astype(float), weight)
    f = Objective(rows, SIGMOID, 1, np.full(2, 0.1), weight.sum())
    assert (f.surprising(np.zeros((1, 3)), 5_000).rows.weight > 0).all()
