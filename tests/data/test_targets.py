"""Targets that are numbers: centred and scaled without a loss, and back again."""

import numpy as np
import pandas as pd
import pytest

from onelayer.data.targets import Targets, numbers

Y = np.array([3.0, -1.0, 4.0, 1.0, 5.0])


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("factor", [1e-300, 1e-5, 1.0, 1e300])
@pytest.mark.parametrize("weight", [None, np.array([1.0, 2.0, 0.0, 3.0, 0.5])])
def test_they_are_of_mean_square_one_and_come_back(fit_intercept, factor, weight):
    targets = Targets.of(Y * factor, weight, fit_intercept)
    assert np.average(targets.values**2, weights=weight) == pytest.approx(1, rel=1e-12)
    assert np.average(targets.values, weights=weight) == pytest.approx(0, abs=1e-12) or not fit_intercept
    np.testing.assert_allclose(targets.values * targets.unit + targets.centre, Y * factor, rtol=1e-14)
    np.testing.assert_allclose(targets.like(Y * factor).values, targets.values, rtol=1e-12)


def test_weights_come_back_as_they_were():
    targets = Targets.of(Y, None, True)
    stack = [np.arange(6.0).reshape(2, 3), np.arange(3.0)[None]]
    again = targets.to_user(targets.from_user(stack))
    np.testing.assert_allclose(again[0], stack[0], rtol=0)
    np.testing.assert_allclose(again[1], stack[1], rtol=1e-14, atol=1e-14)


def test_what_rounding_leaves_of_a_constant_is_no_unit():
    targets = Targets.of(np.full(1000, 0.1) * 3, np.linspace(0.1, 1, 1000), True)
    assert not targets.values.any()
    assert targets.centre == pytest.approx(0.3, rel=1e-15)


@pytest.mark.parametrize(
    "y", [[1, 2], [True, False], np.array([1, 2], dtype=np.uint8), pd.Series([1.5, 2], dtype=object)]
)
def test_numbers_of_every_kind_are_taken(y):
    assert numbers(y).dtype == np.float64


def test_a_missing_number_of_pandas_is_refused():
    with pytest.raises(ValueError, match="first NaN in row 1"):
        numbers(pd.Series([1, None], dtype="Int64"))
    with pytest.raises(ValueError, match="y holds <NA> in row 1, which is no number"):
        numbers(pd.Series([1, pd.NA], dtype=object))
