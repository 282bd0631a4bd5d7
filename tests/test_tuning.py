"""C chosen by cross-validation: scikit-learn's checks, its folds and scores, and its choice."""

import pickle
import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from onelayer import PerceptronClassifier, PerceptronClassifierCV, plots


@parametrize_with_checks([PerceptronClassifierCV(Cs=4, cv=3)])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def data(classes):
    X, y = load_breast_cancer(return_X_y=True) if classes == 2 else load_iris(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy"])
@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_choice_and_scores_are_scikit_learns(classes, class_weight, scoring, storage):
    X, y = data(classes)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    folds = list(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))
    # up to 100: beyond, a row is so surely wrong that scikit-learn's log loss clips its probability
    settings = {"Cs": np.logspace(-3, 2, 6), "cv": folds, "class_weight": class_weight}
    theirs = LogisticRegressionCV(
        **settings,
        l1_ratios=(0.0,),
        scoring=scoring,
        solver="newton-cholesky",
        tol=1e-10,
        max_iter=1000,
        use_legacy_attributes=False,
    ).fit(X, y, weight)
    own = None if scoring == "neg_log_loss" else scoring
    ours = PerceptronClassifierCV(**settings, scoring=own, tol=1e-13).fit(storage(X), y, weight)
    assert ours.C_ == theirs.C_
    assert ours.l1_ratio_ == theirs.l1_ratio_ == 0
    np.testing.assert_allclose(ours.scores_, theirs.scores_, rtol=1e-5)
    assert ours.coefs_paths_.shape == theirs.coefs_paths_.shape
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    np.testing.assert_allclose(ours.predict_proba(storage(X)), theirs.predict_proba(X), atol=1e-5)


def test_an_l1_share_is_chosen_too():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 60))
    y = 2 * X[:, 0] - 2 * X[:, 1] + rng.logistic(size=300) > 0
    model = PerceptronClassifierCV(Cs=np.geomspace(0.01, 1, 5), l1_ratios=[0.0, 0.5, 1.0]).fit(X, y)
    assert model.scores_.shape == (5, 3, 5)
    means = model.scores_.mean(axis=0)
    assert model.l1_ratio_ == 1.0  # two columns of sixty matter
    assert means.max() == means[2, np.flatnonzero(model.Cs_ == model.C_)[0]]
    assert np.count_nonzero(model.coef_) < 30


def test_all_rows_are_fitted_with_the_choice():
    X, y = data(2)
    model = PerceptronClassifierCV(Cs=5).fit(X, y)
    alone = PerceptronClassifier(C=model.C_).fit(X, y)
    np.testing.assert_array_equal(model.decision_function(X), alone.decision_function(X))
    assert model.optimality_gap_ <= 1e-6
    assert model.converged_
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_without_refit_the_weights_are_the_mean_of_the_folds():
    X, y = data(2)
    model = PerceptronClassifierCV(Cs=[0.1, 1.0], refit=False).fit(X, y)
    j = model.Cs_.tolist().index(model.C_)
    np.testing.assert_array_equal(model.coef_, model.coefs_paths_[:, 0, j, :, :-1].mean(axis=0))
    np.testing.assert_array_equal(model.intercept_, model.coefs_paths_[:, 0, j, :, -1].mean(axis=0))


def test_results_are_the_same_for_any_number_of_threads():
    X, y = data(3)
    Cs = [0.01, 0.1, 1.0]
    models = [PerceptronClassifierCV(Cs=Cs, l1_ratios=[0.0, 1.0], n_jobs=jobs).fit(X, y) for jobs in (1, 2, 7)]
    for model in models[1:]:
        assert np.array_equal(model.coefs_paths_, models[0].coefs_paths_)
        assert np.array_equal(model.coef_, models[0].coef_)


def test_a_row_twice_is_weight_two_in_folds_that_keep_them_together():
    X, y = data(2)
    X, y = X[:200], y[:200]
    weight, of_fold = 1 + np.arange(200) % 2, np.arange(200) // 2 % 4
    twice = np.repeat(np.arange(200), weight)
    folds = [(np.flatnonzero(of_fold != k), np.flatnonzero(of_fold == k)) for k in range(4)]
    repeated = [(np.flatnonzero(of_fold[twice] != k), np.flatnonzero(of_fold[twice] == k)) for k in range(4)]
    weighted = PerceptronClassifierCV(Cs=4, cv=folds).fit(X, y, weight)
    counted = PerceptronClassifierCV(Cs=4, cv=repeated).fit(X[twice], y[twice])
    assert weighted.C_ == counted.C_
    np.testing.assert_allclose(weighted.scores_, counted.scores_, rtol=2e-3)


def test_a_fold_without_a_class_is_named():
    X, y = data(3)
    names = np.array(["red", "green", "blue"])[y]
    with pytest.raises(ValueError, match="fold 1 of 3 has no row of class 'red' with a weight above 0 to fit"):
        PerceptronClassifierCV(cv=KFold(3)).fit(X, names)  # a file sorted by label
    rows = np.arange(150)
    with pytest.raises(ValueError, match="fold 2 of 2 keeps no row with a weight to score on: use fewer folds"):
        PerceptronClassifierCV(cv=[(rows, rows), (rows, rows[:0])]).fit(X, y)


def test_a_choice_at_the_end_of_what_was_tried_is_noticed():
    X, y = data(2)
    model = PerceptronClassifierCV(Cs=[1e-4, 1e-3]).fit(X, y)
    assert model.notices_[-1] == "the chosen C=0.001 is the largest one tried: larger ones may serve better"
    alike = PerceptronClassifierCV(Cs=3).fit(np.ones((len(y), 1)), y)
    assert not any("may serve better" in notice for notice in alike.notices_)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"l1_ratios": [2.0]}, "l1_ratios must hold numbers in"),
        ({"l1_ratios": []}, "l1_ratios must hold numbers in"),
        ({"l1_ratios": ["a"]}, "l1_ratios must hold numbers in"),
        ({"cv": []}, "cv gives no folds"),
        ({"cv": [1, 2]}, "cv=.* gives no folds, pairs of rows"),
        ({"cv": GroupKFold(3)}, r"; pass cv=list\(splitter.split\(X, y, groups\)\)"),
        ({"cv": [(1, 2)]}, r"fold 1 of 1 has array\(1\) for rows: pass their numbers"),
        ({"cv": [(np.arange(40.0), np.arange(40, 60))]}, "fold 1 of 1 has array.*for rows: pass their numbers"),
        ({"cv": [(np.ones(59, dtype=bool), [1])]}, "True or False for each of 569"),
        ({"scoring": accuracy_score}, "looks like it is a metric function"),
        ({"scoring": "nonsense"}, "'nonsense' is not a valid scoring"),
        ({"Cs": [0.0]}, "Cs must hold positive finite numbers"),
        ({"tol": -1.0}, "tol must be 0 or more"),
    ],
)
def test_settings_are_refused_in_words(settings, message):
    X, y = data(2)
    with pytest.raises(ValueError, match=message):
        PerceptronClassifierCV(**settings).fit(X, y)


def test_the_path_can_be_drawn():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    X, y = data(2)
    model = PerceptronClassifierCV(Cs=[0.03, 0.1, 0.3], l1_ratios=[1.0]).fit(X, y)
    values = model.coefs_paths_.mean(axis=0)[0, :, 0, :-1]
    ax = plots.regularisation_path(model.Cs_, values, [f"x{j}" for j in range(30)], chosen=model.C_)
    assert f"in use: C = {model.C_:g}" in [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("refit", [True, False])
def test_columns_are_known_by_their_names(refit):
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = PerceptronClassifierCV(Cs=2, refit=refit).fit(X, y)
    plain = PerceptronClassifierCV(Cs=2, refit=refit).fit(X.to_numpy(), y.to_numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(model.predict_proba(X), plain.predict_proba(X.to_numpy()))
        with pytest.raises(ValueError, match="same order"):
            model.predict_proba(X[X.columns[::-1]])
    with pytest.warns(UserWarning, match="columns not used: other"):
        np.testing.assert_array_equal(model.predict(X.assign(other=1.0)), model.predict(X))


def test_what_was_proved_of_other_weights_is_not_kept():
    X, y = load_iris(return_X_y=True)
    model = PerceptronClassifierCV(Cs=2).fit(X, y)
    assert model.converged_
    model.set_params(refit=False).fit(X, y)
    assert not hasattr(model, "converged_")
    assert not hasattr(model, "optimality_gap_")


def test_equal_values_of_c_are_fitted_alike_and_randomness_may_be_scikit_learns():
    X, y = load_iris(return_X_y=True)
    model = PerceptronClassifierCV(Cs=[0.1, 1, 1, 10], random_state=np.random.RandomState(0)).fit(X, y)
    np.testing.assert_allclose(model.scores_[..., 1], model.scores_[..., 2], atol=1e-6)


def test_what_has_no_score_is_not_chosen_and_is_said():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X[:, 0] + rng.normal(size=60) > 0

    def score(model, X, y):
        return np.nan if model.coef_[0, 0] < 0.3 else 1.0

    model = PerceptronClassifierCV(Cs=[1e-3, 0.1, 10], scoring=score).fit(X, y)
    assert model.C_ == 0.1
    assert model.notices_[0].startswith("5 of 15 scores are not a number, the first in fold 1 at C=0.001")
    with pytest.raises(ValueError, match="not a number in some fold for every C"):
        PerceptronClassifierCV(Cs=[1e-3, 0.1], scoring=lambda model, X, y: np.nan).fit(X, y)


def test_scores_of_others_are_not_asked_on_threads():
    """They set the process's filters of warnings, and folds side by side left them so for good."""
    X, y = load_breast_cancer(return_X_y=True)
    asked = set()

    def score(model, X, y):
        asked.add(threading.current_thread())
        return model.score(X, y)

    PerceptronClassifierCV(Cs=3, scoring=score, n_jobs=2).fit(X, y)
    assert asked == {threading.current_thread()}


def test_a_fit_that_is_refused_changes_nothing_and_settings_are_looked_at_first(monkeypatch):
    X, y = load_breast_cancer(return_X_y=True)
    model = PerceptronClassifierCV(Cs=[0.1, 1.0], cv=2).fit(X, y)
    before = dict(vars(model))
    monkeypatch.setattr("onelayer.tuning.cross_validate", lambda *_, **__: pytest.fail("all the work was done"))
    with pytest.raises(ValueError, match="threshold must be a probability"):
        model.set_params(threshold=2).fit(X[:, :3], y)
    assert vars(model) == {**before, "threshold": 2}
    with pytest.raises(NotFittedError):
        check_is_fitted(PerceptronClassifierCV())
