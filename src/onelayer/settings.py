"""What a fit may be told, each setting checked, and what its callbacks see."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.network import ACTIVATIONS
from onelayer.rows.threads import available_jobs
from onelayer.solvers import FIRST_ORDER

Array = NDArray[Any]

SOLVERS = ("auto", "newton", *FIRST_ORDER)
FEW_ROWS = 10_000  # up to here L-BFGS on all rows fits a network to the end in the time batches take to come near
ITERATIONS, ITERATIONS_HIDDEN = 100, 2000


class Progress(NamedTuple):
    """What a callback sees of an iterate: its entry of the history, the gradient in scaled columns, and the weights.

    ``weights()`` gives them in the user's units: (k, d + 1) with the bias last, or with hidden layers a list of
    such arrays, one for each layer.
    """

    cost: float
    gradient_norm: float
    seconds: float
    rows: int
    held_out: float | None
    decay: float
    gradient: Array
    weights: Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a fit may be told, as `onelayer.PerceptronClassifier` describes it.

    Raises
    ------
    ValueError
        For a setting that cannot be used.

    Examples
    --------
    >>> Settings(C=10.0).C
    10.0
    """

    C: float = 1.0
    l1_ratio: float = 0.0
    fit_intercept: bool = True
    class_weight: Mapping[Any, float] | str | None = None
    solver: str = "auto"
    learning_rate: float | str = "auto"
    tol: float = 1e-6
    max_iter: int | None = None
    random_state: int | None = None
    n_jobs: int | None = None
    verbose: int = 0
    callbacks: Sequence[Callable[[Progress], bool | None]] | None = None
    hidden_layer_sizes: Sequence[int] = ()
    activation: str = "relu"
    batch_size: int | str = "auto"
    momentum: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    early_stopping: bool | str = "auto"
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10

    @property
    def of_cost(self) -> float:
        """``tol`` as a share of the cost: a gap as large as that is infinitely far from the optimum, relative to it."""
        return self.tol / (1 + self.tol) if math.isfinite(self.tol) else 1.0

    def iterations(self) -> int:
        """How many at most."""
        if self.max_iter is not None:
            return self.max_iter
        return ITERATIONS_HIDDEN if self.hidden_layer_sizes else ITERATIONS

    def solver_for(self, n: int) -> str:
        """The solver's name on n rows."""
        if self.solver != "auto":
            return self.solver
        if not self.hidden_layer_sizes:
            return "newton"
        return "lbfgs" if n <= FEW_ROWS else "adam"

    def holds_out(self, n: int) -> bool:
        """Whether some of the rows are to be held out."""
        if self.early_stopping == "auto":
            return bool(self.hidden_layer_sizes) and not self._on_all_rows(n)
        return bool(self.early_stopping)

    def strengthens(self, n: int) -> bool:
        """Whether rows held out for a while are to say how strong a network's penalty is."""
        hidden = bool(self.hidden_layer_sizes)
        return self.early_stopping == "auto" and hidden and self._on_all_rows(n) and math.isfinite(self.C)

    def _on_all_rows(self, n: int) -> bool:
        """Whether each step asks all rows, and not a batch of them."""
        solver, size = self.solver_for(n), self.batch_size
        if solver == "lbfgs":
            return True
        return solver in ("gd", "momentum", "nesterov") if size == "auto" else int(size) >= n

    @cached_property
    def jobs(self) -> int:
        """How many threads to use."""
        return available_jobs(self.n_jobs)

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        return int(self.random_state or 0)

    def __post_init__(self) -> None:
        if not (_is_number(self.C) and self.C > 0):
            raise ValueError(f"C must be positive (inf for no penalty), not {self.C!r}")
        if not (_is_number(self.l1_ratio) and 0 <= self.l1_ratio <= 1):
            raise ValueError(f"l1_ratio must be in [0, 1], from all L2 to all L1, not {self.l1_ratio!r}")
        if not isinstance(self.fit_intercept, bool | np.bool_):
            raise ValueError(f"fit_intercept must be True or False, not {self.fit_intercept!r}")
        if self.solver not in SOLVERS:
            raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, not {self.solver!r}")
        if self.l1_ratio > 0 and (np.size(self.hidden_layer_sizes) or self.early_stopping in (True, np.True_)):
            raise ValueError("l1_ratio above 0 needs one layer and early_stopping=False: leave one of them out")
        if self.l1_ratio > 0 and self.solver not in ("auto", "newton"):
            raise ValueError(f"l1_ratio above 0 needs solver='auto' or 'newton', not {self.solver!r}")
        rate = self.learning_rate
        if rate != "auto" and not (_is_number(rate) and 0 < float(rate) < math.inf):
            raise ValueError(f"learning_rate must be 'auto' or a positive finite number, not {rate!r}")
        if not (_is_number(self.tol) and self.tol >= 0):
            raise ValueError(f"tol must be 0 or more, not {self.tol!r}")
        self._check_counts()
        self._check_hidden()
        object.__setattr__(self, "hidden_layer_sizes", tuple(map(int, self.hidden_layer_sizes)))
        object.__setattr__(self, "fit_intercept", bool(self.fit_intercept))  # NumPy's truths are no numbers
        for name in ("C", "l1_ratio", "tol"):  # whatever precision they came in
            object.__setattr__(self, name, float(getattr(self, name)))
        self._check_descent()

    def _check_counts(self) -> None:
        for name in ("max_iter", "random_state"):
            value = getattr(self, name)
            if value is not None and not (_is_whole(value) and value >= 0):
                raise ValueError(f"{name} must be None or a whole number, 0 or more, not {value!r}")
        if self.n_jobs is not None and not (_is_whole(self.n_jobs) and self.n_jobs != 0):
            raise ValueError(f"n_jobs must be None or a number of threads, -1 for one a core, not {self.n_jobs!r}")
        if not (_is_whole(self.n_iter_no_change) and self.n_iter_no_change >= 1):
            raise ValueError(f"n_iter_no_change must be a whole number, 1 or more, not {self.n_iter_no_change!r}")
        if not (isinstance(self.verbose, bool | np.bool_) or (_is_whole(self.verbose) and self.verbose >= 0)):
            raise ValueError(f"verbose must be True, False or a whole number, 0 or more, not {self.verbose!r}")
        callbacks = self.callbacks
        if callbacks is not None and not (isinstance(callbacks, Collection) and all(map(callable, callbacks))):
            raise ValueError(f"callbacks must be functions in a list, not {callbacks!r}")

    def _check_hidden(self) -> None:
        sizes = self.hidden_layer_sizes
        if not isinstance(sizes, Collection) or not all(_is_whole(size) and size > 0 for size in sizes):
            raise ValueError(
                f"hidden_layer_sizes must hold the number of neurons of each layer, such as (16,), not {sizes!r}"
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {self.activation!r}")
        if len(sizes) and self.solver == "newton":
            raise ValueError(
                "solver='newton' needs one layer, but there are hidden ones: use 'auto', 'lbfgs' or 'adam'"
            )
        if len(sizes) and not self.fit_intercept:
            raise ValueError("fit_intercept=False needs one layer, but there are hidden ones: leave it True")

    def _check_descent(self) -> None:
        size = self.batch_size
        if size != "auto" and not (_is_whole(size) and int(size) > 0):
            raise ValueError(f"batch_size must be 'auto' or a positive number of rows, not {size!r}")
        for name in ("momentum", "beta_1", "beta_2"):
            value = getattr(self, name)
            if not (_is_number(value) and 0 <= value < 1):
                raise ValueError(f"{name} must be at least 0 and below 1, not {value!r}")
        if not (_is_number(self.epsilon) and 0 < self.epsilon < math.inf):
            raise ValueError(f"epsilon must be positive and finite, not {self.epsilon!r}")
        if not (isinstance(self.early_stopping, bool | np.bool_) or self.early_stopping == "auto"):
            raise ValueError(f"early_stopping must be True, False or 'auto', not {self.early_stopping!r}")
        if not (_is_number(self.validation_fraction) and 0 < self.validation_fraction < 1):
            raise ValueError(f"validation_fraction must lie between 0 and 1, not {self.validation_fraction!r}")


def _is_number(value: Any) -> bool:
    if type(value) is float:
        return True
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        return False
    try:
        float(value)
    except OverflowError:  # a whole number beyond all floats
        return False
    return True


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)
