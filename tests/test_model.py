"""Models of tables: what they predict, how they are judged, and why a row is answered as it is."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss, roc_auc_score

import onelayer
from onelayer.tables import TableWarning


@pytest.fixture(scope="module")
def table():
    data = load_breast_cancer()
    columns = {str(name): data.data[:, i] for i, name in enumerate(data.feature_names[:6])}
    return columns | {"label": data.target_names[data.target].astype(object)}


@pytest.fixture(scope="module")
def model(table):
    return onelayer.fit(table, positive="malignant", test_size=0.25)


def test_evaluate_is_what_scikit_learn_says(model, table):
    result = model.evaluate(table)
    truth = (np.array(table["label"]) == "malignant").astype(int)
    p = model.predict_proba(table)[:, 1]
    assert model.classes == ("benign", "malignant")
    assert result["log_loss"] == pytest.approx(log_loss(truth, p), rel=1e-9)
    assert result["roc_auc"] == pytest.approx(roc_auc_score(truth, p), rel=1e-9)
    assert result["accuracy"] == np.mean((p > 0.5) == truth)
    assert model.held_out["rows"] == 142
    assert model.held_out["accuracy"] > 0.9


def test_a_saved_model_predicts_the_same_without_scikit_learn_or_matplotlib(model, table, tmp_path):
    path = tmp_path / "m.onelayer"
    model.save(path)
    np.testing.assert_array_equal(onelayer.load(path).predict_proba(table), model.predict_proba(table))
    code = (
        "import sys, onelayer; m = onelayer.load(sys.argv[1]); "
        "m.predict({c.name: [1.0] for c in m.encoder.columns}); "
        "print('sklearn' in sys.modules, 'matplotlib' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_a_row_that_cannot_be_answered_is_named(model, table):
    rows = {name: list(values[:3]) for name, values in table.items() if name != "label"}
    rows["mean radius"][1] = None
    with pytest.warns(TableWarning, match="1 rows cannot be answered, first row 2: column 'mean radius'"):
        assert [label is None for label in model.predict(rows)] == [False, True, False]


def test_rows_without_a_known_word_are_answered_by_the_bias_and_it_is_said():
    model = onelayer.fit(
        {"t": ["good day", "bad day", "good", "bad"], "label": ["y", "n", "y", "n"]}, kinds={"t": "text"}
    )
    with pytest.warns(TableWarning, match="^2 rows hold no known word, first row 2: the bias alone answers them$"):
        probabilities = model.predict_proba({"t": ["good", "", "bad", "!?"]})
    expected = 1 / (1 + np.exp(-model.weights[0, -1]))
    np.testing.assert_allclose(probabilities[[1, 3], 1], expected, rtol=1e-12)
    assert probabilities[0, 1] > expected > probabilities[2, 1]


@pytest.mark.parametrize("classes", [2, 3])
def test_the_pushes_of_a_row_add_up_to_its_log_odds(classes):
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, 200)
    words = np.array(["red", "green", "blue"], dtype=object)
    table = {
        "x": rng.normal(y),
        "town": rng.choice(np.array(["Bonn", "Rome"], dtype=object), 200),
        "t": [f"{words[k]} {words[rng.integers(3)]} item{i}" for i, k in enumerate(y)],
        "label": words[y],
    }
    model = onelayer.fit(table, kinds={"t": "text", "town": "category"})
    p = model.predict_proba(table)
    for row in (1, 57, 200):
        found = model.explain_row(table, row)
        pushes = [push["push"] for push in found["pushes"]]
        assert found["bias"] + sum(pushes) == pytest.approx(found["log_odds"], rel=1e-9)
        assert pushes == sorted(pushes, key=lambda push: -abs(push))
        assert found["label"] == model.predict(table)[row - 1]
        assert found["probability"] == pytest.approx(p[row - 1, model.classes.index(found["class"])], rel=1e-9)
        logs = np.log(p[row - 1])
        expected = logs[1] - logs[0] if classes == 2 else logs.max() - logs.mean()
        assert found["log_odds"] == pytest.approx(expected, rel=1e-9)
        assert {push["feature"] for push in found["pushes"]} >= {"x", f"town={table['town'][row - 1]}"}
        assert all((push["class"] == found["class"]) == (push["push"] > 0) for push in found["pushes"])


def test_a_row_that_is_not_there_or_has_no_answer_is_not_explained(model, table):
    with pytest.raises(ValueError, match="row 0 is not in the table: its rows are 1 to 569"):
        model.explain_row(table, 0)
    rows = {name: [None, *values[1:3]] for name, values in table.items()}
    with pytest.raises(ValueError, match="row 1 cannot be answered: column 'mean radius' holds None, not a number"):
        model.explain_row(rows, 1)


def test_a_weight_of_a_number_has_its_unit(model, table):
    rows = {row["feature"]: row for row in model.explain()}
    spread = np.std(np.array(table["mean radius"]))
    assert rows["mean radius"]["unit"] == pytest.approx(spread, rel=0.1)
