"""A classifier over two of its features, the others held at their medians: what a picture of a boundary is drawn from.

Whatever has ``predict_proba`` and ``classes_`` will do. One that has ``coef_`` and ``intercept_`` too, and whose
probabilities are the sigmoid or softmax of that line, is drawn exactly; any other on a grid.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.masks import unmasked
from onelayer.objective import losses
from onelayer.plots.canvas import Array, check_finite, codes_of
from onelayer.plots.lines import two_weights

LEAST = np.finfo(np.float64).tiny  # what a column of noughts is divided by
MOST_ROWS = 10_000  # from which medians and spreads are taken: they only choose the plane


@dataclass(frozen=True)
class Plane:
    """Two features of rows, and a classifier's probabilities over them.

    ``probability`` takes places (m, 2) and gives (m, k). ``weights`` are its (1, 3) or (k, 3) with the bias last, None
    where it is no line. ``chosen`` are the places of the two features, ``medians`` those of all,
    ``faithful`` the share of rows for which the class that is said is the same on this plane as it is for the row.
    """

    names: tuple[str, str]
    points: Array
    codes: NDArray[np.intp]
    classes: tuple[str, ...]
    probability: Callable[[Array], Array]
    weights: Array | None
    chosen: tuple[int, int] = (0, 1)
    medians: Array = field(default_factory=lambda: np.zeros(2))
    faithful: float = 1.0

    @property
    def caveat(self) -> str:
        """What a picture of some of the features cannot show, for the axis."""
        if len(self.medians) == 2:
            return ""
        still = len(self.medians) - 2
        others = "other feature at its median" if still == 1 else f"other {still:,} features at their medians"
        return f"\n(the {others}: {100 * self.faithful:.0f} % of rows lie on the model's side)"

    def with_weights(self, coefficients: Array) -> "Plane":
        """The same places with the line of other weights, (1 or k, d + 1)."""
        line = _restricted(coefficients, self.chosen, self.medians)
        return replace(self, weights=line, probability=_of(line))

    @property
    def flat(self) -> bool:
        """Whether the probabilities are the same everywhere."""
        if self.weights is None:
            return False
        slopes = self.weights[:, :2]
        return not (slopes if len(slopes) == 1 else slopes - slopes[0]).any()

    @classmethod
    def of_line(
        cls,
        weights: Sequence[float] | Array,
        bias: float,
        X: Any,
        y: ArrayLike,
        names: Sequence[str] | None,
        classes: Sequence[Any] | None,
    ) -> "Plane":
        """The plane of a neuron with two weights, of labels 0 and 1."""
        line = np.array([[*two_weights(weights), bias]], dtype=np.float64)
        check_finite("bias", line[0, 2:])
        X = matrix(X)
        if X.shape[1] != 2:
            raise ValueError(f"X has shape {X.shape}, not (n, 2); {_two_columns(X)}")
        first, second = _names(names, None, None, 2)
        _check_cells(X, (0, 1), (first, second))
        codes = codes_of(y, (0, 1), len(X))
        return cls((first, second), X, codes, class_names(classes, (0, 1)), _of(line), line)

    @classmethod
    def of_model(
        cls,
        model: Any,
        X: Any,
        y: ArrayLike,
        features: Sequence[int | str] | None,
        names: Sequence[str] | None,
        classes: Sequence[Any] | None,
        threshold: float,
    ) -> "Plane":
        """The plane of two features of a fitted classifier: those named, or the two that move its logits most."""
        known = classes_of(model)
        X = as_fitted(model, X)
        columns, X = getattr(X, "columns", None), matrix(X)
        n, d = X.shape
        if d < 2:
            raise ValueError(f"X has {d} column{'s' * (d != 1)}; a boundary needs two: draw the projection instead")
        names = _names(names, columns, model, d)
        codes = codes_of(y, known, n)
        some = np.sort(np.random.default_rng(0).choice(n, min(n, MOST_ROWS), replace=False))
        coefficients = linear(model, X[some[:50]])
        chosen = _chosen(features, names, _influence(coefficients, X[some], d))
        points = np.column_stack([column_of(X, j) for j in chosen])
        _check_cells(points, chosen, names)
        medians = _medians(X[some])
        check_finite("the median of each column of X", medians)
        two = (names[chosen[0]], names[chosen[1]])
        line = None if coefficients is None else _restricted(coefficients, chosen, medians)
        probability = _on_plane(model, medians, chosen) if line is None else _of(line)
        agree = _said(probability(points[some]), threshold) == _said(probabilities(model, X[some]), threshold)
        labels = class_names(classes, known)
        return cls(two, points, codes, labels, probability, line, chosen, medians, float(agree.mean()))


@dataclass(frozen=True)
class Neurons:
    """Weights (1 or k, d + 1), the bias last, with the face of a fitted classifier."""

    weights: Array
    classes_: Array

    @property
    def coef_(self) -> Array:
        """(1 or k, d)."""
        return self.weights[:, :-1]

    @property
    def intercept_(self) -> Array:
        """(1 or k,)."""
        return self.weights[:, -1]

    def predict_proba(self, X: Any) -> Array:
        """(n, 2 or k)."""
        return losses.probabilities(np.asarray(X @ self.coef_.T + self.intercept_))


def matrix(X: Any) -> Any:
    """(n, d) numbers: a NumPy array, or CSR if it came sparse."""
    if hasattr(X, "tocsr"):
        return X.tocsr()
    cells = unmasked(X, "X")
    try:
        if cells.dtype.kind in "mMc":
            raise TypeError(f"holds {cells.dtype} values")
        X = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X {_no_number(X) or error}; encode that column or leave it out") from error
    if X.ndim != 2 or len(X) == 0:
        raise ValueError(f"X has shape {X.shape}, not (n, d); {_two_columns(X)}")
    return X


def _no_number(X: Any) -> str:
    """The first column, by name or place, with a cell that is no number, and such a cell."""
    named = hasattr(X, "columns")
    rows = X if named else np.asarray(X, dtype=object)
    for column in X.columns if named else range(rows.shape[1] if rows.ndim == 2 else 0):
        for cell in rows[column] if named else rows[:, column]:
            try:
                float(cell)
            except (TypeError, ValueError):
                return f"has {cell!r:.40} in column {column!r}, which is no number"
    return ""


def classes_of(model: Any) -> list[Any]:
    """What a fitted classifier tells apart."""
    if not hasattr(model, "classes_"):
        kind = type(model).__name__
        raise TypeError(f"{kind} has no classes_; pass a fitted classifier, whose boundary there is to draw")
    return list(model.classes_)


def as_fitted(model: Any, X: Any) -> Any:
    """A frame's columns as a model knows them by name, in its order."""
    known = list(getattr(model, "feature_names_in_", []))
    if not known or not hasattr(X, "columns") or list(X.columns) == known:
        return X
    missing = [name for name in known if name not in set(X.columns)]
    if missing:
        raise ValueError(
            f"X has no column {missing[0]!r}, which the model was fitted with; pass {', '.join(known[:5])}"
        )
    return X[known]


def _said(p: Array, threshold: float) -> Array:
    """The class of each row: of two, the second where its probability is above the threshold."""
    return np.asarray(p[:, 1] > threshold if p.shape[1] == 2 else p.argmax(axis=1))


def _check_cells(points: Array, chosen: tuple[int, int], names: Sequence[str]) -> None:
    if not np.isfinite(points).all():
        row, side = np.argwhere(~np.isfinite(points))[0]
        column = chosen[side]
        raise ValueError(
            f"X has {points[row, side]} in row {row}, column {column} ({names[column]!r}); drop or fill that row"
        )


def linear(model: Any, X: Any) -> Array | None:
    """The classifier's (k, d + 1) with the bias last, if its probabilities on these rows are those of that line."""
    if not (hasattr(model, "coef_") and hasattr(model, "intercept_")):
        return None
    coef = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    bias = np.broadcast_to(np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64)), len(coef))
    if len(coef) != (1 if len(model.classes_) == 2 else len(model.classes_)) or coef.shape[1] != X.shape[1]:
        return None
    weights = np.column_stack([coef, bias])
    return weights if np.allclose(losses.probabilities(X @ coef.T + bias), probabilities(model, X), atol=1e-5) else None


def probabilities(model: Any, X: Any) -> Array:
    """(n, k), whatever names the columns had when it was fitted."""
    return asked(model.predict_proba, X)


def asked(answer: Callable[[Any], Any], X: Any) -> Array:
    """What a method of a classifier says of rows without names, which scikit-learn would warn of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        return np.asarray(answer(X), dtype=np.float64)


def threshold_of(model: Any, k: int) -> float | None:
    """The probability of class k above which it is said, of two; of more the most probable is, and there is none."""
    if len(model.classes_) != 2:
        return None
    at = float(getattr(model, "threshold", 0.5))
    return at if k == 1 else 1 - at


def _of(line: Array) -> Callable[[Array], Array]:
    def probability(places: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):  # only the shade would suffer, the line is exact
            return losses.probabilities(places @ line[:, :2].T + line[:, 2])

    return probability


def _restricted(coefficients: Array, chosen: tuple[int, int], medians: Array) -> Array:
    """(1 or k, 3): the weights of two features, and a bias that holds the others' part."""
    still = np.where(np.isin(np.arange(len(medians)), chosen), 0, medians)
    bias = coefficients[:, -1] + coefficients[:, :-1] @ still
    return np.column_stack([coefficients[:, chosen], bias])


def _on_plane(model: Any, medians: Array, chosen: tuple[int, int]) -> Callable[[Array], Array]:
    def probability(places: Array) -> Array:
        parts = []
        for part in np.array_split(places, max(1, places.shape[0] * len(medians) // 2**22)):  # 32 MB at a time
            rows = np.tile(medians, (len(part), 1))
            rows[:, chosen] = part
            parts.append(probabilities(model, rows))
        return np.vstack(parts)

    return probability


def _influence(coefficients: Array | None, X: Any, d: int) -> Array:
    """How far each feature moves the logits: its weights' size times its spread; the first two where unknown."""
    if coefficients is None:
        return np.append(np.ones(2), np.zeros(d - 2))
    with np.errstate(over="ignore", invalid="ignore"):  # cells that cannot be drawn are refused by name, later
        return np.asarray(np.hypot.reduce(coefficients[:, :-1], axis=0) * _spreads(X))


def _spreads(X: Any) -> Array:
    """Standard deviations: a column's mean may be a billion times as large, and its squares beyond all numbers."""
    n, d = X.shape
    if not hasattr(X, "tocsc"):
        largest = np.maximum(np.abs(X).max(axis=0), LEAST)
        return np.asarray(largest * (X / largest).std(axis=0))
    X = X.tocsc()
    X.sum_duplicates()
    column, stored = np.repeat(np.arange(d), np.diff(X.indptr)), np.diff(X.indptr)
    largest = np.full(d, LEAST)
    np.maximum.at(largest, column, np.abs(X.data))
    cells = X.data / largest[column]
    mean = np.bincount(column, cells, d) / n
    squares = np.bincount(column, (cells - mean[column]) ** 2, d) + (n - stored) * mean**2
    return np.asarray(largest * np.sqrt(squares / n))


def _chosen(features: Sequence[int | str] | None, names: Sequence[str], influence: Array) -> tuple[int, int]:
    if features is None:
        first, second = sorted(np.argsort(-influence, kind="stable")[:2].tolist())
        return first, second
    if isinstance(features, str) or len(features) != 2:
        raise ValueError(f"features is {features!r}; pass two, by name or position")
    first, second = _position(features[0], names), _position(features[1], names)
    if first == second:
        raise ValueError(f"features has {names[first]!r} twice; pass two different ones")
    return first, second


def _position(feature: int | str, names: Sequence[str]) -> int:
    if feature in names:
        return list(names).index(str(feature))
    if isinstance(feature, int | np.integer) and 0 <= feature < len(names):
        return int(feature)
    listed = ", ".join(map(repr, names[:5])) + (", …" if len(names) > 5 else "")
    raise ValueError(f"features has {feature!r}; pass names among {listed}, or positions from 0 to {len(names) - 1}")


def column_of(X: Any, j: int) -> Array:
    """One column of an array or a sparse matrix, as (n,) numbers."""
    column = X[:, [j]]
    return np.asarray(column.toarray() if hasattr(column, "toarray") else column, dtype=np.float64)[:, 0]


def _medians(X: Any) -> Array:
    if not hasattr(X, "tocsc"):
        return np.asarray(np.median(X, axis=0))
    X = X.tocsc()
    medians = np.zeros(X.shape[1])  # the median of a column that is zero in more than half of its rows
    for j in np.flatnonzero(2 * np.diff(X.indptr) >= X.shape[0]):
        medians[j] = np.median(column_of(X, int(j)))
    return medians


def _names(names: Sequence[str] | None, columns: Any, model: Any, d: int) -> tuple[str, ...]:
    given = names if names is not None else columns
    given = getattr(model, "feature_names_in_", None) if given is None else given
    if given is None:
        return tuple(f"x{j + 1}" for j in range(d))
    if isinstance(given, str) or len(given) != d:
        raise ValueError(f"names is {given!r}; pass {d} of them")
    return tuple(map(str, given))


def class_names(names: Sequence[Any] | None, known: Sequence[Any]) -> tuple[str, ...]:
    """Those given, one for each class, or the labels themselves."""
    if names is None:
        return tuple(f"class {label}" if not isinstance(label, str) else label for label in known)
    if isinstance(names, str) or len(names) != len(known):
        raise ValueError(f"classes is {names!r}; pass {len(known)} of them")
    return tuple(map(str, names))


def _two_columns(X: Array) -> str:
    return "it looks transposed: pass X.T" if X.ndim == 2 and X.shape[0] == 2 else "pass two columns"
