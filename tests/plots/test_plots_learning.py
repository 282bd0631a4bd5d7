"""How a fit went and what it left: costs, gaps, intervals, paths, and a picture that moves."""

import math
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import scipy.sparse as sp
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import norm

from onelayer import PerceptronClassifier, plots

matplotlib.use("Agg")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 2))
Y = np.where(X[:, 0] - X[:, 1] + RNG.logistic(size=200) > 0, "up", "down")


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


def draw(ax):
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].astype(float)


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def history(costs, rows=100):
    rows = [rows] * len(costs) if isinstance(rows, int) else rows
    return [SimpleNamespace(cost=c, seconds=0.5 * i, rows=n) for i, (c, n) in enumerate(zip(costs, rows, strict=True))]


def test_several_solvers_share_one_axis_by_time(ax):
    plots.cost({"slow": history([3, 2, 1.5]), "fast": history([3, 1])}, against="seconds", ax=ax)
    draw(ax)
    assert texts(ax) == ["slow", "fast"]
    assert ax.get_xlabel() == "time (seconds)"
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[0, 3], [0.5, 2], [1, 1.5]])
    assert {line.get_marker() for line in ax.lines} == {"o", "^"}


def test_costs_of_samples_are_hollow_and_said_to_be(ax):
    plots.cost(history([3, 2, 1.5], rows=[10, 10, 100]), ax=ax)
    draw(ax)
    hollow = ax.lines[1]
    assert hollow.get_markerfacecolor() == "white"
    np.testing.assert_array_equal(hollow.get_xydata(), [[0, 3], [1, 2]])
    assert texts(ax) == ["on a sample of the rows"]


def test_the_loss_on_rows_held_out_goes_with_its_curve(ax):
    entries = [SimpleNamespace(cost=c, held_out=h) for c, h in ((3, None), (2, 2.5), (1, 2.2), (0.5, 2.4), (1, 2.2))]
    plots.cost({"one": entries, "two": history([3, 2])}, ax=ax)
    draw(ax)
    assert texts(ax) == ["one", "one, on rows held out", "its least: 2.2", "two"]
    held_out = ax.lines[1].get_xydata()
    np.testing.assert_array_equal(held_out[1:], [[1, 2.5], [2, 2.2], [3, 2.4]])  # without the return to the best
    (star,) = [line for line in ax.lines if line.get_marker() == "*"]
    np.testing.assert_array_equal(star.get_xydata(), [[2, 2.2]])
    assert ax.lines[1].get_color() == ax.lines[0].get_color() != ax.lines[3].get_color()


def test_the_gap_is_above_the_optimum_and_leaves_samples_out(ax):
    plots.gap(history([0.1, 2.0, 1.1, 1.0], rows=[9, 100, 100, 100]), optimum=1.0, ax=ax)
    draw(ax)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0.5, 1], [1, 0.1], [1.5, 2.0**-52]], rtol=1e-12)
    assert ax.get_yscale() == "log"


def test_without_an_optimum_the_lowest_cost_seen_stands_for_it(ax):
    plots.gap({"a": history([2, 1.5]), "b": history([2, 1.25, 1.0])}, ax=ax)
    draw(ax)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [1, 0.5])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [1, 0.25])
    assert ax.get_ylabel() == "cost − lowest cost seen (nats)"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plots.gap(history([2, 1]), optimum=1.5), "optimum is 1.5, but a cost is lower, 1.0"),
        (lambda: plots.gap([2, 1]), "history has no seconds"),
        (lambda: plots.cost([2, 1], against="passes"), "against is 'passes'; pass 'iteration' or 'seconds'"),
        (lambda: plots.cost({}), "pass at least one"),
        (lambda: plots.cost({"a": []}), "history is empty"),
    ],
)
def test_a_history_that_cannot_be_drawn_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_intervals_are_those_of_the_normal_distribution(ax):
    plots.weights(["a", "b"], [1.0, -3.0], errors=[0.5, 0.25], confidence=0.9, ax=ax)
    draw(ax)
    (bars,) = ax.collections
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    half = norm.ppf(0.95) * np.array([0.25, 0.5])
    np.testing.assert_allclose(ends, [[-3 - half[0], -3 + half[0]], [1 - half[1], 1 + half[1]]])
    assert ax.get_title() == "all weights, with 90 % intervals"
    assert ax.get_xlim()[0] <= ends.min()


def test_an_infinite_error_reaches_off_the_picture_and_hides_no_weight(ax):
    plots.weights(["a", "b"], [1.0, -3.0], errors=[math.inf, 0.1], ax=ax)
    draw(ax)
    low, high = ax.get_xlim()
    assert -21 < low < -3
    assert 1 < high < 21


def test_of_three_classes_each_has_its_marker(ax):
    w = np.array([[1, 0, 2], [0, -1, 0], [-1, 1, -2.0]])
    plots.weights(list("abc"), w, errors=np.ones((3, 3)), most=2, classes=["x", "y", "z"], ax=ax)
    draw(ax)
    assert texts(ax) == ["x", "y", "z"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["c", "a"]
    drawn = [line for line in ax.lines if line.get_marker() in "o^s"]
    np.testing.assert_array_equal([line.get_xdata() for line in drawn], w[:, [2, 0]])


@pytest.mark.parametrize("values", [[0.0, 0.0], [1e-300, 0], [1e300, -1e300], [5.0, 4.0], [-5.0, -4.0]])
def test_any_weights_are_drawn(values, ax):
    plots.weights(["a", "b"], values, ax=ax)
    draw(ax)
    low, high = ax.get_xlim()
    assert low <= min([*values, 0]) < max([*values, 0]) <= high or not any(values)


def test_a_regularisation_path_names_the_strongest(ax):
    C = np.array([10, 0.1, 1.0])
    w = np.array([[3, -1, 0.1, 9], [0, 0, 0, 1], [1, -0.5, 0, 4.0]])
    plots.regularisation_path(C, w, list("abcd"), chosen=2.0, most=2, ax=ax)
    draw(ax)
    assert texts(ax) == ["2 others", "d", "a", "in use: C = 2"]
    (strongest,) = [line for line in ax.lines if line.get_label() == "d"]
    np.testing.assert_array_equal(strongest.get_xydata(), [[0.1, 1], [1, 4], [10, 9]])


@pytest.mark.parametrize(
    ("C", "values", "words"),
    [
        ([1, 0], np.ones((2, 1)), "C is 0.0; pass positive"),
        ([1, 2], np.ones((3, 1)), r"values has shape \(3, 1\) for 2 values of C"),
        ([1, np.inf], np.ones((2, 1)), "C has inf at position 1"),
        ([1, 2], [[1], [np.nan]], r"values has nan at position \(1, 0\)"),
    ],
)
def test_a_regularisation_path_that_is_none_is_refused(C, values, words, ax):
    with pytest.raises(ValueError, match=words):
        plots.regularisation_path(C, values, ["a"], ax=ax)


@pytest.mark.filterwarnings("error")
def test_one_value_of_C_is_a_picture_too(ax):
    plots.tuning([1e-4], [[0.5], [0.6]], chosen=1e-4, ax=ax)
    assert ax.get_xlim()[0] < 1e-4 < ax.get_xlim()[1]


def test_each_strength_of_the_penalty_has_its_loss_and_the_least_is_marked(ax):
    C, folds = np.array([10, 0.1, 1.0]), np.array([[0.5, 0.4, 0.2], [0.7, 0.6, 0.5], [0.6, 0.5, 0.2]])
    plots.tuning(C, {"l1": folds, "l2": folds[0] + 0.2}, chosen=1.0, ax=ax)
    draw(ax)
    assert texts(ax) == [
        "l1: mean of 3 folds",
        "each fold",
        "l2: rows kept out",
        "least: 0.3",
        "in use: C = 1",
    ]
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0.1, 0.5], [1, 0.3], [10, 0.6]])
    (least,) = [line for line in ax.lines if line.get_label().startswith("least")]
    np.testing.assert_allclose(least.get_xydata(), [[1, 0.3]])
    assert ax.get_xscale() == "log"


@pytest.mark.parametrize(
    ("C", "losses", "more", "words"),
    [
        ([1, 0], [1, 2], {}, "C is 0.0; pass positive"),
        ([1, 2], [1, 2], {"chosen": -1}, "chosen is -1; pass a positive"),
        ([1, 2], [1, 2], {"chosen": np.nan}, "chosen is nan; pass a positive"),
        ([1, 2], [[1, 2, 3]], {}, r"losses has shape \(1, 3\) for 2 values of C"),
        ([1, 2], [1, np.nan], {}, "losses has nan at position 1"),
        ([1, 2], {}, {}, "losses is an empty mapping"),
    ],
)
def test_losses_that_are_none_are_refused(C, losses, more, words, ax):
    with pytest.raises(ValueError, match=words):
        plots.tuning(C, losses, **more, ax=ax)
    assert not ax.has_data()


@pytest.mark.parametrize("k", [6, 30])
def test_the_weights_of_many_classes_are_a_table(k, ax):
    w = RNG.standard_normal((k, 4))
    errors = np.full((k, 4), 0.3)
    plots.weights(list("abcd"), w, errors=errors, most=3, ax=ax)
    draw(ax)
    strongest = np.argsort(-np.abs(w).max(axis=0))[:3]
    np.testing.assert_array_equal(ax.images[0].get_array(), w[:, strongest].T)
    written = {text.get_position(): (float(text.get_text()), text.get_alpha()) for text in ax.texts}
    assert len(written) == (k * 3 if k <= 20 else 0)
    for (i, j), (value, strength) in written.items():
        truth = w[int(i), strongest[int(j)]]
        assert value == pytest.approx(truth, abs=0.06)
        assert (strength < 1) == (abs(truth) < 1.96 * 0.3)


def test_around_a_centre_descent_goes_downhill_and_the_bias_is_its_log_odds(ax):
    far = X + np.array([50.0, 0.0])
    path = np.array([[0, 0, 0], [0.5, -0.2, -24.0], [0.9, -0.8, -45.0]])
    plots.weight_path(path, far, Y, centre=far.mean(axis=0), shown=(0, 2), ax=ax)
    draw(ax)
    (image,) = ax.images
    left, right, low, high = image.get_extent()
    at = path[:, 2] + path[:, :2] @ far.mean(axis=0)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), np.column_stack([path[:, 0], at]))
    w1, bias = np.linspace(left, right, 61)[11], np.linspace(low, high, 61)[47]
    z = (far - far.mean(axis=0)) @ [w1, path[-1, 1]] + bias
    assert image.get_array()[47, 11] == pytest.approx(np.log1p(np.exp(np.where(Y == "up", -z, z))).mean(), rel=1e-12)
    assert ax.get_ylabel() == "bias at the columns' centre"
    with pytest.raises(ValueError, match="centre has 3 numbers for 2 columns"):
        plots.weight_path(path, far, Y, centre=[0, 0, 0], ax=ax)


def test_a_surface_of_sparse_rows_never_fills_their_noughts(ax):
    import tracemalloc

    wide = sp.random(3000, 50_000, density=1e-4, format="csr", random_state=0)
    path = np.zeros((3, 50_001))
    path[1:, :2] = [[0.1, 0.2], [0.3, 0.3]]
    tracemalloc.start()
    plots.weight_path(path, wide, np.arange(3000) % 2, centre=np.zeros(50_000), ax=ax)
    assert tracemalloc.get_traced_memory()[1] < 60e6  # filled, they would take 1.2 GB
    tracemalloc.stop()


@pytest.mark.parametrize("C", [np.inf, 0.01])
def test_the_surface_is_the_cost(C, ax):
    path = np.array([[0, 0, 0], [0.5, -0.2, 0.1], [0.9, -0.8, 0.3]])
    plots.weight_path(path, X, Y, C=C, names=["a", "b"], ax=ax)
    draw(ax)
    (image,) = ax.images
    left, right, low, high = image.get_extent()
    surface = image.get_array()
    for i, j in ((0, 0), (17, 40), (60, 60)):
        w = np.array([np.linspace(left, right, 61)[j], np.linspace(low, high, 61)[i]])
        z = X @ w + 0.3
        cost = np.log1p(np.exp(np.where(Y == "up", -z, z))).mean() + w @ w / (2 * C * 200)
        assert surface[i, j] == pytest.approx(cost, rel=1e-12)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), path[:, :2])
    assert ax.get_xlabel() == "weight of a\n(the bias as at the end)"


def test_the_surface_of_three_classes_is_the_cross_entropy(ax):
    y = RNG.integers(0, 3, 200)
    path = RNG.standard_normal((5, 3, 3))
    plots.weight_path(path, X, y, shown=(1, 8), ax=ax)
    _, right, low, _ = ax.images[0].get_extent()
    w = path[-1].copy()
    w[0, 1], w[2, 2] = right, low
    z = X @ w[:, :2].T + w[:, 2]
    cost = -np.log((np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[np.arange(200), y]).mean()
    assert ax.images[0].get_array()[0, -1] == pytest.approx(cost, rel=1e-12)
    assert (ax.get_xlabel().split("\n")[0], ax.get_ylabel()) == ("weight of x2, for 0", "bias, for 2")


def test_several_paths_and_many_rows(ax):
    many, y = np.tile(X, (5000, 1)), np.tile(Y, 5000)  # a million
    plots.weight_path({"one": np.zeros((2, 3)), "two": np.ones((3, 3))}, many, y, ax=ax)
    draw(ax)
    assert texts(ax) == ["one (1 step)", "two (2 steps)", "start", "where it stopped"]
    assert ax.child_axes[0].get_ylabel() == "cost (nats per row) on 4,000 of 1,000,000 rows"


@pytest.mark.parametrize(
    ("path", "more", "words"),
    [
        (np.zeros((4, 2)), {}, r"path has shape \(4, 2\), not \(t, 3\)"),
        (np.full((4, 3), np.nan), {}, "path has nan at position"),
        (np.zeros((4, 3)), {"steps": [0, 5]}, "steps has 2 numbers for 4 weights; pass one for each"),
        (np.zeros((4, 3)), {"shown": (0, 3)}, r"shown is \(0, 3\); pass two positions from 0 to 2"),
    ],
)
def test_a_path_that_is_none_is_refused(path, more, words, ax):
    with pytest.raises(ValueError, match=words):
        plots.weight_path(path, X, Y, **more, ax=ax)


def test_the_animation_moves_the_line_and_ends_where_the_path_does(ax, tmp_path):
    path = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]  # none, vertical, horizontal
    assert plots.animation(path, X, Y, tmp_path / "a.gif", costs=[3, 2, 1], per_second=2, ax=ax) is ax
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.format == "GIF"
        assert gif.n_frames >= 3
        frames = []
        for i in range(3):
            gif.seek(i)
            frames.append(np.asarray(gif.convert("L"), dtype=float))
    height, width = frames[0].shape
    middle = frames[1][height // 4 : 3 * height // 4, width // 8 : 3 * width // 4]
    assert (middle.min(axis=1) < 60).all()  # something dark in every row: a vertical line
    middle = frames[2][height // 4 : 3 * height // 4, width // 8 : 3 * width // 4]
    assert (middle.min(axis=0) < 60).all()  # and in every column: a horizontal one
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0, atol=1e-12)
    assert "step 2, cost 1" in [text.get_text() for text in ax.texts]
    draw(ax)  # and can be laid out as before


def test_of_many_steps_some_are_shown_with_their_numbers(ax, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["onelayer.plots.animation"], "MOST_FRAMES", 10)
    path = np.linspace([1, 0, 0, 0], [0, 1, 0.5, 0], 250)[:, None, :]
    plots.animation(path, np.column_stack([X, X[:, 0]]), Y, tmp_path / "a.gif", features=[0, 1], per_second=2, ax=ax)
    with Image.open(tmp_path / "a.gif") as gif:
        assert 10 <= gif.n_frames <= 13  # identical ones at the end may be stored as one
    assert "step 249" in [text.get_text() for text in ax.texts]
    assert "at its median" in ax.get_xlabel()


def test_an_animation_that_is_none_is_refused(ax, tmp_path):
    with pytest.raises(ValueError, match=r"path has shape \(2, 2\), not \(t, 3\)"):
        plots.animation(np.zeros((2, 2)), X, Y, tmp_path / "a.gif", ax=ax)
    with pytest.raises(ValueError, match="steps has 1 numbers for 2 weights"):
        plots.animation(np.zeros((2, 3)), X, Y, tmp_path / "a.gif", steps=[1], ax=ax)
    assert not list(tmp_path.iterdir())


def test_a_penalty_that_changes_begins_the_curve_anew(ax):
    """Costs of a network beside one penalty after another were one curve, which seemed to rise."""
    entries = [SimpleNamespace(cost=c, rows=9, decay=d) for c, d in ((0.5, 1), (0.2, 1), (0.4, 3), (0.3, 3), (0.25, 1))]
    plots.cost(entries, ax=ax)
    (curve,), (changes,) = ax.lines, ax.collections
    np.testing.assert_array_equal(curve.get_ydata(), [0.5, 0.2, np.nan, 0.4, 0.3, np.nan, 0.25])
    assert [ends[0, 0] for ends in changes.get_segments()] == [2, 4]
    assert texts(ax) == ["from here with another penalty"]


def test_a_fit_of_a_network_tells_which_penalties_were_tried():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 2))
    y = (np.column_stack([X, -X.sum(axis=1)]) + 0.7 * rng.standard_normal((400, 3))).argmax(axis=1)
    model = PerceptronClassifier(hidden_layer_sizes=[8], random_state=0).fit(X, y)
    decays = [entry.decay for entry in model.history_]
    assert {1.0, 3.0} <= set(decays)
    assert {entry.decay for entry in PerceptronClassifier().fit(X, y).history_} == {1.0}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"costs": np.arange(200.0)}, "costs has 200 numbers for 150 weights"),
        ({"per_second": 0}, "per_second is 0; show one step a second or more"),
        ({"threshold": 7}, "threshold is 7; pass a probability"),
        ({"y": np.ones(9)}, "y has one class, 1.0; pass classes"),
        ({"y": np.arange(9) % 3, "path": np.zeros((150, 3, 3)), "threshold": 0.7}, "threshold is 0.7 for 3 classes"),
    ],
)
def test_what_would_be_shown_wrongly_in_an_animation_is_refused(more, words, ax, tmp_path):
    told = {"path": np.zeros((150, 3)), "y": np.arange(9) % 2} | more
    X = np.arange(18.0).reshape(9, 2)
    with pytest.raises(ValueError, match=words):
        plots.animation(told.pop("path"), X, told.pop("y"), tmp_path / "a.gif", ax=ax, **told)


def test_an_animations_name_is_no_formula(ax, tmp_path):
    X = np.arange(18.0).reshape(9, 2)
    plots.animation(np.ones((2, 3)), X, np.arange(9) % 2, tmp_path / "a.gif", name=r"$\frac{a$", ax=ax)
    draw(ax)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"C": -1.0}, "C is -1.0; pass a positive"),
        ({"C": np.nan}, "C is nan; pass a positive"),
        ({"names": ["a"]}, r"names is \['a'\]; pass 2 of them"),
        ({"names": "ab"}, "names is 'ab'; pass 2 of them"),
        ({"path": {}}, "path is an empty mapping"),
        ({"X": np.full((9, 2), np.nan)}, "X has NaN or infinity"),
        ({"y": np.ones(9)}, "y has one class, 1.0; pass classes"),
        ({"y": [None, *"abababab"]}, "y has labels that cannot be sorted"),
        ({"y": [np.nan, *range(8)]}, "y has nan in row 0"),
    ],
)
def test_what_no_surface_is_of_is_refused(more, words, ax):
    told = {"path": np.ones((2, 3)), "X": np.arange(18.0).reshape(9, 2), "y": np.arange(9) % 2} | more
    with pytest.raises(ValueError, match=words):
        plots.weight_path(told.pop("path"), told.pop("X"), told.pop("y"), ax=ax, **told)
    assert not ax.has_data()


def test_names_that_a_legend_would_leave_out_are_in_it(ax):
    plots.cost({"_warm": [1, 0.5], "cold": [1, 0.7]}, ax=ax)
    assert [text.strip() for text in texts(ax)] == ["_warm", "cold"]
    with pytest.raises(ValueError, match="optimum is nan; pass the least cost there is, or None"):
        plots.gap([1, 2], optimum=np.nan, against="iteration", ax=ax)


def test_of_very_many_classes_no_figures_are_explained(ax):
    plots.weights(["a"], np.ones((25, 1)), errors=np.ones((25, 1)), ax=ax)
    assert ax.get_title() == "all weights"


def test_long_names_of_two_classes_stay_on_the_picture():
    ax = Figure(layout="constrained").add_subplot()
    names = ["a rather long name of one class", "a rather long name of the other one"]
    plots.weights(["a feature with a name of its own", "b"], [1.0, -1.0], classes=names, ax=ax)
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    box = ax.xaxis.label.get_window_extent(canvas.get_renderer())
    assert box.x0 >= 0
    assert box.x1 <= ax.figure.bbox.x1
    assert "→" in ax.get_xlabel()


def test_what_no_axis_holds_is_refused_in_words():
    X, y = np.eye(3)[:, :2], [0, 1, 1]
    with pytest.raises(ValueError, match=r"path has a weight of 1e\+306, which no axis holds; pass the steps before"):
        plots.weight_path([[0, 0, 0], [1e306] * 3], X, y)
    with pytest.raises(
        ValueError, match=r"path has weights of 1e\+200, where the cost is beyond double precision; pass"
    ):
        plots.weight_path([[0, 0, 0], [1e200] * 3], X, y, C=1.0)
    with pytest.raises(ValueError, match=r"C reaches from 1e-300 to 1e\+300, too far for one axis; leave some out"):
        plots.regularisation_path([1e-300, 1e300], [[0.1], [0.2]], ["a"])
    with pytest.raises(ValueError, match="history has no cost above the lowest one; pass optimum=, or more of it"):
        plots.gap([1.0], against="iteration")


def test_weights_that_are_large_are_drawn_without_a_penalty(ax):
    plots.weight_path([[0, 0, 0], [1e200] * 3], np.eye(3)[:, :2], [0, 1, 1], ax=ax)
    draw(ax)
    assert ax.get_xlim()[1] > 1e200
