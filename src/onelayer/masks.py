"""What lies beneath a mask is nobody's number: NumPy would give it back unasked."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def unmasked(values: ArrayLike, name: str) -> NDArray[Any]:
    """An array of them.

    Raises
    ------
    ValueError
        For a masked one, with its place.

    Examples
    --------
    >>> unmasked([1, 2], "y")
    array([1, 2])
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        place = np.argwhere(np.ma.getmaskarray(values))[0].tolist()
        axes = ["row", "column", *["position"] * len(place)]
        where = ", ".join(f"{axis} {i}" for axis, i in zip(axes, place, strict=False))
        otherwise = "drop the row" if len(place) == 1 else "leave it out"
        raise ValueError(f"{name} is masked{where and f' in {where}'}: fill it ({name}.filled) or {otherwise}")
    return np.asarray(values)
