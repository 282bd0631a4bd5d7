"""What is known of a point beside an L1 penalty: its subgradient, and how far it is from the optimum at most."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris

from onelayer.data.columns import Columns
from onelayer.data.labels import Labels
from onelayer.fits.problem import Problem
from onelayer.settings import Settings
from onelayer.solvers import Watch, proximal
from onelayer.solvers.place import Place, duality_gap, least_held, subgradient


def scaled(classes):
    X, y = load_breast_cancer(return_X_y=True) if classes == 2 else load_iris(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def asked(X, y, C, l1_ratio=1.0):
    """The objective of these rows, and where a fit starts."""
    problem = Problem.of(X, Labels.of(y, None, None, None), Columns.of(X, True), Settings(C=C, l1_ratio=l1_ratio))
    return problem.objective, problem.start(None)


def test_the_subgradient_is_the_one_of_least_size():
    rng = np.random.default_rng(0)
    u, smooth, lasso = np.array([-1.0, 0.0, 2.0])[rng.integers(0, 3, 300)], rng.standard_normal(300), rng.random(300)
    lasso[::7] = 0  # as of the bias
    # of all that |u| has where it is 0, the slopes from -1 to 1
    all_of_them = smooth + lasso * np.where(u == 0, np.linspace(-1, 1, 2001)[:, None], np.sign(u))
    least = np.take_along_axis(all_of_them, np.abs(all_of_them).argmin(axis=0)[None], axis=0)[0]
    np.testing.assert_allclose(subgradient(u, smooth, lasso), least, atol=1e-3)


@pytest.mark.parametrize("classes", [2, 3])
def test_some_columns_see_of_a_place_what_all_do(classes):
    X, y = scaled(classes)
    objective, start = asked(X, y, 0.05)
    place = Place.at(objective, proximal(objective, start, tol=1e-2, max_iter=100, watch=Watch()).point.u)
    kept = np.flatnonzero(place.point.u[:, : X.shape[1]].any(axis=0))
    inner = objective.of_columns(kept)
    seen = place.of_columns(kept, inner)
    assert 0 < len(kept) < X.shape[1]
    anew = Place.at(inner, seen.point.u)
    np.testing.assert_allclose(seen.smooth, anew.smooth, atol=1e-12)
    np.testing.assert_allclose(seen.point.gradient, anew.point.gradient, atol=1e-12)
    assert seen.point.value == pytest.approx(anew.point.value, rel=1e-12)
    assert seen.violation == pytest.approx(anew.violation)
    assert seen.size == pytest.approx(anew.size, rel=1e-12)


def test_under_less_penalty_no_column_is_left_out_that_gets_a_weight():
    """The strong rule: nothing objects by more than the penalties have changed."""
    X, y = scaled(2)
    before, start = asked(X, y, 0.02)
    place = Place.at(before, proximal(before, start, tol=1e-8, max_iter=100, watch=Watch()).point.u)
    after = asked(X, y, 0.03)[0]
    guess = place.with_penalties_of(after, place.point.u)
    best = proximal(after, start, tol=1e-8, max_iter=100, watch=Watch()).point.u
    looked_at = (guess.point.gradient != 0) | (guess.point.u != 0)
    assert looked_at[best != 0].all()
    assert not looked_at.all()
    np.testing.assert_array_equal(guess.lasso[:, :-1], after.lasso[None])


def test_where_slopes_lead_is_seen_from_two_optima_fewer_columns_are_looked_at():
    X, y = load_digits(return_X_y=True)
    X, y = X[:, X.std(axis=0) > 0] / 16, y > 4
    objectives = [asked(X, y, C)[0] for C in (0.1, 0.11, 0.121, 1.0)]
    ends = [
        proximal(o, np.zeros((1, X.shape[1] + 1)), tol=1e-8, max_iter=100, watch=Watch()).point.u for o in objectives
    ]
    older, place = (Place.at(o, u) for o, u in zip(objectives[:2], ends[:2], strict=True))

    def looked_at(objective, *older):
        guess = place.with_penalties_of(objective, place.point.u, *older)
        return (guess.point.gradient != 0) | (guess.point.u != 0)

    strong, foreseen = looked_at(objectives[2]), looked_at(objectives[2], older)
    assert foreseen[ends[2] != 0].all()
    assert foreseen.sum() < strong.sum()
    # so far off, nothing is foreseen
    np.testing.assert_array_equal(looked_at(objectives[3], older), looked_at(objectives[3]))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("tol", [0.3, 1e-2, 1e-4])
def test_the_bound_that_asks_no_rows_is_a_bound_and_no_less_than_the_one_that_does(classes, l1_ratio, tol):
    X, y = scaled(classes)
    objective, start = asked(X, y, 0.3, l1_ratio)
    found, best = (proximal(objective, start, tol=t, max_iter=100, watch=Watch()).point.u for t in (tol, 1e-10))
    u, logits = objective.balanced(found + 1e-3 * np.sign(found))
    place = Place.at(objective, u, logits=logits)
    exact, at_once = duality_gap(objective, place), duality_gap(objective, place, np.inf)
    true = place.point.value - Place.at(objective, best).point.value
    assert 0 < true <= exact * (1 + 1e-9) <= at_once * (1 + 2e-9)
    assert at_once <= 5 * exact
    dented = duality_gap(objective, replace(place, defect=1e-3))  # of slopes that are not the point's own
    assert at_once + 5e-4 <= dented <= (at_once + 1e-3) * (1 + 1e-9)


@pytest.mark.parametrize("k", [2, 3, 4, 7])
def test_no_shift_common_to_all_classes_is_held_less(k):
    rng = np.random.default_rng(k)
    u = rng.standard_normal((k, 200)) * (rng.random((k, 200)) < 0.7)
    lasso, penalty = rng.random(200), rng.random(200) * (rng.random(200) < 0.6)

    def held(shift):
        return (lasso * np.abs(u + shift) + penalty * (u + shift) ** 2 / 2).sum(axis=0)

    found = held(least_held(u, lasso, penalty))
    assert (found <= np.min([held(shift) for shift in np.linspace(-4, 4, 2001)], axis=0) + 1e-12).all()


@pytest.mark.parametrize("l1_ratio", [0.4, 1.0])
def test_what_is_known_of_a_centred_place_is_what_the_objective_says(l1_ratio):
    X, y = scaled(3)
    objective, start = asked(X, y, 0.3, l1_ratio)
    u = objective.balanced(start + np.random.default_rng(0).standard_normal(start.shape))[0]
    place = Place.at(objective, u)
    centred = place.centred(objective)
    anew = Place.at(objective, centred.point.u)
    assert centred.point.value < place.point.value
    assert centred.point.value == pytest.approx(anew.point.value, rel=1e-12)
    assert centred.size == pytest.approx(anew.size, rel=1e-12)
    np.testing.assert_allclose(centred.smooth, anew.smooth, atol=1e-12)
    np.testing.assert_allclose(centred.point.gradient, anew.point.gradient, atol=1e-12)
    assert centred.centred(objective) is centred
    if l1_ratio == 1:  # the median of three is one of them
        assert (centred.point.u[:, :-1] == 0).any(axis=0).all()


def test_of_two_classes_nothing_is_common():
    X, y = scaled(2)
    objective, start = asked(X, y, 0.3)
    place = Place.at(objective, start + 1.0)
    assert place.centred(objective) is place
