"""Hidden layers against scikit-learn's MLPClassifier: seconds until its best held-out log loss is reached.

``python benchmarks/networks.py [REPEATS [NAME]]``. The peer is watched epoch by epoch (``partial_fit``, its own time
only, BLAS at one thread, which suits its small products best) on columns standardised beforehand for it, and counts
until the epoch of its least held-out log loss. Ours starts from the raw columns, and counts until a callback sees
weights that serve as well: once with the defaults, which do not see the rows held out, and once with these as
``eval_set``, as early stopping is used. Beside stand the whole fit's seconds and log loss. Interleaved; medians. A
ratio is the peer's time to ours.
"""

import statistics
import sys
import time

import numpy as np
from sklearn.datasets import load_digits, make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from onelayer import PerceptronClassifier
from onelayer.fits import face

ROWS, COLUMNS = 100_000, 50


def planted(hidden, seed=1):
    """Labels of a linear model, or of a network of eight neurons, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS + 20_000, COLUMNS))
    W = rng.standard_normal((COLUMNS, 8)) * 2 / np.sqrt(COLUMNS)
    z = np.tanh(X @ W) @ (rng.standard_normal(8) * 2) if hidden else X @ W[:, 0]
    return X, (z + rng.logistic(size=len(z)) > 0).astype(int)


def problems():
    """Name, data, rows held out, hidden layers, epochs after which the peer is past its best or has had its time."""
    clusters = make_classification(ROWS + 20_000, COLUMNS, n_informative=20, n_clusters_per_class=4, random_state=0)
    yield "digits", load_digits(return_X_y=True), 360, (32, 32), 150
    yield "digits", load_digits(return_X_y=True), 360, (100,), 150
    yield "linear", planted(hidden=False), 20_000, (16,), 20
    yield "network", planted(hidden=True), 20_000, (16,), 40
    yield "clusters", clusters, 20_000, (16,), 40


def peers_best(X, y, X_held, y_held, hidden, activation, epochs, seed):
    """Its least held-out log loss, and the seconds of fitting until then."""
    scaler = StandardScaler().fit(X)
    X, X_held = scaler.transform(X), scaler.transform(X_held)
    peer, seconds, seen = MLPClassifier(hidden, activation=activation, random_state=seed), 0.0, []
    with threadpool_limits(1):
        for _ in range(epochs):
            start = time.perf_counter()
            peer.partial_fit(X, y, classes=np.unique(y))
            seconds += time.perf_counter() - start
            seen.append((log_loss(y_held, peer.predict_proba(X_held)), seconds))
    return min(seen)


def ours(X, y, X_held, y_held, hidden, activation, seed, goal, *, watched):
    """Seconds of a fit until the goal is reached, of all of it, and its held-out log loss."""
    seen = []
    model = PerceptronClassifier(
        hidden_layer_sizes=hidden,
        activation=activation,
        random_state=seed,
        callbacks=[lambda entry: seen.append((entry.seconds, entry.weights()))],
    )
    start = time.perf_counter()
    model.fit(X, y, eval_set=(X_held, y_held) if watched else None)
    whole = time.perf_counter() - start
    end = log_loss(y_held, model.predict_proba(X_held))
    for seconds, stack in seen:
        face.keep_weights(model, stack)
        if log_loss(y_held, model.predict_proba(X_held)) <= goal:
            return seconds, whole, end
    return np.inf, whole, end


def main(repeats, only=None):
    for name, (X, y), held, hidden, epochs in problems():
        if only not in (None, name):
            continue
        X, X_held, y, y_held = train_test_split(X, y, test_size=held, random_state=0, stratify=y)
        for activation in ("relu", "tanh"):
            data, results = (X, y, X_held, y_held, hidden, activation), []
            for seed in range(repeats):
                best, seconds = peers_best(*data, epochs, seed)
                fits = [ours(*data, seed, best, watched=watched) for watched in (False, True)]
                results.append((best, seconds, *fits[0], *fits[1]))
            best, theirs, *found = (statistics.median(column) for column in zip(*results, strict=True))
            print(f"{name} {len(X)} x {X.shape[1]} {hidden} {activation}: MLPClassifier's {best:.4f} in {theirs:.2f} s")
            for what, (reached, whole, end) in zip(("defaults", "eval_set"), (found[:3], found[3:]), strict=True):
                ratio = f"in {reached:.2f} s, ratio {theirs / reached:.1f}" if np.isfinite(reached) else "not reached"
                print(f"    {what}: {ratio}; the whole fit {end:.4f} in {whole:.2f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, *sys.argv[2:3])
