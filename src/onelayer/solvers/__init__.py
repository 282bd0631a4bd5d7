"""Solvers: functions of an objective and a starting point; and the choice among them."""

from onelayer.solvers.first_order import NAMES as FIRST_ORDER
from onelayer.solvers.first_order import solve
from onelayer.solvers.held_out import HeldOut
from onelayer.solvers.kept import Kept
from onelayer.solvers.newton import newton
from onelayer.solvers.progress import Outcome, Point, Watch
from onelayer.solvers.proximal import proximal
from onelayer.solvers.quadratic import quadratic

__all__ = [
    "FIRST_ORDER",
    "HeldOut",
    "Kept",
    "Outcome",
    "Point",
    "Watch",
    "newton",
    "proximal",
    "quadratic",
    "solve",
]
