"""A GIF that a program wrote beside itself is shown on its page, and moved there."""

from pathlib import Path
from shutil import move
from typing import Any

from sphinx_gallery.scrapers import figure_rst


def gifs(block: Any, variables: dict[str, Any], gallery: dict[str, Any]) -> str:
    """A scraper of Sphinx-Gallery, called after each block of a program."""
    shown = []
    for gif in sorted(Path(variables["src_file"]).parent.glob("*.gif")):
        shown.append(str(Path(next(variables["image_path_iterator"])).with_suffix(".gif")))
        move(gif, shown[-1])
    return (
        figure_rst(shown, gallery["src_dir"], "a boundary as it is learnt, step by step")
        if shown
        else ""
    )
