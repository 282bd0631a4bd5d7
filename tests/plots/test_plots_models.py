"""Pictures of whole classifiers: lines where the probabilities say, on any number of classes and features."""

import time

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier

from onelayer import PerceptronClassifier, PerceptronRegressor, plots
from onelayer.plots.canvas import COLOURS, colour, marker
from onelayer.plots.plane import _influence, linear

matplotlib.use("Agg")
RNG = np.random.default_rng(0)
IRIS = load_iris()
NAMES = IRIS.target_names[IRIS.target]


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


def draw(ax):
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].astype(float)


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def blobs(k, n=60, d=2):
    centres = 4 * RNG.standard_normal((k, d))
    return np.vstack([c + RNG.standard_normal((n, d)) for c in centres]), np.repeat(np.arange(k), n)


@pytest.mark.parametrize("make", [PerceptronClassifier, LogisticRegression])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_on_the_line_of_two_classes_the_model_says_the_threshold(make, threshold, ax):
    X, y = IRIS.data[50:], NAMES[50:]
    model = make().fit(X, y)
    plots.decision_boundary(model, X, y, features=[2, 3], names=IRIS.feature_names, threshold=threshold, ax=ax)
    rows = np.tile(np.median(X, axis=0), (2, 1))
    rows[:, 2:] = ax.lines[0].get_xydata()
    np.testing.assert_allclose(model.predict_proba(rows)[:, 1], threshold, rtol=1e-9)
    assert legend_texts(ax)[-1] == f"boundary: probability {threshold:g}"
    assert ax.get_xlabel().startswith("petal length (cm)\n(the other 2 features at their medians: ")


@pytest.mark.parametrize("k", [3, 4, 10])
def test_on_each_border_two_classes_are_equally_and_most_probable(k, ax):
    X, y = blobs(k)
    model = PerceptronClassifier().fit(X, y)
    plots.decision_boundary(model, X, y, ax=ax)
    assert len(ax.lines) >= k - 1
    for line in ax.lines:
        p = np.sort(model.predict_proba(line.get_xydata()), axis=1)
        np.testing.assert_allclose(p[:, -1], p[:, -2], rtol=1e-6)
    shade = ax.images[0].get_array()
    assert shade.shape[2] == 3  # colours
    draw(ax)
    assert legend_texts(ax)[:2] == ["class 0 (60)", "class 1 (60)"]


def test_every_change_of_the_most_probable_class_has_a_border(ax):
    X, y = blobs(5)
    model = PerceptronClassifier().fit(X, y)
    plots.decision_boundary(model, X, y, ax=ax)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    side = np.linspace(0, 1, 400)
    for height in np.linspace(low, high, 9)[1:-1]:
        across = np.column_stack([left + (right - left) * side, np.full(400, height)])
        said = model.predict(across)
        crossings = 0
        for line in ax.lines:
            (_, y0), (_, y1) = line.get_xydata()
            crossings += (y0 - height) * (y1 - height) < 0
        assert crossings == (said[1:] != said[:-1]).sum()


def test_a_curved_boundary_is_traced_on_the_grid(ax):
    X = RNG.standard_normal((400, 2)) * 2
    y = np.where((X**2).sum(axis=1) < 4, "in", "out")
    model = KNeighborsClassifier(15).fit(X, y)
    plots.decision_boundary(model, X, y, ax=ax)
    (curve,) = [c for c in ax.collections if hasattr(c, "levels")]
    radius = np.linalg.norm(np.vstack([path.vertices for path in curve.get_paths()]), axis=1)
    assert np.median(radius) == pytest.approx(2, abs=0.25)


def test_a_curved_boundary_of_three_classes_is_traced(ax):
    model = KNeighborsClassifier(15).fit(IRIS.data[:, 2:], NAMES)
    plots.decision_boundary(model, IRIS.data[:, 2:], NAMES, ax=ax)
    draw(ax)
    assert len([c for c in ax.collections if hasattr(c, "levels")]) == 3


def test_one_against_the_rest_is_not_taken_for_softmax():
    model = SGDClassifier(loss="log_loss", random_state=0, max_iter=5000).fit(IRIS.data, NAMES)
    assert linear(model, IRIS.data) is None
    assert linear(LogisticRegression(max_iter=5000).fit(IRIS.data, NAMES), IRIS.data).shape == (3, 5)


@pytest.mark.parametrize("frame", [np.asarray, pd.DataFrame, pl.DataFrame])
def test_dates_are_not_drawn_as_the_number_of_their_day(frame):
    days = np.arange(6).reshape(3, 2).astype("M8[D]").astype("M8[us]")
    with pytest.raises(ValueError, match=r"X has (datetime\.datetime|Timestamp)\(.*, which is no number; encode"):
        plots.decision_boundary([1, 1], 0, frame(days), [0, 1, 1])
    with pytest.raises(ValueError, match=r"history holds datetime64\[us\] values; pass numbers"):
        plots.cost(days[:, 0])


@pytest.mark.parametrize(("factor", "offset"), [(1, 1e9), (1, -1e12), (1e300, 0), (1e-300, 0)])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_no_offset_or_unit_hides_how_far_a_feature_moves_the_logits(storage, factor, offset):
    a, b, c = np.random.default_rng(0).standard_normal((3, 300))
    coefficients = np.array([[2.0, 3 / factor, 1.0, 0.0]])
    influence = _influence(coefficients, storage(np.column_stack([a, factor * b + offset, 0.1 * c])), 3)
    np.testing.assert_allclose(influence, [2 * a.std(), 3 * b.std(), 0.1 * c.std()], rtol=1e-3)


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix, lambda X: pd.DataFrame(X, columns=list("abcde"))])
def test_the_strongest_two_features_are_chosen(storage, ax):
    X = RNG.standard_normal((300, 5)) * [1, 1, 100, 1, 1] + [0, 7, 0, 0, 0]
    y = (X[:, 1] - 7 + X[:, 2] / 100 + 0.3 * RNG.standard_normal(300) > 0).astype(int)
    model = PerceptronClassifier().fit(storage(X), y)
    plots.decision_boundary(model, storage(X), y, names=list("abcde"), ax=ax)
    draw(ax)
    assert (ax.get_xlabel()[0], ax.get_ylabel()) == ("b", "c")
    rows = np.tile(np.median(X, axis=0), (2, 1))
    rows[:, 1:3] = ax.lines[0].get_xydata()
    np.testing.assert_allclose(model.decision_function(storage(rows)), 0, atol=1e-9)


def test_the_axis_says_how_many_rows_lie_where_the_model_puts_them(ax):
    X = RNG.standard_normal((1000, 3))
    y = (X.sum(axis=1) > 0).astype(int)
    model = PerceptronClassifier().fit(X, y)
    plots.decision_boundary(model, X, y, features=[0, 1], ax=ax)
    flat = X.copy()
    flat[:, 2] = np.median(X[:, 2])
    share = (model.predict(flat) == model.predict(X)).mean()
    assert f"{100 * share:.0f} % of rows lie on the model's side" in ax.get_xlabel()


def test_a_class_without_rows_is_not_drawn_but_keeps_its_colour(ax):
    model = PerceptronClassifier().fit(IRIS.data[:, :2], NAMES)
    kept = NAMES != "setosa"
    plots.decision_boundary(model, IRIS.data[kept, :2], NAMES[kept], ax=ax)
    draw(ax)
    assert [text.split()[0] for text in legend_texts(ax)] == ["versicolor", "virginica", "boundary"]
    assert matplotlib.colors.to_hex(ax.collections[0].get_facecolor()[0]).upper() == colour(1)


def test_a_million_rows_are_drawn_quickly(ax):
    X = RNG.standard_normal((1_000_000, 2))
    y = np.where(X[:, 0] > 0, "yes", "no")
    model = LogisticRegression().fit(X[:1000], y[:1000])
    started = time.perf_counter()
    plots.decision_boundary(model, X, y, ax=ax)
    draw(ax)
    assert time.perf_counter() - started < 10  # 1.5 s alone; other tests may be running
    assert "(3,000 of " in legend_texts(ax)[0]
    assert all(c.get_rasterized() for c in ax.collections if len(c.get_offsets()))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": ["petal"]}, "features is .*; pass two"),
        ({"features": ["petal", 0]}, "features has 'petal'; pass names among 'x1', 'x2'"),
        ({"features": [0, 9]}, "features has 9; .* positions from 0 to 3"),
        ({"threshold": 0.7}, "threshold is 0.7 for 3 classes"),
        ({"names": ["a"]}, "pass 4 of them"),
        ({"classes": ["a"]}, "pass 3 of them"),
    ],
)
def test_what_does_not_fit_is_refused(change, words, ax):
    model = LogisticRegression(max_iter=1000).fit(IRIS.data, NAMES)
    with pytest.raises(ValueError, match=words):
        plots.decision_boundary(model, IRIS.data, NAMES, **change, ax=ax)
    with pytest.raises(ValueError, match=r"y has .*'rose'.* in row 0; pass labels among setosa, "):
        plots.decision_boundary(model, IRIS.data, np.array(["rose"] * 150), ax=ax)
    with pytest.raises(TypeError, match="got 2 arguments; pass model, X, y"):
        plots.decision_boundary(model, IRIS.data, ax=ax)


def test_each_region_of_three_classes_bears_its_name(ax):
    data = load_iris()
    X, y = data.data, data.target_names[data.target]
    model = LogisticRegression(max_iter=1000).fit(X, y)
    plots.decision_boundary(model, X, y, features=(2, 3), ax=ax)
    draw(ax)
    names = {text.get_text(): text.get_position() for text in ax.texts}
    assert set(names) == set(y)
    for name, place in names.items():
        row = np.median(X, axis=0)
        row[2:] = place
        assert model.predict([row])[0] == name


def test_of_many_classes_a_projection_shows_the_chosen_and_the_largest(ax):
    X = RNG.standard_normal((300, 2))
    y = np.minimum(RNG.permutation(300), 24)  # class 24 has most rows
    model = LogisticRegression().fit(X, y)
    plots.projection(model, X, y, positive=3, ax=ax)
    draw(ax)
    lanes = [text.get_text() for text in ax.get_yticklabels()]
    assert len(lanes) == 20
    assert "3 (1)" in lanes
    assert lanes[-1] == "24 (276)"
    assert ax.get_xlabel().endswith("(20 of 25 classes, those with the most rows)")
    with pytest.raises(ValueError, match="positive is 'x'; pass one of 0, 1, 2, 3, 4, …"):
        plots.projection(model, X, y, positive="x", ax=ax)


def test_a_projection_counts_every_row_at_its_log_odds(ax):
    X, y = IRIS.data, NAMES
    model = PerceptronClassifier().fit(X, y)
    plots.projection(model, X, y, positive="versicolor", ax=ax)
    draw(ax)
    p = model.predict_proba(X)[:, 1]
    z = np.log(p / (1 - p))
    stairs = ax.patches[0]  # of setosa
    heights, edges, base = stairs.get_data()
    counts = np.histogram(z[y == "setosa"], edges)[0]
    assert counts.sum() == 50
    np.testing.assert_allclose(heights - base, 0.8 * counts / counts.max())
    assert not ax.lines  # the most probable class is said, whatever the log-odds of this one
    assert next(text.get_text() for text in ax.get_yticklabels()) == "setosa (50)"
    assert ax.get_xlabel() == "log-odds of versicolor against all others (nats)"


def test_a_projection_has_the_line_that_the_model_has_or_is_asked_for(ax):
    X, y = IRIS.data[50:, :2], NAMES[50:]
    model = PerceptronClassifier(threshold=0.8).fit(X, y)
    for positive, at in (("virginica", 0.8), ("versicolor", 0.2)):
        ax.clear()
        plots.projection(model, X, y, positive=positive, ax=ax)
        assert legend_texts(ax) == [f"boundary: probability {at:g}"]
        assert ax.lines[0].get_xdata()[0] == pytest.approx(np.log(at / (1 - at)), rel=1e-9)
    ax.clear()
    plots.projection(PerceptronClassifier().fit(IRIS.data, NAMES), IRIS.data, NAMES, threshold=0.3, ax=ax)
    assert legend_texts(ax) == ["probability 0.3"]


def test_a_projection_of_certain_rows_stays_on_the_page(ax):
    X = np.array([[0.0], [1.0], [5000.0]])
    plots.projection(KNeighborsClassifier(1).fit(X, [0, 1, 1]), X, [0, 1, 1], ax=ax)  # probabilities 0 and 1
    draw(ax)
    assert np.isfinite(ax.get_xlim()).all()


# Viénot, Brettel & Mollon, Color Research & Application 24, 1999: linear RGB as protanopes and deuteranopes see it.
BLINDNESS = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    "none": np.eye(3),
}


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_colours_are_told_apart_by_the_colour_blind(blindness):
    from matplotlib.colors import to_rgb

    rgb = np.array([to_rgb(c) for c in COLOURS])
    linear_rgb = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear_rgb @ np.transpose(BLINDNESS[blindness]), 0, 1)
    xyz = seen @ np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]).T
    f = np.cbrt(xyz / [0.9505, 1, 1.089])
    lab = np.column_stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])])
    apart = np.linalg.norm(lab[:, None] - lab, axis=2)[np.triu_indices(len(lab), 1)]
    assert apart.min() > 10  # a difference of 2.3 is just noticeable (Mahy et al., 1994)
    assert np.linalg.norm(lab[0] - lab[1]) > 50  # of two classes


def test_no_two_of_fifty_classes_look_alike():
    assert len({(colour(k), marker(k)) for k in range(50)}) == 50


def test_in_grey_the_two_sides_and_the_line_are_still_there(ax):
    model = LogisticRegression().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 1, 1])
    plots.decision_boundary(model, [[0, 0], [1, 1]], [0, 1], ax=ax)
    grey = draw(ax) @ [0.2126, 0.7152, 0.0722]
    box = ax.get_window_extent()
    middle = grey[grey.shape[0] - int(box.y0 + 0.75 * box.height), int(box.x0) + 5 : int(box.x1) - 5]
    assert middle.min() < 40  # the line, on a shade that is light everywhere
    assert np.median(middle) > 180


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_columns_of_a_frame_are_known_by_name(frame, ax):
    """In another order they were drawn under each other's names."""
    X, y = IRIS.data[50:, 2:], NAMES[50:]
    model = PerceptronClassifier().fit(pd.DataFrame(X, columns=["long", "wide"]), y)
    columns = {"wide": X[:, 1], "other": X[:, 0], "long": X[:, 0]}
    plots.decision_boundary(model, frame(columns), y, ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("long", "wide")
    straight = Figure().add_subplot()
    plots.decision_boundary(model, frame({"long": X[:, 0], "wide": X[:, 1]}), y, ax=straight)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), straight.lines[0].get_xydata())
    ends = ax.lines[0].get_xydata()
    np.testing.assert_allclose(model.predict_proba(pd.DataFrame(ends, columns=["long", "wide"]))[:, 1], 0.5, atol=1e-9)
    for picture in (plots.decision_boundary, plots.projection):
        with pytest.raises(
            ValueError, match="X has no column 'long', which the model was fitted with; pass long, wide"
        ):
            picture(model, frame({"wide": X[:, 1], "length": X[:, 0]}), y)


def test_the_share_of_rows_on_the_models_side_goes_by_the_threshold_that_is_drawn(ax):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 3))
    y = X.sum(axis=1) + rng.logistic(size=2000) > 0
    model = PerceptronClassifier(threshold=0.9).fit(X, y)
    held = X.copy()
    plots.decision_boundary(model, X, y, features=[0, 1], ax=ax)
    held[:, 2] = np.median(X[:, 2])
    share = (model.predict(held) == model.predict(X)).mean()
    assert f"{100 * share:.0f} % of rows lie on the model's side" in ax.get_xlabel()


@pytest.mark.parametrize("picture", [plots.decision_boundary, plots.projection])
def test_what_has_no_classes_is_refused(picture, ax):
    X, y = IRIS.data[50:, 2:], NAMES[50:]
    for model in (PerceptronRegressor().fit(X, X[:, 0]), PerceptronClassifier()):
        with pytest.raises(TypeError, match="has no classes_; pass a fitted classifier"):
            picture(model, X, y, ax=ax)
    model = PerceptronClassifier().fit(X, y)
    dates = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=100), "wide": X[:, 1]})
    with pytest.raises(ValueError, match=r"X has Timestamp.* in column 'day', which is no number"):
        picture(model, dates, y, ax=ax)
    with pytest.raises(ValueError, match="X has 'a' in column 1, which is no number"):
        picture(model, [[1, "a"]] * 100, y, ax=ax)
    for classes in (["one"], ["one", "two", "three"], "ab"):
        with pytest.raises(ValueError, match=r"classes is .*; pass 2 of them"):
            picture(model, X, y, classes=classes, ax=ax)
    assert not ax.has_data()
