"""What an estimator shows in a notebook: well-formed, without a script, and nothing from outside."""

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.datasets import load_iris

from onelayer import PerceptronClassifier, PerceptronClassifierCV, PerceptronRegressor


def shown(model):
    text = model._repr_mimebundle_()["text/html"]
    assert text == model._repr_html_()
    return text, ET.fromstring(text)


def test_before_the_fit_parameters_are_shown():
    text, tree = shown(PerceptronClassifier(C=3.0))
    assert "not fitted" in text
    cells = {row[0].text: row[1] for row in tree.iter("tr")}
    assert cells["C"].find("b").text == "3.0"
    assert cells["solver"].text == "'auto'"
    assert tree.find("svg") is None


def test_after_it_weights_and_the_cost():
    data = load_iris(as_frame=True)
    model = PerceptronClassifier().fit(data.data, data.target_names[data.target])
    _, tree = shown(model)
    rows = [[cell.text for cell in row] for row in list(tree.iter("table"))[1]]
    assert rows[0] == [None, "setosa", "versicolor", "virginica"]
    assert rows[-1] == ["bias", *(f"{b:+.4g}" for b in model.intercept_)]
    assert dict((row[0], row[1:]) for row in rows)["petal width (cm)"] == [f"{w:+.4g}" for w in model.coef_[:, 3]]
    points = np.array([list(map(float, p.split(","))) for p in tree.find(".//polyline").get("points").split()])
    costs = np.array([entry.cost for entry in model.history_])
    assert len(points) == len(costs)
    np.testing.assert_allclose(np.corrcoef(points[:, 1], -costs)[0, 1], 1, atol=1e-3)  # y grows downwards


def test_two_classes_say_which_way_is_which_and_many_weights_how_many():
    X = np.random.default_rng(0).standard_normal((50, 300))
    text, _ = shown(PerceptronClassifier().fit(X, np.arange(50) % 2))
    assert "the 8 largest of 300 weights (log-odds per unit of the column), positive towards 1" in text
    assert len(text) < 10_000


def test_names_are_escaped_and_nothing_is_fetched_or_run():
    evil = "<script>alert(1)</script>"
    frame = pd.DataFrame({evil: [0.0, 1, 2, 3], "b": [1.0, 0, 1, 0]})
    text, _ = shown(PerceptronClassifier().fit(frame, [evil, "&", evil, "&"]))
    assert "<script" not in text
    assert "http" not in text
    assert "&lt;script&gt;" in text


def test_a_fit_that_has_not_converged_says_so():
    with pytest.warns(UserWarning, match="gap"):
        model = PerceptronClassifier(solver="gd", max_iter=1).fit([[0.0], [1], [2], [3]], [0, 1, 0, 1])
    assert "NOT converged" in shown(model)[0]


def test_scikit_learns_setting_for_text_is_heeded():
    with config_context(display="text"):
        assert list(PerceptronClassifier()._repr_mimebundle_()) == ["text/plain"]


def test_an_estimator_that_learnt_from_parts_is_fitted():
    model = PerceptronClassifier().partial_fit([[0.0], [1.0]], [0, 1], classes=[0, 1])
    text, _ = shown(model)
    assert "fitted in parts" in text
    assert "not fitted" not in text


def test_what_was_noticed_chosen_or_cannot_be_known_is_said():
    X, y = load_iris(return_X_y=True)
    text, _ = shown(PerceptronClassifierCV(Cs=[0.1, 1.0, 10.0]).fit(X, y))
    assert "C = 10 chosen of 3 values" in text
    assert "<div>notice: the chosen C=10 is the largest one tried" in text
    text, tree = shown(PerceptronClassifier(hidden_layer_sizes=(3,), random_state=0).fit(X, y))
    assert tree.find("strong").text == "PerceptronClassifier(hidden_layer_sizes=(3,), random_state=0)"
    assert "relative distance" not in text
    assert "inf" not in text
    text, _ = shown(PerceptronRegressor().fit(X, y))
    assert "weights (units of y per unit of the column)" in text
    assert "half squares of y's unit" in text
