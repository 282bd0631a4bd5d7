"""The guide's functions against a re-derivation in mpmath, and against the input that breaks the guide's own code."""

import math
import re
import warnings
from fractions import Fraction
from itertools import islice, pairwise

import matplotlib
import mpmath
import numpy as np
import pytest

from onelayer import guide

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def learnt_in_mpmath(X, Y, W, steps, rate):
    """Gradient descent for one output, example by example, in 40 digits: weights with the bias last, and costs."""
    with mpmath.workdps(40):
        examples = [
            ([mpmath.mpf(float(v)) for v in X[:, i]] + [mpmath.mpf(1)], int(Y[0, i])) for i in range(X.shape[1])
        ]
        w = [mpmath.mpf(float(v)) for v in W[0]] + [mpmath.mpf(0)]
        costs = []
        for _ in range(steps):
            gradient, cost = [mpmath.mpf(0)] * len(w), mpmath.mpf(0)
            for x, y in examples:
                odds = mpmath.exp(sum(a * b for a, b in zip(w, x, strict=True)))
                cost += mpmath.log(1 + odds) - (mpmath.log(odds) if y else 0)
                error = odds / (1 + odds) - y
                gradient = [g + error * v for g, v in zip(gradient, x, strict=True)]
            w = [v - mpmath.mpf(rate) * g / len(examples) for v, g in zip(w, gradient, strict=True)]
            costs.append(cost / len(examples))
        return [float(v) for v in w], [float(c) for c in costs]


@pytest.fixture(scope="module")
def story():
    """Both data sets and their starts, drawn in the guide's order."""
    np.random.seed(3)
    points = guide.thirty_points()
    guide.initialize_parameters(2, 1)
    first = guide.initialize_parameters(2, 1)
    return (*points, first), (*guide.blobs(), guide.initialize_parameters(2, 1))


def printed_costs(text):
    return [float(number) for number in re.findall(r"iteration \d+: (\S+)", text)]


def test_the_thirty_points_give_the_guides_numbers(story, capsys):
    X, Y, start = story[0]
    np.random.seed(3)
    np.testing.assert_array_equal(guide.thirty_points()[0], X)
    guide.initialize_parameters(2, 1)
    parameters = guide.nn_model(X, Y, num_iterations=50, learning_rate=1.2, print_cost=True)
    weights, costs = learnt_in_mpmath(X, Y, start["W"], 50, 1.2)
    np.testing.assert_allclose([*parameters["W"][0], parameters["b"][0, 0]], weights, rtol=1e-10, atol=0)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 50
    assert printed[0].endswith(" 0.693480")
    assert printed[-1].endswith(" 0.132574")
    np.testing.assert_allclose(printed_costs("\n".join(printed)), costs, atol=5.1e-7)


def test_the_thousand_points_give_the_guides_weights_and_every_cost_is_finite(story, capsys):
    X, Y, start = story[1]
    np.random.seed(3)
    guide.thirty_points()
    guide.initialize_parameters(2, 1)
    guide.initialize_parameters(2, 1)
    with pytest.warns(guide.RisingCostWarning, match=r"rose in 35 of 100 steps.*below 2/L = 0\.125") as caught:
        parameters = guide.nn_model(X, Y, num_iterations=100, learning_rate=1.2, print_cost=True)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    weights, costs = learnt_in_mpmath(X, Y, start["W"], 100, 1.2)
    np.testing.assert_allclose([*parameters["W"][0], parameters["b"][0, 0]], weights, rtol=1e-10, atol=0)
    np.testing.assert_allclose(printed_costs(capsys.readouterr().out), costs, atol=5.1e-7)


def test_descent_costs_are_exact_where_probabilities_round_to_0_and_1():
    parameters = {"W": [[1.0]], "b": [[0.0]]}
    _, cost = next(guide.descent([[40.0, 1000.0]], [[1, 0]], parameters))
    assert cost == pytest.approx((4.248354255291589e-18 + 1000) / 2, rel=1e-15)
    _, cost = next(guide.descent([[40.0]], [[1]], parameters))
    assert cost == pytest.approx(4.248354255291589e-18, rel=1e-14, abs=0)


@pytest.mark.parametrize("n_y", [1, 3])
def test_outputs_are_independent_neurons(n_y):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 50)), rng.integers(0, 2, (n_y, 50))
    start = {"W": rng.normal(size=(n_y, 4)), "b": np.zeros((n_y, 1))}
    together, cost = next(islice(guide.descent(X, Y, start, 0.3), 7, None))
    alone = [learnt_in_mpmath(X, Y[[k]], start["W"][[k]], 8, 0.3) for k in range(n_y)]
    assert cost == pytest.approx(sum(costs[7] for _, costs in alone), rel=1e-12)
    seven = [learnt_in_mpmath(X, Y[[k]], start["W"][[k]], 7, 0.3)[0] for k in range(n_y)]
    np.testing.assert_allclose(np.hstack([together["W"], together["b"]]), seven, rtol=1e-11, atol=0)


def test_the_gradient_is_the_slope_of_the_cost():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(3, 20)), rng.integers(0, 2, (2, 20))
    W, b = rng.normal(size=(2, 3)), rng.normal(size=(2, 1))
    gradients = guide.backward_propagation(guide.forward_propagation(X, {"W": W, "b": b}), X, Y)
    assert gradients["dW"].shape == (2, 3)
    assert gradients["db"].shape == (2, 1)
    slopes = np.empty((2, 4))
    for place in np.ndindex(2, 4):
        step = np.zeros((2, 4))
        step[place] = 1e-5
        sides = [
            guide.compute_cost(
                guide.forward_propagation(X, {"W": W + sign * step[:, :3], "b": b + sign * step[:, 3:]}), Y
            )
            for sign in (1, -1)
        ]
        slopes[place] = (sides[0] - sides[1]) / 2e-5
    np.testing.assert_allclose(np.hstack([gradients["dW"], gradients["db"]]), slopes, rtol=1e-7, atol=1e-10)


def test_update_parameters_makes_new_ones_at_rate_1_2_by_default():
    parameters = {"W": np.array([[1.0, 2.0]]), "b": np.array([[3.0]])}
    grads = {"dW": np.array([[10.0, -10.0]]), "db": np.array([[5.0]])}
    updated = guide.update_parameters(parameters, grads)
    np.testing.assert_allclose(updated["W"], [[-11.0, 14.0]])
    np.testing.assert_allclose(updated["b"], [[-3.0]])
    np.testing.assert_array_equal(parameters["W"], [[1.0, 2.0]])


def test_the_cost_of_probabilities_against_mpmath():
    A = np.array([[1e-300, 1e-17, 0.25, 0.5, 0.999999, 1 - 2**-53]])
    for y in (0, 1):
        truth = -sum(mpmath.log(mpmath.mpf(a) if y else 1 - mpmath.mpf(a)) for a in A[0]) / A.size
        assert guide.compute_cost(A, np.full((1, 6), y)) == pytest.approx(float(truth), rel=1e-15, abs=0)


@pytest.mark.parametrize(("a", "y", "cost"), [(0, 0, 0.0), (1, 1, 0.0), (0, 1, math.inf), (1, 0, math.inf)])
def test_the_cost_of_certainty_is_nothing_or_infinite_but_never_nan(a, y, cost):
    assert guide.compute_cost([[a]], [[y]]) == cost
    assert math.copysign(1, guide.compute_cost([[a]], [[y]])) == 1


@pytest.mark.parametrize("bad", [-0.1, 1.5, math.nan])
def test_the_cost_of_what_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match=r"^A has values .* row 0, column 1"):
        guide.compute_cost([[0.5, bad]], [[0, 1]])


def test_the_stable_bound_is_sharp():
    # Both labels at the same place: the optimum is at zero, where the curvature is exactly L.
    X, Y = np.array([[2.0, 2.0]]), np.array([[0, 1]])
    bound = guide.stable_rate(X)
    assert bound == pytest.approx(2 / (5 / 4), rel=1e-12)  # (2, 1) has the squared length 5
    start = {"W": [[0.01]], "b": [[0.0]]}
    for factor, falls in ((0.99, True), (1.01, False)):
        costs = [cost for _, cost in islice(guide.descent(X, Y, start, factor * bound), 20)]
        assert all((after < before) == falls for before, after in pairwise(costs))


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1, 1e8, 1e150])
def test_the_stable_bound_at_any_scale(scale):
    X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, 4.0]]) * scale
    with mpmath.workdps(400):  # both extremes at once
        rows = mpmath.matrix(np.vstack([X, np.ones((1, 3))]).tolist())
        largest = max(mpmath.eigsy(rows * rows.T / 3, eigvals_only=True))
        truth = float(8 / largest)
    assert guide.stable_rate(X) == pytest.approx(truth, rel=1e-12, abs=0)


def test_below_the_bound_nothing_is_said_and_the_cost_falls(story):
    X, Y, start = story[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        guide.nn_model(X, Y, num_iterations=30, learning_rate=0.99 * guide.stable_rate(X))
    costs = [cost for _, cost in islice(guide.descent(X, Y, start, 0.99 * guide.stable_rate(X)), 30)]
    assert all(after < before for before, after in pairwise(costs))


def test_rounding_at_the_optimum_is_no_rise():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 30)), rng.integers(0, 2, (1, 30))
    np.random.seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        guide.nn_model(X, Y, num_iterations=500)  # the last few hundred differ by units in the last place


@pytest.mark.parametrize("num_iterations", [1, 40])
@pytest.mark.parametrize("rate", [1e3, 1e200])
def test_a_huge_rate_gives_finite_costs_and_weights_and_one_warning(rate, num_iterations, capsys):
    with pytest.warns(guide.RisingCostWarning, match=r"is too large for X; pass a rate below 2/L = 0\.125") as caught:
        parameters = guide.nn_model(*guide.blobs(), num_iterations, rate, print_cost=True)
    assert len(caught) == 1
    costs = printed_costs(capsys.readouterr().out)
    assert len(costs) == num_iterations
    assert np.isfinite(costs).all()
    assert np.isfinite(parameters["W"]).all()


@pytest.mark.parametrize(
    ("scale", "rate", "remedy"), [(1e150, 1e200, "below 2/L = "), (1e200, 1.2, "divide each row of X")]
)
def test_overflow_is_refused_in_words(scale, rate, remedy):
    X, Y = guide.blobs(20)
    with pytest.raises(
        ValueError, match=rf"learning_rate {rate:g} drives the weights beyond .*{remedy}".replace("+", ".")
    ):
        guide.nn_model(X * scale, Y, 5, rate)


@pytest.mark.parametrize("rate", [0, -1.2, math.nan, math.inf])
def test_an_impossible_rate_is_refused_before_anything_is_drawn(rate):
    np.random.seed(5)
    with pytest.raises(ValueError, match=r"learning_rate is .*; pass a positive, finite number"):
        guide.nn_model([[0, 1]], [[0, 1]], learning_rate=rate)
    with pytest.raises(ValueError, match="learning_rate is "):
        guide.update_parameters({"W": [[1]], "b": [[1]]}, {"dW": [[1]], "db": [[1]]}, rate)
    after = np.random.randint(1 << 30)
    np.random.seed(5)
    assert after == np.random.randint(1 << 30)


def test_a_rate_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match=r"learning_rate is '1\.2', not a number"):
        guide.nn_model([[0, 1]], [[0, 1]], learning_rate="1.2")


def test_no_iterations_return_the_start_and_fewer_are_refused():
    np.random.seed(0)
    start = guide.initialize_parameters(1, 1)
    np.random.seed(0)
    np.testing.assert_array_equal(guide.nn_model([[0, 1]], [[0, 1]], 0)["W"], start["W"])
    with pytest.raises(ValueError, match="num_iterations is -1; pass 0 or more"):
        guide.nn_model([[0, 1]], [[0, 1]], -1)


WIDE, ROW = np.ones((2, 5)), np.zeros((1, 5))


@pytest.mark.parametrize(
    ("X", "Y", "words"),
    [
        (WIDE.T, ROW, "X looks transposed: pass X.T"),
        (WIDE, ROW.T, "Y looks transposed: pass Y.T"),
        (WIDE.T, ROW.T, "both look transposed: pass X.T and Y.T"),
        (ROW.T, ROW.T, "both look transposed: pass X.T and Y.T"),
        (WIDE, ROW[:, :4], "pass one label for each of the 5 examples"),
        (WIDE[0], ROW, r"X has shape \(5,\).*pass X.reshape\(1, -1\)"),
        (WIDE, ROW[0], r"Y has shape \(5,\).*pass Y.reshape\(1, -1\)"),
        (np.empty((0, 5)), ROW, r"X is empty, of shape \(0, 5\)"),
        (WIDE, ROW + 2, r"Y has labels that are neither 0 nor 1 \(5 in all\), first 2 in row 0, column 0"),
        (WIDE, [[0, 1, 0, -1, 1]], r"Y has labels .*\(1 in all\), first -1 in row 0, column 3; recode"),
        (
            WIDE,
            [[0, 1, 0, math.nan, 1]],
            r"Y has values that are not finite \(1 in all\), first nan in row 0, column 3",
        ),
        (
            [[1, 2], [3, math.nan]],
            [[0, 1]],
            r"X has values that are not finite \(1 in all\), first nan in row 1, column 1; drop",
        ),
        (
            [[1, math.inf], [3, math.nan]],
            [[0, 1]],
            r"X has values that are not finite \(2 in all\), first inf in row 0, column 1",
        ),
    ],
)
@pytest.mark.parametrize("function", [guide.layer_sizes, guide.nn_model])
def test_data_that_do_not_fit_are_refused_in_words(function, X, Y, words):
    with pytest.raises(ValueError, match=words):
        function(X, Y)


def test_data_that_are_no_numbers_are_refused():
    with pytest.raises(TypeError, match="X holds <U1 values, not numbers"):
        guide.layer_sizes([["a", "b"]], [[0, 1]])
    with pytest.raises(TypeError, match="Y holds object values, not numbers"):
        guide.layer_sizes([[1, 2]], [[None, 1]])


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.ones((7, 2)), "X has 7 rows for 2 weights; it looks transposed: pass X.T"),
        (np.ones((7, 3)), "X has 7 rows for 2 weights; features go in rows"),
        ([1, 2], r"X has shape \(2,\)"),
        ([[1, 2], [math.nan, 1]], "first nan in row 1, column 0"),
    ],
)
@pytest.mark.parametrize("function", [guide.forward_propagation, guide.predict])
def test_examples_that_do_not_fit_the_weights_are_refused(function, X, words):
    with pytest.raises(ValueError, match=words):
        function(X, {"W": [[1, 2]], "b": [[0]]})


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"W": [[1, 2]]}, "parameters has no 'b'"),
        ({"W": [[1, 2]], "b": [[0, 1]]}, r"parameters\['b'\] has shape \(1, 2\)"),
        ({"W": [[1, math.nan]], "b": [[0]]}, r"parameters\['W'\] has values that are not finite"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(parameters, words):
    with pytest.raises(ValueError, match=words):
        guide.predict([[1], [2]], parameters)


def test_mismatched_pieces_are_refused():
    with pytest.raises(ValueError, match=r"A has shape \(1, 2\) and Y \(2, 1\); Y looks transposed"):
        guide.compute_cost([[0.1, 0.2]], [[0], [1]])
    with pytest.raises(ValueError, match="pass one label for each probability"):
        guide.backward_propagation([[0.1, 0.2]], [[1, 2, 3]], [[0, 1, 0]])
    with pytest.raises(ValueError, match=r"grads\['dW'\] has shape \(1, 1\)"):
        guide.update_parameters({"W": [[1, 2]], "b": [[1]]}, {"dW": [[1]], "db": [[1]]})
    with pytest.raises(ValueError, match=r"parameters\['W'\] has shape \(1, 1\); X and Y ask for \(1, 2\)"):
        next(guide.descent([[1], [2]], [[1]], {"W": [[1]], "b": [[1]]}))
    with pytest.raises(ValueError, match="n_y is 0; a layer has at least one input"):
        guide.initialize_parameters(2, 0)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.float16, np.float32, np.float64])
def test_every_kind_of_number_gives_the_same_answer_and_is_left_alone(dtype):
    X, Y = (np.asfortranarray(array.astype(dtype)) for array in guide.thirty_points(random_state=1))
    X.setflags(write=False)
    Y.setflags(write=False)
    np.random.seed(0)
    parameters = guide.nn_model(X, Y, 20)
    np.random.seed(0)
    expected = guide.nn_model(X.astype(float).tolist(), Y.astype(float).tolist(), 20)
    np.testing.assert_array_equal(parameters["W"], expected["W"])
    np.testing.assert_array_equal(guide.predict(X, parameters), guide.predict(X.astype(float), parameters))


def test_predict_is_true_above_one_half_and_not_at_it():
    answers = guide.predict([[0.0, 1e-300, 1.0, -1.0]], {"W": [[1.0]], "b": [[0.0]]})
    assert answers.dtype == bool
    np.testing.assert_array_equal(answers, [[False, False, True, False]])


def test_words_are_counted_whatever_their_case_and_punctuation():
    texts = ["AACK,beep-Beep!! BEEP", "aackbeep beeps", "", "«Aack»\nbeep_aack"]
    np.testing.assert_array_equal(guide.word_counts(texts), [[1, 0, 0, 2], [3, 0, 0, 1]])
    assert guide.word_counts([]).shape == (2, 0)
    texts, Y = guide.sentences()
    X = guide.word_counts(texts)
    np.testing.assert_array_equal(X[1] > X[0], Y[0] == 1)
    with pytest.raises(TypeError, match="sentences is one string, 'Beep!'; pass a list"):
        guide.word_counts("Beep!")
    with pytest.raises(TypeError, match=r"sentences\[1\] is None, not a string"):
        guide.word_counts(["Beep!", None])


def test_blobs_leave_the_global_generator_alone_and_are_around_their_centres():
    np.random.seed(0)
    X, Y = guide.blobs()
    after = np.random.randint(1 << 30)
    np.random.seed(0)
    assert after == np.random.randint(1 << 30)
    for k, centre in enumerate(([2.5, 3], [6.7, 7.9])):
        cloud = X[:, Y[0] == k]
        np.testing.assert_allclose(cloud.mean(axis=1), centre, atol=0.2)
        np.testing.assert_allclose(cloud.std(axis=1), 1.4, atol=0.1)
    for data in (guide.blobs, guide.thirty_points):
        with pytest.raises(ValueError, match="m is 0; ask for at least one point"):
            data(0)


def test_a_seed_makes_the_points_repeat_without_the_global_generator():
    first, second = guide.thirty_points(random_state=4), guide.thirty_points(random_state=4)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1][0], [int(a == 0 and b == 1) for a, b in first[0].T])


@pytest.mark.parametrize("W", [[1.0, 2.0], [0.0, 2.0], [2.0, 0.0], [0.0, 0.0]])
def test_the_boundary_is_drawn_for_any_line(W):
    ax = guide.plot_decision_boundary(*guide.blobs(50), {"W": [W], "b": [[-9.0]]})
    assert (len(ax.lines) == 1) == any(W)
    for x, y in zip(*(ax.lines[0].get_data() if any(W) else ((), ())), strict=True):
        assert W[0] * x + W[1] * y == pytest.approx(9, rel=1e-12)
    ax.figure.canvas.draw()  # pyplot's canvas is Agg's here, and renders


def test_a_boundary_needs_two_features_and_one_output():
    with pytest.raises(ValueError, match="X has 3 features, Y 1 outputs and parameters"):
        guide.plot_decision_boundary(np.ones((3, 4)), [[0, 1, 0, 1]], {"W": [[1, 2, 3]], "b": [[0]]})


def test_what_double_precision_cannot_hold_is_refused_and_not_answered():
    parameters = {"W": [[10, -9]], "b": [[0]]}
    for function in (guide.forward_propagation, guide.predict):
        with pytest.raises(ValueError, match=r"W X \+ b is beyond double precision; divide each row of X"):
            function([[1e308], [1e308]], parameters)
    with pytest.raises(ValueError, match="drives the weights beyond double precision; pass a lower one"):
        guide.update_parameters({"W": [[1.0]], "b": [[0.0]]}, {"dW": [[1e308]], "db": [[0.0]]}, 1e10)


def test_sentences_may_come_one_after_another():
    assert guide.word_counts(words for words in ["Beep!", "Aack?"]).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X, Y, p: guide.nn_model(X, Y, True), "num_iterations is True, not a whole number"),
        (lambda X, Y, p: guide.nn_model(X, Y, learning_rate=10**400), "learning_rate is inf; pass a positive, finite"),
        (lambda X, Y, p: guide.backward_propagation([[1, 1]], [[1e308] * 2], [[0, 0]]), "dW is beyond double precisio"),
        (
            lambda X, Y, p: guide.predict(X, p | {"W": [[math.nan, 1]]}),
            "first nan in row 0, column 0; pass finite numb",
        ),
        (lambda X, Y, p: guide.predict(X, p | {"W": [1.0, 1.0]}), "not two dimensions; pass a row for each output"),
        (lambda X, Y, p: guide.update_parameters(None, p), "parameters is None, not a dict; pass one with 'W' and 'b'"),
        (lambda X, Y, p: guide.update_parameters(p, 5), "grads is 5, not a dict; pass one with 'dW' and 'db'"),
        (lambda X, Y, p: guide.word_counts(5), "sentences is 5; pass a list of strings"),
        (lambda X, Y, p: guide.thirty_points(True), "m is True, not a whole number"),
        (
            lambda X, Y, p: guide.thirty_points(3, random_state="a"),
            "random_state is 'a', not a whole number; pass a se",
        ),
        (lambda X, Y, p: guide.thirty_points(3, random_state=2**32), r"random_state is 2\*\*32 or more; pass a seed"),
        (lambda X, Y, p: guide.blobs(3, random_state=-1), "random_state is -1; pass a seed"),
        (lambda X, Y, p: guide.sigmoid(2 + 3j), "z holds complex128 values, not real numbers; pass logits"),
        (lambda X, Y, p: guide.sigmoid("a"), "z holds <U1 values, not real numbers; pass logits"),
    ],
)
def test_what_cannot_be_used_is_refused_in_our_own_words(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call([[0, 1], [1, 0]], [[0, 1]], {"W": [[1.0, 1.0]], "b": [[0.0]]})


def test_a_rate_that_is_a_fraction_is_a_rate():
    np.random.seed(0)
    found = guide.nn_model([[0, 1]], [[0, 1]], learning_rate=Fraction(1, 2))
    np.random.seed(0)
    np.testing.assert_array_equal(found["W"], guide.nn_model([[0, 1]], [[0, 1]], learning_rate=0.5)["W"])


def test_a_number_that_is_not_whole_is_refused_by_name():
    for function, name in (
        (lambda: guide.thirty_points(2.0), "m"),
        (lambda: guide.initialize_parameters(2.0, 1), "n_x"),
        (lambda: guide.nn_model(*guide.thirty_points(), num_iterations=2.5), "num_iterations"),
    ):
        with pytest.raises(TypeError, match=f"^{name} is 2.[05], not a whole number"):
            function()
