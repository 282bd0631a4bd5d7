"""The progress bar: on a terminal only, with the cost and the held-out loss."""

import io

import numpy as np
import pytest
from rich.console import Console
from sklearn.base import clone

from onelayer import PerceptronClassifier, ProgressBar

X = np.arange(40.0)[:, None]
y = (np.arange(40) > 20) ^ (np.arange(40) % 7 == 0)


def drawn(terminal):
    out = io.StringIO()
    with ProgressBar(console=Console(file=out, force_terminal=terminal, width=100)) as bar:
        model = PerceptronClassifier(callbacks=[bar], early_stopping=True, solver="lbfgs").fit(X, y)
    return out.getvalue(), model


def test_on_a_terminal_the_last_cost_and_held_out_loss_are_shown():
    text, model = drawn(terminal=True)
    assert f"cost {model.history_[-1].cost:.6g}, held out {model.history_[-1].held_out:.4g}" in text


def test_the_count_is_that_of_iterations_and_the_fits_own():
    out = io.StringIO()
    with ProgressBar(total=7, console=Console(file=out, force_terminal=True, width=100)) as bar:
        model = PerceptronClassifier(callbacks=[bar], solver="adam", tol=0, max_iter=7)
        with pytest.warns(UserWarning, match="stopped after 7 iterations"):
            model.fit(X, y)
    assert model.n_iter_[0] == 7
    assert "7/7" in out.getvalue()
    assert "8/7" not in out.getvalue()


def test_elsewhere_nothing_is_written():
    assert drawn(terminal=False)[0] == ""


def test_an_estimator_that_has_one_can_be_cloned():
    with ProgressBar() as bar:
        assert clone(PerceptronClassifier(callbacks=[bar])).callbacks[0] is bar
