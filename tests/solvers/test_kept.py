"""What fits along a path keep from one another: a Hessian that they have paid for, and copies of columns."""

import numpy as np
import pytest

from onelayer import path
from onelayer.data.labels import Labels
from onelayer.fits.training import train
from onelayer.objective.layer import Objective
from onelayer.paths import PathProblem
from onelayer.settings import Settings
from onelayer.solvers import Kept
from onelayer.solvers.place import Place


@pytest.fixture
def rows():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((3_000, 300)) + 0.5 * rng.standard_normal((3_000, 1))
    return X, X[:, :30].sum(axis=1) / 3 + rng.logistic(size=len(X)) > 0


def counted(monkeypatch, name):
    """How many columns each call of the objective's method was for."""
    seen = []
    original = getattr(Objective, name)

    def spied(self, *args, **known):
        found = original(self, *args, **known)
        seen.append(found.rows.d if name == "of_columns" else self.rows.d)
        return found

    monkeypatch.setattr(Objective, name, spied)
    return seen


def test_models_pay_for_a_hessian_of_all_columns_and_none_of_fewer_follows(rows, monkeypatch):
    X, y = rows
    formed = counted(monkeypatch, "hessian")
    found = path(X, y, Cs=60, tol=1e-4)
    assert found.converged.all()
    d = X.shape[1]
    assert d in formed[:20]
    assert set(formed[formed.index(d) :]) == {d}


def test_several_fits_share_a_copy_of_the_columns_and_are_what_they_were(rows, monkeypatch):
    X, y = rows
    copied = counted(monkeypatch, "of_columns")
    found = path(X, y, Cs=60)
    assert len(copied) <= 25
    for at in (3, 20, 40):
        cold = train(X, y, C=found.Cs[at], l1_ratio=1.0, tol=1e-9)
        np.testing.assert_allclose(found.weights[at], cold.weights, atol=2e-4 * np.abs(cold.weights).max())


def test_a_hessian_is_the_losses_whatever_penalty_it_was_formed_with(rows):
    """Beside an L2 penalty a million times as large, single precision would hold nothing of it."""
    X, y = rows
    problem = PathProblem.of(X, Labels.of(y, None, None, None), Settings(l1_ratio=0.5), 1)
    strong = problem._penalised(problem.objective, 1e-9, 0.5)
    u = np.zeros((1, X.shape[1] + 1))
    kept, some = Kept(10), np.arange(0, 300, 7)
    assert kept.of(strong, some) is None
    kept.pay(1e9, 1.0, strong, Place.at(strong, u))
    weak = problem._penalised(problem.objective, 1e3, 0.5).of_columns(some)
    exact = weak.hessian(u[:, : len(some) + 1])
    np.testing.assert_allclose(kept.of(weak, some).matrix, exact, atol=1e-5 * np.abs(exact).max())
    assert kept.of(weak, some) is kept.of(weak, some)  # with its last factor
    other = problem._penalised(problem.objective, 1e2, 0.5).of_columns(some)
    np.testing.assert_allclose(kept.of(other, some).matrix, exact + np.diag(other.ridge - weak.ridge), atol=1e-5)


def test_no_hessian_is_formed_for_the_last_fits(rows):
    X, y = rows
    problem = PathProblem.of(X, Labels.of(y, None, None, None), Settings(l1_ratio=1.0), 1)
    objective = problem._penalised(problem.objective, 1.0, 1.0)
    place = Place.at(objective, np.zeros((1, X.shape[1] + 1)))
    for fits, formed in ((2, False), (100, True)):
        kept = Kept(fits)
        kept.spent = 1e9
        kept.pay(3.0, 1.0, objective, place)
        assert bool(kept.hessian.size) == formed
