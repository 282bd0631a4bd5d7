"""The pictures of a saved model: which there are, what of a table each needs, and how it is drawn."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer import plots, tables
from onelayer.cli import words
from onelayer.cli.judged import Judged, listed
from onelayer.data.labels import Labels
from onelayer.data.targets import Targets
from onelayer.diagnostics import MOST_WEIGHTS, standard_errors
from onelayer.files import write_whole
from onelayer.fits.training import train
from onelayer.model import Model
from onelayer.paths import PathProblem
from onelayer.plots.canvas import short
from onelayer.plots.plane import threshold_of
from onelayer.rows.threads import one_thread_per_core
from onelayer.settings import Progress, Settings

Array = NDArray[Any]

FORMATS = ("png", "svg", "pdf", "jpg", "jpeg", "webp", "tif", "tiff", "eps", "ps")
FEW = 10  # features, of which two may tell most
MOST_NAMED = 7  # weights of a path: as many as there are colours
PATH_TOL = 1e-9  # where the penalty is weak, weights move far for a little of the cost
PATH_OF_C = np.geomspace(1e-3, 1e3, 19)  # times the model's own C
STANDARD = ", of a number for one standard deviation"
DESCENT = "gradient descent"
# steps of it after which the weights are shown: close together while they move
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


def _weights(seen: Any, wish: Wish, ax: Any) -> None:
    model = seen.model
    names, values, classes = model.encoder.feature_names, model.weights[:, :-1], model.classes
    errors = None
    if model.task == "regression":
        if seen.table is not None:
            warnings.warn("no intervals: they are drawn for classes only", stacklevel=2)
        plots.weights(names, values, most=wish.top, ax=ax)
        ax.set_xlabel(f"weight ({short(model.target)}{STANDARD})", parse_math=False)
        return
    if seen.table is not None and model.weights.size > MOST_WEIGHTS:
        warnings.warn(f"no intervals: {model.weights.size:,} weights are too many for them", stacklevel=2)
    elif seen.table is not None and model.l1_ratio > 0:
        warnings.warn("no intervals: none are known of weights that a penalty may set to 0", stacklevel=2)
    elif seen.table is not None and len(seen.y) == 1:
        warnings.warn("no intervals: one row cannot say how far weights may be off", stacklevel=2)
    elif seen.table is not None:
        with one_thread_per_core():  # many small products: BLAS's threads would wait for each other at every one
            errors = standard_errors(seen.encoded, model.weights, C=seen.C)[:, :-1]
    plots.weights(names, values, errors=errors, most=wish.top, classes=classes, ax=ax)
    ax.set_xlabel(f"{ax.get_xlabel()}{_unit_of_numbers(model)}".strip(), parse_math=False)


def _unit_of_numbers(model: Model) -> str:
    """A line on what a weight is of, where the table has numbers: their own units may be anything."""
    return f"\n({STANDARD[2:]})" if any(column.kind == "number" for column in model.encoder.columns) else ""


def _history(model: Model) -> list[SimpleNamespace]:
    entries = model.fitted.get("history")
    if not entries:
        raise ValueError("the model was saved without the history of its fit: fit and save it again")
    return [SimpleNamespace(**entry) for entry in entries]


def _cost(seen: Any, wish: Wish, ax: Any) -> None:
    plots.cost(_history(seen.model), ylabel=f"cost ({_unit(seen.model)})", ax=ax)
    ax.yaxis.label.set_parse_math(False)


def _unit(model: Model) -> str:
    return "nats per row" if model.classes else f"half a square of {short(model.target)} per row"


def _gap(seen: Any, wish: Wish, ax: Any) -> None:
    history, relative = _history(seen.model), seen.model.fitted["optimality_gap"]
    optimum = None if relative is None else history[-1].cost / (1 + relative)
    plots.gap(history, optimum=optimum, unit=_unit(seen.model), ax=ax)
    ax.yaxis.label.set_parse_math(False)


def _tuning(seen: Any, wish: Wish, ax: Any) -> None:
    found = seen.model.fitted.get("tuning")
    if not found:
        raise ValueError("the model's C was given, not chosen: fit it with --tune to see how each value did")
    plots.tuning(found["C"], found.get("folds_log_loss", found["log_loss"]), chosen=found["chosen"], ax=ax)


def _boundary(seen: Any, wish: Wish, ax: Any) -> None:
    features = wish.features or None
    if len(seen.names) > FEW:
        warnings.warn(
            f"two of {len(seen.names):,} features are shown: --kind projection shows all at once", stacklevel=2
        )
    plots.decision_boundary(seen, seen.X, seen.y, features=features, threshold=wish.threshold, names=seen.names, ax=ax)


def _projection(seen: Any, wish: Wish, ax: Any) -> None:
    plots.projection(
        seen, seen.X, seen.y, positive=seen.model.classes[_class(seen, wish)], threshold=wish.threshold, ax=ax
    )


def _roc(seen: Any, wish: Wish, ax: Any) -> None:
    plots.roc(seen.y, seen.p, classes=seen.classes_, ax=ax)


def _precision_recall(seen: Any, wish: Wish, ax: Any) -> None:
    plots.precision_recall(seen.y, seen.p, classes=seen.classes_, ax=ax)


def _calibration(seen: Any, wish: Wish, ax: Any) -> None:
    plots.calibration(seen.y, seen.p, classes=seen.classes_, ax=ax)


def _threshold(seen: Any, wish: Wish, ax: Any) -> None:
    k = _class(seen, wish)
    chosen, positive = threshold_of(seen, k) if wish.threshold is None else wish.threshold, seen.model.classes[k]
    plots.threshold(seen.y, seen.p, costs=wish.costs, chosen=chosen, positive=positive, classes=seen.classes_, ax=ax)


def _confusion(seen: Any, wish: Wish, ax: Any) -> None:
    plots.confusion(seen.y, seen.model.labels(seen.p), classes=seen.classes_, ax=ax)


def _regularisation(seen: Any, wish: Wish, ax: Any) -> None:
    """Fits anew on the table, at values of C around the model's own."""
    model, of = seen.model, short(seen.model.target)
    y: Any = Labels.of(_codes(seen), None, None, None) if model.classes else Targets.of(seen.y, None, True)
    Cs = PATH_OF_C * (seen.C if np.isfinite(seen.C) else 1.0)
    settings = Settings(l1_ratio=model.l1_ratio, tol=PATH_TOL)
    found = PathProblem.of(seen.encoded, y, settings, settings.jobs).along(Cs, model.l1_ratio)
    weights = found.coefs * y.unit  # (m, k, d)
    if model.classes:
        k = _class(seen, wish)
        weights, of = _towards(weights, k), f"log-odds of {short(model.classes[k])}"
    most, label = min(wish.top, MOST_NAMED), f"weight, fitted anew ({of}){_unit_of_numbers(model)}"
    plots.regularisation_path(Cs, weights[:, 0], seen.names, chosen=seen.C, most=most, ylabel=label, ax=ax)


def _towards(weights: Array, k: int) -> Array:
    """Of (m, k, d) those of one class, (m, 1, d); two classes share theirs, with opposite signs."""
    return weights * (2 * k - 1) if weights.shape[1] == 1 else weights[:, [k]]


def _path(seen: Any, wish: Wish, ax: Any) -> None:
    weights, steps = _descent(seen)
    told: dict[str, Any] = {"centre": np.asarray(seen.encoded.mean(axis=0)).ravel(), "names": seen.names}
    told |= {"C": seen.C, "classes": seen.classes_, "steps": steps}
    plots.weight_path({DESCENT: weights}, seen.encoded, seen.y, ax=ax, **told)
    ax.set_xlabel(ax.get_xlabel() + _unit_of_numbers(seen.model), parse_math=False)


def _animation(seen: Any, wish: Wish, ax: Any) -> None:
    learnt, steps = _descent(seen)
    weights = seen.in_units(learnt)
    at = seen.threshold if wish.threshold is None else wish.threshold
    told: dict[str, Any] = {"features": wish.features or None, "threshold": at, "names": seen.names, "name": DESCENT}
    with TemporaryDirectory() as folder:  # whole or not at all, as every file
        file = Path(folder, "a.gif")
        plots.animation(weights, seen.X, seen.y, file, steps=steps, per_second=4, classes=seen.classes_, ax=ax, **told)
        write_whole(wish.output, file.read_bytes())


def _descent(seen: Any) -> tuple[Array, list[int]]:
    """Weights at `STEPS` of gradient descent from nought on the table, with the model's C, and where it stopped."""
    start, steps, kept = np.zeros((len(seen.model.weights), len(seen.names) + 1)), count(), dict[int, Array]()

    def keep(at: Progress) -> None:
        step = next(steps)
        if step - 1 not in STEPS:
            kept.pop(step - 1, None)
        kept[step] = at.weights()

    train(
        seen.encoded, _codes(seen), C=seen.C, solver="gd", max_iter=STEPS[-1], tol=0, initial=[start], callbacks=[keep]
    )
    return np.array(list(kept.values())), list(kept)


def _codes(seen: Any) -> Array:
    missing = [label for label in seen.model.classes if label not in set(seen.y)]
    if missing:
        raise tables.TableError(f"the table has no row of class {missing[0]!r}: this picture fits anew, and needs all")
    return np.array([seen.model.classes.index(label) for label in seen.y])


def _class(seen: Any, wish: Wish) -> int:
    """The place of the class that is asked for; of the last one otherwise."""
    known = seen.model.classes
    return len(known) - 1 if wish.positive is None else int(known.index(wish.positive))


KINDS: dict[str, Callable[[Any, Wish, Any], None]] = {
    "weights": _weights,
    "cost": _cost,
    "gap": _gap,
    "tuning": _tuning,
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
USES = {  # of a `Wish`
    "top": ("weights", "regularisation"),
    "features": ("boundary", "animation"),
    "threshold": ("boundary", "projection", "threshold", "animation"),
    "costs": ("threshold",),
    "positive": ("projection", "threshold", "regularisation"),
}
WITHOUT_DATA = ("weights", "cost", "gap", "tuning")
OF_NUMBERS = ("weights", "cost", "gap", "regularisation")
OF_ONE_LAYER = (
    "weights",
    "gap",
    "tuning",
    "regularisation",
    "path",
    "animation",
)  # of its weights, or of its known optimum
OF_DESCENT = ("path", "animation")  # along gradients, which an L1 penalty has not everywhere


def check(kind: str, wish: Wish) -> None:
    """Refuse what no model's picture of a kind can be: wishes it has no use for, and files it cannot be saved as."""
    for name, kinds in USES.items():
        if kind not in kinds and getattr(wish, name) != getattr(Wish, name):
            option = "feature" if name == "features" else name
            raise ValueError(
                f"the picture {kind!r} has no use for --{option}: leave it out, or draw {', '.join(kinds)}"
            )
    _refuse_format(kind, wish.output)


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
    _refuse(model, kind, wish.positive)
    if table is None and kind not in WITHOUT_DATA:
        raise ValueError(f"the picture {kind!r} is drawn from rows: name a table with known labels after the model")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'onelayer[plot]'") from error
    seen = Judged(model, table)
    rows = 0.9 + 0.32 * min(wish.top, model.weights.shape[1] - 1)
    height = 4.8 if kind != "weights" else max(3.0 if len(model.weights) < 6 else 4.8, rows)
    figure = Figure(figsize=(7, height), layout="constrained")
    with _one_notice_of_the_font():
        KINDS[kind](seen, wish, figure.add_subplot())
        if kind != "animation":
            write_whole(wish.output, _as_file(figure, wish.output))
    if table is None or kind in WITHOUT_DATA[1:] or not seen.unanswered:
        return 0
    row, why = min(seen.unanswered.items())
    count = len(seen.unanswered)
    warnings.warn(words.left_out(count, row + 1, why), stacklevel=2)
    return count


def _refuse(model: Model, kind: str, positive: str | None) -> None:
    """A picture, or a class, that the model has no such thing for."""
    refused = {
        "is of classes, but the model predicts numbers": () if model.classes else set(KINDS) - set(OF_NUMBERS),
        "is of one layer, but the model has hidden ones": OF_ONE_LAYER if model.hidden else (),
        "is of gradient descent, which knows no L1 penalty": OF_DESCENT if model.l1_ratio > 0 else (),
    }
    whys = [why for why, kinds in refused.items() if kind in kinds]
    if not whys:
        if positive is not None and positive not in model.classes:
            knows = f"knows {listed(model.classes)}" if model.classes else "predicts numbers: leave --positive out"
            raise ValueError(f"class {positive!r} is unknown: the model {knows}")
        return
    drawn = [kind for kind in KINDS if not any(kind in kinds for kinds in refused.values())]
    raise ValueError(f"the picture {kind!r} {whys[0]}: draw {', '.join(drawn)}")


def _refuse_format(kind: str, output: Path) -> None:
    form = output.suffix[1:].lower()
    if str(output) == "-":
        return
    if kind == "animation" and form != "gif":
        raise ValueError(f"an animation is a GIF: name it {output.with_suffix('.gif')}")
    if kind != "animation" and form and form not in FORMATS:
        raise ValueError(
            f"{str(output)!r}: a picture is saved as {', '.join(FORMATS)}: name it {output.with_suffix('.png')}"
        )


@contextmanager
def _one_notice_of_the_font() -> Iterator[None]:
    """What Matplotlib says of every sign that its font lacks, said once, with a remedy; other warnings as they came."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    said = {str(warning.message): warning.message for warning in caught}
    lacking = [text for text in said if "missing from font" in text]
    for text, message in said.items():
        if text not in lacking:
            warnings.warn(message, stacklevel=4)
    if lacking:
        warnings.warn(
            f"{tables.counted(len(lacking), 'sign')} of names or labels {'is' if len(lacking) == 1 else 'are'} not in "
            "the font and drawn as boxes: set font.family in a matplotlibrc to a font that has them",
            stacklevel=4,
        )


def _as_file(figure: Any, output: Path) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=output.suffix[1:].lower() or "png", dpi=150, bbox_inches="tight")
    return buffer.getvalue()
