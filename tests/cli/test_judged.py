"""A saved model on a table: what a picture is drawn of are the rows that an evaluation judges."""

import numpy as np
import pytest

import onelayer
from onelayer.cli.judged import Judged

RNG = np.random.default_rng(0)
X = RNG.standard_normal(60)
TABLE = {"x": X, "town": RNG.choice(["here", "there"], 60).astype(object)}


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize(("column", "cell"), [("x", 1e308), ("x", None), ("town", None)])
def test_rows_that_no_evaluation_judges_are_left_out(task, column, cell):
    y = X > 0 if task == "classification" else 2 * X
    model = onelayer.fit(TABLE | {"label": y}, task=task)
    model.weights[:, 0] *= 10  # beyond all numbers at 1e308
    odd = {name: [*values[:3], *values[2:]] for name, values in (TABLE | {"label": y}).items()}
    odd[column][3] = cell
    seen, judged = Judged(model, odd), model.evaluate(odd)
    assert list(seen.unanswered) == [3]
    assert len(seen.y) == judged["rows"] == 60
    if task == "classification":
        assert seen.p.shape == (60, 2)
        assert np.isfinite(seen.p).all()
        assert (seen.y == np.array(model.labels(seen.p))).mean() == pytest.approx(judged["accuracy"])
