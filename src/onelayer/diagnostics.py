"""What a person should know of the columns before believing the weights."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


def notices(constant: Array, names: Sequence[str] | None, fit_intercept: bool) -> list[str]:
    """One sentence for each thing noticed of the columns."""
    if not (constant.any() and fit_intercept):
        return []
    return [f"{constant.sum()} constant columns, first {_name(int(constant.argmax()), names)}: weight 0"]


def _name(j: int, names: Sequence[str] | None) -> str:
    return f"column {j}" if names is None else f"column {names[j]!r}"
