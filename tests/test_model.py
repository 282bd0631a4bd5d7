"""Models of tables: what they predict, how they are judged, and what a file of one may do."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss, roc_auc_score

import onelayer
from onelayer.model import ModelError
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


def test_a_changed_file_is_refused_in_one_sentence(model, tmp_path):
    path = tmp_path / "m.onelayer"
    model.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(whole)
        broken[rng.integers(len(broken))] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(broken))
        with pytest.raises(ModelError):
            onelayer.load(path)
    for short in (0, 7, 100, len(whole) - 1):
        path.write_bytes(whole[:short])
        with pytest.raises(ModelError, match="damaged"):
            onelayer.load(path)
    with pytest.raises(ModelError, match="does not exist"):
        onelayer.load(tmp_path / "nowhere")


def test_a_row_that_cannot_be_answered_is_named(model, table):
    rows = {name: list(values[:3]) for name, values in table.items() if name != "label"}
    rows["mean radius"][1] = None
    with pytest.warns(TableWarning, match="1 rows cannot be answered, first row 2: column 'mean radius'"):
        assert [label is None for label in model.predict(rows)] == [False, True, False]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "Label"}, "did you mean 'label'"),
        ({"positive": "ill"}, "positive label 'ill' is not in"),
        ({"threshold": 2}, "threshold must be a probability"),
        ({"exclude": ["area"]}, "excluded column 'area' is not in the table"),
    ],
)
def test_settings_are_refused_in_words(table, settings, message):
    with pytest.raises(ValueError, match=message):
        onelayer.fit(table, **settings)


def test_three_classes():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    model = onelayer.fit({"x": rng.normal(y * 3), "label": np.array(["a", "b", "c"], dtype=object)[y]})
    assert np.mean(np.array(model.predict({"x": [0.0, 3.0, 6.0]})) == ["a", "b", "c"]) == 1


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent / "golden").glob("*.onelayer")), ids=lambda path: path.stem
)
def test_models_saved_by_earlier_versions_predict_what_they_did(path):
    kept = json.loads(path.with_suffix(".json").read_text())
    probabilities = onelayer.load(path).predict_proba(kept["table"])[:, 1]
    np.testing.assert_allclose(probabilities, kept["probability"], rtol=1e-12)
