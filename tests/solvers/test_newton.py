"""Newton's method of many columns: a Hessian remembered from steps, and a gap that leaves nothing out."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits

from onelayer.fits.training import train
from onelayer.objective.layer import Objective
from onelayer.objective.product import Product
from onelayer.solvers.second_look import SecondLook


def equally_correlated(n=8_000, d=600, seed=4):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + rng.standard_normal((n, 1))
    w = 2 * rng.standard_normal(d) / np.sqrt(d)
    return X, X @ w + rng.logistic(size=n) > 0.5


@pytest.mark.parametrize("seed", [1, 4])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e4])
def test_a_remembered_hessian_takes_a_sweep_a_step(C, seed, monkeypatch):
    """With conjugate gradients in every step, 18 products and 6 evaluations; without what is steep, up to 30 in all."""
    X, y = equally_correlated(seed=seed)
    asked = []
    for owner, name in ((Objective, "evaluate"), (Product, "__call__")):
        original = getattr(owner, name)

        def counted(self, *args, _original=original, **kwargs):
            asked.append(kwargs)
            return _original(self, *args, **kwargs)

        monkeypatch.setattr(owner, name, counted)
    fit = train(X, y, C=C)
    assert fit.converged
    assert len(asked) <= 17
    monkeypatch.undo()
    best = train(X, y, C=C, tol=1e-11).history[-1].cost
    assert (fit.history[-1].cost - best) / best <= min(1e-6, 2 * fit.optimality_gap)


@pytest.mark.parametrize("max_iter", range(9))
def test_steps_of_every_kind_count_as_iterations(max_iter):
    fit = train(*equally_correlated(), tol=0, max_iter=max_iter)
    assert fit.n_iter == max_iter
    assert not fit.converged
    assert "raise max_iter" in fit.warnings[0]


def test_what_is_common_to_all_classes_costs_no_products(monkeypatch):
    """A sum of the classes' weights bends by the penalty alone: their own blocks took 33 products for it."""
    X, y = load_digits(return_X_y=True)
    X /= 16
    counts = []
    multiply = Product.__call__
    monkeypatch.setattr(Product, "__call__", lambda self, v: (counts.append(1), multiply(self, v))[1])
    fit = train(X, y)
    assert fit.converged
    assert len(counts) <= 24
    shifted = train(X, y, initial=[fit.weights + np.arange(65.0)])  # all of them common to all classes
    assert shifted.converged
    np.testing.assert_allclose(shifted.weights.sum(axis=0)[:-1], 0, atol=1e-6)


@pytest.mark.parametrize(("n", "d", "spanned"), [(60, 3_000, True), (300, 500, False), (40, 200, True)])
def test_rows_are_diagonalised_only_where_they_are_few_beside_the_columns(n, d, spanned, monkeypatch):
    """3,000 x 4,000 took ten seconds for its rows by rows, and a twentieth with products."""
    X, y = equally_correlated(n, d)
    asked = []
    original = Objective.in_row_space
    monkeypatch.setattr(Objective, "in_row_space", lambda self, **how: (asked.append(1), original(self, **how))[1])
    fit = train(X, y)
    assert fit.converged
    assert len(asked) == spanned
    best = train(X, y, tol=1e-11).history[-1].cost
    assert (fit.history[-1].cost - best) / best <= min(1e-6, 2 * fit.optimality_gap)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_space_of_the_rows_is_the_way_out_of_vain_products(classes, monkeypatch):
    """Means far from nought without a bias: three classes of 241 x 1,656 took 8,800 products and ten seconds."""
    rng = np.random.default_rng(5)
    Z = rng.standard_normal((240, 1_200))
    y = (Z @ rng.standard_normal((1_200, classes)) / 35 + rng.gumbel(size=(240, classes))).argmax(axis=1)
    X = Z + 100 * rng.standard_normal(1_200)
    asked, products = [], []
    span, multiply = Objective.in_row_space, Product.__call__
    monkeypatch.setattr(Objective, "in_row_space", lambda self, **how: (asked.append(1), span(self, **how))[1])
    monkeypatch.setattr(Product, "__call__", lambda self, v: (products.append(v.size), multiply(self, v))[1])
    fit = train(X, y, fit_intercept=False)
    assert fit.converged
    assert len(asked) == 1
    assert sum(size >= 1_200 for size in products) <= 210
    monkeypatch.undo()
    for most in range(9):
        assert train(X, y, fit_intercept=False, tol=0, max_iter=most).n_iter <= most
    best = train(X, y, fit_intercept=False, tol=1e-9).history[-1].cost
    assert (fit.history[-1].cost - best) / best <= min(1e-6, 2 * fit.optimality_gap)


def exact_cost(weights, X, y, C):
    """The penalised loss without a bias, in longer numbers."""
    W, X = weights[:, :-1].astype(np.longdouble), X.astype(np.longdouble)
    z = X @ W.T
    z = np.hstack([0 * z, z]) if len(W) == 1 else z
    return float((W**2).sum() / 2 + C * (np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y]).sum())


@pytest.mark.parametrize(
    ("seed", "classes", "n", "d", "means"),
    [(0, 2, 30, 50, 1e8), (4, 3, 30, 50, 1e8), (7, 3, 8, 12, 1e8), (1, 2, 38, 48, 1e7)],
)
def test_what_means_that_nobody_takes_off_hide_is_asked_of_the_rows(seed, classes, n, d, means):
    """Without a bias, the rows' or columns' products with one another said converged, up to 90 % above the optimum."""
    rng = np.random.default_rng(seed)
    X, scales = rng.standard_normal((n, d)), np.ones(d)
    if d == 48:  # and in units so different that the span of the rows has no digits either
        X, scales = X + means * rng.standard_normal(d) * (rng.random(d) < 0.5), 10 ** rng.uniform(-6, 6, d)
    else:
        X += means * (np.arange(d) % 3 == 0)
    X, y, C = X * scales, np.r_[np.arange(classes), rng.integers(0, classes, n - classes)], 1e4
    fit = train(X, y, C=C, fit_intercept=False, tol=1e-8)
    ends = [train(X, y, C=other, fit_intercept=False, tol=1e-8).weights for other in (10 * C, C / 10)]
    others = [train(X, y, C=C, fit_intercept=False, tol=1e-8, initial=[end]).weights for end in ends]
    best = min(exact_cost(weights, X, y, C) for weights in (fit.weights, *others))
    assert fit.converged
    assert exact_cost(fit.weights, X, y, C) - best <= 3e-8 * best


def test_a_hessian_that_preconditions_badly_is_taken_anew(monkeypatch):
    """Heavy tails: 3,374 products where Hessians were kept until the cost halved, and 366 since."""
    rng = np.random.default_rng(2)
    X = rng.standard_t(3, (500, 520)) ** 3
    y = X / np.sqrt((X**2).mean(axis=0)) @ rng.standard_normal(520) + rng.logistic(size=500) > 0
    products, multiply = [], Product.__call__
    monkeypatch.setattr(Product, "__call__", lambda self, v: (products.append(1), multiply(self, v))[1])
    assert train(X, y, C=500.0).converged
    assert len(products) <= 1_000


@pytest.mark.parametrize("storage", ["sparse", "dense", "doubled"])
@pytest.mark.parametrize("C", [1.0, 33.0, 1e4])
def test_directions_that_no_row_sees_are_not_left_out_of_the_gap(storage, C):
    """All levels of a category and the bias: penalties alone bend there. The gap was 3e-5, and 4e-7 was said."""
    rng = np.random.default_rng(0)
    n, levels = 3_000, 20
    X = sp.hstack(
        [sp.csr_matrix((np.ones(n), (np.arange(n), np.minimum(rng.zipf(1.5, n) - 1, levels - 1)))) for _ in range(8)]
    ).tocsr()
    if storage != "sparse":
        X = X.toarray()
    if storage == "doubled":
        X = np.hstack([X, 3 * X])
    z = X @ rng.standard_normal(X.shape[1])
    y = z - np.median(z) + rng.logistic(size=n) > 0
    fit = train(X, y, C=C)
    assert fit.converged
    best = train(X, y, C=C, tol=1e-12, max_iter=1000).history[-1].cost
    assert (fit.history[-1].cost - best) / best <= min(1e-6, 2 * fit.optimality_gap)


@pytest.mark.parametrize(
    ("seed", "tol"), [(251, 1e-2), (272, 1e-2), (503, 1e-2), (516, 1e-2), (588, 1e-2), (232, 1e-4), (782, 1e-4)]
)
def test_rows_whose_optimum_is_far_off_are_not_left_out_of_the_gap(seed, tol):
    """Where all others have theirs, steps shrink slowly: half a decrement was 5 to 130 times too little."""
    rng = np.random.default_rng(seed)
    n, d, classes = int(rng.choice([20, 100, 300, 3000])), int(rng.choice([2, 5, 12, 40])), int(rng.choice([2, 2, 3]))
    X = rng.normal(size=(n, d))
    X = np.cumsum(X, axis=1) if rng.random() < 0.5 else X
    X = X**3 if rng.random() < 0.2 else X
    level = np.quantile(X[:, 0], rng.choice([0.5, 0.9, 0.97]))
    y = (X[:, 0] + rng.normal(size=n) * rng.choice([0.1, 1]) > level) * 1 + (classes == 3) * (X[:, 1] > 0)
    y[:classes] = range(classes)
    weight = np.exp(rng.normal(size=n) * rng.choice([0, 0, 3, 6]))
    settings = {"C": 10.0 ** rng.integers(-2, 6), "fit_intercept": bool(rng.random() < 0.5), "sample_weight": weight}
    settings["max_iter"] = 1000  # 92 to 107 for the first, as products are rounded
    fit, best = train(X, y, tol=tol, **settings), train(X, y, tol=1e-11, **settings).history[-1].cost
    assert fit.converged
    assert (fit.history[-1].cost - best) / fit.history[-1].cost <= 1.5 * fit.optimality_gap


@pytest.mark.parametrize(("d", "scale"), [(2, 8), (2, 1), (30, 2)])
def test_many_rows_are_swept_twice(d, scale):
    """Where a sample has its optimum, and after a step that the sample bends: its Hessian alone left too much."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400_000, d))
    y = scale * X[:, 0] - scale * X[:, 1] + rng.logistic(size=len(X)) > 0
    fit = train(X, y)
    assert fit.converged
    assert [point.rows for point in fit.history].count(len(X)) == 2


@pytest.fixture
def formed(monkeypatch):
    """Of how many rows each Hessian was formed."""
    rows, hessian = [], Objective.hessian
    monkeypatch.setattr(
        Objective, "hessian", lambda self, *args, **kept: (rows.append(self.rows.n), hessian(self, *args, **kept))[1]
    )
    return rows


def test_of_a_sample_the_hessian_of_the_one_before_serves(formed):
    """It is the largest sample's that takes longest to form; a step more of it takes a third of that."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400_000, 50))
    y = X[:, 0] - X[:, 1] + rng.logistic(size=len(X)) > 0
    fit = train(X, y)
    rows = sorted({point.rows for point in fit.history})
    assert fit.converged
    assert max(formed) == rows[-3]


def several(n, d, k, rare, seed=1):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    z = X @ rng.standard_normal((d, k)) + np.array([0] * (k - 1) + [-rare])
    return X, (z + rng.gumbel(size=z.shape)).argmax(axis=1)


@pytest.mark.parametrize(("n", "d", "k", "rare"), [(400_000, 20, 4, 8), (400_000, 20, 4, 12), (300_000, 50, 6, 8)])
def test_a_rare_class_among_several_asks_for_no_hessian_of_all_rows(n, d, k, rare, formed):
    """Rows of it that a sample has at least made that a little too large for its own: five times as long a fit."""
    fit = train(*several(n, d, k, rare))
    assert fit.converged
    assert max(formed) < n


def test_where_few_rows_still_see_a_gap_a_samples_hessian_leads_on_for_a_step(formed, monkeypatch):
    X, y = several(400_000, 20, 4, 0)
    sweeps = [point.rows for point in train(X, y).history].count(len(X))
    seen = [1.0, 0.0]
    monkeypatch.setattr(SecondLook, "gap", lambda self, point: seen.pop(0))
    fit = train(X, y)
    assert fit.converged
    assert not seen
    assert [point.rows for point in fit.history].count(len(X)) == sweeps + 1
    assert max(formed) < len(X)


@pytest.mark.parametrize("C", [1.0, 10.0])
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_gap_that_can_soon_be_proved_is_not_estimated(seed, C, monkeypatch):
    """Where penalties bend a good part of what rows do: estimates took 27 to 42 products, a second look among them."""
    rng, asked, multiply = np.random.default_rng(seed), [], Product.__call__
    n, d, length = 20_000, 20_000, 12
    words = (rng.zipf(1.3, size=(n, length)) - 1) % d
    X = sp.csr_matrix((np.full(n * length, length**-0.5), words.ravel(), np.arange(n + 1) * length), shape=(n, d))
    X.sum_duplicates()
    y = X @ (4 * rng.standard_normal(d)) + rng.logistic(size=n) > 0
    monkeypatch.setattr(Product, "__call__", lambda self, v: (asked.append(1), multiply(self, v))[1])
    fit = train(X, y, C=C)
    assert (fit.converged, fit.gap_kind) == (True, "bound")
    assert len(asked) <= 25


@pytest.mark.parametrize(("d", "classes"), [(60, 2), (100, 3)])
def test_a_sample_that_a_plane_parts_does_not_lead_astray(d, classes):
    """Without a penalty its weights ran off, and all rows started where they are sure and some wrong: cost 7.95."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, d))
    z = X @ rng.standard_normal((d, classes)) * 6
    y = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
    fit = train(X, y, C=np.inf)
    assert fit.converged
    best = train(X, y, C=np.inf, solver="lbfgs", tol=1e-8, max_iter=2000).history[-1].cost
    assert fit.history[-1].cost <= best * (1 + 1e-6)


@pytest.mark.parametrize("n", [300, 50_000])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("intercept", [True, False])
def test_what_a_hessian_cannot_tell_apart_its_rows_do(n, C, intercept):
    """A start and an end in milliseconds: their difference is 1e-8 of either, and its square is rounding."""
    rng = np.random.default_rng(1)
    start, took = 1e9 * rng.random(n), rng.exponential(10, n)
    y = took + 2 * rng.logistic(size=n) > 8 * intercept
    X = np.column_stack([start, start + took])
    fit = train(X, y, C=C, fit_intercept=intercept)
    apart = train(np.column_stack([start / 1e9, X[:, 1] - X[:, 0]]), y, C=np.inf, tol=1e-10, fit_intercept=intercept)
    assert fit.converged
    assert not fit.notices
    assert fit.history[-1].cost == pytest.approx(apart.history[-1].cost, rel=1e-2 if C == 1 else 1e-6)


def test_some_hundred_weights_of_many_classes_are_not_left_to_products(monkeypatch):
    """12 classes of 60 columns that nearly come twice, rows of very different weight: 36,000 products, and 71 since."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 60))
    X[:, 30:] = X[:, :30] + 1e-4 * X[:, 30:]
    y = rng.integers(0, 12, 600)
    products, multiply = [], Product.__call__
    monkeypatch.setattr(Product, "__call__", lambda self, v: (products.append(1), multiply(self, v))[1])
    fit = train(X, y, C=1e5, sample_weight=10 ** rng.uniform(-3, 3, 600))
    assert fit.converged
    assert len(products) <= 300


@pytest.mark.parametrize("offset", [1e4, 1e6, 1e9])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.filterwarnings("error")
def test_what_rounding_left_of_a_column_is_not_learnt_from(offset, classes):
    """A column and the same plus an offset: weights of 1e10 fitted their difference, and predicted worse than ln 2."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(60), rng.integers(0, classes, 60)
    alone = train(x[:, None], y, C=np.inf)
    fit = train(np.column_stack([x, x + offset]), y, C=np.inf)
    assert fit.converged
    assert "columns are collinear, rank 2 of 3" in fit.notices[0]
    assert np.abs(fit.weights[:, :-1]).max() < 1
    assert fit.history[-1].cost == pytest.approx(alone.history[-1].cost, rel=1e-6)
    slopes = fit.weights[:, :2].sum(axis=1)  # of what both are
    np.testing.assert_allclose(slopes, alone.weights[:, 0], rtol=1e-3, atol=1e-3)


def test_seconds_since_a_start_and_since_1970_are_one_column():
    rng = np.random.default_rng(0)
    t = 3600 * rng.random(200)
    y = t / 1000 + rng.standard_normal(200)
    for C in (1.0, 1e12, np.inf):
        both = train(np.column_stack([t, 1.7e9 + t]), y, C=C, task="regression")
        alone = train(t[:, None], y, C=C, task="regression")
        assert both.history[-1].cost == pytest.approx(alone.history[-1].cost, rel=1e-5)


def test_whole_numbers_far_from_nought_are_told_apart():
    """Milliseconds are exact: one more or less of some 1.7e12 is a column's own."""
    rng = np.random.default_rng(0)
    begun = 1.7e12 + rng.integers(0, 10**10, 300)
    lasted = rng.integers(0, 2_000, 300)
    y = lasted + 300 * rng.standard_normal(300) > 1_000
    both = train(np.column_stack([begun, begun + lasted]), y, C=np.inf)
    told = train(np.column_stack([begun, lasted]), y, C=np.inf)
    assert both.history[-1].cost == pytest.approx(told.history[-1].cost, rel=1e-4)


def test_cells_of_single_precision_are_the_numbers_that_they_are():
    """Far from nought they are coarse, but weights multiply them in doubles: nothing that tells rows apart is noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 4)) * [1, 1, 2, 100] + [0, 0, -3e6, -1.4e7]
    X[:, 1] = X[:, 2] + 1e-2 * X[:, 1]
    X = X.astype(np.float32)
    y = (X[:, 2] + 3e6) / 2 + X[:, 0] + rng.logistic(size=600) > 0
    weight = 10 ** rng.uniform(-4, 4, 600)
    single, double = (train(Z, y, sample_weight=weight, tol=1e-8) for Z in (X, X.astype(np.float64)))
    assert single.history[-1].cost == pytest.approx(double.history[-1].cost, rel=1e-7)
    apart = train(X.astype(np.float64) - X[0].astype(np.float64), y, sample_weight=weight, tol=1e-8)
    assert double.history[-1].cost == pytest.approx(apart.history[-1].cost, rel=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_of_a_rare_class_no_hessian_of_all_rows_is_taken(seed, formed):
    """Rows by chance hold few of it, and steps with what they bend by ended with a Hessian of all, or several."""
    rng = np.random.default_rng(seed)
    n, d = 200_000, 30
    X = rng.standard_normal((n, d))
    y = X @ rng.standard_normal(d) * (2 / np.sqrt(d)) - 8 + rng.logistic(size=n) > 0
    assert y.mean() < 1e-2
    fit = train(X, y)
    assert fit.converged
    assert n not in formed
    best = train(X, y, tol=1e-11).history[-1].cost
    assert (fit.history[-1].cost - best) / best <= min(1e-6, 2 * fit.optimality_gap)


@pytest.mark.parametrize("apart", [1e-4, 1e-3, 1e-2])
def test_of_a_rare_class_columns_nearly_alike_hide_nothing(apart):
    rng = np.random.default_rng(1)
    n = 150_000
    X = rng.standard_normal((n, 20))
    other = rng.standard_normal(n)
    X[:, 1] = X[:, 0] + apart * other
    y = X[:, 2] + 2 * other - 9 + rng.logistic(size=n) > 0
    fit, best = (train(X, y, C=1e6, tol=tol) for tol in (1e-6, 1e-11))
    costs = [found.history[-1].cost for found in (fit, best)]
    assert fit.converged
    assert (costs[0] - costs[1]) / costs[1] <= min(1e-6, 2 * fit.optimality_gap)


def tailed(n, d, seed):
    """Half of the columns as amounts of money are: few rows hold most of their squares."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = X[:, 0] + rng.standard_normal(n) > 0
    X[:, d // 2 :] = np.exp(2 * X[:, d // 2 :])
    return X, y


def dummied(n, d, seed):
    """Most columns are of rare levels."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    X[:, 5:] = rng.random((n, d - 5)) < 10 ** rng.uniform(-4, -1, d - 5)
    return X, X[:, 0] + 0.3 * X[:, 5:].sum(axis=1) + rng.logistic(size=n) > 0


@pytest.mark.parametrize("drawn", [tailed, dummied])
@pytest.mark.parametrize("seed", [1, 2])
def test_rows_that_chance_does_not_meet_are_looked_for_before_all_are_taken(drawn, seed, formed):
    """A Hessian of all rows took the most of the time."""
    n = 300_000
    X, y = drawn(n, 20, seed)
    fit = train(X, y)
    assert fit.converged
    assert n not in formed
    best = train(X, y, tol=1e-11).history[-1].cost
    assert (fit.history[-1].cost - best) / best <= min(1e-6, 2 * fit.optimality_gap)


def test_far_from_the_optimum_no_rows_are_chosen(monkeypatch):
    """Of 4,500 rows with rare levels and a weak penalty: a hundred steps with what they bend by ended nowhere."""
    X, y = dummied(36_000, 53, 5)
    asked, choose = [], Objective.surprising
    monkeypatch.setattr(Objective, "surprising", lambda self, *at: (asked.append(at), choose(self, *at))[1])
    fit = train(X, y, C=900.0)
    assert fit.converged
    assert fit.n_iter < 40
    assert len(asked) <= 4
