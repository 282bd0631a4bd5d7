"""What both estimators share of scikit-learn's face: their settings, X as it is checked, what is kept of a fit."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from onelayer.counting import counted
from onelayer.data import features
from onelayer.data.columns import naming as naming_columns
from onelayer.data.columns import not_finite
from onelayer.fits.stream import Stream
from onelayer.objective.blocks import dot
from onelayer.objective.network import ACTIVATIONS, forward
from onelayer.rows.sources import FLOATS, as_given, by_blocks
from onelayer.rows.threads import available_jobs
from onelayer.settings import Settings

Array = NDArray[Any]

SETTINGS = tuple(field.name for field in fields(Settings))
PROOF = ("history_", "converged_", "optimality_gap_", "gap_kind_", "notices_")
AT_ONCE = 2**17  # cells up to which threads and blocks cost more than they bring


def settings(estimator: Any, names: Sequence[str] = SETTINGS) -> dict[str, Any]:
    """What it has been told, of `onelayer.settings.Settings`."""
    told = {name: getattr(estimator, name) for name in names if hasattr(estimator, name)}
    if isinstance(told["random_state"], np.random.RandomState):  # scikit-learn's way of seeding one thing after another
        told["random_state"] = int(told["random_state"].randint(2**31 - 1))
    return told


def checked(estimator: Any, X: Any, *, reset: bool) -> Any:
    """X as rows of numbers, sparse or dense; at a fit, how many columns and what they are called is kept."""
    plain = type(X) is np.ndarray or isinstance(X, sp.csr_matrix | sp.csr_array)
    if plain and X.dtype in FLOATS and X.ndim == 2 and all(X.shape) and not names(estimator):
        # nothing to convert or to name: a row is answered in a fifth of the time
        if reset:
            estimator.n_features_in_ = X.shape[1]
        if X.shape[1] == estimator.n_features_in_:
            return X
    X = features.checked(X, None if reset else names(estimator))
    if not reset:
        features.refuse_width(X, estimator.n_features_in_, type(estimator).__name__)
    X = validate_data(
        estimator,
        X,
        reset=reset,
        accept_sparse="csr",
        accept_large_sparse=True,
        ensure_all_finite=False,
        dtype="numeric",
    )
    if hasattr(X, "tocsr"):
        return X  # in any order, even with duplicates: a sum over rows is the same
    # whole numbers are made doubles a block at a time; those of half precision, which takes long, once and for all
    return X if as_given(X.dtype) else check_array(X, dtype=np.float64, ensure_all_finite=False)


def same_length(X: Any, y: Array, what: str) -> None:
    """Refuse rows and labels, or numbers, that are not as many."""
    if X.shape[0] != len(y):
        looks = ": X looks transposed, pass X.T" if X.shape[1] == len(y) else ""
        raise ValueError(f"X has {counted(X.shape[0], 'row')}, but y has {counted(len(y), what)}{looks}")


def held_out(estimator: Any, eval_set: Any, targets: Callable[[Any], Array], what: str) -> tuple[Any, Array]:
    """X and y of ``eval_set``, checked as those of the fit are."""
    if not isinstance(eval_set, tuple | list) or len(eval_set) != 2:
        given = f"of {len(eval_set)}" if isinstance(eval_set, tuple | list) else f"such as {eval_set!r:.60}"
        raise ValueError(f"eval_set must be a tuple of X and y, not {type(eval_set).__name__} {given}")
    try:
        X, y = checked(estimator, eval_set[0], reset=False), targets(eval_set[1])
        same_length(X, y, what)
        if (message := not_finite(X, names(estimator))) is not None:
            raise ValueError(message)
    except ValueError as error:
        raise ValueError(f"eval_set: {error}") from error
    return X, y


def one_axis(y: Array, what: str) -> Array:
    """y as one axis; a single column is taken, with scikit-learn's warning."""
    if y.ndim == 2 and y.shape[1] == 1 and len(y) > 1:
        warnings.warn("A column-vector y was passed when a 1d array was expected", DataConversionWarning, stacklevel=4)
        return y[:, 0]
    if y.ndim != 1:
        looks = ": it looks transposed, pass y.T" if y.ndim == 2 and len(y) == 1 else ""
        raise ValueError(f"y must hold one {what} for each row, but has shape {y.shape}{looks}")
    return y


def names(estimator: Any) -> list[str] | None:
    """Of the columns at the fit, where they had some."""
    return list(estimator.feature_names_in_) if hasattr(estimator, "feature_names_in_") else None


def naming(estimator: Any, X: Any) -> AbstractContextManager[None]:
    """Within it, a cell of X that is no number is told with its column's name."""
    return naming_columns(X, names(estimator))


def logits(estimator: Any, X: Any, w: Array, b: Any, then: Callable[[Array], Array] = lambda z: z) -> Array:
    """X w + b of checked rows, or what `then` makes of it, block by block; a cell that is no number is named."""
    sums = []

    def block(X: Any) -> Array:
        z = dot(X, w)
        z += b
        sums.append(z.sum())
        return then(z)

    with np.errstate(all="ignore"):
        at_once = X.shape[0] * X.shape[1] <= AT_ONCE
        result = block(X) if at_once else by_blocks(X, block, available_jobs(estimator.n_jobs))
        total = sum(sums)
    if not math.isfinite(total) and (message := not_finite(X, names(estimator))) is not None:
        raise ValueError(message)
    return result


def logits_of_stack(estimator: Any, X: Any, then: Callable[[Array], Array] = lambda z: z) -> Array:
    """Logits of checked rows through hidden layers, (n,) or (n, k), or what `then` makes of them."""
    if (message := not_finite(X, names(estimator))) is not None:  # tanh and ReLU hide an infinity
        raise ValueError(message)
    layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    activation = vars(estimator).get("_learnt_by", {}).get("activation", estimator.activation)
    with np.errstate(all="ignore"):
        return then(forward(X, layers, ACTIVATIONS[activation])[0])


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Within it, what is refused leaves the estimator as it was; warnings, which may be errors, are for later."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def learn(estimator: Any, classes: Array | None, X: Any, y: Array, sample_weight: Any) -> bool:
    """Take a part of the rows into the stream it goes on with; whether there was anything to learn.

    What a fit before has proved of its weights is no longer told.
    """
    told = Settings(**settings(estimator))
    initial = kept_stack(estimator) if has_weights(estimator) else []
    if initial:
        _refuse_other_weights(estimator, told)
    if hasattr(estimator, "_stream"):
        stream = estimator._stream.copy()
        stream.go_on_by(told)
    else:
        stream = Stream(told, classes, X.shape[1], initial, vars(estimator).get("_total_weight", 0.0))
    before = stream.steps
    stream.learn(X, y, sample_weight)
    if stream.steps == before:
        return False
    for name in PROOF:
        vars(estimator).pop(name, None)
    estimator._stream, estimator.n_iter_ = stream, np.array([stream.steps])
    return True


def warn_of_stream(estimator: Any) -> None:
    """What casts doubt on the last part's steps, to who called ``partial_fit``."""
    for notice in estimator._stream.notices:
        warnings.warn(notice, ConvergenceWarning, stacklevel=3)


def _refuse_other_weights(estimator: Any, told: Settings) -> None:
    """What decides which weights there are is as it was when these were learnt."""
    for name, before in vars(estimator).get("_learnt_by", {}).items():
        now = getattr(told, name)
        if before != now:
            raise ValueError(
                f"{name} was {before!r} when the weights were learnt, and is {now!r} now: set it back, or fit anew"
            )


def keep_fit(estimator: Any, fit: Any) -> None:
    """How a fit went, as attributes, and no stream any more."""
    vars(estimator).pop("_stream", None)
    estimator._total_weight = fit.total_weight
    estimator.n_iter_ = np.array([fit.n_iter])
    estimator.history_, estimator.converged_ = fit.history, fit.converged
    estimator.optimality_gap_, estimator.gap_kind_ = fit.optimality_gap, fit.gap_kind
    estimator.notices_ = fit.notices


def warn_of_fit(fit: Any) -> None:
    """What casts doubt on a fit, to who called ``fit``."""
    for warning in fit.warnings:
        category = UserWarning if fit.converged else ConvergenceWarning
        warnings.warn(f"{warning} (gap {fit.optimality_gap:.1e}, {fit.gap_kind})", category, stacklevel=3)


def keep_weights(estimator: Any, stack: Sequence[Array]) -> None:
    """As ``coef_`` and ``intercept_``, or with hidden layers as lists of them, laid out as scikit-learn's are.

    What may be set to something else before the next fit is kept beside them.
    """
    for name in ("coef_", "intercept_", "coefs_", "intercepts_"):
        vars(estimator).pop(name, None)
    estimator._learnt_by = {
        "hidden_layer_sizes": tuple(len(w) for w in stack[:-1]),
        **{name: getattr(estimator, name) for name in ("activation", "fit_intercept") if hasattr(estimator, name)},
    }
    if len(stack) == 1:
        estimator.coef_, estimator.intercept_ = stack[0][:, :-1], stack[0][:, -1]
    else:
        estimator.coefs_, estimator.intercepts_ = [w[:, :-1].T for w in stack], [w[:, -1] for w in stack]


def has_weights(estimator: Any) -> bool:
    """Whether there are any, of one layer or of several."""
    return hasattr(estimator, "coef_") or hasattr(estimator, "coefs_")


def kept_stack(estimator: Any) -> list[Array]:
    """The inverse of `keep_weights`."""
    if hasattr(estimator, "coef_"):
        return [np.column_stack([np.atleast_2d(estimator.coef_), np.atleast_1d(estimator.intercept_)])]
    return [np.column_stack([W.T, b]) for W, b in zip(estimator.coefs_, estimator.intercepts_, strict=True)]


def warm(estimator: Any) -> bool:
    """Whether it is to start from the weights of the fit before."""
    if not isinstance(estimator.warm_start, bool | np.bool_):
        raise ValueError(f"warm_start must be True or False, not {estimator.warm_start!r}")
    return bool(estimator.warm_start)


def warm_stack(estimator: Any, d: int, outputs: int) -> list[Array] | None:
    """The weights of the fit before, where they fit d columns and the layers asked for."""
    if not has_weights(estimator):
        return None
    stack = kept_stack(estimator)
    sizes = [d, *estimator.hidden_layer_sizes, outputs]
    return stack if [w.shape for w in stack] == [(b, a + 1) for a, b in pairwise(sizes)] else None
