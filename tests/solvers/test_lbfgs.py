"""L-BFGS: its direction is that of the matrix its pairs stand for, its search ends where the line's conditions hold."""

from collections import deque
from itertools import pairwise

import numpy as np
import pytest

from onelayer.solvers.lbfgs import ARMIJO, WOLFE, least_eigenvalue, remember, search, two_loops
from onelayer.solvers.progress import Point


class Bowl:
    """½ uᵀAu, or where told its square root, whose gradient has a kink."""

    def __init__(self, A, root=False):
        self.A, self.root = A, root
        self.rows = self
        self.n = 1

    def evaluate(self, u, *, keep=False):
        value, gradient = u @ self.A @ u / 2, self.A @ u
        return (
            (np.sqrt(value), gradient / (2 * np.sqrt(value) + 1e-300), None) if self.root else (value, gradient, None)
        )


def matrix(d=4, seed=0):
    B = np.random.default_rng(seed).standard_normal((d, d))
    return B @ B.T + np.eye(d)


@pytest.mark.parametrize("preconditioned", [False, True])
def test_the_direction_is_that_of_the_inverse_hessian_updated_by_the_pairs(preconditioned):
    A, rng, pairs = matrix(), np.random.default_rng(1), deque()
    P = matrix(seed=2) if preconditioned else np.eye(4)
    for _ in range(3):
        s = rng.standard_normal(4)
        remember(pairs, s, A @ s)
    s, t, _ = pairs[-1]
    H = (s @ t) / (t @ np.linalg.solve(P, t)) * np.linalg.inv(P)
    for s, t, product in pairs:  # BFGS, Nocedal & Wright, 2nd ed., equation 6.17
        V = np.eye(4) - np.outer(t, s) / product
        H = V.T @ H @ V + np.outer(s, s) / product
    g = rng.standard_normal(4)
    found = two_loops(pairs, g, (lambda v: np.linalg.solve(P, v)) if preconditioned else None)
    np.testing.assert_allclose(found, H @ g, rtol=1e-12)


def test_without_pairs_the_direction_is_the_preconditioners():
    g = np.array([3.0, 4.0])
    np.testing.assert_allclose(two_loops(deque(), g), g / 5)
    np.testing.assert_allclose(two_loops(deque(), g, lambda v: 2 * v), 2 * g)


def test_the_least_eigenvalue_is_that_of_the_space_of_the_steps():
    A, P, rng, pairs, seen = matrix(), matrix(seed=2), np.random.default_rng(1), deque(), []
    for _ in range(6):  # more than there are coordinates: two depend on the others
        s = rng.standard_normal(4)
        remember(pairs, s, A @ s)
        seen.append(least_eigenvalue(pairs, lambda v: P @ v))
    true = np.linalg.eigvals(np.linalg.solve(P, A)).real.min()
    assert all(true * (1 - 1e-9) <= later <= sooner * (1 + 1e-9) for sooner, later in pairwise(seen))
    np.testing.assert_allclose(seen[3:], true, rtol=1e-9)


def test_as_many_pairs_as_coordinates_solve_a_quadratic():
    A = matrix()
    pairs = deque()
    for direction in np.linalg.eigh(A)[1].T:
        pairs.append((direction, A @ direction, direction @ A @ direction))
    g = np.arange(1.0, 5.0)
    np.testing.assert_allclose(two_loops(pairs, g), np.linalg.solve(A, g), rtol=1e-10)


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("length", [1e-4, 1.0, 1e4])
def test_the_search_ends_where_the_value_is_low_enough_and_the_slope_no_longer_steep(root, length):
    f = Bowl(matrix(), root)
    point = Point.at(f, np.array([1.0, -2.0, 0.5, 1.0]))
    direction = -length * point.gradient
    found = search(f, point, direction)
    slope = point.gradient @ direction
    t = (found.u - point.u) @ direction / (direction @ direction)
    assert t > 0
    assert found.value <= point.value + ARMIJO * t * slope
    assert found.gradient @ direction >= WOLFE * slope


def test_a_search_uphill_finds_nothing():
    f = Bowl(matrix())
    point = Point.at(f, np.ones(4))
    assert search(f, point, point.gradient) is None


def test_a_step_that_teaches_nothing_of_the_curvature_is_not_remembered():
    pairs = deque()
    remember(pairs, np.ones(2), np.zeros(2))
    remember(pairs, np.ones(2), -np.ones(2))  # curved the wrong way
    assert not pairs
    remember(pairs, np.ones(2), np.ones(2))
    assert len(pairs) == 1
