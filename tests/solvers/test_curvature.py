"""Curvature: what preconditions, and what no product sees."""

import math
from dataclasses import replace

import numpy as np
import pytest

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows
from onelayer.solvers import prices
from onelayer.solvers.curvature import (
    WORTH,
    Curvature,
    Preconditioning,
    alike,
    blocks,
    diagonal,
    factored,
    preconditioners,
    ridge_gap,
    rough,
)
from onelayer.solvers.linear import Steep
from onelayer.solvers.progress import Point


def objective(X, penalty):
    y = np.arange(X.shape[0]) % 2.0
    return Objective(Rows(X, y), SIGMOID, 1, np.broadcast_to(penalty, X.shape[1]).astype(float), float(X.shape[0]))


def test_steep_directions_get_the_curvature_of_the_others():
    diagonal = np.array([[2.0, 1.0, 4.0, 0.5]])
    plain = Curvature(lambda g: g / diagonal, 1.0, times=lambda v: v * diagonal)
    v = np.array([[1.0, 1.0, 1.0, 0.0]]) / np.sqrt(7)  # of length 1 by the diagonal
    w = np.array([[0.0, 0.0, 0.0, 1.0]]) / np.sqrt(0.5)
    other = np.array([[1.0, -2.0, 0.0, 0.0]])  # at right angles to both
    steep = plain.beside(Steep(np.array([50.0, 80.0]), np.stack([v, w]) * diagonal, 0.5))
    np.testing.assert_allclose(steep.times(v), 50 / 0.5 * plain.times(v))
    np.testing.assert_allclose(steep.times(w), 80 / 0.5 * plain.times(w))
    np.testing.assert_allclose(steep.times(other), plain.times(other), atol=1e-14)
    g = np.array([[1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_allclose(steep.times(steep.solve(g)), g)
    assert plain.beside(None) is plain


def test_along_what_no_row_sees_the_penalty_hides_what_no_multiple_of_it_explains():
    """Two columns alike but for their unit: the least penalty is at weights as 1 to 3."""
    x = np.random.default_rng(0).standard_normal(200)
    f = objective(np.column_stack([x, 3 * x]), 1e-3)
    best = np.array([[0.2, 0.6, 0.0]])
    for own in ([1.0, 1.0, 1.0], [1.0, 9.0, 1.0]):
        grown = np.array([[1 / own[0], 3 / own[1], 0.0]])  # as P⁻¹ times what rows say
        grown *= 2 / (grown @ [1, 3, 0])  # the same logits
        curvature, point = Curvature(lambda g: g, 1.0, diagonal=np.array([own])), Point.at(f, grown)
        more = point.value - f.value(best)
        assert ridge_gap(f, point) > more
        lost, floor = curvature.unseen(f, point, tol=1.0)
        assert (lost, floor) == (pytest.approx(more, abs=1e-15), 1.0)
        if more > 1e-9:
            assert curvature.unseen(f, point, tol=1e-6) == (0.0, pytest.approx(1e-3 / 9))


def test_without_penalties_nothing_is_hidden():
    f = objective(np.eye(4), [0.0, 1.0, 1.0, 1.0])
    point = Point.at(f, np.ones((1, 5)), keep=True)
    assert diagonal(f, point).unseen(f, point, 1e-6) == (0.0, 1.0)


def of_classes(n, d, k=3):
    X, y = np.random.default_rng(0).standard_normal((n, d)), np.arange(n) % k
    return Objective(Rows(X, y), SOFTMAX, k, np.full(d, 0.1), float(n))


@pytest.mark.parametrize(
    ("f", "ways"),
    [
        (of_classes(2_000, 40), [blocks, factored]),  # as cheap as a few products
        (of_classes(200, 150), [diagonal, blocks, factored]),
        (of_classes(200, 600), [diagonal, factored]),
        (of_classes(1_000, 600), [diagonal, alike, factored]),
        (objective(np.ones((200, 100)), 1.0), [diagonal, factored]),
        (objective(np.ones((1_000, 600)), 1.0), [diagonal, rough, factored]),
    ],
)
def test_what_is_dearer_preconditions_once_products_have_cost_as_much(f, ways):
    found = preconditioners(f)
    assert [way for way, _ in found] == ways
    assert all(products > 0 for _, products in found)
    assert found[-1][1] == math.inf


@pytest.mark.parametrize("way", [diagonal, blocks, alike])
def test_what_is_common_to_all_classes_bends_by_its_penalty_alone(way):
    f = of_classes(500, 20)
    solve = way(f, Point.at(f, np.random.default_rng(1).standard_normal(f.shape), keep=True)).solve
    apart = np.random.default_rng(2).standard_normal(f.shape)
    apart -= apart.mean(axis=0)
    np.testing.assert_allclose(solve(apart).sum(axis=0), 0, atol=1e-10)
    common = np.ones(f.shape)
    common[:, -1] = 0
    np.testing.assert_allclose(solve(common), common / 0.1, atol=1e-8)


def test_one_block_serves_all_classes():
    """Where no class is more probable, it is all there is, but for what a class bends against itself."""
    X, k = np.random.default_rng(0).standard_normal((300, 20)) @ np.diag(np.geomspace(1, 0.01, 20)), 3
    f = Objective(Rows(X, np.arange(300) % k), SOFTMAX, k, np.full(20, 1e-9), 300.0)
    point = Point.at(f, np.zeros(f.shape), keep=True)
    step, exact = (way(f, point).step(point)[0] for way in (alike, factored))
    np.testing.assert_allclose(step, exact / (1 - 1 / k), rtol=2e-2, atol=1e-5)


def sampled(scale):
    """All rows and 4,000 of them, of labels that are the surer the larger the scale; the sample's optimum."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40_000, 3))
    y = (scale * X @ np.array([1.0, 2.0, -1.0]) + rng.logistic(size=40_000) > 0).astype(float)
    whole, sample = (Objective(Rows(X[::by], y[::by]), SIGMOID, 1, np.full(3, 1e-4), 40_000.0 / by) for by in (1, 10))
    u = np.zeros(whole.shape)
    for _ in range(12):
        curvature = factored(sample, Point.at(sample, u, keep=True))
        u = curvature.step(Point.at(sample, u))[0] + u
    return whole, replace(curvature, sample=sample), u


def left(whole, u):
    """How far the value is from the optimum, by a Hessian of all rows."""
    point = Point.at(whole, u, keep=True)
    return factored(whole, point).step(point)[1] / 2


def test_single_precision_is_enough_to_precondition_with():
    X = np.random.default_rng(0).standard_normal((300, 30)) * np.geomspace(1, 0.01, 30)
    f = objective(X, 1e-3)
    point = Point.at(f, np.full((1, 31), 0.3), keep=True)
    step, exact = (way(f, point).step(point)[0] for way in (rough, factored))
    np.testing.assert_allclose(step, exact, rtol=1e-2, atol=1e-4 * np.abs(exact).max())
    assert not np.array_equal(step, exact)


def test_where_single_precision_has_no_factor_there_is_one_of_double():
    f = objective(np.ones((8, 2)), 1e-50)  # less than single precision can hold
    point = Point.at(f, np.full((1, 3), 1e4), keep=True)
    np.testing.assert_array_equal(rough(f, point).step(point)[0], factored(f, point).step(point)[0])


def test_where_one_block_has_no_factor_the_diagonal_serves():
    f = Objective(Rows(np.ones((9, 2)), np.arange(9) % 3), SOFTMAX, 3, np.full(2, 1e-50), 9.0)
    point = Point.at(f, np.full((3, 3), 1.0) * [[0], [1e4], [2e4]], keep=True)
    g = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(alike(f, point).solve(g), diagonal(f, point).solve(g))


def test_a_hessian_that_has_changed_serves_as_long_as_steps_with_it_are_cheap():
    f = objective(np.random.default_rng(0).standard_normal((400, 60)), 1e-3)
    far, near = (Point.at(f, np.full((1, 61), u), keep=True) for u in (3.0, 0.01))
    assert near.value < far.value / 2
    ways, price = Preconditioning(f, None), prices.hessian(f)
    cheap = ways.at(far, 0)
    assert ways.at(far, 100) is cheap  # the diagonal
    assert ways.at(near, 0) is not cheap
    ways.go_on()
    first = ways.at(far, 0)
    assert ways.at(far, math.ceil(price) - 1) is first
    assert ways.at(near, math.ceil(WORTH * price) - 1) is first
    assert ways.at(near, math.ceil(WORTH * price)) is not first
    second = ways.at(near, 0)
    assert ways.at(near, math.ceil(price)) is not second


def test_a_step_that_a_sample_bends_leaves_less_than_its_hessian_alone():
    whole, curvature, u = sampled(scale=2)
    u = 0.9 * u
    point = Point.at(whole, u)
    step, decrement = curvature.step(point)
    bent = curvature.bent(point, step, decrement)
    assert left(whole, u + bent) < left(whole, u + step) / 5 < left(whole, u) / 50


def test_an_older_hessian_bends_a_step_until_only_what_the_sample_lacks_is_left():
    whole, curvature, u = sampled(scale=2)
    older = replace(curvature, solve=lambda g: 1.2 * curvature.solve(g))
    point = Point.at(whole, 0.95 * u)
    bent = older.bent(point, *older.step(point))
    exact = curvature.bent(point, *curvature.step(point))
    assert left(whole, point.u + bent) == pytest.approx(left(whole, point.u + exact), rel=0.05)
    assert left(whole, point.u + older.step(point)[0]) > 20 * left(whole, point.u + bent)


def test_what_the_sample_said_where_it_was_asked_last_is_not_asked_again(monkeypatch):
    whole, curvature, u = sampled(scale=2)
    point, step = Point.at(whole, u), curvature.step(Point.at(whole, u))
    plain, known = curvature.bent(point, *step), replace(curvature, seen=Point.at(curvature.sample, u))
    asked, ask = [], Objective.evaluate
    monkeypatch.setattr(Objective, "evaluate", lambda self, u: (asked.append(u), ask(self, u))[1])
    np.testing.assert_array_equal(known.bent(point, *step), plain)
    assert not any(where is u for where in asked)
    assert len(asked) > 0


def test_far_from_the_optimum_a_step_is_not_bent():
    whole, curvature, u = sampled(scale=8)
    point = Point.at(whole, 5 * u)
    step, decrement = curvature.step(point)
    assert curvature.bent(point, step, decrement) is step
    assert replace(curvature, sample=None).bent(Point.at(whole, u), step, decrement) is step
