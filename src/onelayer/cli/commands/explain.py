"""``onelayer explain``."""

import click

from onelayer.cli import terminal, words
from onelayer.cli.commands.options import loaded, of_a_file, refuse_without_data


@click.command(short_help="Say what a model has learnt, or why a row is answered so.")
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

    refuse_without_data(data, row=row, sep=sep, encoding=encoding)
    if top < 1:
        raise click.UsageError(f"--top must be 1 or more, not {top}")
    model = loaded(model_path, data)
    if data is None:
        click.echo(terminal.to_json(model.explain(top)) if as_json else terminal.lines(words.of_weights(model, top)))
        return
    with terminal.notices():
        found = model.explain_row(tables.read(data, separator=sep, encoding=encoding), 1 if row is None else row, top)
    click.echo(terminal.to_json(found) if as_json else terminal.lines(words.of_row(found)))
