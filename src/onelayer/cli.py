"""The command line: ``onelayer demo | fit | predict | evaluate | explain | plot``.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 done but some rows could not be
answered, 2 the user's input or arguments, 70 our own fault, 130 stopped by Ctrl-C: a fit that had begun saves the best
it has so far.
"""

import csv
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

# as `onelayer.pictures` knows them: named here, so that --help loads neither NumPy nor Matplotlib
PICTURES = (
    "weights",
    "cost",
    "gap",
    "tuning",
    "boundary",
    "projection",
    "roc",
    "precision-recall",
    "calibration",
    "threshold",
    "confusion",
    "regularisation",
    "path",
    "animation",
)
DIGITS = {"probability": 6, "prediction": 10}  # in CSV; JSON has them all
SOME_UNANSWERED, USER_ERROR, OUR_FAULT, INTERRUPTED = 1, 2, 70, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="onelayer")
def cli() -> None:
    """One layer of sigmoid neurons: from a table to a model, its predictions and a picture.

    \b
    onelayer demo
    onelayer fit people.csv --target income --model income.onelayer
    onelayer predict income.onelayer new.csv > answers.csv

    Exit codes: 0 done, 1 done but some rows could not be answered, 2 your input or arguments, 70 our own fault,
    130 stopped by Ctrl-C.
    """


@cli.command()
@click.argument("folder", default="onelayer-demo", type=click.Path(file_okay=False))
def demo(folder: str) -> None:
    """Tell the guide's story with its numbers, and save its pictures in FOLDER.

    \b
    onelayer demo
    onelayer demo pictures
    """
    from onelayer import demo as story

    try:
        story.run(Path(folder), click.echo)
    except ImportError as error:
        raise click.UsageError(str(error)) from error


@cli.command()
@click.argument("data")
@click.option("--target", default="label", show_default=True, help="The column to predict.")
@click.option(
    "--task",
    default="classification",
    show_default=True,
    type=click.Choice(["classification", "regression"]),
    help="Whether the target holds classes, or numbers to be predicted as such.",
)
@click.option("--hidden", metavar="SIZES", help="Neurons of each hidden layer, such as 16 or 32,32.")
@click.option("--model", "model_path", required=True, help="Where to save the model; - is standard output.")
@click.option("--test-size", default=0.2, show_default=True, help="Share of rows kept out to judge the model on.")
@click.option("--positive", help="The label whose probability the threshold is for.")
@click.option("--weight", help="The column of the rows' weights.")
@click.option("--exclude", multiple=True, help="A column not to use; may be repeated.")
@click.option("--kind", "kinds", multiple=True, metavar="COL=KIND", help="number, category or text; may be repeated.")
@click.option("--impute", type=click.Choice(["mean", "median", "most_frequent"]), help="How to fill missing values.")
@click.option("--threshold", default=0.5, show_default=True, help="Probability above which the positive label is said.")
@click.option("--C", "C", default=1.0, show_default=True, help="Inverse strength of the penalty.")
@click.option("--tune", is_flag=True, help="Choose C by the log loss in five folds of the rows to fit.")
@click.option("--seed", default=0, show_default=True, help="Of the choice of the rows kept out, and of the folds.")
@click.option("--sep", help="Separator of a CSV file; otherwise found.")
@click.option("--encoding", help="Of a text file; otherwise UTF-8, or as its byte-order mark says.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of words.")
def fit(
    data: str,
    target: str,
    task: str,
    hidden: str | None,
    model_path: str,
    test_size: float,
    positive: str | None,
    weight: str | None,
    exclude: Sequence[str],
    kinds: Sequence[str],
    impute: str | None,
    threshold: float,
    C: float,
    tune: bool,
    seed: int,
    sep: str | None,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Fit a model to the table DATA (CSV, TSV, JSON lines, Parquet, or - for standard input).

    \b
    onelayer fit people.csv --target income --model income.onelayer
    onelayer fit mail.csv --positive spam --threshold 0.9 --model spam.onelayer
    onelayer fit people.csv --target income --tune --model income.onelayer
    onelayer fit houses.csv --target price --task regression --hidden 16 --model price.onelayer
    zcat people.csv.gz | onelayer fit - --target income --model - > income.onelayer

    Ctrl-C in the iterations keeps the best weights so far: the model is saved, not converged, and the exit code is 130.
    """
    from onelayer import fitting

    source = click.get_current_context().get_parameter_source("C")
    if tune and source is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--C says what C is, --tune chooses it: leave one of them out")
    started = time.perf_counter()
    with _progress() as progress:
        model = fitting.fit(
            data,
            target,
            task=task,
            hidden=_sizes(hidden),
            positive=positive,
            weight=weight,
            exclude=exclude,
            kinds=dict(_pair(kind) for kind in kinds),
            impute=impute,
            C=C,
            tune=tune,
            threshold=threshold,
            test_size=test_size,
            seed=seed,
            separator=sep,
            encoding=encoding,
            progress=progress,
        )
    model.save(model_path)
    seconds = time.perf_counter() - started
    aside = model_path == "-"  # what is said must not run into the model's bytes
    if as_json:
        click.echo(
            json.dumps(
                {
                    "model": model_path,
                    "task": model.task,
                    "hidden": [len(w) for w in model.hidden],
                    "classes": model.classes,
                    "columns": {column.name: column.kind for column in model.encoder.columns},
                    "fitted": model.fitted,
                    "held_out": model.held_out,
                    "seconds": seconds,
                }
            ),
            err=aside,
        )
    else:
        click.echo("\n".join(_fit_in_words(model, model_path, seconds)), err=aside)
    if any(notice.startswith("interrupted") for notice in model.fitted["notices"]):
        click.echo("stopped: the best weights so far are saved", err=True)
        sys.exit(INTERRUPTED)


def _fit_in_words(model: Any, path: str, seconds: float) -> list[str]:
    fitted = model.fitted
    gap = (
        "no finite gap"
        if fitted["optimality_gap"] is None
        else f"{fitted['optimality_gap']:.1e} ({fitted['gap_kind']})"
    )
    # hidden layers have more optima than one
    gap = "at one optimum of many" if model.hidden else f"relative distance from the optimum {gap}"
    return [
        f"rows        {fitted['rows']} to fit, {model.held_out.get('rows', 0)} held out",
        f"classes     {', '.join(model.classes)} in column {model.target!r}"
        if model.classes
        else f"target      numbers in column {model.target!r}",
        *(f"columns     {line}" for line in model.encoder.describe()),
        *_tuning_in_words(fitted.get("tuning")),
        *([f"hidden      {' → '.join(str(len(w)) for w in model.hidden)} neurons"] if model.hidden else []),
        f"fitted      {fitted['iterations']} iterations, {'' if fitted['converged'] else 'NOT '}converged, "
        f"{gap}, {seconds:.2f} s in all",
        *(f"notice      {notice}" for notice in fitted["notices"]),
        *_quality_in_words(model.held_out),
        *([] if model.hidden else _weights_in_words(model, 8)),
        f"saved       {path}",
    ]


def _tuning_in_words(tuning: dict[str, Any] | None) -> list[str]:
    if tuning is None:
        return []
    chosen = tuning["chosen"]
    return [
        f"tuned       C = {_three_digits(chosen)}: the least log loss of {len(tuning['C'])} values, in "
        f"{tuning['folds']} folds of the rows to fit",
        *(
            f"            C = {_three_digits(C):<8}  log loss {loss:.4f}{'   chosen' if chosen == C else ''}"
            for C, loss in zip(tuning["C"], tuning["log_loss"], strict=True)
        ),
    ]


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):g}"  # 3160, not 3.16e+03


def _quality_in_words(quality: dict[str, Any]) -> list[str]:
    if not quality:
        return []
    if "rmse" in quality:
        r2 = "unknown" if quality["r2"] is None else f"{quality['r2']:.4f}"
        return [
            f"R²          {r2}   (the mean alone {quality['mean_r2']:.4f})",
            f"RMSE        {quality['rmse']:.4g}   (the mean alone {quality['mean_rmse']:.4g})",
        ]
    lines = [
        f"log loss    {quality['log_loss']:.4f}   (base rate {quality['base_rate_log_loss']:.4f})",
        f"accuracy    {quality['accuracy']:.4f}   (base rate {quality['base_rate_accuracy']:.4f})",
    ]
    return (
        lines if quality["roc_auc"] is None else [*lines, f"ROC AUC     {quality['roc_auc']:.4f}   (base rate 0.5000)"]
    )


def _weights_in_words(model: Any, top: int) -> list[str]:
    return [
        f"weight      {row['feature']}{_unit(row)}: "
        + (
            f"{row['weight']:+.3f}, for {row['class']} (odds × {row['odds_ratio']:.3g})"
            if "class" in row
            else f"{row['weight']:+.4g}"
        )
        for row in model.explain(top)
    ]


def _unit(row: dict[str, Any]) -> str:
    return "" if row["unit"] is None else f" (per {row['unit']:.4g})"


@cli.command()
@click.argument("model_path", metavar="MODEL")
@click.argument("data")
@click.option("-o", "--output", default="-", show_default=True, help="Where to write; - is standard output.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of CSV.")
def predict(model_path: str, data: str, output: str, as_json: bool) -> None:
    """Write label and probability for each row of DATA, in order; of a regression, the number predicted.

    A row that cannot be answered is left blank, named on standard error, and the exit code is 1.

    \b
    onelayer predict income.onelayer new.csv > answers.csv
    cat new.jsonl | onelayer predict income.onelayer - --json
    """
    from onelayer import model as models
    from onelayer.files import write_whole

    model = models.load(model_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        names, rows = _labels(model, data) if model.classes else _numbers(model, data)
    for warning in caught:
        click.echo(f"notice: {warning.message}", err=True)
    if as_json:
        text = json.dumps([row and dict(zip(names, row, strict=True)) for row in rows]) + "\n"
    else:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(names)
        blank = ("",) * len(names)
        writer.writerows((*row[:-1], f"{row[-1]:.{DIGITS[names[-1]]}g}") if row else blank for row in rows)
        text = buffer.getvalue()
    write_whole(output, text.encode())
    if None in rows:
        sys.exit(SOME_UNANSWERED)


def _labels(model: Any, data: str) -> tuple[Sequence[str], list[tuple[Any, ...] | None]]:
    """The label of each row and its probability, with two classes that of the second; None where there is none."""
    probabilities = model.predict_proba(data)
    chosen = probabilities[:, 1] if len(model.classes) == 2 else probabilities.max(axis=1)
    labelled = zip(model.labels(probabilities), chosen.tolist(), strict=True)
    return ("label", "probability"), [(label, p) if p == p else None for label, p in labelled]  # NaN is not itself


def _numbers(model: Any, data: str) -> tuple[Sequence[str], list[tuple[Any, ...] | None]]:
    return ("prediction",), [None if number is None else (number,) for number in model.predict(data)]


@cli.command()
@click.argument("model_path", metavar="MODEL")
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of words.")
def evaluate(model_path: str, data: str, as_json: bool) -> None:
    """Judge MODEL on the rows of DATA, whose labels or numbers are known, beside the base rate or the mean.

    \b
    onelayer evaluate income.onelayer people.csv
    onelayer evaluate income.onelayer people.csv --json
    """
    from onelayer import model as models

    quality = models.load(model_path).evaluate(data)
    if as_json:
        click.echo(json.dumps(quality))
    else:
        click.echo("\n".join([f"rows        {quality['rows']}", *_quality_in_words(quality)]))
    if quality["unanswered"]:
        click.echo(f"notice: {quality['unanswered']} rows could not be answered and are left out", err=True)
        sys.exit(SOME_UNANSWERED)


@cli.command()
@click.argument("model_path", metavar="MODEL")
@click.argument("data", required=False)
@click.option("--row", type=int, help="The row of DATA to explain, counted from 1.  [default: 1]")
@click.option("--top", default=15, show_default=True, help="How many weights of each class, or features of the row.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of words.")
def explain(model_path: str, data: str | None, row: int | None, top: int, as_json: bool) -> None:
    """Say what MODEL has learnt, or why it answers one row of DATA as it does.

    \b
    onelayer explain income.onelayer
    onelayer explain income.onelayer new.csv --row 3
    """
    from onelayer import model as models

    if data is None and row is not None:
        raise click.UsageError("--row needs DATA, the table that holds the row")
    if top < 1:
        raise click.UsageError(f"--top must be 1 or more, not {top}")
    model = models.load(model_path)
    if data is None:
        click.echo(json.dumps(model.explain(top)) if as_json else "\n".join(_weights_in_words(model, top)))
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = model.explain_row(data, 1 if row is None else row)
    for warning in caught:
        click.echo(f"notice: {warning.message}", err=True)
    click.echo(json.dumps(found) if as_json else "\n".join(_row_in_words(found, top)))


def _row_in_words(found: dict[str, Any], top: int) -> list[str]:
    rest, digits = found["pushes"][top:], "+.3f" if "class" in found else "+.5g"
    says = (
        f"{found['label']}: probability of {found['class']} {found['probability']:.4f}, log-odds "
        f"{found['log_odds']:+.3f} from"
        if "class" in found
        else f"{found['prediction']:.5g} from"
    )
    return [
        f"row {found['row']:<8}{says}",
        f"bias        {found['bias']:{digits}}",
        *(
            f"push        {push['feature']}: {push['push']:{digits}}"
            + (f", for {push['class']}" if "class" in push else "")
            for push in found["pushes"][:top]
        ),
        *([f"others      {sum(push['push'] for push in rest):{digits}} ({len(rest)} features)"] if rest else []),
    ]


@cli.command()
@click.argument("model_path", metavar="MODEL")
@click.argument("data", required=False)
@click.option("--kind", type=click.Choice(PICTURES), default="weights", show_default=True, help="Which picture.")
@click.option("-o", "--output", help="Where to save the picture; otherwise KIND.png, or .gif for the animation.")
@click.option("--top", default=15, show_default=True, help="How many weights.")
@click.option("--feature", "features", multiple=True, help="Of two to show the boundary over; give it twice.")
@click.option("--threshold", type=float, help="Probability on the line; otherwise the model's.")
@click.option("--costs", nargs=2, type=float, default=(1, 1), show_default=True, help="Of a false alarm and of a miss.")
@click.option("--positive", help="The class shown against all others; otherwise the last.")
def plot(
    model_path: str,
    data: str | None,
    kind: str,
    output: str | None,
    top: int,
    features: Sequence[str],
    threshold: float | None,
    costs: tuple[float, float],
    positive: str | None,
) -> None:
    """Draw a picture of MODEL; all but weights, cost, gap and tuning from the rows of DATA, whose labels are known.

    Of a regression: weights, cost, gap and regularisation. With hidden layers there are no weights to draw, nor a gap.
    Tuning is of a model fitted with --tune.

    \b
    onelayer plot income.onelayer                       # the strongest weights
    onelayer plot income.onelayer people.csv            # with 95 % intervals, from the rows it was fitted on
    onelayer plot income.onelayer people.csv --kind threshold --costs 1 5
    """
    from onelayer import model as models
    from onelayer import pictures

    if top < 1:
        raise click.UsageError(f"--top must be 1 or more, not {top}")
    if len(features) not in (0, 2):
        raise click.UsageError(f"--feature names the two features of a boundary: give it twice, not {len(features)} ×")

    path = output or f"{kind}.{'gif' if kind == 'animation' else 'png'}"
    wish = pictures.Wish(Path(path), top, features, threshold, costs, positive)
    try:
        with warnings.catch_warnings(record=True) as caught, _progress() as progress:
            warnings.simplefilter("always")
            progress("drawing")
            unanswered = pictures.draw(models.load(model_path), kind, data, wish)
    except ImportError as error:
        raise click.UsageError(str(error)) from error
    for warning in caught:
        click.echo(f"notice: {warning.message}", err=True)
    click.echo(path)
    if unanswered:
        click.echo(f"notice: {unanswered} rows could not be answered and are left out", err=True)
        sys.exit(SOME_UNANSWERED)


def _sizes(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise click.UsageError(f"--hidden {text}: write the neurons of each layer, such as 16 or 32,32")
    return tuple(map(int, parts))


def _pair(text: str) -> tuple[str, str]:
    name, equals, kind = text.rpartition("=")
    if not equals:
        raise click.UsageError(f"--kind {text}: write COLUMN=KIND, such as zip=category")
    return name, kind


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """What is being done, beside a spinner on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda doing: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda doing: status.update(doing)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; no traceback reaches a person."""
    try:
        cli.main(args=arguments, prog_name="onelayer", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(USER_ERROR)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(USER_ERROR)
    except Exception as error:
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "unknown"
        click.echo(f"error: our own fault, {type(error).__name__} at {where}: {error}; please report it", err=True)
        sys.exit(OUR_FAULT)
