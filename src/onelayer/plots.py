"""Pictures of one layer, each drawn on the Axes it is given.

``ax=None`` makes a new pyplot figure, which notebooks show and scripts show or save; with an Axes given, pyplot is not
touched. Matplotlib is imported when something is drawn, never before. Colours are Okabe and Ito's, which the
colour-blind tell apart, and no meaning rests on colour alone: classes differ in marker, curves in dash, weights in
side. Examples stand in rows: ``X`` (n, 2), ``y`` (n,) of 0 and 1.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["boundary_segment", "cost", "decision_boundary", "weights"]

Box = tuple[tuple[float, float], tuple[float, float]]
Point = tuple[float, float]

# Okabe and Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/
BLUE, VERMILLION, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"
COLOURS = (BLUE, VERMILLION)  # of class 0 and class 1; of weights towards them
MARKERS = ("o", "^")
CURVES = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (PURPLE, ":"), (BLACK, "-"))

# More markers than this hide each other on a page and take seconds to draw.
MOST_POINTS = 3000
# More numbers than this beside the markers cannot be read.
MOST_COUNTS = 40


def boundary_segment(
    weights: Sequence[float] | NDArray[Any], bias: float, box: Box, *, threshold: float = 0.5
) -> tuple[Point, Point] | None:
    """The part of the line w·x + b = logit(threshold) that lies in a box.

    Floats are rationals, so the crossings with the four sides are computed exactly and rounded once: no slope to
    divide by, no cancellation far from the origin, no overflow.

    Parameters
    ----------
    weights : two floats
    bias : float
    box : ((x_low, x_high), (y_low, y_high))
    threshold : float
        Probability of class 1 on the line, in [0, 1]. At 0 and 1 the line is infinitely far away.

    Returns
    -------
    two points (x, y), from left to right, or from bottom to top if vertical; None if there is no line in the box

    Raises
    ------
    ValueError
        If a number is not finite, the weights are not two, or the threshold is outside [0, 1].

    Examples
    --------
    >>> boundary_segment([-1, 1], -0.5, ((0, 1), (0, 1)))
    ((0.0, 0.5), (0.5, 1.0))
    >>> boundary_segment([2, 0], -1, ((0, 1), (0, 1)))
    ((0.5, 0.0), (0.5, 1.0))
    >>> boundary_segment([0, 0], 1, ((0, 1), (0, 1))) is None
    True
    """
    w1, w2 = (Fraction(w) for w in _two_weights(weights))
    _check_threshold(threshold)
    if not np.isfinite([bias, *box[0], *box[1]]).all():
        raise ValueError(f"bias {bias} and box {box} must be finite; scale the columns and fit again")
    if threshold in (0, 1):
        return None
    c = Fraction(float(bias)) - Fraction(float(logit(threshold)))
    (left, right), (low, high) = (sorted(map(Fraction, map(float, side))) for side in box)
    crossings = set()
    if w2:
        crossings |= {(x, y) for x in (left, right) if low <= (y := -(w1 * x + c) / w2) <= high}
    if w1:
        crossings |= {(x, y) for y in (low, high) if left <= (x := -(w2 * y + c) / w1) <= right}
    if len(crossings) < 2:  # outside, or touching one corner
        return None
    (x0, y0), (x1, y1) = min(crossings), max(crossings)
    return (float(x0), float(y0)), (float(x1), float(y1))


def decision_boundary(
    weights: Sequence[float] | NDArray[Any],
    bias: float,
    X: ArrayLike,
    y: ArrayLike,
    *,
    threshold: float = 0.5,
    names: Sequence[str] = ("x1", "x2"),
    classes: Sequence[str] = ("class 0", "class 1"),
    ax: "Axes | None" = None,
) -> "Axes":
    """Examples of two columns, the probability of class 1 as shading, and the line where it equals the threshold.

    Examples at the same place are drawn as one marker whose area grows with their number; where the places are few the
    numbers are written beside them, of class 1 above, of class 0 below. Of a class with more than 3,000 examples 3,000
    are drawn, at random, and the legend says so.

    Parameters
    ----------
    weights : two floats
    bias : float
    X : array of shape (n, 2)
    y : array of shape (n,)
        Labels, 0 or 1.
    threshold : float
        Probability of class 1 on the line, in [0, 1].
    names : two str
        Of the columns.
    classes : two str
        Of class 0 and class 1.
    ax : Axes, optional
        Where to draw; the legend stands above it.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or a label is neither 0 nor 1.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = decision_boundary([-1, 1], -0.5, [[0, 1], [1, 0]], [1, 0], names=("aack", "beep"))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('aack', 'beep')
    """
    w = _two_weights(weights)
    X, y = _points(X, y)
    _check_pair("names", names)
    _check_pair("classes", classes)
    _check_threshold(threshold)
    _check_finite("bias", np.array([bias], dtype=np.float64))
    ax = _axes(ax)
    ax.set(xlim=_padded(X[:, 0]), ylim=_padded(X[:, 1]))
    box = (ax.get_xlim(), ax.get_ylim())  # read back: Matplotlib widens limits a few units in the last place apart
    segment = boundary_segment(w, bias, box, threshold=threshold)
    ax.set_xlabel(names[0], parse_math=False)  # a column called "US$ or C$" is not a formula
    ax.set_ylabel(names[1], parse_math=False)
    _shade(ax, w, bias, box, classes[1])
    handles, labels = _scatter(ax, X, y, classes)
    if segment is not None:
        handles += ax.plot(*zip(*segment, strict=True), color=BLACK, linewidth=2, zorder=6)
        labels.append(f"boundary: probability {threshold:g}")
    elif not any(w):
        _say(ax, "no boundary: both weights are zero")
    else:
        _say(ax, "no boundary in view")
    _legend_above(ax, handles, labels)
    return ax


def cost(history: Iterable[Any], *, label: str | None = None, ylabel: str = "cost", ax: "Axes | None" = None) -> "Axes":
    """The cost at each iteration; on a logarithmic axis once it spans a factor of 100.

    Call it again with the same ``ax`` to compare two runs, each with its ``label``.

    Parameters
    ----------
    history : iterable of float, or of entries with a ``cost``, such as ``history_`` of a fitted estimator
    label : str, optional
        Name of the curve in the legend.
    ylabel : str
        What the cost is, with its unit.
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no cost, or one is not finite.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = cost([0.69, 0.4, 0.3], ylabel="mean log loss (nats)")
    >>> ax.get_xlabel(), ax.get_yscale()
    ('iteration', 'linear')
    """
    costs = np.array([getattr(entry, "cost", entry) for entry in history], dtype=np.float64)
    if costs.size == 0:
        raise ValueError("history is empty; pass at least one cost")
    _check_finite("history", costs)
    ax = _axes(ax)
    from matplotlib.ticker import MaxNLocator

    colour, dash = CURVES[len(ax.lines) % len(CURVES)]
    marker = "o" if len(costs) == 1 else None
    (line,) = ax.plot(np.arange(len(costs)), costs, color=colour, linestyle=dash, linewidth=2, marker=marker)
    if costs.min() > 0 and costs.max() > 100 * costs.min():
        ax.set_yscale("log")
    ax.set(xlabel="iteration", ylabel=ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.grid(alpha=0.3)
    if label is not None:
        line.set_label(label)
        ax.legend()
    return ax


def weights(
    names: Sequence[str],
    values: ArrayLike,
    *,
    most: int = 15,
    classes: Sequence[str] = ("class 0", "class 1"),
    ax: "Axes | None" = None,
) -> "Axes":
    """The strongest weights as bars, the strongest on top: to the right towards class 1, to the left towards class 0.

    Parameters
    ----------
    names : d str
        Of the features.
    values : array of shape (d,)
        Weights, in nats (log-odds) per unit of their feature.
    most : int
        Number of bars at most; the title says how many weights there are.
    classes : two str
        Of class 0 and class 1.
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
    >>> ax = weights(["aack", "beep"], [-3.57, 3.24])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['aack', 'beep']
    """
    w = np.asarray(values, dtype=np.float64)
    if w.shape != (len(names),) or w.size == 0:
        raise ValueError(f"values has shape {w.shape} for {len(names)} names; pass one weight for each name")
    if most < 1:
        raise ValueError(f"most is {most}; ask for at least one bar")
    _check_finite("values", w)
    _check_pair("classes", classes)
    strongest = np.argsort(-np.abs(w), kind="stable")[:most]
    shown = w[strongest]
    ax = _axes(ax)
    rows = np.arange(len(shown))
    ax.barh(rows, shown, color=np.where(shown > 0, COLOURS[1], COLOURS[0]))
    ax.set_yticks(rows, [_short(names[i]) for i in strongest], parse_math=False)
    ax.invert_yaxis()
    ax.axvline(0, color=BLACK, linewidth=1)
    ax.set_xlabel(f"weight (log-odds):  ← {_short(classes[0])}   |   {_short(classes[1])} →", parse_math=False)
    ax.set_title("all weights" if len(w) <= most else f"the {most:,} strongest of {len(w):,} weights")
    ax.grid(axis="x", alpha=0.3)
    ax.set_axisbelow(True)
    return ax


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'onelayer[plot]'") from error
    return plt.subplots(layout="constrained")[1]


def _two_weights(weights: Sequence[float] | NDArray[Any]) -> list[float]:
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (2,):
        raise ValueError(f"weights has shape {w.shape}; a boundary is a line for two weights only")
    _check_finite("weights", w)
    return [float(value) for value in w]


def _points(X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[Any]]:
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or len(X) == 0:
        remedy = "it looks transposed: pass X.T" if X.ndim == 2 and X.shape[0] == 2 else "pass two columns"
        raise ValueError(f"X has shape {X.shape}, not (n, 2); {remedy}")
    if y.shape != (len(X),):
        raise ValueError(f"y has shape {y.shape} for {len(X)} rows of X; pass one label for each row")
    if not np.isin(y, (0, 1)).all():
        row = int(np.argmin(np.isin(y, (0, 1))))
        raise ValueError(f"y has {y[row]!r} in row {row}; pass labels 0 and 1, and their names as classes=")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"X has {X[row, column]} in row {row}, column {column}; drop or fill that row")
    return X, y


def _check_finite(name: str, values: NDArray[np.float64]) -> None:
    if not np.isfinite(values).all():
        position = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"{name} has {values[position]} at position {position}; pass finite numbers")


def _check_threshold(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}; pass a probability, from 0 to 1")


def _check_pair(name: str, values: Sequence[str]) -> None:
    if isinstance(values, str) or len(values) != 2:
        raise ValueError(f"{name} is {values!r}; pass two of them")


def _padded(values: NDArray[np.float64]) -> tuple[float, float]:
    """Limits with a margin: 12 % of the range, or of the value where all are the same."""
    low, high = float(values.min()), float(values.max())
    margin = 0.12 * (high - low) or 0.1 * abs(low) or 1.0
    return low - margin, high + margin


def _shade(ax: "Axes", w: Sequence[float], bias: float, box: Box, positive: str) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    x, y = (np.linspace(*side, 201) for side in box)
    with np.errstate(over="ignore", invalid="ignore"):  # only the shade would suffer, the line is exact
        probability = expit(w[0] * x + w[1] * y[:, None] + bias)
    palette = LinearSegmentedColormap.from_list("class 0 to class 1", (BLUE, "white", VERMILLION))
    image = ax.imshow(
        probability,
        extent=(*box[0], *box[1]),
        origin="lower",
        aspect="auto",
        cmap=palette,
        vmin=0,
        vmax=1,
        alpha=0.35,
        zorder=0,
    )
    # Inside ax, so that ax.clear() takes it away too and a line can be redrawn as it moves.
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0, 0.035, 1)))
    bar.set_label(f"probability of {positive}", parse_math=False)


def _scatter(
    ax: "Axes", X: NDArray[np.float64], y: NDArray[Any], classes: Sequence[str]
) -> tuple[list[Any], list[str]]:
    handles: list[Any] = []
    labels = []
    kept = [_sample(np.flatnonzero(y == k)) for k in (0, 1)]
    places = [np.unique(X[rows], axis=0, return_counts=True) for rows in kept]
    largest = max(int(counts.max(initial=1)) for _, counts in places)
    crowded = sum(len(counts) for _, counts in places) > 300
    counted = largest > 1 and sum(len(counts) for _, counts in places) <= MOST_COUNTS
    for k, (rows, (where, counts)) in enumerate(zip(kept, places, strict=True)):
        n = int((y == k).sum())
        if n == 0:
            continue
        area = 16.0 if crowded else 50 + 200 * (counts - 1) / largest  # points²: a diameter of 4, or 8 to 18 points
        style: dict[str, Any] = {
            "marker": MARKERS[k],
            "color": COLOURS[k],
            "edgecolor": "white",
            "linewidth": 0.3 if crowded else 0.7,
        }
        ax.scatter(where[:, 0], where[:, 1], s=area, zorder=4 + k, **style)
        handles.append(ax.scatter([], [], s=50, **style))
        labels.append(f"{classes[k]} ({n:,})" if len(rows) == n else f"{classes[k]} ({len(rows):,} of {n:,} drawn)")
        if counted:
            _write_counts(ax, where, counts, k)
    return handles, labels


def _sample(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    if len(rows) <= MOST_POINTS:
        return rows
    return np.random.default_rng(0).choice(rows, MOST_POINTS, replace=False)


def _write_counts(ax: "Axes", where: NDArray[np.float64], counts: NDArray[np.intp], k: int) -> None:
    above = 1 if k else -1  # class 1 above its marker, class 0 below: two classes at one place stay legible
    for place, count in zip(where, counts, strict=True):
        ax.annotate(
            f"×{count}",
            place,
            xytext=(0, 11 * above),
            textcoords="offset points",
            ha="center",
            va="bottom" if k else "top",
            zorder=7,
        )


def _say(ax: "Axes", words: str) -> None:
    frame = {"facecolor": "white", "edgecolor": BLACK, "boxstyle": "round"}
    ax.text(0.5, 0.96, words, transform=ax.transAxes, ha="center", va="top", bbox=frame, zorder=8)


def _legend_above(ax: "Axes", handles: list[Any], labels: list[str]) -> None:
    # A little above: the exponent of the vertical axis, such as 1e9, stands right on the frame.
    legend = ax.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1.05), ncols=2, borderaxespad=0)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _short(name: str, most: int = 30) -> str:
    line = " ".join(str(name).split())
    return line if len(line) <= most else line[: most - 1] + "…"
