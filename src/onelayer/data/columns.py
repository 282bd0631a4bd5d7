"""Coordinates: columns centred and scaled, so that no unit decides how well a fit is solved; cells without a number."""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer.counting import counted
from onelayer.objective.sampling import spread
from onelayer.rows.sources import Rows, in_floats, some_rows
from onelayer.rows.sparse import row_runs, with_entries

Array = NDArray[Any]

TINY = 1e-290  # of a column: no double is large enough for weights of less
NOTHING = 1e-30  # nats a unit of a scaled column: a penalty below it is none, and no dual can tell
FINE = 1e-12  # of a column's spread: rounding that is less is that of any arithmetic
SMALL = 2**19  # entries: up to here (4 MB) a standardised copy is cheaper than standardising in the algebra
COPIED = 2**21  # entries: up to here (16 MB) there is a copy where the algebra will not do, or single precision not
# entries, and rows at most, from which the mean and scale of larger data are taken: they only precondition
SAMPLE, FEW = 2**18, 2**14
AT_ONCE = 2**16  # of these, copied at a time
TURNED = 256  # rows that are made columns at a time
REACH = 5  # digits, six fits: held-out log loss 0.076 with it, 0.080 without, and as much less in single steps


@dataclass(frozen=True)
class Columns:
    """Mean and scale of each column, and where they are applied: in each block, or in the algebra.

    ``unit`` is a power of two near the largest entry of the column, divided by first so that squares stay finite.
    ``full`` are sparse columns without a 0 and far from it, which are centred in their cells. ``whole`` says whether
    they are as all rows have them, and not as a sample has. ``made`` are small rows and their standardised copy, which
    looking at them makes along the way; it lies column by column.
    """

    unit: Array
    mean: Array
    scale: Array
    constant: Array
    explicit: bool
    fit_intercept: bool
    full: Array | None = None
    whole: bool = True
    made: tuple[Array, Array] | None = None

    @classmethod
    def of(cls, X: Any, fit_intercept: bool, jobs: int = 1, *, whole: bool = False) -> "Columns":
        """Look at the columns of X: all of its rows if small or sparse, else a sample of them.

        Where the `whole` is asked for, all are, and blocks are standardised in doubles.
        """
        if sp.issparse(X):
            return cls._of_sparse(X, fit_intercept, jobs)
        n, d = X.shape[0], max(1, X.shape[1])
        if X.size <= (SMALL if X.dtype == np.float64 else COPIED):
            unit, mean, scale, constant, cells = _looked_at(X, X, slice(None), fit_intercept)
            cells /= scale[:, None]
            return cls(unit, mean, scale, constant, True, fit_intercept, made=(X, cells.T))
        enough = max(1000, SAMPLE // d)
        chosen = None if n <= enough or whole else spread(n, min(FEW, enough), np.random.default_rng(0))
        seen = X if chosen is None else some_rows(X, chosen)
        step = max(1, AT_ONCE // len(seen))
        parts = [_looked_at(X, seen, slice(a, a + step), fit_intercept)[:-1] for a in range(0, d, step)]
        unit, mean, scale, constant = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
        extreme = 1e10 if X.dtype == np.float32 else 1e100
        far = np.abs(mean) >= cancelled(X.dtype) * scale
        explicit = whole or bool(((unit <= 1 / extreme) | (unit >= extreme) | far).any())
        return cls(unit, mean, scale, constant, explicit, fit_intercept, whole=seen is X)

    @classmethod
    def _of_sparse(cls, X: Any, fit_intercept: bool, jobs: int) -> "Columns":
        d = X.shape[1]
        unit, (mean, square) = np.broadcast_to(1.0, d), _moments(X, None, jobs)
        size = math.sqrt(float(square.sum()) * X.shape[0])  # not finite if one entry is not, or its square overflows
        lost = square < 1e-200  # empty, or too small beside the others for its squares
        if not 1e-100 < size < 1e100 or (
            lost.any() and any(run.data[lost[run.indices]].any() for _, run in row_runs(X))
        ):
            unit = cls._units(X, X.data.astype(np.float64))
            mean, square = _moments(X, unit, jobs)
        explicit = bool((unit != 1).any())
        variance = square - mean**2
        far = variance < square / cancelled(X.dtype) ** 2
        full = far & full_columns(X) if fit_intercept and far.any() else np.zeros(d, dtype=bool)
        for j in np.flatnonzero(full):
            cells = X[:, [j]].data.astype(np.float64) / unit[j]
            mean[j] = cells[0] if np.ptp(cells) == 0 else cells.mean()
            variance[j] = np.mean((cells - mean[j]) ** 2)
        uncentred = ~full if explicit or not fit_intercept else far & ~full
        mean[uncentred], variance[uncentred] = 0, square[uncentred]
        constant = variance == 0
        scale = np.sqrt(np.where(constant, 1, variance))
        return cls(unit, mean, scale, constant, explicit, fit_intercept, full if full.any() else None)

    @staticmethod
    def _units(X: Any, data: Array) -> Array:
        """Powers of two near the largest entry of each sparse column, 1 for an empty one."""
        if not np.isfinite(data).all():
            raise ValueError(not_finite(X) or "a number is too large")
        largest = np.zeros(X.shape[1])
        np.maximum.at(largest, X.indices, np.abs(data))
        return power_of_two(largest)

    @property
    def implicit_mean(self) -> Array | None:
        """What the objective is to subtract in the algebra."""
        if self.explicit or not self.mean.any():
            return None
        mean = self._in_units(self.mean)
        return mean if self.full is None else np.where(self.full, 0, mean)

    @property
    def implicit_scale(self) -> Array | None:
        """What the objective is to divide by in the algebra."""
        return None if self.explicit else self._in_units(self.scale)

    @property
    def grain(self) -> Array | None:
        """What rounding leaves of a cell in doubles, in scaled columns; None where that is as good as nothing."""
        found: Array = np.finfo(np.float64).eps * (1 + np.abs(self.mean) / self.scale)
        return found if found.max(initial=0.0) > FINE else None

    def _in_units(self, values: Array) -> Array:
        """As the columns came; no copy is made where that changes nothing."""
        return values * self.unit if self.unit.strides[0] else values

    def penalty(self, strength: float) -> Array:
        """The user's λ ‖w‖² / 2 as a weight of each scaled coordinate's square."""
        with np.errstate(over="ignore", divide="ignore"):
            return np.minimum(strength / self.scale / self.unit / self.scale / self.unit, 1e150)

    def lasso(self, strength: float) -> Array | None:
        """The user's λ |w| as a weight of each scaled coordinate's size; None where there is none."""
        if strength == 0:
            return None
        with np.errstate(over="ignore", divide="ignore", under="ignore"):
            lasso = np.minimum(strength / self.scale / self.unit, 1e150)
        return lasso if lasso.max(initial=0) > NOTHING else None

    def rows(self, X: Any, y: Array, weight: Array | None, jobs: int, outputs: int = 1) -> Rows:
        """The source, standardised where that is done in the rows: at once if small, else block by block."""
        if sp.issparse(X):
            return self._sparse_rows(X, y, weight, jobs)
        how: dict[str, Any] = {"outputs": outputs, "jobs": jobs}
        if not self.explicit:
            X = in_floats(X) if X.shape[1] > X.shape[0] else X  # the rows may be multiplied with one another
            return Rows(X, y, weight, **how)
        if self.made is not None and X is self.made[0]:
            return Rows(self.made[1], y, weight, **how)
        if X.size <= COPIED:
            return Rows(self._standardise(X), y, weight, **how)
        return Rows(X, y, weight, prepare=self._standardise, **how)

    def within_reach(self, X: Any) -> "Columns":
        """Scaled so that no two cells of a column lie further apart than 5: a rare large one would rule a network."""
        if isinstance(X, np.ndarray):
            low, high = (end / self.unit for end in (X.min(axis=0), X.max(axis=0)))
        else:
            low, high = (np.asarray(end.todense()).ravel() / self.unit for end in (X.min(axis=0), X.max(axis=0)))
        full = None if isinstance(X, np.ndarray) or not self.mean.any() else full_columns(X)
        mean = self.mean if full is None else np.where(full, self.mean, 0)  # other sparse columns would fill up
        return replace(
            self, mean=mean, full=full, scale=np.maximum(self.scale, (high - low) / REACH), whole=True, made=None
        )

    def braced(self, strength: float) -> "Columns":
        """Scaled so that no penalty bends a coordinate more than a row may: a column in tiny units would rule steps.

        In units of 1e-8 the user's λ w² is 1e16 as steep as the loss, and a step that it allows moves nothing else.
        """
        with np.errstate(over="ignore"):
            beside = np.minimum(math.sqrt(strength) / self.unit, 1e300)
        return replace(self, scale=np.hypot(self.scale, beside), made=None)

    def copy(self, X: Any, y: Array, weight: Array | None, jobs: int) -> Rows:
        """The same as a standardised copy in single precision: what a network learns from."""
        if not isinstance(X, np.ndarray):
            data = (self._centred_cells(X) / self.unit[X.indices] / self.scale[X.indices]).astype(np.float32)
            return Rows(sp.csr_matrix((data, X.indices, X.indptr), shape=X.shape), y, weight, jobs=jobs)
        Z = np.empty(X.shape, dtype=np.float32)
        for span in (slice(a, a + 8192) for a in range(0, len(X), 8192)):  # no second copy in double precision
            Z[span] = self._standardise(X[span])
        return Rows(Z, y, weight, jobs=jobs)

    def _standardise(self, X: Array) -> Array:
        Z = np.asarray(X, dtype=np.float64) / self.unit
        Z -= self.mean
        Z /= self.scale
        return Z

    def _sparse_rows(self, X: Any, y: Array, weight: Array | None, jobs: int) -> Rows:
        data = self._centred_cells(X)
        if self.explicit:
            data = data / self.unit[X.indices] / self.scale[X.indices]
        elif data.dtype != np.float32 or len(data) <= COPIED:
            data = data.astype(np.float64, copy=False)
        return Rows(sp.csr_matrix((data, X.indices, X.indptr), shape=X.shape), y, weight, jobs=jobs)

    def _centred_cells(self, X: Any) -> Array:
        if self.full is None:
            return np.asarray(X.data)
        return np.asarray(X.data - np.where(self.full, self.mean * self.unit, 0)[X.indices])

    def to_user(self, u: Array) -> Array:
        """Weights (k, d + 1) of the columns as they came, the bias last."""
        d = len(self.unit)
        w = u[:, :d] / self.scale
        if self.fit_intercept:
            w[:, self.constant] = 0  # not the rounding of a solver, nor what a network happened to start from
        bias = u[:, d] - (w * self.mean).sum(axis=1) if self.fit_intercept else np.zeros(len(u))
        return np.column_stack([w / self.unit, bias])

    def from_user(self, weights: Array) -> Array:
        """The inverse of `to_user`."""
        w = weights[:, :-1] * self.unit
        bias = weights[:, -1] + (w * self.mean).sum(axis=1)
        return np.column_stack([w * self.scale, bias]) if self.fit_intercept else w * self.scale


def _looked_at(X: Array, seen: Array, span: slice, fit_intercept: bool) -> tuple[Array, Array, Array, Array, Array]:
    """Unit, mean, scale and whether it is constant of each of some dense columns, of which some rows are seen.

    And the cells of these rows, in their units and centred, a column in one run.
    """
    # a column in one run: looked at in a fifth of the time; turned in half of it, if by as many rows as a cache holds
    cells = np.empty((seen[:1, span].shape[1], len(seen)))
    for rows in (slice(a, a + TURNED) for a in range(0, len(seen), TURNED)):
        cells[:, rows] = seen[rows, span].T
    low, high = cells.min(axis=1), cells.max(axis=1)
    for i in [] if len(seen) == len(X) else np.flatnonzero(low == high):
        column = X[:, span][:, i]
        low[i], high[i] = column.min(), column.max()
    largest = np.maximum(np.abs(low), np.abs(high))
    if not np.isfinite(largest).all():
        raise ValueError(not_finite(X) or "a number is too large")
    unit = power_of_two(largest)
    cells /= unit[:, None]
    constant = (low == high) | (largest < TINY)
    mean = np.where(constant, low / unit, cells.mean(axis=1)) if fit_intercept else np.zeros(len(cells))
    cells -= mean[:, None]
    scale = np.sqrt(np.einsum("ij,ij->i", cells, cells) / cells.shape[1])
    scale = np.where(scale > 0, scale, np.where(constant, 1.0, (high - low) / unit))
    return unit, mean, scale, constant, cells


def _moments(X: Any, unit: Array | None, jobs: int) -> list[Array]:
    """Mean and mean square of each column of a sparse matrix, (d,) each, in its unit."""

    def sums(X: Any, y: Array, weight: Array | None) -> list[Array]:
        found = [np.zeros(X.shape[1]), np.zeros(X.shape[1])]
        for _, run in row_runs(X):
            data = run.data.astype(np.float64, copy=False)
            data = data if unit is None else data / unit[run.indices]
            each, cells = np.full(run.shape[0], 1 / n), run if data is run.data else with_entries(run, data)
            found[0] += cells.T @ each
            found[1] += with_entries(run, data * data).T @ each
        return found

    n = X.shape[0]
    with np.errstate(over="ignore", invalid="ignore"):
        return Rows(X, np.broadcast_to(0.0, n), jobs=jobs).total(sums)


def cancelled(dtype: Any) -> float:
    """What centring in the algebra may cancel: one of seven digits, or four of sixteen."""
    return 10.0 if dtype == np.float32 else 1e4


def power_of_two(largest: Array) -> Array:
    """Near the largest entry of each column; 1 where that is as good as 0."""
    exponents = np.frexp(np.where(largest >= TINY, largest, 1))[1]
    return np.asarray(np.ldexp(1.0, np.minimum(np.maximum(exponents, -1000), 1000)))


def full_columns(X: Any) -> Array:
    """Sparse columns of which every cell is stored, once."""
    stored = np.bincount(X.indices, minlength=X.shape[1]) == X.shape[0]
    return np.asarray(stored & (X.has_canonical_format or not stored.any()))


@contextmanager
def naming(X: Any, names: Sequence[str] | None) -> Iterator[None]:
    """What is said of a column, or of its cells, by whoever knows no names is told with its name."""
    try:
        yield
    except ValueError as error:
        found = re.match(r"column (\d+) ", str(error))
        if names is None or found is None:
            raise
        renamed = f"column {names[int(found[1])]!r} {str(error)[found.end() :]}"
        raise ValueError(not_finite(X, names) or renamed) from None


def not_finite(X: Any, names: Sequence[str] | None = None) -> str | None:
    """The sentence that names the first column with NaN or infinity, how many cells, and the first row; or None."""
    cells = X if isinstance(X, np.ndarray) else X.data
    with np.errstate(all="ignore"):
        if np.isfinite(cells.sum(dtype=np.float64)):  # by far the most
            return None
    for j in range(X.shape[1]):
        column = X[:, [j]]
        column = np.asarray(column.toarray() if hasattr(column, "toarray") else column, dtype=np.float64)[:, 0]
        wrong = ~np.isfinite(column)
        if wrong.any():
            kind, name = "NaN" if np.isnan(column[wrong.argmax()]) else "infinity", repr(names[j]) if names else j
            return (
                f"column {name} has NaN or infinity in {counted(int(wrong.sum()), 'cell')}, first {kind} "
                f"in row {wrong.argmax()}: drop these rows or fill them first"
            )
    return None
