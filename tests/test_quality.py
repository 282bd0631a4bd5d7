"""Answers in figures: those of scikit-learn, whose functions are asked of probabilities and labels."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score, root_mean_squared_error

from onelayer import quality

WEIGHTS = {"none": None, "some 0": np.arange(200) % 7 / 2, "huge": np.geomspace(1e290, 1e308, 200)}


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("k", [2, 3, 5])
def test_classes_are_judged_as_scikit_learn_does(k, weight):
    rng = np.random.default_rng(k)
    codes, z = rng.integers(k, size=200), rng.standard_normal(200 if k == 2 else (200, k)).round(1)
    p = np.column_stack([expit(-z), expit(z)]) if k == 2 else softmax(z, axis=1)
    said = p[:, 1] > 0.3 if k == 2 else p.argmax(axis=1)
    found = quality.of_classes(z, codes, 0.3, weight)
    w = np.ones(200) if weight is None else weight / weight.max()
    assert found["log_loss"] == pytest.approx(log_loss(codes, p, sample_weight=w), rel=1e-12)
    assert found["accuracy"] == pytest.approx(accuracy_score(codes, said, sample_weight=w), rel=1e-12)
    area = roc_auc_score(codes, z, sample_weight=w) if k == 2 else None
    assert found["roc_auc"] == (area and pytest.approx(area, rel=1e-12))
    shares = np.bincount(codes, w) / w.sum()
    assert found["base_rate_log_loss"] == pytest.approx(log_loss(codes, [shares] * 200, sample_weight=w), rel=1e-12)
    assert found["base_rate_accuracy"] == pytest.approx(shares.max(), rel=1e-12)


def test_a_class_of_which_no_row_counts_has_no_curve():
    found = quality.of_classes(np.array([-1.0, 2.0, 1.0]), np.array([0, 0, 1]), 0.5, np.array([1.0, 1.0, 0.0]))
    assert (found["roc_auc"], found["accuracy"], found["base_rate_accuracy"]) == (None, 0.5, 1)


def test_of_one_class_alone_there_is_no_curve():
    found = quality.of_classes(np.array([-1.0, 2.0]), np.array([0, 0]), 0.5)
    assert (found["roc_auc"], found["base_rate_log_loss"], found["base_rate_accuracy"]) == (None, 0, 1)


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e300])
def test_numbers_are_judged_as_scikit_learn_does_whatever_their_unit(unit, weight):
    y, z = np.random.default_rng(0).standard_normal((2, 200))
    found = quality.of_numbers(z * unit, y * unit, weight)
    w = np.ones(200) if weight is None else weight / weight.max()
    mean = np.full(200, np.average(y, weights=w))
    assert found["r2"] == pytest.approx(r2_score(y, z, sample_weight=w), rel=1e-9)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(y, z, sample_weight=w) * unit, rel=1e-9, abs=0)
    assert found["mean_rmse"] == pytest.approx(
        root_mean_squared_error(y, mean, sample_weight=w) * unit, rel=1e-9, abs=0
    )


@pytest.mark.parametrize("constant", [1.0, 0.1, -3e300])
def test_one_number_for_all_rows_has_no_r2(constant):
    z = np.random.default_rng(0).standard_normal(100)
    found = quality.of_numbers(z, np.full(100, constant))
    assert (found["r2"], found["mean_rmse"]) == (None, 0)
