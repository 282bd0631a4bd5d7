"""The boundary between classes: rows of two features, the probability as shading, and the line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt

from onelayer.plots.canvas import (
    BLUE,
    VERMILLION,
    Array,
    axes,
    check_threshold,
    colour,
    ink,
    legend_above,
    marker,
    paper,
    sample,
    say,
    short,
    shorts,
)
from onelayer.plots.lines import Box, borders, boundary_segment
from onelayer.plots.plane import Plane, classes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["boundary_segment", "decision_boundary"]

GRID = 201  # places on each side at which the shade is computed: finer than the eye sees through the markers
MOST_COUNTS = 40  # more numbers than this beside the markers cannot be read
CROWDED = 300  # places from which the markers are small
WIDTH = 2
MOST_NAMED = 12  # classes in a legend
SMALLEST = 0.03  # of the picture's side: how deep a region must be to hold its name
MOST_SHADED = 0.5  # of a class's colour, where its probability is 1: markers must stand out


@overload
def decision_boundary(
    weights: Sequence[float] | NDArray[Any],
    bias: float,
    X: ArrayLike,
    y: ArrayLike,
    /,
    *,
    threshold: float | None = None,
    names: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes": ...
@overload
def decision_boundary(
    model: Any,
    X: Any,
    y: ArrayLike,
    /,
    *,
    features: Sequence[int | str] | None = None,
    threshold: float | None = None,
    names: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes": ...
def decision_boundary(
    *given: Any,
    features: Sequence[int | str] | None = None,
    threshold: float | None = None,
    names: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Rows of two features, the probability as shading, and the line where it equals the threshold.

    Called as ``decision_boundary(model, X, y)`` with a fitted classifier, or ``decision_boundary(weights, bias, X, y)``
    with a neuron's two weights and labels 0 and 1. The line is exact for linear models, with three or more classes
    too; for others it is traced on a grid of 201 × 201. Of more than two features two are shown, by default those that
    move a linear model's logits most, and the others are held at their medians: rows lie where their own two
    features are, so that some seem to be on the wrong side. The axis says how many are on the side where the model puts
    them; `projection` shows each row as the model sees it.

    Rows at the same place are drawn as one marker whose area grows with their number; where the places are few the
    numbers are written beside them, of class 1 above, of class 0 below. Of a class with more than 3,000 rows 3,000
    are drawn, at random, and the legend says so.

    Parameters
    ----------
    model : fitted classifier
        With ``predict_proba`` and ``classes_``, and ``coef_`` and ``intercept_`` if linear.
    weights, bias : two floats and one
        Instead of a model.
    X : array, frame or sparse matrix of shape (n, d)
    y : array of shape (n,)
        Labels.
    features : two names or positions, optional
        Which features to show.
    threshold : float, optional
        Probability of class 1 on the line, in [0, 1]; the model's own, or 0.5.
    names : d str, optional
        Of the columns.
    classes : k str, optional
        Names of the classes, in the order of ``classes_``.
    ax : Axes, optional
        Where to draw; the legend stands above it.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or a label or feature is unknown.
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
    if len(given) not in (3, 4):
        raise TypeError(f"got {len(given)} arguments; pass model, X, y, or weights, bias, X, y")
    if len(given) == 4:
        at, plane = threshold_on_line(threshold, None, 2), Plane.of_line(*given, names, classes)
    else:
        model, X, y = given
        at = threshold_on_line(threshold, model, len(classes_of(model)))
        plane = Plane.of_model(model, X, y, features, names, classes, at)
    ax = axes(ax)
    picture = Picture(ax, plane, at)
    picture.show(plane)
    picture.legend()
    return ax


class Picture:
    """Rows and names on an Axes, drawn once; the shade and the line, which may be drawn anew as they move.

    ``levels`` are the steps of probability that the shade shows: of a moving picture few, as a GIF has few colours;
    None is all.
    """

    def __init__(self, ax: "Axes", plane: Plane, threshold: float, levels: int | None = None) -> None:
        self.ax, self.threshold, self.levels = ax, threshold, levels
        ax.set(xlim=_padded(plane.points[:, 0]), ylim=_padded(plane.points[:, 1]))
        self.box = (ax.get_xlim(), ax.get_ylim())  # read back: Matplotlib widens limits a few ulp apart
        across, up = shorts(plane.names)
        ax.set_xlabel(across + plane.caveat, parse_math=False)  # "US$ or C$" is not a formula
        ax.set_ylabel(up, parse_math=False)
        self.handles, self.labels = _scatter(ax, plane.points, plane.codes, plane.classes)
        self.two = len(plane.classes) == 2
        self.image: Any = None
        self.lines: list[Any] = []
        self.words: list[Any] = []

    def show(self, plane: Plane) -> None:
        """Draw the shade and the line of this plane instead of those before."""
        for artist in [*self.lines, *self.words]:
            artist.remove()
        probability = _on_grid(plane, self.box)
        shown = probability if self.levels is None else np.round(probability * self.levels) / self.levels
        if self.image is None:
            self.image = _shade(self.ax, shown, self.box, plane.classes)
        else:
            self.image.set_data(_painted(shown, paper(self.ax)))
        self.lines = _draw_lines(self.ax, plane, probability, self.box, self.threshold)
        self.words = _write_regions(self.ax, probability, self.box, plane)
        if not self.lines:
            self.words.append(say(self.ax, _why_none(plane)))

    def legend(self) -> None:
        """Name what is drawn."""
        from matplotlib.lines import Line2D

        said = f"boundary: probability {self.threshold:g}" if self.two else "boundary"
        lines = [Line2D([], [], color=ink(self.ax), linewidth=WIDTH)] if self.lines else []
        known, more = self.handles[:MOST_NAMED], len(self.handles) - MOST_NAMED
        rest = [Line2D([], [], linestyle="none")] if more > 0 else []
        names = [*self.labels[: len(known)], *[f"and {more} others" for _ in rest], *[said for _ in lines]]
        legend_above(self.ax, [*known, *rest, *lines], names)


def _why_none(plane: Plane) -> str:
    if not plane.flat:
        return "no boundary in view"
    return "no boundary: both weights are zero" if len(plane.classes) == 2 else "no boundary: all weights are alike"


def _padded(values: Array) -> tuple[float, float]:
    """Limits with a margin: 12 % of the range, or of the value where all are the same."""
    low, high = float(values.min()), float(values.max())
    margin = 0.12 * (high - low) or 0.1 * abs(low) or 1.0
    return low - margin, high + margin


def _shade(ax: "Axes", probability: Array, box: Box, classes: Sequence[str]) -> Any:
    """Probabilities (rows, columns, k) as colour: with a scale for two classes; of more, the most probable one's."""
    place: dict[str, Any] = {"extent": (*box[0], *box[1]), "origin": "lower", "aspect": "auto", "zorder": 0}
    if len(classes) > 2:
        return ax.imshow(_painted(probability, paper(ax)), interpolation="nearest", **place)
    from matplotlib.colors import LinearSegmentedColormap

    palette = LinearSegmentedColormap.from_list("class 0 to class 1", (BLUE, paper(ax), VERMILLION))
    image = ax.imshow(_painted(probability, paper(ax)), cmap=palette, vmin=0, vmax=1, alpha=0.35, **place)
    # Inside ax, so that ax.clear() takes it away too and a line can be redrawn as it moves.
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0, 0.035, 1)))
    bar.set_label(f"probability of {short(classes[1])}", parse_math=False)
    return image


def _scatter(ax: "Axes", points: Array, codes: NDArray[np.intp], classes: Sequence[str]) -> tuple[list[Any], list[str]]:
    """The rows, a colour and a marker for each class; handles and labels for a legend."""
    handles: list[Any] = []
    labels, names = [], shorts(classes, 30 if len(classes) <= 6 else 15)
    kept = [sample(np.flatnonzero(codes == k)) for k in range(len(classes))]
    places = [np.unique(points[rows], axis=0, return_counts=True) for rows in kept]
    largest = max(int(counts.max(initial=1)) for _, counts in places)
    crowded = sum(len(counts) for _, counts in places) > CROWDED
    counted = largest > 1 and len(classes) == 2 and sum(len(counts) for _, counts in places) <= MOST_COUNTS
    for k, (rows, (where, counts)) in enumerate(zip(kept, places, strict=True)):
        n = int((codes == k).sum())
        if n == 0:
            continue
        area = 16.0 if crowded else 50 + 200 * (counts - 1) / largest  # points²: a diameter of 4, or 8 to 18 points
        style: dict[str, Any] = {
            "marker": marker(k),
            "color": colour(k),
            "edgecolor": paper(ax),
            "linewidth": 0.3 if crowded else 0.7,
        }
        many: dict[str, Any] = {
            "rasterized": len(where) > CROWDED
        }  # in a PDF, as pixels: thousands of paths take seconds to show
        ax.scatter(where[:, 0], where[:, 1], s=area, zorder=4 + k / len(classes), **style, **many)
        handles.append(ax.scatter([], [], s=50, **style))
        labels.append(f"{names[k]} ({n:,})" if len(rows) == n else f"{names[k]} ({len(rows):,} of {n:,} drawn)")
        if counted:
            _write_counts(ax, where, counts, k)
    return handles, labels


def threshold_on_line(threshold: float | None, model: Any, k: int) -> float:
    """The probability of class 1 on the line; of more than two classes none can be asked for."""
    at = getattr(model, "threshold", 0.5) if threshold is None else threshold
    check_threshold(at)
    if k > 2 and at != 0.5:
        raise ValueError(f"threshold is {at} for {k} classes; leave it out, the most probable class is drawn")
    return float(at)


def _on_grid(plane: Plane, box: Box) -> Array:
    x, y = (np.linspace(*side, GRID) for side in box)
    places = np.column_stack([np.tile(x, GRID), np.repeat(y, GRID)])
    return plane.probability(places).reshape(GRID, GRID, -1)


def _draw_lines(ax: "Axes", plane: Plane, probability: Array, box: Box, threshold: float) -> list[Any]:
    if plane.weights is None:
        return _traced(ax, probability, box, threshold)
    if len(plane.classes) == 2:
        w1, w2, bias = map(float, plane.weights[0])
        segment = boundary_segment((w1, w2), bias, box, threshold=threshold)
        segments = [] if segment is None else [segment]
    else:
        segments = borders(plane.weights, box, np.unique(probability.argmax(axis=2)).tolist())
    return [
        line
        for ends in segments
        for line in ax.plot(*zip(*ends, strict=True), color=ink(ax), linewidth=WIDTH, zorder=6)
    ]


def _write_regions(ax: "Axes", probability: Array, box: Box, plane: Plane) -> list[Any]:
    """The name of the most probable class where its region has most room; of two classes the scale says it."""
    from matplotlib.patheffects import Normal, Stroke

    if len(plane.classes) == 2:
        return []
    outline = [Stroke(linewidth=3, foreground=paper(ax)), Normal()]
    style: dict[str, Any] = {"ha": "center", "va": "center", "weight": "bold", "path_effects": outline, "zorder": 7}
    style |= {"color": ink(ax)}
    best, words, names = probability.argmax(axis=2), [], shorts(plane.classes, 15)
    x, y = (np.linspace(*side, GRID) for side in box)
    taken = np.zeros((GRID, GRID), dtype=bool)
    taken[np.searchsorted(y, plane.points[:, 1]) - 1, np.searchsorted(x, plane.points[:, 0]) - 1] = True
    for k in np.unique(best):
        if _depth(best == k).max() >= SMALLEST * GRID:
            depth = _depth((best == k) & ~taken)
            row, column = np.unravel_index(int(depth.argmax()), depth.shape)
            words.append(ax.text(x[column], y[row], names[k], parse_math=False, **style))
    return words


def _depth(inside: NDArray[np.bool_]) -> Array:
    """How far each place lies from the next one that is outside."""
    return np.asarray(distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1])


def _traced(ax: "Axes", probability: Array, box: Box, threshold: float) -> list[Any]:
    """Curves on the grid where a class's lead over the others, or class 1's over the threshold, is zero."""
    x, y = (np.linspace(*side, GRID) for side in box)
    if probability.shape[2] == 2:
        leads = [probability[:, :, 1] - threshold]
    else:
        first, second = np.sort(probability, axis=2)[:, :, :-3:-1].transpose(2, 0, 1)
        leads = [
            np.where(probability[:, :, k] == first, first - second, probability[:, :, k] - first)
            for k in np.unique(probability.argmax(axis=2))
        ]
    drawn = []
    for lead in leads:
        if lead.min() < 0 < lead.max():
            drawn.append(ax.contour(x, y, lead, levels=[0], colors=[ink(ax)], linewidths=WIDTH, zorder=6))
    return drawn


def _painted(probability: Array, paper: Any) -> Array:
    """What an image shows: class 1's probability, or colours, the stronger the more probable the class."""
    from matplotlib.colors import to_rgb

    k = probability.shape[2]
    if k == 2:
        return np.asarray(probability[:, :, 1])
    best = probability.argmax(axis=2)
    paint = np.array([to_rgb(colour(j)) for j in range(k)])[best]
    strength = MOST_SHADED * (probability.max(axis=2) - 1 / k) / (1 - 1 / k)
    blank = np.array(to_rgb(paper))
    return np.asarray(blank - strength[:, :, None] * (blank - paint))


def _write_counts(ax: "Axes", where: Array, counts: NDArray[np.intp], k: int) -> None:
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
            color=ink(ax),
        )
