"""The pictures of a saved model: which there are, what of a table each needs, and how it is drawn."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer import plots, tables
from onelayer.diagnostics import MOST_WEIGHTS, standard_errors
from onelayer.files import write_whole
from onelayer.model import Model, probabilities
from onelayer.network import ACTIVATIONS, forward
from onelayer.training import train

Array = NDArray[Any]

PATH_OF_C = np.geomspace(1e-3, 1e3, 19)  # times the model's own C
# steps of gradient descent after which the weights are shown: close together while they move
STEPS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 64, 80, 100, 128, 160, 200)


@dataclass(frozen=True)
class Wish:
    """What a person asks of a picture beside its kind."""

    output: Path
    top: int = 15
    features: Sequence[str] = ()
    threshold: float | None = None
    costs: tuple[float, float] = (1.0, 1.0)
    positive: str | None = None


@dataclass(frozen=True)
class Judged:
    """A model with the rows of a table whose labels are known; rows that cannot be answered are left out.

    It has the face of a fitted classifier over features in the table's own units.
    """

    model: Model
    table: Any

    @cached_property
    def _encoded(self) -> tuple[Any, Array, int]:
        frame = tables.read(self.table)
        raw = tables.column(frame, self.model.target)
        labels = tables.as_text(raw)
        encoded = self.model.encoder.transform(frame.drop(self.model.target))
        kept = np.setdiff1d(np.arange(frame.height), list(encoded.unanswerable))
        if not len(kept):
            raise tables.TableError("no row can be answered, so there is nothing to draw")
        if not self.model.classes:
            return encoded.X[kept], tables.as_numbers(raw)[kept], len(encoded.unanswerable)
        y = np.array(labels.to_list(), dtype=object)[kept]
        unknown = [label for label in y if label not in self.model.classes]
        if unknown:
            raise tables.TableError(
                f"column {self.model.target!r} holds {unknown[0]!r}, but the model knows "
                f"{', '.join(self.model.classes)}: correct or drop such rows"
            )
        return encoded.X[kept], y.astype(str), len(encoded.unanswerable)

    @property
    def encoded(self) -> Any:
        """Features as the model sees them, numbers centred and scaled."""
        return self._encoded[0]

    @property
    def y(self) -> Array:
        """Labels, or numbers."""
        return self._encoded[1]

    @property
    def unanswered(self) -> int:
        """How many rows are left out."""
        return self._encoded[2]

    @property
    def names(self) -> list[str]:
        """Of the features."""
        return self.model.encoder.feature_names

    @cached_property
    def _units(self) -> tuple[Array, Array]:
        """Offset and scale of each feature: those of its column for a number, 0 and 1 for others."""
        offset, scale, place = np.zeros(len(self.names)), np.ones(len(self.names)), 0
        for column in self.model.encoder.columns:
            if column.kind == "number":
                offset[place], scale[place] = column.values[:2]
            place += column.width
        return offset, scale

    @cached_property
    def X(self) -> Any:
        """Features, numbers in the units of the table."""
        offset, scale = self._units
        encoded = self.encoded
        if isinstance(encoded, np.ndarray):
            return encoded * scale + offset
        ones = sp.csr_matrix(np.ones((encoded.shape[0], 1)))
        return (encoded @ sp.diags(scale) + ones @ sp.csr_matrix(offset)).tocsr()

    @property
    def classes_(self) -> Array:
        """The model's."""
        return np.array(self.model.classes)

    @property
    def threshold(self) -> float:
        """The model's."""
        return self.model.threshold

    @property
    def coef_(self) -> Array:
        """Weights per unit of the table's columns; with hidden layers there are none."""
        if self.model.hidden:
            raise AttributeError("a stack of layers has no coef_")
        return self.in_units(self.model.weights)[:, :-1]

    @property
    def intercept_(self) -> Array:
        """Bias."""
        return self.in_units(self.model.weights)[:, -1]

    def in_units(self, weights: Array) -> Array:
        """Weights of the encoded features as those of the table's own units."""
        offset, scale = self._units
        w = weights[..., :-1] / scale
        return np.concatenate([w, (weights[..., -1] - w @ offset)[..., None]], axis=-1)

    def decision_function(self, X: Any) -> Array:
        """Logits in nats, (n,) for two classes, else (n, k)."""
        first, *others = [*self.model.hidden, self.model.weights]
        stack = [(w[:, :-1].T, w[:, -1]) for w in [self.in_units(first), *others]]
        return np.asarray(forward(X, stack, ACTIVATIONS[self.model.activation])[0])

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, (n, k)."""
        return probabilities(self.decision_function(X))

    @cached_property
    def p(self) -> Array:
        """Probability of each class for each row."""
        return self.predict_proba(self.X)

    @property
    def C(self) -> float:
        """What the model was fitted with."""
        C = self.model.fitted.get("C")
        return np.inf if C is None else float(C)


def _weights(seen: Any, wish: Wish, ax: Any) -> None:
    model = seen.model
    names, values, classes = model.encoder.feature_names, model.weights[:, :-1], model.classes
    errors = None
    if model.task == "regression":
        plots.weights(names, values, most=wish.top, ax=ax)
        ax.set_xlabel(f"weight ({model.target}, for one standard deviation of a number)", parse_math=False)
        return
    if seen.table is not None and model.weights.size > MOST_WEIGHTS:
        warnings.warn(f"no intervals: {model.weights.size:,} weights are too many for them", stacklevel=2)
    elif seen.table is not None:
        errors = standard_errors(seen.encoded, model.weights, C=seen.C)[:, :-1]
    plots.weights(names, values, errors=errors, most=wish.top, classes=classes, ax=ax)


def _history(model: Model) -> list[SimpleNamespace]:
    entries = model.fitted.get("history")
    if not entries:
        raise ValueError("the model was saved without the history of its fit: fit and save it again")
    return [SimpleNamespace(**entry) for entry in entries]


def _cost(seen: Any, wish: Wish, ax: Any) -> None:
    plots.cost(_history(seen.model), ylabel=_cost_label(seen.model), ax=ax)


def _cost_label(model: Model) -> str:
    return "cost (nats per row)" if model.classes else f"cost (half a square of {model.target} per row)"


def _gap(seen: Any, wish: Wish, ax: Any) -> None:
    history, relative = _history(seen.model), seen.model.fitted["optimality_gap"]
    plots.gap(history, optimum=None if relative is None else history[-1].cost / (1 + relative), ax=ax)


def _boundary(seen: Any, wish: Wish, ax: Any) -> None:
    features = wish.features or None
    plots.decision_boundary(seen, seen.X, seen.y, features=features, threshold=wish.threshold, names=seen.names, ax=ax)


def _projection(seen: Any, wish: Wish, ax: Any) -> None:
    plots.projection(seen, seen.X, seen.y, positive=wish.positive, threshold=wish.threshold, ax=ax)


def _roc(seen: Any, wish: Wish, ax: Any) -> None:
    plots.roc(seen.y, seen.p, classes=seen.classes_, ax=ax)


def _precision_recall(seen: Any, wish: Wish, ax: Any) -> None:
    plots.precision_recall(seen.y, seen.p, classes=seen.classes_, ax=ax)


def _calibration(seen: Any, wish: Wish, ax: Any) -> None:
    plots.calibration(seen.y, seen.p, classes=seen.classes_, ax=ax)


def _threshold(seen: Any, wish: Wish, ax: Any) -> None:
    chosen = seen.threshold if wish.threshold is None else wish.threshold
    plots.threshold(
        seen.y, seen.p, costs=wish.costs, chosen=chosen, positive=wish.positive, classes=seen.classes_, ax=ax
    )


def _confusion(seen: Any, wish: Wish, ax: Any) -> None:
    plots.confusion(seen.y, seen.model.labels(seen.p), classes=seen.classes_, ax=ax)


def _regularisation(seen: Any, wish: Wish, ax: Any) -> None:
    """Fits anew on the table, warm-started from the strongest penalty to the weakest."""
    numbers, weights, found = seen.model.task == "regression", None, []
    y = seen.y if numbers else _codes(seen)
    Cs = PATH_OF_C * (seen.C if np.isfinite(seen.C) else 1.0)
    for C in Cs:
        start: list[Array] | None = None if weights is None else [weights]
        weights = train(seen.encoded, y, task=seen.model.task, C=float(C), initial=start).weights
        found.append(weights)
    k = 0 if len(weights) == 1 else _class(seen, wish)  # type: ignore[arg-type]
    of = "" if numbers else f"log-odds of {seen.model.classes[1 if len(seen.model.classes) == 2 else k]}"
    values = np.array([w[k, :-1] for w in found])
    plots.regularisation_path(
        Cs,
        values,
        seen.names,
        chosen=seen.C,
        most=min(wish.top, 8),
        ylabel=f"weight ({of or seen.model.target})",
        ax=ax,
    )


def _path(seen: Any, wish: Wish, ax: Any) -> None:
    weights = _learnt(seen)
    plots.weight_path(weights, seen.encoded, seen.y, C=seen.C, names=seen.names, classes=seen.classes_, ax=ax)


def _animation(seen: Any, wish: Wish, ax: Any) -> None:
    weights = seen.in_units(_learnt(seen))
    at = seen.threshold if wish.threshold is None else wish.threshold
    plots.animation(
        weights,
        seen.X,
        seen.y,
        wish.output,
        steps=STEPS,
        per_second=4,
        features=wish.features or None,
        threshold=at,
        names=seen.names,
        classes=seen.classes_,
        ax=ax,
    )


def _learnt(seen: Any) -> Array:
    """Weights after each of `STEPS` of gradient descent from nought on the table, with the model's C."""
    codes, k = _codes(seen), len(seen.model.weights)
    weights = [np.zeros((k, len(seen.names) + 1))]
    for before, after in pairwise(STEPS):
        fit = train(seen.encoded, codes, C=seen.C, solver="gd", max_iter=after - before, tol=0, initial=weights[-1:])
        weights.append(fit.weights)
    return np.array(weights)


def _codes(seen: Any) -> Array:
    missing = [label for label in seen.model.classes if label not in set(seen.y)]
    if missing:
        raise tables.TableError(f"the table has no row of class {missing[0]!r}: this picture fits anew, and needs all")
    return np.array([seen.model.classes.index(label) for label in seen.y])


def _class(seen: Any, wish: Wish) -> int:
    if wish.positive is None:
        return len(seen.model.classes) - 1
    if wish.positive not in seen.model.classes:
        raise ValueError(f"class {wish.positive!r} is unknown: the model knows {', '.join(seen.model.classes)}")
    return int(seen.model.classes.index(wish.positive))


KINDS: dict[str, Callable[[Any, Wish, Any], None]] = {
    "weights": _weights,
    "cost": _cost,
    "gap": _gap,
    "boundary": _boundary,
    "projection": _projection,
    "roc": _roc,
    "precision-recall": _precision_recall,
    "calibration": _calibration,
    "threshold": _threshold,
    "confusion": _confusion,
    "regularisation": _regularisation,
    "path": _path,
    "animation": _animation,
}
WITHOUT_DATA = ("weights", "cost", "gap")
OF_NUMBERS = ("weights", "cost", "gap", "regularisation")
OF_ONE_LAYER = ("weights", "gap", "regularisation", "path", "animation")  # of its weights, or of its known optimum


def draw(model: Model, kind: str, table: Any, wish: Wish) -> int:
    """Draw a picture of a model, and of a table where it needs one, into a file.

    Parameters
    ----------
    model : Model
    kind : one of `KINDS`
    table : whatever `onelayer.tables.read` takes, or None
    wish : Wish

    Returns
    -------
    int
        How many rows of the table could not be answered, and are left out.

    Raises
    ------
    ValueError
        If the kind needs a table and there is none, or the table does not fit the model.
    ImportError
        If matplotlib is not installed.
    """
    _refuse(model, kind)
    if table is None and kind not in WITHOUT_DATA:
        raise ValueError(f"the picture {kind!r} is drawn from rows: name a table with known labels after the model")
    if kind == "animation" and wish.output.suffix.lower() != ".gif":
        raise ValueError(f"an animation is a GIF: name it {wish.output.with_suffix('.gif')}")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'onelayer[plot]'") from error
    seen = Judged(model, table)
    height = 4.8 if kind != "weights" else max(3.0, 0.9 + 0.32 * min(wish.top, model.weights.shape[1] - 1))
    figure = Figure(figsize=(7, height), layout="constrained")
    KINDS[kind](seen, wish, figure.add_subplot())
    if kind != "animation":
        write_whole(wish.output, _as_file(figure, wish.output))
    return 0 if table is None or kind in WITHOUT_DATA[1:] else seen.unanswered


def _refuse(model: Model, kind: str) -> None:
    """A picture that the model has no such thing for."""
    drawn = [k for k in KINDS if (model.classes or k in OF_NUMBERS) and not (model.hidden and k in OF_ONE_LAYER)]
    if kind in drawn:
        return
    why = "is of classes, but the model predicts numbers" if not model.classes and kind not in OF_NUMBERS else ""
    why = why or "is of one layer, but the model has hidden ones"
    raise ValueError(f"the picture {kind!r} {why}: draw {', '.join(drawn)}")


def _as_file(figure: Any, output: Path) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=output.suffix[1:] or "png", dpi=150)
    return buffer.getvalue()
