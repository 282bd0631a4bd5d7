"""What is given to the guide's functions, as matrices that fit together, or what is wrong with it and its remedy."""

import math
from collections.abc import Mapping
from numbers import Real
from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.masks import unmasked

Matrix = NDArray[np.float64]

SEEDS = "pass a seed, a whole number from 0 to 4294967295"
EXAMPLES = (
    "examples go in columns: pass {name}.reshape(1, -1) for a single row, {name}.reshape(-1, 1) for a single example"
)
OUTPUTS = "pass a row for each output, such as initialize_parameters makes"


def matrix(
    name: str, value: ArrayLike, remedy: str = "drop or fill that example", shape: str = EXAMPLES, of: str = "example"
) -> Matrix:
    """Finite numbers in rows and columns, at least one of each; `name` is what errors call them."""
    array = unmasked(value, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} holds {array.dtype} values, not numbers; pass an array of numbers")
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}, not two dimensions; {shape.format(name=name)}")
    if array.size == 0:
        raise ValueError(f"{name} is empty, of shape {array.shape}; pass at least one row and one {of}")
    array = array.astype(np.float64, copy=False)
    _refuse(~np.isfinite(array), array, f"{name} has values that are not finite", remedy)
    return array


def _refuse(wrong: NDArray[np.bool_], array: Matrix, what: str, remedy: str) -> None:
    """Name the first cell that is wrong, if one is; {} in the remedy is what it holds."""
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        first = f"{array[row, column]:g}"
        raise ValueError(
            f"{what} ({wrong.sum()} in all), first {first} in row {row}, column {column}; {remedy.format(first)}"
        )


def _labels(Y: ArrayLike) -> Matrix:
    labels = matrix("Y", Y)
    neither = (labels != 0) & (labels != 1)
    _refuse(neither, labels, "Y has labels that are neither 0 nor 1", "recode them, for example (Y == {})")
    return labels


def examples(X: ArrayLike, Y: ArrayLike) -> tuple[Matrix, Matrix]:
    """X, and the labels Y of its columns."""
    X, Y = matrix("X", X), _labels(Y)
    (n_x, m), (n_y, m_y) = X.shape, Y.shape
    if m == m_y and not (m == 1 < n_x == n_y):  # as many outputs as inputs and one example: surely two tall columns
        return X, Y
    shapes = f"X has shape {X.shape} and Y {Y.shape}; examples go in columns"
    if n_x == n_y and n_x > 1:
        raise ValueError(f"{shapes}: both look transposed: pass X.T and Y.T")
    if n_x == m_y:
        raise ValueError(f"{shapes}: X looks transposed: pass X.T")
    if m == n_y:
        raise ValueError(f"{shapes}: Y looks transposed: pass Y.T")
    raise ValueError(f"{shapes}: pass one label for each of the {m} examples")


def answers(A: ArrayLike, Y: ArrayLike) -> tuple[Matrix, Matrix]:
    """Probabilities, and a label for each of them."""
    A, Y = matrix("A", A), _labels(Y)
    if A.shape != Y.shape:
        remedy = "Y looks transposed: pass Y.T" if A.shape == Y.shape[::-1] else "pass one label for each probability"
        raise ValueError(f"A has shape {A.shape} and Y {Y.shape}; {remedy}")
    remedy = "pass probabilities, from forward_propagation"
    _refuse((A < 0) | (A > 1), A, "A has values outside [0, 1]", remedy)
    return A, Y


def weights(
    values: Mapping[str, ArrayLike], name: str = "parameters", keys: tuple[str, str] = ("W", "b")
) -> tuple[Matrix, Matrix]:
    """Weights and biases, a row of each for every output."""
    if not isinstance(values, Mapping):
        raise TypeError(f"{name} is {values!r:.60}, not a dict; pass one with {keys[0]!r} and {keys[1]!r}")
    missing = [key for key in keys if key not in values]
    if missing:
        raise ValueError(f"{name} has no {missing[0]!r}; pass a dict with {keys[0]!r} and {keys[1]!r}")
    W, b = (matrix(f"{name}[{key!r}]", values[key], "pass finite numbers", OUTPUTS, "column") for key in keys)
    if b.shape != (W.shape[0], 1):
        raise ValueError(f"{name}[{keys[1]!r}] has shape {b.shape}; {keys[0]!r} asks for {(W.shape[0], 1)}")
    return W, b


def check_count(name: str, value: int, remedy: str, least: int = 1) -> None:
    """Refuse what is no whole number of at least so many."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        index(value)
    except TypeError as error:
        raise TypeError(f"{name} is {value!r}, not a whole number; {remedy}") from error
    if value < least:
        raise ValueError(f"{name} is {value}; {remedy}")


def check_seed(value: int) -> None:
    """Refuse what seeds no generator."""
    check_count("random_state", value, SEEDS, least=0)
    if value >= 2**32:
        raise ValueError(f"random_state is 2**32 or more; {SEEDS}")


def rate(learning_rate: float) -> float:
    """A learning rate as a float; what is not positive and finite is refused."""
    if not isinstance(learning_rate, Real):
        raise TypeError(f"learning_rate is {learning_rate!r}, not a number; pass a positive one, such as 1.2")
    try:
        found = float(learning_rate)
    except OverflowError:  # a whole number beyond all floats
        found = math.inf
    if not 0 < found < math.inf:
        raise ValueError(f"learning_rate is {found}; pass a positive, finite number, such as 1.2")
    return found
