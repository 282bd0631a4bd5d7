"""A fitted table: its columns, weights and threshold; predictions, their quality and their reasons; saved as data."""

import warnings
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer import quality, storage, tables
from onelayer.objective.losses import probabilities
from onelayer.objective.network import ACTIVATIONS, Layer, forward, pushes

Array = NDArray[Any]


@dataclass(frozen=True)
class Model:
    """What predicts the labels of a table's rows, or, without classes, their numbers.

    ``weights`` are (k, d + 1), the bias last; with ``hidden`` layers, which come before and are laid out alike, those
    of the last one. ``fitted`` and ``held_out`` say how it was fitted and how good it was on rows it had not seen.
    """

    target: str
    classes: tuple[str, ...]
    weights: Array
    encoder: tables.Encoder
    threshold: float = 0.5
    fitted: dict[str, Any] = field(default_factory=dict)
    held_out: dict[str, Any] = field(default_factory=dict)
    hidden: tuple[Array, ...] = ()
    activation: str = "relu"

    def __repr__(self) -> str:
        """What it predicts and what of, in a line: of texts, the terms alone would fill a screen a thousand times."""
        features = (*self.hidden, self.weights)[0].shape[1] - 1
        made = f"{tables.counted(features, 'feature')} of {tables.counted(len(self.encoder.columns), 'column')}"
        rows = f", fitted to {tables.counted(self.fitted['rows'], 'row')}" if "rows" in self.fitted else ""
        return f"<Model of {self.target!r} ({tables.listed(self.classes) or 'a number'}) from {made}{rows}>"

    @property
    def task(self) -> str:
        """What it predicts, as "classification" of labels or "regression" of numbers."""
        return "classification" if self.classes else "regression"

    @property
    def l1_ratio(self) -> float:
        """The share of L1 in the penalty it was fitted with."""
        return float(self.fitted.get("l1_ratio", 0.0))

    def logits(self, encoded: tables.Encoded) -> Array:
        """z in nats, (n,) for two classes, else (n, k); the numbers themselves, (n,), of a regression."""
        with np.errstate(all="ignore"):
            return np.asarray(forward(encoded.X, self._stack, ACTIVATIONS[self.activation])[0])

    def _asked(self, frame: pl.DataFrame) -> tuple[tables.Encoded, Array]:
        """Features of rows and their logits; a row whose logits are not finite cannot be answered."""
        encoded = self.encoder.transform(frame)
        z = self.logits(encoded)
        for row in np.flatnonzero(~np.isfinite(z.reshape(len(z), -1)).all(axis=1)):
            encoded.unanswerable.setdefault(int(row), "its numbers are so large that the answer is not finite")
        return encoded, z

    @property
    def _stack(self) -> list[Layer]:
        return [(w[:, :-1].T, w[:, -1]) for w in (*self.hidden, self.weights)]

    def predict_proba(self, table: Any) -> Array:
        """Probability of each class for each row, (n, k); NaN, with a warning, where a row cannot be answered.

        A row of a table of texts that holds no known word is answered by the bias alone, with a warning too.
        """
        if self.task == "regression":
            raise ValueError(f"the model predicts numbers in {self.target!r}, which have no probabilities: use predict")
        return self._answered(table)[0]

    def predict(self, table: Any) -> list[Any]:
        """The label, a str, or the number, a float, of each row; None, with a warning, where it cannot be answered."""
        answers, unanswerable = self._answered(table)
        said = answers.tolist() if self.task == "regression" else self.labels(answers)
        return [None if i in unanswerable else answer for i, answer in enumerate(said)]

    def labels(self, probabilities: Array) -> list[str]:
        """Class 1 where its probability exceeds the threshold; of three or more, the most probable."""
        two = len(self.classes) == 2
        codes = (probabilities[:, 1] > self.threshold).astype(int) if two else probabilities.argmax(axis=1)
        return [self.classes[code] for code in codes]

    def _answered(self, table: Any) -> tuple[Array, dict[int, str]]:
        frame = tables.read(table)
        encoded, z = self._asked(frame.drop(self.target, strict=False))
        z[list(encoded.unanswerable)] = np.nan
        answers = z if self.task == "regression" else probabilities(z)
        if encoded.unanswerable:
            row, reason = next(iter(sorted(encoded.unanswerable.items())))
            message = (
                f"{tables.counted(len(encoded.unanswerable), 'row')} cannot be answered, first row {row + 1}: {reason}"
            )
            warnings.warn(message, tables.TableWarning, stacklevel=3)
        if encoded.empty.any():
            n, first = int(encoded.empty.sum()), int(encoded.empty.argmax()) + 1
            hold, them = ("holds", "it") if n == 1 else ("hold", "them")
            message = (
                f"{tables.counted(n, 'row')} {hold} no known word, first row {first}: the bias alone answers {them}"
            )
            warnings.warn(message, tables.TableWarning, stacklevel=3)
        return answers, encoded.unanswerable

    def evaluate(self, table: Any, weight: str | None = None) -> dict[str, Any]:
        """How good the model is on rows whose labels are known, beside what the share of each class alone would give.

        Of numbers, beside what their mean alone would give. Rows that cannot be answered are left out and counted;
        ``first_unanswered`` says which is the first, and why. ``weight`` is the column of the rows' weights, by which
        all figures count, and rows of weight 0 not at all; without it each row counts once.
        """
        frame, weights = self._weighed(tables.read(table), weight)
        encoded, z, y, kept = self.known(frame)
        kept = kept[weights[kept] > 0]
        if not len(kept):
            of = "no row" if weight is None else "no row with a weight above 0"
            raise tables.TableError(f"{of} can be answered, so there is nothing to evaluate")
        unanswered = {row: reason for row, reason in encoded.unanswerable.items() if weights[row] > 0}
        counts: dict[str, Any] = {"rows": len(kept), "unanswered": len(unanswered)}
        if unanswered:
            row, reason = min(unanswered.items())
            counts["first_unanswered"] = {"row": row + 1, "reason": reason}
        if weight is not None:
            counts["weight"] = weight
        z, y, w = z[kept], y[kept], weights[kept]
        return counts | (
            quality.of_numbers(z, y, w) if self.task == "regression" else quality.of_classes(z, y, self.threshold, w)
        )

    def _weighed(self, frame: pl.DataFrame, weight: str | None) -> tuple[pl.DataFrame, Array]:
        """The rows without the column of their weights, unless it is one of the model's, and the weights."""
        if weight is None:
            return frame, np.ones(frame.height)
        weight = tables.composed(weight)
        if weight == self.target:
            raise tables.TableError(f"column {weight!r} is the target: it cannot be a weight")
        weights = tables.as_numbers(tables.column(frame, weight, "weight"), "weight", least=0)
        used = any(column.name == weight for column in self.encoder.columns)
        return frame if used else frame.drop(weight), weights

    def known(self, table: Any) -> tuple[tables.Encoded, Array, Array, Array]:
        """Rows whose answers are known: features, logits, codes or numbers; and which of them can be answered."""
        frame = tables.read(table)
        raw = tables.column(frame, self.target)
        y = tables.as_numbers(raw) if self.task == "regression" else self._codes(tables.as_labels(raw))
        encoded, z = self._asked(frame.drop(self.target))
        return encoded, z, y, np.setdiff1d(np.arange(len(y)), list(encoded.unanswerable))

    def _codes(self, labels: pl.Series) -> Array:
        codes = tables.places(labels, self.classes)
        if (unknown := codes.is_null()).any():
            row = unknown.arg_max() or 0
            raise tables.TableError(
                f"column {self.target!r} holds {labels[row]!r:.60} in row {row + 1}, but the model knows "
                f"{tables.listed(self.classes)}: correct or drop such rows "
                f"({unknown.sum():,} of {len(labels):,})"
            )
        return codes.to_numpy().astype(np.int64)

    def explain(self, top: int = 10) -> list[dict[str, Any]]:
        """The strongest weights but noughts: feature, class they speak for, weight in log-odds, factor on the odds.

        ``unit`` is how much more of a number, one standard deviation, the weight is for; None for levels. Of a word it
        is 1 of tf-idf, more than most texts have of it.
        With two classes, ``class`` is the one that more of the feature speaks for, whose odds are then ``odds_ratio``
        times as high; of more, the one whose weight it is, beside the mean of all classes', and the factor is of its
        probability over the classes' geometric mean. Of a regression, weights are in the target's unit, and there are
        neither classes nor odds.
        """
        if self.hidden:
            raise ValueError(
                "the model has hidden layers, of which no single weight says what a column does: ask what pushed one "
                "row where (explain MODEL DATA --row N, Model.explain_row), or fit without them"
            )
        names, units = self.encoder.feature_names, self.encoder.units
        weights, two = self.weights[:, :-1], len(self.weights) == 1
        if not two:  # a penalty of L1 leaves their mean where it is: only what a class has beside it tells
            weights = weights - weights.mean(axis=0)
        rows = []
        for k, w in enumerate(weights):
            for j in [j for j in np.argsort(-np.abs(w), kind="stable")[:top] if w[j] != 0]:
                row = {"feature": names[j], "weight": float(w[j]), "unit": units[j]}
                if self.classes:
                    row["class"] = self.classes[int(w[j] > 0) if two else k]
                    row["odds_ratio"] = float(np.exp(min(abs(w[j]) if two else w[j], 700.0)))
                rows.append(row)
        return rows

    def explain_row(self, table: Any, row: int = 1, top: int | None = None) -> dict[str, Any]:
        """Why one row of a table, counted from 1, is answered as it is: what each feature adds to the log-odds.

        They are the log-odds of the second class of two; of more, those of the most probable class against the average
        class, the geometric mean of all. ``bias`` and all ``pushes`` add up to ``log_odds``, of three or more classes
        to ``log_odds_against_average``, of a regression to ``prediction``; the strongest push comes first. All but
        the ``top`` strongest are ``others``, counted and summed. With hidden layers a push is the feature's slope on
        the way from the average row to this one (`network.pushes`), and ``bias`` the average row's answer.

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
        encoded, z = self._asked(frame[row - 1 : row].drop(self.target, strict=False))
        if encoded.unanswerable:
            raise tables.TableError(f"row {row} cannot be answered: {encoded.unanswerable[0]}")
        why = self._why(encoded, z)
        rest = [] if top is None else why["pushes"][top:]
        others = {"features": len(rest), "push": float(sum(push["push"] for push in rest))}
        return {"row": row} | why | {"pushes": why["pushes"][:top], "others": others}

    def _pushes(self, X: Any, output: Array) -> tuple[float, list[tuple[str, float]]]:
        """``output @ z`` without features, and what each of one row adds but noughts, the strongest first."""
        if self.hidden:
            bias, found = pushes(X, self._stack, ACTIVATIONS[self.activation], output)
        else:
            w = output @ self.weights
            bias, found = float(w[-1]), sp.csr_matrix(X).multiply(w[:-1]).toarray()[0]
        order = [j for j in np.argsort(-np.abs(found), kind="stable") if found[j] != 0]
        return bias, [(self.encoder.feature_names[j], float(found[j])) for j in order]

    def _why(self, encoded: tables.Encoded, z: Array) -> dict[str, Any]:
        if self.task == "regression":
            bias, found = self._pushes(encoded.X, np.ones(1))
            said = [{"feature": name, "push": push} for name, push in found]
            return {"prediction": float(z[0]), "bias": bias, "pushes": said}
        p = probabilities(z)[0]
        answer = self.classes.index(self.labels(p[None])[0])
        of = 1 if z.ndim == 1 else answer
        k = len(self.weights)
        output = np.ones(1) if z.ndim == 1 else np.eye(k)[answer] - 1 / k
        rest = self.classes[1 - of] if z.ndim == 1 else "other classes"
        bias, found = self._pushes(encoded.X, output)
        return {
            "label": self.classes[answer],
            "class": self.classes[of],
            "probability": float(p[of]),
            "log_odds" if z.ndim == 1 else "log_odds_against_average": float(np.atleast_1d(z[0]) @ output),
            "bias": bias,
            "pushes": [
                {"feature": name, "class": self.classes[of] if push > 0 else rest, "push": push} for name, push in found
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
        arrays = {"weights": self.weights, **arrays}
        if self.hidden or not self.classes:
            described |= {"task": self.task, "hidden": len(self.hidden), "activation": self.activation}
            arrays |= {f"hidden.{i}": w for i, w in enumerate(self.hidden)}
        storage.write(path, described, arrays)


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
    hidden = tuple(arrays[f"hidden.{i}"] for i in range(min(int(meta.get("hidden", 0)), len(arrays))))
    weights, activation = arrays["weights"], meta.get("activation", "relu")
    model = Model(
        target, classes, weights, encoder, threshold, dict(meta["fitted"]), dict(meta["held_out"]), hidden, activation
    )
    _check_words(model, meta.get("task", "classification"))
    d = sum(column.width for column in encoder.columns)
    sizes = [d, *(len(w) for w in hidden), len(classes) if len(classes) > 2 else 1]
    if len(arrays) != len(encoder.columns) + 1 + len(hidden) or any(a.dtype != np.float64 for a in arrays.values()):
        raise ValueError("its arrays are not those of a model")
    for w, (before, after) in zip((*hidden, weights), pairwise(sizes), strict=True):
        if w.shape != (after, before + 1) or not np.isfinite(w).all():
            raise ValueError("its weights do not fit its columns and classes")
    return replace(model, target=tables.composed(target))


def _check_words(model: Model, task: Any) -> None:
    classes = model.classes
    known = all(isinstance(label, str) for label in (model.target, *classes)) and len(classes) == len({*classes})
    if not known or not (len(classes) >= 2 if task == "classification" else not classes):
        raise ValueError("its target and classes are none")
    if task not in ("classification", "regression"):
        raise ValueError(f"its task is {task!r:.60}")
    if model.activation not in ACTIVATIONS:
        raise ValueError(f"its activation is {model.activation!r:.60}")
    if type(model.fitted.get("rows", 0)) is not int or type(model.fitted.get("l1_ratio", 0.0)) not in (int, float):
        raise ValueError("what it says of its fit is nothing")
    if not 0 <= model.threshold <= 1:
        raise ValueError(f"its threshold is {model.threshold}")
