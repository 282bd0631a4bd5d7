"""The neuron: its sizes, its start, its probabilities, their cost, the gradient of that, and one step against it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlog1py, xlogy

from onelayer.guide.asked import Matrix, answers, check_count, examples, matrix, rate, weights
from onelayer.objective.losses import sigmoid

Parameters = dict[str, Matrix]


def layer_sizes(X: ArrayLike, Y: ArrayLike) -> tuple[int, int]:
    """Numbers of inputs and outputs of the neuron, once X and Y are seen to fit together.

    Parameters
    ----------
    X : array of shape (n_x, m)
    Y : array of shape (n_y, m)
        Labels, 0 or 1.

    Returns
    -------
    n_x, n_y : int

    Raises
    ------
    ValueError
        If a shape is wrong or looks transposed, a value is not finite, or a label is neither 0 nor 1.
    TypeError
        If X or Y does not hold numbers.

    Examples
    --------
    >>> from onelayer.guide import blobs
    >>> layer_sizes(*blobs())
    (2, 1)
    """
    X, Y = examples(X, Y)
    return X.shape[0], Y.shape[0]


def initialize_parameters(n_x: int, n_y: int) -> Parameters:
    """Start with small random weights, drawn from NumPy's global generator, and no bias.

    Parameters
    ----------
    n_x, n_y : int
        Numbers of inputs and outputs, at least 1.

    Returns
    -------
    dict
        "W", of shape (n_y, n_x), normal with standard deviation 0.01; "b", zeros of shape (n_y, 1).

    Raises
    ------
    ValueError
        If a size is below 1.

    Examples
    --------
    >>> initialize_parameters(2, 1)["b"]
    array([[0.]])
    """
    for name, size in (("n_x", n_x), ("n_y", n_y)):
        check_count(name, size, "a layer has at least one input and one output")
    return {"W": 0.01 * np.random.randn(n_y, n_x), "b": np.zeros((n_y, 1))}


def forward_propagation(X: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Matrix:
    """Probability of class 1 for each example: σ(W X + b).

    Parameters
    ----------
    X : array of shape (n_x, m)
    parameters : dict
        "W" of shape (n_y, n_x) and "b" of shape (n_y, 1).

    Returns
    -------
    array of shape (n_y, m)
        Probabilities in [0, 1].

    Raises
    ------
    ValueError
        If X does not have a row for each weight, or a value is not finite.
    TypeError
        If X does not hold numbers.

    Examples
    --------
    >>> forward_propagation([[0, 1], [1, 1]], {"W": [[-1, 1]], "b": [[-0.5]]}).round(3)
    array([[0.622, 0.378]])
    """
    W, b = weights(parameters)
    X = matrix("X", X)
    if X.shape[0] != W.shape[1]:
        remedy = "it looks transposed: pass X.T" if X.shape[1] == W.shape[1] else "features go in rows"
        raise ValueError(f"X has {X.shape[0]} rows for {W.shape[1]} weights; {remedy}")
    with np.errstate(over="ignore", invalid="ignore"):
        Z = logits_at(X, W, b)
    if not np.isfinite(Z).all():
        raise ValueError("W X + b is beyond double precision; divide each row of X by its largest value")
    return sigmoid(Z)


def compute_cost(A: ArrayLike, Y: ArrayLike) -> float:
    """Mean log loss of probabilities A, with 0·log 0 taken as 0; never NaN.

    A wrong answer given with probability exactly 0 has an infinite loss, and the cost is then ``inf``: from A alone
    nothing better can be said. `nn_model` and `descent` compute the same cost from the logits, where it stays finite.

    Parameters
    ----------
    A : array of shape (n_y, m)
        Probabilities of class 1, in [0, 1].
    Y : array of shape (n_y, m)
        Labels, 0 or 1.

    Returns
    -------
    float
        Sum of the losses over m, in nats.

    Raises
    ------
    ValueError
        If A is not made of probabilities, Y not of labels, or their shapes differ.

    Examples
    --------
    >>> round(compute_cost([[0.5, 0.5]], [[0, 1]]), 6)
    0.693147
    >>> compute_cost([[1.0, 0.0]], [[1, 0]]), compute_cost([[0.0]], [[1]])
    (0.0, inf)
    """
    A, Y = answers(A, Y)
    return float(np.sum(0 - xlogy(Y, A) - xlog1py(1 - Y, -A)) / Y.shape[1])  # from 0, so that no loss is -0.0


def backward_propagation(A: ArrayLike, X: ArrayLike, Y: ArrayLike) -> Parameters:
    """Gradient of the cost: (A - Y) Xᵀ / m by the weights, the mean of A - Y by the bias.

    Parameters
    ----------
    A : array of shape (n_y, m)
        Probabilities, from `forward_propagation`.
    X : array of shape (n_x, m)
    Y : array of shape (n_y, m)
        Labels, 0 or 1.

    Returns
    -------
    dict
        "dW", of shape (n_y, n_x), and "db", of shape (n_y, 1), in nats per unit of weight.

    Raises
    ------
    ValueError, TypeError
        As `layer_sizes` and `compute_cost`.

    Examples
    --------
    >>> backward_propagation([[0.5, 0.5]], [[0, 2]], [[0, 1]])
    {'dW': array([[-0.5]]), 'db': array([[0.]])}
    """
    A, Y = answers(A, Y)
    X, Y = examples(X, Y)
    with np.errstate(over="ignore", invalid="ignore"):
        found = gradients_at(A, X, Y)
    if not np.isfinite(found["dW"]).all():
        raise ValueError("dW is beyond double precision; divide each row of X by its largest value")
    return found


def update_parameters(
    parameters: Mapping[str, ArrayLike], grads: Mapping[str, ArrayLike], learning_rate: float = 1.2
) -> Parameters:
    """One step against the gradient; the parameters given are left as they were.

    Parameters
    ----------
    parameters : dict
        "W" and "b".
    grads : dict
        "dW" and "db", of the same shapes.
    learning_rate : float
        Positive.

    Returns
    -------
    dict
        New "W" and "b".

    Raises
    ------
    ValueError
        If the rate is not positive and finite, or shapes differ.

    Examples
    --------
    >>> update_parameters({"W": [[1.0]], "b": [[0.0]]}, {"dW": [[-0.5]], "db": [[0.0]]})
    {'W': array([[1.6]]), 'b': array([[0.]])}
    """
    learning_rate = rate(learning_rate)
    W, b = weights(parameters)
    dW, db = weights(grads, "grads", ("dW", "db"))
    if dW.shape != W.shape:
        raise ValueError(f"grads['dW'] has shape {dW.shape}, parameters['W'] {W.shape}; they must be the same")
    with np.errstate(over="ignore"):
        found = {"W": W - learning_rate * dW, "b": b - learning_rate * db}
    if not all(np.isfinite(part).all() for part in found.values()):
        raise ValueError(
            f"learning_rate {learning_rate:g} drives the weights beyond double precision; pass a lower one"
        )
    return found


def logits_at(X: Matrix, W: Matrix, b: Matrix) -> Matrix:
    """Z of each example, in nats; nothing is checked."""
    return W @ X + b  # (n_y, m)


def gradients_at(A: Matrix, X: Matrix, Y: Matrix) -> Parameters:
    """`backward_propagation` of what has been checked."""
    m = X.shape[1]
    dZ = A - Y  # (n_y, m)
    return {"dW": dZ @ X.T / m, "db": dZ.sum(axis=1, keepdims=True) / m}
