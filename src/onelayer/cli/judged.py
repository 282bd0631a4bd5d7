"""A saved model with the rows of a table whose labels are known: what its pictures are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer import tables
from onelayer.model import Model
from onelayer.objective.losses import probabilities
from onelayer.objective.network import ACTIVATIONS, forward

Array = NDArray[Any]

MOST_LISTED = 8  # classes in a sentence


@dataclass(frozen=True)
class Judged:
    """A model with the rows of a table whose labels are known; rows that cannot be answered are left out.

    It has the face of a fitted classifier over features in the table's own units.
    """

    model: Model
    table: Any

    @cached_property
    def _encoded(self) -> tuple[Any, Array, dict[int, str]]:
        encoded, _, y, kept = self.model.known(self.table)
        if not len(kept):
            raise tables.TableError("no row can be answered, so there is nothing to draw")
        return encoded.X[kept], self.classes_[y[kept]] if self.model.classes else y[kept], encoded.unanswerable

    @property
    def encoded(self) -> Any:
        """Features as the model sees them, numbers centred and scaled."""
        return self._encoded[0]

    @property
    def y(self) -> Array:
        """Labels, or numbers."""
        return self._encoded[1]

    @property
    def unanswered(self) -> dict[int, str]:
        """The rows that are left out, counted from 0, and why."""
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


def listed(classes: Sequence[str]) -> str:
    """Names in a sentence, of many the first."""
    return ", ".join(classes[:MOST_LISTED]) + (
        f" and {len(classes) - MOST_LISTED} others" if len(classes) > MOST_LISTED else ""
    )
