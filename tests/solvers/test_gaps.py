"""How far a point is from the optimum: an estimate near it, a bound by duality, the value itself far away."""

import numpy as np
import pytest

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows
from onelayer.solvers import newton
from onelayer.solvers.gaps import ROUNDING, certified, gap_at, gap_from, to_come
from onelayer.solvers.progress import Outcome, Point, Watch


def layer(classes=2, d=4, penalty=0.01, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((300, d))
    y = (X[:, :1] + rng.gumbel(size=(300, classes))).argmax(axis=1)
    loss, k, y = (SIGMOID, 1, y.astype(float)) if classes == 2 else (SOFTMAX, classes, y)
    return Objective(Rows(X, y), loss, k, np.full(d, penalty), 300.0)


def optimum(objective):
    return newton(objective, np.zeros(objective.shape), tol=1e-14, max_iter=100, watch=Watch(), samples=()).point


def near(objective, far, seed=1):
    best = optimum(objective)
    u = best.u + far * np.random.default_rng(seed).standard_normal(best.u.shape)
    return Point.at(objective, u, keep=True), best


@pytest.mark.parametrize("d", [4, 700])  # by a Hessian, and by products
@pytest.mark.parametrize("classes", [2, 3])
def test_near_the_optimum_half_the_decrement_is_what_is_left(classes, d):
    objective = layer(classes, d, penalty=0.05)
    point, best = near(objective, 0.01 / np.sqrt(d))
    gap, kind = gap_at(objective, point)
    assert kind == "estimate"
    assert 0.9 <= gap / (point.value - best.value) <= 1.4


def test_far_from_it_the_value_is_all_that_is_known():
    point, _ = near(layer(), 30.0)
    assert gap_from(point, 3 * point.value) == (point.value, "bound")
    assert gap_from(point, -1.0) == (point.value, "bound")


@pytest.mark.parametrize("left", [0.5, 0.9])
def test_steps_that_leave_a_share_leave_more_than_one_decrement(left):
    """Distances that shrink by `left`: their sum is 1 / (1 - left), and decrements go by the square."""
    assert to_come(left**2, 1.0) == pytest.approx(1 / (1 - left) ** 2)
    assert to_come(1e-30, 1.0) == pytest.approx(1.0)
    assert to_come(1.0, 1e-9) == pytest.approx(100.0)  # no share above nine tenths is believed


@pytest.mark.parametrize("classes", [2, 3])
def test_a_certificate_is_a_bound(classes):
    objective = layer(classes)
    point, best = near(objective, 1e-6)
    seen = []
    found = certified(objective, Outcome(point, 1e-3, "estimate", True), 1e-6, Watch(seen.append))
    assert (found.gap_kind, found.converged) == ("bound", True)
    assert found.point.value - best.value <= found.gap <= 1e-6 * found.point.value
    assert seen == [found.point]


def test_no_certificate_where_none_is_earned():
    objective = layer()
    point, _ = near(objective, 0.1)
    far = Outcome(point, 1.0, "estimate", True)
    assert certified(objective, far, 1e-6, Watch()) is far  # its bound is no better than what was asked for
    unconverged = Outcome(optimum(objective), 1.0, "estimate", False)
    assert certified(objective, unconverged, 1e-6, Watch()) is unconverged
    unpenalised = Outcome(optimum(layer(penalty=0.0)), 1e-9, "estimate", True)
    assert certified(layer(penalty=0.0), unpenalised, 1e-6, Watch()) is unpenalised


def test_a_certificate_owns_up_to_rounding():
    objective = layer()
    point = optimum(objective)
    assert certified(objective, Outcome(point, 0.0, "estimate", True), 0.0, Watch()).gap >= ROUNDING * point.value
