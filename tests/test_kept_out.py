"""Rows kept out of a fit: as many as asked for, of each class, and what is said where that cannot be."""

import numpy as np
import pytest

import onelayer
from onelayer import kept_out


@pytest.mark.parametrize("share", [0.01, 0.2, 0.29, 0.5, 0.99])
@pytest.mark.parametrize("seed", range(5))
def test_as_many_as_asked_for_and_of_each_class_its_share(share, seed):
    rng = np.random.default_rng(seed)
    strata, counts = rng.permutation(np.repeat(np.arange(6), [2, 3, 9, 40, 7, 100])), rng.random(161) < 0.9
    test = kept_out.rows_of(strata, counts, share, seed)
    sizes, held = np.bincount(strata[counts], minlength=6), np.bincount(strata[test], minlength=6)
    assert not (test & ~counts).any()
    assert (held < np.maximum(sizes, 1)).all()
    assert held.sum() <= share * counts.sum() + 1e-9
    if share <= 0.5:
        assert held.sum() > share * counts.sum() - 1
        assert (np.abs(held - share * sizes) < 1 + 1e-9).all()
    np.testing.assert_array_equal(kept_out.rows_of(strata, counts, share, seed), test)


def test_equal_classes_take_turns_by_the_seed():
    strata = np.repeat(np.arange(30), 2)
    held = [kept_out.rows_of(strata, np.ones(60, dtype=bool), 0.2, seed) for seed in range(9)]
    assert {test.sum() for test in held} == {12}
    assert len({tuple(strata[test]) for test in held}) == 9


def notices(labels, **settings):
    rng = np.random.default_rng(0)
    return onelayer.fit({"x": rng.normal(size=len(labels)), "label": labels}, **settings).fitted["notices"]


@pytest.mark.parametrize(
    ("labels", "settings", "words"),
    [
        (
            ["a", "b"],
            {},
            "no row is held out to judge on, for each class has but one row, to learn from: give more rows",
        ),
        (
            [1.0],
            {"task": "regression"},
            "no row is held out to judge on, for there is but one row, to learn from: give",
        ),
        (
            ["a", "a", "b"],
            {},
            "no row is held out to judge on, for 0.2 of 3 rows is too few: give a larger share (test",
        ),
        (
            [*"abcdefghijklmnopqr", *"ss"],
            {},
            "1 row held out, where 0.2 of 20 is 4, for each class keeps a row to learn",
        ),
        (
            [*"aaaaaaaaa", "b"],
            {},
            "all rows held out are of class 'a', so that their figures say nothing of other class",
        ),
        (
            ["a", "b", "c"] * 7,
            {"C": 1e4},
            "on the rows held out the log loss is above that of the base rate alone: a str",
        ),
        (
            [0.0, 1, 0, 0] * 6,
            {"task": "regression"},
            "on the rows held out the RMSE is above that of the mean alone: a ",
        ),
    ],
)
def test_what_rows_held_out_cannot_say_is_said(labels, settings, words):
    assert any(notice.startswith(words) for notice in notices(labels, test_size=0.2, **settings))
    assert not any("held out" in notice for notice in notices(labels, **settings))
