"""Callbacks for a fit: a bar that shows how far it is."""

from types import TracebackType
from typing import Any, Self


class ProgressBar:
    """A line with the iterations, the cost and the loss on held-out rows of a fit, on a terminal only.

    Parameters
    ----------
    total : int, optional
        Iterations to expect, the fit's ``max_iter``; without it the bar only counts.
    console : rich.console.Console, optional
        Where to draw, by default on standard error.

    Examples
    --------
    >>> from onelayer import PerceptronClassifier
    >>> with ProgressBar() as bar:
    ...     model = PerceptronClassifier(callbacks=[bar]).fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    """

    def __init__(self, total: int | None = None, console: Any = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = console or Console(stderr=True)
        counts = "{task.completed}" if total is None else "{task.completed}/{task.total}"
        columns = TextColumn(counts), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task, self._iteration = self._progress.add_task("", total=total), -1  # a fit shows its start first

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, entry: Any) -> None:
        """Show an entry of the history; never asks to stop."""
        held_out = "" if entry.held_out is None else f", held out {entry.held_out:.4g}"
        self._iteration += 1
        self._progress.update(self._task, completed=self._iteration, description=f"cost {entry.cost:.6g}{held_out}")

    def __deepcopy__(self, memo: Any) -> Self:
        """Itself: scikit-learn copies the callbacks of what it clones, and a terminal has one bar."""
        return self
