"""A fit as all faces get it: its history is of what it says, ends at its weights, and counts iterations only."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer

from onelayer.fits.training import TASKS, train
from onelayer.settings import SOLVERS


def rows(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4)) * [1, 10, 0.1, 1] + [0, 5, 0, -3]
    return X, (X[:, 0] + X[:, 1] / 10 + rng.logistic(size=n) > 0.5).astype(int), rng.uniform(0.5, 2, n)


def cost(weights, hidden, X, y, weight, C):
    """The objective by the textbook, divided by C Σ ω; hidden layers' penalty is on other columns."""
    z = X
    for layer in hidden:
        z = np.maximum(z @ layer[:, :-1].T + layer[:, -1], 0)
    z = (z @ weights[:, :-1].T + weights[:, -1])[:, 0]
    loss = np.logaddexp(0, np.where(y == 1, -z, z))
    penalty = 0 if hidden else (weights[:, :-1] ** 2).sum() / 2
    return ((weight * loss).sum() + penalty / C) / weight.sum()


def test_a_network_takes_as_many_iterations_as_it_may_for_each_penalty_that_it_tries():
    X, y, _ = rows()
    for most in (0, 1, 2, 3, 10, 60):
        fit = train(X, y, hidden_layer_sizes=(5,), solver="gd", max_iter=most, learning_rate=0.1)
        penalties = len({entry.decay for entry in fit.history}) + 1  # that of all rows is the last, or another
        assert most <= fit.n_iter <= penalties * (most + 1)
        assert fit.warnings[0].startswith(f"stopped after {most} iterations")


@pytest.mark.parametrize("tol", [0.5, 10.0])
def test_a_coarse_tolerance_is_kept_to_the_letter(tol):
    X, y, _ = rows()
    for solver in ("auto", "gd", "lbfgs"):
        fit = train(X, y, tol=tol, solver=solver)
        assert fit.converged
        assert fit.optimality_gap <= tol


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_one_layer_that_rows_held_out_stopped_says_so(solver):
    X, y = load_breast_cancer(return_X_y=True)
    fit = train(X, y, early_stopping=True, solver=solver, max_iter=500)
    assert not fit.converged
    assert fit.notices[0].startswith(
        "stopped short of the optimum, as for 10 iterations rows held out were served no b"
    )


@pytest.mark.parametrize(("solver", "hidden"), [(solver, ()) for solver in SOLVERS] + [("auto", (5,)), ("adam", (5,))])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_the_history_ends_at_the_weights_and_its_cost_is_the_objectives(solver, hidden, storage):
    X, y, weight = rows()
    C = 1e9 if hidden else 0.5
    fit = train(
        storage(X),
        y,
        sample_weight=weight,
        C=C,
        solver=solver,
        hidden_layer_sizes=hidden,
        early_stopping=False,
        max_iter=20,
    )
    expected = cost(fit.weights, fit.hidden, X, y, weight, C)
    assert fit.history[-1].cost == pytest.approx(expected, rel=1e-4 if hidden else 1e-9)  # networks: single precision
    assert fit.history[-1].cost == min(entry.cost for entry in fit.history)
    assert fit.history[-1].rows == 200
    assert fit.n_iter <= 20
    assert len(fit.history) in (fit.n_iter + 1, fit.n_iter + 2)
    seconds = [entry.seconds for entry in fit.history]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "adam"])
def test_callbacks_see_as_many_points_as_there_were_iterations_and_the_start(solver):
    X, y, _ = rows()
    seen = []
    fit = train(X, y, solver=solver, max_iter=5, callbacks=[seen.append])
    assert len(seen) == fit.n_iter + 1
    assert [entry.cost for entry in seen] == [entry.cost for entry in fit.history[: len(seen)]]


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_iteration_returns_the_start(solver):
    X, y, _ = rows()
    fit = train(X, y, solver=solver, max_iter=0)
    assert not fit.weights[:, :-1].any()
    assert fit.weights[0, -1] == pytest.approx(np.log(y.mean() / (1 - y.mean())), rel=1e-9)
    assert not fit.converged
    given = np.array([[0.1, 0.2, 0.3, 0.4, 0.5]])
    np.testing.assert_allclose(train(X, y, solver=solver, max_iter=0, initial=[given]).weights, given, rtol=1e-12)


@pytest.mark.parametrize(
    ("solver", "hidden"),
    [(solver, hidden) for solver in SOLVERS for hidden in ((), (5,)) if solver != "newton" or not hidden],
)
def test_the_same_fit_twice_is_the_same_to_the_last_bit(solver, hidden):
    X, y, _ = rows()
    first, again = (
        train(X, y, solver=solver, hidden_layer_sizes=hidden, max_iter=15, random_state=3, n_jobs=jobs)
        for jobs in (1, 2)
    )
    np.testing.assert_array_equal(first.weights, again.weights)
    assert [entry.cost for entry in first.history] == [entry.cost for entry in again.history]


def test_a_task_that_is_none_is_refused():
    with pytest.raises(ValueError, match=f"task must be one of {', '.join(TASKS)}, not 'ranking'"):
        train(*rows()[:2], task="ranking")


def test_what_is_given_is_left_alone():
    X, y, weight = rows()
    copies = X.copy(), y.copy(), weight.copy()
    for task in TASKS:
        for hidden in ((), (4,)):
            train(X, y, sample_weight=weight, task=task, hidden_layer_sizes=hidden, max_iter=5, eval_set=(X, y))
    for given, before in zip((X, y, weight), copies, strict=True):
        np.testing.assert_array_equal(given, before)


def test_what_has_no_optimum_is_not_converged_though_the_cost_hardly_falls_any_more():
    """One column parts a few rows from all others: its weight grows for ever, and what that brings is soon nothing."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(2000), np.arange(2000) < 3])
    y = (X[:, 0] + rng.logistic(size=2000) > 0) | (X[:, 1] > 0)
    fit = train(X, y.astype(int), C=np.inf)
    assert fit.optimality_gap < 1e-3
    assert "the classes are separable" in fit.warnings[0]
    assert not fit.converged


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("settings", [{}, {"l1_ratio": 1.0}, {"hidden_layer_sizes": (4,)}, {"task": "regression"}])
def test_rows_of_weight_0_have_no_say_in_anything(storage, settings):
    """One far out decided the units of all columns: nothing was learnt, and that was said to be the optimum."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    z = X @ [1.0, 2, 3] + rng.logistic(size=200)
    y = z if "task" in settings else z > 0
    far, other = np.vstack([X, np.full((2, 3), 1e15)]), np.append(y, [1e200, -1e200] if "task" in settings else [0, 1])
    weight = np.append(rng.uniform(0.5, 2, 200), [0, 0])
    with_them = train(storage(far), other, sample_weight=weight, **settings)
    without = train(storage(X), y, sample_weight=weight[:200], **settings)
    np.testing.assert_array_equal(with_them.weights, without.weights)
    holed = storage(np.where(np.arange(606).reshape(202, 3) == 601, np.nan, far))
    with pytest.raises(ValueError, match="column 1 has NaN or infinity in 1 cell, first NaN in row 200"):
        train(holed, other, sample_weight=weight, **settings)


@pytest.mark.parametrize("settings", [{}, {"C": np.inf}, {"l1_ratio": 1.0}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("cell", [1e9, -(2.0**63), 1e200])
@pytest.mark.parametrize("row", [0, 30_007])
def test_a_cell_that_the_sample_has_not_does_not_decide_what_is_learnt(settings, cell, row):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60_000, 10))  # of more than are looked at whole
    y = (2 * X[:, 0] + rng.standard_normal(60_000) > 0).astype(int)
    X[row, 3] = cell  # as of missing numbers that were written as the least integer
    found = train(X, y, **settings)
    others = train(np.delete(X, 3, axis=1), y, **settings)
    assert found.converged or "separable" in found.warnings[0] or "rounding left no step" in found.warnings[0]
    assert found.history[-1].cost < others.history[-1].cost + (1e-5 if found.converged else 1e-3)


def test_single_precision_is_not_misled_either():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((250_000, 10)).astype(np.float32)
    y = (X[:, 0] > 0) ^ (rng.random(250_000) < 0.2)
    X[0, 3] = np.finfo(np.float32).min  # in a sample of the fit's, and in none that columns were scaled by
    for settings in ({"C": np.inf}, {"l1_ratio": 1.0}, {}):
        found = train(X, y, **settings)
        assert found.converged or "separable" in found.warnings[0]
        assert found.history[-1].cost < 0.57


@pytest.mark.parametrize("near", [1e-6, 1e-5, 0.0])
def test_single_precision_does_not_hide_what_columns_that_are_nearly_alike_leave(near):
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((45_000, 25)).astype(np.float32)
    X = np.hstack([Z, Z + np.float32(near) * rng.standard_normal(Z.shape).astype(np.float32) * Z])
    y = Z @ rng.standard_normal(25) * 0.3 + rng.logistic(size=len(Z)) > 0
    single, double = train(X, y, C=1e10), train(X.astype(np.float64), y, C=1e10, tol=1e-9)
    assert single.converged
    assert single.history[-1].cost <= double.history[-1].cost * (1 + 1e-6)


@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
def test_a_gap_of_many_logits_is_estimated_too(solver):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((28_000, 52))
    y = (X[:, :10] + rng.gumbel(size=(28_000, 10))).argmax(axis=1)
    assert train(X, y, solver=solver, max_iter=3).gap_kind in ("estimate", "bound")


def test_early_stopping_tells_a_gap_where_columns_outnumber_rows():
    rng = np.random.default_rng(0)
    found = train(rng.standard_normal((100, 3_000)), rng.integers(0, 12, 100), early_stopping=True)
    assert found.gap_kind in ("estimate", "bound")


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("cells", [[1e14, -1e13, 1e13], [-1e8, -1e16, -1e17]])
def test_a_start_that_a_sample_gave_and_no_step_leads_on_from_is_not_kept(classes, cells):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40_000, 6))
    y = (X[:, :classes] * 2 + rng.gumbel(size=(40_000, classes))).argmax(axis=1)
    far = rng.choice(40_000, 3, replace=False)
    X[far, 5] = cells
    found, others = train(X, y), train(X[:, :5], y)
    assert found.converged
    assert found.history[-1].cost < others.history[-1].cost + 1e-5


def test_a_cell_that_misled_a_fit_is_told_of():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60_000, 10))
    y = (2 * X[:, 0] + rng.standard_normal(60_000) > 0).astype(int)
    X[30_007, 3] = 1e12
    names = [*"abcdefghij"]
    said = train(X, y, names=names).notices[0]
    assert said.startswith("column 'd' holds 1e+12, ")
    assert said.endswith(" times as far out as other cells: if that stands for no value, drop or correct its row")
    X[30_007, 3] = 0
    assert not train(X, y, names=names).notices


def test_a_fit_that_has_no_optimum_is_not_done_again():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60_000, 10))
    y = (X @ rng.standard_normal(10) > 0).astype(int)
    seen = []
    found = train(X, y, C=np.inf, callbacks=[seen.append])
    assert "separable" in found.warnings[0]
    assert len(seen) <= len(found.history)


def test_a_start_that_was_given_is_not_laid_to_a_sample():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60_000, 10))
    y = (X @ rng.standard_normal(10) + rng.logistic(size=60_000) > 0).astype(int)
    seen, start = [], [np.append(-5 * X[y == 1].mean(axis=0), 0.0)[None]]
    found = train(X, y, solver="gd", max_iter=3, initial=start, callbacks=[seen.append])
    assert found.history[0].cost > 1
    assert len(seen) == len(found.history) == 4


def test_single_precision_is_not_doubted_beside_a_penalty():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60_000, 40)).astype(np.float32)
    X[:, -1] = X[:, 0] + X[:, 1]
    y = (X[:, 0] + rng.logistic(size=60_000) > 0).astype(int)
    for C in (1.0, np.inf):  # what rounding leaves of a sum is no column's own, either
        seen = []
        found = train(X, y, C=C, callbacks=[seen.append])
        assert found.converged
        assert len(seen) <= len(found.history)
        assert np.abs(found.weights).max() < 3


@pytest.mark.parametrize("raised", [np.linalg.LinAlgError, FloatingPointError, KeyError])
def test_what_a_callback_raises_is_nothing_of_the_fit(raised):
    X, y, _ = rows()
    seen = []

    def callback(at):
        seen.append(at)
        raise raised("mine")

    with pytest.raises(raised, match="mine"):
        train(X, y, callbacks=[callback])
    assert len(seen) == 1


def test_without_a_penalty_a_cell_far_out_misleads_no_fit_either():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((300_000, 8))
    y = (X[:, 0] + rng.logistic(size=300_000) > 0).astype(int)
    X[150_001, 3] = 1e15
    found, others = train(X, y, C=np.inf), train(np.delete(X, 3, axis=1), y, C=np.inf)
    assert found.converged or "separable" in found.warnings[0]
    assert found.history[-1].cost < others.history[-1].cost + 1e-5
