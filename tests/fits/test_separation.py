"""Columns that part the classes are named, alone or together; noise is left in peace."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning

from onelayer import PerceptronClassifier
from onelayer.fits import separation
from onelayer.fits.separation import Separating, separating
from onelayer.fits.training import train
from onelayer.objective.layer import Objective

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


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("classes", [2, 5])
def test_sparse_columns_of_one_class_are_those_that_a_count_by_hand_finds(classes, jobs):
    rng = np.random.default_rng(classes)
    n, d = 40_000, 300
    codes = rng.integers(0, classes, n)
    cells = sp.random(n, d, density=0.02, format="csr", random_state=1)
    own = np.arange(d) < 60  # columns of one class only, but every third has a negative entry or a stored 0
    dense = cells.toarray() * np.where(own & (np.arange(d) % classes != codes[:, None]), 0, 1)
    dense[[0, 1], [0, 3]] = -1.0
    X = sp.csr_matrix(dense)
    X.data[X.indices == 6] = 0
    found = {f.column: (f.code, f.rows) for f in separating(X, codes, by_chance=True, jobs=jobs)}
    dense = X.toarray()
    expected = {}
    for j in range(d):
        present = np.unique(codes[dense[:, j] != 0])
        if len(present) == 1 and dense[:, j].min() >= 0:
            expected[j] = (present[0], np.count_nonzero(dense[:, j]))
    assert found == expected
    assert len(expected) == 57


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


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int64, bool])
def test_a_class_and_a_column_too_rare_for_any_sample_are_found(dtype):
    n = 100_000
    rng = np.random.default_rng(3)
    y = (rng.random(n) < 0.5).astype(np.int8)
    y[rng.choice(n, 6, replace=False)] = 2
    columns = rng.integers(0, 2, (n, 3))
    columns[:, 1] = y == 2
    columns[:, 2] = 0
    columns[rng.choice(np.flatnonzero(y == 0), 8, replace=False), 2] = 1
    assert separating(columns.astype(dtype), y, by_chance=True) == [Separating(2, 0, 8), Separating(1, 2, 6)]


def test_a_rare_dummy_of_one_class_leaves_no_finite_optimum_of_many_rows():
    """Its weight was 7,424 and said to be converged, for no row of a sample had it."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((100_000, 3))
    y = (X[:, 0] + rng.logistic(size=len(X)) > 0).astype(int)
    X[:, 2] = 0
    X[rng.choice(np.flatnonzero(y), 8, replace=False), 2] = 1
    fit = train(X, y, C=np.inf)
    assert not fit.converged
    assert fit.warnings[0].startswith("the classes are separable (column 2 alone sets 8 rows of class 1 apart)")


def touching(classes, rows=600):
    """Rows whose class the sum of the first two columns tells, but where it is 0; a third column of noise."""
    rng = np.random.default_rng(classes)
    X = np.column_stack([rng.integers(-2, 3, (rows, 2)), rng.standard_normal(rows)])
    side = np.sign(X[:, 0] + X[:, 1])
    if classes == 2:
        return X, np.where(side == 0, rng.integers(0, 2, rows), side > 0).astype(int)
    return X, np.where(side > 0, 2, rng.integers(0, 3, rows) * (side == 0) + rng.integers(0, 2, rows) * (side < 0))


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_that_a_direction_parts_but_for_rows_on_its_edge_have_no_finite_optimum(storage, classes):
    X, y = touching(classes)
    fit = train(storage(X), y, C=np.inf, names=["a", "b", "noise"])
    assert not fit.converged
    assert len(fit.warnings) == 1
    words = re.match(r"the classes are separable along column '(.)' and column '(.)', so without", fit.warnings[0])
    assert sorted(words.groups()) == ["a", "b"]


def no_finite_optimum(X, y, k):
    """By a linear programme: whether a direction leads no row towards another class, and some away (Konis, 2007)."""
    Z, own = np.column_stack([X, np.ones(len(X))]), np.eye(k)[y]
    A = np.vstack(
        [np.einsum("ni,nj->nij", own - np.eye(k)[j], Z)[y != j].reshape(-1, k * Z.shape[1]) for j in range(k)]
    )
    found = linprog(-A.sum(axis=0), A_ub=-A, b_ub=np.zeros(len(A)), bounds=[(-1, 1)] * A.shape[1])
    return -found.fun > 1e-7


@pytest.mark.parametrize("classes", [2, 3])
def test_whether_a_finite_optimum_exists_is_what_a_linear_programme_says(classes):
    said, expected = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n, d = int(rng.choice([30, 60, 150])), int(rng.choice([1, 2, 3]))
        X = rng.integers(-2, 3, (n, d)).astype(float) if rng.random() < 0.7 else rng.standard_normal((n, d))
        z = X @ rng.integers(-1, 2, (d, classes)) * rng.choice([1, 5, 50])
        y = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
        if len(np.unique(y)) == classes:
            fit = train(X, y, C=np.inf, tol=10.0 ** -rng.integers(2, 9))
            said.append(any("separable" in words for words in fit.warnings))
            expected.append(no_finite_optimum(X, y, classes))
    assert said == expected
    assert 10 < sum(said) < len(said) - 10


@pytest.mark.parametrize("seed", range(60))
def test_a_finite_optimum_is_not_doubted(seed):
    """Though a row far out is sure, weights are uneven, or a single row stands against all others."""
    rng = np.random.default_rng(seed)
    n, k = 400, 2 + seed % 2
    X = rng.standard_normal((n, 3)) ** (1 + 2 * (seed % 3))
    y = (X[:, :k] + rng.gumbel(size=(n, k)) * 3).argmax(axis=1)
    X[0] = 1e4 * np.sign(X[0])
    if seed % 4 == 0:  # one row against 399
        y = (X[:, 0] > 0).astype(int)
        y[np.argsort(np.abs(X[:, 0]))[n // 2]] ^= 1
        y[:k] = range(k)
    fit = train(X, y, C=np.inf, sample_weight=np.exp(2 * rng.standard_normal(n)), tol=10.0 ** -(2 + seed % 5))
    assert fit.converged
    assert fit.warnings == ()


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


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_rare_levels_are_looked_at_in_rows_that_have_them(layout, monkeypatch):
    """Each row of thirty such columns took half of a fit's time to look at."""
    rng = np.random.default_rng(0)
    n, d = 200_000, 12
    codes = rng.integers(0, 2, n)
    Z = (rng.random((n, d)) < 5e-4).astype(float)
    Z[:, 3] *= codes  # of the second class alone
    Z[:, 7] = -1.0 * ((codes == 0) & (rng.random(n) < 1e-3))
    seen, reach = [], separation._reach
    monkeypatch.setattr(
        separation, "_reach", lambda X, y, k, columns, rows: (seen.append(len(rows)), reach(X, y, k, columns, rows))[1]
    )
    found = separating(layout(Z), codes, by_chance=False)
    assert found == [
        Separating(7, 0, int((Z[:, 7] < 0).sum())),
        Separating(3, 1, int(Z[:, 3].sum())),
    ]
    assert max(seen) < 0.1 * n


@pytest.mark.parametrize("classes", [2, 3])
def test_a_sparse_column_with_a_negative_entry_sets_no_rows_apart_whatever_others_do(classes):
    codes = np.repeat(np.arange(classes), 20)
    X = np.zeros((len(codes), 3))
    X[20:35, 0], X[20:35, 1], X[3, 2] = 1.0, 1.0, -1.0
    X[22, 1] = -1.0
    found = separating(sp.csr_matrix(X), codes, by_chance=True)
    assert [(each.column, each.code, each.rows) for each in found] == [(0, 1, 15)]


@pytest.mark.parametrize("apart", [None, 70, 1_999])
def test_of_wide_rows_every_column_is_looked_at(apart):
    X = np.random.default_rng(0).standard_normal((200, 2_000))
    codes = np.arange(200) % 2
    if apart is not None:
        X[:, apart] = np.where(codes == 1, np.abs(X[:, apart]), -np.abs(X[:, apart]))
    found = separating(X, codes, by_chance=False)
    assert [(each.column, each.code, each.rows) for each in found] == (
        [] if apart is None else [(apart, 0, 100), (apart, 1, 100)]
    )


@pytest.mark.parametrize(
    ("cells", "dtype", "said"),
    [
        ([1, 2, 3, 4], float, False),
        ([-1, -2, 3, 4], float, True),
        ([0, -2, 0, 4], np.int8, True),
        ([1, 2, 3, 4], np.uint8, False),  # where -1 is 255
        ([0, 0, 1, 1], bool, True),
    ],
)
def test_without_a_bias_classes_are_parted_at_nought(cells, dtype, said):
    fit = train(np.array(cells, dtype=dtype)[:, None], [0, 0, 1, 1], C=np.inf, fit_intercept=False)
    assert ("column 0 alone sets" in "".join(fit.notices)) == said
    assert fit.converged != said


@pytest.mark.filterwarnings("error")
def test_a_row_of_noughts_and_no_bias_hide_no_direction_that_parts_classes():
    rng = np.random.default_rng(1)
    X = rng.integers(-2, 3, (60, 5)).astype(float)
    y = X @ [2, -1, 0.5, 1, -3] > 0
    fit = train(np.vstack([X, np.zeros(5)]), np.append(y, False), C=np.inf, fit_intercept=False)
    assert "the classes are separable" in fit.notices[0]


def test_groups_of_classes_that_are_parted_from_one_another_have_no_finite_optimum():
    """Within a group none leaves the others behind."""
    fit = train(np.repeat([1.0, 2, -1, -2], 2)[:, None], [0, 1, 0, 1, 2, 3, 2, 3], C=np.inf)
    assert not fit.converged
    assert "the classes are separable along column 0" in fit.notices[0]


def test_columns_of_one_class_are_found_whatever_codes_sum_to():
    n, codes = 300_001, np.full(300_001, 999)
    codes[:1000] = np.arange(1000)
    column = np.arange(1000, n)
    X = sp.csr_matrix((np.ones(len(column)), (column, np.zeros(len(column), int))), shape=(n, 1))
    assert separating(X, codes, by_chance=True) == [(0, 999, n - 1000)]


def test_no_hessian_of_very_many_weights_is_formed_to_look_for_a_way_out(monkeypatch):
    monkeypatch.setattr(Objective, "hessian", None)
    rng = np.random.default_rng(0)
    found = train(rng.standard_normal((4, 5_000))[[0, 1, 1, 0]], [0, 1, 0, 1], C=np.inf)
    assert found.converged
