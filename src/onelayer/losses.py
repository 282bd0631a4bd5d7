"""Activation and loss, in pairs, and their derivatives by the logit.

Paired with its own loss, every activation has the same slope, ``activation(z) - y``: the key insight behind the one
backward pass of this package. What differs is written here, each from exponentials of numbers that are never positive,
so that nothing overflows and nothing cancels.

Logits ``z`` are in nats (log-odds). A pair with one output takes ``z`` of shape (n,), softmax takes (n, k).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


class Loss(NamedTuple):
    """An activation with the loss that belongs to it, as pure functions of logits ``z`` and targets ``y``.

    ``value_slope`` is what a sweep over the rows needs: both from one exponential. ``bend`` gives, from logits, the
    function that multiplies by the curvature without forming it: ``bend(z)(t)`` is ∂²loss/∂z² · t.
    """

    name: str
    activation: Callable[[Array], Array]
    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array], Array]
    value_slope: Callable[[Array, Array], tuple[Array, Array]]
    bend: Callable[[Array], Callable[[Array], Array]]


def _floating(z: ArrayLike) -> Array:
    z = np.asarray(z)
    return z if z.dtype.kind == "f" else z.astype(np.float64)


def sigmoid(z: ArrayLike) -> Array:
    """The logistic function 1 / (1 + exp(-z)), from the exponential of -\\|z\\|.

    Parameters
    ----------
    z : array of any shape
        Logits, in nats.

    Returns
    -------
    array of the shape of z
        Probabilities in [0, 1], exact to a few units in the last place, however small.

    Examples
    --------
    >>> sigmoid([-2, 0, 3.5]).round(8)
    array([0.11920292, 0.5       , 0.97068777])
    >>> float(sigmoid(-700.0))
    9.85967654375977e-305
    """
    z = _floating(z)
    e = np.exp(-np.abs(z))
    return np.where(z > 0, 1, e) / (1 + e)


def log_loss(z: ArrayLike, y: ArrayLike) -> Array:
    """Log loss of each example, -y log σ(z) - (1 - y) log(1 - σ(z)), from the logit.

    With the margin m = (2y - 1) z it is log(1 + exp(-m)), computed as log1p(exp(-\\|m\\|)) + max(-m, 0).

    Parameters
    ----------
    z : array
        Logits, in nats.
    y : array that broadcasts with z
        Labels, 0 or 1.

    Returns
    -------
    array
        Losses, in nats.

    Examples
    --------
    >>> log_loss([0.0, 40.0, -1000.0], [1, 1, 1])
    array([6.93147181e-01, 4.24835426e-18, 1.00000000e+03])
    """
    margin = _margin(_floating(z), y)
    return _loss_of_margin(margin, np.exp(-np.abs(margin)))


def _margin(z: Array, y: ArrayLike) -> Array:
    return (2 * np.asarray(y, dtype=z.dtype) - 1) * z


def _loss_of_margin(margin: Array, e: Array) -> Array:
    return np.log1p(e) + np.maximum(-margin, 0)


def _sigmoid_value_slope(z: Array, y: Array) -> tuple[Array, Array]:
    sign = 2 * np.asarray(y, dtype=z.dtype) - 1
    margin = sign * z
    e = np.exp(-np.abs(margin))
    slope = np.where(margin > 0, e, 1)  # magnitude of the slope, once divided by 1 + e
    slope /= 1 + e
    slope *= sign
    return _loss_of_margin(margin, e), np.negative(slope, out=slope)


def _sigmoid_slope(z: Array, y: Array) -> Array:
    return _sigmoid_value_slope(z, y)[1]


def _sigmoid_curvature(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    root = 1 + e
    return e / root / root


def _sigmoid_bend(z: Array) -> Callable[[Array], Array]:
    curvature = _sigmoid_curvature(z)
    return lambda t: curvature * t


def softmax(z: ArrayLike) -> Array:
    """Probabilities of k classes, exp(z_j) / Σ exp(z_l), for each row of logits.

    Parameters
    ----------
    z : array of shape (n, k)
        Logits, in nats.

    Returns
    -------
    array of shape (n, k)
        Rows that sum to one.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [0.0, 1000.0]])
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    z = _floating(z)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z: ArrayLike, y: ArrayLike) -> Array:
    """Cross-entropy of each example, -log softmax(z)[y], from differences to the true class.

    Parameters
    ----------
    z : array of shape (n, k)
        Logits, in nats.
    y : integer array of shape (n,)
        Class codes, 0 to k - 1.

    Returns
    -------
    array of shape (n,)
        Losses, in nats.

    Examples
    --------
    >>> cross_entropy([[0.0, 40.0, 0.0]], [1])
    array([8.49670851e-18])
    """
    z, y = _floating(z), np.asarray(y)
    return _against_true(z, y)[0]


def _against_true(z: Array, y: Array) -> tuple[Array, Array, Array]:
    """Loss; exponentials relative to the largest logit, its own left out as 0; and where the largest is."""
    rows = np.arange(len(z))
    difference = z - z[rows, y][:, None]
    largest = difference.argmax(axis=1)
    top = difference[rows, largest]
    e = np.exp(difference - top[:, None])
    e[rows, largest] = 0  # so that log1p of the others' sum keeps every digit when the true class is far ahead
    return top + np.log1p(e.sum(axis=1)), e, largest


def _softmax_value_slope(z: Array, y: Array) -> tuple[Array, Array]:
    rows = np.arange(len(z))
    value, e, largest = _against_true(z, y)
    norm = 1 + e.sum(axis=1)
    e[rows, largest] = 1
    e[rows, y] = 0
    e[rows, y] = -e.sum(axis=1)  # slope of the true class is minus all the others': nothing is subtracted
    e /= norm[:, None]
    return value, e


def _softmax_slope(z: Array, y: Array) -> Array:
    return _softmax_value_slope(z, y)[1]


def _softmax_curvature(z: Array) -> Array:
    """(n, k, k): diag(a) - a aᵀ, the diagonal as a_j times the sum of the other probabilities."""
    rows = np.arange(len(z))
    largest = z.argmax(axis=1)
    e = np.exp(z - z[rows, largest][:, None])
    others = e.sum(axis=1, keepdims=True) - e  # ≥ 1 but for the largest, whose others are summed without it
    e[rows, largest] = 0
    rest = e.sum(axis=1)
    others[rows, largest] = rest
    e[rows, largest] = 1
    norm = (1 + rest)[:, None]
    a = e / norm
    curvature: Array = -a[:, :, None] * a[:, None, :]
    j = np.arange(z.shape[1])
    curvature[:, j, j] = a * (others / norm)
    return curvature


def _softmax_bend(z: Array) -> Callable[[Array], Array]:
    a = softmax(z)
    return lambda t: a * (t - (a * t).sum(axis=1, keepdims=True))


def _identity_value_slope(z: Array, y: Array) -> tuple[Array, Array]:
    residual = z - y
    return residual * residual / 2, residual


SIGMOID = Loss(
    "log loss",
    sigmoid,
    log_loss,
    _sigmoid_slope,
    _sigmoid_curvature,
    _sigmoid_value_slope,
    _sigmoid_bend,
)
SOFTMAX = Loss(
    "cross-entropy",
    softmax,
    cross_entropy,
    _softmax_slope,
    _softmax_curvature,
    _softmax_value_slope,
    _softmax_bend,
)
IDENTITY = Loss(
    "squared error",
    lambda z: z,
    lambda z, y: _identity_value_slope(z, y)[0],
    lambda z, y: z - y,
    np.ones_like,
    _identity_value_slope,
    lambda z: lambda t: t,
)
