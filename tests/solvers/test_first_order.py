"""First-order solvers: optax's trajectories, SciPy's optimum, stable rates, batches, and the mean of their points."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes, make_moons
from sklearn.exceptions import ConvergenceWarning

from onelayer import PerceptronClassifier, PerceptronRegressor, guide
from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.rows.sources import Rows
from onelayer.solvers import Point, Watch, rules
from onelayer.solvers.first_order import NAMES, SAFETY, batches, curvature_bound, descend, lbfgs, sgd

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "optimisers.json").read_text(encoding="utf-8"))
RULES = {
    "gd": rules.gradient_descent,
    "momentum": rules.momentum,
    "nesterov": rules.nesterov,
    "rmsprop": rules.rmsprop,
    "adam": rules.adam,
}


def golden_objective():
    X, y = np.array(GOLDEN["X"]), np.array(GOLDEN["y"], dtype=float)
    return Objective(Rows(X, y), SIGMOID, 1, np.full(3, GOLDEN["penalty"]), float(len(y)))


def objective(*, classes=2, n=400, weighted=True, storage=np.asarray):
    """A penalised problem in columns of unlike scale, so that it is none of the easiest."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, 4)) * [1, 2, 0.5, 1]
    y = (X @ rng.standard_normal((4, classes)) + rng.gumbel(size=(n, classes))).argmax(axis=1)
    weight = rng.uniform(0.2, 2, n) if weighted else None
    total = float(n if weight is None else weight.sum())
    rows = Rows(storage(X), y if classes > 2 else y.astype(float), weight)
    outputs = classes if classes > 2 else 1
    return Objective(rows, SOFTMAX if classes > 2 else SIGMOID, outputs, np.full(4, 0.02), total)


def scipys_optimum(f):
    u = np.zeros(f.shape)

    def value_gradient(flat):
        value, gradient = f.value_gradient(flat.reshape(u.shape))
        return value, gradient.ravel()

    return minimize(value_gradient, u.ravel(), jac=True, method="BFGS", options={"gtol": 1e-9}).fun


@pytest.mark.parametrize("name", RULES)
def test_trajectories_are_those_of_optax(name):
    expected = np.array(GOLDEN["trajectories"][name]["u"])
    seen = []
    descend(
        golden_objective(),
        expected[:1],
        rule=RULES[name](),
        learning_rate=GOLDEN["trajectories"][name]["rate"],
        tol=0,
        max_iter=60,
        watch=Watch(lambda point: seen.append(point.u)),
    )
    np.testing.assert_allclose(np.concatenate(seen[::10]), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_lbfgs_reaches_scipys_optimum(classes, storage):
    f = objective(classes=classes, storage=storage)
    outcome = lbfgs(f, np.zeros(f.shape), tol=1e-12, max_iter=200, watch=Watch())
    assert outcome.converged
    assert outcome.point.value == pytest.approx(scipys_optimum(f), rel=1e-12)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("batch_size", [None, 25])
def test_every_rule_comes_near_the_optimum_at_its_own_rate(name, batch_size):
    f = objective()
    outcome = descend(
        f, np.zeros(f.shape), rule=RULES[name](), batch_size=batch_size, tol=1e-6, max_iter=400, watch=Watch()
    )
    assert outcome.point.value <= scipys_optimum(f) * (1 + 1e-3)


def test_the_mean_of_small_steps_is_nearer_than_the_steps_themselves():
    f = objective()
    best = scipys_optimum(f)
    averaged = sgd(f, np.zeros(f.shape), batch_size=8, tol=0, max_iter=20, watch=Watch()).point.value - best
    ends = []
    for seed in range(5):  # the last of the same steps without a mean
        u, rng, k = np.zeros(f.shape), np.random.default_rng(seed), 0
        rate = 1 / max(curvature_bound(batch, u) for batch in list(batches(f, 8, np.random.default_rng(0)))[:4])
        for _ in range(20):
            for batch in batches(f, 8, rng):
                u = u - rate / math.sqrt(1 + k / 50) * batch.value_gradient(u)[1]
                k += 1
        ends.append(f.value(u) - best)
    assert 0 <= averaged < min(ends) / 5


def test_batches_hold_each_row_once_and_their_mean_is_the_objective():
    f = objective()
    u = np.random.default_rng(0).standard_normal(f.shape)
    parts = list(batches(f, 30, np.random.default_rng(0)))
    assert sum(part.rows.n for part in parts) == f.rows.n
    assert {part.rows.n for part in parts} <= {30, 31}
    shares = np.array([part.total_weight for part in parts]) / f.total_weight
    values, gradients = zip(*(part.value_gradient(u) for part in parts), strict=True)
    assert shares @ np.array(values) == pytest.approx(f.value(u), rel=1e-6)  # samples are in single precision
    difference = np.tensordot(shares, np.array(gradients), 1) - f.value_gradient(u)[1]
    assert np.linalg.norm(difference) <= 1e-6 * np.linalg.norm(f.value_gradient(u)[1])


@pytest.mark.parametrize("classes", [2, 3])
def test_the_curvature_is_bounded_everywhere_and_near_the_largest_at_0(classes):
    f = objective(classes=classes)
    L = curvature_bound(f, np.zeros(f.shape))
    rng = np.random.default_rng(1)
    largest = [np.linalg.eigvalsh(f.hessian(scale * rng.standard_normal(f.shape)))[-1] for scale in (0, 0.3, 1, 3)]
    assert max(largest) <= L
    if classes == 2:
        assert largest[0] >= 0.9 * L


@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov"])
def test_the_stable_bound_of_a_rule_is_where_a_quadratic_is_left(name):
    rule = RULES[name]()
    for factor, stays in ((0.99, True), (1.01, False)):
        u, state = np.ones(1), rule.start(np.ones(1))
        for _ in range(3000):
            state, step = rule.step(state, u)  # curvature 1: the gradient is u
            u = u - factor * rule.stable * step
            if abs(u[0]) > 1e6:
                break
        assert (abs(u[0]) < 1) == stays


def test_a_rate_above_the_stable_bound_says_so_with_L():
    f = objective()
    L = curvature_bound(f, np.zeros(f.shape)) / SAFETY
    for rate, said in ((1.9 / L, False), (2.1 / L, True)):
        outcome = descend(f, np.zeros(f.shape), learning_rate=rate, tol=1e-6, max_iter=5, watch=Watch())
        assert bool(outcome.notices) == said
    assert f"L = {L:.4g}" in outcome.notices[0]
    assert f"2/L = {2 / L:.4g}" in outcome.notices[0]


def test_a_cost_that_overflows_keeps_the_best_and_says_so():
    f = objective()
    start = Point.at(f, np.zeros(f.shape))
    outcome = descend(f, start.u, learning_rate=1e200, tol=1e-6, max_iter=50, watch=Watch())
    assert math.isfinite(outcome.point.value)
    assert outcome.point.value <= start.value
    assert any("overflowed" in notice for notice in outcome.notices)


@pytest.mark.parametrize("solve", [lbfgs, descend, sgd], ids=lambda solve: solve.__name__)
def test_a_watch_sees_cost_and_gradient_of_its_points_and_stops_the_solver(solve):
    f = objective()
    seen = []

    def see(point):
        seen.append(point)
        return len(seen) == 3

    batch = {"batch_size": 50} if solve is sgd else {}
    outcome = solve(f, np.zeros(f.shape), tol=0, max_iter=50, watch=Watch(see), **batch)
    assert len(seen) == 3
    assert outcome.point.value == min(point.value for point in seen)
    for point in seen:
        value, gradient = f.value_gradient(point.u)
        assert (point.value, point.rows) == (value, f.rows.n)
        np.testing.assert_array_equal(point.gradient, gradient)


def test_batches_are_the_same_for_a_seed_and_others_for_another():
    f = objective()

    def end(seed):
        return sgd(f, np.zeros(f.shape), batch_size=30, tol=0, max_iter=3, watch=Watch(), seed=seed).point.u

    np.testing.assert_array_equal(end(1), end(1))
    assert (end(1) != end(2)).any()


@pytest.mark.parametrize("solver", NAMES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_guides_larger_data_are_learnt_with_the_defaults(solver):
    X, Y = guide.blobs()
    assert PerceptronClassifier(solver=solver).fit(X.T, Y[0]).score(X.T, Y[0]) >= 0.985


def test_the_estimator_warns_of_a_rate_that_is_too_high():
    X, Y = guide.blobs()
    with pytest.warns(UserWarning, match=r"learning_rate 50 is above the stable bound 2/L = .* \(L = "):
        PerceptronClassifier(solver="gd", learning_rate=50.0).fit(X.T, Y[0])


@pytest.mark.parametrize("solver", ["rmsprop", "adam"])
@pytest.mark.parametrize("rate", [1e-300, 1e5])
def test_a_rate_that_is_of_no_use_is_said_to_be_the_cause(solver, rate):
    X, Y = guide.blobs()
    with pytest.warns(UserWarning, match="no step by learning_rate=.* lowered the cost: use learning_rate='auto'"):
        PerceptronClassifier(solver=solver, learning_rate=rate).fit(X.T, Y[0])


NETWORK = {"hidden_layer_sizes": (8,)}


@pytest.mark.parametrize("early_stopping", ["auto", False])
@pytest.mark.parametrize("solver", ["rmsprop", "adam", "sgd", "gd", "momentum", "nesterov"])
@pytest.mark.parametrize("rate", [1e-6, 100.0])
def test_a_network_that_learnt_nothing_by_its_rate_has_not_converged(solver, rate, early_stopping):
    X, y = make_moons(300, noise=0.2, random_state=0)
    model = PerceptronClassifier(**NETWORK, solver=solver, learning_rate=rate, early_stopping=early_stopping)
    cause = rf"learning_rate[ =]{rate:g} |the cost overflowed"
    with pytest.warns(ConvergenceWarning, match=rf"({cause}).*use.* learning_rate='auto'"):
        assert not model.fit(X, y).converged_


def test_a_network_that_a_callback_stopped_is_not_laid_to_its_rate():
    X, y = make_moons(300, noise=0.2, random_state=0)
    model = PerceptronClassifier(**NETWORK, solver="adam", learning_rate=0.001, callbacks=[lambda seen: True])
    model.fit(X, y)  # a warning would be an error


def test_how_far_a_rate_led_is_said_of_numbers_too():
    X, t = load_diabetes(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="by learning_rate=1e-06 the loss on rows held out fell 0.1% as far"):
        PerceptronRegressor(**NETWORK, solver="adam", learning_rate=1e-6).fit(X, t)


@pytest.mark.parametrize("solver", ["rmsprop", "adam", "sgd", "gd", "momentum", "nesterov"])
def test_a_network_that_a_given_rate_taught_has_converged_and_again_from_its_own_weights(solver):
    X, y = make_moons(300, noise=0.2, random_state=0)
    for early_stopping in ("auto", False):
        rate = 0.03 if solver in ("rmsprop", "adam", "momentum") else 0.3
        model = PerceptronClassifier(
            **NETWORK, solver=solver, learning_rate=rate, early_stopping=early_stopping, warm_start=True
        )
        assert model.fit(X, y).converged_  # a warning would be an error
        assert model.fit(X, y).converged_


@pytest.mark.parametrize("solver", ["gd", "momentum", "nesterov", "sgd"])
def test_a_rate_far_too_low_is_said_to_be_the_cause(solver):
    X, Y = guide.blobs()
    with pytest.warns(UserWarning, match="learning_rate 0.0001 is far below 1/L = 2.3"):
        PerceptronClassifier(solver=solver, learning_rate=1e-4).fit(X.T, Y[0])


@pytest.mark.parametrize("solver", ["lbfgs", "newton"])
def test_a_tolerance_of_nought_is_reached_at_the_limit_of_rounding(solver):
    X, Y = guide.blobs()
    assert PerceptronClassifier(solver=solver, tol=0).fit(X.T, Y[0]).converged_


def test_a_fit_that_rows_held_out_ended_is_not_said_to_lack_iterations():
    X, Y = guide.blobs()
    PerceptronClassifier(early_stopping=True).fit(X.T, Y[0])  # a warning would be an error
    with pytest.warns(UserWarning, match="stopped after 2 iterations without reaching tol=1e-06, while the loss on ro"):
        PerceptronClassifier(early_stopping=True, max_iter=2).fit(X.T, Y[0])


def test_a_solver_that_is_none_is_refused_with_the_names_of_all():
    with pytest.raises(ValueError, match=f"solver must be one of auto, newton, {', '.join(NAMES)}, not 'sag'"):
        PerceptronClassifier(solver="sag").fit([[0.0], [1.0]], [0, 1])
