"""scikit-learn's face of the neuron: `PerceptronClassifier`."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from onelayer import features
from onelayer.columns import not_finite
from onelayer.labels import label_array
from onelayer.losses import sigmoid, softmax
from onelayer.training import train

Array = NDArray[Any]

OURS = ("threshold", "warm_start")  # settings that training has no use for


class PerceptronClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One layer of sigmoid neurons (softmax from three classes on), fitted to its optimum, which it can tell.

    It minimises ``C · Σ ω loss + ‖w‖² / 2`` with the log loss, as scikit-learn's `LogisticRegression` does, with an
    intercept that is not penalised, in columns that are centred and scaled inside, so that units do not matter to how
    well it is solved.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty; ``np.inf`` is none.
    l1_ratio : float
        Only 0, the L2 penalty, is there so far.
    fit_intercept : bool
        Whether there is an intercept.
    class_weight : dict, "balanced" or None
        Weights of the classes.
    solver : {"auto", "newton", "gd"}
        "auto" is Newton's method on a growing sample; "gd" gradient descent.
    learning_rate : float or "auto"
        Of "gd", on the mean objective in scaled columns; "auto" is 1/L, L the largest curvature.
    tol : float
        The relative distance from the optimum at which to stop.
    max_iter : int
        Steps at most, on each sample and on all rows.
    threshold : float in [0, 1]
        Class 1 is predicted when its probability exceeds it; for two classes only.
    warm_start : bool
        Start from the weights of the fit before.
    random_state : int or None
        Seed of the samples; None is 0.
    n_jobs : int or None
        Threads; None takes as many cores as are free for this process.
    verbose : int
        Print each iterate.
    callbacks : sequence of functions, optional
        Each is called with every entry of the history; True stops the fit.

    Attributes
    ----------
    coef_ : array of shape (1, d) or (k, d)
    intercept_ : array of shape (1,) or (k,)
    classes_ : array of shape (k,)
    n_iter_ : array of shape (1,)
    history_ : list of (cost, gradient_norm, seconds, rows)
        ``cost`` is the objective divided by C · Σ ω; the last entry is of the returned weights on all rows.
    converged_ : bool
    optimality_gap_ : float
        The relative distance of the cost from its optimum, a bound or an estimate as ``gap_kind_`` says.
    gap_kind_ : {"bound", "estimate"}
    notices_ : tuple of str
        What else is worth knowing, such as constant columns.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> model = PerceptronClassifier().fit(X, ["no", "no", "yes", "no", "yes", "yes"])
    >>> model.predict([[0.5], [4.5]]).tolist()
    ['no', 'yes']
    >>> bool(model.converged_)
    True
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        class_weight: Mapping[Any, float] | str | None = None,
        solver: str = "auto",
        learning_rate: float | str = "auto",
        tol: float = 1e-6,
        max_iter: int = 100,
        threshold: float = 0.5,
        warm_start: bool = False,
        random_state: int | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        callbacks: Sequence[Callable[[Any], bool | None]] | None = None,
    ) -> None:
        self.C = C
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.learning_rate = learning_rate
        self.tol = tol
        self.max_iter = max_iter
        self.threshold = threshold
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the weights to rows X (n, d) and labels y (n,).

        Raises
        ------
        ValueError
            For input that cannot be used, with column, row and value.
        """
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        self._check_threshold()
        X = self._checked(X, reset=True)
        y = _labels(y)
        if X.shape[0] != len(y):
            looks = ": X looks transposed, pass X.T" if X.shape[1] == len(y) else ""
            raise ValueError(f"X has {X.shape[0]} rows, but y has {len(y)} labels{looks}")
        settings = {name: value for name, value in self.get_params(deep=False).items() if name not in OURS}
        fit = train(X, y, sample_weight=sample_weight, initial=self._start(X, y), names=self._names(), **settings)
        self.classes_ = fit.classes
        self._check_threshold()
        self.coef_, self.intercept_ = fit.weights[:, :-1], fit.weights[:, -1]
        self.n_iter_ = np.array([fit.n_iter])
        self.history_, self.converged_ = fit.history, fit.converged
        self.optimality_gap_, self.gap_kind_ = fit.optimality_gap, fit.gap_kind
        self.notices_ = fit.notices
        for warning in fit.warnings:
            category = UserWarning if fit.converged else ConvergenceWarning
            warnings.warn(f"{warning} (gap {fit.optimality_gap:.1e}, {fit.gap_kind})", category, stacklevel=2)
        return self

    def decision_function(self, X: Any) -> Array:
        """Logits in nats, (n,) for two classes, else (n, k)."""
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        with np.errstate(invalid="ignore", over="ignore"):
            z = np.asarray(X @ self.coef_.T + self.intercept_)
        if not np.isfinite(z).all() and (message := not_finite(X, self._names())) is not None:
            raise ValueError(message)
        return z[:, 0] if len(self.classes_) == 2 else z

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, (n, k), in the order of ``classes_``."""
        z = self.decision_function(X)
        return np.column_stack([sigmoid(-z), sigmoid(z)]) if z.ndim == 1 else softmax(z)

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`, from the logits, so that none is -inf but where the logit is."""
        z = self.decision_function(X)
        z = np.column_stack([np.zeros(len(z)), z]) if z.ndim == 1 else z
        z = z - z.max(axis=1, keepdims=True)
        return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))

    def predict(self, X: Any) -> Array:
        """The label of each row: with two classes, class 1 when its probability exceeds ``threshold``."""
        z = self.decision_function(X)
        self._check_threshold()
        codes = (sigmoid(z) > self.threshold).astype(int) if z.ndim == 1 else z.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    def _checked(self, X: Any, *, reset: bool) -> Any:
        X = features.checked(X, None if reset else self._names())
        if not reset:
            features.refuse_width(X, self.n_features_in_, type(self).__name__)
        X = validate_data(
            self,
            X,
            reset=reset,
            accept_sparse="csr",
            accept_large_sparse=True,
            ensure_all_finite=False,
            dtype="numeric",
        )
        if hasattr(X, "tocsr"):
            return X  # in any order, even with duplicates: a sum over rows is the same
        return (
            X
            if X.dtype.kind in "fiu" and X.dtype.itemsize > 2
            else check_array(X, dtype=np.float64, ensure_all_finite=False)
        )

    def _check_threshold(self) -> None:
        if not (isinstance(self.threshold, Real) and 0 <= self.threshold <= 1):
            raise ValueError(f"threshold must be a probability in [0, 1], not {self.threshold!r}")
        if hasattr(self, "classes_") and len(self.classes_) > 2 and self.threshold != 0.5:
            raise ValueError(
                f"threshold={self.threshold!r} needs two classes, but there are {len(self.classes_)}: leave it at 0.5"
            )

    def _names(self) -> list[str] | None:
        return list(self.feature_names_in_) if hasattr(self, "feature_names_in_") else None

    def _start(self, X: Any, y: Array) -> Array | None:
        if not (self.warm_start and hasattr(self, "coef_")) or self.coef_.shape[1] != X.shape[1]:
            return None
        if not np.array_equal(np.unique(y), self.classes_):
            return None
        return np.column_stack([self.coef_, self.intercept_])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _labels(y: ArrayLike) -> Array:
    """y as one axis; a single column is taken, with scikit-learn's warning."""
    y = label_array(y)
    if y.ndim == 2 and y.shape[1] == 1 and len(y) > 1:
        warnings.warn("A column-vector y was passed when a 1d array was expected", DataConversionWarning, stacklevel=3)
        return y[:, 0]
    if y.ndim != 1:
        looks = ": it looks transposed, pass y.T" if y.ndim == 2 and len(y) == 1 else ""
        raise ValueError(f"y must hold one label for each row, but has shape {y.shape}{looks}")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        wrong = ~np.isfinite(y)
        raise ValueError(f"Input y contains NaN or infinity in {wrong.sum()} rows, first in row {wrong.argmax()}")
    return y
