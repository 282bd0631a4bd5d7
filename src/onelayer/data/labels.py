"""Labels to class codes, and the weights of rows and classes to one weight for each row."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.counting import counted
from onelayer.masks import unmasked
from onelayer.objective.losses import SIGMOID, SOFTMAX, Loss

Array = NDArray[Any]


def label_array(y: ArrayLike) -> Array:
    """y as an array of what it holds: NumPy alone would make texts of the numbers and NaN that stand beside a text."""
    array = unmasked(y, "y")
    if array.dtype.kind in "US" and isinstance(y, list | tuple) and not _all_texts(y):
        return np.asarray(y, dtype=object)
    return array


def _all_texts(values: Iterable[Any]) -> bool:
    return all(issubclass(kind, str | bytes) for kind in set(map(type, values)))


def encode_labels(y: ArrayLike) -> tuple[Array, Array]:
    """The classes, sorted, and the code of each row; two classes are found without sorting the rows."""
    y = label_array(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(f"y must hold one label for each row, but has shape {y.shape}")
    found = _two_classes(y) or _small_numbers(y) or _texts(y)
    if found is not None:
        return found
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        wrong = ~np.isfinite(y)
        rows = counted(int(wrong.sum()), "row")
        raise ValueError(f"y holds NaN or infinity in {rows}, first in row {wrong.argmax()}: drop them")
    if y.dtype.kind == "c":
        raise ValueError(f"y is of type {y.dtype}, such as {y[0]}: labels must be numbers, texts or the like")
    if y.dtype.kind in "OMm":
        missing = _missing(y)
        if missing.any():
            labels = counted(int(missing.sum()), "missing label")
            raise ValueError(f"y holds {labels}, first in row {missing.argmax()}: drop them")
        _refuse_compound(y)
    if y.dtype.kind == "f" and (y != np.floor(y)).any():
        raise ValueError("Unknown label type: continuous; y must hold classes, but has numbers with a fraction")
    try:
        classes, codes = np.unique(y, return_inverse=True)
    except TypeError as error:
        raise ValueError("y mixes types that have no order, such as text and numbers: make them one") from error
    if len(classes) < 2:
        raise ValueError(
            f"y has one class only, {classes[:1].tolist()[0]!r}, in {counted(len(y), 'row')}: two or more are needed"
        )
    return classes, codes


def _two_classes(y: Array) -> tuple[Array, Array] | None:
    """The classes and codes of numbers or texts of which there are just two, whole and finite; else None."""
    if y.dtype.kind not in "biufUS":
        return None
    first = y == y[0]
    found = np.count_nonzero(first)
    if found == len(y):
        return None
    other = y[first.argmin()]
    second = y == other
    if found + np.count_nonzero(second) < len(y):
        return None
    pair = np.array([y[0], other], dtype=y.dtype)
    if y.dtype.kind == "f" and not (np.isfinite(pair) & (pair == np.floor(pair))).all():
        return None
    return (pair, second.view(np.int8)) if y[0] < other else (pair[::-1], first.view(np.int8))


def _small_numbers(y: Array) -> tuple[Array, Array] | None:
    """The classes and codes of integers that lie close together, by counting and not by sorting; else None."""
    if y.dtype.kind not in "iu":
        return None
    low, high = int(y.min()), int(y.max())
    if low == high or high - low >= max(1000, len(y) // 100):
        return None
    shifted = (y - y.min()).astype(np.intp) if y.dtype.kind == "u" else np.subtract(y, low, dtype=np.intp)
    there = np.bincount(shifted) > 0
    number = (np.cumsum(there) - 1).astype(np.min_scalar_type(-np.count_nonzero(there)))  # of few classes a byte a row
    return np.flatnonzero(there).astype(y.dtype) + y.dtype.type(low), number[shifted]


def _texts(y: Array) -> tuple[Array, Array] | None:
    """The classes and codes of texts, of a data frame, too, by a table and not by sorting; else None."""
    if y.dtype.kind not in "OU":
        return None
    texts = y.tolist()
    if set(map(type, texts)) != {str}:
        return None
    classes = sorted(set(texts))
    if len(classes) == 1:
        return None
    code = {text: number for number, text in enumerate(classes)}
    codes = np.fromiter(map(code.__getitem__, texts), np.min_scalar_type(-len(classes)), len(texts))
    return np.array(classes, dtype=y.dtype), codes


def class_totals(codes: Array, weight: Array | None, k: int) -> Array:
    """The sum of the rows' weights in each class."""
    if weight is None and k == 2:
        ones = np.count_nonzero(codes)
        return np.array([len(codes) - ones, ones], dtype=np.float64)
    return np.bincount(codes, weights=weight, minlength=k).astype(np.float64)


def _missing(y: Array) -> Array:
    """None, NaN, NaT and pandas' NA, whose comparison has no truth."""
    if y.dtype.kind in "Mm":
        return np.isnat(y)
    return np.array([label is None or type(label).__name__ == "NAType" or _is_nan(label) for label in y])


def _is_nan(label: Any) -> bool:
    different = label != label
    return isinstance(different, bool | np.bool_) and bool(different)


def _refuse_compound(y: Array) -> None:
    for row, label in enumerate(y):
        if hasattr(label, "__len__") and not isinstance(label, str | bytes):
            raise ValueError(f"y holds {label!r:.60} ({type(label).__name__}) in row {row}: each row has one label")


def checked_weights(sample_weight: ArrayLike | None, n: int) -> Array | None:
    """The rows' weights as n numbers of at least 0 that are not all 0; None where none are given."""
    weight = weights_of_a_part(sample_weight, n)
    if weight is not None and not weight.any():
        raise ValueError("sample_weight is zero for every row: at least one row must count")
    return weight


def weights_of_a_part(sample_weight: ArrayLike | None, n: int) -> Array | None:
    """The same of rows beside which there are others: all may be 0."""
    if sample_weight is None:
        return None
    given = unmasked(sample_weight, "sample_weight")
    try:
        weight = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample_weight must hold a number for each row: {error}") from error
    if weight.ndim == 0:
        weight = np.full(n, float(weight))
    if weight.shape != (n,):
        raise ValueError(f"sample_weight has shape {weight.shape}, but y has {counted(n, 'row')}")
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        raise ValueError(
            f"sample_weight must be finite and at least 0, but is {weight[wrong.argmax()]} in row {wrong.argmax()}"
        )
    with np.errstate(over="ignore"):
        total = weight.sum()
    if not np.isfinite(total):
        raise ValueError(f"sample_weight adds up to infinity: divide it by a number, such as its {weight.max():g}")
    return weight


def row_weights(
    sample_weight: ArrayLike | None, class_weight: Mapping[Any, float] | str | None, classes: Array, codes: Array
) -> Array | None:
    """The product of the row's weight and its class's, or None where all are 1."""
    weight = checked_weights(sample_weight, len(codes))
    if weight is not None:
        for code, total in enumerate(np.bincount(codes, weights=weight, minlength=len(classes))):
            if total == 0:
                name = classes[code : code + 1].tolist()[0]
                raise ValueError(f"sample_weight is 0 for every row of class {name!r}: drop the class")
    if class_weight is None:
        return weight
    totals = np.bincount(codes, weights=weight, minlength=len(classes))
    if class_weight == "balanced":
        by_class = totals.sum() / (len(classes) * totals)
    elif isinstance(class_weight, Mapping):
        by_class = _by_class(class_weight, classes)
        if not (np.isfinite(by_class) & (by_class > 0)).all():
            raise ValueError("class_weight must be finite and positive for every class")
    else:
        raise ValueError(f"class_weight must be None, 'balanced' or a dict, not {class_weight!r}")
    return np.asarray(by_class[codes] if weight is None else weight * by_class[codes])


def _by_class(class_weight: Mapping[Any, float], classes: Array) -> Array:
    """The weight of each class, 1 where none is named; a date is known by Python's name and by NumPy's, in any unit."""
    by_class, codes = np.ones(len(classes)), {label: code for code, label in enumerate(classes.tolist())}
    times = classes.dtype.kind in "Mm"
    for key, weight in class_weight.items():
        code = _code_of_time(key, classes) if times else codes.get(key)
        if code is None:
            known = (classes.astype(str) if times else classes).tolist()
            raise ValueError(f"class_weight names {key!r}, which is not a class in y: {known!r}")
        by_class[code] = weight
    return by_class


def _code_of_time(key: Any, classes: Array) -> int | None:
    try:
        named = classes == classes.dtype.type(key)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(named.argmax()) if named.any() else None


@dataclass(frozen=True)
class Labels:
    """Classes; their code in each row; the rows' weights, None where all are 1; each class's sum of them; its name."""

    classes: Array
    codes: Array
    weight: Array | None
    totals: Array
    names: Sequence[Any]

    unit: ClassVar[float] = 1.0

    @classmethod
    def of(
        cls, y: ArrayLike, sample_weight: ArrayLike | None, class_weight: Any, names: Sequence[str] | None
    ) -> "Labels":
        classes, codes = encode_labels(y)
        weight = row_weights(sample_weight, class_weight, classes, codes)
        return cls(classes, codes, weight, class_totals(codes, weight, len(classes)), names or classes.tolist())

    @classmethod
    def among(cls, classes: Array, y: ArrayLike, argument: str) -> "Labels":
        """Labels as codes of classes known beforehand; the argument that brought them is named where they are not."""
        y = np.asarray(y)
        try:
            codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
        except TypeError as error:
            raise ValueError(
                f"{argument} got labels such as {y[:1].tolist()[0]!r}, which have no order beside the classes "
                f"{classes.tolist()!r}: pass labels of the same type"
            ) from error
        unknown = classes[codes] != y
        if unknown.any():
            found = y[unknown].tolist()[0]
            raise ValueError(
                f"{argument} got label {found!r} in row {unknown.argmax()}, which is none of the classes "
                f"{classes.tolist()!r}: drop it, or announce it"
            )
        return cls(classes, codes, None, np.bincount(codes, minlength=len(classes)), classes.tolist())

    def like(self, y: ArrayLike) -> "Labels":
        """Other rows' labels, of the same classes."""
        return Labels.among(self.classes, y, "eval_set")

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.codes)

    @property
    def outputs(self) -> int:
        """The logits of a row: one for two classes."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    @property
    def loss(self) -> Loss:
        """The one that belongs to as many outputs."""
        return SIGMOID if self.outputs == 1 else SOFTMAX

    @property
    def values(self) -> Array:
        """What the loss takes as y: of two classes one byte a row."""
        return self.codes.astype(np.int8, copy=False) if self.outputs == 1 else self.codes

    @property
    def total_weight(self) -> float:
        """The sum of the rows' weights."""
        return float(self.totals.sum())

    @property
    def base(self) -> Array:
        """The biases that are best without features: the log-odds of the classes."""
        logs = np.log(self.totals)
        return logs[1:] - logs[:1] if len(logs) == 2 else logs - logs.mean()

    def cost_alone(self, bias: bool) -> float:
        """The mean loss without features, in nats: the entropy of the classes, or of so many alike."""
        if not bias:
            return math.log(len(self.classes))
        shares = self.totals / self.total_weight
        return -float((shares * np.log(shares)).sum())

    @property
    def strata(self) -> Array:
        """Within which rows are held out at random."""
        return self.codes

    def enough(self, precision: float) -> float:
        """The least cost at which a row can be on the wrong side: its own at probability 1/2, and no other's."""
        least = 1.0 if self.weight is None else float(self.weight[self.weight > 0].min())
        return float(least * math.log(2) / self.total_weight)

    def to_user(self, stack: Sequence[Array]) -> list[Array]:
        """Weights of each layer: those of labels are in nats, and need no other unit."""
        return list(stack)

    def from_user(self, stack: Sequence[Array]) -> list[Array]:
        """The inverse of `to_user`."""
        return list(stack)

    def weighted(self, weight: Array | None) -> "Labels":
        """The same with weights of the rows."""
        return replace(self, weight=weight, totals=class_totals(self.codes, weight, len(self.classes)))

    def take(self, rows: Array) -> "Labels":
        """Those of some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, codes=self.codes[rows]).weighted(weight)
