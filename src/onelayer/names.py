"""Names and cells as they stand in a line: cut where they are long, and what would steer a terminal escaped."""

import re
from typing import Any

# the two blocks of control characters, ends of lines and paragraphs, and what turns the direction of writing
STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
LONGEST = 60  # characters of a name: a term of a text may be a whole file


def printable(line: str) -> str:
    """A line, with control characters and ends of lines in it as Python writes them.

    Examples
    --------
    >>> print(printable("\\x1b[31mred\\nnew line"))
    \\x1b[31mred\\nnew line
    """
    return STEERING.sub(lambda found: repr(found[0])[1:-1], line)


def short(name: Any, most: int = LONGEST) -> str:
    """A name in a line, with no more than so many characters; between quotes where blanks at its edge would be lost.

    Examples
    --------
    >>> short("a\\tb"), short("abcdefgh", 5), short("no ")
    ('a\\\\tb', 'abcd…', "'no '")
    """
    line = printable(str(name)[: most + 1])
    line = line if len(line) <= most else line[: most - 1] + "…"
    return line if line == line.strip() else f"'{line}'"
