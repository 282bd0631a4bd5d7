"""Solvers: functions of an objective and a starting point; and the choice among them."""

from onelayer.solvers.first_order import gd
from onelayer.solvers.newton import newton
from onelayer.solvers.progress import Outcome, Point, Watch

__all__ = ["Outcome", "Point", "Watch", "gd", "newton"]
