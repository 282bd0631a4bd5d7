"""Linear systems: exact where asked, the shortest where singular, and not stopped by one steep direction."""

import numpy as np
import pytest
from scipy.linalg import eigh

from onelayer.solvers import linear
from onelayer.solvers.linear import Parts, conjugate_gradients, inverse, shifted, symmetric_solver


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


def test_a_residual_that_only_rounding_tells_from_none_ends_them():
    """Of dependent columns a preconditioner knows nothing, and what it makes of them may have any sign."""
    x, seen = conjugate_gradients(
        lambda v: v, np.ones(2), lambda g: g * [1, -1e-60], 0.0, 0.0, enough=np.full(2, 1e-9), steep=True
    )
    assert x == pytest.approx([1, 0])
    assert (seen.steps, seen.left) == (1, 0.0)


def test_who_goes_along_is_told_every_step():
    H, right, way = spd(6), np.ones(6), []
    directions = []

    def product(v):
        directions.append(v.copy())
        return H @ v

    x, _ = conjugate_gradients(product, right, lambda g: g, 1e-10, 0.0, along=way.append)
    np.testing.assert_allclose(sum(step * v for step, v in zip(way, directions, strict=True)), x, rtol=1e-12)


def test_what_is_steep_is_seen_in_a_few_steps():
    rng = np.random.default_rng(0)
    P, H = np.diag(rng.uniform(1, 3, 30)), np.eye(30) + spd(30) / 10
    v = rng.standard_normal(30)
    for steep in (0.0, 40.0):
        A = np.sqrt(P) @ H @ np.sqrt(P) + steep * np.outer(v, v)
        right = rng.standard_normal(30)
        _, seen = conjugate_gradients(lambda u, A=A: A @ u, right, lambda g: g / P.diagonal(), 0.05, 0.0, steep=True)
        if not steep:
            assert seen.steep is None
            continue
        values, vectors = eigh(A, P)
        (value,), (bent,) = seen.steep.values, seen.steep.directions
        np.testing.assert_allclose(value, values[-1], rtol=1e-3)
        np.testing.assert_allclose(np.abs(vectors[:, -1] @ bent), 1, rtol=1e-4)
        assert values[0] < seen.steep.others < values[-2] * 1.001


def test_a_singular_system_gets_its_shortest_solution():
    H = np.array([[1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(symmetric_solver(H)(np.array([2.0, 2.0])), [1.0, 1.0])


@pytest.mark.parametrize(("n", "p"), [(4, 9), (40, 130), (150, 131)])
@pytest.mark.parametrize("decay", [1.0, 1e-5])
def test_of_many_weights_the_shortest_solution_solves_to_the_last_digits(n, p, decay):
    rng = np.random.default_rng(7)
    A = rng.standard_normal((n, p)) * np.geomspace(1, decay, n)[:, None]
    A[:, p // 2] = A[:, 0]
    A /= np.sqrt(np.square(A).sum(axis=0))
    right = A.T @ rng.standard_normal((n, 2))
    found = symmetric_solver(A.T @ A)(right)
    np.testing.assert_allclose(A.T @ (A @ found), right, atol=1e-11)
    shortest = np.linalg.lstsq(A.T @ A, right, rcond=1e-14)[0]
    np.testing.assert_allclose(found, shortest, rtol=1e-4, atol=1e-4 * np.abs(shortest).max())


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.parametrize("n", [0, 12, 40, 90])
def test_a_shifted_matrix_is_inverted_by_way_of_its_rank_where_that_is_less(n, share):
    rng = np.random.default_rng(8)
    A, ridge = rng.standard_normal((n, 60)), share * rng.random(60)
    ridge[:2] = 0
    A *= np.sqrt((1 - ridge) / np.square(A).sum(axis=0)) if n else 1
    H, v = A.T @ A + np.diag(ridge), np.arange(60.0)
    before, solve = H.copy(), shifted(H, ridge)
    for shift in (1e-3, 0.1, 10.0):
        np.testing.assert_allclose(solve(shift)(v), np.linalg.solve(H + shift * np.eye(60), v), rtol=1e-8, atol=1e-8)
    np.testing.assert_array_equal(H, before)


def test_where_nothing_bends_nothing_moves():
    np.testing.assert_array_equal(symmetric_solver(np.zeros((3, 3)))(np.zeros(3)), np.zeros(3))
    np.testing.assert_array_equal(symmetric_solver(np.diag([0.0, 2.0, 0.0]))(np.array([0.0, 2.0, 0.0])), [0, 1, 0])


def test_a_matrix_is_factored_once_for_any_scale_of_its_coordinates():
    scale = 10.0 ** np.arange(-8, 8, 2)
    H = spd(8) * scale * scale[:, None]
    solve = symmetric_solver(H)
    for right in (scale, scale * np.arange(8)):
        np.testing.assert_allclose(H @ solve(right), right, rtol=1e-9, atol=1e-9 * scale.min())


@pytest.mark.parametrize(("apart", "digits"), [(1.0, 1e-5), (0.1, 1e-3), (1e-3, 2e-3)])
def test_single_precision_is_enough_where_columns_are_far_from_dependent(apart, digits, monkeypatch):
    """Else its factor would have no digit of a column, and that of doubles has those that the matrix has."""
    factored = []
    for name in ("spotrs", "dpotrs"):
        original = getattr(linear, name)
        monkeypatch.setattr(linear, name, lambda *a, _f=original, _n=name, **k: (factored.append(_n), _f(*a, **k))[1])
    rng = np.random.default_rng(0)
    A = rng.standard_normal((400, 50))
    A[:, 1] = A[:, 0] + apart * A[:, 1]
    H = (A.T @ A).astype(np.float32)
    given = H.copy()
    right = rng.standard_normal(50)
    found = symmetric_solver(H, overwrite=True)(right)
    exact = np.linalg.solve(given.astype(np.float64), right)
    np.testing.assert_allclose(found, exact, atol=digits * np.abs(exact).max())
    assert factored == ["spotrs" if apart > 0.01 else "dpotrs"]


@pytest.mark.parametrize("rank", [5, 8])
def test_a_matrix_that_may_be_overwritten_is_solved_alike_singular_or_not(rank):
    A = np.random.default_rng(6).standard_normal((rank, 8)) * np.geomspace(1e-3, 1e3, 8)
    right = A.T @ A @ np.arange(8.0)
    kept = symmetric_solver(A.T @ A)(right)
    np.testing.assert_allclose(symmetric_solver(A.T @ A, overwrite=True)(right), kept, rtol=1e-12)
    np.testing.assert_allclose(A.T @ (A @ kept), right, rtol=1e-6, atol=1e-9)


def test_the_inverse_is_the_solution_of_every_unit_vector():
    A = np.random.default_rng(5).standard_normal((9, 6)) * np.geomspace(1e-3, 1e3, 6)
    np.testing.assert_allclose(inverse(A.T @ A) @ A.T @ A, np.eye(6), atol=1e-9)
    A[:, 2] = A[:, 1]  # now singular
    np.testing.assert_allclose(inverse(A.T @ A), symmetric_solver(A.T @ A)(np.eye(6)), rtol=1e-12)


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_residual_that_is_small_enough_ends_the_steps_unless_told_otherwise(goes_on):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((60, 20))
    H, g, asked = A.T @ A, rng.standard_normal(20), []
    enough = np.full(20, 1e-9)
    x, seen = conjugate_gradients(
        lambda v: H @ v, g, lambda v: v, 0.1, 0.0, enough=enough, further=lambda x: asked.append(x.copy()) or goes_on
    )
    assert len(asked) == 1
    off = np.abs(H @ x - g).max()
    assert off <= 1e-8 if goes_on else off > 1e-4
    assert (np.linalg.norm(x - asked[0]) > 0) == goes_on
    assert seen.steps > 2


def test_a_part_asked_for_again_is_not_factored_again(monkeypatch):
    A = np.random.default_rng(0).standard_normal((20, 6))
    parts, factored = Parts(A.T @ A), []
    factor = linear.symmetric_solver
    monkeypatch.setattr(linear, "symmetric_solver", lambda H: factored.append(len(H)) or factor(H))
    for some in ([0, 2, 5], [0, 2, 5], [1, 2, 5], [0, 2, 5], []):
        some = np.array(some, dtype=int)
        g = A[0, some]
        np.testing.assert_allclose(parts.part(some) @ parts.solver(some)(g), g, rtol=1e-9)
    assert factored == [3, 3, 3, 0]


def test_a_quadratic_that_promises_more_than_there_is_is_not_followed():
    """Nearly flat along one direction, as far from an optimum, it has its minimum where nobody believes it."""
    rng = np.random.default_rng(0)
    H = np.diag(np.geomspace(1, 1e-8, 40))
    right = rng.standard_normal(40)
    asked = []

    def product(v):
        asked.append(1)
        return H @ v

    x, seen = conjugate_gradients(product, right, np.copy, 1e-6, 0.0, there_is=100.0)
    few = len(asked)
    assert 100 < right @ x < 1e6
    assert seen.steps == few
    asked.clear()
    x, _ = conjugate_gradients(product, right, np.copy, 1e-6, 0.0)
    assert right @ x > 1e6
    assert few < len(asked) / 2
