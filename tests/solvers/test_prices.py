"""What is prepared before steps are solved has its price in products, by the shape of the rows."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows
from onelayer.solvers import prices

STORAGES = [np.asarray, sp.csr_matrix]


def objective(n, d, k=1, storage=np.asarray):
    rows = Rows(storage(np.ones((n, d))), np.arange(n) % max(k, 2))
    return Objective(rows, SIGMOID if k == 1 else SOFTMAX, k, np.ones(d), float(n))


@pytest.mark.parametrize("storage", STORAGES)
def test_a_hessian_costs_more_products_the_more_columns_and_none_that_outgrows_the_rows_is_formed(storage):
    found = [prices.hessian(objective(2_000, d, storage=storage)) for d in (10, 2_000, 3_900)]
    assert 0 < found[0] <= found[1] < found[2] < math.inf
    assert prices.hessian(objective(20, 2_100, storage=storage)) == math.inf
    assert prices.hessian(objective(20, 2_100, storage=storage), few=2_200) < math.inf


@pytest.mark.parametrize("storage", STORAGES)
def test_blocks_cost_less_than_the_hessian_and_one_output_has_none(storage):
    f = objective(2_000, 40, 5, storage)
    assert prices.blocks(f) < prices.hessian(f)
    assert prices.blocks(objective(2_000, 40, storage=storage)) == math.inf
    assert prices.blocks(objective(2_000, 600, 5, storage)) == math.inf


def test_the_space_of_the_rows_is_worth_it_where_they_are_far_fewer_than_columns():
    assert prices.row_space(objective(100, 150)) == math.inf
    assert prices.row_space(objective(100, 5_000)) < prices.row_space(objective(400, 5_000)) < math.inf
    assert prices.row_space(objective(400, 5_000, 4)) < prices.row_space(objective(400, 5_000))


@pytest.mark.parametrize(
    ("n", "d", "k", "sampled", "at_once"),
    [
        (1_000_000, 40, 1, False, True),
        (1_000_000, 60, 1, False, False),
        (500, 60, 1, False, True),  # a trifle
        (1_000_000, 60, 1, True, True),
        (1_000_000, 60, 10, True, False),
    ],
)
def test_a_hessian_is_formed_at_once_where_it_costs_no_more_than_some_products(n, d, k, sampled, at_once):
    f = objective(2, d, k)
    f.rows.n = n
    assert prices.paid_at_once(f, sampled=sampled) == at_once
