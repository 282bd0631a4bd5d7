"""Activation and loss, in pairs, and their derivatives by the logit.

Paired with its own loss, every activation has the same slope, ``activation(z) - y``: the key insight behind the one
backward pass of this package. What differs is written here, each from exponentials of numbers that are never positive,
so that nothing overflows and nothing cancels.

Logits ``z`` are in nats (log-odds). A pair with one output takes ``z`` of shape (n,), softmax takes (n, k).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.masks import unmasked

Array = NDArray[Any]


class Loss(NamedTuple):
    """An activation with the loss that belongs to it, as pure functions of logits ``z`` and targets ``y``.

    ``value_slope`` gives both from one exponential; ``sum_slope(z, y, weight)`` is what a sweep over the rows needs:
    the sum of the rows' losses, in double precision, and their slopes, exact beside the largest, both weighted.
    ``bend`` gives, from logits, the function that multiplies by the curvature without forming it: ``bend(z)(t)`` is
    ∂²loss/∂z² · t. ``root`` gives, of each row, an R with R Rᵀ = ∂²loss/∂z², (n, k, its rank). ``entropy(slope, y)`` is
    minus the loss's convex conjugate at a slope: for the sigmoid and softmax, the entropy of the probabilities that
    have this slope. ``defect(h, t, weight)``, with h = bend(z)(1), is what, at most, keeps Fenchel's inequality from
    being an equality, summed over the rows, between the logits z + t and the slopes to first order,
    slope(z, y) + h t; infinite where no probability has these slopes, or it is not known.
    """

    name: str
    activation: Callable[[Array], Array]
    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array], Array]
    value_slope: Callable[[Array, Array], tuple[Array, Array]]
    sum_slope: Callable[[Array, Array, Array | None], tuple[float, Array]]
    bend: Callable[[Array], Callable[[Array], Array]]
    root: Callable[[Array], Array]
    entropy: Callable[[Array, Array], Array]
    defect: Callable[[Array, Array, Array | None], float]


def _floating(z: ArrayLike) -> Array:
    z = unmasked(z, "z")
    if z.dtype.kind not in "biufO":
        raise TypeError(f"z holds {z.dtype} values, not real numbers; pass logits")
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
    a: Array = np.maximum(e, z > 0) / (1 + e)
    return a


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
    z = _floating(z)
    against = (1 - 2 * np.asarray(y, dtype=z.dtype)) * z  # -m: what speaks for the wrong class
    value: Array = np.log1p(np.exp(-np.abs(against))) + np.maximum(against, 0)
    return value


def _sigmoid_value_slope(z: Array, y: Array) -> tuple[Array, Array]:
    # In place: on blocks of 8192 rows a sixth faster than with temporaries, a quarter in float32.
    sign = np.multiply(y, -2, dtype=z.dtype)
    sign += 1
    against = sign * z
    e = np.abs(against)
    np.exp(np.negative(e, out=e), out=e)
    slope = np.maximum(e, against > 0)
    value = np.log1p(e)
    value += np.maximum(against, 0, out=against)
    slope /= np.add(e, 1, out=e)
    slope *= sign
    return value, slope


LEAST = 1e-150  # of a probability, that can be divided by twice
FACTORS = 32  # of a product, whose logarithm then costs next to nothing
FAR = 20.0  # nats a row may be wrong by: exp(FAR)^(FACTORS + 1) does not overflow
EASY = {8: 1e-5, 4: 1e-2}  # nats a row, by the bytes of a logit: below it, too few digits of 1 + exp(-m) are left


def _sigmoid_sum_slope(z: Array, y: Array, weight: Array | None, *, precision: Any = None) -> tuple[float, Array]:
    """With the margin m, one exponential a row: the loss is log(1 + exp(-m)), its slope ∓exp(-m) / (1 + exp(-m)).

    Rows that are very wrong, or all of them very sure, are left to the functions that are exact for each row.
    The fewer calls there are, the less do threads wait for the interpreter: a `precision` of exponentials that is not
    the logits' is had in the calls that are needed anyway.
    """
    sign = 1 - 2 * y.astype(np.int8, copy=False)
    e = np.multiply(z, sign, dtype=precision or z.dtype, casting="same_kind")  # -m: what speaks for the wrong class
    if not e.max(initial=0.0) <= FAR:
        return _weighted(*_sigmoid_value_slope(z, y), weight)
    np.exp(e, out=e)
    q = np.add(e, 1, dtype=z.dtype)
    slope = np.divide(e, q, out=e if e.dtype == z.dtype else None)
    slope *= sign
    total = _log_product(q) if weight is None else float(np.log(q, out=q) @ weight)
    if total < EASY[z.itemsize] * (len(z) if weight is None else float(weight.sum())):
        return _weighted(*_sigmoid_value_slope(z, y), weight)
    if weight is not None:
        slope *= weight
    return total, slope


def _log_product(q: Array) -> float:
    """Σ log q: a multiplication a row, not a logarithm."""
    if len(q) <= FACTORS:
        return math.log(np.multiply.reduce(q, dtype=np.float64))
    if len(q) <= FACTORS**2:  # so few logarithms take no longer than what spares them
        return float(np.log(q).sum(dtype=np.float64))
    whole = len(q) // FACTORS * FACTORS  # products are then no fewer than what is left over
    products = np.multiply.reduce(q[:whole].reshape(FACTORS, -1), axis=0, dtype=np.float64)
    products[: len(q) - whole] *= q[whole:]
    return float(np.log(products, out=products).sum())


def _weighted(value: Array, slope: Array, weight: Array | None) -> tuple[float, Array]:
    if weight is None:
        return float(value.sum(dtype=np.float64)), slope
    slope *= weight if slope.ndim == 1 else weight[:, None]
    return float(value @ weight), slope


def _sigmoid_slope(z: Array, y: Array) -> Array:
    sign = np.multiply(y, -2, dtype=z.dtype)
    sign += 1
    return sign * sigmoid(sign * z)


def _sigmoid_curvature(z: Array) -> Array:
    e = np.abs(z)
    np.exp(np.negative(e, out=e), out=e)
    root = e + 1
    e /= np.square(root, out=root)
    return e


def _sigmoid_bend(z: Array) -> Callable[[Array], Array]:
    curvature = _sigmoid_curvature(z)
    return lambda t: curvature * t


def _xlogx(a: Array) -> Array:
    return a * np.log(np.maximum(a, 1e-300))


def _sigmoid_entropy(slope: Array, y: Array) -> Array:
    a = np.abs(slope.astype(np.float64, copy=False))  # the probability of the wrong class
    value: Array = -_xlogx(a) - (1 - a) * np.log1p(-np.minimum(a, 1 - 1e-16))
    return value


def _sigmoid_defect(h: Array, t: Array, weight: Array | None) -> float:
    """The divergence of the probabilities a + a' t from those at z + t is no more than χ².

    They differ by a'' t² / 2 somewhere between, where a' is at most exp(t) times what it is at z, for t without its
    sign, and a'' / a' = √(1 - 4 a'), without its sign, at most t / 2 more; exp(3 t) ≤ 1 + 3 t + 17 t² up to t = 1.
    """
    size = np.abs(t)
    if not size.max(initial=0.0) <= 1:  # a + a' t may be no probability
        return math.inf
    squares = t * t
    defect = 2 - 8 * h
    defect += squares / 2
    defect *= h
    defect *= squares
    defect *= squares
    size *= 3
    squares *= 17
    size += squares
    size += 1
    defect *= size
    return float(defect.sum() if weight is None else defect @ weight) / 4


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
    e = _below_largest(_by_class(_floating(z)))
    e /= e.sum(axis=0)
    return np.ascontiguousarray(e.T)


def probabilities(z: Array) -> Array:
    """Probability of each class: of two from their one logit, 0 where it is below all normal numbers.

    Parameters
    ----------
    z : array of shape (n,) or (n, 1), or (n, k) of three or more classes
        Logits, in nats.

    Returns
    -------
    array of shape (n, 2) or (n, k)

    Examples
    --------
    >>> probabilities(np.array([0.0, -1000.0]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    if z.ndim == 2 and z.shape[1] == 1:
        z = z[:, 0]
    if z.ndim == 2:
        return softmax(np.nan_to_num(z, nan=np.nan) if z.max(initial=0) == np.inf else z)
    with np.errstate(over="ignore", divide="ignore"):  # odds of infinity to 1
        return of_both_classes(z)


def of_both_classes(z: Array) -> Array:
    """`probabilities` of two classes, (n, 2), where NumPy is silent about odds of infinity already."""
    both = np.empty((len(z), 2), z.dtype)
    odds = np.exp(z, out=both[:, 0])
    np.reciprocal(odds, out=both[:, 1])
    both += 1
    return np.reciprocal(both, out=both)


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
    z = _floating(z)
    return _against_true(_by_class(z), np.asarray(y))[0]


def mean_log_loss(z: Array, y: ArrayLike, weight: Array | None = None) -> float:
    """Of logits as `probabilities` takes them, and class codes y, (n,): in nats per row, or per unit of weight."""
    if z.shape[1:] == (1,):
        z = z[:, 0]
    return float(np.average(log_loss(z, y) if z.ndim == 1 else cross_entropy(z, y), weights=weight))


def _by_class(z: Array) -> Array:
    """Logits with a row for each class, (k, n): a run of rows is then one run in memory, whatever the class."""
    return np.ascontiguousarray(z.T)


def _below_largest(zt: Array) -> Array:
    """exp(z_j - max z), with a row for each class."""
    e = zt - zt.max(axis=0)
    return np.asarray(np.exp(e, out=e))


def _against_true(zt: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Loss; exponentials relative to the largest logit, the true class's own left out as 0; their sum; and its own.

    With the true class ahead, its own is 1 and log1p is given the sum of the others, to its last digit; with another
    class ahead, the loss is above log 2 and that sum above 1, so that the subtraction costs nothing.
    """
    at = _places(y)
    largest = zt.max(axis=0)
    e = zt - largest
    np.exp(e, out=e)
    own = e.ravel().take(at)
    e.ravel()[at] = 0
    others = e.sum(axis=0)
    value = np.log1p(others + (own - 1))
    largest -= zt.ravel().take(at)
    value += largest
    return value, e, others, own


def _places(y: Array) -> Array:
    """Where the true class's number is in a raveled array with a row for each class; codes may be bytes."""
    return np.multiply(y, len(y), dtype=np.intp) + np.arange(len(y))


def _softmax_value_slope(z: Array, y: Array) -> tuple[Array, Array]:
    value, e, others, own = _against_true(_by_class(z), y)
    own += others
    e.ravel()[_places(y)] = -others  # minus all the others': nothing is subtracted
    e /= own
    return value, e.T


def _softmax_slope(z: Array, y: Array) -> Array:
    return _softmax_value_slope(z, y)[1]


def _softmax_curvature(z: Array) -> Array:
    """(n, k, k): diag(a) - a aᵀ, the diagonal as a_j times the sum of the other probabilities."""
    zt = _by_class(z)
    rows, largest = np.arange(len(z)), zt.argmax(axis=0)
    e = _below_largest(zt)
    others = e.sum(axis=0) - e  # ≥ 1 but for the largest, whose others are summed without it
    e[largest, rows] = 0
    rest = e.sum(axis=0)
    others[largest, rows] = rest
    e[largest, rows] = 1
    norm = 1 + rest
    a = (e / norm).T
    curvature: Array = -a[:, :, None] * a[:, None, :]
    j = np.arange(z.shape[1])
    curvature[:, j, j] = a * (others / norm).T
    return curvature


def _softmax_bend(z: Array) -> Callable[[Array], Array]:
    """a_j (t_j - Σ a_l t_l), with t counted from that of the largest class: of a sure row nothing is cancelled."""
    zt = _by_class(z)
    at = zt.argmax(axis=0) * len(z) + np.arange(len(z))
    a = _below_largest(zt)
    a /= a.sum(axis=0)

    def multiply(t: Array) -> Array:
        tt = _by_class(t)
        bent: Array = tt - tt.ravel().take(at)
        bent -= (a * bent).sum(axis=0)
        bent *= a
        return np.asarray(bent.T)

    return multiply


def _softmax_root(z: Array) -> Array:
    """The Cholesky factor of diag(a) - a aᵀ, of sums of probabilities: of a sure row nothing is cancelled.

    Tanabe & Sagae, Journal of the Royal Statistical Society B 54, 1992.
    """
    a = np.maximum(softmax(z), LEAST, dtype=np.float64)
    n, k = a.shape
    left, root = a[:, ::-1].cumsum(axis=1)[:, ::-1], np.zeros((n, k, k - 1))
    for j in range(k - 1):
        own = np.sqrt(a[:, j] / left[:, j] / left[:, j + 1])
        root[:, j, j], root[:, j + 1 :, j] = own * left[:, j + 1], -own[:, None] * a[:, j + 1 :]
    return root


def _softmax_entropy(slope: Array, y: Array) -> Array:
    a = np.array(slope, dtype=np.float64)
    own = -a[np.arange(len(a)), y]  # one less the probability of the true class
    a[np.arange(len(a)), y] = 0
    value: Array = -_xlogx(a).sum(axis=1) - (1 - own) * np.log1p(-np.minimum(own, 1 - 1e-16))
    return value


def _identity_value_slope(z: Array, y: Array) -> tuple[Array, Array]:
    residual = np.subtract(z, y, dtype=z.dtype)
    return residual / 2 * residual, residual  # halved first: the square may overflow where its half does not


SIGMOID = Loss(
    "log loss",
    sigmoid,
    log_loss,
    _sigmoid_slope,
    _sigmoid_curvature,
    _sigmoid_value_slope,
    _sigmoid_sum_slope,
    _sigmoid_bend,
    lambda z: np.sqrt(_sigmoid_curvature(z))[:, None, None],
    _sigmoid_entropy,
    _sigmoid_defect,
)
# costs and slopes of seven digits, which is plenty for a gap that goes with the squares of slopes; where an exponential
# of doubles is made one by one (without AVX-512), it takes most of a sweep of few columns, in single precision a fifth
SIGMOID_SINGLE = SIGMOID._replace(sum_slope=partial(_sigmoid_sum_slope, precision=np.float32))
SOFTMAX = Loss(
    "cross-entropy",
    softmax,
    cross_entropy,
    _softmax_slope,
    _softmax_curvature,
    _softmax_value_slope,
    lambda z, y, weight: _weighted(*_softmax_value_slope(z, y), weight),
    _softmax_bend,
    _softmax_root,
    _softmax_entropy,
    lambda h, t, weight: math.inf,
)
IDENTITY = Loss(
    "squared error",
    lambda z: z,
    lambda z, y: _identity_value_slope(z, y)[0],
    lambda z, y: _identity_value_slope(z, y)[1],
    np.ones_like,
    _identity_value_slope,
    lambda z, y, weight: _weighted(*_identity_value_slope(z, y), weight),
    lambda z: lambda t: t,
    lambda z: np.ones((len(z), 1, 1)),
    lambda slope, y: -slope * (slope / 2 + y),
    lambda h, t, weight: 0.0,
)
