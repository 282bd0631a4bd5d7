"""Early stopping: the point that serves rows held out best, and when no better one is to be hoped for."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from onelayer.solvers.progress import Point

Array = NDArray[Any]

PROGRESS = 1e-4  # of the loss: what is less is noise of the held-out rows, and not worth an iteration


@dataclass
class HeldOut:
    """Sees the points of a fit; True once the loss on held-out rows has not fallen for ``patience`` of them.

    Prechelt, "Early stopping — but when?" (Neural Networks: Tricks of the Trade, 1998), criterion UP.

    Examples
    --------
    >>> held_out = HeldOut(lambda u: (u - 2) ** 2, patience=2)
    >>> [held_out(Point(u, 0.0, u, 1)) for u in (0, 1, 2, 3, 4)]
    [False, False, False, False, True]
    >>> held_out.best.u
    2
    """

    loss: Callable[[Array], float]
    patience: int
    best: Point | None = None
    losses: list[float] = field(default_factory=list)
    least: float = math.inf
    waited: int = 0

    def __call__(self, point: Point) -> bool:
        loss = self.loss(point.u)
        self.losses.append(loss)
        self.waited = 0 if loss < self.least - PROGRESS * abs(self.least) or self.best is None else self.waited + 1
        if loss < self.least:
            self.best, self.least = point, loss
        return self.enough

    @property
    def enough(self) -> bool:
        """Whether no better point is to be hoped for."""
        return self.waited >= self.patience
