"""The guide, by its own names: one sigmoid neuron, from counted words to a drawn boundary.

Names, defaults and layout are the guide's, and here alone examples stand in **columns**: ``X`` (n_x, m) features by
examples, ``Y`` (n_y, m) labels 0 or 1, ``W`` (n_y, n_x), ``b`` (n_y, 1), ``A`` (n_y, m) probabilities of class 1.
Costs are means over the examples, in nats. The updates are those of plain gradient descent, in raw columns and with no
penalty; what is added is that costs are exact, inputs are checked, and a cost that rises is said to rise.

Read its rooms in this order: `data`, the `neuron` with its cost and its gradient, the loop (`learning`), the picture
and the `answer`; `asked` says what is wrong with what is given.
"""

from onelayer.guide.answer import plot_decision_boundary, predict
from onelayer.guide.data import blobs, sentences, thirty_points, word_counts
from onelayer.guide.learning import RisingCostWarning, descent, nn_model, stable_rate
from onelayer.guide.neuron import (
    backward_propagation,
    compute_cost,
    forward_propagation,
    initialize_parameters,
    layer_sizes,
    update_parameters,
)
from onelayer.objective.losses import sigmoid

__all__ = [
    "RisingCostWarning",
    "backward_propagation",
    "blobs",
    "compute_cost",
    "descent",
    "forward_propagation",
    "initialize_parameters",
    "layer_sizes",
    "nn_model",
    "plot_decision_boundary",
    "predict",
    "sentences",
    "sigmoid",
    "stable_rate",
    "thirty_points",
    "update_parameters",
    "word_counts",
]
