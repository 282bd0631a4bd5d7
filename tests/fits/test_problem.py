"""What is to be solved: the objective that suits rows, labels and settings; points as weights in the user's units."""

from itertools import pairwise

import numpy as np
import pytest

from onelayer import PerceptronRegressor
from onelayer.data.columns import Columns
from onelayer.data.labels import Labels
from onelayer.fits.problem import Problem, from_users_units, growing_samples, held_rows, split
from onelayer.fits.training import train
from onelayer.objective.losses import SIGMOID, SIGMOID_SINGLE, SOFTMAX
from onelayer.settings import Settings


def problem_of(X, y, weight=None, **settings):
    chosen = Settings(**settings)
    labels = Labels.of(y, weight, None, None)
    return Problem.of(X, labels, Columns.of(X, chosen.fit_intercept), chosen)


def drawn(n, d=3, classes=2, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = (5 + rng.standard_normal((n, d)) * 10.0 ** np.arange(d)).astype(dtype)
    return X, np.arange(n) % classes


@pytest.mark.parametrize("settings", [{}, {"solver": "lbfgs"}, {"l1_ratio": 0.5}])
def test_a_penalty_beyond_all_floats_is_the_strongest_there_is(settings):
    X, y = drawn(60)
    found = train(X, y, sample_weight=np.full(60, 1e-200), C=1e-200, early_stopping=False, max_iter=5, **settings)
    np.testing.assert_allclose(found.weights[:, :-1], 0, atol=1e-9)


def test_hidden_layers_that_no_memory_holds_are_refused():
    X, y = drawn(60)
    for sizes in ((8, 10**9), (10**20,)):
        with pytest.raises(ValueError, match=r"hidden layers of .* over 3 features have .*: give fewer neurons"):
            PerceptronRegressor(hidden_layer_sizes=sizes).fit(X, y)
        with pytest.raises(ValueError, match=r"hidden layers of .* over 3 features have .*: give fewer neurons"):
            PerceptronRegressor(hidden_layer_sizes=sizes).partial_fit(X, y)


@pytest.mark.parametrize(
    ("n", "classes", "dtype", "settings", "loss"),
    [
        (2**16, 2, np.float64, {}, SIGMOID_SINGLE),
        (2**16, 2, np.float64, {"tol": 1e-5}, SIGMOID_SINGLE),
        (2**16, 2, np.float64, {"tol": 9e-7}, SIGMOID),
        (2**16, 2, np.float64, {"l1_ratio": 0.1}, SIGMOID),
        (2**16, 2, np.float32, {}, SIGMOID),
        (2**16, 3, np.float64, {}, SOFTMAX),
        (2**15, 2, np.float64, {}, SIGMOID),
    ],
)
def test_exponentials_of_many_doubles_are_single_where_their_digits_are_not_asked_for(
    n, classes, dtype, settings, loss
):
    assert problem_of(*drawn(n, 1, classes, dtype), **settings).objective.loss is loss


@pytest.mark.parametrize("distinct", [2, 7, 2**16])
def test_an_optimum_found_with_single_exponentials_is_that_of_doubles(distinct):
    """Where few rows are distinct, exponentials are off to one side, by what a float has no digits for."""
    rng = np.random.default_rng(1)
    X = np.resize(rng.standard_normal((distinct, 3)), (2**16, 3))
    y = X.sum(axis=1) + rng.logistic(size=len(X)) > 0
    found, exact = train(X, y), train(X, y, tol=1e-12)
    z = X @ found.weights[0, :-1] + found.weights[0, -1]
    cost = np.logaddexp(0, np.where(y, -z, z)).mean() + (found.weights[0, :-1] ** 2).sum() / 2 / len(y)
    assert found.converged
    assert found.history[-1].cost == pytest.approx(cost, rel=1e-7)
    assert cost / exact.history[-1].cost - 1 <= found.optimality_gap + 1e-12


@pytest.mark.parametrize("hidden", [(), (4, 2)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weights_come_back_from_the_coordinates_of_the_solver(fit_intercept, hidden):
    problem = problem_of(*drawn(40), fit_intercept=fit_intercept or bool(hidden), hidden_layer_sizes=hidden)
    rng, sizes = np.random.default_rng(2), (3, *hidden, 1)
    given = [rng.standard_normal((after, before + 1)) for before, after in pairwise(sizes)]
    given[0][:, -1] *= problem.settings.fit_intercept
    u = from_users_units(given, problem.objective, problem.columns)
    for layer, there in zip(given, problem.weights(u), strict=True):
        np.testing.assert_allclose(there, layer, rtol=1e-12, atol=1e-12)


def test_weights_given_are_the_start_unless_they_are_worse_than_none():
    X = drawn(40)[0]
    problem, better = problem_of(X, X[:, 0] > 5), np.array([[1.0, 0.0, 0.0, -5.0]])
    np.testing.assert_array_equal(problem.start([np.full((1, 4), 1e4)]), problem.start(None))
    np.testing.assert_allclose(problem.weights(problem.start([better]))[0], better, rtol=1e-12, atol=1e-12)


def test_the_base_rate_is_the_optimum_without_features():
    X, y = drawn(40)
    weight = np.where(y, 3.0, 1.0)
    problem = problem_of(np.zeros_like(X), y, weight)
    value, gradient = problem.objective.value_gradient(problem.start(None))
    assert value == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))
    np.testing.assert_allclose(gradient, 0, atol=1e-15)


@pytest.mark.parametrize(("n", "max_iter", "sampled"), [(999, 100, False), (100_000, 100, True), (100_000, 0, False)])
def test_samples_grow_where_rows_are_many_and_a_fit_may_take_steps(n, max_iter, sampled):
    problem = problem_of(*drawn(n), max_iter=max_iter)
    sizes = [sample.rows.n for sample in growing_samples(problem.objective, problem.labels, problem.settings)]
    assert bool(sizes) is sampled
    assert sizes == sorted(sizes)


def test_rows_are_held_out_of_each_class_from_those_that_count_and_never_all():
    y, weight = np.repeat([0, 1], [90, 10]), np.ones(100)
    weight[:50] = 0
    held = held_rows(Labels.of(y, weight, None, None), 0.2, seed=0)
    assert np.bincount(y[held]).tolist() == [8, 2]
    assert not held[:50].any()
    assert not held_rows(Labels.of([0, 1, 1], None, None, None), 0.9, seed=0)[0]


def test_a_fraction_that_holds_out_no_row_is_an_error_unless_nobody_asked():
    X, y = drawn(4)
    labels = Labels.of(y, None, None, None)
    with pytest.raises(ValueError, match="of each class, but of 4 rows this is none"):
        split(X, labels, Settings(early_stopping=True, solver="adam"))
    assert split(X, labels, Settings(early_stopping="auto", solver="adam"))[2] is None
