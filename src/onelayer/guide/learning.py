"""The loop: step after step against the gradient, and how large a step may be."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from onelayer.guide.asked import Matrix, check_count, examples, matrix, rate, weights
from onelayer.guide.neuron import Parameters, gradients_at, initialize_parameters, layer_sizes, logits_at
from onelayer.objective.losses import log_loss, sigmoid


class RisingCostWarning(UserWarning):
    """The cost rose during gradient descent, because the learning rate is above the stable bound.

    Examples
    --------
    >>> issubclass(RisingCostWarning, UserWarning)
    True
    """


def descent(
    X: ArrayLike, Y: ArrayLike, parameters: Mapping[str, ArrayLike], learning_rate: float = 1.2
) -> Iterator[tuple[Parameters, float]]:
    """Gradient descent, step by step, for ever: parameters and their cost, from the start given.

    Parameters
    ----------
    X : array of shape (n_x, m)
    Y : array of shape (n_y, m)
        Labels, 0 or 1.
    parameters : dict
        Where to start, from `initialize_parameters`.
    learning_rate : float
        Positive.

    Yields
    ------
    parameters : dict
        "W" and "b".
    cost : float
        Mean log loss at these parameters, from the logits: finite.

    Raises
    ------
    ValueError
        If the data do not fit together, the rate is not positive and finite, or a step overflows double precision.

    Examples
    --------
    >>> from itertools import islice
    >>> start = {"W": [[0.0, 0.0]], "b": [[0.0]]}
    >>> [round(cost, 3) for _, cost in islice(descent([[0, 1], [1, 0]], [[1, 0]], start), 4)]
    [0.693, 0.554, 0.454, 0.379]
    """
    X, Y = examples(X, Y)
    learning_rate = rate(learning_rate)
    W, b = weights(parameters)
    if W.shape != (Y.shape[0], X.shape[0]):
        raise ValueError(f"parameters['W'] has shape {W.shape}; X and Y ask for {(Y.shape[0], X.shape[0])}")
    while True:
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below, and said in words
            Z = logits_at(X, W, b)
            cost = float(log_loss(Z, Y).sum() / Y.shape[1])
            gradients = gradients_at(sigmoid(Z), X, Y)
        if not (math.isfinite(cost) and np.isfinite(gradients["dW"]).all()):
            _refuse_overflow(X, learning_rate)
        yield {"W": W, "b": b}, cost
        with np.errstate(over="ignore"):
            W, b = W - learning_rate * gradients["dW"], b - learning_rate * gradients["db"]
        if not (np.isfinite(W).all() and np.isfinite(b).all()):
            _refuse_overflow(X, learning_rate)


def nn_model(
    X: ArrayLike, Y: ArrayLike, num_iterations: int = 10, learning_rate: float = 1.2, print_cost: bool = False
) -> Parameters:
    """Train the neuron by gradient descent from small random weights.

    Parameters
    ----------
    X : array of shape (n_x, m)
    Y : array of shape (n_y, m)
        Labels, 0 or 1.
    num_iterations : int
        Number of steps; 0 returns the start.
    learning_rate : float
        Positive. Below `stable_rate` of X no step can raise the cost.
    print_cost : bool
        Print the cost before each step.

    Returns
    -------
    dict
        The learnt "W", of shape (n_y, n_x), and "b", of shape (n_y, 1).

    Raises
    ------
    ValueError, TypeError
        If X, Y, num_iterations or learning_rate cannot be used, or a step overflows. Nothing is drawn from NumPy's
        global generator before the arguments are checked.

    Warns
    -----
    RisingCostWarning
        Once, if a step raised the cost, with the stable bound on the rate.

    Examples
    --------
    >>> from onelayer.guide import predict, thirty_points
    >>> np.random.seed(3)
    >>> parameters = nn_model(*thirty_points(), num_iterations=50)
    >>> predict([[1, 1, 0, 0], [0, 1, 0, 1]], parameters)
    array([[False, False, False,  True]])
    """
    sizes = layer_sizes(X, Y)
    learning_rate = rate(learning_rate)
    check_count("num_iterations", num_iterations, "pass 0 or more", least=0)
    steps = descent(X, Y, initialize_parameters(*sizes), learning_rate)
    parameters, cost = next(steps)
    costs = [cost]
    for i in range(num_iterations):
        if print_cost:
            print(f"Cost after iteration {i}: {cost:f}")
        parameters, cost = next(steps)
        costs.append(cost)  # the last one is not printed, only seen to have risen or not
    _report_rise(costs, X, learning_rate)
    return parameters


def stable_rate(X: ArrayLike) -> float:
    """The learning rate below which no step of gradient descent can raise the cost: 2/L.

    L bounds the curvature of the mean log loss. As the curvature of one loss by its logit is at most 1/4, L is a
    quarter of the largest eigenvalue of the mean of x xᵀ, x being an example with a 1 added for the bias.

    Parameters
    ----------
    X : array of shape (n_x, m)

    Returns
    -------
    float
        In units of weight² per nat. 0 if it is too small for double precision: scale the features then.

    Raises
    ------
    ValueError, TypeError
        As `forward_propagation`.

    References
    ----------
    Nesterov, Lectures on Convex Optimization, 2nd ed., 2018, theorem 2.1.5 and section 2.1.5.

    Examples
    --------
    >>> round(stable_rate([[1.0]]), 12)  # mean of x xᵀ is [[1, 1], [1, 1]]: largest eigenvalue 2, L = 1/2
    4.0
    """
    X = matrix("X", X)
    scale = max(1.0, float(np.abs(X).max()))  # squares of the scaled rows neither overflow nor, at the top, vanish
    rows = np.vstack([X / scale, np.full((1, X.shape[1]), 1 / scale)])
    eigenvalue = float(np.linalg.eigvalsh(rows @ rows.T / X.shape[1])[-1])
    return 8 / eigenvalue / scale / scale


def _refuse_overflow(X: Matrix, learning_rate: float) -> NoReturn:
    raise ValueError(
        f"learning_rate {learning_rate:g} drives the weights beyond double precision; {_advice(stable_rate(X))}"
    )


def _advice(bound: float) -> str:
    return f"pass a rate below 2/L = {bound:.3g}" if bound > 0 else "divide each row of X by its largest value"


def _report_rise(costs: Sequence[float], X: ArrayLike, learning_rate: float) -> None:
    # A mean of m losses carries rounding of some 1e-16 √m: a rise of less than 1e-12 is not one.
    rises = [i for i in range(1, len(costs)) if costs[i] > costs[i - 1] * (1 + 1e-12)]
    if rises:
        warnings.warn(
            f"the cost rose in {len(rises)} of {len(costs) - 1} steps, first from {costs[rises[0] - 1]:.4g} to "
            f"{costs[rises[0]]:.4g} in step {rises[0]}: learning_rate {learning_rate:g} is too large for X; "
            + _advice(stable_rate(X)),
            RisingCostWarning,
            stacklevel=3,
        )
