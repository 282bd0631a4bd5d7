"""``onelayer plot``."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from onelayer.cli import terminal
from onelayer.cli.commands.options import loaded, of_a_file, refuse_without_data

# as `onelayer.cli.pictures` knows them: named here, so that --help loads neither NumPy nor Matplotlib
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


@click.command(short_help="Draw a picture of a model.")
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
    from onelayer import tables
    from onelayer.cli import pictures
    from onelayer.files import check_output

    if top < 1:
        raise click.UsageError(f"--top must be 1 or more, not {top}")
    refuse_without_data(data, sep=sep, encoding=encoding)
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
            model = loaded(model_path, data)
            table = None if data is None else tables.read(data, separator=sep, encoding=encoding)
            unanswered = pictures.draw(model, kind, table, wish)
    except ImportError as error:
        raise click.UsageError(str(error)) from error
    if path != "-":
        click.echo(path)
    if unanswered:
        sys.exit(terminal.SOME_UNANSWERED)
