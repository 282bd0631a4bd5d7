"""Update rules on one coordinate, against their formulas written out as sums over all gradients before."""

import numpy as np
import pytest

from onelayer.solvers import rules

GRADIENTS = np.random.default_rng(0).standard_normal(12)


def steps(rule):
    state, found = rule.start(np.zeros(1)), []
    for gradient in GRADIENTS:
        state, step = rule.step(state, np.array([gradient]))
        found.append(step[0])
    return np.array(found)


def sums(decay, values=GRADIENTS):
    """Σ decay^(t - i) values_i up to each t."""
    return np.array([decay ** np.arange(t, -1, -1) @ values[: t + 1] for t in range(len(values))])


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9])
def test_momentum_and_nesterov_sum_gradients_that_fade(decay):
    np.testing.assert_allclose(steps(rules.momentum(decay)), sums(decay), rtol=1e-12)
    np.testing.assert_allclose(steps(rules.nesterov(decay)), GRADIENTS + decay * sums(decay), rtol=1e-12)
    assert rules.momentum(decay).gain == pytest.approx((decay ** np.arange(400)).sum())


def test_rmsprop_divides_by_the_root_of_a_fading_mean_square():
    expected = GRADIENTS / (np.sqrt(0.1 * sums(0.9, GRADIENTS**2)) + 1e-3)
    np.testing.assert_allclose(steps(rules.rmsprop(epsilon=1e-3)), expected, rtol=1e-12)


def test_adam_is_a_ratio_of_means_that_do_not_remember_nought():
    t = np.arange(1, 13)
    mean = 0.3 * sums(0.7) / (1 - 0.7**t)
    square = 0.1 * sums(0.9, GRADIENTS**2) / (1 - 0.9**t)
    np.testing.assert_allclose(steps(rules.adam(0.7, 0.9, 1e-3)), mean / (np.sqrt(square) + 1e-3), rtol=1e-12)


@pytest.mark.parametrize("rule", [rules.rmsprop(epsilon=1e-16), rules.adam(epsilon=1e-16)])
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_rules_that_divide_by_the_size_do_not_see_units(rule, factor):
    state, other = rule.start(np.zeros(1)), rule.start(np.zeros(1))
    for gradient in GRADIENTS:
        state, step = rule.step(state, np.array([gradient]))
        other, scaled = rule.step(other, np.array([factor * gradient]))
        assert scaled[0] == pytest.approx(step[0], rel=1e-9)


@pytest.mark.parametrize("name", ["gradient_descent", "momentum", "nesterov", "rmsprop", "adam"])
def test_a_rule_leaves_what_it_is_given_alone(name):
    rule = getattr(rules, name)()
    state, gradient = rule.start(np.zeros(1)), np.ones(1)
    first = rule.step(state, gradient)[1].copy()
    np.testing.assert_array_equal(rule.step(state, gradient)[1], first)
    assert gradient[0] == 1
