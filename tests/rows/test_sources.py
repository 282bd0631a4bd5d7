"""Rows in blocks: the same sums, in the same order, for any number of threads; results of blocks in one array."""

import threading
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.rows.sources import BLOCKS, CHUNK_ENTRIES, Rows, by_blocks

RNG = np.random.default_rng(0)


def rows(n, d, jobs=1, storage=np.asarray):
    X = np.random.default_rng(1).standard_normal((n, d))
    return Rows(storage(X), np.arange(n), jobs=jobs)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_sums_are_the_same_to_the_last_bit_for_any_number_of_threads(storage):
    sums = [rows(300_000, 3, jobs, storage).total(lambda X, y, w: (X.sum(axis=0), y.sum())) for jobs in (1, 2, 5)]
    for one in sums[1:]:
        np.testing.assert_array_equal(np.asarray(one[0]), np.asarray(sums[0][0]))
    assert sums[0][1] == 300_000 * 299_999 // 2


@pytest.mark.parametrize("shape", [(7, 3), (CHUNK_ENTRIES // 10, 20), (300_000, 2), (1000, 5000)])
def test_blocks_hold_every_row_once_and_enough_of_them_for_threads(shape):
    source = rows(*shape)
    assert np.array_equal(np.concatenate([np.arange(shape[0])[span] for span in source.spans]), np.arange(shape[0]))
    if source.chunks > 1:
        assert len(source.spans) >= min(source.chunks, BLOCKS)


def test_a_sample_holds_the_rows_it_was_asked_for_whatever_their_number():
    source = rows(60_000, 12)
    for count in (5, 3_000, 40_000):
        chosen = np.sort(RNG.choice(60_000, count, replace=False))
        taken = source.take(chosen, None, lambda X: X * 2)
        np.testing.assert_array_equal(taken.X, 2 * source.X[chosen])
        np.testing.assert_array_equal(taken.y, chosen)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("n", [10, 250_000])
def test_results_of_blocks_come_in_one_array_in_the_order_of_rows(storage, jobs, n):
    X = RNG.standard_normal((n, 4))
    w = np.array([1.0, -2.0, 0.5, 3.0])
    found = by_blocks(storage(X), lambda block: np.column_stack([block @ w, -(block @ w)]), jobs)
    np.testing.assert_allclose(found[:, 0], X @ w, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found[:, 1], -found[:, 0])


def test_answers_of_other_blocks_are_cut_to_these():
    X = np.zeros((40_000, 50))
    few = Rows(X[:, :1], X[:, 0])
    parts = Rows(X, X[:, 0]).each(lambda X, y, weight: np.arange(len(X)))
    assert len(parts) != len(few.spans)
    assert [len(part) for part in few.cut(parts)] == [span.stop - span.start for span in few.spans]
    np.testing.assert_array_equal(np.concatenate(few.cut(parts)), np.concatenate(parts))


@pytest.mark.parametrize("few_rows", [False, True])
@pytest.mark.parametrize("often", [False, True])
def test_some_columns_of_sparse_rows_are_those_columns_however_they_are_taken(monkeypatch, few_rows, often):
    monkeypatch.setattr("onelayer.rows.sources.COPIED_ENTRIES", 2**30 if few_rows else 0)
    monkeypatch.setattr("onelayer.rows.sources.SET_ENTRIES", 0)
    X = sp.random(120_000, 40, 0.3, format="csr", random_state=0)
    source, kept = Rows(X, np.arange(120_000), jobs=2), np.array([3, 7, 8, 30])
    assert len(source.spans) > 1
    few = source.of_columns(kept, often=often)
    assert np.concatenate([block.toarray() for block in few.blocks]).tolist() == X[:, kept].toarray().tolist()
    assert few.entries == X[:, kept].nnz
    of_few = few.of_columns(np.array([1, 3]), often=often)
    assert np.concatenate([block.toarray() for block in of_few.blocks]).tolist() == X[:, [7, 30]].toarray().tolist()
    chosen = np.sort(RNG.choice(120_000, 500, replace=False))
    taken = of_few.take(chosen, None, lambda X: X)
    np.testing.assert_array_equal(taken.X.toarray(), X[chosen][:, [7, 30]].toarray())
    np.testing.assert_array_equal(taken.y, chosen)


@pytest.mark.parametrize("sparse", [False, True])
def test_many_columns_stay_where_they_are(sparse):
    X = RNG.standard_normal((30_000, 50)) * (RNG.random((30_000, 50)) < 0.9 if sparse else 1.0)
    source, kept = Rows(sp.csr_matrix(X) if sparse else X, np.arange(30_000), jobs=2), np.arange(3, 43)
    many = source.of_columns(kept)
    assert many.d == len(kept)
    assert all(np.shares_memory(a.data, b.data) for a, b in zip(many.blocks, source.blocks, strict=True))
    w = RNG.standard_normal((1, 40))
    np.testing.assert_allclose(
        np.concatenate([block @ many.to_all_columns(w)[0] for block in many.blocks]), X[:, kept] @ w[0]
    )
    assert many.chosen(np.arange(50)).tolist() == kept.tolist()
    chosen = np.sort(RNG.choice(30_000, 500, replace=False))
    taken = many.take(chosen, None, lambda X: X.toarray() if sparse else X)
    np.testing.assert_array_equal(taken.X, X[chosen][:, kept])
    few = many.of_columns(np.array([1, 3]))
    np.testing.assert_array_equal(
        np.concatenate([block.toarray() if sparse else block for block in few.blocks]), X[:, kept[[1, 3]]]
    )


def test_a_sum_is_the_same_for_any_number_of_threads():
    parts = list(RNG.standard_normal((40, 7)) * 10.0 ** RNG.integers(-9, 9, (40, 1)))
    alone, among = (Rows(np.zeros((4, 1)), np.zeros(4), jobs=jobs).sum_of(lambda x: x.copy(), parts) for jobs in (1, 3))
    assert alone.tolist() == among.tolist()
    np.testing.assert_allclose(alone, sum(parts), rtol=1e-14, atol=1e-15 * np.abs(parts).max())


def test_summands_do_not_pile_up_behind_a_thread_that_is_held_back():
    made, most, others = [], [], threading.Semaphore(0)

    def summand(i):
        if i == 0:
            for _ in range(50):
                assert others.acquire(timeout=10)
        part = np.ones(3)
        made.append(weakref.ref(part))
        most.append(sum(ref() is not None for ref in made))
        others.release()
        return part

    whole = Rows(np.zeros((4, 1)), np.zeros(4), jobs=2).sum_of(summand, range(64))
    assert whole.tolist() == [64.0, 64, 64]
    assert max(most) <= 10


def test_other_threads_treat_errors_as_this_one_does():
    source = rows(300_000, 3, jobs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(over="ignore"):
            (total,) = source.total(lambda X, y, weight: (np.exp(X + 1000).max(),))
    assert total == np.inf


LAYOUTS = {
    "by column": np.asfortranarray,
    "with gaps": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_however_rows_lie_they_are_the_same(layout):
    rng = np.random.default_rng(0)
    plain = rng.standard_normal((70_000, 12))
    X, y, w = LAYOUTS[layout](plain), rng.standard_normal(70_000), rng.standard_normal(12)
    assert len(Rows(X, y).spans) > 1
    here, there = (Rows(rows, y) for rows in (plain, X))
    for a, b in zip(*(rows.total(lambda X, y, _: (X.T @ y, (X @ w) @ y)) for rows in (here, there)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    some, columns = np.arange(3, 70_000, 11), np.array([1, 4, 11])
    np.testing.assert_array_equal(there.take(some, None, lambda X: X).X, plain[some])
    np.testing.assert_array_equal(there.of_columns(columns).X, plain[:, columns])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_some_rows_are_taken_without_a_copy_of_all(layout):
    """Of a data frame's values, which lie column by column, NumPy's `take` made one for each part of a sample."""
    X = LAYOUTS[layout](np.ones((200_000, 12)))
    rows = Rows(X, np.ones(200_000))
    tracemalloc.start()
    rows.take(np.arange(0, 200_000, 100), None, lambda X: X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * X.nbytes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_product_finds_its_block_in_one_piece(layout):
    X = LAYOUTS[layout](np.ones((200_000, 12)))
    pieces = Rows(X, np.ones(200_000)).each(lambda X, y, weight: X.flags.c_contiguous or X.flags.f_contiguous)
    assert len(pieces) > 1
    assert all(pieces)
