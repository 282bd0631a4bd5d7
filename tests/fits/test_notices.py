"""What a person is told of a fit: advice that can be taken."""

from dataclasses import replace

import numpy as np
import pytest

from onelayer.fits import training


@pytest.mark.parametrize(
    ("solver", "advice"), [("auto", "accept the gap"), ("lbfgs", "accept the gap, or use solver='auto'")]
)
def test_nobody_is_told_to_set_what_is_set(solver, advice, monkeypatch):
    solve = training._solve

    def short_of_tol(initial, record):
        outcome = solve(initial, record)
        record.finished = False
        return replace(outcome, converged=False)

    monkeypatch.setattr(training, "_solve", short_of_tol)
    X = np.random.default_rng(0).standard_normal((200, 3))
    fit = training.train(X, X[:, 0] > X[:, 1] ** 2, solver=solver)
    assert not fit.converged
    assert fit.warnings[0].endswith(f"where rounding left no step that lowers the cost: {advice}")


def test_a_constant_column_is_named():
    X = np.column_stack([np.ones(20), np.arange(20) % 7])
    fit = training.train(X, np.arange(20) % 7 > 3, names=["one", "day"])
    assert fit.notices[0] == "column 'one' is constant: weight 0"
