"""Steps on one working set: they come to rest, whichever model they are taken with, and models are made when due."""

import numpy as np
import pytest
import scipy.sparse as sp

from onelayer.data.columns import Columns
from onelayer.data.labels import Labels
from onelayer.fits.problem import Problem
from onelayer.objective.layer import Objective
from onelayer.settings import Settings
from onelayer.solvers import Watch, working_set
from onelayer.solvers.linear import Parts
from onelayer.solvers.place import Place
from onelayer.solvers.walk import Walk
from onelayer.solvers.working_set import on_working_set


def asked(X, y, C, l1_ratio=1.0):
    """The objective of these rows, and where a fit starts."""
    problem = Problem.of(X, Labels.of(y, None, None, None), Columns.of(X, True), Settings(C=C, l1_ratio=l1_ratio))
    return problem.objective, problem.start(None)


def drawn(n, d, classes=2, storage=np.asarray, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * (rng.random((n, d)) < (1 if storage is np.asarray else 0.1))
    scores = X @ (2 * rng.standard_normal((d, classes)) * (rng.random((d, classes)) < 0.1)) + rng.gumbel(
        size=(n, classes)
    )
    return storage(X), scores.argmax(axis=1)


def rest(X, y, C, **known):
    objective, start = asked(X, y, C)
    place = Place.at(objective, objective.balanced(start)[0])
    return objective, place, on_working_set(objective, place, 1e-6, Watch(), Walk(0.0), **known)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("n", "d"), [(300, 20), (60, 200), (4000, 70), (1200, 650)])
def test_no_weight_objects_where_they_end(n, d, classes, storage):
    """Of a model at each step, of a sample's, of none at first, and of more weights than rows."""
    objective, place, reached = rest(*drawn(n, d, classes, storage), 0.5)
    assert reached.violation <= 1e-6 < place.violation
    assert reached.point.value < place.point.value
    anew = Place.at(objective, reached.point.u)
    assert anew.point.value == pytest.approx(reached.point.value, rel=1e-12)
    np.testing.assert_allclose(anew.point.gradient, reached.point.gradient, atol=1e-10)


@pytest.fixture
def made(monkeypatch):
    """How many rows each Hessian was of."""
    rows, hessian = [], Objective.hessian
    monkeypatch.setattr(
        Objective, "hessian", lambda self, *args, **how: rows.append(self.rows.n) or hessian(self, *args, **how)
    )
    return rows


def test_a_model_is_made_once_products_have_cost_as_much(made):
    X, y = drawn(3000, 400, storage=sp.csr_matrix)
    rest(X, y, 0.3)
    assert made == []  # sparse rows of well-tempered columns: products are all they need
    rest(X, y, 0.3, owed=10**9)  # or have been taken in vain
    assert made[0] == 3000


def test_the_model_of_few_weights_and_many_rows_is_of_a_sample(made):
    rest(*drawn(60_000, 300), 0.01)
    assert all(20 * 300 <= n < 60_000 for n in made)
    assert 0 < len(made) < 6


def test_a_hessian_taken_before_is_used(made):
    X, y = drawn(4000, 70)
    objective, _, reached = rest(X, y, 0.5)
    hessian = Parts(objective.hessian(reached.point.u))
    made.clear()
    nearby = Place.at(objective, reached.point.u * 0.99)
    again = on_working_set(objective, nearby, 1e-6, Watch(), Walk(0.0), hessian, near=True)
    assert again.violation <= 1e-6
    assert made == []


def test_whoever_watches_ends_it():
    objective, start = asked(*drawn(300, 20), 0.5)
    place = Place.at(objective, start)
    watch = Watch(lambda point: True)
    watch(place.point)
    assert on_working_set(objective, place, 1e-6, watch, Walk(0.0)) is place


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_of_a_sample_no_step_is_taken_for_what_hardly_matters(storage):
    """Of near-separable rows, seconds went into models of what moves all rows' weights no more."""
    X, y = drawn(1200, 650, storage=storage)
    whole, hasty = (rest(X, y, 0.5, hardly=share)[2] for share in (0.0, 0.05))
    assert whole.violation <= 1e-6 < hasty.violation
    assert whole.point.value < hasty.point.value < 1.2 * whole.point.value


@pytest.mark.parametrize("C", [1, 100])
def test_a_sample_that_knows_nothing_of_some_columns_gives_way_to_more_rows(monkeypatch, made, C):
    """Every second row is taken, and half the columns are of the others: its minimum lies far off along these."""
    monkeypatch.setattr(working_set, "RICH", 2)
    monkeypatch.setattr(working_set, "CHEAP", 1)
    rng = np.random.default_rng(0)
    others = np.arange(1, 6000, 2)
    X = np.zeros((6000, 40))
    X[others, rng.integers(0, 20, len(others))] = 1
    X[:, 20:] = rng.standard_normal((6000, 20)) * (rng.random((6000, 20)) < 0.3)
    y = X @ (2 * rng.standard_normal(40)) + rng.logistic(size=6000) > 0
    reached = rest(sp.csr_matrix(X), y, C)[2]
    assert reached.violation <= 1e-6
    assert len(set(made)) > 1
    assert len(made) <= 20
