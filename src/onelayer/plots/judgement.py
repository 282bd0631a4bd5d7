"""How good the answers are: ROC, precision and recall, calibration, the cost of errors, the confusion of classes.

Each takes labels ``y`` (n,) and probabilities ``p``: (n,) of class 1, or (n, k) of each class. With three or more
classes each is judged against all others.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.plots.canvas import (
    BLACK,
    Array,
    axes,
    check_finite,
    check_pair,
    check_threshold,
    codes_of,
    colour,
    dash,
    legend_aside,
    marker,
    short,
    thinned,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CELLS = 20  # classes up to which the counts in a confusion matrix can be read


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
        another row.

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
    >>> ax.get_legend().get_texts()[0].get_text()
    'yes: area 0.750'
    """
    judged = _judged(y, p, classes)
    ax = axes(ax)
    _square(ax, "false positive rate", "true positive rate (recall)")
    for i, (name, truth, chance) in enumerate(_one_against_others(*judged)):
        if truth.all() or not truth.any():
            _nothing(ax, i, name, truth)
            continue
        hits, alarms, _ = _steps(truth, chance)
        x, y_ = np.append(0, alarms / alarms[-1]), np.append(0, hits / hits[-1])
        area = float(np.sum(np.diff(x) * (y_[1:] + y_[:-1]) / 2))
        ax.plot(*thinned(x, y_), label=f"{name}: area {area:.3f}", **_style(i))
    ax.plot((0, 1), (0, 1), color="grey", linewidth=1, linestyle=":", label="by chance: area 0.500")
    legend_aside(ax, "lower right")
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
        The legend gives the average precision, Σ precision · Δ recall, and the class's share, what chance would give.

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
    >>> ax.get_legend().get_texts()[0].get_text()
    'yes: average precision 0.833 (by chance 0.500)'
    """
    judged = _judged(y, p, classes)
    ax = axes(ax)
    _square(ax, "recall", "precision")
    for i, (name, truth, chance) in enumerate(_one_against_others(*judged)):
        if not truth.any():
            _nothing(ax, i, name, truth)
            continue
        hits, alarms, _ = _steps(truth, chance)
        recall, precision = hits / hits[-1], hits / (hits + alarms)
        average = float(np.sum(np.diff(recall, prepend=0) * precision))
        label = f"{name}: average precision {average:.3f} (by chance {truth.mean():.3f})"
        # steps: between two thresholds no other recall can be had, and a straight line would promise too much
        ax.step(*thinned(np.append(0, recall), np.append(precision[0], precision)), label=label, **_style(i))
        ax.axhline(truth.mean(), color=colour(i), linewidth=1, linestyle=":")
    legend_aside(ax, "best")
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
    if bins < 1:
        raise ValueError(f"bins is {bins}; ask for at least one")
    judged = _judged(y, p, classes)
    ax = axes(ax)
    _square(ax, "probability said", "share that came true")
    curves = list(_one_against_others(*judged))
    for i, (name, truth, chance) in enumerate(curves):
        said, came_true, rows = _binned(truth, chance, bins)
        low, high = _wilson(came_true, rows)
        style = _style(i) | {"marker": marker(i), "markersize": 6}
        if len(curves) == 1:
            bars = (np.maximum(came_true - low, 0), np.maximum(high - came_true, 0))
            label = f"{short(name)}, with 95 % intervals"
            ax.errorbar(said, came_true, yerr=bars, capsize=3, elinewidth=1, label=label, **style)
        else:  # intervals of several curves hide each other
            ax.plot(said, came_true, label=short(name), **style)
    ax.plot((0, 1), (0, 1), color="grey", linewidth=1, linestyle=":", label="said = came true")
    legend_aside(ax, "upper left")
    return ax


def threshold(
    y: ArrayLike,
    p: ArrayLike,
    *,
    costs: tuple[float, float] = (1.0, 1.0),
    chosen: float | None = None,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """What the errors cost at each threshold, and the threshold at which they cost least on these rows.

    With probabilities that mean what they say, the best threshold is ``cost of a false alarm / (that + cost of a
    miss)`` (Elkan, 2001); the picture shows both.

    Parameters
    ----------
    y, p, classes, ax : as for `roc`
    costs : two floats
        Of a false alarm and of a miss.
    chosen : float, optional
        A threshold in use, to be marked.
    positive : label, optional
        The class that is said above the threshold; the last one.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If shapes do not fit, a value is no probability, a label is unknown, or a cost is negative.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = threshold(["no", "no", "yes", "yes"], [0.1, 0.4, 0.35, 0.8], costs=(1, 5))
    >>> ax.get_legend().get_texts()[-1].get_text()
    'least, 0.25, at threshold 0.1'
    """
    check_pair("costs", costs)
    alarm, miss = map(float, costs)
    if not (np.isfinite([alarm, miss]).all() and alarm >= 0 and miss >= 0 and alarm + miss > 0):
        raise ValueError(f"costs is {costs!r}; pass two numbers that are 0 or more, not both 0")
    if chosen is not None:
        check_threshold(chosen)
    codes, p, labels = _judged(y, p, classes)
    k = len(labels) - 1 if positive is None else int(codes_of([positive], labels, 1)[0])
    truth, chance = codes == k, p[:, k]
    n, hits, alarms, values = len(truth), *_steps(truth, chance)
    # said above the threshold: at a value, the rows that have it are not; past the highest, none is
    at = np.concatenate([[0.0], values[::-1]])
    false_alarms = np.concatenate([alarms[::-1], [0]])
    misses = truth.sum() - np.concatenate([hits[::-1], [0]])
    if values[-1] == 0:
        at, false_alarms, misses = at[1:], false_alarms[1:], misses[1:]
    total = (alarm * false_alarms + miss * misses) / n
    best = int(total.argmin())
    ax = axes(ax)
    for i, (label, part) in enumerate(
        (("all errors", total), ("false alarms", alarm * false_alarms / n), ("misses", miss * misses / n))
    ):
        x, height = thinned(np.append(at, 1.0), np.append(part, part[-1]))
        ax.plot(x, height, drawstyle="steps-post", label=label, **_style(i))
    ax.axvline(
        alarm / (alarm + miss),
        color="grey",
        linewidth=1,
        linestyle=":",
        label=f"by the costs alone: {alarm / (alarm + miss):.3g}",
    )
    ax.plot(
        at[best],
        total[best],
        "o",
        color=BLACK,
        markersize=8,
        zorder=5,
        label=f"least, {total[best]:.3g}, at threshold {at[best]:.3g}",
    )
    if chosen is not None:
        ax.axvline(chosen, color=BLACK, linewidth=1.5, label=f"in use: {chosen:g}")
    ax.set(xlim=(0, 1), ylim=(0, None), ylabel=f"cost per row (false alarm {alarm:g}, miss {miss:g})")
    ax.set_xlabel(f"threshold on the probability of {short(labels[k])}", parse_math=False)
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=2, borderaxespad=0)
    return ax


def confusion(
    y: ArrayLike, predicted: ArrayLike, *, classes: Sequence[Any] | None = None, ax: "Axes | None" = None
) -> "Axes":
    """How many rows of each class were taken for which, with the share of its class as shading.

    Parameters
    ----------
    y, predicted : arrays of shape (n,)
        Labels.
    classes : sequence of labels, optional
        In the order of rows and columns; those in y or predicted, sorted.
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If shapes do not fit, or a label is unknown.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = confusion(["no", "no", "yes"], ["no", "yes", "yes"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '0', '1']
    """
    y, predicted = np.asarray(y), np.asarray(predicted)
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(f"y has shape {y.shape}; pass one label for each row, at least one")
    labels = np.union1d(y, predicted) if classes is None else np.asarray(classes)
    k = len(labels)
    pairs = codes_of(y, labels, len(y)) * k + codes_of(predicted, labels, len(y))
    counts = np.bincount(pairs, minlength=k * k).reshape(k, k)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = axes(ax)
    image = ax.imshow(share, cmap="cividis", vmin=0, vmax=1)
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0, 0.035, 1)))
    bar.set_label("share of the true class")
    if k <= MOST_CELLS:
        for i, j in np.ndindex(k, k):
            ink = "white" if share[i, j] < 0.5 else BLACK
            ax.text(j, i, f"{counts[i, j]:,}", ha="center", va="center", color=ink, fontsize=10 if k < 8 else 7)
    every = range(0, k, -(-k // 40))  # more names than 40 on a side overlap
    names = [short(labels[i], 15) for i in every]
    ax.set_xticks(every, names, rotation=0 if k * max(map(len, names)) < 40 else 90, parse_math=False)
    ax.set_yticks(every, names, parse_math=False)
    right = int(np.trace(counts))
    ax.set(xlabel="said", ylabel="true", title=f"{right:,} of {len(y):,} rows right ({right / len(y):.1%})")
    return ax


def _judged(y: ArrayLike, p: ArrayLike, classes: Sequence[Any] | None) -> tuple[NDArray[np.intp], Array, Array]:
    """Codes of the labels, (n, k) probabilities, and the k labels."""
    p = np.asarray(p, dtype=np.float64)
    if p.ndim not in (1, 2) or len(p) == 0:
        raise ValueError(f"p has shape {p.shape}; pass probabilities (n,) of the last class, or (n, k) of each")
    check_finite("p", p)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"p reaches from {p.min():g} to {p.max():g}; pass probabilities, from 0 to 1")
    p = np.column_stack([1 - p, p]) if p.ndim == 1 else p
    labels = np.unique(np.asarray(y)) if classes is None else np.asarray(classes)
    if len(labels) != p.shape[1]:
        raise ValueError(
            f"there are {len(labels)} classes, but probabilities of {p.shape[1]}; pass classes= in p's order"
        )
    return codes_of(y, labels, len(p)), p, labels


def _one_against_others(
    codes: NDArray[np.intp], p: Array, labels: Array
) -> Iterator[tuple[str, NDArray[np.bool_], Array]]:
    for k in [1] if len(labels) == 2 else range(len(labels)):
        yield short(labels[k], 20), codes == k, p[:, k]


def _steps(truth: NDArray[np.bool_], chance: Array) -> tuple[Array, Array, Array]:
    """Rows of the class, and others, at or above each different probability, and these, the highest first."""
    order = np.argsort(-chance, kind="stable")
    values, found = chance[order], truth[order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    hits = np.cumsum(found)[last]
    return hits, last + 1 - hits, values[last]


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


def _square(ax: "Axes", xlabel: str, ylabel: str) -> None:
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=xlabel, ylabel=ylabel)
    ax.set_aspect("equal")
    ax.grid(alpha=0.3)


def _style(i: int) -> dict[str, Any]:
    return {"color": colour(i), "linestyle": dash(i), "linewidth": 2}


def _nothing(ax: "Axes", i: int, name: str, truth: NDArray[np.bool_]) -> None:
    ax.plot([], [], label=f"{name}: {'all' if truth.any() else 'no'} rows are of it", **_style(i))
