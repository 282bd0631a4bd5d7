"""How good answers are, in figures, beside those of the base rate of classes, or of the mean of numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.losses import mean_log_loss, probabilities

Array = NDArray[Any]


def of_classes(z: Array, codes: Array, threshold: float, weight: Array | None = None) -> dict[str, Any]:
    """Log loss, accuracy and, of two classes, area under the ROC curve of logits z, (n,) of two classes or (n, k).

    Each row counts as much as its weight, (n,), as once without; so it does in the base rate's figures.
    """
    two = z.ndim == 1
    weight = _weights(weight, len(z))
    predicted = (probabilities(z)[:, 1] > threshold).astype(int) if two else z.argmax(axis=1)
    share = np.bincount(codes, weight) / weight.sum()
    seen = share[share > 0]
    return {
        "log_loss": mean_log_loss(z, codes, weight),
        "accuracy": float(np.average(predicted == codes, weights=weight)),
        "roc_auc": _roc_auc(z, codes, weight) if two and len(seen) == 2 else None,
        "threshold": threshold,
        "base_rate_log_loss": abs(float((seen * np.log(seen)).sum())),  # of one class 0, not -0
        "base_rate_accuracy": float(share.max()),
    }


def of_numbers(z: Array, y: Array, weight: Array | None = None) -> dict[str, Any]:
    """R², None where y is constant, and root mean square error of numbers z, beside those of the mean of y.

    Each row counts as much as its weight, (n,), as once without.
    """
    weight = _weights(weight, len(z))
    share = weight / weight.sum()
    halves = y / 2 - y[0] / 2  # from one of them, so that a constant is 0 apart to its last digit
    wrong, apart = (_root_mean_square(h, share) for h in (z / 2 - y / 2, halves - (share * halves).sum()))
    return {
        "r2": 1 - (wrong / apart) ** 2 if apart > 0 else None,
        "rmse": 2 * wrong,
        "mean_r2": 0.0,
        "mean_rmse": 2 * apart,
    }


def _weights(weight: Array | None, n: int) -> Array:
    """In a unit of their largest, so that no sum of them is too large or too small."""
    return np.ones(n) if weight is None else np.asarray(weight / weight.max())


def _root_mean_square(halves: Array, share: Array) -> float:
    """In a unit near the largest, a power of two, so that no square is too large or too small."""
    unit = 2.0 ** (np.frexp(np.abs(halves).max())[1] - 1)
    return float(np.sqrt((share * (halves / unit) ** 2).sum()) * unit)


def _roc_auc(z: Array, codes: Array, weight: Array) -> float:
    """The share of pairs of one row of each class that z puts in order, ties counting half (Mann & Whitney, 1947)."""
    values, at = np.unique(z, return_inverse=True)
    others, ones = (np.bincount(at, weight * (codes == k), len(values)) for k in (0, 1))
    below = np.cumsum(others) - others / 2
    return float((ones * below).sum() / (ones.sum() * others.sum()))
