"""Linear systems: exact where asked, the shortest where singular, and not stopped by one steep direction."""

import numpy as np
import pytest

from onelayer.solvers.linear import conjugate_gradients, inverse, solve_symmetric, symmetric_solver


def spd(n, seed=0):
    A = np.random.default_rng(seed).standard_normal((2 * n, n))
    return A.T @ A / n


def solved(H, right, forcing, **told):
    asked = []

    def product(v):
        asked.append(v)
        return H @ v

    x, seen = conjugate_gradients(product, right, lambda g: g, forcing, 0.0, **told)
    return x, seen, len(asked)


def test_conjugate_gradients_solve_and_say_the_least_eigenvalue():
    H, right = spd(12), np.arange(12.0)
    x, seen, asked = solved(H, right, 1e-12)
    np.testing.assert_allclose(x, np.linalg.solve(H, right), rtol=1e-8)
    assert seen.least == pytest.approx(np.linalg.eigvalsh(H)[0], rel=1e-6)
    assert seen.steps == asked <= 14


def test_a_steep_direction_that_holds_most_of_the_gradient_does_not_end_them():
    # equally correlated columns: one eigenvalue of hundreds, and the way lies in the others
    n = 400
    H = 0.5 * np.eye(n) + 0.5
    right = 10 * np.ones(n) + np.random.default_rng(0).standard_normal(n)
    optimum = np.linalg.solve(H, right)
    assert right.mean() ** 2 * n > 0.98 * right @ right
    x = solved(H, right, 0.3)[0]
    assert (x - optimum) @ H @ (x - optimum) <= 0.1 * optimum @ H @ optimum


def test_residuals_that_are_small_enough_end_them():
    H, right = spd(12), np.arange(12.0)
    x, _, asked = solved(H, right, 0.0, enough=np.full(12, 0.1))
    assert (np.abs(H @ x - right) <= 0.1).all()
    assert asked < 12


def test_who_goes_along_is_told_every_step_its_direction_and_what_that_is_bent_to():
    H, right, x = spd(6), np.ones(6), np.zeros(6)

    def along(step, direction, bent):
        np.testing.assert_allclose(bent, H @ direction, rtol=1e-12)
        x[:] += step * direction

    found, _ = conjugate_gradients(lambda v: H @ v, right, lambda g: g, 1e-10, 0.0, along=along)
    np.testing.assert_allclose(x, found, rtol=1e-12)


def test_a_singular_system_gets_its_shortest_solution():
    H = np.array([[1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(solve_symmetric(H, np.array([2.0, 2.0])), [1.0, 1.0])


def test_a_matrix_is_factored_once_for_any_scale_of_its_coordinates():
    scale = 10.0 ** np.arange(-8, 8, 2)
    H = spd(8) * scale * scale[:, None]
    solve = symmetric_solver(H)
    for right in (scale, scale * np.arange(8)):
        np.testing.assert_allclose(H @ solve(right), right, rtol=1e-9, atol=1e-9 * scale.min())


def test_the_inverse_is_the_solution_of_every_unit_vector():
    A = np.random.default_rng(5).standard_normal((9, 6)) * np.geomspace(1e-3, 1e3, 6)
    np.testing.assert_allclose(inverse(A.T @ A) @ A.T @ A, np.eye(6), atol=1e-9)
    A[:, 2] = A[:, 1]  # now singular
    np.testing.assert_allclose(inverse(A.T @ A), symmetric_solver(A.T @ A)(np.eye(6)), rtol=1e-12)
