"""Two copies of the weights: near the minimum from any start, in any units, whatever depends on what."""

import numpy as np
import pytest

from onelayer.solvers import splitting
from onelayer.solvers.splitting import by_splitting, unrest


@pytest.mark.parametrize("start", [0.0, 1.0])
@pytest.mark.parametrize("free", [0, 2])
@pytest.mark.parametrize("share", [0.0, 0.05])
def test_the_minimum_is_nearly_found_though_rows_are_few(start, free, share):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        A = (rng.standard_normal((30, 50)) + 2 * rng.standard_normal((30, 1))) * 10 ** rng.uniform(-2, 2, 50)
        A[:, 7] = A[:, 6]  # alike
        H, linear = A.T @ A / 30, -A.T @ rng.standard_normal(30) / 30
        ridge = share * H.diagonal()
        H += np.diag(ridge)
        lasso = 0.05 * np.sqrt(H.diagonal())
        lasso[:free] = 0
        v = by_splitting(H, linear, lasso, start * rng.standard_normal(50), ridge)
        slopes, size = H @ v + linear, np.sqrt(H.diagonal())
        off = np.where(v != 0, np.abs(slopes + lasso * np.sign(v)), np.maximum(np.abs(slopes) - lasso, 0))
        assert 0 < np.count_nonzero(v[free:]) <= (50 if share else 31)
        assert (off / size).max() <= 2e-3 * 0.05


@pytest.mark.parametrize("share", [0.3, 0.1])
def test_it_ends_once_slopes_are_near_enough_to_rest(share, monkeypatch):
    """In units of the weights as they came, and long before the copies agree."""
    rng = np.random.default_rng(0)
    A = (rng.standard_normal((40, 120)) + rng.standard_normal((40, 1))) * 10 ** rng.uniform(-2, 2, 120)
    H, linear, start = A.T @ A / 40, -A.T @ rng.standard_normal(40) / 40, np.zeros(120)
    lasso = 10 ** rng.uniform(-3, -1, 120)
    enough = share * unrest(start, linear, lasso)
    monkeypatch.setattr(splitting, "STEPS", 60)
    v = by_splitting(H, linear, lasso, start, start, enough)
    assert 1e-3 * enough < unrest(v, H @ v + linear, lasso) <= enough


def test_slopes_are_told_beside_their_own_penalties():
    """Of a column in small units, a slope far beyond its penalty is little beside others', but no gap is proved so."""
    v, lasso = np.array([0.0, 0.0, 2.0, 1.0]), np.array([0.5, 1e-6, 0.25, 0.0])
    assert unrest(v, np.array([0.6, 1e-3, -0.25, 0.0]), lasso) == pytest.approx(999)
    assert unrest(v, np.array([0.6, 1e-6, -0.25, 0.0]), lasso) == pytest.approx(0.2)
    assert unrest(v, np.array([0.5, 0.0, 0.25, 0.0]), lasso) == pytest.approx(2)
    assert unrest(v, np.array([0.5, 0.0, -0.25, 0.1]), lasso) == pytest.approx(0.2)  # free: beside the largest
