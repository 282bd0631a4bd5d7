"""Folds: what they hold, how paths on them are scored, and what ends them."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.datasets import load_breast_cancer, load_iris

from onelayer.data.labels import Labels
from onelayer.fits.training import train
from onelayer.fits.validation import cross_validate, stratified_folds
from onelayer.settings import Settings


def test_results_are_the_same_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 40)) * (rng.random((3000, 40)) < 0.5)
    y = (X[:, 0] + rng.logistic(size=3000) > 0).astype(int)
    labels = Labels.of(y, None, None, None)
    folds = stratified_folds(labels.codes, 4, 0)
    runs = [
        cross_validate(X, labels, folds, Cs=6, l1_ratios=[0.0, 1.0], settings=Settings(n_jobs=jobs))
        for jobs in (1, 2, 3, 8)
    ]
    for run in runs[1:]:
        assert np.array_equal(run.scores, runs[0].scores)
        assert np.array_equal(run.weights, runs[0].weights)


def test_the_score_is_the_log_loss_of_a_fit_by_itself():
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    labels = Labels.of(y, weight, "balanced", None)
    folds = stratified_folds(labels.codes, 3, 1)
    found = cross_validate(
        X, labels, folds, Cs=[0.1, 1.0], l1_ratios=[0.0, 1.0], settings=Settings(tol=1e-10), sample_weight=weight
    )
    for i, (rows, kept) in enumerate(folds):
        cold = train(X[rows], y[rows], sample_weight=labels.weight[rows], C=1.0, l1_ratio=1.0, tol=1e-10).weights
        losses = -log_softmax(X[kept] @ cold[:, :-1].T + cold[:, -1], axis=1)[np.arange(len(kept)), y[kept]]
        assert found.scores[i, 1, 1] == pytest.approx(-np.average(losses, weights=weight[kept]), rel=1e-4)


def test_folds_hold_every_row_once_and_every_class_evenly():
    codes = np.repeat([0, 1, 2], [50, 13, 6])
    folds = stratified_folds(codes, 5, seed=3)
    assert np.array_equal(np.sort(np.concatenate([kept for _, kept in folds])), np.arange(69))
    for rows, kept in folds:
        assert not set(rows) & set(kept)
        assert len(rows) + len(kept) == 69
        assert np.all(np.abs(np.bincount(codes[kept], minlength=3) - np.array([50, 13, 6]) / 5) < 1)
    assert max(len(kept) for _, kept in folds) - min(len(kept) for _, kept in folds) <= 1
    assert not np.array_equal(folds[0][1], stratified_folds(codes, 5, seed=4)[0][1])


def test_an_interrupted_fold_ends_the_others():
    X, y = load_breast_cancer(return_X_y=True)
    labels, calls = Labels.of(y, None, None, None), []

    def score(weights, X, labels):
        calls.append(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross_validate(
            X,
            labels,
            stratified_folds(y, 50, 0),
            Cs=3,
            l1_ratios=[0.0],
            settings=Settings(n_jobs=2),
            score=score,
        )
    assert len(calls) < 50


def test_rows_without_a_weight_are_dealt_out_after_those_that_count():
    codes, weight = np.repeat([0, 1], [40, 10]), np.ones(50)
    weight[42:48] = 0
    for seed in range(20):
        for fit, kept in stratified_folds(codes, 4, seed, weight):
            assert ((codes == 1) & (weight > 0))[kept].sum() == 1
            assert len(fit) + len(kept) == 50


def test_an_index_of_a_fold_that_no_row_has_is_named():
    X, y = load_breast_cancer(return_X_y=True)
    labels = Labels.of(y, None, None, None)
    folds = [(np.arange(500), np.arange(500, 570))]
    with pytest.raises(ValueError, match="fold 1 of 1 has row 569, but there are 569, from 0 on"):
        cross_validate(X, labels, folds, Cs=2, l1_ratios=[0.0], settings=Settings())
