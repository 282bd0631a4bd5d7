"""What a fit may be told, each setting checked, and what its callbacks see."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onelayer.network import ACTIVATIONS
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
    gradient: Array
    weights: Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a fit may be told, as `onelayer.PerceptronClassifier` describes it.

    Raises
    ------
    ValueError, NotImplementedError
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
            return bool(self.hidden_layer_sizes) and self.solver_for(n) not in ("lbfgs", "gd")
        return bool(self.early_stopping)

    def strengthens(self, n: int) -> bool:
        """Whether rows held out for a while are to say how strong a network's penalty is."""
        on_all_rows = bool(self.hidden_layer_sizes) and self.solver_for(n) in ("lbfgs", "gd")
        return self.early_stopping == "auto" and on_all_rows and math.isfinite(self.C)

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise ValueError(f"C must be positive (np.inf for no penalty), not {self.C!r}")
        if not 0 <= self.l1_ratio <= 1:
            raise ValueError(f"l1_ratio must be in [0, 1], from all L2 to all L1, not {self.l1_ratio!r}")
        if self.solver not in SOLVERS:
            raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, not {self.solver!r}")
        if self.l1_ratio > 0 and (self.hidden_layer_sizes or self.early_stopping is True):
            raise ValueError("l1_ratio above 0 needs one layer and early_stopping=False: leave one of them out")
        if self.l1_ratio > 0 and self.solver not in ("auto", "newton"):
            raise ValueError(f"l1_ratio above 0 needs solver='auto' or 'newton', not {self.solver!r}")
        rate = self.learning_rate
        if rate != "auto" and not (isinstance(rate, int | float) and 0 < rate < math.inf):
            raise ValueError(f"learning_rate must be 'auto' or a positive finite number, not {rate!r}")
        if not self.tol >= 0:
            raise ValueError(f"tol must be 0 or more, not {self.tol!r}")
        if self.max_iter is not None and self.max_iter < 0:
            raise ValueError(f"max_iter must be 0 or more, not {self.max_iter!r}")
        self._check_hidden()
        self._check_descent()

    def _check_hidden(self) -> None:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, int) or not all(isinstance(size, int | np.integer) and size > 0 for size in sizes):
            raise ValueError(
                f"hidden_layer_sizes must hold the number of neurons of each layer, such as (16,), not {sizes!r}"
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {self.activation!r}")
        if sizes and self.solver == "newton":
            raise ValueError(
                "solver='newton' needs one layer, but there are hidden ones: use 'auto', 'lbfgs' or 'adam'"
            )
        if sizes and not self.fit_intercept:
            raise ValueError("fit_intercept=False needs one layer, but there are hidden ones: leave it True")

    def _check_descent(self) -> None:
        size = self.batch_size
        if size != "auto" and not (isinstance(size, int | np.integer) and size > 0):
            raise ValueError(f"batch_size must be 'auto' or a positive number of rows, not {size!r}")
        for name in ("momentum", "beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, not {getattr(self, name)!r}")
        if not self.epsilon > 0:
            raise ValueError(f"epsilon must be positive, not {self.epsilon!r}")
        if self.early_stopping not in (True, False, "auto"):
            raise ValueError(f"early_stopping must be True, False or 'auto', not {self.early_stopping!r}")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must lie between 0 and 1, not {self.validation_fraction!r}")
        if self.n_iter_no_change < 1:
            raise ValueError(f"n_iter_no_change must be 1 or more, not {self.n_iter_no_change!r}")
