"""The span of the rows: their products with one another, and the way back, whichever way it was found."""

import numpy as np
import pytest

from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID
from onelayer.objective.row_space import spanned
from onelayer.rows.sources import Rows


def of_few_rows(*, mean: bool, scale: bool) -> tuple[Objective, np.ndarray]:
    """An objective of seven rows of thirty columns, one of them twice; and the rows B that its penalty sees."""
    rng = np.random.default_rng(3)
    X = rng.normal(2, 3, (7, 30))
    X[6] = X[0]
    penalty = rng.uniform(0.5, 2, 30)
    means, scales = (X.mean(axis=0) if mean else None), (X.std(axis=0) + 1 if scale else None)
    y = np.array([0.0, 1, 0, 1, 1, 0, 1])
    objective = Objective(Rows(X, y), SIGMOID, 1, penalty, 7.0, mean=means, scale=scales)
    B = (X - (0 if means is None else means)) / (1 if scales is None else scales) / np.sqrt(penalty)
    return objective, B


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("mean", "scale"), [(False, False), (True, True)])
def test_rows_keep_their_products_with_one_another(exact, mean, scale):
    objective, B = of_few_rows(mean=mean, scale=scale)
    L = spanned(objective, exact=exact).coordinates
    np.testing.assert_allclose(L @ L.T, B @ B.T, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("exact", [False, True])
def test_logits_and_penalty_are_the_same_on_the_way_back(exact):
    objective, B = of_few_rows(mean=True, scale=True)
    span = spanned(objective, exact=exact)
    v = np.random.default_rng(0).normal(size=(1, span.coordinates.shape[1] + 1))
    # what is outside the span, as the second of two equal rows would have it, no row sees
    v[:, :-1] = v[:, :-1] @ np.linalg.pinv(span.coordinates) @ span.coordinates
    u = span.back(v)
    root = np.sqrt(objective.penalty)
    np.testing.assert_allclose(B @ (root * u[0, :-1]), span.coordinates @ v[0, :-1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose((objective.penalty * u[0, :-1] ** 2).sum(), (v[0, :-1] ** 2).sum(), rtol=1e-9)
    assert u[0, -1] == v[0, -1]


@pytest.mark.parametrize("exact", [False, True])
def test_of_a_point_rows_see_all_that_lies_in_their_span(exact):
    objective, _ = of_few_rows(mean=True, scale=True)
    span = spanned(objective, exact=exact)
    u = np.random.default_rng(1).normal(size=(2, 31))
    v = span.of(u)
    np.testing.assert_allclose(span.of(span.back(v)), v, rtol=1e-9, atol=1e-9)
    for one, within in zip(u, v, strict=True):
        point, projected = one[None], span.back(within[None])
        np.testing.assert_allclose(objective.logits(projected)[0], objective.logits(point)[0], rtol=1e-9)
        assert objective.value(projected) < objective.value(point)  # what rows do not see costs its penalty


def test_a_row_that_is_there_twice_takes_no_coordinate():
    objective, _ = of_few_rows(mean=False, scale=False)
    assert spanned(objective, exact=False).coordinates.shape == (7, 6)
