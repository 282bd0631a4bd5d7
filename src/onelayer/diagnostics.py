"""What a person should know of the data before believing the weights: constant, separating and collinear columns."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer.objective.blocks import runs
from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.objective.sampling import of_every_class
from onelayer.rows.sources import Rows, some_columns
from onelayer.rows.sparse import row_runs, with_entries
from onelayer.rows.threads import one_thread_per_core
from onelayer.solvers.curvature import factored, grain_of
from onelayer.solvers.linear import NOISE, of_rows
from onelayer.solvers.progress import Point

Array = NDArray[Any]

EACH, MORE = 8, 16  # rows a class that a column must part before others are asked, and how many times as many
ASKED, USUAL = 2**13, 0.9  # rows a class before all are; and of some, which have a value that is the usual one
AT_ONCE = 2**18  # cells that are looked at together
CHANCE = 1e-3  # that any column of noise would separate as many rows: below it, separation is said
MOST_WEIGHTS = 4096  # whose covariance is worth its time: some ten seconds and 400 MB
BLOCK = 8192  # rows whose curvature is summed at once
RANKED = 512  # parameters up to which the rank is worth an eigendecomposition
OTHERS, FAR_OUT = 1000, 1e5  # cells by which a column is known, and times their spread, from where one is told of
# eigenvalues: along such, slopes of seven digits hide 1e-14 / 1e-7 nats and more; and what rounding leaves of a sum
NEAREST, ROUNDED = 1e-7, 1e-13
PLAIN = 1e-3  # the same, of rows in single precision: whatever they and their number are, none is 0
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
    sides = np.where(own, cells, -cells)
    return bool(sides.min() >= 0 or sides.max() <= 0)


def _parting(X: Array, codes: Array, k: int, jobs: int) -> tuple[Array, Array, Array]:
    """Dense columns that part one of k classes from all others, the class, and how many rows it has beyond these.

    Some rows of each class rule out by far the most columns; what is left is asked of more of them, and then of all:
    but of columns that are nearly always the same, as rare levels and constants are, of those where they are not.
    """
    (n, d), size, every = X.shape, EACH * k, np.arange(X.shape[0])
    columns, sample = np.arange(d), every[:0]
    while 2 * size < n and size < ASKED * k and len(columns):
        sample = of_every_class(codes, k, size, np.random.default_rng(0), EACH // 2)
        left = []
        for run in runs(len(columns), max(1, AT_ONCE // (4 * size))):
            some = run if len(columns) == d else columns[run]
            left.append(columns[run][np.unique(_apart(_reach(X, codes, k, some, sample))[1])])
        columns = np.concatenate(left)
        size *= MORE
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
    if not cells.size:
        return np.empty(cells.shape[1]), np.zeros(cells.shape[1], dtype=bool)
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
    ordered = rows[np.argsort(codes[rows], kind="stable")]
    ends = np.cumsum(np.bincount(codes[rows], minlength=k)).tolist()
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


def rank(objective: Any) -> int:
    """How many directions of one output's coordinates the rows determine, of those there are.

    What some of them determine, all do.
    """
    of_one = replace(objective, outputs=1, loss=SIGMOID)  # of rows that all bend alike
    of_one = of_one.with_penalties(np.zeros(objective.rows.d), None)
    p, grain = of_one.shape[1], grain_of(of_one)
    noise = 0.0 if grain is None else float((NOISE * grain.max()) ** 2)
    if objective.rows.n > MORE * EACH * p and _bends(of_one.thinned(EACH * p))[0] > max(PLAIN, noise):
        return int(p)
    values = _bends(of_one)
    # a constant column has nothing, and says so elsewhere
    if values[0] > max(p * 1e-14 * values[-1], noise):
        return int(p)
    return of_rows(of_one.triangle(of_one.logits(np.zeros(of_one.shape))), grain)[1]


def _bends(objective: Any) -> Array:
    """The eigenvalues of a Hessian where all weights are 0, beside columns that bend alike, smallest first."""
    H = objective.hessian(np.zeros(objective.shape))
    size = np.sqrt(np.maximum(np.diag(H), 1e-300))
    return np.asarray(np.linalg.eigvalsh(H / size / size[:, None]))


def coarse(objective: Any, *, missed: bool = False) -> bool:
    """Whether gradients of dense rows in single precision hide what is left of a fit that took itself for converged.

    They do where a gap was `missed`, or columns are too near to dependence, as a few of the rows see it: nearer than
    slopes of seven digits tell, and no penalty to speak of, but further than the rounding of their own cells.
    """
    if not (objective.convex and objective.rows.plain and objective.rows.X.dtype == np.float32):
        return False
    p = objective.shape[1]
    if missed or p > RANKED or objective.lasso is not None:  # whose gap is proved otherwise
        return missed
    if (objective.penalty >= NEAREST).all():
        return False
    thin = replace(objective, outputs=1, loss=SIGMOID).thinned(EACH * p)
    thin = replace(thin, rows=thin.rows.with_features(thin.rows.X.astype(np.float64)))
    values = _bends(thin)
    return bool(((values > ROUNDED) & (values < NEAREST)).any())


def farthest(X: Array) -> tuple[int, float, float] | None:
    """The column of the dense cell that lies farthest out, the cell, and how many times as far out as others it lies.

    Examples
    --------
    >>> X = np.linspace(0, 1, 30)[:, None].repeat(2, axis=1)
    >>> X[7, 1] = 1e9
    >>> farthest(X)[:2]
    (1, 1000000000.0)
    """
    some, found = X[:: max(1, len(X) // OTHERS)].astype(np.float64), None
    middle = np.median(some, axis=0)
    with np.errstate(over="ignore"):
        spread = np.median(np.abs(some - middle), axis=0)
        for j in np.flatnonzero(spread > 0):
            away = np.abs(X[:, j].astype(np.float64) - middle[j])
            row = int(away.argmax())
            if (times := float(away[row] / spread[j])) > (FAR_OUT if found is None else found[2]):
                found = int(j), float(X[row, j]), times
    return found


def name(j: int, names: Sequence[str] | None) -> str:
    """What a person calls column j."""
    return f"column {j}" if names is None else f"column {names[j]!r}"


def standard_errors(
    X: Any,
    weights: Array,
    *,
    C: float = np.inf,
    sample_weight: Array | None = None,
    fit_intercept: bool = True,
) -> Array:
    """How far each weight may be off by chance: square roots of the diagonal of ``(Σ ω curvature x xᵀ + I / C)⁻¹``.

    At an optimum without a penalty (C infinite) this is the inverse of the Fisher information, as statistics packages
    report it. With one it is the covariance of the Gaussian that fits the posterior best at its peak, the penalty being
    a prior of variance C on each weight and none on the bias (Laplace's method): narrower than the first, and no
    interval that would cover the true weight 95 times in 100 where the penalty pulls it away. Of three or more classes
    it is taken among weights that sum to zero over the classes, where the optimum lies.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, d)
    weights : array of shape (1, d + 1) or (k, d + 1)
        At the optimum, the bias last.
    C : float
        Inverse strength of the penalty.
    sample_weight : array of shape (n,), optional
    fit_intercept : bool
        Whether there is a bias; its error is 0 where there is none.

    Returns
    -------
    array of the shape of weights
        In the units of the weights; infinite where the rows and the penalty leave a weight undetermined.

    Raises
    ------
    ValueError
        If there are more than 4,096 weights, whose matrix would take too long.

    Examples
    --------
    >>> X = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])  # the log-odds of 1 in 3, and of 2 in 3
    >>> standard_errors(X, np.array([[np.log(4), -np.log(2)]])).round(4)  # √(3/2 + 3/2) and √(3/2)
    array([[1.7321, 1.2247]])
    """
    k, p = weights.shape
    if weights.size > MOST_WEIGHTS:
        raise ValueError(f"there are {weights.size:,} weights; standard errors are for at most {MOST_WEIGHTS:,}")
    mean, scale = _centre_and_spread(X, fit_intercept)
    H = _curvature(X, weights, mean, scale, sample_weight, float(fit_intercept))
    ridge = np.append(1 / (C * scale**2), 0.0 if fit_intercept else 1.0)  # without a bias any number will do
    H[np.diag_indices_from(H)] += np.tile(ridge, k)
    to_user = np.diag(np.append(1 / scale, 1.0))  # from scaled columns to the user's
    to_user[-1, :-1] = -mean / scale
    errors = _spread(H, to_user, k).reshape(k, p)
    return np.where(np.arange(p) < p - (not fit_intercept), errors, 0.0)


def _dense(X: Any) -> Array:
    return np.asarray(X if isinstance(X, np.ndarray) else X.toarray(), dtype=np.float64)


def _centre_and_spread(X: Any, fit_intercept: bool) -> tuple[Array, Array]:
    """Of each column, in two sweeps; the mean is 0 without a bias, the spread 1 where there is none."""
    n, d = X.shape
    blocks = [slice(i, i + BLOCK) for i in range(0, n, BLOCK)]
    mean = sum((_dense(X[rows]).sum(axis=0) for rows in blocks), np.zeros(d)) / n if fit_intercept else np.zeros(d)
    squares = sum((((_dense(X[rows]) - mean) ** 2).sum(axis=0) for rows in blocks), np.zeros(d))
    scale = np.sqrt(squares / n)
    return mean, np.where(scale > 1e-14 * np.abs(mean), scale, 1.0)


def _curvature(X: Any, weights: Array, mean: Array, scale: Array, sample_weight: Array | None, one: float) -> Array:
    """Σ ω curvature a aᵀ over rows a of centred and scaled columns and a one, or 0 without a bias; (k p, k p)."""
    k, p = weights.shape
    H = np.zeros((k, p, k, p))
    for i in range(0, X.shape[0], BLOCK):
        raw = _dense(X[i : i + BLOCK])
        z = raw @ weights[:, :-1].T + weights[:, -1]
        h = SIGMOID.curvature(z[:, 0])[:, None, None] if k == 1 else SOFTMAX.curvature(z)
        h = h if sample_weight is None else h * np.asarray(sample_weight)[i : i + BLOCK, None, None]
        A = np.column_stack([(raw - mean) / scale, np.full(len(raw), one)])
        for a in range(k):
            for b in range(k):
                H[a, :, b] += A.T @ (h[:, a, b, None] * A)
    return H.reshape(k * p, k * p)


def _spread(H: Array, to_user: Array, k: int) -> Array:
    """√ diag(T H⁻¹ Tᵀ) among weights that sum to zero over the classes; infinite where H does not determine them."""
    contrasts = np.eye(1)
    if k > 1:
        contrasts = np.linalg.qr(np.column_stack([np.ones(k), np.eye(k)[:, 1:]]))[0][:, 1:]
    Q = np.kron(contrasts, np.eye(len(to_user)))
    inside = Q.T @ H @ Q
    size = np.sqrt(np.maximum(np.diag(inside), 1e-300))
    values, vectors = np.linalg.eigh(inside / size / size[:, None])
    known = values > len(values) * 1e-14 * values[-1]
    moved = np.kron(contrasts, to_user) @ (vectors / size[:, None])
    # a direction that nothing determines moves every weight it reaches, rounding apart
    lost = np.abs(moved[:, ~known]).max(axis=1, initial=0) > 1e-8 * np.abs(moved).max(axis=1)
    squares = (moved[:, known] ** 2 / values[known]).sum(axis=1)
    return np.asarray(np.where(lost, np.inf, np.sqrt(squares)))
