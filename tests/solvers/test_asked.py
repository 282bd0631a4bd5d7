"""What solvers ask of rows, every kind of rows answers; of objectives, the type checker sees to it."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.rows import sources
from onelayer.rows.sources import Rows
from onelayer.solvers import asked

X = np.random.default_rng(0).standard_normal((40, 6))
Y = np.zeros(40)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_every_kind_of_rows_answers(storage, monkeypatch):
    monkeypatch.setattr(sources, "SET_ENTRIES", 0)  # else so few columns are always copied
    rows, some = Rows(storage(X), Y, jobs=1), np.array([1, 2, 4])
    kinds = [rows, rows.of_columns(some, often=True), rows.of_columns(some), rows.take(some, None, lambda X: X)]
    assert len({type(kind) for kind in kinds}) > 1
    for kind in kinds:
        for name in asked.Rows.__annotations__:
            assert hasattr(kind, name), f"{type(kind).__name__} has no {name}"
        parts = [np.arange(10), np.arange(10, kind.n)] if kind.n > 10 else [np.arange(kind.n)]
        assert np.array_equal(np.concatenate(kind.cut(parts)), np.arange(kind.n))
        assert kind.precision == np.finfo(np.float64).eps
        assert kind.entries > 0
