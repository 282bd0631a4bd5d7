"""The data sets of the speed tables, each by its name: ``WORKLOADS["tall"].load()`` is X and y.

Synthetic ones are drawn from a seed, 1 for the tables; tune with others. Real ones are read from the folder of
``reviews.csv`` and ``adult.csv`` (``ONELAYER_DATA``, or ``shared/data`` beside the repository) and left out without it.
Sets are kept on disk from one process to the next: a process that only loads them has no other peak of memory.
"""

import csv
import os
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import expit

DATA = Path(os.environ.get("ONELAYER_DATA", Path(__file__).parents[2] / "shared" / "data"))
KEPT = Path(tempfile.gettempdir()) / "onelayer-benchmarks"


@dataclass(frozen=True)
class Workload:
    """A data set, and the problem posed on it: C, l1_ratio, and a smaller set of the same kind for rehearsals."""

    name: str
    title: str
    draw: Callable[[int], tuple[Any, np.ndarray]]
    rehearsal: Callable[[int], tuple[Any, np.ndarray]]
    C: float = 1.0
    l1_ratio: float = 0.0
    needs: str | None = None  # a file of DATA

    @property
    def available(self) -> bool:
        return self.needs is None or (DATA / self.needs).exists()

    def load(self, seed: int = 1) -> tuple[Any, np.ndarray]:
        """X and y, drawn at the first time and kept on disk for as long as this file does not change."""
        edition = zlib.crc32(Path(__file__).read_bytes())
        path = KEPT / f"{self.name.removeprefix('l1-')}-{seed}-{edition:08x}.npz"
        if not path.exists():
            KEPT.mkdir(exist_ok=True)
            _save(path, *self.draw(seed))
        return _load(path)


def data_bytes(X: Any) -> int:
    return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes if sp.issparse(X) else X.nbytes


def dense(n: int, d: int, seed: int, dtype: str = "float64", correlation: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian columns of variance 1, each pair correlated alike; labels of a planted neuron."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((n, d), dtype=np.float32)
    X = own.astype(dtype)  # single draws widened, so that both precisions hold the same table
    X *= np.sqrt(1 - correlation)
    X += (np.sqrt(correlation) * rng.standard_normal((n, 1))).astype(dtype)
    return X, _planted_labels(X, rng)


def blobs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The two clouds of points of the guide, grown."""
    from sklearn.datasets import make_blobs

    return make_blobs(n, centers=([2.5, 3], [6.7, 7.9]), cluster_std=1.4, random_state=seed)


def zipf_text(n: int, d: int, words: int, seed: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Texts of as many words each, their ranks by Zipf's law of exponent 1.3, weighted like tf-idf, of length 1."""
    rng = np.random.default_rng(seed)
    ranks = (rng.zipf(1.3, size=(n, words)) - 1) % d
    counts = rng.random((n, words)) + 0.2
    X = sp.csr_matrix((counts.ravel(), ranks.ravel(), np.arange(n + 1) * words), shape=(n, d))
    X.sum_duplicates()
    rarity = np.log(n / (1 + np.bincount(X.indices, minlength=d))) + 1
    X = (X @ sp.diags(rarity)).tocsr()
    lengths = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    X = (sp.diags(1 / lengths) @ X).tocsr()
    uniform = rng.random(n)  # before the weights: the order of the draws is part of the definition
    return X, (uniform < expit(X @ (rng.standard_normal(d) * 4.5))).astype(int)


def one_hot(n: int, levels: int, seed: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """One category, its levels by Zipf's law and most of them rare, beside three numbers."""
    rng = np.random.default_rng(seed)
    level = rng.zipf(1.6, n) % levels
    indicators = sp.csr_matrix((np.ones(n), (np.arange(n), level)), shape=(n, levels))
    X = sp.hstack([indicators, sp.csr_matrix(rng.standard_normal((n, 3)))]).tocsr()
    z = X @ (1.5 * rng.standard_normal(X.shape[1]))
    return X, (z + rng.logistic(size=n) > 1).astype(int)


def repeated(n: int, distinct: int, seed: int, d: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Rows of zeros and ones, only so many of them distinct; each has a label of its own."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 2, (distinct, d)).astype(float)
    X = kinds[rng.integers(0, distinct, n)]
    return X, _planted_labels(X, rng)


def classes(n: int, d: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Independent Gaussian columns; classes drawn from a planted softmax."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    z = X @ (rng.standard_normal((d, k)) * 1.5 / np.sqrt(d))
    return X, (z + rng.gumbel(size=z.shape)).argmax(axis=1)


def digits(seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16, y


def reviews(seed: int) -> tuple[sp.csr_matrix, np.ndarray]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = _table("reviews.csv")
    return TfidfVectorizer().fit_transform([row["text"] for row in rows]), _codes([row["label"] for row in rows])


def adult(seed: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Numbers centred and scaled, a column for each value of a category."""
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rows = _table("adult.csv")
    names = [name for name in rows[0] if name != "income"]
    numbers = [i for i, name in enumerate(names) if _is_number(rows[0][name])]
    table = np.array([[row[name] for name in names] for row in rows], dtype=object)
    encoder = make_column_transformer(
        (StandardScaler(), numbers), remainder=OneHotEncoder(sparse_output=True), sparse_threshold=1.0
    )
    return sp.csr_matrix(encoder.fit_transform(table)), _codes([row["income"] for row in rows])


def _planted_labels(X: Any, rng: np.random.Generator) -> np.ndarray:
    w = rng.standard_normal(X.shape[1]) * 2.0 / np.sqrt(X.shape[1])
    return _coin(rng, expit(X @ w - 0.7))


def _coin(rng: np.random.Generator, chance: np.ndarray) -> np.ndarray:
    return (rng.random(len(chance)) < chance).astype(int)


def _table(name: str) -> list[dict[str, str]]:
    with open(DATA / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _codes(labels: list[str]) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1]


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).lstrip("-").isdigit()


def _save(path: Path, X: Any, y: np.ndarray) -> None:
    parts = {"data": X.data, "indices": X.indices, "indptr": X.indptr, "shape": X.shape} if sp.issparse(X) else {"X": X}
    unfinished = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(unfinished, y=y, **parts)
    unfinished.replace(path)


def _load(path: Path) -> tuple[Any, np.ndarray]:
    with np.load(path) as kept:
        if "X" in kept:
            return kept["X"], kept["y"]
        parts = tuple(kept[part] for part in ("data", "indices", "indptr"))
        return sp.csr_matrix(parts, shape=tuple(kept["shape"]), copy=False), kept["y"]


def _part(draw: Callable[[int], tuple[Any, np.ndarray]], rows: int) -> Callable[[int], tuple[Any, np.ndarray]]:
    """Some rows of a real set, without the columns that are empty in them."""

    def rehearsal(seed: int) -> tuple[Any, np.ndarray]:
        X, y = draw(seed)
        chosen = np.random.default_rng(seed).choice(len(y), rows, replace=False)
        X = X[chosen]
        return X[:, np.flatnonzero(np.asarray(abs(X).sum(axis=0)).ravel())], y[chosen]

    return rehearsal


def _tall(seed: int) -> tuple[np.ndarray, np.ndarray]:
    return dense(1_000_000, 50, seed)


def _broad(seed: int) -> tuple[np.ndarray, np.ndarray]:
    return dense(20_000, 1000, seed)


def _zipf(seed: int) -> tuple[sp.csr_matrix, np.ndarray]:
    return zipf_text(200_000, 100_000, 80, seed)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("tall", "dense 1e6 × 50, float64", _tall, lambda seed: dense(2000, 10, seed)),
        Workload(
            "tall-float32",
            "the same in float32",
            lambda seed: dense(1_000_000, 50, seed, "float32"),
            lambda seed: dense(2000, 10, seed, "float32"),
        ),
        Workload("blobs", "blobs 5e6 × 2", lambda seed: blobs(5_000_000, seed), lambda seed: blobs(2000, seed)),
        Workload("broad", "dense 2e4 × 1000", _broad, lambda seed: dense(500, 40, seed)),
        Workload("adult", "adult, one-hot, 30,162 × 104", adult, _part(adult, 2000), needs="adult.csv"),
        Workload("reviews", "reviews, tf-idf, 10,662 × 18,330", reviews, _part(reviews, 300), needs="reviews.csv"),
        Workload("zipf", "Zipf text 2e5 × 1e5", _zipf, lambda seed: zipf_text(500, 300, 20, seed)),
        Workload("digits", "digits, 1,797 × 64, ten classes", digits, _part(digits, 400)),
        Workload(
            "softmax",
            "softmax 2e5 × 50, ten classes",
            lambda seed: classes(200_000, 50, 10, seed),
            lambda seed: classes(1000, 8, 4, seed),
        ),
        Workload("l1-reviews", "L1, C = 1, reviews", reviews, _part(reviews, 300), l1_ratio=1.0, needs="reviews.csv"),
        Workload(
            "l1-broad", "L1, C = 0.01, dense 2e4 × 1000", _broad, lambda seed: dense(500, 40, seed), 0.01, l1_ratio=1.0
        ),
        Workload("l1-zipf", "L1, C = 1, Zipf text", _zipf, lambda seed: zipf_text(500, 300, 20, seed), l1_ratio=1.0),
        Workload("tiny", "30 × 2", lambda seed: blobs(30, seed), lambda seed: blobs(30, seed)),
        Workload("small", "1,000 × 20", lambda seed: dense(1000, 20, seed), lambda seed: dense(1000, 20, seed)),
        Workload("wide", "200 × 20,000", lambda seed: dense(200, 20_000, seed), lambda seed: dense(30, 200, seed)),
        Workload(
            "one-hot",
            "1e5 rows, 5,000 one-hot levels",
            lambda seed: one_hot(100_000, 5_000, seed),
            lambda seed: one_hot(1000, 50, seed),
        ),
        Workload(
            "repeated",
            "1e6 rows, 2,000 distinct",
            lambda seed: repeated(1_000_000, 2_000, seed),
            lambda seed: repeated(2000, 50, seed),
        ),
    )
}
