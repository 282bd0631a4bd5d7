"""What was learnt: the strongest weights, how sure they are, and how they grow as the penalty is relaxed."""

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
    dash,
    legend_aside,
    marker,
    numbers,
    short,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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

    Of two classes as bars, to the right towards class 1, to the left towards class 0; of three or more as a marker for
    each class. An interval that reaches off the picture has no end drawn.

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
    w = np.asarray(values, dtype=np.float64)
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
    ax.axvline(0, color=BLACK, linewidth=1)
    draw = _bars if len(w) == 1 else _markers
    draw(ax, w[:, strongest], None if half is None else half[:, strongest], labels)
    _frame(ax, w[:, strongest], None if half is None else half[:, strongest])
    ax.set_yticks(np.arange(len(strongest)), [short(names[i]) for i in strongest], parse_math=False)
    ax.set_ylim(len(strongest) - 0.5, -0.5)
    d = w.shape[1]
    intervals = "" if half is None else f", with {100 * confidence:g} % intervals"
    ax.set_title(f"all weights{intervals}" if d <= most else f"the {most:,} strongest of {d:,} weights{intervals}")
    ax.grid(axis="x", alpha=0.3)
    ax.set_axisbelow(True)
    return ax


def regularisation_path(
    C: ArrayLike,
    values: ArrayLike,
    names: Sequence[str],
    *,
    chosen: float | None = None,
    most: int = 8,
    ylabel: str = "weight (log-odds)",
    ax: "Axes | None" = None,
) -> "Axes":
    """How each weight grows as the penalty is relaxed, from strong on the left to weak on the right.

    Parameters
    ----------
    C : array of shape (m,)
        Inverse strengths of the penalty, positive.
    values : array of shape (m, d)
        The weights fitted with each.
    names : d str
        Of the features.
    chosen : float, optional
        The C in use, to be marked.
    most : int
        How many weights, the largest at the weakest penalty, are named; the others are drawn in grey.
    ylabel : str
        What the weights are, with their unit.
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or a C is not positive.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = regularisation_path([0.1, 1, 10], [[0.1, 0], [0.5, -0.1], [0.9, -0.3]], ["aack", "beep"], chosen=1)
    >>> ax.get_xscale(), [text.get_text() for text in ax.get_legend().get_texts()]
    ('log', ['aack', 'beep', 'in use: C = 1'])
    """
    C, w = numbers("C", C), numbers("values", values, 2)
    if w.shape != (len(C), len(names)):
        raise ValueError(f"values has shape {w.shape} for {len(C)} values of C and {len(names)} names; pass (m, d)")
    if C.min() <= 0 or (chosen is not None and not chosen > 0):
        raise ValueError(f"C is {min(C.min(), chosen or np.inf)}; pass positive numbers")
    order = np.argsort(C)
    C, w = C[order], w[order]
    strongest = np.argsort(-np.abs(w[-1]), kind="stable")
    ax = axes(ax)
    ax.set_xscale("log")
    ax.axhline(0, color=BLACK, linewidth=1)
    named, others = strongest[:most], strongest[most:1000]
    if len(others):
        ax.plot(C, w[:, others], color="0.75", linewidth=0.8, zorder=1)
        ax.lines[-1].set_label(
            f"{w.shape[1] - len(named):,} others" + (f" ({len(others):,} drawn)" if len(strongest) > 1000 else "")
        )
    for i, j in enumerate(named):
        style: dict[str, Any] = {"color": colour(i), "linestyle": dash(i), "marker": marker(i), "linewidth": 2}
        ax.plot(C, w[:, j], markevery=max(1, len(C) // 6), markersize=5, label=short(names[j]), **style)
    if chosen is not None and np.isfinite(chosen):
        ax.axvline(chosen, color=BLACK, linewidth=1.5, linestyle=":", label=f"in use: C = {chosen:g}")
    ax.set(xlabel="C (inverse strength of the penalty)", ylabel=ylabel)
    ax.grid(alpha=0.3)
    legend_aside(ax, "best", most=0)
    return ax


def _half_widths(errors: ArrayLike | None, shape: tuple[int, ...], confidence: float) -> Array | None:
    if errors is None:
        return None
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; pass a probability between 0 and 1")
    found = np.asarray(errors, dtype=np.float64)
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
    return [short(name) for name in classes]


def _bars(ax: "Axes", w: Array, half: Array | None, labels: Sequence[str]) -> None:
    rows = np.arange(w.shape[1])
    ax.barh(rows, w[0], color=np.where(w[0] > 0, VERMILLION, BLUE))
    if half is not None:
        ax.errorbar(w[0], rows, xerr=_drawable(half[0], w), fmt="none", ecolor=BLACK, elinewidth=1.2, capsize=3)
    ax.set_xlabel(f"weight (log-odds):  ← {labels[0]}   |   {labels[1]} →", parse_math=False)


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
    legend_aside(ax, "best", most=0)


def _drawable(half: Array, w: Array) -> Array:
    """Infinity as a number that is off the picture."""
    return np.minimum(half, 1e3 * max(float(np.abs(w).max()), 1e-300))


def _frame(ax: "Axes", w: Array, half: Array | None) -> None:
    """Limits that hold all weights and zero, and intervals up to four times as wide as the weights' own range."""
    low, high = min(float(w.min()), 0.0), max(float(w.max()), 0.0)
    range_ = high - low or 1.0
    if half is not None:
        low = max(min(low, float((w - half).min())), low - 4 * range_)
        high = min(max(high, float((w + half).max())), high + 4 * range_)
    margin = 0.05 * (high - low) or 1.0
    ax.set_xlim(low - margin if low < 0 or high == 0 else low, high + margin if high > 0 or low == 0 else high)
