"""Where boundaries lie, exactly: the part of a line inside a box, and the borders between many classes."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from onelayer.plots.canvas import Array, check_finite, check_threshold, floats

Box = tuple[tuple[float, float], tuple[float, float]]
Point = tuple[float, float]


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
    w1, w2 = (Fraction(w) for w in two_weights(weights))
    check_threshold(threshold)
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


def two_weights(weights: Sequence[float] | NDArray[Any]) -> list[float]:
    """Of a line in the plane, finite."""
    w = floats("weights", weights)
    if w.shape != (2,):
        raise ValueError(f"weights has shape {w.shape}; a boundary is a line for two weights only")
    check_finite("weights", w)
    return [float(value) for value in w]


def borders(weights: Array, box: Box, among: Iterable[int]) -> list[tuple[Point, Point]]:
    """Segments on which the two largest logits of three or more classes are equal.

    Parameters
    ----------
    weights : array of shape (k, 3)
        Two weights and a bias for each class.
    box : ((x_low, x_high), (y_low, y_high))
    among : classes to look at: those that are most probable somewhere in the box.

    Returns
    -------
    list of pairs of points (x, y)

    Examples
    --------
    >>> borders(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, -0.5], [-9.0, 0.0, -1.0]]), ((0, 1), (0, 1)), range(3))
    [((0.5, 0.0), (0.5, 1.0))]
    """
    found = []
    among = list(among)
    for i, j in combinations(among, 2):
        *w, bias = weights[i] - weights[j]
        whole = boundary_segment(w, float(bias), box)
        others = [weights[i] - weights[k] for k in among if k not in (i, j)]
        part = None if whole is None else _where_positive(whole, others)
        if part is not None:
            found.append(part)
    return found


def _where_positive(segment: tuple[Point, Point], functions: Sequence[Array]) -> tuple[Point, Point] | None:
    """The part of a segment on which linear functions (a, b, c) -> a x + b y + c are not negative."""
    ends = np.array([[*point, 1.0] for point in segment])
    start, stop = 0.0, 1.0
    for f in functions:
        at_start, at_stop = ends @ f
        if at_start < 0 and at_stop < 0:
            return None
        if at_start < 0 or at_stop < 0:
            crossing = at_start / (at_start - at_stop)
            start, stop = (max(start, crossing), stop) if at_start < 0 else (start, min(stop, crossing))
    if start >= stop:
        return None
    inside = [(1 - t) * ends[0, :2] + t * ends[1, :2] for t in (start, stop)]
    return (float(inside[0][0]), float(inside[0][1])), (float(inside[1][0]), float(inside[1][1]))
