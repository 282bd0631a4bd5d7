"""What commands ask for alike."""

from collections.abc import Callable
from typing import Any

import click

Command = Callable[..., None]


def of_a_file(command: Command) -> Command:
    """Options of every command that reads a table."""
    encoding = click.option("--encoding", help="Of a text file; otherwise UTF-8, or as its byte-order mark says.")
    return click.option("--sep", help="Separator of a CSV file; otherwise found.")(encoding(command))


def loaded(path: str, data: str | None) -> Any:
    """The model of a command that also reads `data`, if it does."""
    from onelayer import model as models

    if path == data == "-":
        raise click.UsageError("MODEL and DATA cannot both be read from standard input: name a file for one of them")
    return models.load(path)


def refuse_without_data(data: str | None, **options: Any) -> None:
    """Where no table is named, options that are of one."""
    given = [name for name, value in options.items() if value is not None]
    if data is None and given:
        raise click.UsageError(f"--{given[0]} is of a table, but no DATA is named: name it, or leave --{given[0]} out")
