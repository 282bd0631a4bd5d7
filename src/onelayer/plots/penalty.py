"""How strong the penalty is: how the weights grow as it is relaxed, and how each strength serves rows kept out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from onelayer.plots.canvas import Array, axes, colour, dash, in_legend, ink, legend_aside, marker, numbers, shorts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN, MOST_DECADES = 0.05, 307  # Matplotlib's, of an axis, which must end among the floats
STRENGTH = "C (inverse strength of the penalty)"


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
    """How each weight moves as the penalty is relaxed, from strong on the left to weak on the right.

    All in all the weights grow; one of them may shrink, or turn its sign, where others take over what it stood for.

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
    order = _ascending(C, chosen)
    C, w = C[order], w[order]
    strongest = np.argsort(-np.abs(w[-1]), kind="stable")
    ax = axes(ax)
    ax.axhline(0, color=ink(ax), linewidth=1)
    named, others = strongest[:most], strongest[most:1000]
    if len(others):
        ax.plot(C, w[:, others], color="0.75", linewidth=0.8, zorder=1)
        ax.lines[-1].set_label(
            f"{w.shape[1] - len(named):,} others" + (f" ({len(others):,} drawn)" if len(strongest) > 1000 else "")
        )
    for i, (j, name) in enumerate(zip(named, shorts(names[j] for j in named), strict=True)):
        style: dict[str, Any] = {"color": colour(i), "linestyle": dash(i), "marker": marker(i), "linewidth": 2}
        ax.plot(C, w[:, j], markevery=max(1, len(C) // 6), markersize=5, label=in_legend(name, len(name)), **style)
    _finish(ax, C, chosen, ylabel, most=0)
    return ax


def tuning(
    C: ArrayLike,
    losses: ArrayLike | Mapping[str, ArrayLike],
    *,
    chosen: float | None = None,
    ylabel: str = "log loss on rows kept out (nats)",
    ax: "Axes | None" = None,
) -> "Axes":
    """How each strength of the penalty serves rows kept out of the fit, from strong on the left to weak on the right.

    Left of the least, the penalty holds back what the columns know; right of it, the weights follow chance.

    Parameters
    ----------
    C : array of shape (m,)
        Inverse strengths of the penalty, positive.
    losses : array of shape (m,) or (folds, m), or a mapping of names to such arrays
        On the rows kept out, such as ``-scores_[:, 0]`` of `onelayer.PerceptronClassifierCV`. Folds are drawn as thin
        lines, their mean as a thick one. A mapping compares, such as shares of the L1 penalty.
    chosen : float, optional
        The C in use, to be marked.
    ylabel : str
        What the losses are, with their unit.
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
    >>> ax = tuning([0.1, 1, 10], [[0.5, 0.4, 0.5], [0.6, 0.3, 0.5]], chosen=1)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['mean of 2 folds', 'each fold', 'least: 0.35', 'in use: C = 1']
    """
    C = numbers("C", C)
    order = _ascending(C, chosen)
    named = losses if isinstance(losses, Mapping) else {"": losses}
    if not named:
        raise ValueError("losses is an empty mapping; pass at least one path of losses")
    runs = {name: _folds(values, len(C))[:, order] for name, values in named.items()}
    ax = axes(ax)
    for i, (name, folds) in enumerate(zip(shorts(runs), runs.values(), strict=True)):
        mean, style = folds.mean(axis=0), {"color": colour(i), "linestyle": dash(i)}
        said = f"mean of {len(folds)} folds" if len(folds) > 1 else "rows kept out"
        label = f"{in_legend(name, len(name))}: {said}" if name else said
        ax.plot(C[order], mean, linewidth=2, marker=marker(i), markersize=5, label=label, zorder=3, **style)
        if len(folds) > 1:
            ax.plot(C[order], folds.T, linewidth=0.8, alpha=0.4, color=colour(i))
            ax.lines[-1].set_label("each fold")
    means = np.array([folds.mean(axis=0) for folds in runs.values()])
    run, at = np.unravel_index(int(means.argmin()), means.shape)
    least = means[run, at]
    ax.plot(C[order][at], least, "o", markersize=11, markerfacecolor="none", color=ink(ax), label=f"least: {least:.4g}")
    _finish(ax, C, chosen, ylabel)
    return ax


def _folds(losses: ArrayLike, m: int) -> Array:
    found = numbers("losses", losses, np.ndim(losses))
    found = found[None, :] if found.ndim == 1 else found
    if found.ndim != 2 or found.shape[1] != m:
        raise ValueError(f"losses has shape {np.shape(losses)} for {m} values of C; pass (m,) or (folds, m)")
    return found


def _ascending(C: Array, chosen: float | None) -> Array:
    if C.min() <= 0:
        raise ValueError(f"C is {C.min()}; pass positive numbers")
    low, high = np.log10([C.min(), C.max()])
    if high + MARGIN * (high - low) > MOST_DECADES:
        raise ValueError(f"C reaches from {C.min():.3g} to {C.max():.3g}, too far for one axis; leave some out")
    if chosen is not None and not chosen > 0:
        raise ValueError(f"chosen is {chosen}; pass a positive number, or leave it out")
    return np.argsort(C, kind="stable")


def _finish(ax: "Axes", C: Array, chosen: float | None, ylabel: str, most: int = 6) -> None:
    if chosen is not None and np.isfinite(chosen):
        ax.axvline(chosen, color=ink(ax), linewidth=1.5, linestyle=":", label=f"in use: C = {chosen:.3g}")
    if C.min() == C.max():  # which Matplotlib would warn of
        ax.set_xlim(C[0] / 2, 2 * C[0])
    ax.set(xscale="log", xlabel=STRENGTH, ylabel=ylabel)
    ax.yaxis.label.set_parse_math(False)
    ax.grid(alpha=0.3)
    legend_aside(ax, "best", most)
