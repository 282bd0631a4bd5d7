"""Which rows are looked at first: spread over the file, every class among them, weighted to its share."""

import numpy as np
import pytest

from onelayer.objective.sampling import FEWEST, SHARE, formed, in_proportion, sizes, spread, stratified


@pytest.mark.parametrize(("n", "size"), [(10, 10), (1000, 7), (10**6, 4000)])
def test_one_row_of_each_stretch(n, size):
    rows = spread(n, size, np.random.default_rng(0))
    assert len(rows) == len(set(rows.tolist())) == size
    assert (np.diff(rows) > 0).all()
    assert (np.floor(rows * (size / n) + 1e-9).astype(int) - np.arange(size) >= -1).all()
    assert rows[0] >= 0
    assert rows[-1] < n


def test_a_sorted_file_gives_each_class_its_share():
    codes = np.repeat([0, 1], [700_000, 300_000])
    rows, weight, total = stratified(codes, np.bincount(codes).astype(float), None, 10_000, np.random.default_rng(0))
    assert abs((codes[rows] == 1).mean() - 0.3) < 1e-3
    assert weight.sum() == pytest.approx(total)


def test_two_rows_of_a_million_are_both_taken():
    codes = np.zeros(10**6, dtype=int)
    codes[[3, 999_999]] = 1
    rows, weight, total = stratified(codes, np.array([999_998.0, 2.0]), None, 4000, np.random.default_rng(0))
    assert set(np.flatnonzero(codes)) <= set(rows)
    assert weight[codes[rows] == 1].sum() / total == pytest.approx(2e-6)


def test_weights_of_rows_are_kept_within_a_class():
    codes = np.arange(1000) % 2
    weight = np.arange(1000.0)
    totals = np.bincount(codes, weights=weight)
    rows, taken, total = stratified(codes, totals, weight, 200, np.random.default_rng(0))
    for code in (0, 1):
        ours = codes[rows] == code
        np.testing.assert_allclose(taken[ours] / weight[rows[ours]], taken[ours][-1] / weight[rows[ours]][-1])
        assert taken[ours].sum() / total == pytest.approx(totals[code] / totals.sum())


def test_few_rows_are_not_sampled_and_many_are_in_steps_of_eight():
    assert sizes(FEWEST * SHARE - 1, (1, 10), 1e-6, sparse=False) == []
    found = sizes(10**7, (1, 51), 1e-6, sparse=False)
    assert found[0] * SHARE == pytest.approx(found[1], abs=SHARE)
    assert found[-1] <= 10**7 // SHARE
    assert sizes(200_000, (1, 100_001), 1e-6, sparse=True) == []


def test_one_row_in_32_is_sampled_where_that_is_more_than_their_number_of_columns_asks_for():
    assert sizes(10**7, (1, 3), 1e-6, sparse=False)[-1] == 10**7 / 32


def test_of_several_classes_an_eighth_comes_last_where_it_is_more_than_their_hessian_is_formed_of():
    assert sizes(300_000, (10, 51), 1e-6, sparse=False)[-2:] == [30 * 510, 37_500]
    assert sizes(200_000, (10, 51), 1e-6, sparse=False)[-1] == 30 * 510
    assert sizes(15, (3, 31), 1e-6, sparse=False) == []
    assert sizes(100_000, (10, 51), 1e-6, sparse=False)[-1] == 12_500


def test_few_weights_of_several_classes_are_sampled_as_those_of_two():
    assert sizes(100_000, (3, 3), 1e-6, sparse=False)[-1] == 100_000 // 8
    assert formed(20_000, (3, 3))
    assert formed(20_000, (1, 300))
    assert not formed(20_000, (10, 51))
    assert not formed(20_000, (1, 600))


def test_rows_chosen_in_proportion_are_as_many_as_their_shares_and_each_by_its_own():
    rng = np.random.default_rng(0)
    share = rng.exponential(0.05, 20_000)
    share[7] = 3.0
    counts = np.zeros(len(share))
    for offset in np.arange(200) / 200:
        rows = in_proportion(share, offset)
        assert abs(len(rows) - np.minimum(share, 1).sum()) <= 4
        counts[rows] += 1
    assert counts[7] == 200
    np.testing.assert_allclose(counts / 200, np.minimum(share, 1), atol=0.006)
