"""Problems meant to break a fit, ours alone: ``python benchmarks/odd.py [--count N] [--seed S]``.

Columns as in ``drawn.py``, and then, of some: units from a thousandth to a thousand, cubes, columns twice over, means
far from nought; two to five classes, row and class weights, no bias, any mix of penalties, C from 1e-3 to 1e4. A line
is printed for each fit that does not converge, whose gap is not what one to 1e-9 shows, that ends in an exception, or
takes more than three seconds; and at the end how many there were of each.
"""

import argparse
import time
import warnings
from collections import Counter
from typing import Any

import numpy as np
import scipy.sparse as sp
from drawn import KINDS, Rng

from onelayer.fits.training import train

CELLS = 4e5
SLOW = 3.0  # seconds
TOL, EXACT = 1e-6, 1e-9
ROUNDING = 1e-12  # of the cost


def odd_columns(rng: Rng) -> Any:
    """Rows of one of the kinds of columns, whole or with an oddity."""
    kind = KINDS[str(rng.choice(list(KINDS)))]
    n, d = int(10 ** rng.uniform(1.2, 3.7)), int(10 ** rng.uniform(0.3, 3.4))
    X = kind(rng, max(12, min(n, int(CELLS / d))), d)
    oddity = rng.choice(["units", "cubes", "twice", "far", "none"], p=[0.25, 0.15, 0.1, 0.1, 0.4])
    if oddity == "units":
        units = 10.0 ** rng.uniform(-3, 3, X.shape[1])
        return X * units if isinstance(X, np.ndarray) else (X @ sp.diags(units)).tocsr()
    if not isinstance(X, np.ndarray) or oddity == "none":
        return X
    if oddity == "cubes":
        return X**3
    return np.repeat(X, 2, axis=1) if oddity == "twice" else X + 100 * rng.standard_normal(X.shape[1])


def draw(rng: Rng) -> tuple[Any, np.ndarray, dict[str, Any]]:
    """Rows, labels of two classes or more, and settings of a fit."""
    while True:
        X, classes = odd_columns(rng), int(rng.choice([2, 2, 2, 3, 5]))
        n, d = X.shape
        square = X.multiply(X) if sp.issparse(X) else X * X
        spread = np.sqrt(np.asarray(square.mean(axis=0)).ravel()) + 1e-12
        matter = rng.random((d, 1)) < 10 ** rng.uniform(-2, 0)
        scores = np.asarray(X @ (rng.standard_normal((d, classes)) * matter / spread[:, None]))
        scores *= 10 ** rng.uniform(-1, 1) / (scores.std() + 1e-12)
        y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
        settings = {
            "C": float(10 ** rng.uniform(-3, 4)),
            "l1_ratio": float(rng.choice([0, 0.3, 0.9, 1, 1])),
            "sample_weight": None if rng.random() < 0.7 else rng.exponential(1, n),
            "class_weight": None if rng.random() < 0.8 else "balanced",
            "fit_intercept": bool(rng.random() < 0.85),
        }
        if len(np.unique(y)) > 1:
            return X, y, settings


def faults(X: Any, y: np.ndarray, settings: dict[str, Any]) -> dict[str, str]:
    """What is wrong with our fit, in words; empty where nothing is."""
    start = time.perf_counter()
    try:
        fit = train(X, y, tol=TOL, **settings)
    except Exception as error:  # whatever it is, it is what is looked for
        return {"exception": f"{type(error).__name__}: {error}"}
    seconds = time.perf_counter() - start
    found = {}
    if not fit.converged:
        found["not converged"] = f"gap {fit.optimality_gap:.1e}, {fit.gap_kind}"
    if seconds > SLOW:
        found["slow"] = f"{seconds:.1f} s"
    cost, best = fit.history[-1].cost, train(X, y, tol=EXACT, **settings).history[-1].cost
    true = (cost - best) / cost
    if true > max(fit.optimality_gap * (1.0 if fit.gap_kind == "bound" else 2.0), ROUNDING):
        found["gap untrue"] = f"{true:.1e}, and {fit.optimality_gap:.1e} was said, {fit.gap_kind}"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="how many problems are drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="the number of the first")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    many: Counter[str] = Counter()
    for number in range(options.start, options.start + options.count):
        X, y, settings = draw(np.random.default_rng([options.seed, number]))
        found = faults(X, y, settings)
        many.update(found.keys())
        if found:
            weights = "no" if settings.pop("sample_weight") is None else "row"
            words = ", ".join(f"{name} {value}" for name, value in settings.items())
            shape = f"{'sparse' if sp.issparse(X) else 'dense'} {X.shape[0]} × {X.shape[1]}"
            print(f"{number:4} {shape}, {len(np.unique(y))} classes, {weights} weights, {words}")
            for fault, said in found.items():
                print(f"     {fault}: {said}", flush=True)
    print(f"{options.count} problems: " + (", ".join(f"{n} {name}" for name, n in many.items()) or "nothing found"))


if __name__ == "__main__":
    main()
