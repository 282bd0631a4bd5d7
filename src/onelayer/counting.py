"""Counts in words."""


def counted(count: int, thing: str) -> str:
    """A count and its thing, with an s unless it is one.

    Examples
    --------
    >>> counted(1, "cell"), counted(2, "cell")
    ('1 cell', '2 cells')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
