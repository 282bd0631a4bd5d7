"""What was learnt: the strongest weights, and how sure they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from onelayer.plots.canvas import (
    BLACK,
    BLUE,
    VERMILLION,
    Array,
    axes,
    check_finite,
    check_pair,
    colour,
    floats,
    in_legend,
    ink,
    legend_aside,
    marker,
    shorts,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MOST_LANES = 5  # classes whose markers and intervals can be told apart in the space of one feature
MOST_ON_A_LINE = 40  # letters of two names beside the axis' own
MOST_COLUMNS = 20  # classes up to which figures have room in their cells


def weights(
    names: Sequence[str],
    values: ArrayLike,
    *,
    errors: ArrayLike | None = None,
    confidence: float = 0.95,
    most: int = 15,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """The strongest weights, the strongest on top, with intervals where their standard errors are known.

    Of two classes as bars, to the right towards class 1, to the left towards class 0; of three to five as a marker for
    each class; of more as a table with a column for each, shaded by the weight. An interval that reaches off the
    picture has no end drawn.

    Parameters
    ----------
    names : d str
        Of the features.
    values : array of shape (d,), (1, d) or (k, d)
        Weights, such as ``coef_``, in nats (log-odds) per unit of their feature.
    errors : array of the same shape, optional
        Standard errors, such as `onelayer.diagnostics.standard_errors` gives; infinite where unknown.
    confidence : float in (0, 1)
        Of the intervals, value ± quantile of the normal distribution · error.
    most : int
        Number of features at most; the title says how many there are.
    classes : names of class 0 and class 1, or of the k classes, optional
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is not one name for each value, a value is not finite, or there is nothing to draw.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = weights(["aack", "beep"], [-3.57, 3.24], errors=[1.2, 1.3])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['aack', 'beep']
    """
    w = floats("values", values)
    w = w[None, :] if w.ndim == 1 else w
    if w.ndim != 2 or w.shape[1] != len(names) or w.size == 0:
        raise ValueError(f"values has shape {np.shape(values)} for {len(names)} names; pass one weight for each name")
    if most < 1:
        raise ValueError(f"most is {most}; ask for at least one bar")
    check_finite("values", w[0] if len(w) == 1 else w)
    half = _half_widths(errors, w.shape, confidence)
    labels = _class_names(classes, len(w))
    strongest = np.argsort(-np.abs(w).max(axis=0), kind="stable")[:most]
    ax = axes(ax)
    draw = _bars if len(w) == 1 else _markers if len(w) <= MOST_LANES else _cells
    draw(ax, w[:, strongest], None if half is None else half[:, strongest], labels)
    ax.set_yticks(np.arange(len(strongest)), shorts(names[i] for i in strongest), parse_math=False)
    ax.set_ylim(len(strongest) - 0.5, -0.5)
    d = w.shape[1]
    intervals = "" if half is None else f", with {100 * confidence:g} % intervals"
    if half is not None and draw is _cells:
        shown = len(w) <= MOST_COLUMNS
        intervals = "" if not shown else f"\n(pale figures: 0 lies within the {100 * confidence:g} % interval)"
    many = f"the {most:,} strongest of {d:,} {'weights' if len(w) == 1 else 'features'}"
    ax.set_title(f"{'all weights' if d <= most else many}{intervals}")
    return ax


def _half_widths(errors: ArrayLike | None, shape: tuple[int, ...], confidence: float) -> Array | None:
    if errors is None:
        return None
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; pass a probability between 0 and 1")
    found = floats("errors", errors)
    found = found[None, :] if found.ndim == 1 else found
    if found.shape != shape or not (found >= 0).all():
        raise ValueError(f"errors has shape {found.shape} for weights {shape}; pass one, 0 or more, for each weight")
    return np.asarray(found * ndtri((1 + confidence) / 2))


def _class_names(classes: Sequence[Any] | None, k: int) -> list[str]:
    n = 2 if k == 1 else k
    if classes is None:
        return [f"class {i}" for i in range(n)]
    if n == 2:
        check_pair("classes", classes)
    if isinstance(classes, str) or len(classes) != n:
        raise ValueError(f"classes is {classes!r}; pass {n} of them")
    return [in_legend(name, len(name)) for name in shorts(classes)]


def _bars(ax: "Axes", w: Array, half: Array | None, labels: Sequence[str]) -> None:
    rows = np.arange(w.shape[1])
    ax.barh(rows, w[0], color=np.where(w[0] > 0, VERMILLION, BLUE))
    if half is not None:
        ax.errorbar(w[0], rows, xerr=_drawable(half[0], w), fmt="none", ecolor=ink(ax), elinewidth=1.2, capsize=3)
    less, more = (f"← {labels[0]}", f"{labels[1]} →")
    long = len(less + more) > MOST_ON_A_LINE
    said = f"weight (log-odds)\n{less}\n{more}" if long else f"weight (log-odds):  {less}   |   {more}"
    ax.set_xlabel(said, parse_math=False)
    _frame(ax, w, half)


def _markers(ax: "Axes", w: Array, half: Array | None, labels: Sequence[str]) -> None:
    k, rows = len(w), np.arange(w.shape[1])
    for i in range(k):
        height = rows + 0.7 * ((i + 0.5) / k - 0.5)  # a lane for each class
        xerr = None if half is None else _drawable(half[i], w)
        style: dict[str, Any] = {"color": colour(i), "elinewidth": 1, "capsize": 2}
        ax.errorbar(w[i], height, xerr=xerr, fmt=marker(i), markersize=6, label=labels[i], **style)
    for row in rows[:-1]:
        ax.axhline(row + 0.5, color="0.85", linewidth=0.8)
    ax.set_xlabel("weight (log-odds towards the class)")
    _frame(ax, w, half)
    legend_aside(ax, "best", most=0)


def _cells(ax: "Axes", w: Array, half: Array | None, labels: Sequence[str]) -> None:
    """A column for each class and a figure in each cell: of many classes markers hide each other."""
    from matplotlib.colors import LinearSegmentedColormap

    palette = LinearSegmentedColormap.from_list("against to towards", (BLUE, "white", VERMILLION))
    largest = float(np.abs(w).max()) or 1.0
    image = ax.imshow(w.T, cmap=palette, vmin=-largest, vmax=largest, aspect="auto")
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.02, 0, 0.03, 1)))
    bar.set_label("weight (log-odds towards the class)")
    every = range(0, len(w), -(-len(w) // 40))  # more names than 40 overlap
    names = shorts((labels[i] for i in every), 15)
    turned, size = 0 if len(w) * max(map(len, names)) < 50 else 90, "medium" if len(names) <= 20 else "xx-small"
    ax.set_xticks(every, names, rotation=turned, fontsize=size, parse_math=False)
    if len(w) > MOST_COLUMNS:
        return
    unsure: Array = np.zeros(w.shape, dtype=bool) if half is None else half >= np.abs(w)
    for i, j in np.ndindex(w.shape):
        tint = "white" if abs(w[i, j]) > 0.7 * largest else BLACK
        shown: dict[str, Any] = {
            "fontsize": 8 if len(w) <= 12 else 6,
            "color": tint,
            "alpha": 0.45 if unsure[i, j] else 1.0,
        }
        ax.text(i, j, f"{w[i, j]:+.2g}", ha="center", va="center", **shown)


def _drawable(half: Array, w: Array) -> Array:
    """Infinity as a number that is off the picture."""
    return np.minimum(half, 1e3 * max(float(np.abs(w).max()), 1e-300))


def _frame(ax: "Axes", w: Array, half: Array | None) -> None:
    """Limits that hold all weights and zero, and intervals up to four times as wide as the weights' own range."""
    ax.axvline(0, color=ink(ax), linewidth=1)
    ax.grid(axis="x", alpha=0.3)
    ax.set_axisbelow(True)
    low, high = min(float(w.min()), 0.0), max(float(w.max()), 0.0)
    range_ = high - low or 1.0
    if half is not None:
        low = max(min(low, float((w - half).min())), low - 4 * range_)
        high = min(max(high, float((w + half).max())), high + 4 * range_)
    margin = 0.05 * (high - low) or 1.0
    ax.set_xlim(low - margin if low < 0 or high == 0 else low, high + margin if high > 0 or low == 0 else high)
