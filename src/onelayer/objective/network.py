"""Hidden layers: a stack of layers is one more function of (parameters, X, y, weight), summed over the rows.

The output layer is the package's own: a sigmoid or softmax with its loss, whose slope ``activation(z) - y`` starts the
backward pass. Each hidden layer before it hands the slope on, by the chain rule: through its weights, and through its
activation's derivative. A `Network` is asked what an objective is asked, so that the same solvers run it; its point u
is flat, the layers' weights (fan in, fan out) and biases (fan out,) one after the other.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Layer = tuple[Array, Array]  # weights (fan in, fan out) and biases (fan out,)

WAY = 1000  # stretches of the way from nought to a row


class Activation(NamedTuple):
    """What a hidden layer does to its logits; both may write over the array they are given.

    ``forward`` gives the activation and what ``backward`` needs to multiply a slope by the derivative. ``gain`` is the
    variance of a weight times its fan that keeps the size of what passes from layer to layer; ``both`` tells whether
    the fan is the mean of fan in and fan out, and the first layer, whose inputs nothing has bent yet, without gain.
    """

    name: str
    gain: float
    both: bool
    forward: Callable[[Array], tuple[Array, Array]]
    backward: Callable[[Array, Array], Array]


def _tanh(z: Array) -> tuple[Array, Array]:
    a = np.tanh(z, out=z)
    return a, a


def _tanh_back(slope: Array, a: Array) -> Array:
    slope *= 1 - a * a
    return slope


def _relu(z: Array) -> tuple[Array, Array]:
    a = np.maximum(z, 0, out=z)
    return a, a


def _relu_back(slope: Array, a: Array) -> Array:
    slope *= a > 0
    return slope


def _ndtr(z: Array) -> Array:
    from scipy.special import ndtr  # takes a third as long to load as all the rest, for this one function

    return np.asarray(ndtr(z))


def _gelu(z: Array) -> tuple[Array, Array]:
    return z * _ndtr(z), z


def _gelu_back(slope: Array, z: Array) -> Array:
    slope *= _ndtr(z) + z * (np.exp(-z * z / 2) / math.sqrt(2 * math.pi))
    return slope


# Glorot & Bengio (AISTATS 2010) for tanh, by the 5/3 that makes up for its bend, as in PyTorch's calculate_gain: with
# 1, two spirals were not learnt from two starts of five; with 5/3 in the first layer, too, a linear 100,000 × 50 not as
# well. He et al. (ICCV 2015) for ReLU, whose half that is nought asks for twice the variance; GELU (Hendrycks & Gimpel,
# arXiv:1606.08415), x Φ(x), is close to it.
ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("tanh", 25 / 9, True, _tanh, _tanh_back),
        Activation("relu", 2.0, False, _relu, _relu_back),
        Activation("gelu", 2.0, False, _gelu, _gelu_back),
    )
}


@dataclass(frozen=True)
class Network:
    """A penalised mean loss of a stack of layers over a source of rows.

    Parameters
    ----------
    rows : source
        Answers ``total``, ``each`` and ``take`` (`onelayer.rows.sources.Rows`); arithmetic is in its rows' precision.
    loss : loss
        Of the output layer (`onelayer.objective.losses.Loss`).
    sizes : sequence of int
        Features, neurons of each hidden layer, outputs.
    activation : Activation
        Of the hidden layers.
    penalty : float
        Weight of ‖w‖² / 2 beside the mean loss; biases are never penalised.
    total_weight : float
        The sum of the rows' weights.

    Examples
    --------
    >>> from onelayer.objective.losses import SIGMOID
    >>> from onelayer.rows.sources import Rows
    >>> rows = Rows(np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([0.0, 1.0]))
    >>> network = Network(rows, SIGMOID, (2, 3, 1), ACTIVATIONS["tanh"], 0.01, 2.0)
    >>> network.shape
    (13,)
    >>> value, gradient = network.value_gradient(network.initial(seed=0))
    """

    rows: Any
    loss: Any
    sizes: Sequence[int]
    activation: Activation
    penalty: float
    total_weight: float

    convex: ClassVar[bool] = False

    @property
    def outputs(self) -> int:
        """k, the number of logits of a row."""
        return self.sizes[-1]

    @property
    def shape(self) -> tuple[int]:
        """Shape of a point."""
        return (sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(self.sizes)),)

    def initial(self, seed: int) -> Array:
        """Random weights of a size that neither fades nor explodes from layer to layer, and biases 0."""
        rng = np.random.default_rng(seed)
        u = np.zeros(self.shape)
        for i, (W, _) in enumerate(layers(u, self.sizes)):
            fan_in, fan_out = W.shape
            fan = (fan_in + fan_out) / 2 if self.activation.both else fan_in
            gain = 1.0 if self.activation.both and i == 0 else self.activation.gain
            W[...] = rng.standard_normal(W.shape) * math.sqrt(gain / fan)
        return u

    def value_gradient(self, u: Array) -> tuple[float, Array]:
        """The objective at u, in nats, and its gradient, of u's shape: one sweep over the rows."""

        def sweep(X: Any, y: Array, weight: Array | None) -> tuple[Any, Array]:
            stack = list(layers(u.astype(X.dtype, copy=False), self.sizes))
            z, inputs, kept = forward(X, stack, self.activation)
            value, slope = self.loss.value_slope(z, y)
            slope = slope if slope.ndim == 2 else slope[:, None]
            if weight is not None:
                value, slope = value * weight, slope * weight[:, None].astype(X.dtype, copy=False)
            return value.sum(dtype=np.float64), self._backward(slope, stack, inputs, kept)

        value, gradient = self.rows.total(sweep)
        gradient /= self.total_weight
        value = float(value) / self.total_weight
        for (W, _), (W_gradient, _) in zip(layers(u, self.sizes), layers(gradient, self.sizes), strict=True):
            W_gradient += self.penalty * W
            value += self.penalty / 2 * float(np.vdot(W, W))
        return value, gradient

    def evaluate(self, u: Array, *, keep: bool = False) -> tuple[float, Array, None]:
        """`value_gradient`; no logits are kept, as there is no Hessian to find from them."""
        return *self.value_gradient(u), None

    def _backward(self, slope: Array, stack: list[Layer], inputs: list[Any], kept: list[Array]) -> Array:
        """The backward pass of a block: from the slope of its loss by its logits, (n, k), to the flat gradient."""
        gradient = np.empty(self.shape)
        into = list(layers(gradient, self.sizes))
        for i in reversed(range(len(stack))):
            W_gradient, b_gradient = into[i]
            W_gradient[...] = inputs[i].T @ slope
            b_gradient[...] = slope.sum(axis=0)
            if i:
                slope = self.activation.backward(slope @ stack[i][0].T, kept[i - 1])
        return gradient

    def product(self, u: Array) -> Callable[[Array], Array]:
        """The function v → Hessian(u) · v, from the difference of two gradients."""

        def product(v: Array) -> Array:
            # the difference loses half of the digits, and so does its step: Nocedal & Wright, 2nd ed., p. 196
            step = 2 * math.sqrt(self.rows.precision) * (1 + float(np.linalg.norm(u))) / float(np.linalg.norm(v))
            ahead, behind = self.value_gradient(u + step * v)[1], self.value_gradient(u - step * v)[1]
            return np.asarray((ahead - behind) / (2 * step))

        return product

    def value(self, u: Array) -> float:
        """The objective at u, in nats, by the forward pass alone."""

        def block(X: Any, y: Array, weight: Array | None) -> tuple[Any]:
            z = forward(X, list(layers(u.astype(X.dtype, copy=False), self.sizes)), self.activation)[0]
            value = self.loss.value(z, y)
            return ((value if weight is None else value * weight).sum(dtype=np.float64),)

        norm = sum(float(np.vdot(W, W)) for W, _ in layers(u, self.sizes))
        return float(self.rows.total(block)[0]) / self.total_weight + self.penalty / 2 * norm

    def sample(self, rows: Array, weight: Array | None, total_weight: float) -> "Network":
        """The objective of some of the rows, with weights of their own: the same mean, estimated."""
        return replace(self, rows=self.rows.take(rows, weight, lambda X: X), total_weight=total_weight)


def layers(u: Array, sizes: Sequence[int]) -> Iterator[Layer]:
    """The weights (fan in, fan out) and biases (fan out,) of each layer, as views of the flat u."""
    start = 0
    for fan_in, fan_out in pairwise(sizes):
        end = start + fan_in * fan_out
        yield u[start:end].reshape(fan_in, fan_out), u[end : end + fan_out]
        start = end + fan_out


def forward(X: Any, stack: Sequence[Layer], activation: Activation) -> tuple[Array, list[Any], list[Array]]:
    """The forward pass: logits, (n,) for one output, else (n, k); each layer's input; what its derivative needs."""
    inputs, kept = [X], []
    for W, b in stack[:-1]:
        z = inputs[-1] @ W
        z += b
        a, keep = activation.forward(z)
        inputs.append(a)
        kept.append(keep)
    W, b = stack[-1]
    z = inputs[-1] @ W
    z += b
    return (z[:, 0] if z.shape[1] == 1 else z), inputs, kept


def pushes(X: Any, stack: Sequence[Layer], activation: Activation, output: Array) -> tuple[float, Array]:
    """``output @ z`` at features of nought, and what each feature of one row X (1, d) adds to it, (d,).

    The gradient's mean on the straight way from nought to the row, times the row: the pushes add up to what the row
    has more (integrated gradients: Sundararajan, Taly & Yan, ICML 2017).

    Examples
    --------
    >>> stack = [(np.array([[2.0], [1.0]]), np.array([-1.0])), (np.array([[3.0]]), np.array([0.5]))]
    >>> start, found = pushes(np.array([[1.0, 1.0]]), stack, ACTIVATIONS["relu"], np.ones(1))
    >>> start, found.round(3).tolist()  # 3 max(2 + 1 - 1, 0) + 0.5 less 0.5
    (0.5, [4.0, 2.0])
    """
    (W, b), *others = stack
    way = np.linspace(0, 1, WAY + 1)[:, None]
    along = [(np.asarray(X @ W), b), *others]  # a network of one input, how far along
    z, _, kept = forward(way, along, activation)
    z = z.reshape(len(way), -1) @ output
    slope = np.tile(output, (len(way), 1))
    for (W_after, _), keep in zip(reversed(others), reversed(kept), strict=True):
        slope = activation.backward(slope @ W_after.T, keep)
    left, right = (end @ along[0][0][0] for end in (slope[:-1], slope[1:]))
    bent = np.abs(left - right) > 1e-9 * (np.abs(left) + np.abs(right))
    # how far the left end's slope reaches, so that the stretch rises as it does: exact where it has one kink
    share = np.clip((np.diff(z) * WAY - right) / np.where(bent, left - right, 1), 0, 1)
    share = np.where(bent, share, 0.5)[:, None]
    mean = W @ (share * slope[:-1] + (1 - share) * slope[1:]).mean(axis=0)
    row = X.toarray()[0] if hasattr(X, "toarray") else X[0]
    return float(z[0]), np.asarray(row * mean)
