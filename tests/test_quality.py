"""Answers in figures: those of scikit-learn, whose functions are asked of probabilities and labels."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score, root_mean_squared_error

from onelayer import quality


@pytest.mark.parametrize("k", [2, 3, 5])
def test_classes_are_judged_as_scikit_learn_does(k):
    rng = np.random.default_rng(k)
    codes, z = rng.integers(k, size=200), rng.standard_normal(200 if k == 2 else (200, k)).round(1)
    p = np.column_stack([expit(-z), expit(z)]) if k == 2 else softmax(z, axis=1)
    found = quality.of_classes(z, codes, 0.3)
    assert found["log_loss"] == pytest.approx(log_loss(codes, p), rel=1e-12)
    assert found["accuracy"] == accuracy_score(codes, p[:, 1] > 0.3 if k == 2 else p.argmax(axis=1))
    assert found["roc_auc"] == (pytest.approx(roc_auc_score(codes, z), rel=1e-12) if k == 2 else None)
    shares = np.bincount(codes) / 200
    assert found["base_rate_log_loss"] == pytest.approx(log_loss(codes, np.tile(shares, (200, 1))), rel=1e-12)
    assert found["base_rate_accuracy"] == shares.max()


def test_of_one_class_alone_there_is_no_curve():
    found = quality.of_classes(np.array([-1.0, 2.0]), np.array([0, 0]), 0.5)
    assert (found["roc_auc"], found["base_rate_log_loss"], found["base_rate_accuracy"]) == (None, 0, 1)


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e300])
def test_numbers_are_judged_as_scikit_learn_does_whatever_their_unit(unit):
    y, z = np.random.default_rng(0).standard_normal((2, 100))
    found = quality.of_numbers(z * unit, y * unit)
    assert found["r2"] == pytest.approx(r2_score(y, z), rel=1e-9)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(y, z) * unit, rel=1e-9, abs=0)
    assert found["mean_rmse"] == pytest.approx(np.std(y) * unit, rel=1e-9, abs=0)


@pytest.mark.parametrize("constant", [1.0, 0.1, -3e300])
def test_one_number_for_all_rows_has_no_r2(constant):
    z = np.random.default_rng(0).standard_normal(100)
    found = quality.of_numbers(z, np.full(100, constant))
    assert (found["r2"], found["mean_rmse"]) == (None, 0)
