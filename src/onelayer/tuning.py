"""The choice of C by cross-validation: `PerceptronClassifierCV`, scikit-learn's face of `onelayer.fits.validation`."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils.validation import check_is_fitted

from onelayer import notebook
from onelayer.data.labels import Labels, row_weights
from onelayer.estimator import PerceptronClassifier, accuracy, labels_of
from onelayer.fits import face
from onelayer.fits.validation import Validation, cross_validate
from onelayer.paths import as_matrix
from onelayer.settings import Settings

Array = NDArray[Any]

OF_A_FIT = ("fit_intercept", "class_weight", "tol", "max_iter", "random_state", "n_jobs")


class PerceptronClassifierCV(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """`PerceptronClassifier` with C, and l1_ratio, chosen by the log loss on rows kept out of the fit.

    In each fold the fits run from the strongest penalty to the weakest, each started from the one before; all rows are
    then fitted at the best C, which is `sklearn.linear_model.LogisticRegressionCV`'s for the same folds and score.

    Parameters
    ----------
    Cs : int or sequence of positive numbers
        The values of C, or how many: from 1e-4 to 1e4, or with an L1 penalty from the least C at which any weight can
        be other than 0 to 10,000 times that (100 times where columns outnumber rows).
    l1_ratios : sequence of numbers in [0, 1]
        Shares of the L1 penalty to try; 0 is all L2.
    fit_intercept, class_weight, tol, max_iter, random_state
        As in `PerceptronClassifier`.
    cv : int, splitter, or iterable of (rows to fit, rows to score), optional
        None is 5 folds, stratified by class.
    scoring : str or function of (estimator, X, y), optional
        None is minus the log loss; else a name known to scikit-learn, or a function, higher being better, which is
        given ``sample_weight``, too, where rows have weights.
    refit : bool
        Fit all rows with the choice; else the weights are the mean of the folds' at that choice.
    threshold : float in [0, 1]
        As in `PerceptronClassifier`.
    n_jobs : int or None
        Threads, a fold on each; None takes as many cores as are free for this process.

    Attributes
    ----------
    C_, l1_ratio_ : float
        The choice: the best mean score over the folds; of equals the least C.
    Cs_ : array of shape (m,)
        Ascending.
    l1_ratios_ : array of shape (r,)
    scores_ : array of shape (folds, r, m)
        By default minus the mean log loss, in nats per row.
    coefs_paths_ : array of shape (folds, r, m, k, d + 1)
        All weights, the bias last; k is 1 for two classes.
    n_iter_ : array of shape (folds, r, m)
    coef_, intercept_, classes_ : arrays
        As in `PerceptronClassifier`.
    best_estimator_ : PerceptronClassifier
        With the choice, fitted; what answers.
    notices_ : tuple of str
        What else is worth knowing, such as a C at the end of those tried.
    converged_, optimality_gap_, gap_kind_, history_
        Of the fit of all rows, as in `PerceptronClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = PerceptronClassifierCV(Cs=[0.01, 1.0, 100.0]).fit(X, y)
    >>> model.C_, model.scores_.mean(axis=(0, 1)).round(3).tolist()
    (100.0, [-0.123, -0.117, -0.109])

    The path of the first class's weights, mean over the folds, as a picture:

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from onelayer import plots
    >>> values = model.coefs_paths_.mean(axis=0)[0, :, 0, :-1]
    >>> ax = plots.regularisation_path(model.Cs_, values, load_breast_cancer().feature_names, chosen=model.C_)
    """

    _html_repr = notebook.html

    def __init__(
        self,
        *,
        Cs: int | Sequence[float] = 10,
        l1_ratios: Sequence[float] = (0.0,),
        fit_intercept: bool = True,
        cv: Any = None,
        scoring: str | Callable[..., float] | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
        refit: bool = True,
        threshold: float = 0.5,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.scoring = scoring
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.refit = refit
        self.threshold = threshold
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Choose on folds of the rows X (n, d) with labels y (n,), and fit them all.

        Raises
        ------
        ValueError
            For input that cannot be used, with column, row and value; for a fold that lacks a class.
        """
        with face.all_or_nothing(self):
            X, y = self._checked(X, y)
            ratios = self._ratios()
            told = face.settings(self, OF_A_FIT)
            settings = Settings(l1_ratio=max(ratios), **told)
            labels = Labels.of(y, sample_weight, self.class_weight, None)
            self._estimator(told)._check_threshold(len(labels.classes))
            with face.naming(self, X):
                found = cross_validate(
                    X,
                    labels,
                    self._folds(X, labels.codes),
                    Cs=self.Cs,
                    l1_ratios=ratios,
                    settings=settings,
                    sample_weight=row_weights(sample_weight, None, labels.classes, labels.codes),
                    score=None if self.scoring is None else self._score_of(self.scoring, labels.classes, told),
                )
            self._keep(found)
            i, j = found.best
            for name in face.PROOF:
                self.__dict__.pop(name, None)
            doubts: list[Any] = [ConvergenceWarning(doubt) for doubt in found.doubts]
            if self.refit:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    model = self._estimator(told).fit(X, y, sample_weight)
                doubts += [warning.message for warning in caught]
                self.history_, self.converged_ = model.history_, model.converged_
                self.optimality_gap_, self.gap_kind_ = model.optimality_gap_, model.gap_kind_
            else:
                model = self._with_weights(found.weights[:, i, j].mean(axis=0), labels.classes, told)
            if hasattr(self, "feature_names_in_"):
                model.feature_names_in_ = self.feature_names_in_
            self.best_estimator_ = model
            self.notices_ = (*getattr(model, "notices_", ()), *found.notices)
            self.classes_, self.coef_, self.intercept_ = model.classes_, model.coef_, model.intercept_
        for doubt in doubts:
            warnings.warn(doubt, stacklevel=2)
        return self

    def _folds(self, X: Any, codes: Array) -> list[tuple[Array, Array]]:
        splitter = check_cv(5 if self.cv is None else self.cv, codes, classifier=True)
        try:
            return [(rows, kept) for rows, kept in splitter.split(X, codes)]
        except (TypeError, ValueError) as error:
            remedy = "; pass cv=list(splitter.split(X, y, groups))" if "groups" in str(error) else ""
            raise ValueError(f"cv={self.cv!r:.60} gives no folds, pairs of rows: {error}{remedy}") from error

    def _checked(self, X: Any, y: ArrayLike) -> tuple[Any, Array]:
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        X, answers = face.checked(self, X, reset=True), labels_of(y)
        face.same_length(X, answers, "label")
        return as_matrix(X), answers

    def _keep(self, found: Validation) -> None:
        i, j = found.best
        self.C_, self.l1_ratio_ = float(found.Cs[j]), float(found.l1_ratios[i])
        self.Cs_, self.l1_ratios_, self.scores_ = found.Cs, found.l1_ratios, found.scores
        self.coefs_paths_, self.n_iter_ = found.weights, found.n_iter

    def _ratios(self) -> list[float]:
        try:
            ratios = np.asarray(self.l1_ratios, dtype=np.float64)
        except (TypeError, ValueError):
            ratios = np.array(np.nan)
        if ratios.ndim != 1 or not len(ratios) or not ((ratios >= 0) & (ratios <= 1)).all():
            raise ValueError(f"l1_ratios must hold numbers in [0, 1], from all L2 to all L1, not {self.l1_ratios!r}")
        return [float(ratio) for ratio in ratios]

    def _estimator(self, told: dict[str, Any]) -> PerceptronClassifier:
        model = PerceptronClassifier(threshold=self.threshold, **told)
        model.C, model.l1_ratio = getattr(self, "C_", 1.0), getattr(self, "l1_ratio_", 0.0)
        return model

    def _with_weights(self, weights: Array, classes: Array, told: dict[str, Any]) -> PerceptronClassifier:
        """The estimator as if fitted to these weights (k, d + 1)."""
        model = self._estimator(told)
        model.classes_, model.n_features_in_ = classes, weights.shape[1] - 1
        face.keep_weights(model, [weights])
        return model

    def _score_of(self, scoring: Any, classes: Array, told: dict[str, Any]) -> Callable[[Array, Any, Labels], float]:
        scorer = get_scorer(scoring) if isinstance(scoring, str) else check_scoring(self, scoring)

        def score(weights: Array, X: Any, labels: Labels) -> float:
            counted = {} if labels.weight is None else {"sample_weight": labels.weight}
            return float(scorer(self._with_weights(weights, classes, told), X, classes[labels.codes], **counted))

        return score

    def decision_function(self, X: Any) -> Array:
        """Logits in nats, (n,) for two classes, else (n, k)."""
        return self._fitted().decision_function(X)

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, (n, k), in the order of ``classes_``."""
        return self._fitted().predict_proba(X)

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`."""
        return self._fitted().predict_log_proba(X)

    def predict(self, X: Any) -> Array:
        """The label of each row: with two classes, class 1 when its probability exceeds ``threshold``."""
        model = self._fitted()
        model.set_params(threshold=self.threshold)
        return model.predict(X)

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The share of rows, or of their weight, whose label is predicted."""
        return accuracy(self, X, y, sample_weight)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "best_estimator_")

    def _fitted(self) -> PerceptronClassifier:
        check_is_fitted(self)
        found: PerceptronClassifier = self.best_estimator_
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
