"""All features at once: each row at its own log-odds, where the boundary is a point."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, logsumexp

from onelayer.plots.canvas import (
    Array,
    axes,
    check_finite,
    check_threshold,
    codes_of,
    colour,
    ink,
    paper,
    place_of,
    shorts,
)
from onelayer.plots.plane import as_fitted, asked, class_names, classes_of, matrix, probabilities, threshold_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS = 60
MOST_LANES = 20  # whose names have room beside them
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "+++", "|||", "---")  # told apart in grey
LARGEST = float(logit(1 - 2.0**-53))  # what a probability that rounds to 1 is shown at, where there are no logits


def projection(
    model: Any,
    X: Any,
    y: ArrayLike,
    *,
    positive: Any = None,
    threshold: float | None = None,
    classes: Sequence[Any] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """All rows on the one direction that a model looks along: histograms of their log-odds, a lane for each class.

    Right of the line are the rows for which the positive class of two is said; of more the most probable is, and there
    is no line unless a threshold is given. The shade is the class's probability, the same for all rows at that place,
    whatever their features. Every row is counted, however many there are; bars reach to the fullest of their own lane.
    Of more than 20 classes 20 have a lane.

    Parameters
    ----------
    model : fitted classifier
        With ``predict_proba`` and ``classes_``; its ``decision_function``, if any, gives the log-odds of two classes.
    X : array, frame or sparse matrix of shape (n, d)
    y : array of shape (n,)
        Labels.
    positive : label, optional
        The class whose log-odds against all others are shown; the last one.
    threshold : float, optional
        Probability of the positive class on the line, in [0, 1]; of two classes the model's own, or 0.5.
    classes : k str, optional
        Names of the classes, in the order of ``classes_``.
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
    >>> from onelayer import PerceptronClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
    >>> ax = projection(PerceptronClassifier().fit(X, y), X, y)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['no (2)', 'yes (2)']
    """
    known = classes_of(model)
    X = matrix(as_fitted(model, X))
    codes = codes_of(y, known, X.shape[0])
    names = shorts(known if classes is None else class_names(classes, known))
    chosen = place_of(positive, known)
    at = threshold_of(model, chosen) if threshold is None else threshold
    if at is not None:
        check_threshold(at)
    z = _log_odds(model, X, chosen)
    sizes = np.bincount(codes, minlength=len(known))
    lanes = _lanes(sizes, chosen)
    ax = axes(ax)
    low, high = float(min(z.min(), 0)), float(max(z.max(), 0))
    margin = 0.04 * (high - low) or 1.0
    ax.set(xlim=(low - margin, high + margin), ylim=(-0.15, len(lanes) - 0.05))
    two = len(known) == 2
    _shade(ax, names[chosen], ([colour(1 - chosen)] if two else []) + [paper(ax), colour(chosen)])
    edges = np.linspace(low, high if high > low else low + 1, BARS + 1)
    for lane, k in enumerate(lanes):
        counts = np.histogram(z[codes == k], edges)[0]
        style: dict[str, Any] = {"facecolor": colour(k), "edgecolor": paper(ax), "hatch": HATCHES[k % len(HATCHES)]}
        ax.stairs(lane + 0.8 * counts / max(1, counts.max()), edges, baseline=lane, fill=True, linewidth=0, **style)
        ax.stairs(lane + 0.8 * counts / max(1, counts.max()), edges, baseline=lane, color=ink(ax), linewidth=0.6)
    if at is not None and 0 < at < 1 and ax.get_xlim()[0] <= logit(at) <= ax.get_xlim()[1]:
        said = f"{'boundary: ' if two else ''}probability {at:g}"
        ax.axvline(logit(at), color=ink(ax), linewidth=2, label=said)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0)
    ax.set_yticks(np.arange(len(lanes)) + 0.2, [f"{names[k]} ({sizes[k]:,})" for k in lanes], parse_math=False)
    few = "" if len(lanes) == len(known) else f"\n({len(lanes)} of {len(known):,} classes, those with the most rows)"
    against = "" if two else " against all others"
    ax.set_xlabel(f"log-odds of {names[chosen]}{against} (nats){few}", parse_math=False)
    return ax


def _lanes(sizes: Array, chosen: int) -> list[int]:
    """The classes that are shown: all, or of many the chosen one and those with the most rows."""
    ranked = np.argsort(-sizes, kind="stable")
    return sorted({chosen, *ranked[ranked != chosen][: MOST_LANES - 1].tolist()})


def _log_odds(model: Any, X: Any, chosen: int) -> Array:
    """Of one class against all others, from logits where the model gives them, which know more than probabilities."""
    k = len(model.classes_)
    p = probabilities(model, X)
    z = np.clip(logit(p[:, chosen]), -745.0, LARGEST)  # -745: the logarithm of the least number there is
    if hasattr(model, "decision_function"):
        own = asked(model.decision_function, X)
        if k == 2 and own.ndim == 1:
            own = own if chosen else -own
        elif own.ndim == 2 and own.shape[1] == k:
            own = own[:, chosen] - logsumexp(np.delete(own, chosen, axis=1), axis=1)
        if own.shape == z.shape and np.allclose(expit(own), p[:, chosen], atol=1e-5):  # a margin may be no log-odds
            z = own
    check_finite("the log-odds", z)
    return z


def _shade(ax: "Axes", positive: str, colours: list[str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    low, high = ax.get_xlim()
    palette = LinearSegmentedColormap.from_list("others to positive", colours)
    probability = expit(np.linspace(low, high, 400))[None, :]
    extent = (low, high, *ax.get_ylim())
    image = ax.imshow(probability, extent=extent, aspect="auto", cmap=palette, vmin=0, vmax=1, alpha=0.3, zorder=0)
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0, 0.035, 1)))
    bar.set_label(f"probability of {positive}", parse_math=False)
