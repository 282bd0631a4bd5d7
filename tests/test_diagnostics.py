"""What is noticed: columns that part the classes are named, collinear ones counted, noise is left in peace."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from onelayer import PerceptronClassifier
from onelayer.diagnostics import Separating, separating
from onelayer.training import train

RNG = np.random.default_rng(0)
X = RNG.standard_normal((500, 4))
Y = (X[:, 0] + RNG.logistic(size=500) > 0).astype(int)
DUMMY = np.where((RNG.random(500) < 0.1) & (Y == 1), 1.0, 0.0)


def with_column(column):
    return np.column_stack([X[:, :3], column])


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_dummy_of_one_class_is_found(storage, classes):
    y = Y if classes == 2 else np.where(Y == 0, RNG.integers(0, 2, 500) * 2, 1)
    found = separating(storage(with_column(DUMMY)), y, by_chance=False)
    assert found == [Separating(3, 1, int(DUMMY.sum()))]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_that_parts_the_classes_is_found_in_either_direction(sign):
    found = separating(with_column(sign * (Y * 10 + X[:, 3])), Y, by_chance=False)
    assert {(f.column, f.code, f.rows) for f in found} == {(3, 0, (Y == 0).sum()), (3, 1, (Y == 1).sum())}


def test_few_rows_may_be_apart_by_chance():
    rare = np.zeros(500)
    rare[np.flatnonzero(Y)[:3]] = 1
    assert separating(with_column(rare), Y, by_chance=False) == []
    assert separating(with_column(rare), Y, by_chance=True) == [Separating(3, 1, 3)]


def test_on_many_rows_a_suspect_is_asked_for_all_of_them():
    n = 30_000
    y = RNG.integers(0, 2, n)
    pure = np.where(RNG.random(n) < 0.5, y, 0).astype(float)
    nearly = pure.copy()
    nearly[np.flatnonzero(y == 0)[:1]] = 1
    assert separating(np.column_stack([nearly, pure]), y, by_chance=False) == [Separating(1, 1, int(pure.sum()))]


def test_the_notice_names_the_column_and_the_class():
    fit = train(with_column(DUMMY), Y, names=["a", "b", "c", "leak"], class_names=["no", "yes"])
    assert fit.converged
    assert fit.warnings == ()
    assert f"column 'leak' alone sets {int(DUMMY.sum())} rows of class 'yes' apart:" in fit.notices[0]
    assert train(X, Y).notices == ()


def test_without_a_penalty_a_dummy_of_one_class_has_no_finite_optimum():
    with pytest.warns(ConvergenceWarning, match="column 3 alone sets .* so without a penalty no finite optimum exists"):
        model = PerceptronClassifier(C=np.inf).fit(with_column(DUMMY), Y)
    assert not model.converged_


def test_more_columns_than_rows_are_separable_without_a_penalty():
    wide = RNG.standard_normal((20, 300))
    y = np.arange(20) % 2
    with pytest.warns(ConvergenceWarning, match="classes are separable"):
        model = PerceptronClassifier(C=np.inf).fit(wide, y)
    assert model.score(wide, y) == 1


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
def test_collinear_columns_get_the_shortest_weights_and_a_notice_with_the_rank(storage):
    twice = storage(np.column_stack([X, X[:, 1]]))
    fit = train(twice, Y, C=np.inf)
    once = train(storage(X), Y, C=np.inf)
    assert fit.converged
    assert fit.notices == (
        "columns are collinear, rank 5 of 6 with the bias: of all weights that fit alike, the shortest in scaled "
        "columns are given",
    )
    assert once.notices == ()
    assert fit.history[-1].cost == pytest.approx(once.history[-1].cost, rel=1e-12)
    np.testing.assert_allclose(fit.weights[:, [1, 4]], np.repeat(once.weights[:, [1]] / 2, 2, axis=1), rtol=1e-6)


def test_a_constant_column_has_weight_nought_and_is_named():
    fit = train(with_column(np.full(500, 3.0)), Y, names=list("abcd"))
    assert fit.weights[0, 3] == 0
    assert fit.notices == ("1 constant columns, first column 'd': weight 0",)
