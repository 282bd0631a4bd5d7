"""The choice of C: how well the fits along paths serve rows that were kept from them."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onelayer.data.labels import Labels
from onelayer.objective.losses import mean_log_loss
from onelayer.paths import FURTHER, Path, PathProblem
from onelayer.rows.threads import one_thread_per_core
from onelayer.settings import Settings

Array = NDArray[Any]
Score = Callable[[Array, Any, Labels], float]


@dataclass(frozen=True)
class Validation:
    """How well the fits along paths serve rows not seen.

    Parameters
    ----------
    Cs, l1_ratios : arrays of shapes (m,) and (r,)
    scores : array of shape (folds, r, m)
        The higher the better.
    weights : array of shape (folds, r, m, k, d + 1)
    n_iter, converged : arrays of shape (folds, r, m)
    """

    Cs: Array
    l1_ratios: Array
    scores: Array
    weights: Array
    n_iter: Array
    converged: Array

    @property
    def best(self) -> tuple[int, int]:
        """Which l1_ratio and which C have the best mean score over the folds; of equals the first, the least C.

        What has no score in some fold is not chosen.
        """
        means = self.scores.mean(axis=0)
        means[np.isnan(means)] = -np.inf
        i, j = np.unravel_index(int(means.argmax()), means.shape)
        return int(i), int(j)

    @property
    def doubts(self) -> list[str]:
        """What casts doubt on the choice, in words."""
        missed = np.argwhere(~self.converged)
        if not len(missed):
            return []
        fold, ratio, at = missed[0]
        return [
            f"{len(missed)} of {self.converged.size} fits of the cross-validation stopped without reaching tol, the "
            f"first in fold {fold + 1} at C={self.Cs[at]:.3g}, l1_ratio={self.l1_ratios[ratio]:.3g}, after "
            f"{self.n_iter[fold, ratio, at]} iterations: {FURTHER}"
        ]

    @property
    def notices(self) -> list[str]:
        """What is worth knowing of the choice, in words."""
        at, found = self.best[1], []
        if (unknown := np.isnan(self.scores)).any():
            fold, ratio, first = np.argwhere(unknown)[0]
            found.append(
                f"{unknown.sum()} of {unknown.size} scores are not a number, the first in fold {fold + 1} at "
                f"C={self.Cs[first]:.3g}, l1_ratio={self.l1_ratios[ratio]:.3g}: what lacks one is not chosen"
            )
        means = self.scores[:, self.best[0]].mean(axis=0)
        if len(self.Cs) > 1 and at in (0, len(self.Cs) - 1) and (means != means[at]).any():
            end, beyond = ("least", "smaller") if at == 0 else ("largest", "larger")
            found.append(f"the chosen C={self.Cs[at]:.3g} is the {end} one tried: {beyond} ones may serve better")
        return found


def cross_validate(
    X: Any,
    labels: Labels,
    folds: Sequence[tuple[Array, Array]],
    *,
    Cs: int | ArrayLike,
    l1_ratios: Sequence[float],
    settings: Settings,
    sample_weight: Array | None = None,
    score: Score | None = None,
) -> Validation:
    """Paths on the rows of each fold, scored on the rows kept from it; folds side by side, one thread each.

    The result is the same for any number of threads.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, d)
    labels : Labels
        Their weights, of rows and classes, count in the fits.
    folds : sequence of two arrays
        The rows to fit and those to score on.
    Cs, l1_ratios
        As in `onelayer.path`; one grid of C for all folds and ratios.
    settings : Settings
    sample_weight : array of shape (n,), optional
        Of the rows in the score, where classes have no weight.
    score : function of weights (k, d + 1), rows of X and their labels, optional
        The higher the better; None is minus the mean log loss.

    Raises
    ------
    ValueError
        If a fold's rows lack a class; if no choice has a score that is a number.
    """
    judge, counted = score or minus_log_loss, labels.weighted(sample_weight)
    _refuse_poor_folds(labels, counted, folds)
    jobs = settings.jobs
    side_by_side = min(jobs, len(folds))
    values = PathProblem.of(X, labels, settings, jobs).values(Cs, l1_ratios)

    stop = threading.Event()

    def fit(fold: tuple[Array, Array]) -> tuple[list[Path], list[list[float]]]:
        rows, kept = fold
        problem = PathProblem.of(X[rows], labels.take(rows), settings, 1 if side_by_side > 1 else jobs, stop)
        paths = [problem.along(values, ratio) for ratio in l1_ratios]
        return paths, scores_of(kept, paths) if score is None else []

    def scores_of(kept: Array, paths: list[Path]) -> list[list[float]]:
        unseen, answers = X[kept], counted.take(kept)
        return [[judge(w, unseen, answers) for w in found.weights] for found in paths]

    if side_by_side == 1:
        results = [fit(fold) for fold in folds]
    else:
        with one_thread_per_core(), ThreadPoolExecutor(side_by_side, thread_name_prefix="onelayer-fold") as pool:
            try:
                results = list(pool.map(fit, folds))
            except BaseException:  # Ctrl-C too: nobody waits for the other folds
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    paths = [found for found, _ in results]
    # what others wrote is not asked on threads: scikit-learn's scores change the process's filters of warnings
    scores = np.array(
        [known or scores_of(kept, of_fold) for (of_fold, known), (_, kept) in zip(results, folds, strict=True)]
    )
    if np.isnan(scores.mean(axis=0)).all():
        raise ValueError("the score is not a number in some fold for every C: give another scoring, or fewer folds")
    return Validation(
        values,
        np.asarray(l1_ratios, dtype=np.float64),
        scores,
        *(
            np.array([[getattr(one, name) for one in found] for found in paths])
            for name in ("weights", "n_iter", "converged")
        ),
    )


def minus_log_loss(weights: Array, X: Any, labels: Labels) -> float:
    """Minus the mean log loss of weights (k, d + 1), in nats per row."""
    z = np.asarray(X @ weights[:, :-1].T) + weights[:, -1]
    return -mean_log_loss(z, labels.codes, labels.weight)


def stratified_folds(codes: Array, folds: int, seed: int, weight: Array | None = None) -> list[tuple[Array, Array]]:
    """Rows to fit and rows to score on: each class's rows are dealt out in random order, one fold after another.

    Those without a weight come last, so that each fold has its share of those that count.

    Examples
    --------
    >>> fit, score = stratified_folds(np.array([0, 0, 1, 1]), 2, seed=0)[0]
    >>> len(fit), len(score)
    (2, 2)
    """
    of_row, rng = np.empty(len(codes), dtype=np.intp), np.random.default_rng(seed)
    dealt = 0
    for code in range(int(codes.max()) + 1):
        members = rng.permutation(np.flatnonzero(codes == code))
        if weight is not None:
            members = members[np.argsort(weight[members] == 0, kind="stable")]
        of_row[members] = (dealt + np.arange(len(members))) % folds
        dealt += len(members)
    return [(np.flatnonzero(of_row != fold), np.flatnonzero(of_row == fold)) for fold in range(folds)]


def _refuse_poor_folds(labels: Labels, counted: Labels, folds: Sequence[tuple[Array, Array]]) -> None:
    n = len(labels.codes)
    if not folds:
        raise ValueError("cv gives no folds: one or more are needed, each of rows to fit and rows to score on")
    for number, (rows, kept) in enumerate(folds, 1):
        for part in map(np.asarray, (rows, kept)):
            if part.ndim != 1 or part.dtype.kind not in "iub" or (part.dtype.kind == "b" and len(part) != n):
                raise ValueError(
                    f"fold {number} of {len(folds)} has {part!r:.60} for rows: pass their numbers, or True or False "
                    f"for each of {n}"
                )
            beyond = part[(part < -n) | (part >= n)] if part.dtype.kind in "iu" else part[:0]
            if len(beyond):
                raise ValueError(f"fold {number} of {len(folds)} has row {beyond[0]}, but there are {n}, from 0 on")
        if not counted.take(kept).totals.any():
            raise ValueError(f"fold {number} of {len(folds)} keeps no row with a weight to score on: use fewer folds")
        totals = labels.take(rows).totals
        if (totals == 0).any():
            name = labels.names[int(totals.argmin())]
            raise ValueError(
                f"fold {number} of {len(folds)} has no row of class {name!r} with a weight above 0 to fit: use "
                "folds stratified by class, and give each class two such rows or more"
            )
