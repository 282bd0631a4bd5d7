"""Update rules: from a gradient to a step, each a pair of pure functions; one loop runs them all.

``start(u)`` is the rule's memory at the beginning, ``step(state, gradient)`` the memory afterwards and the step, which
the loop multiplies by the learning rate and takes away from u. What tells the rules apart is one function each.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Rule(NamedTuple):
    """How a gradient becomes a step.

    ``stable`` is the largest learning rate, times the largest curvature, at which a quadratic is not left for ever,
    None for rules that divide by the gradient's size; ``gain`` is how many steps one gradient adds up to.
    """

    start: Callable[[Array], Any]
    step: Callable[[Any, Array], tuple[Any, Array]]
    stable: float | None = None
    gain: float = 1.0


def gradient_descent() -> Rule:
    """The gradient itself (Cauchy, 1847).

    Examples
    --------
    >>> gradient_descent().step((), np.array([2.0]))
    ((), array([2.]))
    """
    return Rule(lambda u: (), lambda state, gradient: (state, gradient), 2.0)


def momentum(decay: float = 0.9) -> Rule:
    """A sum of gradients that forgets: the heavy ball (Polyak, 1964), with the customary 0.9.

    Examples
    --------
    >>> momentum().step(np.array([1.0]), np.array([2.0]))
    (array([2.9]), array([2.9]))
    """

    def step(velocity: Array, gradient: Array) -> tuple[Array, Array]:
        velocity = decay * velocity + gradient
        return velocity, velocity

    return Rule(np.zeros_like, step, 2 * (1 + decay), 1 / (1 - decay))


def nesterov(decay: float = 0.9) -> Rule:
    """The velocity as it will be a step later (Nesterov, 1983, in the form of Sutskever et al., ICML 2013).

    Examples
    --------
    >>> nesterov().step(np.array([1.0]), np.array([2.0]))
    (array([2.9]), array([4.61]))
    """

    def step(velocity: Array, gradient: Array) -> tuple[Array, Array]:
        velocity = decay * velocity + gradient
        return velocity, gradient + decay * velocity

    return Rule(np.zeros_like, step, 2 * (1 + decay) / (1 + 2 * decay), 1 / (1 - decay))


def rmsprop(decay: float = 0.9, epsilon: float = 1e-8) -> Rule:
    """Each coordinate by the root of its mean square of late (Tieleman & Hinton, Coursera lecture 6.5, 2012).

    Examples
    --------
    >>> rmsprop().step(np.array([1.0]), np.array([2.0]))[0]
    array([1.3])
    """

    def step(square: Array, gradient: Array) -> tuple[Array, Array]:
        square = decay * square + (1 - decay) * gradient * gradient
        return square, gradient / (np.sqrt(square) + epsilon)

    return Rule(np.zeros_like, step)


def adam(beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> Rule:
    """Mean by root mean square, neither biased towards its start at 0 (Kingma & Ba, ICLR 2015, algorithm 1).

    Examples
    --------
    >>> rule = adam()
    >>> rule.step(rule.start(np.zeros(1)), np.array([2.0]))[1]
    array([1.])
    """

    def start(u: Array) -> tuple[int, Array, Array]:
        return 0, np.zeros_like(u), np.zeros_like(u)

    def step(state: tuple[int, Array, Array], gradient: Array) -> tuple[tuple[int, Array, Array], Array]:
        t, mean, square = state
        t = t + 1
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient * gradient
        root = np.sqrt(square / (1 - beta_2**t))
        return (t, mean, square), mean / (1 - beta_1**t) / (root + epsilon)

    return Rule(start, step)
