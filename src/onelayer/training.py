"""From features and labels to weights: checks, the objective, the solver, and what a person should be told.

Both faces of the package, the estimator and the model of a table, call `train`.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from onelayer.losses import SIGMOID, SOFTMAX
from onelayer.objective import Objective
from onelayer.solvers import Outcome, Point, Watch, gd, newton
from onelayer.sources import Rows, available_jobs, one_thread_per_core

Array = NDArray[Any]

SMALL = 2**21  # entries: up to here (16 MB) a standardised copy is cheaper than standardising in the algebra
SAMPLE = 20_000  # rows from which the mean and scale of larger data are taken: they only precondition
SOLVERS = ("auto", "newton", "gd")


class Iterate(NamedTuple):
    """One line of a fit's history: the mean objective in nats, its gradient's norm in scaled columns, when, on what."""

    cost: float
    gradient_norm: float
    seconds: float
    rows: int


@dataclass(frozen=True)
class Fit:
    """What training found: weights (k, d + 1) with the bias last, and how it got there.

    ``notices`` are all that a person should be told, ``warnings`` those among them that cast doubt on the weights.
    """

    weights: Array
    classes: Array
    history: list[Iterate]
    n_iter: int
    converged: bool
    optimality_gap: float
    gap_kind: str
    warnings: tuple[str, ...]
    notices: tuple[str, ...]


def train(
    X: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    C: float = 1.0,
    l1_ratio: float = 0.0,
    fit_intercept: bool = True,
    class_weight: Mapping[Any, float] | str | None = None,
    solver: str = "auto",
    learning_rate: float | str = "auto",
    tol: float = 1e-8,
    max_iter: int = 100,
    random_state: int | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    callbacks: Sequence[Callable[[Iterate], bool | None]] | None = None,
    initial: Array | None = None,
) -> Fit:
    """Minimise C · Σ ω loss + (1 - l1_ratio)/2 · ‖w‖² over weights and an unpenalised intercept.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, d)
        Features, never modified.
    y : array of shape (n,)
        Labels of two or more classes.
    initial : array of shape (k, d + 1), optional
        Where to start, in the user's units.

    Other parameters are those of `onelayer.PerceptronClassifier`.

    Returns
    -------
    Fit
        ``cost`` in its history is the objective divided by C · Σ ω.

    Raises
    ------
    ValueError
        For labels, weights or settings that cannot be used, and for NaN or infinity in X, with the place.

    Examples
    --------
    >>> fit = train(np.array([[0.0], [1.0], [2.0], [3.0]]), ["no", "yes", "no", "yes"])
    >>> fit.classes.tolist(), fit.converged
    (['no', 'yes'], True)
    """
    started = time.perf_counter()
    _check_settings(C, l1_ratio, solver, learning_rate, tol, max_iter)
    classes, codes = encode_labels(y)
    weight = row_weights(sample_weight, class_weight, classes, codes)
    total_weight = float(len(codes) if weight is None else weight.sum())
    k = 1 if len(classes) == 2 else len(classes)
    jobs = available_jobs(n_jobs)
    columns = Columns.of(X, fit_intercept)
    target = codes.astype(np.float64) if k == 1 else codes
    objective = Objective(
        columns.rows(X, target, weight, jobs),
        SIGMOID if k == 1 else SOFTMAX,
        k,
        columns.penalty(1 / (C * total_weight)),
        total_weight,
        fit_intercept,
        columns.implicit_mean,
        columns.implicit_scale,
    )
    class_totals = np.bincount(codes, weights=weight, minlength=len(classes))
    start = columns.from_user(initial) if initial is not None else _base_rate(class_totals, objective)
    history: list[Iterate] = []
    best: list[Point] = []
    warnings: list[str] = []
    # nobody can be on the wrong side of a boundary whose whole loss is less than that of one row at probability 1/2
    one_row_wrong = (1.0 if weight is None else float(weight[weight > 0].min())) * math.log(2) / total_weight

    def see(point: Point) -> bool:
        if not (math.isfinite(point.value) and np.isfinite(point.gradient).all()):
            raise ValueError(not_finite(X) or "the logits overflow: rescale the features or weights")
        if point.rows == objective.rows.n and (not best or point.value <= best[0].value):
            best[:] = [point]
        entry = Iterate(point.value, float(np.linalg.norm(point.gradient)), time.perf_counter() - started, point.rows)
        history.append(entry)
        if verbose:
            print(f"iteration {len(history) - 1}: cost {entry.cost:.9g}, gradient {entry.gradient_norm:.3g}")
        if math.isinf(C) and point.rows == objective.rows.n and point.value < one_row_wrong:
            warnings.append(
                "the classes are separable, so without a penalty no finite optimum exists: "
                "the weights are large enough to separate them; set a finite C"
            )
            return True
        return any([callback(entry) for callback in callbacks or ()])

    try:
        with one_thread_per_core(), np.errstate(over="ignore", invalid="ignore"):
            outcome = _solve(
                objective, start, class_totals, codes, Watch(see), solver, learning_rate, tol, max_iter, random_state
            )
    except KeyboardInterrupt:
        if not best:
            raise
        outcome = Outcome(best[0], best[0].value, "bound", False, ("interrupted: the best weights so far are kept",))
    point = outcome.point
    if history[-1].cost != point.value or history[-1].rows != point.rows:
        see(point)
    warnings.extend(outcome.notices)
    if not outcome.converged and not warnings:
        warnings.append(
            f"stopped after {max_iter} iterations without reaching tol={tol:g}: raise max_iter, or accept the gap"
        )
    notices = list(warnings)
    if columns.constant.any() and fit_intercept:
        notices.append(f"{columns.constant.sum()} constant columns, first column {columns.constant.argmax()}: weight 0")
    floor = point.value - outcome.gap
    return Fit(
        columns.to_user(point.u),
        classes,
        history,
        len(history) - 1,
        outcome.converged,
        outcome.gap / floor if floor > 0 else (0.0 if outcome.gap == 0 else math.inf),
        outcome.gap_kind,
        tuple(warnings),
        tuple(notices),
    )


def _solve(
    objective: Objective,
    start: Array,
    class_totals: Array,
    codes: Array,
    watch: Watch,
    solver: str,
    learning_rate: float | str,
    tol: float,
    max_iter: int,
    seed: int | None,
) -> Outcome:
    if solver == "gd":
        return gd(objective, start, tol=tol, max_iter=max_iter, watch=watch, learning_rate=learning_rate)
    samples = growing_samples(objective, codes, class_totals, seed) if max_iter else []
    return newton(objective, start, tol=tol, max_iter=max_iter, watch=watch, samples=samples)


def growing_samples(objective: Objective, codes: Array, class_totals: Array, seed: int | None) -> list[Objective]:
    """Random samples of the rows, smallest first, each class weighted to its share; none where all rows are few."""
    n, p = objective.rows.n, math.prod(objective.shape)
    rng = np.random.default_rng(0 if seed is None else seed)
    smallest = max(80 * p, 4000) if p <= 512 else max(n // 16, 4000)
    samples = []
    size = smallest
    while size <= n // 4:
        rows = np.sort(rng.choice(n, size, replace=False, shuffle=False))
        weight = objective.rows.weight
        weight = np.ones(size) if weight is None else weight[rows]
        sampled = np.bincount(codes[rows], weights=weight, minlength=len(class_totals))
        # a class that the sample hardly knows would be known wrongly: wait for a larger sample
        if np.bincount(codes[rows], minlength=len(class_totals)).min() >= 20 and sampled.min() > 0:
            share = class_totals / class_totals.sum() / (sampled / size)
            samples.append(objective.sample(rows, weight * share[codes[rows]], float(size)))
        size *= 8
    return samples


def _base_rate(class_totals: Array, objective: Objective) -> Array:
    """Weights 0, and the bias at the log-odds of the classes, where it would be without features."""
    u = np.zeros(objective.shape)
    if objective.bias:
        logs = np.log(class_totals)
        u[:, -1] = logs[1] - logs[0] if len(logs) == 2 else logs - logs.mean()
    return u


@dataclass(frozen=True)
class Columns:
    """Mean and scale of each column, and where they are applied: in each block, or in the algebra.

    ``unit`` is a power of two near the largest entry of the column, divided by first so that squares stay finite.
    """

    unit: Array
    mean: Array
    scale: Array
    constant: Array
    explicit: bool
    fit_intercept: bool

    @classmethod
    def of(cls, X: Any, fit_intercept: bool) -> "Columns":
        """Look at the columns of X: all of its rows if small or sparse, else a sample of them."""
        if sp.issparse(X):
            return cls._of_sparse(X, fit_intercept)
        n = X.shape[0]
        small = X.size <= SMALL
        seen = X if small else X[np.sort(np.random.default_rng(0).choice(n, min(n, SAMPLE), replace=False))]
        seen = np.asarray(seen, dtype=np.float64)
        low, high = seen.min(axis=0), seen.max(axis=0)
        for j in [] if small else np.flatnonzero(low == high):
            low[j], high[j] = X[:, j].min(), X[:, j].max()
        largest = np.maximum(np.abs(low), np.abs(high))
        if not np.isfinite(largest).all():
            raise ValueError(not_finite(X) or "a number is too large")
        unit = np.ldexp(1.0, np.frexp(np.where(largest > 0, largest, 1))[1].clip(-1000, 1000))
        seen = seen / unit
        constant = (low == high) | (largest < 1e-290)
        mean = np.where(constant, low / unit, seen.mean(axis=0)) if fit_intercept else np.zeros(X.shape[1])
        scale = np.sqrt(np.mean((seen - mean) ** 2, axis=0))
        scale = np.where(scale > 0, scale, np.where(constant, 1.0, (high - low) / unit))
        offset = np.abs(mean) / scale
        plain = X.dtype == np.float64 and bool(((unit > 1e-100) & (unit < 1e100) & (offset < 1e4)).all())
        return cls(unit, mean, scale, constant, small or not plain, fit_intercept)

    @classmethod
    def _of_sparse(cls, X: Any, fit_intercept: bool) -> "Columns":
        d = X.shape[1]
        largest = np.zeros(d)
        size = np.abs(X.data.astype(np.float64, copy=False))
        extreme = len(size) > 0 and (size.max() > 1e100 or size[size > 0].min(initial=1) < 1e-100)
        if not np.isfinite(size).all():
            raise ValueError(not_finite(X) or "a number is too large")
        if extreme:
            np.maximum.at(largest, X.indices, size)
        unit = np.ldexp(1.0, np.frexp(np.where(largest > 0, largest, 1))[1].clip(-1000, 1000))
        squares = (size / unit[X.indices] if extreme else size) ** 2
        scale = np.sqrt(np.bincount(X.indices, weights=squares, minlength=d) / X.shape[0])
        constant = scale == 0
        scale[constant] = 1
        return cls(unit, np.zeros(d), scale, constant, bool(extreme), fit_intercept)

    @property
    def implicit_mean(self) -> Array | None:
        """What the objective is to subtract in the algebra."""
        return None if self.explicit or not self.mean.any() else self.mean * self.unit

    @property
    def implicit_scale(self) -> Array | None:
        """What the objective is to divide by in the algebra."""
        return None if self.explicit else self.scale * self.unit

    def penalty(self, strength: float) -> Array:
        """The user's λ ‖w‖² / 2 as a weight of each scaled coordinate's square."""
        with np.errstate(over="ignore", divide="ignore"):
            return np.minimum(strength / self.scale / self.unit / self.scale / self.unit, 1e150)

    def rows(self, X: Any, y: Array, weight: Array | None, jobs: int) -> Rows:
        """The source, standardised where that is done in the rows: at once if small, else block by block."""
        if sp.issparse(X):
            return self._sparse_rows(X, y, weight, jobs)
        if not self.explicit:
            return Rows(X, y, weight, jobs=jobs)
        if X.size <= SMALL:
            return Rows(self._standardise(X), y, weight, jobs=jobs)
        return Rows(X, y, weight, prepare=self._standardise, jobs=jobs)

    def _standardise(self, X: Array) -> Array:
        Z = np.asarray(X, dtype=np.float64) / self.unit
        Z -= self.mean
        Z /= self.scale
        return Z

    def _sparse_rows(self, X: Any, y: Array, weight: Array | None, jobs: int) -> Rows:
        data = X.data
        if self.explicit:
            data = data / self.unit[X.indices] / self.scale[X.indices]
        elif data.dtype not in (np.float64, np.float32):
            data = data.astype(np.float64)
        return Rows(sp.csr_matrix((data, X.indices, X.indptr), shape=X.shape), y, weight, jobs=jobs)

    def to_user(self, u: Array) -> Array:
        """Weights (k, d + 1) of the columns as they came, the bias last."""
        d = len(self.unit)
        w = u[:, :d] / self.scale
        bias = u[:, d] - w @ self.mean if self.fit_intercept else np.zeros(len(u))
        return np.column_stack([w / self.unit, bias])

    def from_user(self, weights: Array) -> Array:
        """The inverse of `to_user`."""
        w = weights[:, :-1] * self.unit
        bias = weights[:, -1] + w @ self.mean
        return np.column_stack([w * self.scale, bias]) if self.fit_intercept else w * self.scale


def encode_labels(y: ArrayLike) -> tuple[Array, Array]:
    """The classes, sorted, and the code of each row; two classes are found without sorting the rows."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(f"y must hold one label for each row, but has shape {y.shape}")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        wrong = ~np.isfinite(y)
        raise ValueError(f"y holds NaN or infinity in {wrong.sum()} rows, first in row {wrong.argmax()}: drop them")
    if y.dtype.kind == "O":
        missing = np.array([label is None or label != label for label in y])
        if missing.any():
            raise ValueError(f"y holds {missing.sum()} missing labels, first in row {missing.argmax()}: drop them")
    if y.dtype.kind == "f" and (y != np.floor(y)).any():
        raise ValueError("Unknown label type: continuous; y must hold classes, but has numbers with a fraction")
    first = y == y[0]
    other = y[first.argmin()]
    second = y == other
    if not first.all() and (first | second).all():
        try:
            low = bool(y[0] < other)
        except TypeError as error:
            raise ValueError(f"y mixes types, {y[0]!r} and {other!r}: make them one") from error
        return np.array([y[0], other] if low else [other, y[0]], dtype=y.dtype), (second if low else first).view(
            np.int8
        )
    try:
        classes, codes = np.unique(y, return_inverse=True)
    except TypeError as error:
        raise ValueError("y mixes types that have no order, such as text and numbers: make them one") from error
    if len(classes) < 2:
        raise ValueError(
            f"y has one class only, {classes[:1].tolist()[0]!r}, in all {len(y)} rows: two or more are needed"
        )
    return classes, codes


def row_weights(
    sample_weight: ArrayLike | None, class_weight: Mapping[Any, float] | str | None, classes: Array, codes: Array
) -> Array | None:
    """The product of the row's weight and its class's, or None where all are 1."""
    n = len(codes)
    weight = None
    if sample_weight is not None:
        weight = np.array(sample_weight, dtype=np.float64)
        if weight.ndim == 0:
            weight = np.full(n, float(weight))
        if weight.shape != (n,):
            raise ValueError(f"sample_weight has shape {weight.shape}, but there are {n} rows")
        wrong = ~(np.isfinite(weight) & (weight >= 0))
        if wrong.any():
            raise ValueError(
                f"sample_weight must be finite and at least 0, but is {weight[wrong.argmax()]} in row {wrong.argmax()}"
            )
        if not weight.any():
            raise ValueError("sample_weight is zero for every row: at least one row must count")
        for code, total in enumerate(np.bincount(codes, weights=weight, minlength=len(classes))):
            if total == 0:
                raise ValueError(f"sample_weight is 0 for every row of class {classes[code]!r}: drop the class")
    if class_weight is None:
        return weight
    totals = np.bincount(codes, weights=weight, minlength=len(classes))
    if class_weight == "balanced":
        by_class = totals.sum() / (len(classes) * totals)
    elif isinstance(class_weight, Mapping):
        known = {label.item() if isinstance(label, np.generic) else label for label in classes}
        unknown = [key for key in class_weight if key not in known]
        if unknown:
            raise ValueError(f"class_weight names {unknown[0]!r}, which is not a class in y: {sorted(known)!r}")
        by_class = np.array([class_weight.get(label, 1.0) for label in classes], dtype=np.float64)
        if not (np.isfinite(by_class) & (by_class > 0)).all():
            raise ValueError("class_weight must be finite and positive for every class")
    else:
        raise ValueError(f"class_weight must be None, 'balanced' or a dict, not {class_weight!r}")
    return np.asarray(by_class[codes] if weight is None else weight * by_class[codes])


def not_finite(X: Any) -> str | None:
    """The sentence that names the first column with NaN or infinity, how many cells, and the first row; or None."""
    for j in range(X.shape[1]):
        column = X[:, [j]]
        column = np.asarray(column.toarray() if hasattr(column, "toarray") else column, dtype=np.float64)[:, 0]
        wrong = ~np.isfinite(column)
        if wrong.any():
            kind = "NaN" if np.isnan(column[wrong.argmax()]) else "infinity"
            return (
                f"column {j} has {wrong.sum()} cells that are NaN or infinity, first {kind} in row {wrong.argmax()}: "
                "drop these rows or fill them first"
            )
    return None


def _check_settings(
    C: float, l1_ratio: float, solver: str, learning_rate: float | str, tol: float, max_iter: int
) -> None:
    if not C > 0:
        raise ValueError(f"C must be positive (np.inf for no penalty), not {C!r}")
    if l1_ratio != 0:
        raise NotImplementedError(f"l1_ratio={l1_ratio!r}: only the L2 penalty, l1_ratio=0, is there so far")
    if solver not in SOLVERS:
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, not {solver!r}")
    if learning_rate != "auto" and not (isinstance(learning_rate, int | float) and 0 < learning_rate < math.inf):
        raise ValueError(f"learning_rate must be 'auto' or a positive finite number, not {learning_rate!r}")
    if not tol >= 0:
        raise ValueError(f"tol must be 0 or more, not {tol!r}")
    if max_iter < 0:
        raise ValueError(f"max_iter must be 0 or more, not {max_iter!r}")
