"""Models of tables: what they predict, how they are judged, and why a row is answered as it is."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss, r2_score, roc_auc_score, root_mean_squared_error

import onelayer
from onelayer.cli import words
from onelayer.objective import network
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


def test_a_model_is_shown_in_a_line(model):
    assert repr(model) == "<Model of 'label' (benign, malignant) from 6 features of 6 columns, fitted to 427 rows>"
    of_texts = onelayer.fit(
        {"text": ["good film", "bad film"] * 20, "stars": [5.0, 1.0] * 20}, target="stars", task="regression"
    )
    assert repr(of_texts) == "<Model of 'stars' (a number) from 3 features of 1 column, fitted to 40 rows>"
    assert len(repr(of_texts.encoder)) < 300


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
    with pytest.warns(TableWarning, match="1 row cannot be answered, first row 2: column 'mean radius'"):
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


def test_a_missing_text_is_blank_and_flagged_and_an_empty_line_is_answered(tmp_path):
    texts = {"t": ["good day", "bad day", "good", "bad"], "label": ["y", "n", "y", "n"]}
    model = onelayer.fit(texts, kinds={"t": "text"})
    with pytest.warns(TableWarning, match=r"1 row cannot be answered, first row 2: column 't' is empty"):
        assert model.predict({"t": ["good", None, "bad"]}) == ["y", None, "n"]
    (tmp_path / "lines.csv").write_text("t\ngood\n\nbad\n")
    with pytest.warns(TableWarning, match="1 row holds no known word, first row 2: the bias alone answers it$"):
        assert None not in model.predict(tmp_path / "lines.csv")


@pytest.mark.parametrize("classes", [2, 3])
def test_the_pushes_of_a_row_add_up_to_its_log_odds(classes):
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, 200)
    colours = np.array(["red", "green", "blue"], dtype=object)
    table = {
        "x": rng.normal(y),
        "town": rng.choice(np.array(["Bonn", "Rome"], dtype=object), 200),
        "t": [f"{colours[k]} {colours[rng.integers(3)]} item{i}" for i, k in enumerate(y)],
        "label": colours[y],
    }
    model = onelayer.fit(table, kinds={"t": "text", "town": "category"})
    p = model.predict_proba(table)
    for row in (1, 57, 200):
        found = model.explain_row(table, row)
        pushes = [push["push"] for push in found["pushes"]]
        total = found["log_odds" if classes == 2 else "log_odds_against_average"]
        assert found["bias"] + sum(pushes) == pytest.approx(total, rel=1e-9)
        assert pushes == sorted(pushes, key=lambda push: -abs(push))
        assert found["label"] == model.predict(table)[row - 1]
        assert found["probability"] == pytest.approx(p[row - 1, model.classes.index(found["class"])], rel=1e-9)
        logs = np.log(p[row - 1])
        expected = logs[1] - logs[0] if classes == 2 else logs.max() - logs.mean()
        assert total == pytest.approx(expected, rel=1e-9)
        against = "" if classes == 2 else " against the average class"
        said = f"probability of {found['class']} {found['probability']:.4f}, log-odds{against} {total:+.3f} from"
        assert words.of_row(found)[0].endswith(said)
        few = model.explain_row(table, row, 2)
        assert few["pushes"] == found["pushes"][:2]
        assert few["others"]["features"] == len(pushes) - 2
        assert few["bias"] + sum(pushes[:2]) + few["others"]["push"] == pytest.approx(total, rel=1e-9)
        assert {push["feature"] for push in found["pushes"]} >= {"x", f"town={table['town'][row - 1]}"}
        assert all((push["class"] == found["class"]) == (push["push"] > 0) for push in found["pushes"])


def test_a_row_that_is_not_there_or_has_no_answer_is_not_explained(model, table):
    with pytest.raises(ValueError, match="row 0 is not in the table: its rows are 1 to 569"):
        model.explain_row(table, 0)
    rows = {name: [None, *values[1:3]] for name, values in table.items()}
    with pytest.raises(ValueError, match="row 1 cannot be answered: column 'mean radius' holds nothing"):
        model.explain_row(rows, 1)


@pytest.mark.parametrize("classes", [2, 3])
def test_odds_are_those_of_the_class_that_is_named(classes):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    label = [
        ["low", "middle", "high"][i] for i in (x[:, :1] + rng.normal(size=(300, classes)) > 0).sum(axis=1) % classes
    ]
    model = onelayer.fit({"a": x[:, 0], "b": x[:, 1], "label": label})
    for row in model.explain():
        at = {"a": [0.0, 0.0], "b": [0.0, 0.0]}
        at[row["feature"]][1] = row["unit"]
        p = model.predict_proba(at)
        k = model.classes.index(row["class"])
        odds = p[:, k] / (1 - p[:, k]) if classes == 2 else p[:, k] / np.exp(np.log(p).mean(axis=1))
        assert odds[1] / odds[0] == pytest.approx(row["odds_ratio"], rel=1e-6)
    said = words.of_weights(model, 2)
    assert ("beside the average class)" in said[0]) == (classes == 3)
    assert all(("for" in line) or (classes == 3 and "against" in line) for line in said)


def test_weights_of_many_classes_under_an_l1_penalty_are_beside_their_mean():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    table = {"a": rng.normal(y == 0), "b": rng.normal(y), "label": np.array(["A", "B", "C"], dtype=object)[y]}
    model = onelayer.fit(table, C=0.05, l1_ratio=1)
    assert (model.weights[:, :-1] == 0).any()
    found = model.explain()
    assert len(found) == 6  # a class whose own weight is 0 has one beside the others
    for row in found:
        assert row["odds_ratio"] == pytest.approx(np.exp(row["weight"]))
    for feature in "ab":
        assert sum(row["weight"] for row in found if row["feature"] == feature) == pytest.approx(0, abs=1e-12)
    for line in words.of_weights(model, 10):
        assert ("for" in line) == (float(line.split("(× ")[1].split()[0]) > 1)


def test_a_weight_of_a_number_has_its_unit(model, table):
    rows = {row["feature"]: row for row in model.explain()}
    spread = np.std(np.array(table["mean radius"]))
    assert rows["mean radius"]["unit"] == pytest.approx(spread, rel=0.1)


def test_a_weight_of_a_word_has_its_unit_and_of_a_level_none():
    table = {"t": ["a good day", "a bad day", "good", "bad"] * 3, "c": ["x", "y"] * 6, "label": ["+", "-"] * 6}
    model = onelayer.fit(table, kinds={"t": "text"})
    units = {row["feature"]: row["unit"] for row in model.explain()}
    assert (units["t: good"], units["c=x"]) == ("1 of tf-idf", None)
    assert any(line.startswith("weight      t: good (per 1 of tf-idf): ") for line in words.of_weights(model, 9))


def test_words_of_a_fit_say_which_rows_held_out_have_no_answer(model):
    held_out = model.held_out | {"unanswered": 2, "first_unanswered": {"row": 7, "reason": "it is so"}}
    lines = words.of_fit(replace(model, held_out=held_out), "m", 0.0)
    said = "of the rows held out, 2 rows are left out, for there is no answer, first row 7: it is so"
    assert f"notice      {said}" in lines
    assert not any("held out, " in line and "left out" in line for line in words.of_fit(model, "m", 0.0))


@pytest.fixture(scope="module")
def houses():
    rng = np.random.default_rng(0)
    size, town = rng.uniform(40, 200, 400), rng.choice(["Bonn", "Rome"], 400)
    price = 2000 * size + 50_000 * (town == "Rome") + 10_000 * rng.standard_normal(400)
    return {"size": size, "town": town.astype(object), "price": price}


@pytest.fixture(scope="module")
def priced(houses):
    return onelayer.fit(houses, "price", task="regression", test_size=0.25)


def test_a_regression_is_judged_as_scikit_learn_does(priced, houses):
    found, said = priced.evaluate(houses), priced.predict(houses)
    assert priced.task == "regression"
    assert found["r2"] == pytest.approx(r2_score(houses["price"], said), rel=1e-9)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(houses["price"], said), rel=1e-9)
    assert found["mean_rmse"] == pytest.approx(np.std(houses["price"]), rel=1e-9)
    assert found["mean_r2"] == 0
    assert found["r2"] > 0.98
    assert (priced.held_out["rows"], found["rows"], found["unanswered"]) == (100, 400, 0)
    with pytest.raises(ValueError, match="predicts numbers in 'price', which have no probabilities: use predict"):
        priced.predict_proba(houses)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_row_of_weight_2_is_judged_as_a_row_twice_and_of_weight_0_as_none(houses, task):
    table = houses if task == "regression" else houses | {"price": np.where(houses["price"] > 2e5, "dear", "cheap")}
    model, weight = onelayer.fit(table, "price", task=task), np.arange(400) % 3
    found = model.evaluate(table | {"w": weight}, "w")
    assert (found["rows"], found.pop("weight")) == (266, "w")
    again = model.evaluate({name: np.repeat(values, weight) for name, values in table.items()})
    for name in again.keys() - {"rows"}:
        assert found[name] == pytest.approx(again[name], rel=1e-9)
    assert words.of_quality(found | {"weight": "w"})[0] == "weighed     each row counts by its weight in column 'w'"
    assert "weighed" not in "".join(words.of_quality(again))


def test_weights_that_leave_nothing_to_judge_are_refused_and_rows_without_one_need_no_answer(priced):
    rows = {"size": [50.0, 0.0, 60.0], "town": ["Bonn"] * 3, "price": [1e5, 1e5, 2e5]}
    assert priced.evaluate(rows, "size")["rows"] == 2  # a column of the model's, too
    rows |= {"size": [50.0, None, 60.0], "w": [1, 0, 2]}
    assert (priced.evaluate(rows, "w")["rows"], priced.evaluate(rows, "w")["unanswered"]) == (2, 0)
    with pytest.raises(ValueError, match="no row with a weight above 0 can be answered, so there is nothing to eval"):
        priced.evaluate(rows | {"w": [0, 1, 0]}, "w")
    with pytest.raises(ValueError, match="column 'price' is the target: it cannot be a weight"):
        priced.evaluate(rows, "price")


def test_one_number_for_all_rows_has_no_r2(priced):
    assert priced.evaluate({"size": [50.0, 60.0], "town": ["Bonn"] * 2, "price": [1e5, 1e5]})["r2"] is None


def test_the_weights_of_a_regression_are_in_the_targets_unit(priced, houses):
    rows = {row["feature"]: row for row in priced.explain()}
    spread = rows["size"]["weight"] / rows["size"]["unit"]
    assert spread == pytest.approx(2000, rel=0.05)
    assert set(rows["size"]) == {"feature", "weight", "unit"}
    found = priced.explain_row(houses, 3)
    assert found["bias"] + sum(push["push"] for push in found["pushes"]) == pytest.approx(found["prediction"])
    assert found["prediction"] == priced.predict(houses)[2]


@pytest.mark.parametrize("hidden", [(), (6,), (6, 4)])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_every_kind_of_model_predicts_the_same_once_saved_and_imports_little(houses, task, hidden, tmp_path):
    table = houses if task == "regression" else houses | {"price": np.where(houses["price"] > 2e5, "dear", "cheap")}
    model = onelayer.fit(table, "price", task=task, hidden=hidden, activation="gelu")
    path = tmp_path / "m.onelayer"
    model.save(path)
    again = onelayer.load(path)
    assert again.predict(table) == model.predict(table)
    assert (again.task, again.activation, len(again.hidden)) == (task, "gelu", len(hidden)) or not hidden
    if task == "classification":
        assert model.evaluate(table)["accuracy"] > 0.9
        np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))
    else:
        assert model.evaluate(table)["r2"] > 0.97
    code = (
        "import sys, onelayer; m = onelayer.load(sys.argv[1]); m.predict({'size': [50.0], 'town': ['Bonn']}); "
        "print('sklearn' in sys.modules, 'matplotlib' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_hidden_layers_of_texts_and_rows_that_cannot_be_answered(houses):
    model = onelayer.fit(houses, "price", task="regression", hidden=(4,))
    with pytest.warns(TableWarning, match="1 row cannot be answered, first row 2: column 'size'"):
        found = model.predict({"size": [50.0, None, 60.0], "town": ["Bonn"] * 3})
    assert [number is None for number in found] == [False, True, False]
    texts = {"text": ["good film", "bad film", "good day", "bad day"] * 10, "label": ["yes", "no"] * 20}
    assert onelayer.fit(texts, hidden=(4,), kinds={"text": "text"}).predict({"text": ["good", "bad"]}) == ["yes", "no"]


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_pushes_through_hidden_layers_add_up_and_tell_what_matters(task, activation):
    rng = np.random.default_rng(0)
    table = {name: rng.uniform(-1, 1, 600) for name in ("left", "right", "idle")}
    table["level"] = rng.choice(["low", "mid", "top"], 600)
    z = table["left"] * table["right"] * 8
    table["y"] = z if task == "regression" else np.where(z > 1, "top", np.where(z < -1, "low", "mid"))
    model = onelayer.fit(table, "y", task=task, hidden=(16, 8), activation=activation)
    strongest = []
    for row in (1, 2, 3, 4, 5, 6):
        found = model.explain_row(table, row)
        total = found["bias"] + sum(push["push"] for push in found["pushes"])
        answer = found["prediction" if task == "regression" else "log_odds_against_average"]
        assert total == pytest.approx(answer, rel=1e-6, abs=1e-6)
        strongest += [push["feature"] for push in found["pushes"][:2]]
    assert strongest.count("left") + strongest.count("right") >= 9
    with pytest.raises(ValueError, match="hidden layers, of which no single weight says what a column does: ask what"):
        model.explain()


def test_pushes_of_a_network_that_is_one_layer_in_disguise_are_that_layers():
    rng = np.random.default_rng(0)
    X, W, V = rng.standard_normal((1, 5)), rng.standard_normal((5, 8)), rng.standard_normal((8, 3))
    far = np.full(8, 100.0)  # so that no neuron of these is ever shut
    bias, found = network.pushes(X, [(W, far), (V, np.ones(3))], network.ACTIVATIONS["relu"], np.array([1.0, 0, -1]))
    np.testing.assert_allclose(found, X[0] * (W @ V @ [1, 0, -1]), rtol=1e-12, atol=1e-12)
    assert bias == pytest.approx(far @ V @ [1, 0, -1], rel=1e-12)


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e300])
def test_numbers_of_any_size_are_judged(unit):
    model = onelayer.fit({"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 2.0]}, "y", task="regression", C=np.inf)
    model = replace(model, weights=model.weights * unit)
    found = model.evaluate({"x": [0.0, 1.0, 2.0, 3.0], "y": np.array([0.5, 1.0, 2.0, 3.0]) * unit})
    assert found["rmse"] == pytest.approx(0.25 * unit, rel=1e-9, abs=0)
    assert found["r2"] == pytest.approx(1 - 0.25 / 3.6875, rel=1e-9)
    assert found["mean_rmse"] == pytest.approx(np.sqrt(3.6875 / 4) * unit, rel=1e-9, abs=0)


@pytest.mark.parametrize("hidden", [(), (3,)])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_an_answer_that_is_not_finite_is_none(task, hidden):
    table = {"a": [1e-9, 2e-9, 3e-9, 4e-9], "b": [1.0, 2.0, 1.0, 2.0], "y": [0, 0, 1, 1]}
    model = onelayer.fit(table, "y", task=task, hidden=hidden)
    rows = {"a": [1e-9, 1.7e308, 2e-9], "b": [1.0, 2.0, 1.0], "y": [0, 1, 1]}
    reason = "its numbers are so large that the answer is not finite"
    with pytest.warns(TableWarning, match=f"1 row cannot be answered, first row 2: {reason}"):
        assert [answer is None for answer in model.predict(rows)] == [False, True, False]
    found = model.evaluate(rows)
    assert (found["rows"], found["unanswered"], found["first_unanswered"]["row"]) == (2, 1, 2)
    with pytest.raises(ValueError, match=f"row 2 cannot be answered: {reason}"):
        model.explain_row(rows, 2)
