"""Which columns, alone or together, part one class from all others, so that weights would grow for ever."""

import math
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer.objective.blocks import runs
from onelayer.objective.sampling import of_every_class
from onelayer.rows.sources import Rows, some_columns
from onelayer.rows.sparse import row_runs, with_entries
from onelayer.rows.threads import one_thread_per_core
from onelayer.solvers.curvature import factored
from onelayer.solvers.progress import Point

Array = NDArray[Any]

EACH, MORE = 8, 16  # rows a class that a column must part before others are asked, and how many times as many
ASKED, USUAL = 2**13, 0.9  # rows a class before all are; and of some, which have a value that is the usual one
FEW, SMALL = 512, 2**16  # rows, and cells, that are all asked at once
AT_ONCE = 2**18  # cells that are looked at together
CHANCE = 1e-3  # that any column of noise would separate as many rows: below it, separation is said
MOST_WEIGHTS = 4096  # whose curvature is worth its time
SEARCHED = 2**28  # rows times the square of the parameters, up to which directions that part classes are looked for
A_NAT, ASIDE = 0.5, 1e-3  # about a nat; and the cosine of what is no direction against a row's class
STEPS, PROBES = 8, 8  # so many that lead on, and random directions that tell how long rows are


class Separating(NamedTuple):
    """A column beyond whose other values there are rows of one class only, and how many."""

    column: int
    code: int
    rows: int


def separating(X: Any, codes: Array, *, by_chance: bool, bias: bool = True, jobs: int = 1) -> list[Separating]:
    """Columns each of which parts one class from all others, if only by touching (Albert & Anderson, 1984).

    Parameters
    ----------
    X : array or CSR matrix of shape (n, d)
    codes : integer array of shape (n,)
    by_chance : bool
        Whether to name columns, too, that may part so few rows by chance.
    bias : bool
        Whether there is one: without it, classes are parted at 0 or not at all.
    jobs : int
        Threads.

    Returns
    -------
    list of Separating
        Those that part most rows first.

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [1.0, 2.0], [1.0, 1.0]])
    >>> separating(X, np.array([0, 1, 0, 1, 1]), by_chance=True)
    [Separating(column=0, code=1, rows=2)]
    """
    n, d = X.shape
    if d == 0:
        return []
    k = int(codes.max()) + 1
    column, code, rows = _only_nonzeros(X, codes, k, jobs) if sp.issparse(X) else _parting(X, codes, k, jobs)
    if not len(column):
        return []
    chance = np.log(np.bincount(codes, minlength=k) / n)  # of a row to be of the class; of all that are parted, d times
    kept = np.flatnonzero((rows < n) & (by_chance | (rows * chance[code] < math.log(CHANCE / d))))
    if sp.issparse(X) and len(kept):
        kept = kept[~_negative(X)[column[kept]]]
    elif not bias:
        kept = kept[np.array([_at_nought(X[:, column[i]], codes == code[i]) for i in kept], dtype=bool)]
    kept = kept[np.lexsort((code[kept], column[kept], -rows[kept]))]
    return [Separating(int(column[i]), int(code[i]), int(rows[i])) for i in kept]


def _only_nonzeros(X: Any, codes: Array, k: int, jobs: int) -> tuple[Array, Array, Array]:
    """Sparse columns that are zero in all classes but one; the class, and how many rows."""

    packed = 2.0 ** X.shape[0].bit_length()  # more than there are rows: two whole numbers in one double

    def count(X: Any, codes: Array, weight: Array | None) -> list[Array]:
        found = [np.zeros(X.shape[1]) for _ in range(1 if k == 2 else 2)]
        for span, run in row_runs(X):
            there, each = with_entries(run, (run.data != 0).astype(np.float64)).T, codes[span].astype(np.float64)
            both = 1 + packed * each  # how many, and the sum of their codes: exact to 9e6 rows of a hundred classes
            found[0] += there @ both
            if k > 2:
                found[1] += there @ np.square(each)
        return found

    both, *squares = Rows(X, codes, jobs=jobs).total(count)
    sums = np.floor(both / packed)
    counts = both - packed * sums
    # codes are one and the same where the mean of their squares is the square of their mean
    pure = (counts > 0) & (counts * (squares[0] if squares else sums) == sums**2)
    column = np.flatnonzero(pure)
    return column, (sums[column] / counts[column]).astype(np.intp), counts[column].astype(np.intp)


def _negative(X: Any) -> Array:
    """Which sparse columns have a negative entry."""
    counts = np.zeros(X.shape[1])
    for _, run in row_runs(X):
        if run.data.min(initial=0) < 0:  # a product takes a third of the time of finding their columns
            counts += with_entries(run, (run.data < 0).astype(np.float64)).T @ np.ones(run.shape[0])
    return np.asarray(counts > 0)


def _at_nought(cells: Array, own: Array) -> bool:
    """Whether no row of the one class is on the side of 0 where another class's is."""
    cells = cells.astype(float, copy=False)
    sides = np.where(own, cells, -cells)
    return bool(sides.min() >= 0 or sides.max() <= 0)


def _parting(X: Array, codes: Array, k: int, jobs: int) -> tuple[Array, Array, Array]:
    """Dense columns that part one of k classes from all others, the class, and how many rows it has beyond these.

    Some rows of each class rule out by far the most columns; what is left is asked of more of them, and then of all:
    but of columns that are nearly always the same, as rare levels and constants are, of those where they are not.
    """
    (n, d), size = X.shape, EACH * k
    columns, sample, at_once = np.arange(d), None, n <= FEW and X.size <= SMALL
    while 2 * size < n and size < ASKED * k and len(columns) and not at_once:
        sample = of_every_class(codes, k, size, np.random.default_rng(0), EACH // 2)
        left = []
        for run in runs(len(columns), max(1, AT_ONCE // (4 * size))):
            some = run if len(columns) == d else columns[run]
            left.append(columns[run][np.unique(_apart(_reach(X, codes, k, some, sample))[1])])
        columns = np.concatenate(left)
        size *= MORE
    if not len(columns):
        return columns, columns, columns
    every = np.arange(n)
    if sample is None:
        return _parted(X, codes, k, columns, every)
    usual, usually = _usual(_cells(X, sample, columns), codes[sample], k)
    groups = [(columns[~usually], every)]
    if usually.any():
        rare = columns[usually]
        groups.append((rare, np.union1d(sample, _elsewhere(X, rare, usual[usually], jobs))))
    found = [_parted(X, codes, k, some, rows) for some, rows in groups]
    column, code, count = (np.concatenate(part) for part in zip(*found, strict=True))
    return column, code, count


def _usual(cells: Array, codes: Array, k: int) -> tuple[Array, Array]:
    """Of each column, its least value, or the largest, whichever there is more of; and whether that is usual."""
    ends = np.stack([cells.min(axis=0), cells.max(axis=0)])
    counts = np.stack([(cells == end).sum(axis=0) for end in ends])
    usual = np.where(counts[0] >= counts[1], *ends)
    usually = counts.max(axis=0) >= USUAL * len(cells)
    for code in range(k):  # whose other rows have it, too: what it reaches is then known by those that have not
        usually &= (cells[codes == code] == usual).any(axis=0)
    return usual, usually


def _elsewhere(X: Array, columns: Array, values: Array, jobs: int) -> Array:
    """The rows in which some of these columns have another value than these."""

    def block(X: Array, y: Array, weight: Array | None) -> Array:
        return np.asarray((some_columns(X, columns) != values).any(axis=1))

    return np.flatnonzero(np.concatenate(Rows(X, np.empty(len(X)), jobs=jobs).each(block)))


def _parted(X: Array, codes: Array, k: int, columns: Array, rows: Array) -> tuple[Array, Array, Array]:
    """As `_parting`, of these columns, which have no value in other rows that is beyond what they have in these."""
    if not len(columns):
        return columns, columns, columns
    way, at = _apart(high := _reach(X, codes, k, slice(0, X.shape[1]) if len(columns) == X.shape[1] else columns, rows))
    edge, most = np.partition(high[:, way, at], -2, axis=0)[-2:]
    edge, way, at = (part[most > edge] for part in (edge, way, at))
    code, column, count = high[:, way, at].argmax(axis=0), columns[at], np.zeros(len(at), dtype=np.intp)
    for run in runs(len(rows), max(1, AT_ONCE // max(1, len(at)))):
        some = rows[run]
        beyond = X[np.ix_(some, column)].astype(float) * (1 - 2 * way) > edge
        count += (beyond & (codes[some, None] == code)).sum(axis=0)
    return column, code, count


def _reach(X: Array, codes: Array, k: int, columns: Array | slice, rows: Array) -> Array:
    """The largest value of each class in some dense columns and rows, and of their negatives; (k, 2, columns)."""
    width = X[:1, columns].shape[1]
    high = np.full((k, 2, width), -np.inf)
    own = codes[rows].astype(np.min_scalar_type(k))  # numbers of one or two bytes are sorted by them
    ordered = rows[np.argsort(own, kind="stable")]
    ends = np.cumsum(np.bincount(own, minlength=k)).tolist()
    for (upwards, downwards), start, end in zip(high, [0, *ends], ends, strict=False):
        for run in runs(end - start, max(EACH, AT_ONCE // width)):
            cells = _cells(X, ordered[start:end][run], columns)
            np.maximum(upwards, cells.max(axis=0), out=upwards)
            np.maximum(downwards, -cells.min(axis=0).astype(float, copy=False), out=downwards)
    return high


def _cells(X: Array, rows: Array, columns: Array | slice) -> Array:
    """These rows of some columns, or of a run of them; of all, rows are copied whole."""
    if not isinstance(columns, slice):
        return np.asarray(X[np.ix_(rows, columns)])
    return np.asarray(X[rows] if columns.stop - columns.start >= X.shape[1] else X[rows, columns])


def _apart(high: Array) -> tuple[Array, Array]:
    """Where a class lies beyond all others, or touches them, by what each reaches: upwards or downwards, and column."""
    low = -high[:, ::-1]
    way, column = np.nonzero(low.max(axis=0) >= high.min(axis=0))
    if len(way):  # by far the most are ruled out
        high, low = high[:, way, column], low[:, way, column]
        edge, most = np.partition(high, -2, axis=0)[-2:]
        apart = ((high == most) & (low >= edge)).any(axis=0)
        way, column = way[apart], column[apart]
    return way, column


def escape(objective: Any, u: Array, codes: Array) -> Array | None:
    """The direction, of u's shape, in which an unpenalised loss falls for ever: classes touch there at most; or None.

    From near the least loss Newton's steps vanish, unless rows have left the others behind: their losses are
    exponentials by then, and each step moves them on by about a nat. Where it leads no row towards another class, no
    finite point is best (Albert & Anderson, 1984).
    """
    rows = objective.rows
    if u.size > MOST_WEIGHTS or rows.n * u.size**2 > SEARCHED:
        return None
    each, counts = np.arange(rows.n), slice(None) if rows.weight is None else rows.weight > 0
    step, towards = np.zeros_like(u), np.zeros(rows.n)
    with one_thread_per_core():
        for _ in range(STEPS):
            point = Point.at(objective, u, keep=True)
            step = factored(objective, point).step(point)[0]
            u = u + step
            moved = np.concatenate(objective.logits(u)) - np.concatenate(point.logits)
            if moved.ndim == 1:
                ahead = towards = moved * (2 * codes.astype(np.float64) - 1)
            else:
                own = moved[each, codes].copy()
                ahead = own - moved.min(axis=1)
                moved[each, codes] = -np.inf
                towards = own - moved.max(axis=1)
            if not ahead[counts].max() >= A_NAT:
                return None
        # beside how long rows are, about: those far out count no more than others
        rng = np.random.default_rng(0)
        seen = [np.concatenate(objective.logits(rng.standard_normal(u.shape))) for _ in range(PROBES)]
    length = np.sqrt(np.mean(np.square(seen).reshape(PROBES, rows.n, -1), axis=(0, 2)))
    against = -towards / np.maximum(length * np.linalg.norm(step), 1e-300)  # without a bias, some may have none
    return step if against[counts].max() <= ASIDE else None
