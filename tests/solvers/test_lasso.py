"""The minimum of a quadratic with an L1 penalty: its own conditions, from every start, in every thread."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from onelayer.solvers import lasso as lasso_module
from onelayer.solvers.lasso import (
    _best_crossing,
    _by_few_signs,
    _by_signs,
    _Penalised,
    lasso_minimum,
    lasso_roughly,
    lasso_surely,
)
from onelayer.solvers.linear import Parts


def problem(seed, rows=60, p=20, free=1, alike=0.0):
    """A quadratic of as many weights, the first `free` of them without a penalty; and a start."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((rows, p)) + alike * rng.standard_normal((rows, 1))
    lasso = rng.uniform(0.5, 2, p) * 10 ** rng.uniform(-2, 0)
    lasso[:free] = 0
    start = rng.standard_normal(p) * (rng.random(p) < 0.5) if seed % 2 else np.zeros(p)
    return A.T @ A / rows, A.T @ rng.standard_normal(rows) / 2, lasso, start


def violation(H, linear, lasso, v):
    g = H @ v + linear
    return np.abs(np.where(v != 0, g + lasso * np.sign(v), np.maximum(np.abs(g) - lasso, 0))).max()


@pytest.mark.parametrize("free", [0, 1, 3])
@pytest.mark.parametrize("alike", [0.0, 2.0])
def test_no_slope_is_beyond_its_penalty(free, alike):
    for seed in range(60):
        H, linear, lasso, start = problem(seed, free=free, alike=alike)
        found = lasso_minimum(H, linear, lasso, lasso_minimum(H, linear, lasso, start))
        assert violation(H, linear, lasso, found) <= 1e-8 * np.abs(linear).max()


@pytest.mark.parametrize("free", [0, 1])
@pytest.mark.parametrize("kind", ["any", "of noughts and ones", "in units of their own"])
def test_more_weights_than_rows(free, kind):
    """Numbers for more signs than there are rows have no minimum; columns that are alike, or tie, end a path early."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        rows, p = (15, 40) if seed % 2 else (8, 60)
        A = rng.standard_normal((rows, p))
        if kind == "of noughts and ones":
            A = (A > 1) * 1.0
        elif kind == "in units of their own":
            A *= 10 ** rng.uniform(-1, 1, p)
        lasso = np.full(p, 10.0 ** rng.uniform(-5, -1))
        lasso[:free] = 0
        H, linear = A.T @ A / rows, -A.T @ rng.standard_normal(rows) / rows
        found = lasso_surely(H, linear, lasso, np.zeros(p), np.zeros(p))
        assert violation(H, linear, lasso, found) <= 1e-6 * lasso.max()


def test_roughly_is_better_than_the_start_by_half():
    for seed in range(60):
        H, linear, lasso, start = problem(seed)
        points = start, lasso_roughly(H, linear, lasso, start), lasso_minimum(H, linear, lasso, start)
        first, rough, best = (v @ (H @ v / 2 + linear) + lasso @ np.abs(v) for v in points)
        assert best <= rough + 1e-12
        assert rough <= (first + best) / 2 + 1e-12


def test_weights_without_curvature_stay_where_they_are():
    H, linear, lasso = np.diag([2.0, 0.0]), np.array([-3.0, 0.2]), np.array([1.0, 1.0])
    np.testing.assert_allclose(lasso_minimum(H, linear, lasso, np.zeros(2)), [1.0, 0.0], rtol=1e-15)


def test_a_weight_that_wants_to_enter_waits_for_the_others():
    """Its slope may be beyond its penalty only since others have not moved yet: 18 of these ended there, now two do."""
    exact = 0
    for seed in range(200):
        H, linear, lasso, _ = problem(seed, rows=30, p=12, alike=1.0)
        near = lasso_minimum(H, linear, lasso, np.zeros(12)) * np.random.default_rng(seed).uniform(0.9, 1.1, 12)
        left = violation(H, linear, lasso, _by_signs(Parts(H), linear, lasso, near)) / np.abs(linear).max()
        exact += left <= 1e-8
    assert exact >= 195


def test_nobody_is_warned_and_filters_are_as_they_were_whichever_threads_run():
    hard = [problem(seed, rows=300, p=250, alike=30.0) for seed in range(16)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda parts: lasso_roughly(*parts), hard))
        assert list(warnings.filters) == before
    assert caught == []


def test_the_best_crossing_is_the_least_of_the_points_where_a_weight_is_nought():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((8, 4))
    H, linear, lasso = A.T @ A, rng.standard_normal(4), np.full(4, 0.3)

    def model(v):
        return v @ (H @ v / 2 + linear) + lasso @ np.abs(v)

    v = np.array([0.5, -0.2, 0.8, 0.0])
    step = np.array([-1.0, 0.5, -0.9, 0.1])
    found = _best_crossing(H, H @ v + linear, lasso, v, step)
    shares = [0.5, 0.4, 0.8 / 0.9, 1.0]
    assert model(found) == pytest.approx(min(model(v + share * step) for share in shares), rel=1e-12)
    assert model(found) < model(v)
    uphill = -step
    assert _best_crossing(H, H @ v + linear, lasso, v, 5 * uphill) is v


def test_more_weights_than_a_short_path_has_are_found_without_one(monkeypatch):
    """Columns depend on one another, one has no penalty."""
    monkeypatch.setattr(_Penalised, "along_path", lambda self: pytest.fail("the path was asked"))
    rng = np.random.default_rng(0)
    A = 0.3 * rng.standard_normal((300, 700)) + rng.standard_normal((300, 8)) @ rng.standard_normal((8, 700))
    A[:, -1] = 1
    H, lasso = A.T @ A / 300, np.append(np.full(699, 0.01), 0)
    linear = -A.T @ (A[:, :20].sum(axis=1) + rng.standard_normal(300)) / 300
    assert (
        violation(H, linear, lasso, lasso_surely(H, linear, lasso, np.zeros(700), np.zeros(700))) <= 1e-6 * lasso.max()
    )


def test_what_may_be_left_spares_the_path(monkeypatch):
    """Of a model that is made anew at the next step: four of these took the path for their last digits."""
    monkeypatch.setattr(_Penalised, "along_path", lambda self: pytest.fail("the path was asked"))
    for seed in range(30):
        rng = np.random.default_rng(seed)
        A = rng.standard_normal((15, 40)) * 10 ** rng.uniform(-1, 1, 40)
        lasso = np.full(40, 10.0 ** rng.uniform(-5, -1))
        H, linear, start = A.T @ A / 15, -A.T @ rng.standard_normal(15) / 15, np.zeros(40)
        found = lasso_surely(H, linear, lasso, start, start, left=0.5)
        assert violation(H, linear, lasso, found) <= 0.5001 * violation(H, linear, lasso, start)


def test_of_what_may_be_left_no_numbers_are_sought_for_signs(monkeypatch):
    """Each of these was an exact minimum, of 1,500 weights a second, of a model that the next step replaced."""
    monkeypatch.setattr(lasso_module, "_by_signs", lambda *parts: pytest.fail("signs were asked"))
    rng = np.random.default_rng(0)
    A = rng.standard_normal((60, 240)) + rng.standard_normal((60, 1))
    H, linear, start, lasso = A.T @ A / 60, -A.T @ rng.standard_normal(60) / 60, np.zeros(240), np.full(240, 0.01)
    for _ in range(8):
        before = violation(H, linear, lasso, start)
        start = lasso_surely(H, linear, lasso, start, np.zeros(240), left=0.3)
        assert violation(H, linear, lasso, start) <= 0.3001 * before


def test_weights_that_rest_at_0_stay_there():
    H = np.eye(3)
    assert lasso_surely(H, np.full(3, 0.5), np.ones(3), np.zeros(3), np.zeros(3)).tolist() == [0, 0, 0]


def test_few_other_signs_are_found_without_coordinate_descent(monkeypatch):
    monkeypatch.setattr(lasso_module, "_Penalised", None)
    changed = 0
    for seed in range(20):
        H, linear, lasso, _ = problem(seed, rows=800, p=200)
        strong, weak = minimum_of(H, linear, 5.5 * lasso), minimum_of(H, linear, 5 * lasso)
        changed += np.count_nonzero(np.sign(strong) != np.sign(weak))
        for start, at in ((strong, 5), (weak, 5.5)):  # weights enter on one way, and leave on the other
            assert violation(H, linear, at * lasso, lasso_minimum(H, linear, at * lasso, start)) < 1e-9
    assert changed > 20


def test_many_other_signs_are_left_to_coordinate_descent():
    H, linear, lasso, _ = problem(1, rows=800, p=200)
    minimum = minimum_of(H, linear, lasso)
    assert _by_few_signs(Parts(H), linear, lasso, minimum) is not None
    assert _by_few_signs(Parts(H), linear, lasso, -minimum) is None
    assert _by_few_signs(Parts(H), linear, lasso, np.zeros_like(minimum)) is None


def minimum_of(H, linear, lasso):
    return lasso_surely(H, linear, lasso, np.zeros_like(linear), np.zeros_like(linear))
