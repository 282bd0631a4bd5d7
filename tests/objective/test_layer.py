"""The objective of some of the columns, or of some of the rows."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows


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


@pytest.mark.parametrize("n", [1300, 40_000])  # rows of one block, and of several
@pytest.mark.parametrize("at_hand", [0, 2**17])
@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX], ids=lambda loss: loss.name)
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("in_place", [False, True])
def test_few_columns_are_as_all_are_where_the_others_have_no_weight(
    monkeypatch, at_hand, loss, storage, n, in_place, many
):
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
