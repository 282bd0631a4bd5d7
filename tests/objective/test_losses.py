"""Activations, losses and their derivatives, against mpmath: to a few units in the last place, however small.

An error is counted in units of eps × the true number, so relative; below the smallest normal number, where a float has
no digits left to be right in, the unit is the smallest subnormal. Measured on 2026-11-24: at most 1.6 units for the
sigmoid and 4 for softmax in both precisions. The bound leaves room for other machines' exp (NumPy's claims 2.5).
"""

import math

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from scipy.special import expit

from onelayer.objective.losses import (
    IDENTITY,
    SIGMOID,
    SIGMOID_SINGLE,
    SOFTMAX,
    cross_entropy,
    log_loss,
    mean_log_loss,
    probabilities,
    sigmoid,
    softmax,
)

UNITS = 8
DIGITS = 700  # of mpmath, so that naive formulas keep 90 digits where exp(-1400) stands beside 1
PRECISIONS = [np.float64, np.float32]
EXTREMES = [
    0.0,
    -0.0,
    1e-45,
    5e-324,
    1e-300,
    1e-8,
    1.0,
    40.0,
    88.0,
    104.0,
    709.0,
    746.0,
    1e4,
    1e38,
    1.7e38,
    1e300,
    8e307,
]


@pytest.fixture(autouse=True)
def _strict():
    """Nothing may overflow, divide by zero or be invalid; and mpmath has its digits."""
    with np.errstate(all="raise", under="ignore"), mpmath.workdps(DIGITS):
        yield


def units(got, want, dtype):
    """The largest error of got, an array, from want, numbers of mpmath in the same order."""
    assert got.dtype == dtype
    eps, tiny = mpf(float(np.finfo(dtype).eps)), mpf(float(np.finfo(dtype).tiny))
    got = got.ravel().tolist()
    return float(max(abs(g - w) / (eps * max(abs(w), tiny)) for g, w in zip(got, want, strict=True)))


def frozen(values, dtype):
    """An array that fails the test when written to."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


# One output


def naive_sigmoid(z, y):
    """The formulas of a textbook, safe only in hundreds of digits."""
    a = 1 / (1 + mpmath.exp(-z))
    return {
        "activation": a,
        "value": -mpmath.log(a if y else 1 - a),
        "slope": a - y,
        "curvature": a * (1 - a),
    }


@pytest.fixture(scope="module", params=PRECISIONS)
def neurons(request):
    """Precision, logits, labels and the truth: logits from the smallest to ±700, most of them where neurons live."""
    rng = np.random.default_rng(0)
    spread = [
        rng.uniform(-700, 700, 60),
        rng.uniform(-88, 88, 60),
        rng.normal(size=60),
        10.0 ** rng.uniform(-37, 2, 30),
    ]
    z = np.concatenate([*spread, [0.0, -0.0, 36.7, -36.7, 700, -700]]).astype(request.param)
    z = np.concatenate([z, z])
    y = np.repeat([0, 1], len(z) // 2)
    with mpmath.workdps(DIGITS):
        truths = [naive_sigmoid(mpf(float(zi)), int(yi)) for zi, yi in zip(z, y, strict=True)]
    return request.param, frozen(z, z.dtype), frozen(y, z.dtype), truths


@pytest.mark.parametrize("name", ["activation", "value", "slope", "curvature"])
def test_the_sigmoid_is_right_to_a_few_units(neurons, name):
    dtype, z, y, truths = neurons
    got = getattr(SIGMOID, name)(*((z, y) if name in ("value", "slope") else (z,)))
    assert units(got, [truth[name] for truth in truths], dtype) <= UNITS


def test_one_exponential_gives_loss_and_slope_alike(neurons):
    dtype, z, y, truths = neurons
    value, slope = SIGMOID.value_slope(z, y)
    assert units(value, [truth["value"] for truth in truths], dtype) <= UNITS
    assert units(slope, [truth["slope"] for truth in truths], dtype) <= UNITS


def test_the_sigmoids_bend_is_its_curvature_times_t(neurons):
    dtype, z, _, truths = neurons
    t = frozen(np.random.default_rng(1).normal(size=len(z)), dtype)
    want = [truth["curvature"] * mpf(float(ti)) for truth, ti in zip(truths, t, strict=True)]
    assert units(SIGMOID.bend(z)(t), want, dtype) <= UNITS


@pytest.mark.parametrize("y", [0, 1])
def test_slope_and_curvature_are_the_derivatives_of_the_loss(y):
    z = np.linspace(-30, 30, 13)

    def loss(x):
        return naive_sigmoid(x, y)["value"]

    assert units(SIGMOID.slope(z, np.full(13, y)), [mpmath.diff(loss, x) for x in z.tolist()], z.dtype) <= UNITS
    assert units(SIGMOID.curvature(z), [mpmath.diff(loss, x, 2) for x in z.tolist()], z.dtype) <= UNITS


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_no_logit_is_too_large_for_the_sigmoid(dtype):
    largest = float(np.finfo(dtype).max)
    size = np.array([*(x for x in EXTREMES if x < largest), largest])
    z = frozen(np.concatenate([size, -size, [np.inf, -np.inf]]), dtype)
    for y in (np.zeros_like(z), np.ones_like(z)):
        value, slope = SIGMOID.value_slope(z, y)
        wrong = np.where(y == 1, -z, z)  # how far on the wrong side
        np.testing.assert_array_equal(value[wrong >= 104], wrong[wrong >= 104])
        np.testing.assert_array_equal(value, SIGMOID.value(z, y))
        np.testing.assert_array_equal(slope, SIGMOID.slope(z, y))
        assert (value >= 0).all()
        assert (np.abs(slope) <= 1).all()
        assert np.isfinite(value[:-2]).all()
    for got in (SIGMOID.activation(z), SIGMOID.curvature(z), SIGMOID.bend(z)(np.ones_like(z))):
        assert ((got >= 0) & (got <= 1)).all()


@pytest.mark.parametrize("labels", [bool, np.int64, np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_labels_of_any_type_leave_the_precision_of_the_logits(dtype, labels):
    z, y = frozen([-3, 2, 50, -50], dtype), frozen([0, 1, 1, 0], labels)
    for pair in (SIGMOID, IDENTITY):
        for got, expected in zip(pair.value_slope(z, y), pair.value_slope(z, y.astype(dtype)), strict=True):
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, expected)
        assert pair.value(z, y).dtype == pair.slope(z, y).dtype == dtype


def test_public_functions_take_lists_numbers_and_tables():
    assert float(sigmoid(0)) == 0.5
    assert float(log_loss(0, 1)) == pytest.approx(float(mpmath.log(2)), rel=1e-15, abs=0)
    assert sigmoid(np.zeros((2, 3))).shape == log_loss(np.zeros((2, 3)), np.ones((2, 3), dtype=int)).shape == (2, 3)
    np.testing.assert_array_equal(softmax([[1, 1]]), [[0.5, 0.5]])
    np.testing.assert_array_equal(cross_entropy([[0, -1000]], [1]), [1000])


# k outputs


@pytest.mark.parametrize("codes", [np.int8, np.uint8, np.int64])
def test_codes_may_be_bytes_though_rows_are_more_than_these_count(codes):
    z = np.random.default_rng(0).normal(size=(1000, 3))
    y = (np.arange(1000) % 3).astype(codes)
    np.testing.assert_allclose(cross_entropy(z, y), -np.log(softmax(z)[np.arange(1000), y]), rtol=1e-14)
    for got, expected in zip(SOFTMAX.value_slope(z, y), SOFTMAX.value_slope(z, y.astype(int)), strict=True):
        np.testing.assert_array_equal(got, expected)


def naive_softmax(z, y):
    e = [mpmath.exp(zj) for zj in z]
    a = [ej / sum(e) for ej in e]
    return {
        "activation": a,
        "value": [-mpmath.log(a[y])],
        "slope": [aj - (j == y) for j, aj in enumerate(a)],
        "curvature": [aj * ((j == i) - ai) for j, aj in enumerate(a) for i, ai in enumerate(a)],
    }


def rows_of_logits(k, rng):
    """Usual rows, ties, and rows whose true class, the first, is ahead or behind by much or little."""
    z = [rng.normal(size=k) * scale for scale in (0.1, 1, 1, 1, 10, 10)] + [rng.uniform(-700, 700, k) for _ in range(6)]
    z += [np.zeros(k), np.full(k, 700.0), np.full(k, -700.0), np.repeat([5.0, -5.0], k)[k - 1 : 2 * k - 1]]
    z += [np.repeat([-5.0, 5.0], k)[k - 1 : 2 * k - 1]]
    for lead in (-1000, -700, -40, -1, -0.125, 0.125, 1, 30, 40, 700, 1000):
        row = rng.normal(size=k)
        row[0] = row[1:].max() + lead
        z.append(row)
    return np.array(z)


@pytest.fixture(
    scope="module",
    params=[(k, dtype) for k in (2, 3, 10) for dtype in PRECISIONS],
    ids=lambda param: f"{param[0]}-{param[1].__name__}",
)
def layers(request):
    """Precision, logits on a grid so coarse that their differences are exact, true classes and the truth."""
    k, dtype = request.param
    rng = np.random.default_rng(k)
    z = np.round(rows_of_logits(k, rng) * 64) / 64
    y = np.zeros(len(z), dtype=np.int64)
    y[:6] = rng.integers(k, size=6)
    with mpmath.workdps(DIGITS):
        truths = [naive_softmax([mpf(x) for x in zi.tolist()], yi) for zi, yi in zip(z, y.tolist(), strict=True)]
    return dtype, frozen(z, dtype), frozen(y, np.int64), truths


def flat(truths, name):
    return [number for truth in truths for number in truth[name]]


@pytest.mark.parametrize("name", ["activation", "value", "slope", "curvature"])
def test_softmax_is_right_to_a_few_units(layers, name):
    dtype, z, y, truths = layers
    got = getattr(SOFTMAX, name)(*((z, y) if name in ("value", "slope") else (z,)))
    n, k = z.shape
    assert got.shape == {"value": (n,), "curvature": (n, k, k)}.get(name, (n, k))
    assert units(got, flat(truths, name), dtype) <= UNITS


def test_softmax_gives_loss_and_slope_alike(layers):
    dtype, z, y, truths = layers
    value, slope = SOFTMAX.value_slope(z, y)
    assert units(value, flat(truths, "value"), dtype) <= UNITS
    assert units(slope, flat(truths, "slope"), dtype) <= UNITS


def test_softmax_bend_is_its_curvature_times_t(layers):
    """To a few units of |curvature| · |t|: what a product with the blocks themselves could keep."""
    dtype, z, _, truths = layers
    k = z.shape[1]
    t = frozen(np.random.default_rng(2).normal(size=z.shape) * 100, dtype)
    got = SOFTMAX.bend(z)(t)
    assert got.dtype == dtype
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
    for got_row, truth, t_row in zip(got.tolist(), truths, t.tolist(), strict=True):
        for j, number in enumerate(got_row):
            terms = [c * mpf(ti) for c, ti in zip(truth["curvature"][j * k : j * k + k], t_row, strict=True)]
            scale = max(sum(map(abs, terms)), mpf(tiny) * 100)
            assert abs(number - sum(terms)) <= 2 * UNITS * eps * scale


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_softmax_of_any_logits_is_as_right_as_their_differences(dtype):
    """A difference is rounded once, to half a unit of its size, as each logit was when it was computed."""
    z = frozen(rows_of_logits(4, np.random.default_rng(4)), dtype)
    y = np.zeros(len(z), dtype=np.int64)
    value, slope = SOFTMAX.value_slope(z, y)
    for i in range(len(z)):
        truth = naive_softmax([mpf(x) for x in z[i].tolist()], 0)
        bound = UNITS + float(np.ptp(z[i])) / 2
        assert units(value[i : i + 1], truth["value"], dtype) <= bound
        assert units(slope[i], truth["slope"], dtype) <= bound
        assert units(SOFTMAX.activation(z[i : i + 1]), truth["activation"], dtype) <= bound


def test_softmax_slope_and_curvature_are_the_derivatives_of_the_loss():
    z = np.array([[0.5, -1.25, 2.0]])
    at = tuple(z[0].tolist())

    def loss(*x):
        return naive_softmax(x, 1)["value"][0]

    orders = np.eye(3, dtype=int)
    want = [mpmath.diff(loss, at, tuple(map(int, order))) for order in orders]
    assert units(SOFTMAX.slope(z, np.array([1])), want, z.dtype) <= UNITS
    want = [mpmath.diff(loss, at, tuple(map(int, a + b))) for a in orders for b in orders]
    assert units(SOFTMAX.curvature(z), want, z.dtype) <= UNITS


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("k", [2, 5])
def test_no_logit_is_too_large_for_softmax(dtype, k):
    size = np.array([x for x in EXTREMES if x <= float(np.finfo(dtype).max) / 2])
    ladder = np.concatenate([size, -size])
    z = np.random.default_rng(k).choice(ladder, size=(300, k)).astype(dtype)
    z[: len(ladder)] = ladder[:, None]
    z.setflags(write=False)
    for y in (z.argmax(axis=1), z.argmin(axis=1)):
        value, slope = SOFTMAX.value_slope(z, y)
        np.testing.assert_array_equal(value, SOFTMAX.value(z, y))
        np.testing.assert_array_equal(slope, SOFTMAX.slope(z, y))
        assert np.isfinite(value).all()
        assert (value >= z.max(axis=1) - z[np.arange(300), y]).all()
        assert (np.abs(slope) <= 1).all()
    np.testing.assert_allclose(SOFTMAX.activation(z).sum(axis=1), 1, rtol=8 * np.finfo(dtype).eps)
    for got in (SOFTMAX.curvature(z), SOFTMAX.bend(z)(np.ones_like(z))):
        assert (np.abs(got) <= 1).all()


def test_two_classes_of_softmax_are_a_sigmoid(neurons):
    dtype, z, y, _ = neurons
    pair = np.stack([np.zeros_like(z), z], axis=1)
    one, two = SIGMOID.value_slope(z, y), SOFTMAX.value_slope(pair, y.astype(np.int64))
    near = {"rtol": UNITS * np.finfo(dtype).eps, "atol": UNITS * np.finfo(dtype).smallest_subnormal}
    np.testing.assert_allclose(two[0], one[0], **near)
    np.testing.assert_allclose(two[1], np.stack([-one[1], one[1]], axis=1), **near)
    np.testing.assert_allclose(SOFTMAX.curvature(pair)[:, 1, 1], SIGMOID.curvature(z), **near)


def test_a_class_more_that_nobody_is_in_changes_nothing():
    z = np.random.default_rng(5).normal(size=(20, 3))
    y = np.arange(20) % 3
    wider = np.column_stack([z, np.full(20, -1e4)])
    np.testing.assert_allclose(SOFTMAX.value(wider, y), SOFTMAX.value(z, y), rtol=1e-15)
    np.testing.assert_allclose(SOFTMAX.slope(wider, y)[:, :3], SOFTMAX.slope(z, y), rtol=1e-15)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda z: np.repeat(z, 2, axis=1)[:, ::2]])
def test_softmax_takes_any_layout_and_any_number_of_rows(layout):
    z, y = np.random.default_rng(6).normal(size=(50, 4)) * 5, np.arange(50) % 4
    for rows in (slice(0), slice(1), slice(50)):
        part, t = layout(z[rows]), layout(z[rows] + 1)
        for got, expected in zip(
            SOFTMAX.value_slope(part, y[rows]), SOFTMAX.value_slope(z[rows], y[rows]), strict=True
        ):
            np.testing.assert_allclose(got, expected, rtol=1e-14)
        np.testing.assert_allclose(SOFTMAX.curvature(part), SOFTMAX.curvature(z[rows]), rtol=1e-14)
        np.testing.assert_allclose(SOFTMAX.bend(part)(t), SOFTMAX.bend(z[rows])(z[rows] + 1), rtol=1e-12, atol=1e-16)


# No activation at all


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_the_squared_error_is_right_to_a_unit(dtype):
    rng = np.random.default_rng(7)
    limit = float(np.sqrt(np.finfo(dtype).max))
    size = np.array([0.0, 1e-8, 1.0, 700.0, 1e4, 1.4 * limit])  # whose square overflows, half of it does not
    z = frozen(np.concatenate([rng.normal(size=30), size, -size]), dtype)
    y = frozen(np.concatenate([rng.normal(size=30), np.zeros(12)]), dtype)
    residuals = [mpf(float(r)) for r in z - y]
    value, slope = IDENTITY.value_slope(z, y)
    assert units(value, [r * r / 2 for r in residuals], dtype) <= 1
    assert units(slope, residuals, dtype) == 0
    np.testing.assert_array_equal(IDENTITY.value(z, y), value)
    np.testing.assert_array_equal(IDENTITY.slope(z, y), slope)
    np.testing.assert_array_equal(IDENTITY.activation(z), z)
    np.testing.assert_array_equal(IDENTITY.curvature(z), np.ones(len(z), dtype=dtype))
    np.testing.assert_array_equal(IDENTITY.bend(z)(y), y)


def test_a_squared_error_beyond_the_largest_float_is_infinite():
    with np.errstate(over="ignore"):
        value, slope = IDENTITY.value_slope(np.array([1e300, -1e300]), np.array([0.0, 1.0]))
    np.testing.assert_array_equal(value, [np.inf, np.inf])
    np.testing.assert_array_equal(slope, [1e300, -1e300])


@pytest.mark.parametrize("pair", [SIGMOID, SOFTMAX, IDENTITY], ids=lambda pair: pair.name)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0.01, 1.0, 30.0, 700.0])
def test_the_sum_is_that_of_the_values_and_the_slopes_are_weighted(pair, weighted, dtype, size):
    rng = np.random.default_rng(0)
    shape = (1000, 3) if pair is SOFTMAX else (1000,)
    z = (size * rng.standard_normal(shape)).astype(dtype)
    y = rng.integers(0, 3 if pair is SOFTMAX else 2, 1000)
    weight = rng.uniform(0.5, 2, 1000) if weighted else None
    w = np.ones(1000) if weight is None else weight
    value, slope = pair.value_slope(z.copy(), y)
    total, weighted_slope = pair.sum_slope(z.copy(), y, weight)
    assert total == pytest.approx(math.fsum(value.astype(float) * w), rel=1e-14 if dtype is np.float64 else 1e-6)
    expected = slope * (w if slope.ndim == 1 else w[:, None]).astype(slope.dtype)
    eps = np.finfo(dtype).eps  # summed, a slope need not be more exact than the largest, which is 1
    np.testing.assert_allclose(weighted_slope, expected, rtol=4 * eps, atol=eps if pair is SIGMOID else 0)


@pytest.mark.parametrize("margin", [12.0, 20.0, 40.0, 700.0])
def test_a_sum_of_losses_that_are_all_small_keeps_its_digits(margin):
    z, y = np.full(1000, margin), np.ones(1000)
    with mpmath.workdps(50):
        expected = float(1000 * mpmath.log1p(mpmath.exp(-margin)))
    assert SIGMOID.sum_slope(z, y, None)[0] == pytest.approx(expected, rel=2e-11, abs=0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [0.01, 1.0, 5.0, 30.0])
def test_exponentials_in_single_precision_leave_seven_digits_and_where_rows_differ_eight(size, weighted):
    rng = np.random.default_rng(0)
    z, y = size * rng.standard_normal(50_000), rng.integers(0, 2, 50_000)
    weight = rng.uniform(0.5, 2, 50_000) if weighted else None
    total, slope = SIGMOID.sum_slope(z.copy(), y, weight)
    nearly, about = SIGMOID_SINGLE.sum_slope(z.copy(), y, weight)
    assert nearly == pytest.approx(total, rel=2e-8)
    np.testing.assert_allclose(about, slope, rtol=3e-6, atol=1e-300)
    np.testing.assert_allclose(about.sum(), slope.sum(), atol=2e-8 * np.abs(slope).sum())


@pytest.mark.parametrize("margin", [40.0, 12.0, -21.0, -800.0])
def test_rows_that_are_sure_or_very_wrong_keep_their_digits_where_exponentials_are_in_single_precision(margin):
    z, y = np.full(1000, margin), np.ones(1000)
    assert SIGMOID_SINGLE.sum_slope(z, y, None)[0] == SIGMOID.sum_slope(z, y, None)[0]


@pytest.mark.parametrize("rows", [1, 30, 33, 1000, 5000])
@pytest.mark.parametrize("margin", [-19.9, -20.1, -800.0])
def test_a_sum_of_losses_that_are_all_large_does_not_overflow(rows, margin):
    with np.errstate(all="raise", under="ignore"):
        total, slope = SIGMOID.sum_slope(np.full(rows, margin), np.ones(rows), None)
    assert total == pytest.approx(-margin * rows, rel=1e-9)
    np.testing.assert_allclose(slope, -1, rtol=1e-8)


@pytest.mark.parametrize("pair", [SIGMOID, SOFTMAX, IDENTITY], ids=lambda pair: pair.name)
def test_entropy_is_minus_the_conjugate_at_the_slope(pair):
    rng = np.random.default_rng(1)
    z = 3 * rng.standard_normal((200, 4) if pair is SOFTMAX else (200,))
    y = rng.integers(0, 4 if pair is SOFTMAX else 2, 200)
    value, slope = pair.value_slope(z, y)
    # Fenchel and Young: loss(z) + conjugate(slope) = z · slope, where slope is the loss's own at z
    product = (z * slope).sum(axis=-1) if pair is SOFTMAX else z * slope
    np.testing.assert_allclose(value - pair.entropy(slope, y), product, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [0.01, 0.3, 1.0])
def test_the_defect_is_a_bound_on_a_divergence_and_not_a_loose_one(size):
    rng = np.random.default_rng(0)
    z, t = 3 * rng.standard_normal(1000), size * rng.uniform(-1, 1, 1000)
    h = SIGMOID.curvature(z)
    divergence = np.array([_divergence(*each) for each in zip(z, t, strict=True)])
    one_by_one = np.array([SIGMOID.defect(h[i : i + 1], t[i : i + 1], None) for i in range(1000)])
    assert (divergence <= one_by_one).all()
    assert one_by_one.sum() <= {0.01: 5, 0.3: 15, 1.0: 100}[size] * divergence.sum()
    weight = rng.uniform(0, 2, 1000)
    assert SIGMOID.defect(h, t, weight) == pytest.approx(weight @ one_by_one, rel=1e-12)


def _divergence(z, t):
    """Of Bernoulli's distribution at a + h t from the one whose logit is z + t."""
    with mpmath.workdps(50):
        z, t = mpf(float(z)), mpf(float(t))
        a = 1 / (1 + mpmath.exp(-z))
        p, q = a + a * (1 - a) * t, 1 / (1 + mpmath.exp(-z - t))
        return float(p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q)))


def test_slopes_that_no_probability_has_are_refused():
    t = np.array([0.1, 1.01])
    assert SIGMOID.defect(SIGMOID.curvature(np.zeros(2)), t, np.array([1.0, 0.0])) == math.inf
    assert SIGMOID.defect(np.full(2, 0.25), np.array([0.1, np.nan]), None) == math.inf
    assert IDENTITY.defect(np.ones(2), 100 * t, None) == 0


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_probabilities_of_both_classes_are_right_to_their_last_digits_however_small(dtype):
    z = np.concatenate([np.linspace(-80, 80, 401), [0.0, -1e-20]]).astype(dtype)
    exact = expit(np.stack([-z, z], axis=1).astype(np.float64))
    np.testing.assert_allclose(probabilities(z), exact, rtol=3 * np.finfo(dtype).eps)
    far = np.array([1e4, -1e4, np.inf, -np.inf], dtype)
    np.testing.assert_array_equal(probabilities(far), [[0, 1], [1, 0], [0, 1], [1, 0]])


@pytest.mark.parametrize("k", [1, 3])
def test_the_mean_log_loss_is_that_of_the_probabilities(k):
    rng = np.random.default_rng(k)
    z, y, weight = rng.standard_normal((50, k)), rng.integers(max(2, k), size=50), rng.uniform(0, 3, 50)
    own = -np.log(probabilities(z)[np.arange(50), y])
    assert mean_log_loss(z, y) == pytest.approx(own.mean(), rel=1e-14)
    assert mean_log_loss(z, y, weight) == pytest.approx(own @ weight / weight.sum(), rel=1e-14)
    if k == 1:
        np.testing.assert_array_equal(probabilities(z[:, 0]), probabilities(z))
        assert mean_log_loss(z[:, 0], y) == mean_log_loss(z, y)


@pytest.mark.parametrize("loss", [SIGMOID, SOFTMAX, IDENTITY])
@pytest.mark.parametrize("spread", [0.1, 3.0, 30.0, 1000.0])
def test_a_root_of_the_curvature_is_one_however_sure_a_row(loss, spread):
    shape = (200, 5) if loss is SOFTMAX else (200,)
    z = np.random.default_rng(0).standard_normal(shape) * spread
    root, k = loss.root(z), shape[-1] if loss is SOFTMAX else 1
    assert root.shape == (200, k, max(1, k - 1))
    curvature = loss.curvature(z).reshape(200, k, k)
    size = np.sqrt(np.maximum(np.diagonal(curvature, axis1=1, axis2=2), 1e-130))
    off = np.abs(root @ root.transpose(0, 2, 1) - curvature)
    assert (off <= 1e-14 * size[:, :, None] * size[:, None, :]).all()
