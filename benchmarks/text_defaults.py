"""Cross-validate the defaults for texts on reviews.csv and sms.csv: ``python benchmarks/text_defaults.py [FOLDER]``."""

import sys
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

from onelayer import tables
from onelayer.losses import log_loss
from onelayer.tables.encoding import TEXT_LENGTH
from onelayer.training import train


def held_out(X, y, test_X, test_y):
    fit = train(X, y, tol=1e-6)
    z = np.asarray(test_X @ fit.weights[0, :-1] + fit.weights[0, -1])
    truth = (test_y == fit.classes[1]).astype(float)
    return np.mean((z > 0) == truth), log_loss(z, truth).mean()


def main(folder):
    for name in ("reviews", "sms"):
        frame = tables.read(folder / f"{name}.csv")
        y, X = frame["label"].to_numpy(), frame.drop("label")
        for ngrams in (1, 2):
            folds = []
            for train_rows, test_rows in StratifiedKFold(5, shuffle=True, random_state=0).split(y, y):
                encoder, encoded = tables.fit(X[train_rows], ngrams=ngrams)
                folds.append((encoded.X, y[train_rows], encoder.transform(X[test_rows]).X, y[test_rows]))
            for length in (1.0, 2.0, 2.5, 3.0, 4.0, 5.0):
                scale = length / TEXT_LENGTH
                scores = [held_out(A * scale, y_a, B * scale, y_b) for A, y_a, B, y_b in folds]
                accuracy, loss = np.mean(scores, axis=0)
                print(f"{name}: ngrams {ngrams}, length {length}: accuracy {accuracy:.4f}, log loss {loss:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data"))
