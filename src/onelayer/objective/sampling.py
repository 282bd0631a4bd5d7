"""Which rows a fit looks at first: random ones from all over the file, every class among them."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SHARE = 8  # of all rows, the largest sample is at most one in so many; each smaller one has an eighth of the next
CHEAP = 32  # of all rows, a sample of one in so many costs little beside a sweep of them
DIRECT = 512  # parameters up to which forming and factoring the Hessian is cheaper than some 20 products with it
RICH = 20  # rows a parameter below which a sample's curvature is too far from all rows'
FEWEST = 1_000  # rows: below it, the interpreter takes longer than the arithmetic
# parameters up to which second derivatives of all rows, dense or sparse, cost no more than a few products
SQUARE, SQUARE_OF_SPARSE = 128, 80
HESSIANS = 30  # rows a parameter of three or more classes up to which more than these are formed
AHEAD = 2.0  # times the sample before, from which another one is worth its steps
# a sample on which columns with a weight are looked for: one in so many rows, rows at least, and for each dense column
DENSE, ENOUGH, ENOUGH_EACH = 5, 4_000, 4
SPARSE, ENOUGH_SPARSE = 16, 2_500
RARE = 100  # rows of a class that a sample holds at least, if there are so many


def sizes(n: int, shape: tuple[int, int], tol: float, *, sparse: bool) -> list[int]:
    """How many rows the samples of n rows have for a point of k outputs and p coordinates, smallest first.

    A sample's optimum is p k / (2 s) from all rows', and a step with its Hessian leaves p / s of that: the largest has
    as many rows as leave half of `tol` of a loss of a third of a nat after one step, so that two sweeps suffice.
    Of rows that are nearly all sure, few have a curvature: so it has no fewer than cost little. The Hessian of three or
    more classes is dear: of the last sample, it is only multiplied with.
    """
    k, p = shape
    found, size, least = [], n // SHARE, max(2 * k * p, FEWEST)
    if k * p > DIRECT:  # curvature is not taken over, and only sparse columns are known from few rows
        size = size if sparse else 0
    elif k == 1 or k * p <= SQUARE:
        enough = max(k * p * math.sqrt(3 / max(tol, 1e-8)), n / CHEAP)
        size, least = min(math.ceil(enough), size), max(RICH * k * p, FEWEST)
    else:
        last, size = size, min(HESSIANS * k * p, size)
        if size >= least and last > AHEAD * size:
            found.append(last)
    while size >= least:
        found.append(size)
        size //= SHARE
    return found[::-1]


def formed(n: int, shape: tuple[int, int]) -> bool:
    """Whether a Hessian of n rows is formed and factored, and not only multiplied with.

    Rows that a sample has only since it holds enough of each class are no reason against it.
    """
    k, p = shape
    return k * p <= DIRECT and (k == 1 or k * p <= SQUARE or n <= HESSIANS * k * p + RARE * k)


def sizes_of_support(n: int, d: int, *, sparse: bool) -> list[int]:
    """How many rows the samples have on which the columns with a weight are looked for, smallest first.

    From fewer than five rows a column, a sample gives weights to more of them than all rows do; of sparse columns,
    with a stronger penalty, only some are in question.
    """
    if sparse:
        return [n // SPARSE] if n // SPARSE >= ENOUGH_SPARSE else []
    found, size = [], n // DENSE
    while size >= max(ENOUGH, ENOUGH_EACH * d):
        found.append(size)
        size //= SHARE
    return found[::-1]


def spread(n: int, size: int, rng: np.random.Generator) -> Array:
    """Rows in order, one at random from each of as many equal stretches: files sorted by label are no trap."""
    rows = rng.random(size)
    rows += np.arange(size)
    rows *= n / size
    return rows.astype(np.int64)


def in_proportion(share: Array, offset: float) -> Array:
    """Rows, each chosen with the chance that is its share: wherever their sum, from an offset below 1, passes a number.

    Examples
    --------
    >>> in_proportion(np.array([0.5, 0.25, 0.25, 3.0, 0.1]), 0.4)
    array([1, 3])
    """
    return np.flatnonzero(np.diff(np.floor(np.cumsum(share, dtype=np.float64) + offset), prepend=0.0))


def of_every_class(codes: Array, k: int, size: int, rng: np.random.Generator, fewest: int) -> Array:
    """About so many rows, in order; of each of k classes no fewer than the `fewest`, if it has as many."""
    rows = spread(len(codes), size, rng)
    counts = np.bincount(codes[rows], minlength=k)
    for code in np.flatnonzero(counts < fewest):
        members = np.flatnonzero(codes == code)
        enough = min(len(members), fewest)
        if counts[code] < enough:
            rows = np.sort(np.concatenate([rows[codes[rows] != code], members[spread(len(members), enough, rng)]]))
    return rows


def stratified(codes: Array, totals: Array, weight: Array | None, size: int, rng: np.random.Generator) -> Any:
    """Some rows and their weights: of every class enough, and all classes weighted to their share of the total.

    Parameters
    ----------
    codes : integer array of shape (n,)
        The class of each row.
    totals : array of shape (k,)
        Sums of the rows' weights in each class.
    weight : array of shape (n,), optional
    size : int
        About how many rows to take.

    Returns
    -------
    rows, weights, total weight; None where a class has no weight among the rows taken

    Examples
    --------
    >>> codes = np.arange(1000) // 990
    >>> rows, weight, total = stratified(codes, np.array([990.0, 10.0]), None, 200, np.random.default_rng(0))
    >>> int((codes[rows] == 1).sum()), round(float(weight[codes[rows] == 1].sum() / total), 6)
    (10, 0.01)
    """
    k = len(totals)
    rows = of_every_class(codes, k, size, rng, RARE)
    taken = codes[rows]
    weights = None if weight is None else weight[rows]
    sampled = np.bincount(taken, weights=weights, minlength=k)
    if sampled.min() <= 0:
        return None
    share = totals / totals.sum() * len(rows) / sampled
    each = share[taken]
    return rows, each if weights is None else each * weights, float(len(rows))
