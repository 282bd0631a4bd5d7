"""Steps beside an L1 penalty: signs cut them off, and a model's minimum is taken where it proves the gap asked for."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.columns import Columns
from onelayer.labels import Labels
from onelayer.problem import Problem
from onelayer.settings import Settings
from onelayer.solvers import Watch, proximal
from onelayer.solvers.place import Place, duality_gap
from onelayer.solvers.walk import Walk


def asked(X, y, C, l1_ratio=1.0):
    """The objective of these rows, and where a fit starts."""
    problem = Problem.of(X, Labels.of(y, None, None, None), Columns.of(X, True), Settings(C=C, l1_ratio=l1_ratio))
    return problem.objective, problem.start(None)


def drawn(seed, n=800, d=60):
    rng = np.random.default_rng(seed)
    X = sp.csr_matrix(rng.standard_normal((n, d)) * (rng.random((n, d)) < 0.2))
    return X, X @ (rng.standard_normal(d) * (rng.random(d) < 0.4)) + rng.logistic(size=n) > 0


def optimum(objective, start, tol=1e-10):
    return proximal(objective, start, tol=tol, max_iter=100, watch=Watch()).known


def test_a_weight_that_would_change_its_sign_stops_at_nought():
    X, y = drawn(0)
    objective, start = asked(X, y, 1.0)
    best = optimum(objective, start)
    matters = int(np.abs(best.point.u[0, :-1]).argmax())
    wrong = best.point.u.copy()
    wrong[0, matters] *= -0.01  # the optimum lies across
    place = Place.at(objective, wrong)
    following = Walk(0.0).on(objective, place, None, 1e-6, np.inf)
    assert following.point.u[0, matters] == 0
    assert following.point.value < place.point.value


def test_steps_in_vain_are_counted():
    """From far off on correlated columns, most of what a step promised is cut off; near the optimum nothing is."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 200)) + rng.standard_normal((1000, 1))
    y = X @ rng.standard_normal(200) / 7 + rng.logistic(size=1000) > 0
    objective, start = asked(X, y, 1.0)
    best = optimum(objective, start)
    far = Place.at(objective, -best.point.u)
    walk = Walk(0.0)
    for _ in range(4):
        far = walk.on(objective, far, None, 1e-6, np.inf) or far
    assert 0 < walk.wasted <= walk.products
    walk = Walk(0.0)
    assert walk.on(objective, Place.at(objective, 0.999 * best.point.u), None, 1e-6, np.inf) is not None
    assert walk.wasted == 0 < walk.products


@pytest.mark.parametrize("seed", range(3))
def test_the_minimum_ahead_proves_the_gap_that_is_wanted(seed):
    X, y = drawn(seed)
    before, start = asked(X, y, 1.0)
    objective = asked(X, y, 1.05)[0]
    place = Place.at(objective, optimum(before, start).point.u)
    wanted = 1e-4 * place.point.value
    walk = Walk(wanted)
    assert walk.on(objective, place, None, 1e-4, np.inf) is None
    u, logits, slopes, defect = walk.ahead
    reached = Place.at(objective, u, defect, logits=objective.rows.cut(logits), slopes=objective.rows.cut(slopes))
    true = reached.point.value - optimum(objective, start).point.value
    assert 0 <= true <= duality_gap(objective, reached) <= wanted
    assert defect <= 0.4 * wanted
    for block, anew in zip(objective.rows.cut(logits), objective.logits(u), strict=True):
        np.testing.assert_allclose(block, anew, atol=1e-9)


def test_a_gap_too_small_for_first_order_is_not_looked_for_twice():
    X, y = drawn(1)
    before, start = asked(X, y, 0.2)
    objective = asked(X, y, 2.0)[0]  # far from that optimum
    place = Place.at(objective, optimum(before, start).point.u)
    walk = Walk(1e-9 * place.point.value)
    assert walk.on(objective, place, None, 1e-6, np.inf) is not None
    assert walk.ahead is None
