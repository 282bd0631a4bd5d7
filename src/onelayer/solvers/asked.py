"""What solvers ask of an objective: of any that is smooth, hidden layers' too, and of that of one layer."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]
Logits = list[Array]


class Rows(Protocol):
    """How many rows, columns and entries there are and how they are held, which says what is dear; none is seen."""

    n: int
    d: int
    entries: int
    sparse: bool
    plain: bool  # a dense array, as it was given
    precision: float
    weight: Array | None

    def cut(self, parts: Sequence[Array]) -> list[Array]:
        """What the same rows in other blocks answered, in these blocks."""


class Smooth(Protocol):
    """A mean loss with a gradient."""

    convex: ClassVar[bool]

    @property
    def rows(self) -> Rows:
        """What it sums over."""

    @property
    def outputs(self) -> int:
        """k, the number of logits of a row."""

    @property
    def total_weight(self) -> float:
        """The sum of the rows' weights."""

    def value(self, u: Array) -> float:
        """At a point u, in nats."""

    def value_gradient(self, u: Array) -> tuple[float, Array]:
        """The same, and the gradient."""

    def evaluate(self, u: Array, *, keep: bool = False) -> tuple[float, Array, Logits | None]:
        """The same, and the logits, if they are kept."""

    def product(self, u: Array) -> Callable[[Array], Array]:
        """The Hessian at u times a vector."""

    def sample(self, rows: Array, weight: Array | None, total_weight: float) -> "Smooth":
        """That of some of the rows."""


class Product(Protocol):
    """The Hessian at a point times a vector, and where the point goes along that."""

    @property
    def moved(self) -> Any:
        """How the logits move by all that was gone along."""

    def __call__(self, v: Array) -> Array:
        """Times v."""

    def mean_curvature(self) -> Array:
        """Of each output, (k,)."""

    def defect(self) -> float:
        """How far slopes to first order are from the point's own, as some rows tell."""

    def along(self, step: float) -> None:
        """Go by so much of the v last multiplied."""

    def ahead(self, shift: float) -> tuple[Logits, list[Array], float]:
        """Logits, slopes to first order and their defect, the bias shifted by so much."""


class Layer(Smooth, Protocol):
    """A convex mean loss of weights u (k, d + bias) of columns with penalties, which knows its curvature."""

    @property
    def shape(self) -> tuple[int, int]:
        """Of a point."""

    @property
    def bias(self) -> bool:
        """Whether a point has one, its last column, which no penalty holds."""

    @property
    def penalty(self) -> Array:
        """The weight of u_j² / 2, (d,)."""

    @property
    def ridge(self) -> Array:
        """The same with the bias."""

    @property
    def lasso(self) -> Any:
        """The weight of the absolute u_j, (d,), which is no part of the value; None where there is none."""

    @property
    def held(self) -> Array:
        """The same with the bias, of a point's shape: 0 where there is none."""

    @property
    def grain(self) -> Array | None:
        """What rounding leaves of cells, in scaled columns, where that is more than arithmetic does; (d,)."""

    def with_penalties(self, penalty: Array, lasso: Array | None) -> "Layer":
        """The same loss with others."""

    def evaluate(
        self,
        u: Array,
        *,
        keep: bool = False,
        logits: Logits | None = None,
        near: tuple[Logits, Logits, float] | None = None,
        slopes: list[Array] | None = None,
    ) -> tuple[float, Array, Logits | None]:
        """Value, gradient and, if kept, logits; by those `logits`, or those of a point `near`, and `slopes`."""

    def logits(self, u: Array) -> Logits:
        """Of each block."""

    def balanced(
        self, u: Array, logits: Logits | None = None, slopes: Array | None = None
    ) -> tuple[Array, Logits | None]:
        """The point with the biases that are best for its weights."""

    def dual(self, logits: Logits, share: float) -> float:
        """The rows' part of the dual at a share of the slopes."""

    def product(self, u: Array, logits: Logits | None = None) -> Product:
        """The Hessian at u times a vector."""

    def hessian(self, u: Array, logits: Logits | None = None, *, single: bool = False) -> Array:
        """Itself, in the order of ``u.ravel()``."""

    def diagonal(self, u: Array, logits: Logits) -> Array:
        """Of the Hessian, about, of u's shape."""

    def mean_curvature(self, logits: Logits) -> Array:
        """Of each output by itself, (k,)."""

    def second_moments(self, shares: list[Array]) -> Array:
        """Of each scaled column, each row having a share of its weight."""

    def block_diagonal(self, u: Array) -> tuple[Array, Array]:
        """Directions among the outputs, and the Hessian's blocks along them."""

    def bends_shifts(self, own: Array) -> Array:
        """Of which columns penalties bend what is common to all outputs."""

    def triangle(self, logits: Logits) -> Array:
        """R with Rᵀ R the Hessian, as exact as the rows are."""

    def rows_and_roots(self, logits: Logits) -> tuple[Array, Array]:
        """Rows in scaled columns, and roots of their curvatures."""

    def of_columns(self, kept: Array, *, often: bool = False) -> "Layer":
        """That of some of the columns."""

    def mean_block(self, logits: list[Array]) -> Array:
        """The block that outputs have in the mean, in single precision."""

    def in_row_space(
        self, *, exact: bool = False
    ) -> "tuple[Layer, Callable[[Array], Array], Callable[[Array], Array]]":
        """The same in as many coordinates as there are rows, and the ways there and back, of points."""

    def sample(self, rows: Array, weight: Array | None, total_weight: float) -> "Layer":
        """That of some of the rows."""

    def surprising(self, u: Array, size: int) -> "Layer":
        """That of about so many rows, half of them by how they pull at u."""

    def thinned(self, size: int) -> "Layer":
        """That of about so many rows."""
