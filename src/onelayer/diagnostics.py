"""What a person should know of the data before believing the weights: near-dependent columns, far cells, errors."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.losses import SIGMOID, SOFTMAX
from onelayer.solvers.curvature import grain_of
from onelayer.solvers.linear import NOISE, of_rows

Array = NDArray[Any]

EACH = 8  # rows for each parameter, which tell of most columns
MANY = 16  # times as many: of more, some are asked first
MOST_WEIGHTS = 4096  # whose covariance is worth its time: some ten seconds and 400 MB
BLOCK = 8192  # rows whose curvature is summed at once
RANKED = 512  # parameters up to which the rank is worth an eigendecomposition
OTHERS, FAR_OUT = 1000, 1e5  # cells by which a column is known, and times their spread, from where one is told of
# eigenvalues: along such, slopes of seven digits hide 1e-14 / 1e-7 nats and more; and what rounding leaves of a sum
NEAREST, ROUNDED = 1e-7, 1e-13
PLAIN = 1e-3  # the same, of rows in single precision: whatever they and their number are, none is 0


def rank(objective: Any) -> int:
    """How many directions of one output's coordinates the rows determine, of those there are.

    What some of them determine, all do.
    """
    of_one = replace(objective, outputs=1, loss=SIGMOID)  # of rows that all bend alike
    of_one = of_one.with_penalties(np.zeros(objective.rows.d), None)
    p, grain = of_one.shape[1], grain_of(of_one)
    noise = 0.0 if grain is None else float((NOISE * grain.max()) ** 2)
    if objective.rows.n > MANY * EACH * p:
        values = _bends(of_one.thinned(EACH * p))
        if len(values) == p and values[0] > max(PLAIN, noise):
            return int(p)
    values = _bends(of_one)
    if not len(values) or values[0] > max(p * 1e-14 * values[-1], noise):
        return len(values)
    return of_rows(of_one.triangle(of_one.logits(np.zeros(of_one.shape))), grain)[1]


def _bends(objective: Any) -> Array:
    """The eigenvalues of a Hessian where all weights are 0, beside columns that bend alike, smallest first.

    A constant column does not bend at all, which is told elsewhere: none is its own.
    """
    H = objective.hessian(np.zeros(objective.shape))
    bent = np.flatnonzero(np.diag(H) > 0)
    size = np.sqrt(np.diag(H)[bent])
    return np.asarray(np.linalg.eigvalsh(H[bent[:, None], bent] / size / size[:, None]))


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
