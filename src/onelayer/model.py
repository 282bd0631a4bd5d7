"""A fitted table: its columns, weights and threshold; predictions, their quality and their reasons; saved as data."""

import hashlib
import json
import os
import secrets
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from onelayer import tables
from onelayer.losses import cross_entropy, log_loss, sigmoid, softmax

Array = NDArray[Any]

FORMAT, VERSION = "onelayer-model", 1


class ModelError(ValueError):
    """A file that is not a model this version can use."""


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
        """The strongest weights: feature, class they speak for, weight in log-odds, and the factor on the odds."""
        names = self.encoder.feature_names
        rows = []
        for k in range(len(self.weights)):
            w = self.weights[k, :-1]
            for j in np.argsort(-np.abs(w), kind="stable")[:top]:
                towards = self.classes[int(w[j] > 0) if len(self.weights) == 1 else k]
                factor = float(np.exp(min(float(w[j]), 700.0)))
                rows.append({"feature": names[j], "class": towards, "weight": float(w[j]), "odds_ratio": factor})
        return rows

    def save(self, path: str | Path) -> None:
        """Write the model as a safetensors file: arrays, and a description in JSON; whole, or not at all."""
        from safetensors.numpy import save

        meta, arrays = self.encoder.state()
        arrays = {"weights": self.weights, **arrays}
        described = {
            "target": self.target,
            "classes": list(self.classes),
            "threshold": self.threshold,
            "fitted": self.fitted,
            "held_out": self.held_out,
            "encoder": meta,
        }
        text = json.dumps(described, ensure_ascii=False, sort_keys=True)
        content = {name: np.ascontiguousarray(array, dtype=np.float64) for name, array in arrays.items()}
        head = {"format": FORMAT, "version": str(VERSION), "sha256": _digest(text, content), "model": text}
        write_whole(Path(path), save(content, metadata=head))


def fit(
    table: Any,
    target: str = "label",
    *,
    positive: str | None = None,
    weight: str | None = None,
    exclude: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    impute: str | None = None,
    C: float = 1.0,
    threshold: float = 0.5,
    test_size: float = 0.0,
    seed: int = 0,
    separator: str | None = None,
    encoding: str | None = None,
) -> Model:
    """Fit a model that predicts one column of a table from the others.

    Parameters
    ----------
    table : path, frame or columns
        Whatever `onelayer.tables.read` takes.
    target : str
        The column to predict.
    positive : str, optional
        With two classes, the label whose probability the threshold is for; else the last in order.
    weight : str, optional
        The column of the rows' weights.
    exclude : names of columns not to use.
    kinds : mapping from column to "number", "category" or "text", where what is recognised is not what is meant.
    impute : {"mean", "median", "most_frequent"}, optional
        How missing values are filled.
    C, threshold : as in `onelayer.PerceptronClassifier`.
    test_size : float in [0, 1)
        The share of rows kept out of the fit, at random within each class, to evaluate it on.
    seed : int
        Of the choice of these rows.

    Raises
    ------
    TableError, ValueError
        For a table or setting that cannot be used.

    Examples
    --------
    >>> model = fit({"hours": [1, 2, 3, 4, 5, 6], "label": ["no", "no", "yes", "no", "yes", "yes"]})
    >>> model.predict({"hours": [0, 7]})
    ['no', 'yes']
    """
    from onelayer.training import train

    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a probability in [0, 1], not {threshold!r}")
    if not 0 <= test_size < 1:
        raise ValueError(f"test_size must be a share in [0, 1), not {test_size!r}")
    frame = tables.read(table, separator=separator, encoding=encoding)
    raw = tables.column(frame, target)
    labels = _labels(raw)
    classes = _classes(raw, positive, threshold)
    weights = None if weight is None else tables.column(frame, weight, "weight").cast(pl.Float64).to_numpy()
    for name in exclude:
        tables.column(frame, name, "excluded")
    features = frame.drop([target, *exclude, *([weight] if weight else [])])
    code = {label: i for i, label in enumerate(classes)}
    y = np.array([code[label] for label in labels])
    test = _held_out(y, test_size, seed)
    encoder, encoded = tables.fit(features.filter(~test), kinds=kinds, impute=impute)
    found = train(
        encoded.X,
        y[~test],
        sample_weight=None if weights is None else weights[~test],
        names=encoder.feature_names,
        class_names=classes,
        C=C,
    )
    fitted = {
        "rows": int((~test).sum()),
        "C": C if np.isfinite(C) else None,
        "iterations": found.n_iter,
        "converged": found.converged,
        "optimality_gap": found.optimality_gap if np.isfinite(found.optimality_gap) else None,
        "gap_kind": found.gap_kind,
        "seconds": found.history[-1].seconds,
        "notices": [*encoder.notices, *found.notices],
    }
    model = Model(target, classes, found.weights, encoder, threshold, fitted)
    if not test.any():
        return model
    unused = [*exclude, *([weight] if weight else [])]
    held_out = model.evaluate(frame.filter(test).drop(unused))
    return Model(target, classes, found.weights, encoder, threshold, fitted, held_out)


def _labels(raw: pl.Series) -> pl.Series:
    """The target's cells as text, none of them empty."""
    if raw.dtype.is_nested() or raw.dtype.is_temporal() or raw.dtype in (pl.Binary, pl.Object):
        raise tables.TableError(
            f"target column {raw.name!r} is of type {raw.dtype}: it must hold classes, such as text"
        )
    labels = tables.as_text(raw)
    empty = labels.str.strip_chars().fill_null("") == ""
    if empty.any():
        row = (empty.arg_max() or 0) + 1
        raise tables.TableError(
            f"target column {raw.name!r} has {empty.sum()} empty cells, first in row {row}: label or drop these rows"
        )
    return labels


def _classes(raw: pl.Series, positive: str | None, threshold: float) -> tuple[str, ...]:
    classes = tuple(tables.as_text(raw.unique().sort()).to_list())
    if len(classes) < 2:
        raise tables.TableError(f"target column {raw.name!r} holds one class only, {classes[0]!r}: two are needed")
    if raw.dtype.is_float() and len(classes) > 20:
        raise tables.TableError(
            f"target column {raw.name!r} holds {len(classes)} different numbers with fractions: it must hold classes"
        )
    if len(classes) > 20 and 2 * len(classes) > len(raw):
        raise tables.TableError(
            f"target column {raw.name!r} holds {len(classes)} different values in {len(raw)} rows: it must hold classes"
        )
    if len(classes) > 2 and (positive is not None or threshold != 0.5):
        raise ValueError(f"positive and threshold are for two classes, but {raw.name!r} holds {len(classes)}")
    if positive is None:
        return classes
    if positive not in classes:
        raise ValueError(f"positive label {positive!r} is not in column {raw.name!r}: it holds {', '.join(classes)}")
    return tuple(sorted(classes, key=lambda label: label == positive))


def _held_out(y: Array, share: float, seed: int) -> Array:
    """A share of each class's rows, at random, but never all of a class."""
    test, rng = np.zeros(len(y), dtype=bool), np.random.default_rng(seed)
    for code in range(int(y.max()) + 1):
        rows = np.flatnonzero(y == code)
        test[rng.permutation(rows)[: min(round(share * len(rows)), len(rows) - 1)]] = True
    return test


def _roc_auc(z: Array, codes: Array) -> float:
    """The share of pairs of one row of each class that z puts in order, ties counting half (Mann & Whitney, 1947)."""
    from scipy.stats import rankdata

    ones = int(codes.sum())
    ranks = rankdata(z)[codes == 1].sum() - ones * (ones + 1) / 2
    return float(ranks / (ones * (len(codes) - ones)))


def _digest(text: str, arrays: Mapping[str, Array]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name}{arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all; into a pipe or a device, write."""
    path = Path(os.path.realpath(path))
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        temporary = path.parent / f".{secrets.token_hex(8)}.part"
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def load(path: str | Path) -> Model:
    """A model from its file. Nothing in the file is executed.

    Raises
    ------
    ModelError
        In one sentence, for a file that is damaged, of a later version, or no model at all.
    """
    name = repr(str(path))
    head, arrays = _opened(str(path))
    if head.get("format") != FORMAT:
        raise ModelError(f"{name} holds no onelayer model")
    if head.get("version") != str(VERSION):
        raise ModelError(
            f"{name} is of version {head.get('version')!r}, but this onelayer reads {VERSION}: upgrade onelayer"
        )
    if head.get("sha256") != _digest(head.get("model", ""), arrays):
        raise ModelError(f"{name} was changed since it was saved: fit and save it again")
    try:
        return _restored(json.loads(head["model"]), arrays)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{name} is damaged: {reason}: fit and save it again") from error


def _opened(path: str) -> tuple[dict[str, str], dict[str, Array]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise ModelError(f"model file {path!r} does not exist") from error
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{path!r} is not a model file, or is damaged: fit and save it again") from error


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
