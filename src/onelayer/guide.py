"""The guide, by its own names: one sigmoid neuron, from counted words to a drawn boundary.

Names, defaults and layout are the guide's, and here alone examples stand in **columns**: ``X`` (n_x, m) features by
examples, ``Y`` (n_y, m) labels 0 or 1, ``W`` (n_y, n_x), ``b`` (n_y, 1), ``A`` (n_y, m) probabilities of class 1.
Costs are means over the examples, in nats. The updates are those of plain gradient descent, in raw columns and with no
penalty; what is added is that costs are exact, inputs are checked, and a cost that rises is said to rise.

Read it from top to bottom: the data, the neuron, its cost, its gradient, the loop, the picture, the answer.
"""

import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py, xlogy

from onelayer import plots
from onelayer.guide_input import Matrix, answers, check_count, check_seed, examples, matrix, rate, weights
from onelayer.losses import log_loss, sigmoid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "RisingCostWarning",
    "backward_propagation",
    "blobs",
    "compute_cost",
    "descent",
    "forward_propagation",
    "initialize_parameters",
    "layer_sizes",
    "nn_model",
    "plot_decision_boundary",
    "predict",
    "sentences",
    "sigmoid",
    "stable_rate",
    "thirty_points",
    "update_parameters",
    "word_counts",
]

Parameters = dict[str, Matrix]

WORDS = ("aack", "beep")


class RisingCostWarning(UserWarning):
    """The cost rose during gradient descent, because the learning rate is above the stable bound.

    Examples
    --------
    >>> issubclass(RisingCostWarning, UserWarning)
    True
    """


def sentences() -> tuple[list[str], NDArray[np.int64]]:
    """The four sentences of the guide and their moods.

    Returns
    -------
    texts : list of 4 str
    Y : integer array of shape (1, 4)
        1 for angry, 0 for happy.

    Examples
    --------
    >>> texts, Y = sentences()
    >>> texts[0], Y
    ('Beep!', array([[1, 0, 0, 0]]))
    """
    return ["Beep!", "Aack?", "Beep aack…", "!?"], np.array([[1, 0, 0, 0]])


def word_counts(sentences: Sequence[str]) -> NDArray[np.int64]:
    """Count the words "aack" and "beep" in each sentence, whatever the case and the punctuation.

    Parameters
    ----------
    sentences : sequence of m str

    Returns
    -------
    integer array of shape (2, m)
        Counts of "aack" in the first row, of "beep" in the second.

    Raises
    ------
    TypeError
        If it is a single string, or holds something else than strings.

    Examples
    --------
    >>> word_counts(["Beep!", "Aack?", "Beep aack…", "!?"])
    array([[0, 1, 1, 0],
           [1, 0, 1, 0]])
    """
    if isinstance(sentences, str):
        raise TypeError(f"sentences is one string, {sentences!r}; pass a list of strings")
    if not isinstance(sentences, Iterable):
        raise TypeError(f"sentences is {sentences!r:.60}; pass a list of strings")
    sentences = list(sentences)
    for i, sentence in enumerate(sentences):
        if not isinstance(sentence, str):
            raise TypeError(f"sentences[{i}] is {sentence!r}, not a string; pass a list of strings")
    words = [re.findall(r"[^\W_]+", sentence.casefold()) for sentence in sentences]
    return np.array([[found.count(word) for found in words] for word in WORDS], dtype=np.int64)


def thirty_points(m: int = 30, *, random_state: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Points whose two features are 0 or 1, of class 1 where x₁ = 0 and x₂ = 1.

    Parameters
    ----------
    m : int
        Number of points.
    random_state : int, optional
        Seed. Without one the draw comes from NumPy's global generator, as in the guide.

    Returns
    -------
    X : integer array of shape (2, m)
    Y : integer array of shape (1, m)

    Examples
    --------
    >>> X, Y = thirty_points(5, random_state=3)
    >>> X
    array([[0, 0, 1, 1, 0],
           [0, 0, 1, 1, 1]])
    >>> Y
    array([[0, 0, 0, 0, 1]])
    """
    check_count("m", m, "ask for at least one point")
    if random_state is not None:
        check_seed(random_state)
    generator: Any = np.random if random_state is None else np.random.RandomState(random_state)
    X = generator.randint(0, 2, (2, m))
    return X, ((X[:1] == 0) & (X[1:] == 1)).astype(np.int64)


def blobs(m: int = 1000, *, random_state: int = 0) -> tuple[Matrix, NDArray[np.int64]]:
    """Two round clouds of points around (2.5, 3) and (6.7, 7.9), with standard deviation 1.4.

    Parameters
    ----------
    m : int
        Number of points; half of them, rounded up, are of class 0.
    random_state : int
        Seed; 0 gives the guide's points. NumPy's global generator is not touched.

    Returns
    -------
    X : array of shape (2, m)
    Y : integer array of shape (1, m)

    Examples
    --------
    >>> X, Y = blobs()
    >>> X.shape, Y.shape, int(Y.sum())
    ((2, 1000), (1, 1000), 500)
    """
    from sklearn.datasets import make_blobs  # a second to import, and nothing else here needs it

    check_count("m", m, "ask for at least one point")
    check_seed(random_state)
    points, labels = make_blobs(m, centers=([2.5, 3], [6.7, 7.9]), cluster_std=1.4, random_state=random_state)
    return points.T, labels.reshape(1, m)


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
        Z = _logits(X, W, b)
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
    >>> compute_cost([[0.5, 0.5]], [[0, 1]]) == math.log(2)
    True
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
        found = _gradients(A, X, Y)
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
            Z = _logits(X, W, b)
            cost = float(log_loss(Z, Y).sum() / Y.shape[1])
            gradients = _gradients(sigmoid(Z), X, Y)
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


def plot_decision_boundary(X: ArrayLike, Y: ArrayLike, parameters: Mapping[str, ArrayLike]) -> "Axes":
    """Draw the examples and the line where the probability of class 1 is one half.

    The figure is pyplot's current one: a notebook shows it, a script calls ``plt.show()``.

    Parameters
    ----------
    X : array of shape (2, m)
    Y : array of shape (1, m)
        Labels, 0 or 1.
    parameters : dict
        "W" of shape (1, 2) and "b" of shape (1, 1).

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are not two features and one output, or as `layer_sizes`.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = plot_decision_boundary(*thirty_points(), {"W": [[-1, 1]], "b": [[-0.5]]})
    >>> ax.get_xlabel()
    'x₁'
    """
    X, Y = examples(X, Y)
    W, b = weights(parameters)
    if W.shape != (1, 2) or X.shape[0] != 2 or Y.shape[0] != 1:
        raise ValueError(
            f"a boundary is drawn for two features and one output; X has {X.shape[0]} features, "
            f"Y {Y.shape[0]} outputs and parameters['W'] shape {W.shape}: pass two rows of X and their weights"
        )
    return plots.decision_boundary(W[0], float(b[0, 0]), X.T, Y[0], names=("x₁", "x₂"))


def predict(X: ArrayLike, parameters: Mapping[str, ArrayLike]) -> NDArray[np.bool_]:
    """Answer True where the probability of class 1 exceeds one half.

    For another threshold, compare the probabilities yourself: ``forward_propagation(X, parameters) > 0.3`` answers
    True more often, with more false alarms and fewer misses.

    Parameters
    ----------
    X : array of shape (n_x, m)
    parameters : dict
        "W" of shape (n_y, n_x) and "b" of shape (n_y, 1).

    Returns
    -------
    boolean array of shape (n_y, m)

    Raises
    ------
    ValueError, TypeError
        As `forward_propagation`.

    Examples
    --------
    >>> predict([[1, 0], [0, 1]], {"W": [[-1, 1]], "b": [[-0.5]]})
    array([[False,  True]])
    """
    return forward_propagation(X, parameters) > 0.5


def _logits(X: Matrix, W: Matrix, b: Matrix) -> Matrix:
    return W @ X + b  # (n_y, m)


def _gradients(A: Matrix, X: Matrix, Y: Matrix) -> Parameters:
    m = X.shape[1]
    dZ = A - Y  # (n_y, m)
    return {"dW": dZ @ X.T / m, "db": dZ.sum(axis=1, keepdims=True) / m}


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
