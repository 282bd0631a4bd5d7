"""Hidden layers: gradients against finite differences, size kept through layers, what is learnt."""

import itertools
import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits, make_circles, make_classification, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, cross_val_predict, cross_val_score

from onelayer import PerceptronClassifier
from onelayer.objective.layer import Objective
from onelayer.objective.losses import IDENTITY, SIGMOID, SOFTMAX
from onelayer.objective.network import ACTIVATIONS, Network, forward, layers
from onelayer.rows.sources import Rows

LOSSES = {"binary": (SIGMOID, 1), "softmax": (SOFTMAX, 3), "regression": (IDENTITY, 1)}


def network(activation="tanh", loss="binary", hidden=(5, 4), storage=np.asarray, dtype=np.float64, n=30, penalty=0.05):
    rng = np.random.default_rng(0)
    function, k = LOSSES[loss]
    X = storage(rng.standard_normal((n, 3)).astype(dtype))
    y = rng.integers(0, max(k, 2), n)
    weight = rng.uniform(0.5, 2, n)
    rows = Rows(X, y if k > 1 else y.astype(float), weight)
    return Network(rows, function, (3, *hidden, k), ACTIVATIONS[activation], penalty, float(weight.sum()))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", [(5,), (5, 4), (4, 3, 3)])
@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, sp.csr_matrix])
def test_the_gradient_is_that_of_finite_differences(activation, loss, hidden, storage):
    f = network(activation, loss, hidden, storage)
    u = f.initial(seed=1) + 0.1 * np.random.default_rng(1).standard_normal(f.shape)  # biases too
    gradient = f.value_gradient(u)[1]
    for i in range(u.size):
        step = np.zeros(u.size)
        step[i] = 1e-6
        slope = (f.value_gradient(u + step)[0] - f.value_gradient(u - step)[0]) / 2e-6
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_without_hidden_layers_it_is_the_one_layer_there_is(loss):
    f = network(loss=loss, hidden=())
    one = Objective(f.rows, f.loss, f.outputs, np.full(3, f.penalty), f.total_weight)
    u = np.random.default_rng(2).standard_normal(f.shape)
    W, b = next(layers(u, f.sizes))
    value, gradient = one.value_gradient(np.column_stack([W.T, b]))
    mine, flat = f.value_gradient(u)
    assert mine == pytest.approx(value, rel=1e-13)
    W_gradient, b_gradient = next(layers(flat, f.sizes))
    np.testing.assert_allclose(np.column_stack([W_gradient.T, b_gradient]), gradient, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_the_product_is_the_hessians(activation):
    f = network(activation)
    u = f.initial(seed=1)
    product = f.product(u)
    eye = np.eye(u.size)
    H = np.array([product(v) for v in eye])
    np.testing.assert_allclose(H, H.T, atol=1e-6 * np.abs(H).max())
    for i, j in itertools.product(range(0, u.size, 7), range(0, u.size, 5)):
        corners = [f.value_gradient(u + 1e-4 * (a * eye[i] + b * eye[j]))[0] for a in (1, -1) for b in (1, -1)]
        second = (corners[0] - corners[1] - corners[2] + corners[3]) / 4e-8
        assert H[i, j] == pytest.approx(second, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_passes_from_layer_to_layer_keeps_its_size(activation):
    X = np.random.default_rng(0).standard_normal((2000, 200))
    f = Network(Rows(X, np.zeros(2000)), SIGMOID, (200, *[200] * 6, 1), ACTIVATIONS[activation], 0.0, 2000.0)
    _, inputs, _ = forward(X, list(layers(f.initial(seed=0), f.sizes)), f.activation)
    # tanh(z)² ≈ z² - 2 z⁴ / 3, so that a mean square of q falls by 2 q² in each layer, to 1 / (2 i) after i of them
    for i, a in enumerate(inputs[1:], start=1):
        assert 1 / (2 * i + 1) < np.square(a).mean() < 1.5


def test_weight_two_is_a_row_twice_and_weight_nought_a_row_gone():
    f = network(loss="softmax")
    weight = np.arange(30) % 3
    again = np.repeat(np.arange(30), weight)
    u = f.initial(seed=0)
    once = f.sample(np.arange(30), weight.astype(float), float(weight.sum())).value_gradient(u)
    twice = f.sample(again, None, float(len(again))).value_gradient(u)
    assert once[0] == pytest.approx(twice[0], rel=1e-13)
    np.testing.assert_allclose(once[1], twice[1], rtol=1e-10, atol=1e-15)


def test_single_precision_agrees_to_its_digits():
    double, single = network(), network(dtype=np.float32)
    u = double.initial(seed=0)
    assert single.value_gradient(u)[0] == pytest.approx(double.value_gradient(u)[0], rel=1e-6)
    difference = single.value_gradient(u)[1] - double.value_gradient(u)[1]
    assert np.linalg.norm(difference) <= 1e-5 * np.linalg.norm(double.value_gradient(u)[1])


def test_a_far_logit_neither_overflows_nor_makes_nan():
    for activation in ACTIVATIONS:
        f = network(activation)
        value, gradient = f.value_gradient(1e4 * f.initial(seed=0))
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


def test_the_seed_alone_decides_where_it_starts():
    f = network()
    np.testing.assert_array_equal(f.initial(seed=3), f.initial(seed=3))
    assert (f.initial(seed=3) != f.initial(seed=4)).any()


def xor(n, seed):
    X = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def spiral(n, seed):
    """Two arms of two turns."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    radius = np.sqrt(rng.uniform(0.0025, 1, n))
    angle = 4 * np.pi * radius + np.pi * y
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


SHAPES = {
    "circles": ((16,), lambda n, seed: make_circles(n, noise=0.05, factor=0.5, random_state=seed)),
    "moons": ((16,), lambda n, seed: make_moons(n, noise=0.1, random_state=seed)),
    "xor": ((16,), xor),
    "spiral": ((32, 32), spiral),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_shapes_that_no_line_parts_are_learnt_from_600_points(shape, activation):
    hidden, draw = SHAPES[shape]
    model = PerceptronClassifier(hidden_layer_sizes=hidden, activation=activation).fit(*draw(600, 0))
    assert model.converged_
    assert model.score(*draw(2000, 1)) >= 0.97


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_learnt_with_the_defaults_whatever_the_seed(shape):
    hidden, draw = SHAPES[shape]
    for seed in range(5):
        model = PerceptronClassifier(hidden_layer_sizes=hidden, random_state=seed).fit(*draw(600, seed))
        assert model.score(*draw(2000, seed + 100)) >= 0.97


def test_two_spirals_are_learnt_by_tanh_from_every_start():
    for seed in range(5):
        model = PerceptronClassifier(hidden_layer_sizes=(32, 32), activation="tanh", random_state=seed)
        assert model.fit(*spiral(600, seed)).score(*spiral(2000, seed + 100)) >= 0.95


def test_digits_are_learnt_to_97_5_per_cent():
    X, y = load_digits(return_X_y=True)
    scores = cross_val_score(
        PerceptronClassifier(hidden_layer_sizes=(32, 32)), X, y, cv=KFold(5, shuffle=True, random_state=0)
    )
    assert scores.mean() >= 0.975


def fitted(X, y, **settings):
    return PerceptronClassifier(hidden_layer_sizes=(6, 4), **settings).fit(X, y)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_the_stack_it_shows(storage, classes):
    X, y = make_classification(300, 5, n_informative=4, n_redundant=0, n_classes=classes, random_state=0)
    model = fitted(storage(X), y)
    a = X
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        a = np.maximum(a @ W + b, 0)
    z = a @ model.coefs_[-1] + model.intercepts_[-1]
    z = np.column_stack([0 * z[:, 0], z[:, 0]]) if classes == 2 else z
    e = np.exp(z - z.max(axis=1, keepdims=True))
    np.testing.assert_allclose(model.predict_proba(storage(X)), e / e.sum(axis=1, keepdims=True), rtol=1e-9, atol=1e-12)
    assert [W.shape for W in model.coefs_] == [(5, 6), (6, 4), (4, 1 if classes == 2 else 3)]
    assert not hasattr(model, "coef_")
    assert model.score(storage(X), y) > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_seed_gives_the_same_network_and_another_seed_another():
    X, y = xor(300, 0)
    for solver in ("lbfgs", "adam"):
        first, again, other = (fitted(X, y, solver=solver, random_state=seed, max_iter=20) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.coefs_[0], again.coefs_[0])
        assert (first.coefs_[0] != other.coefs_[0]).any()


@pytest.mark.parametrize(("factor", "shift"), [(1e8, 0), (1e-8, 0), (1, 1e6), (1e100, 0)])
def test_units_of_a_column_do_not_matter_to_a_network(factor, shift):
    X, y = xor(600, 0)
    expected = fitted(X, y).score(*xor(1000, 1))
    moved = np.array([1, factor]) * X + np.array([0, shift])
    held, labels = xor(1000, 1)
    score = fitted(moved, y).score(np.array([1, factor]) * held + np.array([0, shift]), labels)
    assert score >= expected - 0.01


def test_a_network_starts_from_the_fit_before():
    X, y = xor(300, 0)
    model = fitted(X, y, warm_start=True)
    first = model.history_[0].cost
    model.fit(X, y)
    assert next(entry.cost for entry in model.history_ if entry.rows == 300) < first / 3
    model.set_params(hidden_layer_sizes=(3,)).fit(X, y)  # another shape starts anew
    assert [len(b) for b in model.intercepts_] == [3, 1]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_labels_drawn_by_lot_are_not_learnt_by_heart(activation):
    X, y = make_classification(500, 20, n_informative=5, flip_y=0.2, random_state=0)
    settings = {"hidden_layer_sizes": (16,), "activation": activation}
    losses = []
    for model in (PerceptronClassifier(), PerceptronClassifier(**settings)):
        found = cross_val_predict(model, X, y, method="predict_log_proba", cv=KFold(5, shuffle=True, random_state=0))
        losses.append(-found[np.arange(500), y].mean())
    assert losses[1] < 1.1 * losses[0]
    model.fit(X, y)
    assert any("rows held out for a while were served best by a penalty" in notice for notice in model.notices_)
    by_heart = PerceptronClassifier(**settings, early_stopping=False).fit(X, y)
    assert not by_heart.notices_
    assert by_heart.history_[-1].cost < model.history_[-1].cost / 2


def test_few_rows_or_a_given_eval_set_leave_the_penalty_to_C():
    X, y = xor(40, 0)
    for fit in (fitted(X, y), PerceptronClassifier(hidden_layer_sizes=(6, 4)).fit(*xor(300, 0), eval_set=xor(99, 1))):
        assert {entry.rows for entry in fit.history_} in ({40}, {300})


def test_a_small_C_holds_the_weights_small():
    X, y = xor(300, 0)
    norms = [sum(np.square(W).sum() for W in fitted(X, y, C=C).coefs_) for C in (0.01, 1, 100)]
    assert norms[0] < norms[1] < norms[2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_layer_sizes": 16}, "hidden_layer_sizes must hold the number of neurons of each layer"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must hold the number of neurons of each layer"),
        ({"hidden_layer_sizes": (4,), "activation": "selu"}, "activation must be one of tanh, relu, gelu, not 'selu'"),
        ({"hidden_layer_sizes": (4,), "solver": "newton"}, "solver='newton' needs one layer"),
        ({"hidden_layer_sizes": (4,), "fit_intercept": False}, "fit_intercept=False needs one layer"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        PerceptronClassifier(**settings).fit(*xor(50, 0))


def test_nan_is_named_with_its_place():
    X, y = xor(50, 0)
    X[17, 1] = np.nan
    with pytest.raises(ValueError, match="column 1 has NaN or infinity in 1 cell, first NaN in row 17"):
        fitted(X, y)


@pytest.mark.parametrize("rate", [1e3, 1e-300])
@pytest.mark.parametrize("early_stopping", ["auto", False])
def test_a_network_that_no_step_helped_has_not_converged(rate, early_stopping):
    X, y = make_moons(200, noise=0.2, random_state=0)
    network = PerceptronClassifier(
        hidden_layer_sizes=(8,), solver="adam", learning_rate=rate, early_stopping=early_stopping
    )
    with pytest.warns(ConvergenceWarning, match=f"no step by learning_rate={rate:g} lowered the (cost|loss)"):
        network.fit(X, y)
    assert not network.converged_
