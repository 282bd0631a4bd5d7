"""The way of the weights, downhill over the surface of the cost."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from onelayer.objective.losses import mean_log_loss
from onelayer.plots.canvas import (
    BLACK,
    Array,
    as_written,
    axes,
    codes_of,
    colour,
    dash,
    in_legend,
    labels_in,
    marker,
    numbers,
    sample,
    short,
    shorts,
    thinned,
)
from onelayer.plots.plane import column_of, matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 1e306  # Matplotlib works with some multiples of an axis' ends
GRID = 61  # places on each side at which the cost is computed
MOST_TERMS = 4000  # rows times classes at each place: the surface's shape needs no more


def weight_path(
    path: ArrayLike | Mapping[str, ArrayLike],
    X: Any,
    y: ArrayLike,
    *,
    steps: Sequence[int] | None = None,
    C: float = np.inf,
    centre: ArrayLike | None = None,
    shown: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    r"""The path of two weights over the cost as a function of them, the others where the first path ends.

    The cost is the mean log loss plus ``‖w‖² / (2 C n)``, without weights of rows. It is computed on at most 4,000
    rows (divided by the number of classes from three on), at random, and the scale says so.

    Parameters
    ----------
    path : array of shape (t, d + 1), or (t, k, d + 1) of three or more classes; or a mapping of labels to them
        The weights at each step, the bias last.
    X : array, frame or sparse matrix of shape (n, d)
    y : array of shape (n,)
        Labels.
    steps : t int, optional
        The numbers of the steps; 0, 1, 2 …
    C : float
        Inverse strength of the penalty; infinity is none.
    centre : array of shape (d,), optional
        A row, such as the mean, whose log-odds are held, or shown, in the place of the bias, which is the log-odds of
        a row of noughts. Solvers of `onelayer.PerceptronClassifier` go downhill in columns centred at the mean.
    shown : two positions, optional
        Which of the d + 1, or k (d + 1), weights to show; the two that move most.
    names : d str, optional
        Of the features.
    classes : k labels, optional
        In the order of the weights; those in y, sorted.
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or a label is unknown.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> X = [[0, 1], [1, 0], [1, 1]]
    >>> ax = weight_path([[0, 0, 0], [0.5, 0.3, 0], [0.7, 0.6, 0]], X, [0, 1, 1], names=["a", "b"])
    >>> print(ax.get_xlabel(), "/", ax.get_ylabel())
    weight of a
    (the bias as at the end) / weight of b
    """
    X = matrix(X)
    n, d = X.shape
    labels = labels_in(y, classes)
    codes = codes_of(y, labels, n)
    k = 1 if len(labels) == 2 else len(labels)
    if not C > 0:
        raise ValueError(f"C is {C}; pass a positive number, infinity for no penalty")
    if names is not None and (isinstance(names, str) or len(names) != d):
        raise ValueError(f"names is {names!r:.60}; pass {d} of them")
    if isinstance(path, Mapping) and not path:
        raise ValueError("path is an empty mapping; pass the weights of each step")
    if not np.isfinite(X.sum()):
        raise ValueError("X has NaN or infinity, or numbers too large to add up; drop these rows or fill them first")
    origin = np.zeros(d) if centre is None else numbers("centre", centre)
    if len(origin) != d:
        raise ValueError(f"centre has {len(origin)} numbers for {d} columns; pass one for each")
    paths = {
        name: _steps(weights, k, origin)
        for name, weights in (path.items() if isinstance(path, Mapping) else [(None, path)])
    }
    for weights in paths.values():
        if steps is not None and len(steps) != len(weights):
            raise ValueError(f"steps has {len(steps)} numbers for {len(weights)} weights; pass one for each")
    moved = np.ptp(np.concatenate(list(paths.values())), axis=0)
    i, j = _shown(shown, moved)
    everything = np.concatenate([weights[:, [i, j]] for weights in paths.values()])
    xs, ys = (np.linspace(*_limits(everything[:, side]), GRID) for side in (0, 1))
    rows = np.sort(sample(np.arange(n), max(1, MOST_TERMS // k)))
    end = next(iter(paths.values()))[-1]
    columns = [_centred(X[rows], place % (d + 1), origin) for place in (i, j)]
    z = _logits(X[rows], end.reshape(k, d + 1), origin)
    moves = [(place // (d + 1), column, end[place]) for place, column in zip((i, j), columns, strict=True)]
    with np.errstate(over="ignore", invalid="ignore"):
        surface = _surface(z, codes[rows], moves, xs, ys)
        if np.isfinite(C):
            surface += _penalty(end, i, j, xs, ys, d) / (C * n)
    if not np.isfinite(surface).all():
        raise ValueError(
            f"path has weights of {np.abs(everything).max():.3g}, where the cost is beyond double precision; pass the "
            "steps before"
        )
    ax = axes(ax)
    _draw_surface(ax, xs, ys, surface, "" if len(rows) == n else f" on {len(rows):,} of {n:,} rows")
    called = shorts(paths) if isinstance(path, Mapping) else [None]
    for number, (name, weights) in enumerate(zip(called, paths.values(), strict=True)):
        last = len(weights) - 1 if steps is None else steps[-1]
        _draw_path(ax, weights[:, i], weights[:, j], name, number, last)
    for label, mark, size in (("start", "o", 9), ("where it stopped", "*", 14)):
        ax.plot([], [], mark, color="white", markeredgecolor=BLACK, markersize=size, label=label)
    bias = "bias" if centre is None else "bias at the columns' centre"
    still = [place for place in range(min(4, len(moved))) if place not in (i, j)]  # the one that is left of three
    rest = _weight_name(still[0], d, names, labels, bias) if len(moved) == 3 else f"other {len(moved) - 2:,} weights"
    others = f"\n(the {rest} as at the end)" if len(moved) > 2 else ""
    ax.set_xlabel(_weight_name(i, d, names, labels, bias) + others, parse_math=False)
    ax.set_ylabel(_weight_name(j, d, names, labels, bias), parse_math=False)
    legend = ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=3, borderaxespad=0)
    as_written(legend)
    return ax


def _steps(steps: ArrayLike, k: int, origin: Array) -> Array:
    """(t, k (d + 1)), with the log-odds at the origin in the place of the bias."""
    found, d = numbers("path", steps, np.ndim(steps)), len(origin)
    if found.shape[1:] not in {(k, d + 1)} | ({(d + 1,)} if k == 1 else set()):
        expected = f"(t, {d + 1})" if k == 1 else f"(t, {k}, {d + 1})"
        raise ValueError(f"path has shape {found.shape}, not {expected}; pass the weights of each step, the bias last")
    at_origin = found[..., -1:] + (found[..., :-1] @ origin)[..., None]
    return np.concatenate([found[..., :-1], at_origin], axis=-1).reshape(len(found), -1)


def _shown(shown: Sequence[int] | None, moved: Array) -> tuple[int, int]:
    if shown is None:
        first, second = sorted(np.argsort(-moved, kind="stable")[:2].tolist())
        return first, second
    if len(shown) != 2 or shown[0] == shown[1] or not all(0 <= place < len(moved) for place in shown):
        raise ValueError(f"shown is {shown!r}; pass two positions from 0 to {len(moved) - 1}")
    return int(shown[0]), int(shown[1])


def _limits(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.3 * (high - low) or 0.5 * abs(low) or 1.0
    if max(abs(low), abs(high)) + margin > WIDEST:
        raise ValueError(
            f"path has a weight of {max(low, high, key=abs):.3g}, which no axis holds; pass the steps before"
        )
    return low - margin, high + margin


def _centred(X: Any, column: int, origin: Array) -> Array:
    """A column of rows, from the origin on; that of the bias is all ones."""
    return np.ones(X.shape[0]) if column == len(origin) else column_of(X, column) - origin[column]


def _logits(X: Any, weights: Array, origin: Array) -> Array:
    return np.asarray(X @ weights[:, :-1].T + weights[:, -1] - weights[:, :-1] @ origin)  # (n, k)


def _surface(z: Array, codes: Array, moves: Sequence[tuple[int, Array, float]], xs: Array, ys: Array) -> Array:
    """The mean log loss at each place (y, x), as two weights vary: each of a class, with its column and value now."""
    surface = np.empty((len(ys), len(xs)))
    for i, j in np.ndindex(surface.shape):
        at = z.copy()
        for (row, column, now), value in zip(moves, (xs[j], ys[i]), strict=True):
            at[:, row] += column * (value - now)
        surface[i, j] = mean_log_loss(at, codes)
    return surface


def _penalty(end: Array, i: int, j: int, xs: Array, ys: Array, d: int) -> Array:
    """‖w‖² / 2 at each place, biases left out."""
    still = sum(end[p] ** 2 for p in range(len(end)) if p not in (i, j) and p % (d + 1) != d)
    x, y = (0 * v if p % (d + 1) == d else v**2 for p, v in ((i, xs), (j, ys)))
    return np.asarray((still + x[None, :] + y[:, None]) / 2)


def _draw_surface(ax: "Axes", xs: Array, ys: Array, surface: Array, where: str) -> None:
    low, high = float(surface.min()), float(surface.max())
    extent = (xs[0], xs[-1], ys[0], ys[-1])
    image = ax.imshow(surface, extent=extent, origin="lower", aspect="auto", cmap="cividis", alpha=0.6, zorder=0)
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0, 0.035, 1)))
    bar.set_label(f"cost (nats per row){where}")
    if high > low:  # close together near the bottom, where the surface is flat
        levels = low + (high - low) * np.geomspace(1e-3, 1, 10, endpoint=False)
        ax.contour(xs, ys, surface, levels=levels, colors="0.25", linewidths=0.7, zorder=1)


def _draw_path(ax: "Axes", x: Array, y: Array, name: str | None, number: int, last: int) -> None:
    from matplotlib.patheffects import Normal, Stroke

    label = "path" if name is None else in_legend(name, len(name))
    style: dict[str, Any] = {"color": BLACK if name is None else colour(number), "linestyle": dash(number), "zorder": 4}
    outline = [Stroke(linewidth=4, foreground="white"), Normal()]
    x_, y_ = thinned(x, y)
    marks: dict[str, Any] = {"marker": marker(number), "markersize": 4} if len(x) <= 60 else {}
    ax.plot(
        x_,
        y_,
        linewidth=2,
        path_effects=outline,
        label=f"{label} ({last:,} step{'s' * (last != 1)})",
        **style,
        **marks,
    )
    ends: dict[str, Any] = {"linestyle": "none", "markeredgecolor": BLACK, "zorder": 5}
    ax.plot(x[:1], y[:1], "o", color="white", markersize=9, **ends)
    ax.plot(x[-1:], y[-1:], "*", color="white", markersize=14, **ends)


def _weight_name(place: int, d: int, names: Sequence[str] | None, labels: Array, bias: str) -> str:
    row, column = divmod(place, d + 1)
    of = bias if column == d else f"weight of {f'x{column + 1}' if names is None else short(names[column])}"
    return of if len(labels) == 2 else f"{of}, for {short(labels[row])}"
