"""The picture of what was learnt, and its answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer import plots
from onelayer.guide.asked import examples, weights
from onelayer.guide.neuron import forward_propagation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    >>> from onelayer.guide import thirty_points
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
