"""Rows kept out of a fit to judge it on: which, and what to say where they are few, of one class, or answered badly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.counting import counted

Array = NDArray[Any]

WORSE = 1.01  # times: what is said to be worse
LARGER = "a larger share (test_size=, --test-size)"


def rows_of(strata: Array, counts: Array, share: float, seed: int) -> Array:
    """A share of the rows that count, in whole rows and no more, at random, and of each stratum as near to it.

    Rows that are left over when each stratum's share is rounded down are taken from those that have lost most by it
    (the method of the largest remainder), but no stratum loses its last row.

    Examples
    --------
    >>> rows_of(np.array([0, 0, 0, 1, 1]), np.ones(5, dtype=bool), 0.4, seed=0).sum()
    np.int64(2)
    """
    test, rng = np.zeros(len(strata), dtype=bool), np.random.default_rng(seed)
    known, sizes = np.unique(strata[counts], return_counts=True)
    quota = share * sizes
    taken = np.minimum(_whole(quota), sizes - 1)
    order = np.lexsort((np.random.default_rng([seed, 1]).random(len(sizes)), taken - quota))  # equals in any order
    room = [k for k in order if taken[k] < sizes[k] - 1]
    taken[room[: int(_whole(quota.sum()) - taken.sum())]] += 1
    for stratum, count in zip(known, taken, strict=True):
        rows = np.flatnonzero((strata == stratum) & counts)
        test[rng.permutation(rows)[:count]] = True
    return test


def doubts(strata: Array, counts: Array, test: Array, share: float, classes: Sequence[str]) -> list[str]:
    """What to say of rows kept out that are fewer than asked for, or of one class only."""
    rows, held = int(counts.sum()), int(test.sum())
    if held == 0 < share:
        why = f"{share:g} of {counted(rows, 'row')} is too few: give {LARGER}"
        if rows == len(np.unique(strata[counts])):
            why = f"{'each class has' if classes else 'there is'} but one row, to learn from: give more rows"
        return [f"no row is held out to judge on, for {why}"]
    said, asked = [], int(_whole(np.array(share * rows)))
    if held < asked:
        said.append(
            f"{counted(held, 'row')} held out, where {share:g} of {rows:,} is {asked:,}, for each class keeps a row to "
            "learn from: give more rows, or drop rare classes"
        )
    if held and classes and len(seen := np.unique(strata[test])) == 1:
        said.append(
            f"all rows held out are of class {classes[seen[0]]!r}, so that their figures say nothing of other classes: "
            f"give more rows, or {LARGER}"
        )
    return said


def doubts_of_answers(quality: dict[str, Any]) -> list[str]:
    """What to say where rows kept out are answered worse than without any feature."""
    what, beside = ("RMSE", "mean") if "rmse" in quality else ("log loss", "base rate")
    figure = "rmse" if "rmse" in quality else "log_loss"
    # rows held out have a mean of their own, which no model knows
    if quality[figure] <= WORSE * quality[f"{beside.replace(' ', '_')}_{figure}"]:
        return []
    return [
        f"on the rows held out the {what} is above that of the {beside} alone: a stronger penalty (a smaller C=, --C), "
        "fewer features or more rows may help"
    ]


def _whole(rows: Array) -> Array:
    return np.floor(rows + 1e-9).astype(int)  # 0.29 of 100 is 29, not 28.999…
