"""How a program speaks: results as JSON, warnings and errors on standard error, and the exit code at its end."""

import json
import math
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from onelayer.names import printable

SOME_UNANSWERED, USER_ERROR, OUR_FAULT, INTERRUPTED, UNREAD = 1, 2, 70, 130, 141


def to_json(document: Any) -> str:
    """JSON, which has neither NaN nor infinity: they are null."""
    return json.dumps(_finite(document), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def notices() -> Iterator[None]:
    """Warnings as lines on standard error, when all is done."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of a sum that is not finite: the answer says so
        yield
    for warning in caught:
        tell(f"notice: {warning.message}")


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """What is being done, beside a spinner on a terminal; nothing in a pipe."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda doing: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda doing: status.update(doing)


@contextmanager
def to_the_end() -> Iterator[list[int]]:
    """Within it, the first Ctrl-C only enters the list, since what is begun is to be finished; a second one ends it."""
    came: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    comes = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()

    def wait(number: int, frame: Any) -> None:
        came.append(number)
        signal.signal(signal.SIGINT, before)

    if comes:
        signal.signal(signal.SIGINT, wait)
    try:
        yield came
    finally:
        if comes:
            signal.signal(signal.SIGINT, before)


def lines(found: Iterable[str]) -> str:
    """A text of these lines, in which the name of a column can neither begin another nor steer the terminal."""
    return "\n".join(map(printable, found))


def tell(line: str) -> None:
    """A line on standard error."""
    click.echo(printable(line), err=True)


def stop(why: str) -> NoReturn:
    """Say why, and leave as a program does that Ctrl-C ends."""
    tell(f"stopped: {why}")
    sys.exit(INTERRUPTED)


def run(command: click.Command, arguments: Sequence[str] | None = None) -> None:
    """Run a command, and leave by the exit code that says how it went; no traceback reaches a person."""
    if sys.stdout is None:
        tell("error: standard output is closed: send it to a file, or to /dev/null")
        sys.exit(USER_ERROR)
    out = sys.stdout
    try:
        command.main(args=arguments, prog_name="onelayer", standalone_mode=False)
    except SystemExit as stopped:
        # where its reader has gone, click puts another in its place, that no more is written to it, and says 1
        sys.exit(stopped.code if sys.stdout is out else UNREAD)
    except click.ClickException as error:
        error.show()
        sys.exit(USER_ERROR)
    except (click.Abort, KeyboardInterrupt):
        tell("stopped")
        sys.exit(INTERRUPTED)
    except (ValueError, OSError) as error:
        tell(f"error: {_said(error)}")
        sys.exit(USER_ERROR)
    except MemoryError as error:
        tell(f"error: there is not enough memory: {str(error) or 'use fewer rows or columns'}")
        sys.exit(USER_ERROR)
    except Exception as error:
        what = f"{type(error).__name__} at {_place(error)}: {error}"
        tell(f"error: our own fault, {what}; please report it")
        sys.exit(OUR_FAULT)


def _said(error: Exception) -> str:
    """What the system says of a file, with the file first and no number; all but standard output have a name."""
    if isinstance(error, OSError) and error.strerror:
        file, where = "standard output", "where it goes"
        if error.filename:
            file, where = repr(str(error.filename)), "the path, its permissions"
        return f"{file}: {error.strerror}; check {where} and the space left"
    return str(error)


def _place(error: Exception) -> str:
    """The file and line that raised it."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "unknown"
