"""The line search: a whole step where that serves, halves of it where it does not, none where no part of it gains."""

import numpy as np
import pytest
from scipy.special import expit

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID
from onelayer.rows.sources import Rows
from onelayer.solvers.line_search import line_search
from onelayer.solvers.progress import Point


@pytest.fixture
def objective():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    y = (X[:, 0] + rng.standard_normal(200) > 0).astype(float)
    return Objective(Rows(X, y), SIGMOID, 1, np.full(3, 0.1), 200.0)


def newton_step(objective, point):
    step = -np.linalg.solve(objective.hessian(point.u), point.gradient.ravel())[None]
    return step, -float(np.vdot(point.gradient, step))


def test_newtons_own_step_is_taken_whole(objective):
    point = Point.at(objective, np.zeros((1, 4)))
    step, decrement = newton_step(objective, point)
    np.testing.assert_array_equal(line_search(objective, point, step, decrement).u, step)


@pytest.mark.parametrize("times", [30, 1000])
def test_a_step_too_long_is_halved_until_it_gains(objective, times):
    point = Point.at(objective, np.zeros((1, 4)))
    step, decrement = newton_step(objective, point)
    found = line_search(objective, point, times * step, times * decrement)
    share = found.u[0, 0] / (times * step[0, 0])
    assert np.log2(share) == round(np.log2(share)) < 0
    assert found.value < point.value


def test_a_step_uphill_is_not_taken(objective):
    point = Point.at(objective, np.zeros((1, 4)))
    step, decrement = newton_step(objective, point)
    assert line_search(objective, point, -step, decrement) is None


def test_what_logits_move_by_leads_to_the_same_point(objective):
    point = Point.at(objective, np.zeros((1, 4)), keep=True)
    step, decrement = newton_step(objective, point)
    moved = objective.logits(step)
    plain, near = (line_search(objective, point, step, decrement, known) for known in (None, moved))
    np.testing.assert_allclose(near.u, plain.u, rtol=0, atol=0)
    np.testing.assert_allclose(near.gradient, plain.gradient, rtol=1e-12, atol=1e-15)


def test_of_the_last_step_the_slopes_sum_to_nought(objective):
    point = Point.at(objective, np.zeros((1, 4)), keep=True)
    step, decrement = newton_step(objective, point)
    found = line_search(objective, point, step, decrement, objective.logits(step), last=True)
    slopes = expit(objective.logits(found.u)[0]) - objective.rows.y
    assert abs(slopes.sum()) < 1e-12 * np.abs(slopes).sum()
