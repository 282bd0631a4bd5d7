"""How good the probabilities are: ROC, precision and recall, calibration.

Each takes labels ``y`` (n,) and probabilities ``p``: (n,) of class 1, or (n, k) of each class. With three or more
classes each is judged against all others.
"""

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.plots.canvas import (
    Array,
    axes,
    check_finite,
    codes_of,
    colour,
    dash,
    floats,
    in_legend,
    labels_in,
    legend_aside,
    marker,
    shorts,
    thinned,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curve = tuple[dict[str, Any], str, NDArray[np.bool_], Array]  # style, name, which rows are of the class, how probable
MOST_CURVES = 20  # more cannot be told apart


def roc(y: ArrayLike, p: ArrayLike, *, classes: Sequence[Any] | None = None, ax: "Axes | None" = None) -> "Axes":
    """The share of a class that is found against the share of others taken for it, at every threshold.

    Parameters
    ----------
    y : array of shape (n,)
        Labels.
    p : array of shape (n,) or (n, k)
        Probabilities of the last class, or of each.
    classes : sequence of k labels, optional
        In the order of p's columns; those in y, sorted.
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        The legend gives the area under each curve: the chance that a row of the class gets a higher probability than
        another row. Of more than 20 classes the 20 with the most rows are drawn, and the title says so.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is no probability, or a label is unknown.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = roc(["no", "no", "yes", "yes"], [0.1, 0.4, 0.35, 0.8])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['yes: 0.750', 'by chance: 0.500']
    """
    found = judged(y, p, classes)
    ax = _square(ax, "false positive rate", "true positive rate (recall)")
    for style, name, truth, chance in _one_against_others(ax, *found):
        if truth.all() or not truth.any():
            ax.plot([], [], label=f"{name}: {'all' if truth.any() else 'no'} rows are of it", **style)
            continue
        hits, alarms, _ = steps(truth, chance)
        x, height = np.append(0, alarms / alarms[-1]), np.append(0, hits / hits[-1])
        area = float(np.sum(np.diff(x) * (height[1:] + height[:-1]) / 2))
        ax.plot(*thinned(x, height), label=f"{name}: {area:.3f}", **style)
    ax.plot((0, 1), (0, 1), **BY_CHANCE, label="by chance: 0.500")
    legend_aside(ax, "lower right", title="area under the curve")
    return ax


def precision_recall(
    y: ArrayLike, p: ArrayLike, *, classes: Sequence[Any] | None = None, ax: "Axes | None" = None
) -> "Axes":
    """The share of rows said to be of a class that are, against the share of the class that is found.

    Parameters
    ----------
    y, p, classes, ax : as for `roc`

    Returns
    -------
    matplotlib.axes.Axes
        The legend gives the average precision, Σ precision · Δ recall, and the class's share, what chance would give,
        which is the dotted line.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is no probability, or a label is unknown.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = precision_recall(["no", "no", "yes", "yes"], [0.1, 0.4, 0.35, 0.8])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['yes: 0.833 (0.500)']
    """
    found = judged(y, p, classes)
    ax = _square(ax, "recall", "precision")
    for style, name, truth, chance in _one_against_others(ax, *found):
        if not truth.any():
            ax.plot([], [], label=f"{name}: no rows are of it", **style)
            continue
        hits, alarms, _ = steps(truth, chance)
        recall, precision = hits / hits[-1], hits / (hits + alarms)
        average = float(np.sum(np.diff(recall, prepend=0) * precision))
        # steps: between two thresholds no other recall can be had, and a straight line would promise too much
        curve = thinned(np.append(0, recall), np.append(precision[0], precision))
        ax.step(*curve, label=f"{name}: {average:.3f} ({truth.mean():.3f})", **style)
        ax.axhline(truth.mean(), **BY_CHANCE | {"color": style["color"]})
    legend_aside(ax, "best", title="average precision\n(by chance)")
    return ax


def calibration(
    y: ArrayLike,
    p: ArrayLike,
    *,
    bins: int = 10,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """How often a class comes true where its probability was so high; on the diagonal, as often as was said.

    Rows are put into bins of equal numbers by their probability, equal ones together. The bars are 95 % intervals of
    each bin's share (Wilson, 1927), so that a bin of few rows does not look like a fault.

    Parameters
    ----------
    y, p, classes, ax : as for `roc`
    bins : int
        How many, at most.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If shapes do not fit, a value is no probability, or a label is unknown.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = calibration(["no", "yes", "yes", "yes"], [0.5, 0.5, 0.9, 0.9])
    >>> ax.lines[0].get_xydata().tolist()
    [[0.5, 0.5], [0.9, 1.0]]
    """
    if not isinstance(bins, Integral) or bins < 1:
        raise ValueError(f"bins is {bins!r}; ask for a whole number, at least one")
    found = judged(y, p, classes)
    ax = _square(ax, "probability said", "share that came true")
    curves = list(_one_against_others(ax, *found))
    for i, (style, name, truth, chance) in enumerate(curves):
        said, came_true, rows = _binned(truth, chance, bins)
        low, high = _wilson(came_true, rows)
        style |= {"marker": marker(i), "markersize": 6}
        if len(curves) == 1:
            bars = (np.maximum(came_true - low, 0), np.maximum(high - came_true, 0))
            ax.errorbar(
                said, came_true, yerr=bars, capsize=3, elinewidth=1, label=f"{name}, with 95 % intervals", **style
            )
        else:  # intervals of several curves hide each other
            ax.plot(said, came_true, label=name, **style)
    ax.plot((0, 1), (0, 1), **BY_CHANCE, label="said = came true")
    legend_aside(ax, "upper left")
    return ax


BY_CHANCE: dict[str, Any] = {"color": "grey", "linewidth": 1, "linestyle": ":"}


def judged(y: ArrayLike, p: ArrayLike, classes: Sequence[Any] | None) -> tuple[NDArray[np.intp], Array, Array]:
    """Codes of the labels, (n, k) probabilities, and the k labels.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is no probability, or a label is unknown.
    """
    p = floats("p", p)
    if p.ndim not in (1, 2) or len(p) == 0:
        raise ValueError(f"p has shape {p.shape}; pass probabilities (n,) of the last class, or (n, k) of each")
    check_finite("p", p)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"p reaches from {p.min():g} to {p.max():g}; pass probabilities, from 0 to 1")
    p = np.column_stack([1 - p, p]) if p.ndim == 1 else p
    labels = labels_in(y, classes)
    if len(labels) != p.shape[1]:
        raise ValueError(
            f"there are {len(labels)} classes, but probabilities of {p.shape[1]}; pass classes= in p's order"
        )
    return codes_of(y, labels, len(p)), p, labels


def steps(truth: NDArray[np.bool_], chance: Array) -> tuple[Array, Array, Array]:
    """Rows of the class, and others, at or above each different probability, and these, the highest first."""
    order = np.argsort(-chance, kind="stable")
    values, found = chance[order], truth[order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    hits = np.cumsum(found)[last]
    return hits, last + 1 - hits, values[last]


def _one_against_others(ax: "Axes", codes: NDArray[np.intp], p: Array, labels: Array) -> Iterator[Curve]:
    """A curve for each class, of two for the last only; of many for those with the most rows."""
    shown = [1] if len(labels) == 2 else list(range(len(labels)))
    if len(shown) > MOST_CURVES:
        rows = np.bincount(codes, minlength=len(labels))
        shown = sorted(np.argsort(-rows, kind="stable")[:MOST_CURVES].tolist())
        ax.set_title(f"the {MOST_CURVES} classes with the most rows, of {len(labels):,}")
    names = shorts((labels[k] for k in shown), 20)
    for i, (k, name) in enumerate(zip(shown, names, strict=True)):
        style = {"color": colour(i), "linestyle": dash(i), "linewidth": 2}
        yield style, in_legend(name, len(name)), codes == k, p[:, k]


def _binned(truth: NDArray[np.bool_], chance: Array, bins: int) -> tuple[Array, Array, Array]:
    """Mean probability, share that came true, and number of rows of each bin that holds any."""
    ends = np.arange(1, bins) * len(chance) // bins  # how many rows lie up to the end of each bin but the last
    edges = np.unique(np.sort(chance)[ends[ends > 0] - 1])
    where = np.searchsorted(edges, chance)
    rows = np.bincount(where)
    held = rows > 0
    rows = rows[held]
    said = np.bincount(where, weights=chance)[held] / rows
    return said, np.bincount(where, weights=truth)[held] / rows, rows


def _wilson(share: Array, n: Array, z: float = 1.959963984540054) -> tuple[Array, Array]:
    """The interval of a share (Wilson, Journal of the American Statistical Association 22, 1927)."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def _square(ax: "Axes | None", xlabel: str, ylabel: str) -> "Axes":
    ax = axes(ax)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=xlabel, ylabel=ylabel)
    ax.set_aspect("equal")
    ax.grid(alpha=0.3)
    return ax
