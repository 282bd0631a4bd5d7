"""Pictures of one layer, each drawn on the Axes it is given, and that Axes returned.

``ax=None`` makes a new pyplot figure, which notebooks show and scripts show or save; with an Axes given, pyplot is not
touched. Matplotlib is imported when something is drawn, never before. Functions take arrays, or anything that looks
like a fitted classifier (``predict_proba``, ``classes_``), ours or another's. Colours are Okabe and Ito's, which the
colour-blind tell apart, and no meaning rests on colour alone: classes differ in marker, curves in dash and marker,
weights in side. Of many rows a sample is drawn, and the picture says so.
"""

from onelayer.plots.animation import animation
from onelayer.plots.boundary import boundary_segment, decision_boundary
from onelayer.plots.canvas import BLUE, GREEN, PURPLE, VERMILLION
from onelayer.plots.curves import cost, gap
from onelayer.plots.errors import confusion, threshold
from onelayer.plots.judgement import calibration, precision_recall, roc
from onelayer.plots.penalty import regularisation_path, tuning
from onelayer.plots.projection import projection
from onelayer.plots.surface import weight_path
from onelayer.plots.weights import weights

__all__ = [
    "BLUE",
    "GREEN",
    "PURPLE",
    "VERMILLION",
    "animation",
    "boundary_segment",
    "calibration",
    "confusion",
    "cost",
    "decision_boundary",
    "gap",
    "precision_recall",
    "projection",
    "regularisation_path",
    "roc",
    "threshold",
    "tuning",
    "weight_path",
    "weights",
]
