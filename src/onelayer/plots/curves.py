"""What a fit did as it went: the cost at each iteration, and how far it was from the optimum, by time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from onelayer.plots.canvas import (
    Array,
    axes,
    check_finite,
    colour,
    dash,
    floats,
    in_legend,
    ink,
    legend_aside,
    marker,
    short,
    shorts,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AGAINST = {"iteration": "iteration", "seconds": "time (seconds)"}
WIDE = 100  # a factor between the highest and the lowest cost, from which on a linear axis hides the lower ones


def cost(
    history: Iterable[Any] | Mapping[str, Iterable[Any]],
    *,
    label: str | None = None,
    ylabel: str = "cost",
    against: str = "iteration",
    ax: "Axes | None" = None,
) -> "Axes":
    """The cost at each iteration, or by time; on a logarithmic axis once it spans a factor of 100.

    Several runs are compared by a mapping, or by another call with the same ``ax`` and a ``label``. Entries that were
    taken on a sample of the rows have hollow markers: their cost is an estimate, which may lie below the optimum. Where
    entries have a ``held_out`` loss, it is drawn too, with a star where it was least; where their ``decay`` changes,
    the penalty did, the cost is another one, and the curve begins anew.

    Parameters
    ----------
    history : iterable of float, or of entries with a ``cost``, such as ``history_`` of a fitted estimator
        Or a mapping of labels to them.
    label : str, optional
        Name of the curve in the legend.
    ylabel : str
        What the cost is, with its unit.
    against : {"iteration", "seconds"}
        For "seconds", entries have ``seconds``.
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
    >>> ax = cost({"slow": [0.69, 0.6], "fast": [0.69, 0.3]})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['slow', 'fast']
    """
    _check_against(against)
    known = [(name, _onwards(list(entries))) for name, entries in _runs(history, label)]
    runs = [(name, *_read(entries, against), _held_out(entries), _begun_anew(entries)) for name, entries in known]
    ax = axes(ax)
    for name, x, costs, sampled, held_out, anew in runs:
        line = _curve(ax, np.insert(x, anew, x[anew]), np.insert(costs, anew, np.nan), name)
        if len(anew):
            told = ANOTHER in ax.get_legend_handles_labels()[1]
            ax.vlines(x[anew], 0, 1, transform=ax.get_xaxis_transform(), label="" if told else ANOTHER, **ANEW)
        if sampled.any():
            ax.plot(x[sampled], costs[sampled], color=line.get_color(), **HOLLOW)
        if np.isfinite(held_out).any():
            _draw_held_out(ax, x, held_out, name, line.get_color())
    shown = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for line in ax.lines])
    shown = shown[np.isfinite(shown)]
    if shown.min() > 0 and shown.max() > WIDE * shown.min():
        ax.set_yscale("log")
    _finish(ax, against, ylabel, any(sampled.any() for *_, sampled, _, _ in runs))
    return ax


def gap(
    history: Iterable[Any] | Mapping[str, Iterable[Any]],
    *,
    optimum: float | None = None,
    label: str | None = None,
    unit: str = "nats",
    against: str = "seconds",
    ax: "Axes | None" = None,
) -> "Axes":
    """How far the cost still is from the optimum, on a logarithmic axis, by time or iteration.

    Entries that were taken on a sample of the rows are left out: their cost is another one. Gaps too small for
    double precision to tell (below 2⁻⁵² of the optimum) are drawn at that height, where the axis ends.

    Parameters
    ----------
    history : iterable of entries with ``cost`` and ``seconds``, or a mapping of labels to them
    optimum : float, optional
        The least cost there is. If None, the lowest one seen takes its place, which the axis says, and is not drawn.
    label : str, optional
        Name of the curve in the legend.
    unit : str
        Of the cost.
    against : {"seconds", "iteration"}
    ax : Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no cost, one is not finite, or one is below the optimum by more than rounding.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = gap([0.69, 0.31, 0.301], optimum=0.3, against="iteration")
    >>> ax.get_yscale(), ax.get_ylabel()
    ('log', 'cost − optimum (nats)')
    """
    _check_against(against)
    runs = []
    for name, entries in _runs(history, label):
        x, costs, sampled = _read(entries, against)
        runs.append((name, x[~sampled], costs[~sampled]))
    lowest = min(float(costs.min()) for *_, costs in runs)
    least = lowest if optimum is None else float(optimum)
    if not np.isfinite(least):
        raise ValueError(f"optimum is {least}; pass the least cost there is, or None")
    rounding = float(np.spacing(abs(least))) or 5e-324
    if lowest < least - 1e4 * rounding:  # a sum over rows may end some units in the last place lower
        raise ValueError(f"optimum is {least}, but a cost is lower, {lowest}; pass optimum=None, or the least cost")
    if optimum is None and all(costs.max() == least for *_, costs in runs):
        raise ValueError("history has no cost above the lowest one; pass optimum=, or more of it")
    ax = axes(ax)
    for name, x, costs in runs:
        above = np.maximum(costs - least, 0 if optimum is None else rounding)
        _curve(ax, x[above > 0], above[above > 0], name)
    ax.set_yscale("log")
    _finish(ax, against, f"cost − {'lowest cost seen' if optimum is None else 'optimum'} ({unit})", False)
    return ax


ASIDE = "aside"  # a line that goes with a curve and is none of those that are told apart
ANOTHER = "from here with another penalty"
ANEW: dict[str, Any] = {"color": "grey", "linewidth": 1, "linestyle": ":"}
HOLLOW: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 7, "markerfacecolor": "white", "zorder": 3}


def _runs(history: Any, label: str | None) -> list[tuple[str | None, Iterable[Any]]]:
    if not isinstance(history, Mapping):
        return [(label if label is None else short(label), history)]
    if label is not None or not history:
        raise ValueError("a mapping names its runs; pass at least one, and no label")
    return list(zip(shorts(history), history.values(), strict=True))


def _read(history: Iterable[Any], against: str) -> tuple[Array, Array, Array]:
    """Where, how much, and which entries are of a sample of the rows."""
    entries = list(history)
    costs = floats("history", [getattr(entry, "cost", entry) for entry in entries])
    if costs.size == 0:
        raise ValueError("history is empty; pass at least one cost")
    check_finite("history", costs)
    if against == "seconds" and not all(hasattr(entry, "seconds") for entry in entries):
        raise ValueError("history has no seconds; pass entries that have, or against='iteration'")
    x = [entry.seconds for entry in entries] if against == "seconds" else range(len(costs))
    rows = np.array([getattr(entry, "rows", 0) for entry in entries])
    return np.array(x, dtype=np.float64), costs, rows < rows.max()


def _onwards(entries: list[Any]) -> list[Any]:
    """Without a last entry that repeats an earlier one: the return to the weights that served rows held out best."""
    losses = [getattr(entry, "held_out", None) for entry in entries]
    return entries[:-1] if losses and losses[-1] is not None and losses[-1] in losses[:-1] else entries


def _begun_anew(entries: Sequence[Any]) -> Array:
    """The places at which the penalty was another than before."""
    decay = np.array([getattr(entry, "decay", 1.0) for entry in entries])
    return np.flatnonzero(np.diff(decay)) + 1


def _held_out(entries: Sequence[Any]) -> Array:
    """The loss on rows held out, NaN where none was taken."""
    found = [getattr(entry, "held_out", None) for entry in entries]
    return np.array([np.nan if loss is None else loss for loss in found], dtype=np.float64)


def _draw_held_out(ax: "Axes", x: Array, losses: Array, name: str | None, shade: Any) -> None:
    label = "loss on rows held out" if name is None else f"{name}, on rows held out"
    ax.plot(x, losses, color=shade, linewidth=1.2, linestyle=(0, (1, 1)), label=label, gid=ASIDE)
    best = int(np.nanargmin(losses))
    star: dict[str, Any] = {"linestyle": "none", "marker": "*", "markersize": 12, "zorder": 4, "gid": ASIDE}
    least = f"its least: {losses[best]:.3g}"
    ax.plot(x[[best]], losses[[best]], color=shade, markeredgecolor=ink(ax), label=least, **star)


def _check_against(against: str) -> None:
    if against not in AGAINST:
        raise ValueError(f"against is {against!r}; pass 'iteration' or 'seconds'")


def _curve(ax: "Axes", x: Array, values: Array, label: str | None) -> Any:
    drawn = sum(line.get_linestyle() != "None" and line.get_gid() != ASIDE for line in ax.lines)
    style: dict[str, Any] = {"color": colour(drawn), "linestyle": dash(drawn), "linewidth": 2, "markersize": 5}
    # a few markers on each curve: two that meet are told apart in grey, too
    style |= {"marker": marker(drawn), "markevery": max(1, len(x) // 8)} if label or len(x) == 1 else {}
    return ax.plot(x, values, label=None if label is None else in_legend(label, len(label)), **style)[0]


def _finish(ax: "Axes", against: str, ylabel: str, sampled: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.set(xlabel=AGAINST[against], ylabel=ylabel)
    if against == "iteration":
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.grid(alpha=0.3)
    known = ax.get_legend_handles_labels()[1]
    if sampled and "on a sample of the rows" not in known:
        ax.plot([], [], color="grey", label="on a sample of the rows", **HOLLOW)
    if ax.get_legend_handles_labels()[1]:
        legend_aside(ax, "best")
