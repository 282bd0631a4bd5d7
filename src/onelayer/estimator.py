"""scikit-learn's face of the neuron: `PerceptronClassifier`."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from onelayer import notebook
from onelayer.counting import counted
from onelayer.data.labels import checked_weights, encode_labels, label_array
from onelayer.fits import face
from onelayer.fits.stream import Stream
from onelayer.fits.training import train
from onelayer.objective.losses import of_both_classes, probabilities

Array = NDArray[Any]


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
        Share of the L1 penalty, which makes weights exactly 0: 0 is all L2, 1 all L1, between them an elastic net.
        Above 0 it needs one layer and Newton's method.
    fit_intercept : bool
        Whether there is an intercept.
    class_weight : dict, "balanced" or None
        Weights of the classes.
    solver : {"auto", "newton", "lbfgs", "gd", "momentum", "nesterov", "rmsprop", "adam", "sgd"}
        "auto" is Newton's method on a growing sample; with hidden layers L-BFGS up to 10,000 rows, Adam above.
    learning_rate : float or "auto"
        Of descent on the mean objective in scaled columns; "auto" is 1/L, L the largest curvature, and 0.01 for
        "rmsprop" and "adam".
    tol : float
        The relative distance from the optimum at which to stop. With hidden layers, where nobody knows it, a fit has
        settled once ten iterations have lowered the cost by no more than 1000 ``tol``, relative to the cost.
    max_iter : int or None
        Steps at most, on each sample and on all rows (with an L1 penalty: looks at all columns), or epochs of batches;
        None is 100, or 2000 with hidden layers, for each penalty that ``early_stopping`` tries.
    threshold : float in [0, 1]
        Class 1 is predicted when its probability exceeds it; for two classes only.
    warm_start : bool
        Start from the weights of the fit before; what ``early_stopping`` tries of hidden layers does not, for these
        weights have seen the rows it holds out.
    random_state : int or None
        Seed of the samples; None is 0.
    n_jobs : int or None
        Threads; None takes as many cores as are free for this process.
    verbose : int
        Print each iterate.
    callbacks : sequence of functions, optional
        Each is called with every entry of the history, its ``gradient`` and its ``weights()``; True stops the fit.
    hidden_layer_sizes : sequence of int
        Neurons of each hidden layer, such as (16,); with them the penalty is on weights of scaled columns.
    activation : {"relu", "tanh", "gelu"}
        Of the hidden layers.
    batch_size : int or "auto"
        Rows of a batch; "auto" is all of them for "gd", "momentum" and "nesterov", a 16th but 1024 at most for
        "rmsprop", "adam" and "sgd".
    momentum : float
        Of "momentum" and "nesterov".
    beta_1, beta_2, epsilon : float
        Of "adam"; epsilon of "rmsprop" too.
    early_stopping : bool or "auto"
        Hold some rows out, and stop when their loss no longer falls, be it short of the optimum; "auto" does so with
        hidden layers and batches.
        With hidden layers and steps on all rows, "auto" holds a fifth out only to see how much stronger than C says
        the penalty had better be, and then fits all rows with that; False takes C at its word.
    validation_fraction : float
        Of each class's rows, to be held out.
    n_iter_no_change : int
        Iterations without a fall of the held-out loss after which to stop.

    Attributes
    ----------
    coef_ : array of shape (1, d) or (k, d)
    intercept_ : array of shape (1,) or (k,)
    coefs_, intercepts_ : lists of arrays
        In their place with hidden layers: weights (fan in, fan out) and biases of each layer.
    classes_ : array of shape (k,)
    n_iter_ : array of shape (1,)
    history_ : list of (cost, gradient_norm, seconds, rows, held_out, decay)
        ``cost`` is the objective divided by C · Σ ω, of many rows to seven digits unless ``tol`` is below 1e-6; the
        last entry is of the returned weights on all rows; ``held_out`` is the loss of rows held out, None where there
        are none; ``decay`` is how many times as strong as ``C`` says a network's penalty was.
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

    _html_repr = notebook.html  # what scikit-learn's base class shows in a notebook

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
        max_iter: int | None = None,
        threshold: float = 0.5,
        warm_start: bool = False,
        random_state: int | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        callbacks: Sequence[Callable[[Any], bool | None]] | None = None,
        hidden_layer_sizes: Sequence[int] = (),
        activation: str = "relu",
        batch_size: int | str = "auto",
        momentum: float = 0.9,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.batch_size = batch_size
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        eval_set: tuple[Any, ArrayLike] | None = None,
    ) -> Self:
        """Fit the weights to rows X (n, d) and labels y (n,).

        The loss on the rows of ``eval_set``, or on those that ``early_stopping`` holds out, says when to stop, and the
        weights that serve them best are kept.

        Raises
        ------
        ValueError
            For input that cannot be used, with column, row and value.
        """
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        with face.all_or_nothing(self):
            X = face.checked(self, X, reset=True)
            y = labels_of(y)
            face.same_length(X, y, "label")
            self._check_threshold(2 if self.threshold == 0.5 else len(encode_labels(y)[0]))
            if eval_set is not None:
                eval_set = face.held_out(self, eval_set, labels_of, "label")
            with face.naming(self, X):
                fit = train(
                    X,
                    y,
                    sample_weight=sample_weight,
                    eval_set=eval_set,
                    initial=self._start(X, y),
                    names=face.names(self),
                    **face.settings(self),
                )
            self.classes_ = fit.classes
            face.keep_weights(self, [*fit.hidden, fit.weights])
            face.keep_fit(self, fit)
        face.warn_of_fit(fit)
        return self

    def partial_fit(
        self, X: Any, y: ArrayLike, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from one part of the rows after another, by small steps whose mean is kept; a fit is gone on from.

        `solver`, `batch_size`, `momentum`, `early_stopping`, `max_iter`, `verbose` and `callbacks` are those of `fit`:
        here steps are averaged gradient descent, or Adam's with hidden layers. Rows are to come in random order: of
        parts sorted by y, the last ones are remembered best.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,)
        classes : array, optional
            All there will be, needed at the first call; later parts need not hold every class.
        sample_weight : array of shape (n,), optional

        Raises
        ------
        ValueError
            If classes are not announced at the first call, or others than those come.
        """
        known = getattr(self, "classes_", None)
        if classes is None and known is None:
            raise ValueError("classes must be passed on the first call to partial_fit: all labels that will come")
        announced = np.asarray(known) if classes is None else encode_labels(classes)[0]
        if known is not None and not np.array_equal(announced, known):
            raise ValueError(f"classes are {known.tolist()!r} since the first call: pass the same, or none")
        with face.all_or_nothing(self):
            X = face.checked(self, X, reset=known is None)
            y = labels_of(y)
            face.same_length(X, y, "label")
            with face.naming(self, X):
                learnt = face.learn(self, announced, X, y, sample_weight)
            if learnt:
                face.keep_weights(self, self._stream.stack)
            self.classes_ = announced
        if learnt:
            face.warn_of_stream(self)
        return self

    _stream: Stream
    __sklearn_is_fitted__ = face.has_weights

    def decision_function(self, X: Any) -> Array:
        """Logits in nats, (n,) for two classes, else (n, k)."""
        return self._answer(X, lambda z: z)

    def _answer(self, X: Any, then: Callable[[Array], Array]) -> Array:
        """What is made of the logits."""
        if not face.has_weights(self):
            check_is_fitted(self)
        X = face.checked(self, X, reset=False)
        if "coefs_" in self.__dict__:
            return face.logits_of_stack(self, X, then)
        w, b = (self.coef_[0], self.intercept_[0]) if len(self.classes_) == 2 else (self.coef_.T, self.intercept_)
        return face.logits(self, X, w, b, then)

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, (n, k), in the order of ``classes_``."""
        return self._answer(X, lambda z: of_both_classes(z) if z.ndim == 1 else probabilities(z))

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`, from the logits, so that none is -inf but where the logit is."""
        z = self.decision_function(X)
        if z.ndim == 1:
            return np.asarray(-np.logaddexp(0, np.column_stack([z, -z])))
        largest = z.max(axis=1, keepdims=True)
        below = np.subtract(z, largest, out=np.zeros_like(z), where=z != largest)  # of infinity, 0 below itself
        return np.asarray(below - np.log(np.exp(below).sum(axis=1, keepdims=True)))

    def predict(self, X: Any) -> Array:
        """The label of each row: with two classes, class 1 when its probability exceeds ``threshold``."""
        return self._answer(X, self._labels)

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The share of rows, or of their weight, whose label is predicted.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,)
        sample_weight : array of shape (n,), optional

        Raises
        ------
        ValueError
            For input that cannot be used, with column, row and value.

        Examples
        --------
        >>> model = PerceptronClassifier().fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"])
        >>> model.score([[0.0], [3.0]], ["no", "no"])
        0.5
        """
        return accuracy(self, X, y, sample_weight)

    def _labels(self, z: Array) -> Array:
        """Of logits."""
        self._check_threshold(len(self.classes_))
        if z.ndim == 2:
            return np.asarray(self.classes_[z.argmax(axis=1)])
        above = z > 0 if self.threshold == 0.5 else probabilities(z)[:, 1] > self.threshold
        return np.asarray(self.classes_.take(above))

    def _check_threshold(self, classes: int) -> None:
        if not (isinstance(self.threshold, Real) and 0 <= self.threshold <= 1):
            raise ValueError(f"threshold must be a probability in [0, 1], not {self.threshold!r}")
        if classes > 2 and self.threshold != 0.5:
            raise ValueError(
                f"threshold={self.threshold!r} needs two classes, but there are {classes}: leave it at 0.5"
            )

    def _start(self, X: Any, y: Array) -> list[Array] | None:
        """The weights of the fit before, where they fit this one."""
        if not (face.warm(self) and hasattr(self, "classes_")):
            return None
        if not np.array_equal(encode_labels(y)[0], self.classes_):
            return None
        return face.warm_stack(self, X.shape[1], 1 if len(self.classes_) == 2 else len(self.classes_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def accuracy(model: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> float:
    """The share of rows whose label is predicted; scikit-learn's figure knows no labels that are objects but texts."""
    y, predicted = labels_of(y), model.predict(X)
    if y.dtype.kind != "O" or any(isinstance(label, str) for label in y):
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))
    check_consistent_length(y, predicted)
    if predicted.dtype.kind in "Mm":
        y = y.astype(predicted.dtype)  # else a date is none of NumPy's, unless its unit is days
    return float(np.average(predicted == y, weights=checked_weights(sample_weight, len(y))))


def labels_of(y: ArrayLike) -> Array:
    """Labels along one axis, (n,); numbers among them finite."""
    y = face.one_axis(label_array(y), "label")
    if y.dtype.kind == "f" and not np.isfinite(y.sum()) and not np.isfinite(y).all():
        wrong = ~np.isfinite(y)
        rows = counted(int(wrong.sum()), "row")
        raise ValueError(f"Input y contains NaN or infinity in {rows}, first in row {wrong.argmax()}: drop them")
    return y
