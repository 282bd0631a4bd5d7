"""``onelayer demo``."""

from pathlib import Path

import click


@click.command(short_help="Tell the guide's story with its numbers and pictures.")
@click.argument("folder", default="onelayer-demo", type=click.Path(file_okay=False))
def demo(folder: str) -> None:
    """Tell the guide's story with its numbers, and save its pictures in FOLDER.

    \b
    onelayer demo
    onelayer demo pictures
    """
    from onelayer.cli import story

    try:
        story.run(Path(folder), click.echo)
    except ImportError as error:
        raise click.UsageError(str(error)) from error
