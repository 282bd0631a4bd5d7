"""A fit's record: what enters the history, which point is the best, who may stop it, and how it ends."""

import time

import numpy as np
import pytest

from onelayer.data.columns import Columns
from onelayer.data.labels import Labels
from onelayer.fits.problem import Misled, Problem
from onelayer.fits.record import Record, Told
from onelayer.settings import Settings
from onelayer.solvers import Point

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))
Y = np.where(X[:, 0] + RNG.standard_normal(60) > 0, "yes", "no")


def record(*, cautious=False, **settings):
    columns = Columns.of(X, True, 1, whole=cautious)
    problem = Problem.of(X, Labels.of(Y, None, None, None), columns, Settings(**settings), cautious=cautious)
    return Record(problem, time.perf_counter())


def point(value, rows=60, u=0.0):
    return Point(np.full((1, 4), u), value, np.full((1, 4), 0.5), rows)


def test_every_point_enters_and_the_least_is_kept():
    seen = record()
    for value in (0.7, 0.4, 0.5):
        assert not seen(point(value))
    assert [entry.cost for entry in seen.history] == [0.7, 0.4, 0.5]
    assert [entry.gradient_norm for entry in seen.history] == [1.0] * 3
    assert [entry.rows for entry in seen.history] == [60] * 3
    assert seen.kept.value == 0.4


def test_of_a_sample_a_point_counts_until_all_rows_are_seen():
    seen = record()
    seen(point(0.3, rows=20, u=0.1))
    seen(point(0.2, rows=20, u=0.2))
    assert seen.best is None
    assert seen.kept.u[0, 0] == 0.2
    assert seen.kept.value == pytest.approx(seen.problem.objective.value(np.full((1, 4), 0.2)))  # that of all rows
    seen(point(0.5))
    assert seen.kept.value == 0.5


def test_a_larger_sample_is_worth_more_than_a_lower_value():
    seen = record()
    seen(point(0.2, rows=20))
    seen(point(0.4, rows=30))
    assert seen.nearest.rows == 30


def test_any_callback_may_stop_it_and_all_are_told():
    told = []
    seen = record(callbacks=[lambda progress: told.append(progress.cost), lambda progress: progress.cost < 0.5])
    assert not seen(point(0.6))
    assert seen(point(0.4))
    assert seen.finished
    assert told == [0.6, 0.4]


def test_a_callbacks_breakdown_is_no_word_of_the_fit():
    def overflowing(progress):
        raise FloatingPointError("mine")

    with pytest.raises(Told) as caught:
        record(callbacks=[overflowing])(point(0.5))
    assert str(caught.value.__cause__) == "mine"


def test_what_is_not_finite_is_tried_again_with_care_and_then_refused():
    with pytest.raises(Misled):
        record()(point(np.inf))
    with pytest.raises(ValueError, match="the logits overflow: rescale the features or weights"):
        record(cautious=True)(point(np.inf))


def test_the_returned_point_ends_the_history():
    seen = record()
    first, second = point(0.5), point(0.6)
    seen(first)
    seen(second)
    assert seen.end(first) == 1  # an iteration, and the start
    assert [entry.cost for entry in seen.history] == [0.5, 0.6, 0.5]
    again = record()
    again(second)
    again(first)
    assert again.end(first) == 1
    assert [entry.cost for entry in again.history] == [0.6, 0.5]


def test_verbose_says_a_line_each(capsys):
    seen = record(verbose=True)
    seen(point(0.5))
    assert capsys.readouterr().out == "iteration 0: cost 0.5, gradient 1\n"
