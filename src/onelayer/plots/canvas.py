"""What every picture stands on: an Axes, the palette, how many points a page holds, and what cannot be drawn."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.masks import unmasked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]

# Okabe and Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/
BLUE, VERMILLION, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"
ORANGE, SKY = "#E69F00", "#56B4E9"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)  # their yellow cannot be seen as a line on white
# numbers without a common factor: 77 pairs of colour and marker, 42 of colour and dash
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", "*", ">", "p")
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (3, 1)))

# names that are alike so far are shown no longer than so many times what others are
MOST_LONGER = 4
# More markers than this hide each other on a page and take seconds to draw.
MOST_POINTS = 3000
# More vertices than this in a curve are closer than the printer's dots.
MOST_VERTICES = 2000


def colour(k: int) -> str:
    """Of class or curve k; black is the style's, which may draw on black."""
    from matplotlib import rcParams

    shade = COLOURS[k % len(COLOURS)]
    return str(rcParams["text.color"]) if shade == BLACK else shade


def marker(k: int) -> str:
    """Of class or curve k."""
    return MARKERS[k % len(MARKERS)]


def dash(k: int) -> Any:
    """Of curve k."""
    return DASHES[k % len(DASHES)]


def axes(ax: "Axes | None") -> "Axes":
    """The one given, or that of a new pyplot figure."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'onelayer[plot]'") from error
    return plt.subplots(layout="constrained")[1]


def ink(ax: "Axes") -> Any:
    """What can be read on it, whatever its style: the colour of its labels."""
    return ax.xaxis.label.get_color()


def paper(ax: "Axes") -> Any:
    """The colour of what is drawn on."""
    from matplotlib.colors import to_rgba

    faces: list[Any] = [to_rgba(part.get_facecolor()) for part in (ax, ax.figure)]
    return next((face for face in faces if face[3] > 0), "white")  # what is transparent mostly comes to lie on white


def sample(rows: NDArray[np.intp], most: int = MOST_POINTS) -> NDArray[np.intp]:
    """At most so many of the rows, at random, the same ones each time."""
    if len(rows) <= most:
        return rows
    return np.random.default_rng(0).choice(rows, most, replace=False)


def thinned(x: Array, y: Array) -> tuple[Array, Array]:
    """A curve through at most `MOST_VERTICES` of its own points, evenly along its way, both ends among them."""
    if len(x) <= MOST_VERTICES:
        return x, y
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], MOST_VERTICES)).clip(0, len(x) - 1))
    kept = np.union1d(kept, [0, len(x) - 1])
    return x[kept], y[kept]


def say(ax: "Axes", words: str, x: float = 0.5, y: float = 0.96, **style: Any) -> Any:
    """Words in a frame, at the top of the picture."""
    frame = {"facecolor": paper(ax), "edgecolor": ink(ax), "boxstyle": "round"}
    style = {"ha": "center", "va": "top", "zorder": 8, "color": ink(ax), **style}
    return ax.text(x, y, words, transform=ax.transAxes, bbox=frame, parse_math=False, **style)


def legend_above(ax: "Axes", handles: list[Any], labels: Sequence[str]) -> None:
    """A legend that hides nothing."""
    # A little above: the exponent of the vertical axis, such as 1e9, stands right on the frame.
    columns = min(2 if len(labels) <= 4 else 3, max(1, 90 // (8 + max(map(len, labels)))))
    where: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1.05), "ncols": columns, "borderaxespad": 0}
    legend = ax.legend(handles, labels, fontsize="medium" if len(labels) <= 6 else "small", **where)
    as_written(legend)


def legend_aside(ax: "Axes", loc: str, most: int = 6, title: str | None = None) -> None:
    """A legend inside, where there is room for it; of more entries than six, beside the picture."""
    entries = len(ax.get_legend_handles_labels()[1])
    beside: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5), "borderaxespad": 0}
    where: dict[str, Any] = beside if entries > most else {"loc": loc}
    size = "medium" if entries <= 14 else "small"
    as_written(ax.legend(**where, title=title, fontsize=size, title_fontsize=size))


def as_written(legend: Any) -> None:
    """A name such as "US$ or C$" is not a formula."""
    for text in legend.get_texts():
        text.set_parse_math(False)


def short(name: Any, most: int = 30) -> str:
    """A name on one line, and no longer than a picture can hold."""
    line = " ".join(str(name).split())
    tail = most // 3  # names of columns and levels often differ at their ends
    return line if len(line) <= most else f"{line[: most - 1 - tail]}…{line[-tail:]}"


def shorts(names: Iterable[Any], most: int = 30) -> list[str]:
    """Names as `short` has them, longer where two would be alike."""
    names = list(names)
    found = [short(name, most) for name in names]
    for longer in range(most + 1, MOST_LONGER * most):
        alike = {name for name, many in Counter(found).items() if many > 1}
        if not alike:
            break
        found = [short(name, longer) if line in alike else line for name, line in zip(names, found, strict=True)]
    return found


def in_legend(name: Any, most: int = 30) -> str:
    """A name as `short` has it, after a space where it begins with an underscore, which a legend would leave out."""
    line = short(name, most)
    return f" {line}" if line.startswith("_") else line


def numbers(name: str, values: ArrayLike, ndim: int = 1) -> Array:
    """Finite numbers with so many axes, at least one of them.

    Raises
    ------
    ValueError
        For anything else, with its place.
    """
    found = floats(name, values)
    if found.ndim != ndim or found.size == 0:
        raise ValueError(f"{name} has shape {found.shape}; pass numbers with {ndim} axes, at least one of them")
    check_finite(name, found)
    return found


def floats(name: str, values: ArrayLike) -> Array:
    """As floats; dates, and what is complex or masked, are none."""
    found = unmasked(values, name)
    if found.dtype.kind in "mMc":
        raise ValueError(f"{name} holds {found.dtype} values; pass numbers")
    return np.asarray(found, dtype=np.float64)


def check_finite(name: str, values: Array) -> None:
    """Refuse NaN and infinity, naming the first place."""
    if not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0].tolist()
        where = f"position {place[0]}" if len(place) == 1 else f"position {tuple(place)}"
        raise ValueError(f"{name} has {values[tuple(place)]} at {where}; pass finite numbers")


def check_threshold(threshold: float) -> None:
    """Refuse what is no probability."""
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}; pass a probability, from 0 to 1")


def check_pair(name: str, values: Sequence[Any]) -> None:
    """Refuse what are not two."""
    if isinstance(values, str) or not hasattr(values, "__len__") or len(values) != 2:
        raise ValueError(f"{name} is {values!r}; pass two of them")


def codes_of(y: ArrayLike, known: ArrayLike, n: int) -> NDArray[np.intp]:
    """The place of each label among the known ones.

    Raises
    ------
    ValueError
        For labels that are not one for each of n rows, or not known.
    """
    labels, among = unmasked(y, "y"), np.asarray(known)
    if labels.shape != (n,):
        raise ValueError(f"y has shape {labels.shape} for {n} rows; pass one label for each row")
    if labels.dtype.kind != among.dtype.kind and "O" not in (labels.dtype.kind, among.dtype.kind):
        if {labels.dtype.kind, among.dtype.kind} <= set("US"):
            labels = labels.astype(among.dtype.kind)
        elif not {labels.dtype.kind, among.dtype.kind} <= set("biuf"):
            raise _unknown(labels, among, 0)
    codes = np.full(n, -1, dtype=np.intp)
    for code, label in enumerate(among):
        codes[np.asarray(labels == label, dtype=bool)] = code
    if (codes < 0).any():
        raise _unknown(labels, among, int(np.argmin(codes)))
    return codes


def labels_in(y: ArrayLike, classes: Sequence[Any] | None, least: int = 2) -> Array:
    """The classes, in the order of weights: those given, or those in y, sorted, at least so many."""
    if classes is not None:
        return np.asarray(classes)
    labels = unmasked(y, "y")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(f"y has nan in row {np.isnan(labels).ravel().argmax()}; drop that row")
    try:
        found = np.unique(labels)
    except TypeError as error:  # None among texts
        raise ValueError(
            "y has labels that cannot be sorted, such as None; drop these rows, or pass classes"
        ) from error
    if len(found) < least:
        raise ValueError(f"y has one class, {_some(found)}; pass classes, with those it lacks")
    return found


def _unknown(labels: Array, known: Array, row: int) -> ValueError:
    return ValueError(f"y has {labels[row : row + 1].tolist()[0]!r} in row {row}; pass labels among {_some(known)}")


def place_of(positive: Any, known: ArrayLike) -> int:
    """The place of a class among the known ones, the last for None.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    labels = list(np.asarray(known).tolist())
    if positive is not None and positive not in labels:
        raise ValueError(f"positive is {positive!r}; pass one of {_some(np.asarray(known))}")
    return len(labels) - 1 if positive is None else labels.index(positive)


def _some(known: Array) -> str:
    return ", ".join(map(str, known[:5].tolist())) + (", …" if len(known) > 5 else "")
