"""What lies beneath a mask is refused with its place, wherever arrays are taken."""

import matplotlib
import numpy as np
import pytest

from onelayer import PerceptronClassifier, guide, plots
from onelayer.masks import unmasked

matplotlib.use("Agg")
X = np.array([[0.0, 1.0], [1.0, 9.0], [2.0, 0.0]])
Y = np.array([0, 1, 1])
MASKED, ONE = np.ma.masked_array(X, X > 5), np.ma.masked_array([0.5, 0.5, 0.5], [False, True, False])


@pytest.mark.parametrize(
    ("values", "where"),
    [
        (ONE, r"a is masked in row 1: fill it \(a\.filled\) or drop the row"),
        (MASKED, r"a is masked in row 1, column 1: fill it \(a\.filled\) or leave it out"),
        (np.ma.masked, "a is masked: fill it"),
        (np.ma.masked_array(np.zeros((1, 1, 2)), [[[False, True]]]), "a is masked in row 0, column 0, position 1: f"),
    ],
)
def test_the_place_is_named(values, where):
    with pytest.raises(ValueError, match=where):
        unmasked(values, "a")


def test_a_mask_that_hides_nothing_is_none():
    np.testing.assert_array_equal(unmasked(np.ma.masked_array([1, 2], False), "a"), [1, 2])


@pytest.mark.parametrize(
    "take",
    [
        lambda: guide.sigmoid(ONE),
        lambda: guide.layer_sizes(MASKED.T, Y[None]),
        lambda: guide.compute_cost(ONE[None], Y[None]),
        lambda: guide.stable_rate(MASKED.T),
        lambda: guide.predict(MASKED.T, {"W": [[1.0, 1.0]], "b": [[0.0]]}),
        lambda: guide.update_parameters({"W": ONE[None], "b": [[0.0]]}, {"dW": [[0.0] * 3], "db": [[0.0]]}),
        lambda: plots.decision_boundary([1, 1], 0, MASKED, Y),
        lambda: plots.decision_boundary(PerceptronClassifier().fit(X, Y), MASKED, Y),
        lambda: plots.projection(PerceptronClassifier().fit(X, Y), MASKED, Y),
        lambda: plots.roc(Y, ONE),
        lambda: plots.roc(np.ma.masked_array(Y, ONE.mask), [0.1, 0.2, 0.3]),
        lambda: plots.confusion(Y, np.ma.masked_array(Y, ONE.mask)),
        lambda: plots.weights(["a", "b", "c"], ONE),
    ],
)
def test_no_hidden_number_is_used(take):
    with pytest.raises(ValueError, match="masked in row"):
        take()
