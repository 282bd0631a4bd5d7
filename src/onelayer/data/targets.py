"""Targets that are numbers: what is none is named with its row; centred and scaled, so that their unit does not matter.

What `onelayer.data.labels.Labels` is to classes, `Targets` is to numbers: `onelayer.fits.training` asks both the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.counting import counted
from onelayer.data.labels import checked_weights
from onelayer.masks import unmasked
from onelayer.objective.losses import IDENTITY, Loss

Array = NDArray[Any]

EXACT = 1e-22  # of the targets' mean square, half of it: residuals of 1e-11, where their own rounding begins to be seen
DIGITS = 64  # units of the rows' precision: the same, where rows have fewer digits


@dataclass(frozen=True)
class Targets:
    """Numbers, centred (with an intercept) and scaled; the rows' weights, None where all are 1; centre and unit.

    With y = centre + unit · t and weights likewise, C · Σ ω ½(z − y)² + ‖w‖²/2 is unit² times the same of t: the
    penalty's strength stays, but for L1's, which is divided by the unit.
    """

    values: Array
    weight: Array | None
    centre: float
    unit: float

    classes: ClassVar[Array] = np.empty(0)
    outputs: ClassVar[int] = 1
    loss: ClassVar[Loss] = IDENTITY

    @classmethod
    def of(cls, y: ArrayLike, sample_weight: ArrayLike | None, fit_intercept: bool) -> "Targets":
        """Centred at the weighted mean where an intercept can take it up, and of a weighted mean square of 1."""
        y = numbers(y)
        weight = checked_weights(sample_weight, len(y))
        # rows of weight 0 have no say in the unit
        counts, share = (slice(None), None) if weight is None else (weight > 0, weight[weight > 0])
        size = float(np.ldexp(1.0, int(np.frexp(np.abs(y[counts]).max() or 1.0)[1]) - 1))  # so that no square overflows
        with np.errstate(over="ignore"):
            values = y / size
        centre = float(np.average(values[counts], weights=share)) if fit_intercept else 0.0
        values = values - centre
        spread = float(np.sqrt(np.average(values[counts] ** 2, weights=share)))
        # what is left of a constant once centred is rounding, and no unit
        unit = spread if spread > 4 * np.finfo(np.float64).eps * abs(centre) else 1.0
        with np.errstate(over="ignore"):
            values = values / unit if unit == spread else np.zeros(len(y))
        return cls(values, weight, centre * size, unit * size)

    def like(self, y: ArrayLike) -> "Targets":
        """Other rows' numbers in the same unit."""
        return replace(self, values=(numbers(y) - self.centre) / self.unit, weight=None)

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.values)

    @property
    def total_weight(self) -> float:
        """The sum of the rows' weights."""
        return float(self.rows if self.weight is None else self.weight.sum())

    @property
    def base(self) -> Array:
        """The bias that is best without features: the mean."""
        return np.array([0.0 if self.weight is None else float(np.average(self.values, weights=self.weight))])

    def cost_alone(self, bias: bool) -> float:
        """Half the mean square, which is their unit's."""
        return 0.5

    @property
    def strata(self) -> Array:
        """One stratum: rows are held out at random."""
        return np.zeros(self.rows, dtype=np.intp)

    def enough(self, precision: float) -> float:
        """The cost below which every row is fitted as exactly as its digits say."""
        of_targets = 4 * float(np.finfo(np.float64).eps) * abs(self.centre / self.unit)
        return max(EXACT, (DIGITS * precision) ** 2, of_targets**2)

    def take(self, rows: Array) -> "Targets":
        """Those of some of the rows."""
        return replace(self, values=self.values[rows], weight=None if self.weight is None else self.weight[rows])

    def to_user(self, stack: Sequence[Array]) -> list[Array]:
        """Weights of each layer, the last of which answers in the user's unit."""
        *hidden, last = stack
        last = last * self.unit
        last[:, -1] += self.centre
        return [*hidden, last]

    def from_user(self, stack: Sequence[Array]) -> list[Array]:
        """The inverse of `to_user`."""
        *hidden, last = stack
        last = np.array(last, dtype=np.float64)
        last[:, -1] -= self.centre
        return [*hidden, last / self.unit]


def numbers(y: ArrayLike) -> Array:
    """y as finite numbers, (n,).

    Raises
    ------
    ValueError
        For what is no number, NaN and infinity, with the row.

    Examples
    --------
    >>> numbers([1, 2.5])
    array([1. , 2.5])
    >>> numbers([1.0, "tall"])
    Traceback (most recent call last):
    ...
    ValueError: y holds 'tall' in row 1, which is no number: make it one or drop the row; for classes use a classifier
    """
    array = np.asarray(y, dtype=object) if isinstance(y, list | tuple) else unmasked(y, "y")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f"y must hold one number for each row, but has shape {array.shape}")
    if array.dtype.kind == "c" or any(isinstance(v, complex | np.complexfloating) for v in _objects(array)):
        raise ValueError("Complex data not supported: y is complex; fit its real and imaginary parts one by one")
    if array.dtype.kind in "Mm":
        raise ValueError(f"y is of type {array.dtype}, such as {array[0]}: make it a number, such as days since a date")
    if array.dtype.kind not in "biuf":
        _refuse_cells(array)
    values = array.astype(np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        kind = "NaN" if np.isnan(values[wrong.argmax()]) else "infinity"
        raise ValueError(
            f"Input y contains NaN or infinity in {counted(int(wrong.sum()), 'row')}, first {kind} in row "
            f"{wrong.argmax()}: drop them"
        )
    return values


def _objects(array: Array) -> Any:
    return array if array.dtype.kind == "O" else ()


def _refuse_cells(array: Array) -> None:
    for row, cell in enumerate(array):
        cell = cell.item() if isinstance(cell, np.generic) else cell
        if cell is None:
            raise ValueError(f"y is missing in row {row}: drop the row")
        if not isinstance(cell, Real | np.bool_) and not _is_number(cell):
            raise ValueError(
                f"y holds {cell!r:.60} in row {row}, which is no number: make it one or drop the row; for classes use "
                "a classifier"
            )


def _is_number(cell: Any) -> bool:
    """A Decimal is; a text is not, even if it reads as one."""
    if isinstance(cell, str | bytes):
        return False
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True
