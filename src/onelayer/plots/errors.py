"""What the errors are and cost: by the threshold above which a class is said, and by which class is taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.masks import unmasked
from onelayer.plots.canvas import (
    BLACK,
    Array,
    as_written,
    axes,
    check_pair,
    check_threshold,
    codes_of,
    colour,
    dash,
    ink,
    labels_in,
    place_of,
    short,
    shorts,
    thinned,
)
from onelayer.plots.judgement import judged, steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CELLS = 20  # classes up to which the counts in a confusion matrix can be read
HEADROOM = 1.25  # of the best guess's cost: what lies higher is worse than no model, and squeezes what is better


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
    'least, 0.25, at threshold 0.225'
    """
    check_pair("costs", costs)
    alarm, miss = map(float, costs)
    if not (np.isfinite([alarm, miss]).all() and alarm >= 0 and miss >= 0 and alarm + miss > 0):
        raise ValueError(f"costs is {costs!r}; pass two numbers that are 0 or more, not both 0")
    if chosen is not None:
        check_threshold(chosen)
    codes, p, labels = judged(y, p, classes)
    k = place_of(positive, labels)
    at, false_alarms, misses = _errors(codes == k, p[:, k])
    parts = {"all errors": alarm * false_alarms + miss * misses, "false alarms": alarm * false_alarms}
    parts |= {"misses": miss * misses}
    parts = {name: part / len(p) for name, part in parts.items()}
    total, (best, between) = parts["all errors"], _least(at, parts["all errors"])
    ax = axes(ax)
    for i, (name, part) in enumerate(parts.items()):
        x, height = thinned(np.append(at, 1.0), np.append(part, part[-1]))
        style = {"color": colour(i), "linestyle": dash(i), "linewidth": 2}
        ax.plot(x, height, drawstyle="steps-post", label=name, **style)
    positives = int((codes == k).sum())
    guess = min(alarm * (len(p) - positives), miss * positives) / len(p)  # one answer for all rows
    thin: dict[str, Any] = {"color": "grey", "linewidth": 1}
    beaten = "" if total[best] < guess else " (no threshold costs less)"
    ax.axhline(guess, **thin, linestyle="--", label=f"one answer for all: {guess:.3g}{beaten}")
    by_costs = alarm / (alarm + miss)
    ax.axvline(by_costs, **thin, linestyle=":", label=f"by the costs alone: {by_costs:.3g}")
    least = f"least, {total[best]:.3g}, at threshold {between:.3g}"
    ax.plot(between, total[best], "o", color=ink(ax), markersize=8, zorder=5, clip_on=False, label=least)
    if chosen is not None:
        ax.axvline(chosen, color=ink(ax), linewidth=1.5, label=f"in use: {chosen:.4g}")
    # costs above the guess's are those of a threshold that nobody would take
    highest = max(guess, float(total[best]))
    ax.set(xlim=(0, 1), ylim=(0, HEADROOM * highest if highest > 0 else None))
    ax.set_ylabel(f"cost per row (false alarm {alarm:g}, miss {miss:g})")
    ax.set_xlabel(f"threshold on the probability of {short(labels[k])}", parse_math=False)
    ax.grid(alpha=0.3)
    as_written(ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=2, borderaxespad=0))
    return ax


def _errors(truth: NDArray[np.bool_], chance: Array) -> tuple[Array, Array, Array]:
    """Thresholds, ascending, and the false alarms and misses from each of them to the next."""
    hits, alarms, values = steps(truth, chance)
    # said above the threshold: at a value, the rows that have it are not; past the highest, none is
    at = np.concatenate([[0.0], values[::-1]])
    false_alarms = np.concatenate([alarms[::-1], [0]])
    misses = truth.sum() - np.concatenate([hits[::-1], [0]])
    first = int(values[-1] == 0)
    return at[first:], false_alarms[first:], misses[first:]


def _least(at: Array, total: Array) -> tuple[int, float]:
    """Where the cost is least, and the middle of the thresholds that share it: at their ends a row lies."""
    best = int(total.argmin())
    others = np.flatnonzero(total[best:] > total[best])
    return best, float((at[best] + (at[best + others[0]] if len(others) else 1.0)) / 2)


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
    y, predicted = unmasked(y, "y"), unmasked(predicted, "predicted")
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(f"y has shape {y.shape}; pass one label for each row, at least one")
    texts = [part.dtype.kind in "US" for part in (y, predicted)]
    if texts[0] != texts[1] and "O" not in (y.dtype.kind, predicted.dtype.kind):
        raise ValueError(f"y holds {'texts' if texts[0] else 'numbers'}, but predicted does not; make them one kind")
    labels = labels_in(np.concatenate([y, predicted]), classes, least=1)
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
            tint = "white" if share[i, j] < 0.5 else BLACK
            ax.text(j, i, f"{counts[i, j]:,}", ha="center", va="center", color=tint, fontsize=10 if k < 8 else 7)
    every = range(0, k, -(-k // 40))  # more names than 40 on a side overlap
    names = shorts((labels[i] for i in every), 15)
    size = "medium" if len(names) <= 20 else "xx-small"
    turned = 0 if k * max(map(len, names)) < 40 else 90
    ax.set_xticks(every, names, rotation=turned, fontsize=size, parse_math=False)
    ax.set_yticks(every, names, fontsize=size, parse_math=False)
    right = int(np.trace(counts))
    ax.set(xlabel="said", ylabel="true", title=f"{right:,} of {len(y):,} rows right ({right / len(y):.1%})")
    return ax
