"""Rows, losses and points that tests of objectives share."""

import numpy as np
import pytest

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SOFTMAX
from onelayer.rows.sources import Rows


@pytest.fixture
def many():
    """Features, an objective and a point of it: rows enough for several runs of a product, and a rest."""

    def drawn(loss, storage, dtype=float, n=1300):
        rng = np.random.default_rng(1)
        k = 4 if loss is SOFTMAX else 1
        Z = rng.standard_normal((n, 5)).astype(dtype)
        rows = Rows(storage(Z), rng.integers(0, max(k, 2), n), rng.uniform(0.5, 2, n))
        f = Objective(rows, loss, k, np.full(5, 0.1), rows.weight.sum(), True, np.full(5, 0.5), np.full(5, 2.0))
        return Z, f, rng.standard_normal(f.shape)

    return drawn
