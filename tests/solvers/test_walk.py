"""Steps beside an L1 penalty: signs cut them off, and a model's minimum is taken where it proves the gap asked for."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.data.columns import Columns
from onelayer.data.labels import Labels
from onelayer.fits.problem import Problem
from onelayer.settings import Settings
from onelayer.solvers import Watch, proximal
from onelayer.solvers.lasso import lasso_minimum
from onelayer.solvers.linear import Parts
from onelayer.solvers.place import Place, duality_gap
from onelayer.solvers.walk import Walk
from onelayer.solvers.working_set import on_working_set


def asked(X, y, C, l1_ratio=1.0):
    """The objective of these rows, and where a fit starts."""
    problem = Problem.of(X, Labels.of(y, None, None, None), Columns.of(X, True), Settings(C=C, l1_ratio=l1_ratio))
    return problem.objective, problem.start(None)


def drawn(seed, n=800, d=60):
    rng = np.random.default_rng(seed)
    X = sp.csr_matrix(rng.standard_normal((n, d)) * (rng.random((n, d)) < 0.2))
    return X, X @ (rng.standard_normal(d) * (rng.random(d) < 0.4)) + rng.logistic(size=n) > 0


def optimum(objective, start, tol=1e-10):
    return Place.at(objective, proximal(objective, start, tol=tol, max_iter=100, watch=Watch()).point.u)


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


def after(X, y, C, later):
    """The objective at a later value of C, and the optimum of the one before, as it is seen there."""
    before, start = asked(X, y, C)
    objective = asked(X, y, later)[0]
    return objective, Place.at(objective, optimum(before, start).point.u)


def old_model(objective, place):
    """A Hessian from elsewhere, about, and the minimum of its model here."""
    old = Parts(objective.hessian(0.9 * place.point.u))
    linear = place.smooth[0] - old.matrix @ place.point.u[0]
    return old, lasso_minimum(old, linear, place.lasso[0], place.point.u[0])[None]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("known", [False, True])
def test_the_minimum_ahead_proves_the_gap_that_is_wanted(seed, known):
    X, y = drawn(seed)
    objective, place = after(X, y, 1.0, 1.05)
    start = np.zeros_like(place.point.u)
    wanted = 1e-4 * place.point.value
    walk = Walk(wanted)
    if known:
        assert walk.towards(objective, place, *old_model(objective, place), 1e-4) is None
        assert walk.products <= 3
    else:
        assert walk.on(objective, place, None, 1e-4, np.inf) is None
    u, logits, slopes, defect = walk.ahead
    reached = Place.at(objective, u, defect, logits=objective.rows.cut(logits), slopes=objective.rows.cut(slopes))
    true = reached.point.value - optimum(objective, start).point.value
    assert 0 <= true <= duality_gap(objective, reached) <= wanted
    assert defect <= 0.4 * wanted
    for block, anew in zip(objective.rows.cut(logits), objective.logits(u), strict=True):
        np.testing.assert_allclose(block, anew, atol=1e-9)


def test_a_gap_too_small_for_first_order_is_not_looked_for_twice():
    objective, place = after(*drawn(1), 0.2, 2.0)  # far from that optimum
    walk = Walk(1e-9 * place.point.value)
    assert walk.on(objective, place, None, 1e-6, np.inf) is not None
    assert walk.ahead is None


def test_far_from_a_models_minimum_it_is_a_step_as_without_a_gap():
    objective, place = after(*drawn(1), 0.2, 2.0)
    old, target = old_model(objective, place)
    walk = Walk(1e-12 * place.point.value)
    following = walk.towards(objective, place, old, target, 1e-6)
    assert walk.ahead is None
    assert following.point.value < place.point.value
    plain = Walk(0.0).towards(objective, place, None, target, 1e-6)
    np.testing.assert_array_equal(following.point.u, plain.point.u)
    np.testing.assert_allclose(following.point.gradient, plain.point.gradient, atol=1e-12)


def test_a_place_that_proves_the_gap_needs_no_step():
    """At rest beside a penalty that is a little less, no step with that leads to less than its violation."""
    X, y = drawn(1)
    objective, start = asked(X, y, 1.0)
    level = 0.03
    softer = objective.with_penalties(objective.penalty, (1 - 1.4 * level) * objective.lasso)
    place = Place.at(objective, optimum(softer, start).point.u)
    wanted = 0.05 * place.point.value
    assert place.violation > level
    assert Walk(wanted).is_there(place, level)
    assert duality_gap(objective, place) < wanted
    assert not Walk(0.0).is_there(place, level)
    assert not Walk(wanted).is_there(place, 0.3 * level)
    walk, hessian = Walk(wanted), Parts(objective.hessian(place.point.u))
    assert on_working_set(objective, place, level, Watch(), walk, hessian, near=True) is place
    assert walk.products == 0
