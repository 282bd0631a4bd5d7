"""Judgements against scikit-learn's figures, and pictures read back for what they say."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score, roc_curve
from statsmodels.stats.proportion import proportion_confint

from onelayer import PerceptronClassifier, plots
from onelayer.plots.canvas import MOST_VERTICES, colour, shorts

matplotlib.use("Agg")
RNG = np.random.default_rng(0)


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


def draw(ax):
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def rows(n, ties, share=0.3):
    y = RNG.random(n) < share
    p = 1 / (1 + np.exp(-(RNG.standard_normal(n) + 1.5 * y - 1)))
    return np.where(y, "yes", "no"), np.round(p, 1) if ties else p


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [30, 1000])
def test_roc_is_scikit_learns(n, ties, ax):
    y, p = rows(n, ties)
    plots.roc(y, p, ax=ax)
    draw(ax)
    x, height, _ = roc_curve(y, p, pos_label="yes", drop_intermediate=False)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), np.column_stack([x, height]))
    assert texts(ax)[0] == f"yes: {roc_auc_score(y, p):.3f}"


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_is_scikit_learns(ties, ax):
    y, p = rows(500, ties)
    plots.precision_recall(y, p, ax=ax)
    draw(ax)
    average = average_precision_score(y, p, pos_label="yes")
    assert texts(ax)[0] == f"yes: {average:.3f} ({(y == 'yes').mean():.3f})"


def test_of_three_classes_each_is_judged_against_the_others(ax):
    y = RNG.integers(0, 3, 300)
    p = RNG.dirichlet([1, 1, 1], 300) + np.eye(3)[y] * 0.3
    p /= p.sum(axis=1, keepdims=True)
    plots.roc(y, p, ax=ax)
    draw(ax)
    assert texts(ax)[:3] == [f"{k}: {roc_auc_score(y == k, p[:, k]):.3f}" for k in range(3)]
    assert len({(line.get_color(), str(line.get_linestyle())) for line in ax.lines}) == 4


@pytest.mark.parametrize("draw_curve", [plots.roc, plots.precision_recall])
def test_a_class_without_rows_is_said_to_have_none(draw_curve, ax):
    draw_curve(["no", "no"], [0.1, 0.7], classes=["no", "yes"], ax=ax)
    draw(ax)
    assert texts(ax)[0] == "yes: no rows are of it"


def test_of_many_classes_those_with_the_most_rows_are_drawn(ax):
    y = np.concatenate([np.arange(30), np.arange(5, 25)])
    plots.roc(y, np.full((50, 30), 1 / 30), ax=ax)
    draw(ax)
    assert [text.split(":")[0] for text in texts(ax)[:-1]] == [str(k) for k in range(5, 25)]
    assert ax.get_title() == "the 20 classes with the most rows, of 30"


def test_the_axis_of_costs_ends_above_what_one_answer_for_all_would_cost(ax):
    y, p = np.array([0] * 95 + [1] * 5), np.concatenate([np.linspace(0.01, 0.4, 95), np.full(5, 0.9)])
    plots.threshold(y, p, ax=ax)
    assert ax.get_ylim()[1] == pytest.approx(1.25 * 0.05)
    assert "one answer for all: 0.05" in texts(ax)
    assert texts(ax)[-1] == "least, 0, at threshold 0.65"  # between 0.4 and 0.9


@pytest.mark.parametrize("share", [0.3, 1e-5])
def test_a_million_rows_keep_their_curve_within_the_width_of_a_line(share, ax):
    y, p = rows(1_000_000, False, share)
    plots.roc(y, p, ax=ax)
    drawn = ax.lines[0].get_xydata()
    assert len(drawn) <= MOST_VERTICES + 2
    x, height, _ = roc_curve(y, p, pos_label="yes")
    away = np.interp(x, drawn[:, 0], drawn[:, 1]) - height
    if share > 0.1:
        assert np.abs(away).max() < 2e-3
    assert texts(ax)[0] == f"yes: {roc_auc_score(y, p):.3f}"
    np.testing.assert_array_equal(drawn[[0, -1]], [[0, 0], [1, 1]])


def test_calibration_is_scikit_learns_with_intervals_of_statsmodels(ax):
    y, p = rows(1000, False)
    plots.calibration(y, p, ax=ax)
    draw(ax)
    came_true, said = calibration_curve(y == "yes", p, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(ax.lines[0].get_xydata(), np.column_stack([said, came_true]), atol=0.01)
    (bars,) = ax.collections
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    drawn = ax.lines[0].get_ydata()
    expected = np.column_stack(proportion_confint(np.round(drawn * 100), 100, method="wilson"))
    np.testing.assert_allclose(ends, expected, atol=1e-9)


def test_equal_probabilities_share_a_bin(ax):
    plots.calibration([0, 1, 1, 1], [0.2, 0.2, 0.2, 0.9], ax=ax)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0.2, 2 / 3], [0.9, 1.0]])


@pytest.mark.parametrize("costs", [(1, 1), (1, 10), (3, 0)])
@pytest.mark.parametrize("ties", [False, True])
def test_the_cost_at_each_threshold_is_that_of_its_errors(costs, ties, ax):
    y, p = rows(400, ties)
    plots.threshold(y, p, costs=costs, chosen=0.37, ax=ax)
    draw(ax)
    at, total = ax.lines[0].get_data()
    truth = y == "yes"

    def cost(t):
        said = p > t
        return (costs[0] * (said & ~truth).sum() + costs[1] * (~said & truth).sum()) / 400

    for t in RNG.random(50):
        assert total[np.searchsorted(at, t, side="right") - 1] == pytest.approx(cost(t))
    (best,) = [line for line in ax.lines if line.get_marker() == "o"]
    x, height = best.get_xydata()[0]
    assert height == pytest.approx(cost(x)) == pytest.approx(min(cost(t) for t in np.append(p, 0)))
    assert texts(ax)[-1] == "in use: 0.37"
    assert f"by the costs alone: {costs[0] / sum(costs):.3g}" in texts(ax)


@pytest.mark.parametrize("k", [2, 10, 60])
def test_confusion_is_scikit_learns(k, ax):
    y, said = RNG.integers(0, k, 2000), RNG.integers(0, k, 2000)
    y[y == 1] = 0  # a class that never comes
    plots.confusion(y, said, classes=range(k), ax=ax)
    draw(ax)
    truth = confusion_matrix(y, said, labels=range(k))
    share = truth / np.maximum(truth.sum(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(ax.images[0].get_array(), share)
    written = [int(text.get_text().replace(",", "")) for text in ax.texts]
    assert written == (truth.ravel().tolist() if k <= 20 else [])
    assert ax.get_title().startswith(f"{np.trace(truth):,} of 2,000 rows right")
    assert len(ax.get_yticks()) <= 40


@pytest.mark.parametrize(
    ("y", "p", "more", "words"),
    [
        ([0, 1], [0.1, 1.2], {}, "p reaches from 0.1 to 1.2; pass probabilities"),
        ([0, 1], [0.1, np.nan], {}, "p has nan at position 1"),
        ([0, 1], [0.1], {}, r"y has shape \(2,\) for 1 rows"),
        ([0, 1, 2], [0.1, 0.2, 0.3], {}, "there are 3 classes, but probabilities of 2"),
        ([0, 0], [0.1, 0.2], {}, "y has one class, .*; pass classes"),
        (["a", "c"], [0.1, 0.2], {"classes": ["a", "b"]}, "y has .*'c'.* in row 1; pass labels among a, b"),
        (["a", "b"], [0.1, 0.2], {"classes": [0, 1]}, "y has .*'a'.* in row 0"),
    ],
)
@pytest.mark.parametrize("picture", [plots.roc, plots.precision_recall, plots.calibration, plots.threshold])
def test_what_cannot_be_judged_is_refused(picture, y, p, more, words, ax):
    with pytest.raises(ValueError, match=words):
        picture(y, p, **more, ax=ax)
    assert not ax.has_data()


@pytest.mark.parametrize("costs", [(-1, 1), (0, 0), (1, np.inf), (1,)])
def test_costs_that_are_none_are_refused(costs, ax):
    with pytest.raises(ValueError, match="costs is"):
        plots.threshold([0, 1], [0.1, 0.9], costs=costs, ax=ax)


@pytest.mark.parametrize(
    ("y", "predicted", "words"),
    [
        ([1, None], [1, 1], "y has labels that cannot be sorted, such as None"),
        ([1, 0], ["1", "0"], "y holds numbers, but predicted does not; make them one kind"),
        (["1", "0"], [1, 0], "y holds texts, but predicted does not; make them one kind"),
        ([1.0, np.nan], [1.0, 1.0], "y has nan in row 1; drop that row"),
    ],
)
def test_labels_that_no_confusion_is_of_are_refused(y, predicted, words):
    with pytest.raises(ValueError, match=words):
        plots.confusion(y, predicted)


def test_one_class_said_always_is_a_confusion_too():
    assert [text.get_text() for text in plots.confusion([1, 1], [1, 1]).texts] == ["2"]


def test_one_answer_for_all_is_had_where_a_probability_of_nought_leaves_no_threshold_for_it(ax):
    plots.threshold([0, 0, 1, 1], [0.0, 0.0, 0.0, 1.0], costs=(1, 10), ax=ax)
    draw(ax)
    assert "one answer for all: 0.5 (no threshold costs less)" in texts(ax)
    assert "least, 2.5, at threshold 0.5" in texts(ax)
    assert ax.get_ylim()[1] > 2.5


def test_calibration_and_threshold_name_what_cannot_be():
    with pytest.raises(ValueError, match=r"bins is 1\.5; ask for a whole number"):
        plots.calibration([0, 1], [0.2, 0.3], bins=1.5)
    with pytest.raises(ValueError, match="costs is 1; pass two of them"):
        plots.threshold([0, 1], [0.2, 0.3], costs=1)


NORTHS = ["category_one_alpha_north", "category_one_gamma_north"]


def test_names_that_differ_differ_on_the_picture(ax):
    plots.confusion([NORTHS[0]] * 2 + [NORTHS[1]], [NORTHS[0]] * 3, ax=ax)
    shown = [text.get_text() for text in ax.get_yticklabels()]
    assert len(set(shown)) == 2
    assert max(map(len, shown)) < 24
    long = [f"{name}_of_all_that_there_are_in_the_north" for name in NORTHS]
    ax.clear()
    assert len(set(texts(plots.cost({name: [0.5, 0.4] for name in long}, ax=ax)))) == 2
    ax.clear()
    assert len(set(texts(plots.tuning([1, 2], {name: [0.5, 0.4] for name in long}, ax=ax)))) == 3
    ax.clear()
    paths = {name: [[0, 0, 0], [0.1, 0.1, 0.1]] for name in long}
    assert len(set(texts(plots.weight_path(paths, np.eye(2), [0, 1], ax=ax)))) == 4


def test_names_are_as_short_as_they_may_be():
    assert shorts(["a" * 40, "b"], 9) == ["aaaaa…aaa", "b"]
    assert {len(name) for name in shorts([f"{'a' * 40}{i}{'b' * 40}" for i in (1, 2)], 9)} == {35}  # a picture's end
    assert shorts(["one\ntwo", "one two"], 9) == ["one two"] * 2


def legible(artist, ax):
    """Of another colour than what it lies on."""
    return to_rgb(artist.get_color()) != to_rgb(ax.get_facecolor())


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_what_is_drawn_can_be_read_whatever_the_style(style, tmp_path):
    X, y = np.repeat(np.eye(3)[:, :2], 4, axis=0), np.repeat([0, 1, 2], 4)
    with plt.style.context(style):
        none, names, costs, bars, steps = (Figure(layout="constrained").add_subplot() for _ in range(5))
        plots.decision_boundary([0, 0], 0, X[:8], y[:8], ax=none)
        plots.decision_boundary(PerceptronClassifier().fit(X, y), X, y, ax=names)
        plots.threshold([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], chosen=0.5, ax=costs)
        plots.weights(["a", "b"], [1.0, -1.0], errors=[1.0, 1.0], ax=bars)
        plots.animation([[1, 0, -0.5], [0, 1, -0.5]], X[:8], y[:8], tmp_path / "a.gif", ax=steps)
        for ax in (none, steps):
            assert legible(ax.texts[-1], ax)
            box = ax.texts[-1].get_bbox_patch()
            assert to_rgb(box.get_facecolor()) == to_rgb(ax.get_facecolor()) != to_rgb(box.get_edgecolor())
        for text in names.texts:
            outline = text.get_path_effects()[0]._gc["foreground"]
            assert legible(text, names)
            assert to_rgb(outline) == to_rgb(names.get_facecolor())
        for ax in (names, costs):
            assert all(legible(line, ax) for line in [*ax.lines, *ax.get_legend().get_lines()])
        assert all(to_rgb(part.get_color()[0]) != to_rgb(bars.get_facecolor()) for part in bars.collections)
        assert to_rgb(colour(6)) == to_rgb(plt.rcParams["text.color"])
