"""The command line: ``onelayer demo | fit | predict | evaluate | explain | plot``.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 done but some rows could not be
answered, 2 the user's input or arguments, 70 our own fault, 130 stopped by Ctrl-C: a fit that had begun saves the best
it has so far; 141 whoever read the results has gone, as of a program that SIGPIPE ends.
"""

from collections.abc import Sequence

import click

from onelayer.cli import terminal
from onelayer.cli.commands import demo, evaluate, explain, fit, plot, predict


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


for command in (demo.demo, fit.fit, predict.predict, evaluate.evaluate, explain.explain, plot.plot):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; no traceback reaches a person."""
    terminal.run(cli, arguments)
