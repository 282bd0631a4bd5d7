"""A boundary being learnt, as a moving picture."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from onelayer.plots.boundary import Picture, threshold_on_line
from onelayer.plots.canvas import Array, axes, labels_in, numbers, say
from onelayer.plots.plane import Neurons, Plane, matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_FRAMES = 100
LEVELS = 20
HELD = 1.5  # seconds for which the last frame stays
DPI = 80  # of a GIF's frames: each is stored whole


def animation(
    path: ArrayLike,
    X: Any,
    y: ArrayLike,
    output: str | Path,
    *,
    steps: Sequence[int] | None = None,
    costs: Sequence[float] | None = None,
    name: str = "",
    per_second: int = 8,
    features: Sequence[int | str] | None = None,
    threshold: float = 0.5,
    names: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Write a GIF of `decision_boundary` at each step of a path of weights; no program but Matplotlib and Pillow.

    Of more than 100 steps 100 are shown, evenly spread, the first and the last among them.

    Parameters
    ----------
    path : array of shape (t, d + 1), or (t, k, d + 1) of three or more classes
        The weights at each step, the bias last.
    X : array, frame or sparse matrix of shape (n, d)
    y : array of shape (n,)
        Labels.
    output : path
        Of the GIF.
    steps : t int, optional
        The numbers of the steps; 0, 1, 2 …
    costs : t float, optional
        The cost at each step, to be written beside its number.
    name : str
        What the steps are of, to be written before their number.
    per_second : int
        Steps.
    features, threshold, names : as for `decision_boundary`
        Where two features are to be chosen, it is by the last step.
    classes : k labels, optional
        In the order of the weights; those in y, sorted.
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        With the last step on it.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or a label or feature is unknown.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> from tempfile import TemporaryDirectory
    >>> matplotlib.use("Agg")
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "line.gif")
    ...     ax = animation([[1, 0, -0.5], [0, 1, -0.5]], [[0, 0], [1, 1]], [0, 1], file)
    ...     file.read_bytes()[:6]
    b'GIF89a'
    """
    if not per_second >= 1:
        raise ValueError(f"per_second is {per_second}; show one step a second or more")
    planes, numbered = _planes(path, X, y, features, names, classes, steps, threshold)
    said = [f"{name and f'{name}, '}step {number:,}" for number in numbered]
    if costs is not None:
        if len(costs) != len(np.asarray(path)):
            raise ValueError(f"costs has {len(costs)} numbers for {len(np.asarray(path))} weights; pass one for each")
        spent = numbers("costs", costs)[_frames(len(costs))]
        said = [f"{words}, cost {value:.4g}" for words, value in zip(said, spent, strict=True)]
    ax = axes(ax)
    from matplotlib.animation import PillowWriter

    figure: Any = ax.figure

    picture = Picture(ax, planes[-1], threshold, LEVELS)
    picture.show(planes[-1])
    picture.legend()
    step = say(ax, said[-1], 0.99, 0.02, ha="right", va="bottom", zorder=9)
    writer = PillowWriter(fps=per_second)
    with _laid_out_once(figure), writer.saving(figure, str(output), DPI):
        for plane, words in zip(planes, said, strict=True):
            picture.show(plane)
            step.set_text(words)
            writer.grab_frame()
        for _ in range(round(HELD * per_second)):
            writer.grab_frame()
    return ax


@contextmanager
def _laid_out_once(figure: Any) -> Iterator[None]:
    """Hold every Axes where it is: a picture that moves must not jump, and laying out takes half of a frame's time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    engine = figure.get_layout_engine()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def _frames(t: int) -> Array:
    return np.unique(np.linspace(0, t - 1, min(t, MOST_FRAMES)).round().astype(int))


def _planes(
    path: ArrayLike,
    X: Any,
    y: ArrayLike,
    features: Sequence[int | str] | None,
    names: Sequence[str] | None,
    classes: Sequence[Any] | None,
    steps: Sequence[int] | None,
    threshold: float,
) -> tuple[list[Plane], list[int]]:
    """The plane at each step that is shown, and its number."""
    names = getattr(X, "columns", None) if names is None else names
    X = matrix(X)
    labels = labels_in(y, classes)
    threshold_on_line(threshold, None, len(labels))
    weights = numbers("path", path, np.ndim(path))
    weights = weights[:, None, :] if weights.ndim == 2 else weights
    k, d = 1 if len(labels) == 2 else len(labels), X.shape[1]
    if weights.shape[1:] != (k, d + 1):
        expected = f"(t, {d + 1})" if k == 1 else f"(t, {k}, {d + 1})"
        raise ValueError(f"path has shape {np.shape(path)}, not {expected}; pass the weights of each step, bias last")
    numbered = list(range(len(weights)) if steps is None else steps)
    if len(numbered) != len(weights):
        raise ValueError(f"steps has {len(numbered)} numbers for {len(weights)} weights; pass one for each")
    last = Plane.of_model(Neurons(weights[-1], labels), X, y, features, names, None, threshold)
    shown = _frames(len(weights))
    return [last.with_weights(weights[i]) for i in shown], [numbered[i] for i in shown]
