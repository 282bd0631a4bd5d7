"""``onelayer predict``."""

import csv
import io
import sys
from collections.abc import Sequence
from typing import Any

import click

from onelayer.cli import terminal
from onelayer.cli.commands.options import loaded, of_a_file


@click.command(short_help="Answer each row of a table.")
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
    model = loaded(model_path, data)
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
