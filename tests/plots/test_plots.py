"""Where lines go, against exact arithmetic; and that every picture says what it shows, on hostile input too."""

import math
import subprocess
import sys
from fractions import Fraction
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import mpmath
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from onelayer import plots

matplotlib.use("Agg")

UNIT = ((0.0, 1.0), (0.0, 1.0))


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


def draw(ax):
    """Everything is laid out and rendered, as when it is saved."""
    FigureCanvasAgg(ax.figure).draw()  # the canvas of a plain Figure draws nothing


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def said(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e9, 1e200])
def test_the_segment_is_the_line_inside_the_box(seed, size):
    rng = np.random.default_rng(seed)
    corner = rng.normal(size=2) * size
    box = tuple((low, low + side * size) for low, side in zip(corner.tolist(), rng.uniform(0.5, 2, 2), strict=True))
    w = rng.normal(size=2) / size
    through = [rng.uniform(low, high) for low, high in box]  # a point of the line, inside
    threshold = rng.uniform(0.01, 0.99)
    target = mpmath.log(mpmath.mpf(threshold) / (1 - mpmath.mpf(threshold)))
    bias = float(target - mpmath.mpf(w[0]) * through[0] - mpmath.mpf(w[1]) * through[1])
    ends = plots.boundary_segment(w, bias, box, threshold=threshold)
    for x, y in ends:
        assert w[0] * x + w[1] * y + bias == pytest.approx(float(target), abs=1e-13 * (1 + abs(bias)))
        assert x in box[0] or y in box[1]
        assert box[0][0] <= x <= box[0][1]
        assert box[1][0] <= y <= box[1][1]
    assert ends[0] < ends[1]


@pytest.mark.parametrize(
    ("weights", "bias", "threshold", "ends"),
    [
        ((1, 0), -0.25, 0.5, ((0.25, 0), (0.25, 1))),
        ((0, -4), 1, 0.5, ((0, 0.25), (1, 0.25))),
        ((1, 1), -1, 0.5, ((0, 1), (1, 0))),
        ((1, -1), 0, 0.5, ((0, 0), (1, 1))),
        ((0, 1), 0, 0.5, ((0, 0), (1, 0))),
        ((1e200, 1e200), -1e200, 0.5, ((0, 1), (1, 0))),
        ((1e-300, 1e-300), -1e-300, 0.5, ((0, 1), (1, 0))),
        ((math.log(9), 0), 0, 0.9, ((1 - 1e-15, 0), (1, 1))),
        ((1, 1), 0, 0.5, None),
        ((1, 1), -3, 0.5, None),
        ((0, 0), 1, 0.5, None),
        ((0, 0), 0, 0.5, None),
        ((1, 1), -1, 0, None),
        ((1, 1), -1, 1.0, None),
    ],
    ids=str,
)
def test_special_lines(weights, bias, threshold, ends):
    segment = plots.boundary_segment(weights, bias, UNIT, threshold=threshold)
    if ends is None:
        assert segment is None
    else:
        np.testing.assert_allclose(segment, ends, rtol=1e-14)


def test_far_from_the_origin_nothing_cancels():
    x0 = 1.7e9  # a timestamp, within a microsecond
    box = ((x0, x0 + 2**-20), (0.0, 1.0))
    middle = Fraction(x0) + Fraction(1, 2**21)
    w = (2.0**22, 1.0)
    bias = float(-Fraction(w[0]) * middle - Fraction(1, 2))
    (left, low), (right, high) = plots.boundary_segment(w, bias, box)
    for x, y in ((left, low), (right, high)):
        assert abs(Fraction(w[0]) * Fraction(x) + Fraction(y) + Fraction(bias)) <= Fraction(w[0]) * Fraction(2) ** -22


def test_a_box_the_wrong_way_round_is_the_same_box():
    assert plots.boundary_segment((1, 1), -1, ((1, 0), (1, 0))) == plots.boundary_segment((1, 1), -1, UNIT)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((1, 2, 3), 0, UNIT), r"weights has shape \(3,\); a boundary is a line"),
        (((1, math.nan), 0, UNIT), "weights has nan at position 1"),
        (((1, 1), math.inf, UNIT), "bias inf and box .* must be finite"),
        (((1, 1), 0, ((0, math.nan), (0, 1))), "must be finite"),
    ],
)
def test_lines_that_are_none_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        plots.boundary_segment(*arguments)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
def test_a_threshold_that_is_no_probability_is_refused(threshold, ax):
    with pytest.raises(ValueError, match=r"threshold is .*; pass a probability"):
        plots.boundary_segment((1, 1), 0, UNIT, threshold=threshold)
    with pytest.raises(ValueError, match=r"threshold is .*; pass a probability"):
        plots.decision_boundary((1, 1), 0, [[0, 0]], [1], threshold=threshold, ax=ax)


POINTS = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
LABELS = [1, 0, 0, 0]


def test_the_picture_shows_the_line_the_points_and_the_names(ax):
    assert plots.decision_boundary((-1, 1), -0.5, POINTS, LABELS, names=("a", "b"), classes=("no", "yes"), ax=ax) is ax
    draw(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    assert legend_texts(ax) == ["no (3)", "yes (1)", "boundary: probability 0.5"]
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(y - x, 0.5)
    assert min(x) == pytest.approx(ax.get_xlim()[0])
    markers = {tuple(map(tuple, collection.get_paths()[0].vertices)) for collection in ax.collections}
    assert len(markers) == 2  # a shape for each class, not a colour alone
    (bar,) = ax.child_axes
    assert bar.get_ylabel() == "probability of yes"


def test_the_shade_is_the_probability(ax):
    plots.decision_boundary((3, 0), -1, POINTS, LABELS, ax=ax)
    (image,) = ax.images
    left, right, low, high = image.get_extent()
    assert (left, right) == ax.get_xlim()
    assert (low, high) == ax.get_ylim()
    shade = image.get_array()
    for column, x in ((0, left), (-1, right)):
        np.testing.assert_allclose(shade[:, column], 1 / (1 + math.exp(1 - 3 * x)))


def test_another_threshold_moves_the_line(ax):
    plots.decision_boundary((4, 0), 0, POINTS, LABELS, threshold=0.9, ax=ax)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), math.log(9) / 4)
    assert legend_texts(ax)[-1] == "boundary: probability 0.9"


@pytest.mark.parametrize(
    ("weights", "bias", "threshold", "words"),
    [
        ((0, 0), 1, 0.5, "no boundary: both weights are zero"),
        ((1, 1), 100, 0.5, "no boundary in view"),
        ((1, 1), -1, 0, "no boundary in view"),
        ((1, 1), -1, 1, "no boundary in view"),
    ],
)
def test_a_line_that_is_not_there_is_said_to_be_absent(weights, bias, threshold, words, ax):
    plots.decision_boundary(weights, bias, POINTS, LABELS, threshold=threshold, ax=ax)
    draw(ax)
    assert words in said(ax)
    assert not ax.lines


def test_points_at_the_same_place_are_counted(ax):
    plots.decision_boundary((1, 1), -1, [[0, 0]] * 7 + [[1, 1]] * 2 + [[0, 0]], [0] * 7 + [1] * 3, ax=ax)
    draw(ax)
    assert sorted(said(ax)) == ["×1", "×2", "×7"]
    sizes = np.concatenate([c.get_sizes() for c in ax.collections if len(c.get_offsets())])
    assert len(sizes) == 3
    assert sizes.max() > 2 * sizes.min()


def test_of_a_million_points_some_are_drawn_and_the_legend_says_so(ax):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1_000_000, 2)), np.zeros(1_000_000, dtype=int)
    y[:5] = 1
    X[7] = (50, 60)
    plots.decision_boundary((1, 1), -1, X, y, ax=ax)
    draw(ax)
    assert legend_texts(ax)[:2] == ["class 0 (3,000 of 999,995 drawn)", "class 1 (5)"]
    assert sum(len(c.get_offsets()) for c in ax.collections) == 3005
    assert ax.get_xlim()[1] > 50  # the frame is that of all the points


@pytest.mark.parametrize("scale", [1e-200, 1e-6, 1e9, 1e100])
@pytest.mark.parametrize("offset", [0, 1, 1e9])
def test_any_range_is_drawn(scale, offset, ax):
    X = (np.array(POINTS) + offset) * scale
    w = np.array([-1.0, 1.0]) / scale
    plots.decision_boundary(w, -0.5, X, LABELS, ax=ax)
    draw(ax)
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose((y - x) / scale, 0.5, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 5.0, -1.7e9, 1e20, 1e-9])
def test_points_that_are_all_the_same_are_drawn(value, ax):
    plots.decision_boundary((1, 1), -2 * value, [[value, value]] * 3, [0, 1, 1], ax=ax)
    draw(ax)
    assert len(ax.lines) == 1


def test_limits_closer_than_the_axes_can_tell_apart_still_hold_the_line(ax):
    x = 1.7e9 + np.array([0, 2.0**-22])  # neighbouring floats
    plots.decision_boundary((0, 1), -0.5, np.column_stack([x, [0, 1]]), [0, 1], ax=ax)
    draw(ax)
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), ax.get_xlim())


@pytest.mark.parametrize("name", ["US$ or C$", "$x^", r"$\oops$", "_hidden", "a\nb", "", "%s {}"])
def test_names_are_never_read_as_formulas_nor_hidden(name, ax):
    plots.decision_boundary((1, 1), -1, POINTS, LABELS, names=(name, name), classes=(name, name), ax=ax)
    draw(ax)
    on_a_line = " ".join(name.split())
    assert legend_texts(ax)[:2] == [f"{on_a_line} (3)", f"{on_a_line} (1)"]
    other = Figure(layout="constrained").add_subplot()
    plots.weights([name, "plain"], [1, -1], classes=(name, name), ax=other)
    draw(other)
    assert len(other.get_yticklabels()) == 2


@pytest.mark.parametrize(
    ("X", "y", "more", "words"),
    [
        (np.ones((2, 5)), np.ones(5), {}, r"X has shape \(2, 5\), not \(n, 2\); it looks transposed: pass X.T"),
        (np.ones((5, 3)), np.ones(5), {}, "pass two columns"),
        (np.ones((0, 2)), np.ones(0), {}, "pass two columns"),
        (POINTS, [1, 0], {}, r"y has shape \(2,\) for 4 rows"),
        (POINTS, ["a", "b", "a", "b"], {}, "y has .*'a'.* in row 0; pass labels among 0, 1"),
        (POINTS, [0, 1, 2, 1], {}, r"y has .*2.* in row 2"),
        ([[0, 1], [math.nan, 2]], [0, 1], {}, r"X has nan in row 1, column 0 \('x1'\); drop"),
        (POINTS, LABELS, {"names": "ab"}, "names is 'ab'; pass 2 of them"),
        (POINTS, LABELS, {"classes": ("a",)}, r"classes is \('a',\); pass 2 of them"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_nothing_is_drawn(X, y, more, words, ax):
    with pytest.raises(ValueError, match=words):
        plots.decision_boundary((1, 1), -1, X, y, **more, ax=ax)
    assert not ax.has_data()


def test_the_axes_can_be_cleared_and_drawn_again(ax):
    for bias in (-1, -0.5):
        ax.clear()
        plots.decision_boundary((1, 1), bias, POINTS, LABELS, ax=ax)
    assert ax.figure.axes == [ax]
    assert len(ax.child_axes) == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda **ax: plots.decision_boundary((1, 1), -1, POINTS, LABELS, **ax),
        lambda **ax: plots.cost([3, 2, 1], **ax),
        lambda **ax: plots.weights(["a"], [1], **ax),
    ],
)
def test_pyplot_is_touched_only_without_an_axes(function, ax):
    assert function(ax=ax) is ax
    assert plt.get_fignums() == []
    made = function()
    assert plt.gcf() is made.figure


def test_importing_draws_nothing_and_loads_no_matplotlib():
    code = "import sys, onelayer.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'onelayer\[plot\]'"):
        plots.cost([1])


def test_the_cost_curve_takes_numbers_or_a_history(ax):
    plots.cost([0.7, 0.5, 0.4], label="first", ax=ax)
    plots.cost((SimpleNamespace(cost=c, seconds=9.0) for c in (0.6, 0.3)), label="second", ax=ax)
    draw(ax)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0.7, 0.5, 0.4])
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[0, 0.6], [1, 0.3]])
    assert ax.lines[0].get_color() != ax.lines[1].get_color()
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()
    assert legend_texts(ax) == ["first", "second"]
    assert ax.get_yscale() == "linear"


@pytest.mark.parametrize(("costs", "scale"), [([1, 0.02], "linear"), ([1e200, 1e-9], "log"), ([1000, 0], "linear")])
def test_a_wide_range_of_costs_is_drawn_on_a_logarithmic_axis(costs, scale, ax):
    plots.cost(costs, ax=ax)
    draw(ax)
    assert ax.get_yscale() == scale


def test_a_single_cost_is_visible(ax):
    plots.cost([0.5], ax=ax)
    draw(ax)
    assert ax.lines[0].get_marker() == "o"


@pytest.mark.parametrize(
    ("costs", "words"), [([], "history is empty"), ([1, math.nan], "history has nan at position 1")]
)
def test_costs_that_cannot_be_drawn_are_refused(costs, words, ax):
    with pytest.raises(ValueError, match=words):
        plots.cost(costs, ax=ax)


def test_the_strongest_weights_are_on_top_and_on_their_side(ax):
    values = np.array([0.1, -3, 2, 0.2, 0])
    plots.weights(list("abcde"), values, most=3, classes=("bad", "good"), ax=ax)
    draw(ax)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["b", "c", "d"]
    np.testing.assert_array_equal([bar.get_width() for bar in ax.patches], [-3, 2, 0.2])
    low, high = ax.get_ylim()
    assert low > high  # the first bar is the highest
    assert [matplotlib.colors.to_hex(bar.get_facecolor()).upper() for bar in ax.patches] == [
        plots.BLUE,
        plots.VERMILLION,
        plots.VERMILLION,
    ]
    assert ax.get_title() == "the 3 strongest of 5 weights"
    assert ax.get_xlabel().index("bad") < ax.get_xlabel().index("good")


def test_long_names_are_shortened(ax):
    plots.weights(["x" * 500, "short"], [1, 2], ax=ax)
    draw(ax)
    assert [len(text.get_text()) for text in ax.get_yticklabels()] == [5, 30]
    plots.weights(["a rather long name that ends in one"], [1.0], ax=(other := Figure().add_subplot()))
    assert other.get_yticklabels()[0].get_text() == "a rather long name …nds in one"


@pytest.mark.parametrize(
    ("names", "values", "more", "words"),
    [
        (["a"], [1, 2], {}, r"values has shape \(2,\) for 1 names"),
        ([], [], {}, "pass one weight for each name"),
        (["a"], [math.inf], {}, "values has inf at position 0"),
        (["a"], [1], {"most": 0}, "most is 0; ask for at least one"),
    ],
)
def test_weights_that_cannot_be_drawn_are_refused(names, values, more, words, ax):
    with pytest.raises(ValueError, match=words):
        plots.weights(names, values, **more, ax=ax)
