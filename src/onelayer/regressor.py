"""scikit-learn's face of the neuron for numbers: `PerceptronRegressor`, the regression twin."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from onelayer import notebook
from onelayer.data.labels import label_array
from onelayer.data.targets import numbers
from onelayer.fits import face
from onelayer.fits.stream import Stream
from onelayer.fits.training import train

Array = NDArray[Any]


class PerceptronRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """One layer of neurons without a sigmoid, fitted to numbers: the same backward pass, the same objective.

    It minimises ``C · Σ ω ½(z − y)² + (1 − l1_ratio)/2 · ‖w‖² + l1_ratio · ‖w‖₁`` with an intercept that is not
    penalised: scikit-learn's `Ridge` with ``alpha = 1/C``, its `ElasticNet` with ``alpha = 1/(C Σ ω)``, and with
    ``C=np.inf`` least squares. Columns and targets are centred and scaled inside, so that units do not matter to how
    well it is solved. Squared error has one curvature everywhere: up to 512 weights, or 1024 on small data, one
    factored Hessian leads to Ridge's weights to 1e-8 or better, or, where columns nearly depend on one another and C is
    vast, to as low a cost by other weights; beyond, conjugate gradients stop by ``tol``.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty; ``np.inf`` is none, and of all weights that then fit alike, the shortest in
        scaled columns are given.
    l1_ratio : float in [0, 1]
        From all L2 (ridge) to all L1 (lasso).
    fit_intercept : bool
        Whether there is an intercept.
    solver : {"auto", "newton", "lbfgs", "gd", "momentum", "nesterov", "rmsprop", "adam", "sgd"}
        "auto" is Newton's method; with hidden layers L-BFGS up to 10,000 rows, Adam above.
    learning_rate : float or "auto"
        Of descent on the mean objective in scaled columns; "auto" is 1/L, L the largest curvature, and 0.01 for
        "rmsprop" and "adam".
    tol : float
        The relative distance from the optimum at which to stop. With hidden layers, where nobody knows it, a fit has
        settled once ten iterations have lowered the cost by no more than 1000 ``tol``, relative to the cost.
    max_iter : int or None
        Steps at most, or epochs of batches; None is 100, or 2000 with hidden layers, for each penalty that
        ``early_stopping`` tries.
    warm_start : bool
        Start from the weights of the fit before.
    random_state : int or None
        Seed of batches, initial weights and rows held out; None is 0.
    n_jobs : int or None
        Threads; None takes as many cores as are free for this process.
    verbose : int
        Print each iterate.
    callbacks : sequence of functions, optional
        Each is called with every entry of the history, its ``gradient`` and its ``weights()``; True stops the fit.
    hidden_layer_sizes : sequence of int
        Neurons of each hidden layer, such as (16,); with them the penalty is on weights of scaled columns and targets.
    activation : {"relu", "tanh", "gelu"}
        Of the hidden layers.
    batch_size, momentum, beta_1, beta_2, epsilon, early_stopping, validation_fraction, n_iter_no_change
        As in `onelayer.PerceptronClassifier`.

    Attributes
    ----------
    coef_ : array of shape (d,)
    intercept_ : float
    coefs_, intercepts_ : lists of arrays
        In their place with hidden layers: weights (fan in, fan out) and biases of each layer.
    n_iter_ : array of shape (1,)
    history_ : list of (cost, gradient_norm, seconds, rows, held_out, decay)
        ``cost`` is the objective divided by C · Σ ω, in squares of y's unit.
    converged_ : bool
    optimality_gap_ : float
        The distance of the cost from its optimum, relative to the optimum; where every row is fitted to its last
        digits, and the cost is but rounding, relative to the cost without features.
    gap_kind_ : {"bound", "estimate"}
    notices_ : tuple of str
        What else is worth knowing, such as collinear columns.

    Examples
    --------
    >>> model = PerceptronRegressor(C=np.inf).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.predict([[10.0]]).round(9).tolist(), model.coef_.round(9).tolist()
    ([21.0], [2.0])
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
        solver: str = "auto",
        learning_rate: float | str = "auto",
        tol: float = 1e-6,
        max_iter: int | None = None,
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
        self.solver = solver
        self.learning_rate = learning_rate
        self.tol = tol
        self.max_iter = max_iter
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
        """Fit the weights to rows X (n, d) and numbers y (n,).

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
            y = numbers(face.one_axis(label_array(y), "number"))
            face.same_length(X, y, "number")
            if eval_set is not None:
                eval_set = face.held_out(self, eval_set, numbers, "number")
            with face.naming(self, X):
                fit = train(
                    X,
                    y,
                    sample_weight=sample_weight,
                    eval_set=eval_set,
                    initial=face.warm_stack(self, X.shape[1], 1) if face.warm(self) else None,
                    names=face.names(self),
                    task="regression",
                    **face.settings(self),
                )
            self._keep([*fit.hidden, fit.weights])
            face.keep_fit(self, fit)
        face.warn_of_fit(fit)
        return self

    def partial_fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from one part of the rows after another, by small steps whose mean is kept; a fit is gone on from.

        `solver`, `batch_size`, `momentum`, `early_stopping`, `max_iter`, `verbose` and `callbacks` are those of `fit`:
        here steps are averaged gradient descent, or Adam's with hidden layers. Rows are to come in random order: of
        parts sorted by y, the last ones are remembered best.

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
        >>> rng, model = np.random.default_rng(0), PerceptronRegressor()
        >>> for _ in range(50):
        ...     X = rng.standard_normal((100, 2))
        ...     model = model.partial_fit(X, X @ [1.0, -2.0] + 7)
        >>> model.coef_.round(1).tolist(), round(model.intercept_, 1)
        ([1.0, -2.0], 7.0)
        """
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        with face.all_or_nothing(self):
            X = face.checked(self, X, reset=not face.has_weights(self))
            y = numbers(face.one_axis(label_array(y), "number"))
            face.same_length(X, y, "number")
            with face.naming(self, X):
                learnt = face.learn(self, None, X, y, sample_weight)
            if learnt:
                self._keep(self._stream.stack)
        if learnt:
            face.warn_of_stream(self)
        return self

    _stream: Stream
    __sklearn_is_fitted__ = face.has_weights

    def _keep(self, stack: list[Array]) -> None:
        face.keep_weights(self, stack)
        if len(stack) == 1:
            self.coef_, self.intercept_ = stack[0][0, :-1], float(stack[0][0, -1])

    def predict(self, X: Any) -> Array:
        """The number of each row, (n,), in y's unit."""
        if not face.has_weights(self):
            check_is_fitted(self)
        X = face.checked(self, X, reset=False)
        if "coefs_" in self.__dict__:
            return np.asarray(face.logits_of_stack(self, X), dtype=np.float64)
        return face.logits(self, X, self.coef_, self.intercept_)

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """R², the share of y's variance that is explained, at most 1; in a unit in which no square is out of range.

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
        >>> model = PerceptronRegressor(C=np.inf).fit([[0], [1], [2]], [0, 1e300, 1e300])
        >>> round(model.score([[0], [1], [2]], [0, 1e300, 1e300]), 2)
        0.75
        """
        predicted, y = self.predict(X), numbers(y)
        exponent = -np.frexp(max(np.abs(predicted).max(), np.abs(y).max()))[1]
        return float(r2_score(np.ldexp(y, exponent), np.ldexp(predicted, exponent), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
