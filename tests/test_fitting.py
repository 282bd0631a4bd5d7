"""From a table to a model: settings and labels that cannot be used, progress, and Ctrl-C."""

import json
import os
import re
import signal
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegressionCV

import onelayer
from onelayer import PerceptronClassifier, PerceptronRegressor, tables
from onelayer.cli import words
from onelayer.fits.validation import stratified_folds


@pytest.fixture(scope="module")
def table():
    data = load_breast_cancer()
    columns = {str(name): data.data[:, i] for i, name in enumerate(data.feature_names[:6])}
    return columns | {"label": data.target_names[data.target].astype(object)}


@pytest.fixture(scope="module")
def model(table):
    return onelayer.fit(table, positive="malignant", test_size=0.25)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "Label"}, "did you mean 'label'"),
        ({"positive": "ill"}, "positive label 'ill' is not in"),
        ({"threshold": 2}, "threshold must be a probability"),
        ({"seed": -1}, r"seed must be a whole number, 0 or more \(seed=, --seed\), not -1"),
        (
            {"hidden": (8, 10**9)},
            r"hidden layers of 8, 1,000,000,000 neurons over 6 features have 10,000,000,057 weights, more than "
            r"100,000,000: give fewer neurons",
        ),
        ({"hidden": (10**20,)}, "give fewer neurons"),
        ({"exclude": ["area"]}, "excluded column 'area' is not in the table"),
    ],
)
def test_settings_are_refused_in_words(table, settings, message):
    with pytest.raises(ValueError, match=message):
        onelayer.fit(table, **settings)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", None, "b", " "], "target column 'label' has 2 empty cells, first in row 2: label or drop these rows"),
        ([0.0, 1.0, np.nan, 1.0], "target column 'label' has 1 empty cell, first in row 3"),
        (["a"] * 4, "holds one class only, 'a': two are needed"),
        ([[1], [2], [1], [2]], r"target column 'label' is of type List\(Int64\): it must hold classes"),
        ([date(2024, 1, 1 + i) for i in range(4)], "target column 'label' is of type Date: it must hold classes"),
        ([f"name {i}" for i in range(60)], "holds 60 different values in 60 rows: it must hold classes"),
        ([i / 2 for i in range(30)] * 3, "holds 30 different numbers with fractions: it must hold classes"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        onelayer.fit({"x": list(range(len(labels))), "label": labels})


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 1, 0], [0.0, 1.0, 1.0, 0.0], ["0", "1", "1", "0"], [Decimal(0), Decimal(1), Decimal(1), Decimal(0)]],
)
def test_labels_are_the_same_whatever_way_they_came_in(labels):
    model = onelayer.fit({"x": [1, 2, 3, 4], "label": labels})
    assert model.classes == ("0", "1")
    assert model.evaluate({"x": [1, 2], "label": ["0", "1"]})["rows"] == 2
    assert model.evaluate({"x": [1, 2], "label": [0.0, 1.0]})["rows"] == 2
    with pytest.raises(
        ValueError, match="column 'label' holds '2' in row 1, but the model knows 0, 1: correct or drop"
    ):
        model.evaluate({"x": [1], "label": [2]})


def fitted(tmp_path, text, **settings):
    (tmp_path / "t.csv").write_text(text)
    return onelayer.fit(tmp_path / "t.csv", **settings)


@pytest.mark.parametrize(
    ("written", "classes", "typed"),
    [
        (["1.0", "0.0"], ("0.0", "1.0"), [1.0, 0.0]),
        (["10", "9"], ("9", "10"), [10, 9]),
        (["True", "False"], ("False", "True"), [True, False]),
        (["02", "1"], ("1", "02"), [2, 1]),
        (["10", "9", "x"], ("10", "9", "x"), ["10", "9", "x"]),
    ],
)
def test_labels_are_what_is_written_and_found_however_they_are_written(tmp_path, written, classes, typed):
    rows = "".join(f"{i},{label}\n" for i, label in enumerate(written * 4))
    model = fitted(tmp_path, "x,label\n" + rows)
    assert model.classes == classes
    x = list(range(len(written)))
    assert model.evaluate({"x": x, "label": typed}) == model.evaluate({"x": x, "label": written})
    if len(classes) == 2:
        assert fitted(tmp_path, "x,label\n" + rows, positive=str(typed[1])).classes == classes[::-1]


def test_many_labels_are_judged_by_their_values_not_by_their_type(tmp_path):
    def of(labels):
        return "x,label\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels))

    with pytest.raises(
        ValueError, match="holds 30 different numbers with fractions: it must hold classes, or be asked"
    ):
        fitted(tmp_path, of([i / 2 for i in range(30)] * 3))
    with pytest.raises(ValueError, match=r"holds 60 different values in 60 rows: .*as numbers \(--task regression\)"):
        fitted(tmp_path, of(range(60)))
    assert len(fitted(tmp_path, of([f"{i}.0" for i in range(21)] * 3)).classes) == 21


def test_weights_may_be_written(tmp_path):
    model = fitted(tmp_path, "x,w,label\n1, 2 ,a\n2,1,b\n3,0.5,a\n4,1e0,b\n", weight="w")
    typed = onelayer.fit({"x": [1, 2, 3, 4], "w": [2, 1, 0.5, 1], "label": list("abab")}, weight="w")
    np.testing.assert_array_equal(model.weights, typed.weights)


def test_both_noughts_are_one_label():
    assert onelayer.fit({"x": [1, 2, 3, 4], "label": [-0.0, 0.0, 1.0, 1.0]}).classes == ("0", "1")


def test_three_classes():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    model = onelayer.fit({"x": rng.normal(y * 3), "label": np.array(["a", "b", "c"], dtype=object)[y]})
    assert np.mean(np.array(model.predict({"x": [0.0, 3.0, 6.0]})) == ["a", "b", "c"]) == 1


def test_progress_is_told_from_reading_to_the_end(table):
    said = []
    onelayer.fit(table, test_size=0.2, progress=said.append)
    assert said[:2] == ["reading", "encoding"]
    assert said[2] == "fitting 456 rows, 6 features"
    assert all(line.startswith("fitting: cost 0.") for line in said[3:-1])
    assert len(said) > 5
    assert said[-1] == "evaluating"


def test_ctrl_c_in_the_iterations_keeps_the_best_so_far(interruptible, table, tmp_path):
    said = []

    def interrupt(doing):
        said.append(doing)
        if sum(line.startswith("fitting: cost") for line in said) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    whole = onelayer.fit(table)
    model = onelayer.fit(table, progress=interrupt)
    assert not model.fitted["converged"]
    assert "interrupted: the best weights so far are kept" in model.fitted["notices"]
    assert model.fitted["iterations"] < whole.fitted["iterations"]
    assert whole.evaluate(table)["log_loss"] < model.evaluate(table)["log_loss"] < 0.6
    model.save(tmp_path / "m")
    assert onelayer.load(tmp_path / "m").fitted == model.fitted


def test_ctrl_c_in_the_evaluation_keeps_the_fit(interruptible, table):
    def interrupt(doing):
        if doing == "evaluating":
            signal.raise_signal(signal.SIGINT)

    model = onelayer.fit(table, test_size=0.2, progress=interrupt)
    assert model.fitted["converged"]
    assert model.held_out == {}
    assert "interrupted: the fit was over, but " in model.fitted["notices"][-1]


def test_levels_that_only_stand_for_what_was_never_seen_are_no_news():
    table = {"town": ["Bonn", "Rome"] * 4, "x": [1.0] * 8, "label": ["a", "b", "b", "a"] * 2}
    model = onelayer.fit(table, kinds={"town": "category"})
    assert model.encoder.feature_names == ["town=Bonn", "town=Rome", "town=(other)", "x"]
    assert model.weights[0, 2] == 0
    assert not any("constant" in notice and "(other)" in notice for notice in model.fitted["notices"])


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            [str(i % 25) for i in range(100)],
            "target column 'label' holds 25 different numbers, each taken as a class: to predict them as numbers",
        ),
        (
            ["yes", "Yes", "no ", "no", "1.0", "1", "x"] * 2,
            "labels in target column 'label' differ only in case, blanks or how they are written, and are classes of "
            "their own: '1', '1.0'; 'Yes', 'yes'; 'no', 'no ': if they are one, write them alike",
        ),
        (["yes\u200b", "yes"] * 3, "their own: 'yes', 'yes\\u200b': if they are one"),
        (["true", "TRUE"] * 3, "their own: 'TRUE', 'true': if they are one"),
        (["yes", "no", "n/a", "nan"], "target column 'label' holds 'n/a', 'nan', taken as a class: if it says that"),
    ],
)
def test_labels_that_may_be_no_classes_of_their_own_are_noticed(labels, words):
    notices = onelayer.fit({"x": list(range(len(labels))), "label": labels}).fitted["notices"]
    found = [notice for notice in notices if words in notice]
    assert found, notices


def test_a_fit_of_many_classes_is_said_in_few_lines_and_edge_blanks_are_seen():
    labels = [f"c{i}" for i in range(99)] + ["no "]
    model = onelayer.fit({"x": list(range(300)), "z": [i % 7 for i in range(300)], "label": labels * 3})
    lines = words.of_fit(model, "m", 0.0)
    assert len(lines) < 60
    assert max(map(len, lines)) < 400
    assert "c26 and 80 more in column 'label'" in lines[1]
    two = onelayer.fit({"x": [1, 2, 3, 4], "label": ["no ", "yes"] * 2})
    assert "classes     'no ', yes in column 'label'" in words.of_fit(two, "m", 0.0)


def test_labels_that_differ_are_not_noticed():
    for labels in (["none", "mild", "-", "+"], ["0", "1"], ["a", "b"], [str(i % 20) for i in range(40)]):
        notices = onelayer.fit({"x": list(range(len(labels) * 3)), "label": labels * 3}).fitted["notices"]
        assert not any("label" in notice for notice in notices)


def test_levels_that_only_rows_held_out_have_are_noticed():
    towns = ["Bonn", "Rome"] * 10 + [f"t{i}" for i in range(5)]
    table = {"town": towns, "x": list(range(25)), "label": [*"ab" * 12, "a"]}
    said = onelayer.fit(table, kinds={"town": "category"}, test_size=0.4).fitted["notices"]
    assert any(
        re.match(r"of the rows held out, column 'town' holds what the model does not know in \d row", line)
        for line in said
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            ["a"] * 8,
            "weight column 'w' must hold numbers of at least 0, but there is none in 8 cells, first 'a' in row 1",
        ),
        ([[1]] * 8, r"weight column 'w' is of type List\(Int64\): it must hold numbers of at least 0"),
    ],
)
def test_weights_that_are_no_numbers_are_refused(weights, message):
    table = {"x": list(range(8)), "w": weights, "label": ["a", "b"] * 4}
    with pytest.raises(ValueError, match=message):
        onelayer.fit(table, weight="w")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            [1, -1, None, 1],
            "weight column 'w' must hold numbers of at least 0, but there is none in 2 cells, first -1 in row 2",
        ),
        ([1, 0, 1, 0], "weight column 'w' is 0 in every row of 'b': drop these rows"),
    ],
)
def test_weights_that_weigh_nothing_are_refused_by_row_and_label(weights, message):
    with pytest.raises(tables.TableError, match=message):
        onelayer.fit({"x": [1, 2, 3, 4], "w": weights, "label": ["a", "b", "a", "b"]}, weight="w")


@pytest.mark.parametrize("settings", [{"weight": "label"}, {"exclude": ["label"]}])
def test_the_target_is_neither_weight_nor_excluded(settings):
    with pytest.raises(tables.TableError, match="column 'label' is the target: it cannot be a weight, nor excluded"):
        onelayer.fit({"x": [1, 2], "label": [1, 2]}, **settings)


@pytest.mark.parametrize(
    ("name", "settings", "role"),
    [("label", {}, "the target"), ("w", {"weight": "w"}, "the weight"), ("w", {"exclude": ["w"]}, "excluded")],
)
def test_a_kind_of_what_is_no_feature_is_refused(name, settings, role):
    with pytest.raises(tables.TableError, match=f"kind is given for column '{name}', which is {role}: leave the kind"):
        onelayer.fit({"x": [1, 2], "w": [1, 1], "label": [1, 2]}, kinds={name: "number"}, **settings)


def test_a_tuned_C_is_the_one_of_the_least_log_loss_in_folds(table):
    model = onelayer.fit(table, positive="malignant", tune=True, seed=3)
    tuning = model.fitted["tuning"]
    X, y = np.array([table[name] for name in list(table)[:-1]]).T, table["label"] == "malignant"
    means, scales = X.mean(axis=0), X.std(axis=0)
    folds = stratified_folds(y.astype(int), 5, 3)
    theirs = LogisticRegressionCV(
        Cs=tuning["C"],
        cv=folds,
        l1_ratios=(0.0,),
        scoring="neg_log_loss",
        solver="newton-cholesky",
        tol=1e-8,
        use_legacy_attributes=False,
    ).fit((X - means) / scales, y)
    assert tuning["chosen"] == model.fitted["C"] == theirs.C_
    np.testing.assert_allclose(tuning["log_loss"], -theirs.scores_.mean(axis=(0, 1)), rtol=1e-3)
    again = onelayer.fit(table, positive="malignant", C=tuning["chosen"])
    np.testing.assert_array_equal(again.weights, model.weights)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_an_l1_penalty_keeps_few_features(table, task):
    X, malignant = np.array([table[name] for name in list(table)[:-1]]).T, table["label"] == "malignant"
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    y = malignant if task == "classification" else Z[:, 0] + malignant
    kind = PerceptronClassifier if task == "classification" else PerceptronRegressor
    model = onelayer.fit(table | {"label": y}, task=task, C=0.05, l1_ratio=1.0)
    theirs = kind(C=0.05, l1_ratio=1.0, tol=1e-9).fit(Z, y).coef_.ravel()
    kept = np.flatnonzero(theirs)
    assert 0 < len(kept) < 6
    np.testing.assert_allclose(model.weights[0, :-1], theirs, atol=2e-3 * np.abs(theirs).max())
    assert {row["feature"] for row in model.explain()} == {list(table)[j] for j in kept}
    assert f"kept        {len(kept)} of 6 features, all others have weight 0" in words.of_fit(model, "m", 0.0)


def test_with_all_weights_0_the_bias_alone_answers(table):
    model = onelayer.fit(table, C=1e-6, l1_ratio=1.0)
    assert model.explain() == []
    assert words.of_weights(model, 8) == ["weight      none is other than 0: the bias alone answers"]


def test_a_C_is_tuned_beside_an_l1_penalty(table):
    model = onelayer.fit(table, tune=True, l1_ratio=1.0)
    tuning = model.fitted["tuning"]
    assert model.l1_ratio == 1
    assert tuning["log_loss"][0] == pytest.approx(np.log(2), rel=0.1)  # the least C at which a weight is not 0
    again = onelayer.fit(table, C=tuning["chosen"], l1_ratio=1.0)
    np.testing.assert_array_equal(again.weights, model.weights)


def test_an_l1_penalty_beside_hidden_layers_is_refused(table):
    with pytest.raises(ValueError, match=r"an L1 penalty .* is for one layer: leave it or the hidden ones out"):
        onelayer.fit(table, l1_ratio=0.5, hidden=(3,))


def test_tuning_takes_fewer_folds_for_a_rare_class_and_refuses_one_of_a_single_row():
    table = {"x": list(range(12)), "label": ["a"] * 9 + ["b"] * 3}
    assert onelayer.fit(table, tune=True).fitted["tuning"]["folds"] == 3
    table["label"][9:11] = ["a", "a"]
    with pytest.raises(ValueError, match="tuning needs two rows or more of each class among the 12 to fit, but 'b'"):
        onelayer.fit(table, tune=True)


def test_tuning_deals_rows_out_by_what_counts():
    rng = np.random.default_rng(1)
    y, weight = np.repeat([1, 0], [10, 40]), np.ones(50)
    weight[2:10] = 0  # a fold might keep both of those that count
    table = {"x": (rng.normal(size=50) + y).tolist(), "w": weight.tolist(), "label": y.tolist()}
    for seed in range(6):
        assert onelayer.fit(table, weight="w", tune=True, test_size=0, seed=seed).fitted["tuning"]["folds"] == 2


NUMBERS = {"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 4.0, 8.0]}


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, None, 2.0, 3.0], "column 'y' must hold numbers, but there is none in 1 cell, first None in row 2"),
        ([1.0, 2.0, float("inf"), 3.0], "must hold numbers, but there is none in 1 cell, first inf in row 3"),
        (["1", "2", "tall", "?"], "must hold numbers, but there is none in 2 cells, first 'tall' in row 3"),
        ([date(2024, 1, 1)] * 4, "target column 'y' is of type Date: it must hold numbers"),
        ([[1.0]] * 4, r"target column 'y' is of type List\(Float64\): it must hold numbers"),
        ([b"1"] * 4, "target column 'y' is of type Binary: it must hold numbers"),
        ([1j] * 4, "target column 'y' is of type Object: it must hold numbers"),
    ],
)
def test_targets_that_are_no_numbers_are_refused_with_their_row(y, message):
    with pytest.raises(ValueError, match=message):
        onelayer.fit(NUMBERS | {"y": y}, "y", task="regression")


@pytest.mark.parametrize(
    "y", [["1", " 2 ", "4.0", "8"], [1, 2, 4, 8], [Decimal("1"), Decimal("2"), Decimal(4), Decimal(8)]]
)
def test_numbers_are_numbers_whatever_they_are_written_as(y):
    expected = onelayer.fit(NUMBERS, "y", task="regression").predict(NUMBERS)
    assert onelayer.fit(NUMBERS | {"y": y}, "y", task="regression").predict(NUMBERS) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "clustering"}, "task must be classification or regression, not 'clustering'"),
        ({"task": "regression", "positive": "1"}, "positive and threshold are for two classes"),
        ({"task": "regression", "threshold": 0.4}, "positive and threshold are for two classes"),
        ({"task": "regression", "tune": True}, "tune chooses C for one layer and classes only"),
        ({"task": "regression", "hidden": (0,)}, "hidden_layer_sizes must hold the number of neurons"),
        ({"task": "regression", "weight": "none"}, "weight column 'none' is 0 in every row: one must count"),
    ],
)
def test_settings_of_a_regression_are_refused_in_words(settings, message):
    with pytest.raises(ValueError, match=message):
        onelayer.fit(NUMBERS | {"none": [0.0] * 4}, "y", **settings)


def test_a_target_with_many_fractions_is_pointed_to_regression():
    y = np.random.default_rng(0).standard_normal(50)
    with pytest.raises(ValueError, match=r"or be asked for as numbers \(--task regression\)"):
        onelayer.fit({"x": y, "y": y}, "y")


def test_the_rows_weights_count_in_a_regression():
    weighted = onelayer.fit(NUMBERS | {"w": [1, 2, 0, 1]}, "y", task="regression", weight="w", C=np.inf)
    repeated = onelayer.fit({"x": [1.0, 2.0, 2.0, 4.0], "y": [1.0, 2.0, 2.0, 8.0]}, "y", task="regression", C=np.inf)
    np.testing.assert_allclose(weighted.predict(NUMBERS), repeated.predict(NUMBERS), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_whether_a_table_is_accepted_does_not_depend_on_the_rows_held_out(seed):
    table = {"x": [1.0, 2.0, None, 4.0] + [5.0] * 16, "label": ["a", "b"] * 10}
    with pytest.raises(ValueError, match=r"column 'x' has 1 missing value, first in row 3"):
        onelayer.fit(table, test_size=0.5, seed=seed)
    table["x"][2] = "three"
    with pytest.raises(ValueError, match=r"column 'x' holds numbers, but 1 of 20 .* first 'three' in row 3"):
        onelayer.fit(table | {"x": [str(x) for x in table["x"]]}, test_size=0.5, seed=seed)


@pytest.mark.parametrize("seed", range(10))
def test_a_row_that_counts_stays_to_fit_of_each_class(seed):
    table = {"x": list(range(8)), "w": [1, 1, 1, 1, 0, 0, 0, 1], "label": list("aaaabbbb")}
    model = onelayer.fit(table, weight="w", test_size=0.5, seed=seed)
    assert model.held_out["rows"] == 2  # of those that count
    numbers = {"x": [1.0, 2.0, 3.0], "w": [0, 1, 0], "y": [1.0, 2.0, 3.0]}
    assert onelayer.fit(numbers, "y", task="regression", weight="w", test_size=0.9, seed=seed).fitted["rows"] == 1


@pytest.mark.parametrize("exclude", [(), ("w",)])
def test_rows_held_out_are_judged_by_their_weights(exclude):
    rng = np.random.default_rng(0)
    table = {"x": rng.standard_normal(300), "w": np.where(np.arange(300) % 3, 1, 1000)}
    table["label"] = np.where(table["w"] == 1, rng.random(300) < 0.9, rng.random(300) < 0.1)
    model = onelayer.fit(table, weight="w", exclude=exclude, test_size=0.3)
    shares = np.bincount(table["label"], table["w"]) / table["w"].sum()
    assert model.held_out["base_rate_accuracy"] == pytest.approx(shares.max(), abs=0.1)  # of rows, not of weight: 0.63
    assert model.held_out["weight"] == "w"
    assert any(line.startswith("weighed ") for line in words.of_fit(model, "m", 0.0))


def test_words_that_are_in_held_out_rows_only_leave_the_bias():
    texts = {"y": ["a", "b"] * 20, "said": ["one word", *[""] * 39]}
    for seed in range(6):
        model = onelayer.fit(texts, target="y", kinds={"said": "text"}, test_size=0.5, seed=seed)
        with pytest.warns(tables.TableWarning, match="no known word"):
            assert model.predict_proba({"said": ["never", "heard"]}).shape == (2, 2)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_rows_of_weight_0_have_no_say_in_the_units_of_features(task):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(300)
    y = x + 0.3 * rng.logistic(size=300)
    table = {"x": x, "w": np.ones(300), "label": y.tolist() if task == "regression" else np.where(y > 0, "b", "a")}
    marked = {**table, "x": np.where(np.arange(300) % 10, x, -999.0), "w": np.where(np.arange(300) % 10, 1.0, 0.0)}
    some = np.flatnonzero(np.arange(300) % 10)
    absent = {name: [cells[i] for i in some] for name, cells in table.items()}
    found, wanted = (onelayer.fit(t, weight="w", task=task, test_size=0) for t in (marked, absent))
    np.testing.assert_array_equal(found.weights, wanted.weights)
    assert found.predict({"x": x}) == wanted.predict({"x": x})


def test_one_name_and_one_number_need_no_list():
    table = {"a": [1, 2, 3, 4] * 3, "b": [2, 1, 4, 3] * 3, "ab": [4, 3, 2, 1] * 3, "label": list("xyxy") * 3}
    assert onelayer.fit(table, exclude="ab").encoder.feature_names == ["a", "b"]
    assert len(onelayer.fit(table, hidden=3).hidden) == 1


@pytest.mark.parametrize(("name", "value"), [("threshold", None), ("threshold", "0.5"), ("seed", 1.5)])
def test_settings_of_another_type_are_refused_in_a_sentence(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be .*, not {re.escape(repr(value))}"):
        onelayer.fit({"x": [1, 2, 3, 4], "label": list("abab")}, **{name: value})


def test_sparse_columns_of_a_pandas_frame_are_columns():
    frame = pd.DataFrame({"c": list("uvwu"), "label": list("abab")})
    sparse = pd.get_dummies(frame, columns=["c"], sparse=True)
    dense = pd.get_dummies(frame, columns=["c"])
    np.testing.assert_array_equal(onelayer.fit(sparse).weights, onelayer.fit(dense).weights)


def test_a_constant_number_is_noticed_beside_categories():
    table = {
        "a": [1.0, 2.0, 3.0, 4.0] * 3,
        "const": [5.0] * 12,
        "cat": ["u", "v", "v"] * 4,
        "y": ["n", "p", "p", "n"] * 3,
    }
    notices = onelayer.fit(table, "y").fitted["notices"]
    assert "column 'const' is constant: weight 0" in notices


def test_names_may_be_in_any_form_of_unicode(tmp_path):
    apart, whole = "o\u0308", "\u00f6"
    table = {f"n{apart}": [1, 2, 3, 4], f"w{apart}": [1, 1, 1, 2], f"x{apart}": [0] * 4, apart: ["a", "b"] * 2}
    settings = {"weight": f"w{apart}", "exclude": f"x{apart}", "kinds": {f"n{apart}": "category"}}
    model = onelayer.fit(table, apart, **settings)
    assert (model.target, model.encoder.columns[0].name, model.encoder.columns[0].kind) == (
        whole,
        f"n{whole}",
        "category",
    )
    model.save(tmp_path / "m")
    found = onelayer.load(tmp_path / "m").evaluate({f"n{whole}": [1], f"w{whole}": [2], whole: ["a"]}, f"w{apart}")
    assert found["rows"] == 1


def test_no_notice_names_what_only_estimators_have(monkeypatch):
    from onelayer import fitting

    for said in (
        f"the folds took 100 iterations: {fitting.FURTHER}",
        "which all rows were then fitted with: early_stopping=False keeps C",
        "stopped after 100 iterations without reaching tol=1e-06: raise max_iter, or accept the gap",
        "stopped after 100 iterations: raise max_iter",
    ):
        assert not re.search("max_iter|early_stopping|larger tol", fitting._to_be_done_here(said))
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=60), "z": rng.normal(size=60), "label": rng.choice(["a", "b"], 60)}
    notices = onelayer.fit(table, hidden=16).fitted["notices"]
    assert any(notice.endswith("which all rows were then fitted with") for notice in notices), notices


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1, "1", True], "a number, 0 in row 1, and a text, '1' in row 3: make them one kind"),
        ([0, 1, True, 0], "a number, 0 in row 1, and a truth, True in row 3"),
        (["a", "b", False, "a"], "a text, 'a' in row 1, and a truth, False in row 3"),
        ([None, 1.5, 2, "b"], "a number, 1.5 in row 2, and a text, 'b' in row 4"),
    ],
)
def test_labels_of_more_than_one_kind_are_refused(labels, words, tmp_path):
    rows = [{"x": i, "gr\u00f6\u00dfe": label} for i, label in enumerate(labels)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "raw.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    columns = {"x": [0, 1, 2, 3], "gr\u00f6\u00dfe": labels}
    for source in (rows, columns, tmp_path / "t.jsonl", tmp_path / "raw.jsonl"):
        with pytest.raises(tables.TableError, match=f"target column 'gr\u00f6\u00dfe' holds {words}"):
            onelayer.fit(source, "gr\u00f6\u00dfe")


def test_labels_of_one_kind_are_not_refused(tmp_path):
    for labels in ([0, 1.0, 2], ["0", "t: 1", '"label": 1'], [True, False, True], [np.int64(1), 2, 2.0]):
        table = {"x": [1, 2, 3], "label": labels}
        onelayer.fit(table)
        rows = [
            {"x": i, "label": label.item() if isinstance(label, np.number) else label} for i, label in enumerate(labels)
        ]
        (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
        onelayer.fit(tmp_path / "t.jsonl")
