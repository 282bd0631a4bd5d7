"""A program's warnings stand on its page as a category and words, without the paths of the machine that built it."""

import warnings
from typing import Any

USUAL = warnings.formatwarning


def without_paths(_: dict[str, Any], __: str, when: str) -> None:
    """Called before and after each program."""
    if when == "before":
        warnings.formatwarning = lambda message, category, *_, **__: (
            f"{category.__name__}: {message}\n"
        )
        warnings.simplefilter("always")
    else:
        warnings.formatwarning = USUAL
        warnings.resetwarnings()
        warnings.simplefilter(
            "ignore"
        )  # of Sphinx's own parts; its warnings of pages are no Python warnings
