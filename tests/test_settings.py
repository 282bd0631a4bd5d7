"""Settings: what cannot be used is refused in words, and what NumPy calls a number is one."""

import re

import numpy as np
import pytest

from onelayer import PerceptronClassifier, PerceptronRegressor
from onelayer.settings import SOLVERS, Settings

BAD = {
    "C": ["1", 0, -1, np.nan, None, True],
    "l1_ratio": ["a", -0.1, 1.1, np.nan],
    "fit_intercept": ["no", 1, None],
    "solver": ["saga", None, ["gd"]],
    "learning_rate": [0, -1, np.nan, np.inf, "fast", None, True],
    "tol": ["a", -1, np.nan],
    "max_iter": [-1, 1.5, "a"],
    "random_state": [-1, 0.5, "a"],
    "n_jobs": [0, 1.5, "all"],
    "verbose": ["a", -1, 0.5],
    "callbacks": [3, [3], print, (print for _ in range(1))],
    "hidden_layer_sizes": [None, 16, "16", (0,), (16.0,), (True,), (size for size in (16,))],
    "activation": ["selu", None],
    "batch_size": [0, -5, 1.5, "all"],
    "momentum": [1, -0.1, "a"],
    "beta_1": [1, np.nan],
    "beta_2": [1, None],
    "epsilon": [0, -1, np.inf],
    "early_stopping": ["yes", 1, None],
    "validation_fraction": [0, 1, np.nan, "a"],
    "n_iter_no_change": [0, 2.5],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_what_cannot_be_used_is_refused_with_its_name_and_value(name, value):
    with pytest.raises(ValueError, match=re.escape(name)) as refused:
        Settings(**{name: value})
    assert repr(value) in str(refused.value)


@pytest.mark.parametrize("true", [True, np.True_])
def test_true_is_true_whoever_says_it(true):
    with pytest.raises(ValueError, match="l1_ratio above 0 needs one layer and early_stopping=False"):
        Settings(l1_ratio=0.5, early_stopping=true)


@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_the_estimators_refuse_what_settings_refuse(estimator):
    with pytest.raises(ValueError, match=r"max_iter must be None or a whole number, 0 or more, not 1\.5"):
        estimator(max_iter=1.5).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
def test_a_warm_start_is_asked_for_by_yes_or_no(estimator):
    with pytest.raises(ValueError, match="warm_start must be True or False, not 'a'"):
        estimator(warm_start="a").fit([[0.0], [1.0]], [0, 1])


def test_numbers_of_numpy_are_numbers():
    settings = Settings(
        C=np.float32(2), learning_rate=np.float32(0.1), max_iter=np.int64(5), hidden_layer_sizes=np.array([8, 4])
    )
    assert settings.iterations() == 5
    assert settings.hidden_layer_sizes == (8, 4)
    X = np.random.default_rng(0).standard_normal((60, 3))
    model = PerceptronClassifier(hidden_layer_sizes=np.array([8, 4]), warm_start=True).fit(X, X[:, 0] > 0)
    assert model.fit(X, X[:, 0] > 0).predict(X).shape == (60,)


def test_a_random_state_of_numpy_seeds_one_fit_after_another():
    X = np.random.default_rng(0).standard_normal((60, 3))
    starts = []
    for state in (np.random.RandomState(0), np.random.RandomState(0)):
        model = PerceptronClassifier(hidden_layer_sizes=(4,), random_state=state)
        starts.append([model.fit(X, X[:, 0] > 0).coefs_[0] for _ in range(2)])
    np.testing.assert_array_equal(starts[0], starts[1])
    assert (starts[0][0] != starts[0][1]).any()


@pytest.mark.parametrize("solver", SOLVERS)
def test_auto_is_what_it_says(solver):
    assert Settings(solver=solver).solver_for(10) == ("newton" if solver == "auto" else solver)
    if solver != "newton":
        chosen = [Settings(solver=solver, hidden_layer_sizes=(4,)).solver_for(n) for n in (10_000, 10_001)]
        assert chosen == (["lbfgs", "adam"] if solver == "auto" else [solver] * 2)
