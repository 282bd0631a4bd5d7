"""Cross-validate the defaults for texts on reviews.csv and sms.csv: ``python benchmarks/text_defaults.py [FOLDER]``.

Five stratified folds; beside them scikit-learn's TfidfVectorizer(sublinear_tf=True) and LogisticRegression().
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from onelayer import tables
from onelayer.fits.training import train
from onelayer.objective.losses import log_loss
from onelayer.tables.lexicon import Lexicon
from onelayer.tables.texts import RUN_WEIGHT, learn, tf_idf

WEIGHTS, LENGTHS = (0.35, 0.5, 0.6, 0.7, 1.0), (2.5, 3.0, 3.5, 4.0)


def features(texts, test_texts, ngrams):
    """Counts of both, and the weights of the terms at several weights of runs."""
    vocabulary, counts = learn(texts, ngrams, 200_000)
    runs = np.array([" " in name for name in vocabulary.names])
    at_one = vocabulary.weights(len(texts)) / np.where(runs, RUN_WEIGHT, 1)
    return counts, Lexicon.of(vocabulary.names).count(test_texts), lambda weight: at_one * np.where(runs, weight, 1)


def held_out(X, y, test_X, test_y):
    fit = train(X, y, tol=1e-6)
    z = np.asarray(test_X @ fit.weights[0, :-1] + fit.weights[0, -1])
    return judged(z, test_y == fit.classes[1])


def judged(z, truth):
    return np.mean((z > 0) == truth), log_loss(z, truth.astype(float)).mean()


def of_scikit_learn(texts, y, test_texts, test_y):
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression()).fit(texts.to_list(), y)
    return judged(model.decision_function(test_texts.to_list()), test_y == model.classes_[1])


def main(folder):
    for name in ("reviews", "sms"):
        frame = tables.read(folder / f"{name}.csv")
        y, texts, scores = frame["label"].to_numpy(), frame["text"], {}
        for rows, test in StratifiedKFold(5, shuffle=True, random_state=0).split(y, y):
            scores.setdefault("scikit-learn", []).append(of_scikit_learn(texts[rows], y[rows], texts[test], y[test]))
            for ngrams in (1, 2):
                counts, test_counts, weights = features(texts[rows], texts[test], ngrams)
                for weight in WEIGHTS if ngrams > 1 else (1.0,):
                    for length in LENGTHS:
                        X, test_X = (tf_idf(c, weights(weight), length) for c in (counts, test_counts))
                        key = f"runs of {ngrams}, weighing {weight}, length {length}"
                        scores.setdefault(key, []).append(held_out(X, y[rows], test_X, y[test]))
        for key, folds in scores.items():
            accuracy, loss = np.mean(folds, axis=0)
            print(f"{name}: {key}: accuracy {accuracy:.4f}, log loss {loss:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data"))
