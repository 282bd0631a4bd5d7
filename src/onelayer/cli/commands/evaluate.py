"""``onelayer evaluate``."""

import sys

import click

from onelayer.cli import terminal, words
from onelayer.cli.commands.options import loaded, of_a_file


@click.command(short_help="Judge a model on rows whose labels are known.")
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

    model = loaded(model_path, data)
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
