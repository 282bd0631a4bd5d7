"""Early stopping and callbacks, on every solver: the best weights are kept, and anyone who watches may stop the fit."""

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss

from onelayer import PerceptronClassifier, PerceptronRegressor, diagnostics
from onelayer.fits import separation
from onelayer.settings import SOLVERS
from onelayer.solvers import HeldOut, Point

EVERY = [("auto", (6,))] + [(solver, ()) for solver in SOLVERS]


def noisy(n, seed, d=30):
    """Few rows, many columns, a third of the labels drawn: what is learnt to the end is learnt by heart."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = np.where(rng.random(n) < 0.3, rng.integers(0, 2, n), X[:, 0] > 0)
    return X, y


@pytest.mark.parametrize(
    ("solver", "batch_size", "batches"),
    [
        ("lbfgs", "auto", False),
        ("lbfgs", 16, False),
        ("gd", "auto", False),
        ("gd", 16, True),
        ("momentum", "auto", False),
        ("nesterov", "auto", False),
        ("nesterov", 16, True),
        ("adam", "auto", True),
        ("adam", 200, False),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_by_itself_a_network_that_learns_by_batches_is_stopped_early_and_no_other(solver, batch_size, batches):
    X, y = noisy(200, 0)
    model = PerceptronClassifier(solver=solver, batch_size=batch_size, hidden_layer_sizes=(4,), max_iter=20)
    model.fit(X, y)
    assert all((entry.held_out is not None) == batches for entry in model.history_)
    one_layer = PerceptronClassifier(solver=solver, batch_size=batch_size, max_iter=20).fit(X, y)
    assert all(entry.held_out is None for entry in one_layer.history_)


def test_patience_is_counted_from_the_last_fall():
    losses = iter([5.0, 4.0, 4.0, 3.9, 4.0, 4.0, 3.0])
    held_out = HeldOut(lambda u: next(losses), patience=2)
    stops = [held_out(Point(np.array([float(i)]), 0.0, np.zeros(1), 1)) for i in range(6)]
    assert stops == [False, False, False, False, False, True]
    assert held_out.best.u == 3


@pytest.mark.parametrize(("solver", "hidden"), EVERY)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_weights_of_the_least_held_out_loss_are_kept(solver, hidden):
    X, y = noisy(120, 0)
    held = noisy(400, 1)
    model = PerceptronClassifier(solver=solver, hidden_layer_sizes=hidden, C=1e4, n_iter_no_change=4)
    model.fit(X, y, eval_set=held)
    on_all = [entry.held_out for entry in model.history_ if entry.held_out is not None]
    least = log_loss(held[1], model.predict_proba(held[0]))
    assert least == pytest.approx(min(on_all), rel=1e-4)
    to_the_end = PerceptronClassifier(solver=solver, hidden_layer_sizes=hidden, C=1e4, early_stopping=False, tol=1e-6)
    assert least <= log_loss(held[1], to_the_end.fit(X, y).predict_proba(held[0])) + 1e-3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_rows_are_held_out_from_every_class_and_seen_by_nobody():
    X, y = noisy(300, 0)
    model = PerceptronClassifier(early_stopping=True, validation_fraction=0.2, solver="gd").fit(X, y)
    assert model.history_[-1].rows == 300 - sum(int(0.2 * (y == label).sum()) for label in (0, 1))
    assert all(entry.held_out is not None for entry in model.history_)


def test_large_data_hold_out_by_themselves_with_hidden_layers():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12_000, 4))
    y = X[:, 0] * X[:, 1] + 0.3 * rng.logistic(size=12_000) > 0
    model = PerceptronClassifier(hidden_layer_sizes=(8,)).fit(X, y)
    assert model.history_[-1].rows == 12_000 - sum(int(0.1 * (y == label).sum()) for label in (0, 1))
    assert model.converged_
    assert model.score(X, y) > 0.7


def test_a_fraction_that_holds_nothing_out_is_refused():
    with pytest.raises(
        ValueError, match=r"of 8 rows this is none: raise it, pass an eval_set, or set early_stopping=Fa"
    ):
        PerceptronClassifier(early_stopping=True).fit(np.arange(8.0)[:, None], [0, 1] * 4)


@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronRegressor])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: 5, "eval_set must be a tuple of X and y, not int such as 5"),
        (lambda X, y: (X, y, y), "eval_set must be a tuple of X and y, not tuple of 3"),
        (lambda X, y: [(X, y)], "eval_set must be a tuple of X and y, not list of 1"),
        (lambda X, y: (X[:, :2], y), "eval_set: X has 2 features, but"),
        (lambda X, y: (X, y[:-1]), "eval_set: X has 40 rows, but y has 39"),
        (
            lambda X, y: (np.where(np.arange(40)[:, None] == 17, np.nan, X), y),
            "eval_set: column 0 has NaN or infinity in 1 cell, first NaN in row 17",
        ),
    ],
)
def test_rows_held_out_that_cannot_be_used_are_named(estimator, change, message):
    X, y = noisy(40, 0, d=4)
    with pytest.raises(ValueError, match=message):
        estimator().fit(X, y, eval_set=change(X, y))


@pytest.mark.parametrize("n", [2, 9])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_with_too_few_rows_to_hold_out_auto_holds_none(n):
    X, y = np.arange(float(n))[:, None], np.arange(n) % 2
    for estimator in (PerceptronClassifier, PerceptronRegressor):
        model = estimator(hidden_layer_sizes=(4,), solver="adam", max_iter=20).fit(X, y)
        assert model.history_[-1].rows == n
        assert model.history_[-1].held_out is None


def test_a_label_unknown_to_the_fit_is_named():
    X, y = noisy(100, 0)
    with pytest.raises(ValueError, match="eval_set got label 7 in row 1, which is none of the classes"):
        PerceptronClassifier().fit(X, y, eval_set=(X[:2], [0, 7]))


@pytest.mark.parametrize(("solver", "hidden"), EVERY)
def test_a_callback_sees_cost_gradient_and_weights_and_stops_the_fit(solver, hidden):
    X, y = noisy(200, 0)
    seen = []

    def callback(entry):
        seen.append((entry.cost, entry.gradient, entry.weights()))
        return len(seen) == 3

    model = PerceptronClassifier(solver=solver, hidden_layer_sizes=hidden, callbacks=[callback]).fit(X, y)
    assert len(model.history_) in (3, 4)  # the last entry is of the returned weights, once more if they came before
    for cost, gradient, weights in seen:
        last = weights[-1] if hidden else weights
        assert cost > 0
        assert np.isfinite(gradient).all()
        assert last.shape == ((1, 7) if hidden else (1, 31))
    best = min(seen, key=lambda entry: entry[0])[2]
    kept = model.coefs_[0].T if hidden else model.coef_
    np.testing.assert_array_equal(kept, (best[0] if hidden else best)[:, :-1])


@pytest.mark.parametrize(("solver", "hidden"), EVERY)
def test_interruption_keeps_the_best(solver, hidden):
    X, y = noisy(200, 0)
    seen = []

    def interrupt(entry):
        seen.append((entry.cost, entry.weights()))
        if len(seen) == 3:
            raise KeyboardInterrupt

    model = PerceptronClassifier(solver=solver, hidden_layer_sizes=hidden, callbacks=[interrupt])
    with pytest.warns(UserWarning, match="interrupted: the best weights so far are kept"):
        model.fit(X, y)
    best = min(seen, key=lambda entry: entry[0])[1]
    kept = model.coefs_[0].T if hidden else model.coef_
    np.testing.assert_array_equal(kept, (best[0] if hidden else best)[:, :-1])
    assert model.history_[-1].rows == 200


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_more_columns_than_rows_are_watched_like_all_others(solver, classes):
    rng = np.random.default_rng(0)
    X, held = rng.standard_normal((60, 150)), rng.standard_normal((300, 150))
    y, labels = ((part[:, :3] ** 2 + part[:, 3:6]).argmax(axis=1) % classes for part in (X, held))
    seen = []

    def callback(entry):
        seen.append((entry.cost, entry.gradient, entry.weights(), entry.gradient_norm))

    model = PerceptronClassifier(solver=solver, C=0.1, callbacks=[callback], n_iter_no_change=3, max_iter=20)
    model.fit(X, y, eval_set=(held, labels))
    least = log_loss(labels, model.predict_proba(held))
    assert least == pytest.approx(min(entry.held_out for entry in model.history_), rel=1e-9)
    for cost, gradient, weights, norm in seen:
        z = X @ weights[:, :-1].T + weights[:, -1]
        z = np.column_stack([0 * z, z]) if classes == 2 else z
        loss = -(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[np.arange(60), y].mean()
        assert cost == pytest.approx(loss + (weights[:, :-1] ** 2).sum() / (2 * 0.1 * 60), rel=1e-9)
        assert gradient.shape == weights.shape
        assert norm == pytest.approx(np.linalg.norm(gradient), rel=0.2)
    first, second = seen[0], seen[1]  # along the way between two points, the cost changes as the gradient says
    scaled = [weights[:, :-1] * X.std(axis=0) for weights in (first[2], second[2])]
    slopes = [(gradient[:, :-1] * (scaled[1] - scaled[0])).sum() for gradient in (first[1], second[1])]
    assert slopes[0] < 0
    assert slopes[0] < slopes[1]


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("at", [1, 2])
def test_interruption_on_a_sample_keeps_the_best_weights_so_far(at, l1_ratio):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100_000, 5))
    y = X[:, 0] + rng.logistic(size=100_000) > 0
    rows = []

    def interrupt(entry):
        rows.append((entry.rows, entry.cost))
        if len(rows) == at:
            raise KeyboardInterrupt

    model = PerceptronClassifier(callbacks=[interrupt], l1_ratio=l1_ratio, tol=1e-7)  # costs of all digits
    with pytest.warns(UserWarning, match="interrupted: the best weights so far are kept"):
        model.fit(X, y)
    assert rows[-1][0] < 100_000
    assert not model.converged_
    assert model.history_[-1].rows == 100_000
    z, w = model.decision_function(X), model.coef_[0]
    held = np.abs(w).sum() if l1_ratio else w @ w / 2
    assert model.history_[-1].cost == pytest.approx(
        np.logaddexp(0, np.where(y, -z, z)).mean() + held / len(y), rel=1e-9
    )
    assert model.history_[-1].cost == pytest.approx(min(cost for _, cost in rows), rel=0.1)


@pytest.mark.parametrize(
    ("C", "room", "looked_for"),
    [(1.0, separation, "separating"), (math.inf, separation, "separating"), (math.inf, diagnostics, "rank")],
)
def test_interruption_after_the_fit_keeps_it(C, room, looked_for, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    X, y = noisy(200, 0)
    fitted = PerceptronClassifier(C=C).fit(X, y)
    monkeypatch.setattr(room, looked_for, interrupt)
    with pytest.warns(UserWarning, match="interrupted: the fit was over, but what else") as told:
        model = PerceptronClassifier(C=C).fit(X, y)
    assert [warning.category for warning in told] == [UserWarning]  # none that it did not converge
    assert model.converged_
    np.testing.assert_array_equal(model.coef_, fitted.coef_)


@pytest.mark.parametrize("at", [1, 3])
def test_a_callback_stops_a_fit_while_it_is_on_a_sample(at):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100_000, 5))
    y = X[:, 0] + rng.logistic(size=100_000) > 0
    seen = []
    model = PerceptronClassifier(callbacks=[lambda entry: seen.append(entry) or len(seen) == at]).fit(X, y)
    assert seen[at - 1].rows < 100_000
    assert len(seen) <= at + 1  # and one look at all rows
    assert not model.converged_
    assert model.history_[-1].rows == 100_000


def test_the_loss_of_rows_held_out_is_without_the_penalty():
    X, y = noisy(120, 0)
    held = noisy(400, 1)
    model = PerceptronClassifier(C=1e-3).fit(X, y, eval_set=held)
    on_all = [entry.held_out for entry in model.history_ if entry.held_out is not None]
    assert log_loss(held[1], model.predict_proba(held[0])) == pytest.approx(min(on_all), rel=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_weights_that_serve_rows_held_out_best_are_converged_only_if_they_are_at_the_optimum():
    X, y = noisy(120, 0)
    held = noisy(400, 1)
    early = PerceptronClassifier(solver="gd", C=1e4, n_iter_no_change=1).fit(X, y, eval_set=held)
    assert early.optimality_gap_ > early.tol
    assert not early.converged_
