"""A fitted table: its columns, weights and threshold; predictions, their quality and their reasons; saved as data."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer import storage, tables
from onelayer.losses import cross_entropy, log_loss, sigmoid, softmax

Array = NDArray[Any]


@dataclass(frozen=True)
class Model:
    """What predicts the labels of a table's rows.

    ``weights`` are (k, d + 1), the bias last; ``fitted`` and ``held_out`` say how it was fitted and how good it was on
    rows it had not seen.
    """

    target: str
    classes: tuple[str, ...]
    weights: Array
    encoder: tables.Encoder
    threshold: float = 0.5
    fitted: dict[str, Any] = field(default_factory=dict)
    held_out: dict[str, Any] = field(default_factory=dict)

    def logits(self, encoded: tables.Encoded) -> Array:
        """z in nats, (n,) for two classes, else (n, k)."""
        z = np.asarray(encoded.X @ self.weights[:, :-1].T + self.weights[:, -1])
        return z[:, 0] if len(self.classes) == 2 else z

    def predict_proba(self, table: Any) -> Array:
        """Probability of each class for each row, (n, k); NaN, with a warning, where a row cannot be answered.

        A row of a table of texts that holds no known word is answered by the bias alone, with a warning too.
        """
        return self._answered(table)[0]

    def predict(self, table: Any) -> list[str | None]:
        """The label of each row; None, with a warning, where it cannot be answered."""
        probabilities, unanswerable = self._answered(table)
        return [None if i in unanswerable else label for i, label in enumerate(self.labels(probabilities))]

    def labels(self, probabilities: Array) -> list[str]:
        """Class 1 where its probability exceeds the threshold; of three or more, the most probable."""
        two = len(self.classes) == 2
        codes = (probabilities[:, 1] > self.threshold).astype(int) if two else probabilities.argmax(axis=1)
        return [self.classes[code] for code in codes]

    def _answered(self, table: Any) -> tuple[Array, dict[int, str]]:
        frame = tables.read(table)
        encoded = self.encoder.transform(frame.drop(self.target, strict=False))
        z = self.logits(encoded)
        probabilities = np.column_stack([sigmoid(-z), sigmoid(z)]) if z.ndim == 1 else softmax(z)
        if encoded.unanswerable:
            row, reason = next(iter(sorted(encoded.unanswerable.items())))
            message = f"{len(encoded.unanswerable)} rows cannot be answered, first row {row + 1}: {reason}"
            warnings.warn(message, tables.TableWarning, stacklevel=3)
            probabilities[list(encoded.unanswerable)] = np.nan
        if encoded.empty.any():
            message = (
                f"{encoded.empty.sum()} rows hold no known word, first row {encoded.empty.argmax() + 1}: "
                "the bias alone answers them"
            )
            warnings.warn(message, tables.TableWarning, stacklevel=3)
        return probabilities, encoded.unanswerable

    def evaluate(self, table: Any) -> dict[str, Any]:
        """How good the model is on rows whose labels are known, beside what the share of each class alone would give.

        Rows that cannot be answered are left out and counted.
        """
        frame = tables.read(table)
        labels = tables.as_text(tables.column(frame, self.target))
        codes = self._codes(labels)
        encoded = self.encoder.transform(frame.drop(self.target))
        kept = np.ones(len(codes), dtype=bool)
        kept[list(encoded.unanswerable)] = False
        if not kept.any():
            raise tables.TableError("no row can be answered, so there is nothing to evaluate")
        z, codes = self.logits(encoded)[kept], codes[kept]
        two = len(self.classes) == 2
        predicted = (sigmoid(z) > self.threshold).astype(int) if two else z.argmax(axis=1)
        share = np.bincount(codes, minlength=len(self.classes)) / len(codes)
        seen = share[share > 0]
        return {
            "rows": len(codes),
            "unanswered": len(encoded.unanswerable),
            "log_loss": float((log_loss if two else cross_entropy)(z, codes).mean()),
            "accuracy": float((predicted == codes).mean()),
            "roc_auc": _roc_auc(z, codes) if two and len(seen) == 2 else None,
            "threshold": self.threshold,
            "base_rate_log_loss": float(-(seen * np.log(seen)).sum()),
            "base_rate_accuracy": float(share.max()),
        }

    def _codes(self, labels: pl.Series) -> Array:
        code = {label: i for i, label in enumerate(self.classes)}
        for row, label in enumerate(labels):
            if label not in code:
                raise tables.TableError(
                    f"column {self.target!r} holds {label!r} in row {row + 1}, but the model knows "
                    f"{', '.join(self.classes)}: correct or drop the row"
                )
        return np.array([code[label] for label in labels])

    def explain(self, top: int = 10) -> list[dict[str, Any]]:
        """The strongest weights: feature, class they speak for, weight in log-odds, and the factor on the odds.

        ``unit`` is how much more of a number, one standard deviation, the weight is for; None for words and levels.
        """
        names, units = self.encoder.feature_names, self.encoder.units
        rows = []
        for k in range(len(self.weights)):
            w = self.weights[k, :-1]
            for j in np.argsort(-np.abs(w), kind="stable")[:top]:
                towards = self.classes[int(w[j] > 0) if len(self.weights) == 1 else k]
                factor = float(np.exp(min(float(w[j]), 700.0)))
                rows.append(
                    {
                        "feature": names[j],
                        "class": towards,
                        "weight": float(w[j]),
                        "odds_ratio": factor,
                        "unit": units[j],
                    }
                )
        return rows

    def explain_row(self, table: Any, row: int = 1) -> dict[str, Any]:
        """Why one row of a table, counted from 1, is answered as it is: what each feature adds to the log-odds.

        They are the log-odds of the second class of two; of more, those of the most probable class against the average
        class. ``bias`` and all ``pushes`` add up to ``log_odds``; the strongest push comes first.

        Examples
        --------
        >>> from onelayer import fit
        >>> model = fit({"hours": [1, 2, 3, 4, 5, 6], "label": ["no", "no", "yes", "no", "yes", "yes"]})
        >>> found = model.explain_row({"hours": [6]})
        >>> found["label"], found["pushes"][0]["feature"], found["pushes"][0]["class"]
        ('yes', 'hours', 'yes')
        """
        frame = tables.read(table)
        if not 1 <= row <= frame.height:
            raise tables.TableError(f"row {row} is not in the table: its rows are 1 to {frame.height}")
        encoded = self.encoder.transform(frame[row - 1 : row].drop(self.target, strict=False))
        if encoded.unanswerable:
            raise tables.TableError(f"row {row} cannot be answered: {encoded.unanswerable[0]}")
        z = self.logits(encoded)
        p = np.array([sigmoid(-z[0]), sigmoid(z[0])]) if z.ndim == 1 else softmax(z)[0]
        answer = self.classes.index(self.labels(p[None])[0])
        of = 1 if z.ndim == 1 else answer
        w = self.weights[0] if z.ndim == 1 else self.weights[answer] - self.weights.mean(axis=0)
        x = sp.csr_matrix(encoded.X)
        pushes = w[x.indices] * x.data
        names, rest = self.encoder.feature_names, self.classes[1 - of] if z.ndim == 1 else "other classes"
        order = np.argsort(-np.abs(pushes), kind="stable")
        return {
            "row": row,
            "label": self.classes[answer],
            "class": self.classes[of],
            "probability": float(p[of]),
            "log_odds": float(w[-1] + pushes.sum()),
            "bias": float(w[-1]),
            "pushes": [
                {
                    "feature": names[x.indices[j]],
                    "class": self.classes[of] if pushes[j] > 0 else rest,
                    "push": float(pushes[j]),
                }
                for j in order
                if pushes[j] != 0
            ],
        }

    def save(self, path: str | Path) -> None:
        """Write the model as a safetensors file: arrays, and a description in JSON; whole, or not at all."""
        meta, arrays = self.encoder.state()
        described = {
            "target": self.target,
            "classes": list(self.classes),
            "threshold": self.threshold,
            "fitted": self.fitted,
            "held_out": self.held_out,
            "encoder": meta,
        }
        storage.write(path, described, {"weights": self.weights, **arrays})


def _roc_auc(z: Array, codes: Array) -> float:
    """The share of pairs of one row of each class that z puts in order, ties counting half (Mann & Whitney, 1947)."""
    from scipy.stats import rankdata

    ones = int(codes.sum())
    ranks = rankdata(z)[codes == 1].sum() - ones * (ones + 1) / 2
    return float(ranks / (ones * (len(codes) - ones)))


def load(path: str | Path) -> Model:
    """A model from its file. Nothing in the file is executed.

    Raises
    ------
    ModelError
        In one sentence, for a file that is damaged, of a later version, or no model at all.
    """
    described, arrays = storage.read(path)
    try:
        return _restored(described, arrays)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise storage.damaged(path, error) from error


def _restored(meta: dict[str, Any], arrays: dict[str, Array]) -> Model:
    """A model from its parts; ValueError or its like for parts that no model was saved as."""
    encoder = tables.Encoder.from_state(meta["encoder"], arrays)
    target, classes, threshold = meta["target"], tuple(meta["classes"]), float(meta["threshold"])
    model = Model(target, classes, arrays["weights"], encoder, threshold, dict(meta["fitted"]), dict(meta["held_out"]))
    k = 1 if len(classes) == 2 else len(classes)
    d = sum(column.width for column in encoder.columns)
    if not all(isinstance(label, str) for label in (target, *classes)) or not 2 <= len(classes) == len({*classes}):
        raise ValueError("its target and classes are none")
    if not 0 <= threshold <= 1:
        raise ValueError(f"its threshold is {threshold}")
    if len(arrays) != len(encoder.columns) + 1 or any(array.dtype != np.float64 for array in arrays.values()):
        raise ValueError("its arrays are not those of a model")
    if model.weights.shape != (k, d + 1) or not np.isfinite(model.weights).all():
        raise ValueError("its weights do not fit its columns and classes")
    return model
