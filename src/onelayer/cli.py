"""The command line: ``onelayer demo | fit | predict | evaluate | explain | plot``.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 done but some rows could not be
answered, 2 the user's input or arguments, 70 our own fault, 130 stopped by Ctrl-C: a fit that had begun saves the best
it has so far; 141 whoever read the results has gone, as of a program that SIGPIPE ends.
"""

import csv
import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from onelayer import terminal, words

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
Command = Callable[..., None]


def of_a_file(command: Command) -> Command:
    """Options of every command that reads a table."""
    encoding = click.option("--encoding", help="Of a text file; otherwise UTF-8, or as its byte-order mark says.")
    return click.option("--sep", help="Separator of a CSV file; otherwise found.")(encoding(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="onelayer")
def cli() -> None:
    """One layer of sigmoid neurons: from a table to a model, its predictions and a picture.

    \b
    onelayer demo
    onelayer fit people.csv --target income --model income.onelayer
    onelayer predict income.onelayer new.csv > answers.csv

    Exit codes: 0 done, 1 done but some rows could not be answered, 2 your input or arguments, 70 our own fault,
    130 stopped by Ctrl-C, 141 the reader of a pipe has gone.
    """


@cli.command(short_help="Tell the guide's story with its numbers and pictures.")
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


@cli.command(short_help="Fit a model to a table, and judge it on rows kept out.")
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
@click.option("--weight", help="The column of the rows' weights, in the fit and in its figures.")
@click.option("--exclude", multiple=True, help="A column not to use; may be repeated.")
@click.option("--kind", "kinds", multiple=True, metavar="COL=KIND", help="number, category or text; may be repeated.")
@click.option(
    "--impute",
    type=click.Choice(["mean", "median", "most_frequent"]),
    help="Fills missing numbers; missing categories are then a level, missing texts empty.",
)
@click.option("--threshold", default=0.5, show_default=True, help="Probability above which the positive label is said.")
@click.option("--C", "C", default=1.0, show_default=True, help="Inverse strength of the penalty; inf is none.")
@click.option(
    "--l1-ratio",
    default=0.0,
    show_default=True,
    help="Share of the penalty that sets weights to 0: from 0, all L2, to 1, all L1.",
)
@click.option("--tune", is_flag=True, help="Choose C by the log loss in five folds of the rows to fit.")
@click.option("--seed", default=0, show_default=True, help="Of the choice of the rows kept out, and of the folds.")
@of_a_file
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
    l1_ratio: float,
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
    onelayer fit reviews.csv --l1-ratio 1 --tune --model few-words.onelayer
    onelayer fit houses.csv --target price --task regression --hidden 16 --model price.onelayer
    zcat people.csv.gz | onelayer fit - --target income --model - > income.onelayer

    Ctrl-C in the iterations keeps the best weights so far: the model is saved, not converged, and the exit code is 130.
    Later, the model is saved, if not judged; before the first iteration, as while C is chosen, nothing is saved.
    """
    from onelayer import fitting
    from onelayer.files import check_output
    from onelayer.storage import check_replaced

    source = click.get_current_context().get_parameter_source("C")
    if tune and source is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--C says what C is, --tune chooses it: leave one of them out")
    check_output(model_path, [data])
    check_replaced(model_path)
    started = time.perf_counter()
    try:
        with terminal.notices(), terminal.progress() as progress:
            model = fitting.fit(
                data,
                target,
                task=task,
                hidden=_sizes(hidden),
                positive=positive,
                weight=weight,
                exclude=exclude,
                kinds=_kinds(kinds),
                impute=impute,
                C=C,
                l1_ratio=l1_ratio,
                tune=tune,
                threshold=threshold,
                test_size=test_size,
                seed=seed,
                separator=sep,
                encoding=encoding,
                progress=progress,
            )
        stopped = [said for said in model.fitted["notices"] if said.startswith("interrupted: ")]
        if stopped and not model.fitted["iterations"]:
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        terminal.stop("nothing is fitted yet, so no model is saved")
    with terminal.to_the_end() as interrupted:
        model.save(model_path)
        told = model, model_path, time.perf_counter() - started
        text = terminal.to_json(_of_fit(*told)) if as_json else terminal.lines(words.of_fit(*told))
        try:
            click.echo(text, err=model_path == "-")  # what is said must not run into the model's bytes
        except OSError:
            terminal.tell(f"the model is saved in {model_path!r}, but what is said of it cannot be written")
            raise
    if stopped or interrupted:
        terminal.stop("; ".join([*(said.removeprefix("interrupted: ") for said in stopped), "the model is saved"]))


def _of_fit(model: Any, path: str, seconds: float) -> dict[str, Any]:
    return {
        "model": path,
        "task": model.task,
        "hidden": [len(w) for w in model.hidden],
        "classes": model.classes,
        "columns": {column.name: column.kind for column in model.encoder.columns},
        "fitted": model.fitted,
        "held_out": model.held_out,
        "seconds": seconds,
    }


@cli.command(short_help="Answer each row of a table.")
@click.argument("model_path", metavar="MODEL")
@click.argument("data")
@click.option("-o", "--output", default="-", show_default=True, help="Where to write; - is standard output.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of CSV.")
@of_a_file
def predict(model_path: str, data: str, output: str, as_json: bool, sep: str | None, encoding: str | None) -> None:
    """Write label and probability for each row of DATA, in order; of a regression, the number predicted.

    The probability is that of the second of two classes, the one of fit --positive, whichever is the label; of three
    or more it is that of the label. Numbers have as many digits as they need to be read as the same again.

    A row that cannot be answered is left blank, named on standard error, and the exit code is 1.

    \b
    onelayer predict income.onelayer new.csv > answers.csv
    cat new.jsonl | onelayer predict income.onelayer - --json
    """
    from onelayer import tables
    from onelayer.files import check_output, write_whole

    check_output(output, [model_path, data])
    model = _loaded(model_path, data)
    table = tables.read(data, separator=sep, encoding=encoding)
    with terminal.notices():
        names, rows = _labels(model, table) if model.classes else _numbers(model, table)
    if as_json:
        text = terminal.to_json([row and dict(zip(names, row, strict=True)) for row in rows]) + "\n"
    else:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(row or ("",) * len(names) for row in rows)
        text = buffer.getvalue()
    write_whole(output, text.encode())
    if None in rows:
        sys.exit(terminal.SOME_UNANSWERED)


def _labels(model: Any, table: Any) -> tuple[Sequence[str], list[tuple[Any, ...] | None]]:
    """The label of each row and its probability, with two classes that of the second; None where there is none."""
    probabilities = model.predict_proba(table)
    chosen = probabilities[:, 1] if len(model.classes) == 2 else probabilities.max(axis=1)
    labelled = zip(model.labels(probabilities), chosen.tolist(), strict=True)
    return ("label", "probability"), [(label, p) if p == p else None for label, p in labelled]  # NaN is not itself


def _numbers(model: Any, table: Any) -> tuple[Sequence[str], list[tuple[Any, ...] | None]]:
    return ("prediction",), [None if number is None else (number,) for number in model.predict(table)]


@cli.command(short_help="Judge a model on rows whose labels are known.")
@click.argument("model_path", metavar="MODEL")
@click.argument("data")
@click.option("--weight", help="The column of the rows' weights; otherwise each row counts once.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of words.")
@of_a_file
def evaluate(
    model_path: str, data: str, weight: str | None, as_json: bool, sep: str | None, encoding: str | None
) -> None:
    """Judge MODEL on the rows of DATA, whose labels or numbers are known, beside the base rate or the mean.

    All rows of DATA count: those that MODEL was fitted to flatter it. Give rows it has not seen, or believe what fit
    said of the rows it kept out.

    \b
    onelayer evaluate income.onelayer next-year.csv
    onelayer evaluate income.onelayer next-year.csv --weight persons --json
    """
    from onelayer import tables

    model = _loaded(model_path, data)
    with terminal.notices():
        quality = model.evaluate(tables.read(data, separator=sep, encoding=encoding), weight)
    if as_json:
        click.echo(terminal.to_json(quality))
    else:
        click.echo(terminal.lines([f"rows        {quality['rows']}", *words.of_quality(quality)]))
    if quality["unanswered"]:
        said = words.left_out(quality["unanswered"], **quality["first_unanswered"])
        terminal.tell(f"notice: {said}")
        sys.exit(terminal.SOME_UNANSWERED)


@cli.command(short_help="Say what a model has learnt, or why a row is answered so.")
@click.argument("model_path", metavar="MODEL")
@click.argument("data", required=False)
@click.option("--row", type=int, help="The row of DATA to explain, counted from 1.  [default: 1]")
@click.option("--top", default=15, show_default=True, help="How many weights of each class, or features of the row.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of words.")
@of_a_file
def explain(
    model_path: str, data: str | None, row: int | None, top: int, as_json: bool, sep: str | None, encoding: str | None
) -> None:
    """Say what MODEL has learnt, or why it answers one row of DATA as it does.

    \b
    onelayer explain income.onelayer
    onelayer explain income.onelayer new.csv --row 3
    """
    from onelayer import tables

    _refuse_without_data(data, row=row, sep=sep, encoding=encoding)
    if top < 1:
        raise click.UsageError(f"--top must be 1 or more, not {top}")
    model = _loaded(model_path, data)
    if data is None:
        click.echo(terminal.to_json(model.explain(top)) if as_json else terminal.lines(words.of_weights(model, top)))
        return
    with terminal.notices():
        found = model.explain_row(tables.read(data, separator=sep, encoding=encoding), 1 if row is None else row, top)
    click.echo(terminal.to_json(found) if as_json else terminal.lines(words.of_row(found)))


@cli.command(short_help="Draw a picture of a model.")
@click.argument("model_path", metavar="MODEL")
@click.argument("data", required=False)
@click.option("--kind", type=click.Choice(PICTURES), default="weights", show_default=True, help="Which picture.")
@click.option("-o", "--output", help="Where to save the picture; otherwise KIND.png, or .gif for the animation.")
@click.option("--top", default=15, show_default=True, help="How many weights.")
@click.option("--feature", "features", multiple=True, help="Of two to show the boundary over; give it twice.")
@click.option("--threshold", type=float, help="Probability on the line; otherwise, of two classes, the model's.")
@click.option("--costs", nargs=2, type=float, default=(1, 1), show_default=True, help="Of a false alarm and of a miss.")
@click.option("--positive", help="The class shown against all others; otherwise the last.")
@of_a_file
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
    sep: str | None,
    encoding: str | None,
) -> None:
    """Draw a picture of MODEL; all but weights, cost, gap and tuning from the rows of DATA, whose labels are known.

    Of a regression: weights, cost, gap and regularisation. With hidden layers there are no weights to draw, nor a gap.
    Tuning is of a model fitted with --tune. Path and animation show gradient descent with the model's C, run anew on
    these rows for up to 200 steps from weights of 0: a lesson, not how the model was fitted.

    \b
    onelayer plot income.onelayer                       # the strongest weights
    onelayer plot income.onelayer people.csv            # with 95 % intervals, from the rows of this table
    onelayer plot income.onelayer people.csv --kind threshold --costs 1 5
    """
    from onelayer import pictures, tables
    from onelayer.files import check_output

    if top < 1:
        raise click.UsageError(f"--top must be 1 or more, not {top}")
    _refuse_without_data(data, sep=sep, encoding=encoding)
    if len(features) not in (0, 2):
        raise click.UsageError(f"--feature names the two features of a boundary: give it twice, not {len(features)} ×")

    if data is not None and kind in pictures.WITHOUT_DATA[1:]:
        raise click.UsageError(f"the picture {kind!r} is of the fit that the model remembers: leave DATA out")
    path = f"{kind}.{'gif' if kind == 'animation' else 'png'}" if output is None else output
    check_output(path, [model_path, *([data] if data else [])])
    wish = pictures.Wish(Path(path), top, features, threshold, costs, positive)
    pictures.check(kind, wish)
    try:
        with terminal.notices(), terminal.progress() as progress:
            progress("drawing")
            model = _loaded(model_path, data)
            table = None if data is None else tables.read(data, separator=sep, encoding=encoding)
            unanswered = pictures.draw(model, kind, table, wish)
    except ImportError as error:
        raise click.UsageError(str(error)) from error
    if path != "-":
        click.echo(path)
    if unanswered:
        sys.exit(terminal.SOME_UNANSWERED)


def _loaded(path: str, data: str | None) -> Any:
    from onelayer import model as models

    if path == data == "-":
        raise click.UsageError("MODEL and DATA cannot both be read from standard input: name a file for one of them")
    return models.load(path)


def _sizes(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise click.UsageError(f"--hidden {text}: write the neurons of each layer, such as 16 or 32,32")
    return tuple(map(int, parts))


def _kinds(texts: Sequence[str]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for text in texts:
        name, equals, kind = text.rpartition("=")
        if not equals:
            raise click.UsageError(f"--kind {text}: write COLUMN=KIND, such as zip=category")
        if kinds.get(name, kind) != kind:
            raise click.UsageError(f"--kind says of column {name!r} that it is {kinds[name]} and {kind}: leave one out")
        kinds[name] = kind
    return kinds


def _refuse_without_data(data: str | None, **options: Any) -> None:
    given = [name for name, value in options.items() if value is not None]
    if data is None and given:
        raise click.UsageError(f"--{given[0]} is of a table, but no DATA is named: name it, or leave --{given[0]} out")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; no traceback reaches a person."""
    terminal.run(cli, arguments)
