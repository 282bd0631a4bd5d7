"""Sparse matrices that share their entries: the same numbers as SciPy's own, and no copy."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.rows.sources import Rows
from onelayer.rows.sparse import RUN, ByColumn, row_run, row_runs, rows_of, summed_up, with_entries

X = sp.random(1000, 40, density=0.1, format="csr", random_state=0)


@pytest.mark.parametrize("span", [slice(0, 1000), slice(300, 350), slice(999, 1000)])
def test_a_run_of_rows_is_that_of_scipy_and_so_is_its_transpose(span):
    run = row_run(X, span)
    np.testing.assert_array_equal(run.toarray(), X[span].toarray())
    np.testing.assert_array_equal(run.T.toarray(), X[span].T.toarray())
    np.testing.assert_array_equal(ByColumn(run.tocsc()).T.toarray(), X[span].T.toarray())


def test_neither_blocks_nor_their_transposes_copy_an_entry():
    many = sp.random(100_000, 300, density=0.05, format="csr", random_state=0)
    rows = Rows(many, np.zeros(100_000))
    assert len(rows.blocks) == 4
    for block in rows.blocks:
        for matrix in (block, block.T):
            assert np.shares_memory(matrix.data, many.data)
            assert np.shares_memory(matrix.indices, many.indices)


def test_other_entries_stand_in_the_same_cells():
    squares = with_entries(X, X.data**2)
    np.testing.assert_array_equal(squares.toarray(), X.toarray() ** 2)
    assert np.shares_memory(squares.indices, X.indices)


def test_runs_of_rows_are_all_rows_in_order_and_none_is_long():
    many = sp.random(100_000, 300, density=0.03, format="csr", random_state=0)
    runs = list(row_runs(many))
    assert len(runs) > 2
    assert [span.start for span, _ in runs[1:]] == [span.stop for span, _ in runs[:-1]]
    assert all(run.nnz <= 1.1 * RUN for _, run in runs)
    assert (sp.vstack([run for _, run in runs]) != many).nnz == 0
    assert [span for span, _ in row_runs(X)] == [slice(0, 1000)]
    assert [run.shape for _, run in row_runs(sp.csr_matrix((3, 5)))] == [(3, 5)]


@pytest.mark.parametrize("prepare", [lambda X: with_entries(X, X.data.astype(np.float32)), lambda X: X.toarray() * 2])
def test_some_rows_are_taken_a_run_at_a_time(prepare):
    many = sp.random(60_000, 300, density=0.05, format="csr", random_state=0)
    for count in (7, 50_000):
        chosen = np.sort(np.random.default_rng(0).choice(60_000, count, replace=False))
        runs = []

        def see(X, runs=runs):
            runs.append(X.nnz)
            return prepare(X)

        taken = rows_of(many, chosen, see)
        expected = prepare(many[chosen])
        assert type(taken) is type(expected) or sp.issparse(taken)
        assert taken.dtype == expected.dtype
        assert abs(taken - expected).max() == 0
        assert max(runs) <= 1.1 * RUN


def test_a_cell_of_two_entries_is_one_of_their_sum_and_what_was_given_stays_as_it_is():
    twice = sp.csr_matrix((np.array([1.0, 2.0, 4.0]), np.array([1, 1, 0]), np.array([0, 3])), shape=(1, 2))
    assert summed_up(twice).data.tolist() == [4, 3]
    assert twice.data.tolist() == [1, 2, 4]
    for as_it_is in (X, X[:5].toarray()):
        assert summed_up(as_it_is) is as_it_is
