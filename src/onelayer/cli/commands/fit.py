"""``onelayer fit``."""

import time
from collections.abc import Sequence
from typing import Any

import click

from onelayer.cli import terminal, words
from onelayer.cli.commands.options import of_a_file


@click.command(short_help="Fit a model to a table, and judge it on rows kept out.")
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
