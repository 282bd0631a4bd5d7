"""Newton's method with a factored Hessian: it serves on while it is good, and is taken anew where it is not."""

import numpy as np
import pytest

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID
from onelayer.rows.sources import Rows
from onelayer.solvers.curvature import factored
from onelayer.solvers.direct import direct
from onelayer.solvers.progress import Point, Watch


@pytest.fixture
def objective():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((500, 6))
    y = (X @ rng.standard_normal(6) + rng.logistic(size=500) > 0).astype(float)
    return Objective(Rows(X, y), SIGMOID, 1, np.full(6, 1e-3), 500.0)


def counted(monkeypatch):
    taken = []
    hessian = Objective.hessian
    monkeypatch.setattr(Objective, "hessian", lambda self, *at, **how: (taken.append(1), hessian(self, *at, **how))[1])
    return taken


def test_a_hessian_serves_several_steps(objective, monkeypatch):
    taken, watch = counted(monkeypatch), Watch()
    outcome, _ = direct(objective, np.zeros((1, 7)), 1e-10, 100, watch, None)
    assert outcome.converged
    assert len(taken) < watch.points - 1
    assert np.abs(outcome.point.gradient).max() < 1e-5


def test_one_from_elsewhere_is_not_taken_anew_where_that_is_not_asked(objective, monkeypatch):
    near, _ = direct(objective, np.zeros((1, 7)), 1e-10, 100, Watch(), None)
    curvature = factored(objective, near.point)
    taken = counted(monkeypatch)
    outcome, kept = direct(objective, near.point.u + 0.01, 1e-8, 100, Watch(), curvature, anew=False)
    assert outcome.converged
    assert not taken
    assert kept is curvature


def test_a_useless_one_is_replaced(objective):
    """That of rows nearly all sure bends a thousandth of what the start does: its steps lead far beyond."""
    far = factored(objective, Point.at(objective, np.full((1, 7), 8.0)))
    outcome, kept = direct(objective, np.zeros((1, 7)), 1e-10, 100, Watch(), far)
    assert outcome.converged
    assert kept is not far


@pytest.mark.parametrize("max_iter", [0, 1, 2])
def test_iterations_are_counted(objective, max_iter):
    watch = Watch()
    outcome, _ = direct(objective, np.zeros((1, 7)), 0.0, max_iter, watch, None)
    assert watch.points == 1 + max_iter
    assert not outcome.converged


def test_a_stop_is_obeyed(objective):
    watch = Watch(lambda point: True)
    outcome, _ = direct(objective, np.zeros((1, 7)), 1e-10, 100, watch, None)
    assert watch.points == 1
    assert not outcome.converged
