"""How strong the penalty of hidden layers is: stronger where rows are few and noisy, as C says where they are not."""

from dataclasses import replace

import numpy as np
import pytest

from onelayer.data.columns import Columns
from onelayer.data.labels import Labels
from onelayer.fits.problem import Problem
from onelayer.fits.weight_decay import STRONGER, strengthened
from onelayer.settings import Settings
from onelayer.solvers import Outcome, Point, Watch, solve


def problem(n=300, C=1.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    y = X[:, 0] + rng.standard_normal(n) > 0
    settings = Settings(hidden_layer_sizes=(4,), C=C)
    return Problem.of(X, Labels.of(y, None, None, None), Columns.of(X, True, 1), settings)


def teacher(given):
    """Weights that serve all rows well: the further from them, the worse."""
    watch = Watch()
    return solve(given.objective, given.start(None), solver="lbfgs", tol=1e-6, max_iter=300, watch=watch).point.u


def reached(served, given):
    """A solver that ends the further from the teacher the further a penalty is from `served`; what it was asked."""
    asked, best = [], teacher(given)
    away = np.random.default_rng(1).standard_normal(best.shape)

    def minimise(part, u, watch):
        asked.append((part.decay, part.objective.penalty, part.objective.rows.n, np.array(u)))
        end = best + abs(np.log(part.decay / served)) * away
        return Outcome(Point.at(part.objective, end), 0.0, "none", True)

    return asked, minimise, best


@pytest.mark.parametrize("served", STRONGER[:-1])
def test_the_first_that_serves_no_better_is_the_last(served):
    given = problem()
    asked, minimise, best = reached(served, given)
    chosen, end = strengthened(given, minimise, Watch())
    assert chosen.decay == served
    assert chosen.objective.penalty == pytest.approx(served * given.objective.penalty)
    assert chosen.objective.rows.n == 300  # the fit that follows is of all rows
    assert [decay for decay, *_ in asked] == list(STRONGER[: STRONGER.index(served) + 2])
    np.testing.assert_array_equal(end, best)


def test_a_fifth_is_held_out_and_the_penalty_is_for_as_many_rows():
    given = problem()
    asked, minimise, _ = reached(1.0, given)
    strengthened(given, minimise, Watch())
    _, penalty, rows, _ = asked[0]
    assert 239 <= rows <= 241
    assert penalty * rows == pytest.approx(given.objective.penalty * 300)


def test_each_penalty_starts_where_the_one_before_ended():
    given, ends = problem(), []

    def minimise(part, u, watch):
        assert not ends or u is ends[-1]
        outcome = solve(part.objective, u, solver="lbfgs", tol=1e-4, max_iter=50, watch=watch)
        ends.append(outcome.point.u)
        return outcome

    strengthened(given, minimise, Watch())
    assert len(ends) >= 2


def test_few_rows_say_nothing():
    given = problem(n=40)
    asked, minimise, _ = reached(1.0, given)
    chosen, start = strengthened(given, minimise, Watch())
    assert not asked
    assert chosen is given
    np.testing.assert_array_equal(start, given.objective.initial(given.settings.seed))


def test_a_stop_keeps_what_there_is():
    given, watch = problem(), Watch()

    def stopped(part, u, watch):
        watch.stopped = True
        return Outcome(Point.at(part.objective, u + 1), 0.0, "none", False)

    chosen, end = strengthened(given, stopped, watch)
    assert chosen.decay == 1.0
    np.testing.assert_array_equal(end, given.objective.initial(given.settings.seed) + 1)


def test_the_problem_given_is_left_as_it_was():
    given = problem()
    before = replace(given)
    strengthened(given, reached(10.0, given)[1], Watch())
    assert given == before
