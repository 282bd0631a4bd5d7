"""From a table to a fitted model: labels or numbers, rows kept out, features, the training, and how good it is."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from onelayer import kept_out, tables
from onelayer.model import Model
from onelayer.paths import FURTHER

Array = NDArray[Any]

FOLDS = 5
MANY = 20  # classes that are numbers: more may be meant as such
REMEDIES = {  # of estimators, beside what there is here; longer ones first
    FURTHER: "leave it, or look for columns that nearly depend on one another",
    ": early_stopping=False keeps C": "",
    "raise max_iter, or accept the gap": "accept the gap, or give a smaller C (C=, --C)",
    "raise max_iter": "give fewer features or a smaller C (C=, --C)",
}
VALUES = 17  # of C, from 1e-4 to 1e4: two to a factor of ten, between which the log loss hardly changes


def fit(
    table: Any,
    target: str = "label",
    *,
    task: str = "classification",
    positive: str | None = None,
    weight: str | None = None,
    exclude: str | Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    impute: str | None = None,
    C: float = 1.0,
    l1_ratio: float = 0.0,
    tune: bool = False,
    threshold: float = 0.5,
    hidden: int | Sequence[int] = (),
    activation: str = "relu",
    test_size: float = 0.0,
    seed: int = 0,
    separator: str | None = None,
    encoding: str | None = None,
    progress: Callable[[str], None] = lambda doing: None,
) -> Model:
    """Fit a model that predicts one column of a table from the others.

    Parameters
    ----------
    table : path, frame or columns
        Whatever `onelayer.tables.read` takes.
    target : str
        The column to predict.
    task : {"classification", "regression"}
        Whether the column holds classes, or numbers to be predicted as such.
    positive : str, optional
        With two classes, the label whose probability the threshold is for; else the last in order.
    weight : str, optional
        The column of the rows' weights, by which they count in the fit, in its folds and in the figures of rows kept
        out, of which none has weight 0.
    exclude : name, or names, of columns not to use.
    kinds : mapping from column to "number", "category" or "text", where what is recognised is not what is meant.
    impute : {"mean", "median", "most_frequent"}, optional
        How missing numbers are filled; a missing category is then the level ``(missing)``, a missing text empty.
    C, l1_ratio, threshold : as in `onelayer.PerceptronClassifier`.
    tune : bool
        Choose C by the log loss in five folds of the rows to fit; the C given is then not used.
    hidden, activation : as ``hidden_layer_sizes`` and ``activation`` there.
    test_size : float in [0, 1)
        The share of rows kept out of the fit, at random within each class, to evaluate it on.
    seed : int
        Of the choice of these rows, and of the folds.
    separator, encoding : as in `onelayer.tables.read`.
    progress : function of a str
        Told what is being done: reading, encoding, each iteration. Ctrl-C in the iterations keeps the best weights so
        far, on which the model then says that it has not converged; later, the fit without its evaluation.

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
    exclude = [*map(tables.composed, (exclude,) if isinstance(exclude, str) else exclude)]
    target, weight = tables.composed(target), weight and tables.composed(weight)
    kinds = {tables.composed(name): kind for name, kind in (kinds or {}).items()}
    hidden = (int(hidden),) if isinstance(hidden, int | np.integer) else hidden
    _check_settings(task, positive, threshold, test_size, seed, one_layer=not len(hidden), tune=tune, l1_ratio=l1_ratio)
    progress("reading")
    frame = tables.read(table, separator=separator, encoding=encoding, labels=target)
    y, classes = _target(tables.column(frame, target), task, positive, threshold)
    for name in exclude:
        tables.column(frame, name, "excluded")
    if target in (weight, *exclude):
        raise tables.TableError(f"column {target!r} is the target: it cannot be a weight, nor excluded")
    _check_kinds(kinds, {**dict.fromkeys(exclude, "excluded"), weight: "the weight", target: "the target"})
    unused = [*exclude, *([weight] if weight else [])]
    strata = y if classes else np.zeros(len(y), dtype=int)
    weights = None if weight is None else _weights(frame, weight, strata, classes)
    counts = np.ones(len(y), dtype=bool) if weights is None else weights > 0
    test = kept_out.rows_of(strata, counts, test_size, seed)
    learnt = counts & ~test
    said = [*_doubts(classes, target), *kept_out.doubts(strata, counts, test, test_size, classes)]
    progress("encoding")
    encoder, encoded = tables.fit(frame.drop([target, *unused]), rows=learnt, kinds=kinds, impute=impute)
    settings = {
        "C": C,
        "l1_ratio": l1_ratio,
        "task": task,
        "hidden_layer_sizes": tuple(hidden),
        "activation": activation,
    }
    stack, fitted = _trained(
        encoder,
        encoded.X,
        y[learnt],
        None if weights is None else weights[learnt],
        classes,
        settings,
        seed if tune else None,
        progress,
    )
    model = Model(target, classes, stack[-1], encoder, threshold, fitted, {}, tuple(stack[:-1]), activation)
    fitted["notices"][:0] = said
    if not test.any():
        return model
    try:
        progress("evaluating")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", tables.TableWarning)
            held_out = model.evaluate(frame.filter(test).drop({*exclude} - {weight}), weight)
        fitted["notices"] += [f"of the rows held out, {warning.message}" for warning in caught]
        fitted["notices"] += kept_out.doubts_of_answers(held_out)
        return replace(model, held_out=held_out)
    except KeyboardInterrupt:
        count = tables.counted(int(test.sum()), "row")
        fitted["notices"].append(f"interrupted: the fit was over, but {count} kept out of it were not evaluated")
        return model


def _check_settings(
    task: str,
    positive: str | None,
    threshold: float,
    test_size: float,
    seed: int,
    *,
    one_layer: bool,
    tune: bool,
    l1_ratio: float,
) -> None:
    """Refuse what cannot be used, or not together, before a file is read."""
    if not isinstance(threshold, Real) or not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a probability in [0, 1], not {threshold!r}")
    if not 0 <= test_size < 1:
        raise ValueError(f"test_size must be a share in [0, 1), not {test_size!r}")
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more (seed=, --seed), not {seed!r}")
    if task not in ("classification", "regression"):
        raise ValueError(f"task must be classification or regression, not {task!r}")
    if task == "regression" and (positive is not None or threshold != 0.5):
        raise ValueError("positive and threshold are for two classes, but a regression has none: leave them out")
    if tune and (task == "regression" or not one_layer):
        raise ValueError("tune chooses C for one layer and classes only: leave it out, and give C")
    if l1_ratio and not one_layer:
        raise ValueError("an L1 penalty (l1_ratio=, --l1-ratio) is for one layer: leave it or the hidden ones out")


def _check_kinds(kinds: Mapping[str, str], roles: Mapping[str | None, str]) -> None:
    """Refuse the kind of a column that is there, but no feature."""
    for name in kinds:
        if name in roles:
            raise tables.TableError(f"kind is given for column {name!r}, which is {roles[name]}: leave the kind out")


def _target(raw: pl.Series, task: str, positive: str | None, threshold: float) -> tuple[Array, tuple[str, ...]]:
    """Codes and classes, or numbers and none."""
    if task == "regression":
        return tables.as_numbers(raw), ()
    labels = tables.as_labels(raw)
    classes = _classes(labels, positive, threshold)
    return labels.replace_strict(classes, range(len(classes)), return_dtype=pl.Int64).to_numpy(), classes


def _trained(
    encoder: tables.Encoder,
    X: Any,
    y: Array,
    weights: Array | None,
    classes: tuple[str, ...],
    settings: dict[str, Any],
    tuning_seed: int | None,
    progress: Callable[[str], None],
) -> tuple[list[Array], dict[str, Any]]:
    """Weights of each layer, the last (k, d + 1), and how they were found; C is chosen where a seed is given."""
    from onelayer.fits.training import train

    kept = _seen(encoder, X)
    names, X_kept = encoder.feature_names, X
    if len(kept) < X.shape[1]:
        names, X_kept = [names[j] for j in kept], X[:, kept]
    tuning: dict[str, Any] = {}
    said: list[str] = []
    if tuning_seed is not None:
        tuning, said = _tuned(X_kept, y, weights, classes, settings["l1_ratio"], tuning_seed, progress)
        settings = settings | {"C": tuning["chosen"]}
    progress(f"fitting {tables.counted(X.shape[0], 'row')}, {tables.counted(len(kept), 'feature')}")
    found = train(
        X_kept,
        y,
        sample_weight=weights,
        names=names,
        class_names=classes or None,
        **settings,
        callbacks=[
            lambda at: progress(
                f"fitting: cost {at.cost:.6f}, slope {at.gradient_norm:.1e}, {tables.counted(at.rows, 'row')}"
            )
        ],
    )
    first, *others = [*found.hidden, found.weights]
    w = np.zeros((len(first), X.shape[1] + 1))
    w[:, np.append(kept, -1)] = first
    C = settings["C"]
    return [w, *others], {
        "rows": len(y),
        "C": C if np.isfinite(C) else None,
        "l1_ratio": float(settings["l1_ratio"]),
        "iterations": found.n_iter,
        "converged": found.converged,
        "optimality_gap": found.optimality_gap if np.isfinite(found.optimality_gap) else None,
        "gap_kind": found.gap_kind,
        "seconds": found.history[-1].seconds,
        "history": [
            {"cost": e.cost, "gradient_norm": e.gradient_norm, "seconds": e.seconds, "rows": e.rows}
            | ({} if e.held_out is None else {"held_out": e.held_out})
            | ({} if e.decay == 1 else {"decay": e.decay})
            for e in found.history
        ],
        "notices": [*encoder.notices, *map(_to_be_done_here, [*said, *found.notices])],
    } | ({"tuning": tuning} if tuning else {})


def _to_be_done_here(notice: str) -> str:
    """A notice of the training with remedies that the fit of a table has."""
    for theirs, ours in REMEDIES.items():
        notice = notice.replace(theirs, ours)
    return notice


def _tuned(
    X: Any,
    y: Array,
    weights: Array | None,
    classes: tuple[str, ...],
    l1_ratio: float,
    seed: int,
    progress: Callable[[str], None],
) -> tuple[dict[str, Any], list[str]]:
    """The C that serves rows not seen best, with the log loss at each, and what to tell of the choice."""
    from onelayer.data.labels import Labels
    from onelayer.fits.validation import cross_validate, stratified_folds
    from onelayer.settings import Settings

    labels = Labels.of(y, weights, None, classes)
    rows = np.bincount(y if weights is None else y[weights > 0])
    if rows.min() < 2:
        raise ValueError(
            f"tuning needs two rows or more of each class among the {rows.sum()} to fit, but "
            f"{classes[rows.argmin()]!r} has one: drop the class or do not tune"
        )
    folds = min(FOLDS, int(rows.min()))
    progress(f"choosing C among {VALUES} values on {folds} folds of {len(y)} rows")
    found = cross_validate(
        X,
        labels,
        stratified_folds(y, folds, seed, weights),
        Cs=VALUES,
        l1_ratios=[l1_ratio],
        settings=Settings(l1_ratio=l1_ratio),
        sample_weight=weights,
    )
    i, j = found.best
    losses = -found.scores[:, i].mean(axis=0)
    tuning = {"folds": folds, "C": found.Cs.tolist(), "log_loss": losses.tolist(), "chosen": float(found.Cs[j])}
    tuning["folds_log_loss"] = (-found.scores[:, i]).tolist()
    return tuning, [*found.doubts, *found.notices]


def _seen(encoder: tables.Encoder, X: Any) -> Array:
    """The features to train: all but levels for what no row of the fit holds, whose weight is 0 and no news."""
    if all(column.kind != "category" for column in encoder.columns):
        return np.arange(X.shape[1])
    numbers = [column.kind == "number" for column in encoder.columns for _ in range(column.width)]
    return np.flatnonzero((X.getnnz(axis=0) > 0) | np.array(numbers))


def _weights(frame: pl.DataFrame, name: str, y: Array, classes: tuple[str, ...]) -> Array:
    """The rows' weights: numbers of at least 0, not all 0 in any class, or, without classes, in all rows."""
    weights = tables.as_numbers(tables.column(frame, name, "weight"), "weight", least=0)
    for code, total in enumerate(np.bincount(y, weights=weights)):
        if total == 0:
            where = f"every row of {classes[code]!r}: drop these rows" if classes else "every row: one must count"
            raise tables.TableError(f"weight column {name!r} is 0 in {where}")
    return weights


def _classes(labels: pl.Series, positive: str | None, threshold: float) -> tuple[str, ...]:
    """The different labels, in the order of numbers where all are numbers, else of text; the positive one last."""
    name, different = labels.name, labels.unique().sort()
    values = different.str.strip_chars().cast(pl.Float64, strict=False)
    numeric = values.is_not_null().all()
    classes = tuple(
        (different.gather(np.argsort(values.to_numpy(), kind="stable")) if numeric else different).to_list()
    )
    if len(classes) < 2:
        raise tables.TableError(f"target column {name!r} holds one class only, {classes[0]!r}: two are needed")
    if len(classes) > 20 and numeric and (values != values.floor()).any():
        raise tables.TableError(
            f"target column {name!r} holds {len(classes)} different numbers with fractions: it must hold classes, "
            "or be asked for as numbers (--task regression)"
        )
    if len(classes) > 20 and 2 * len(classes) > len(labels):
        raise tables.TableError(
            f"target column {name!r} holds {len(classes)} different values in {len(labels)} rows: it must hold classes"
            f"{', or be asked for as numbers (--task regression)' if numeric else ''}"
        )
    if len(classes) > 2 and (positive is not None or threshold != 0.5):
        raise ValueError(f"positive and threshold are for two classes, but {name!r} holds {len(classes)}")
    if positive is None:
        return classes
    place = tables.places(pl.Series([positive]), classes)[0]
    if place is None:
        raise ValueError(f"positive label {positive!r} is not in column {name!r}: it holds {tables.listed(classes)}")
    return (*classes[:place], *classes[place + 1 :], classes[place])


def _doubts(classes: tuple[str, ...], target: str) -> list[str]:
    """What to say of classes that may be numbers, one and the same, or none."""
    said, labels = [], pl.Series(classes, dtype=pl.String)
    plain = not labels.str.contains(r"^0\d").any()  # 007 is a name
    if len(classes) > MANY and plain and labels.cast(pl.Float64, strict=False).is_not_null().all():
        said.append(
            f"target column {target!r} holds {len(classes)} different numbers, each taken as a class: to predict them "
            "as numbers, say so (task='regression', --task regression)"
        )
    if groups := tables.alike(classes):
        examples = "; ".join(", ".join(map(repr, group[:4])) for group in groups[:3])
        said.append(
            f"labels in target column {target!r} differ only in case, blanks or how they are written, and are classes "
            f"of their own: {examples}{'; …' if len(groups) > 3 else ''}: if they are one, write them alike"
        )
    if len(none := labels.filter(tables.says_no_value(labels))):
        said.append(
            f"target column {target!r} holds {', '.join(map(repr, none))}, taken as a class: if it says that there is "
            "no label, drop these rows"
        )
    return said
