"""Five stratified folds of reviews.csv and adult.csv with the defaults: ``python benchmarks/five_fold.py [FOLDER]``."""

import sys
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

import onelayer
from onelayer import tables


def main(folder):
    for name, target in (("reviews", "label"), ("adult", "income")):
        frame = tables.read(folder / f"{name}.csv")
        y = frame[target].to_numpy()
        folds = StratifiedKFold(5, shuffle=True, random_state=0).split(y, y)
        results = [onelayer.fit(frame[a], target).evaluate(frame[b]) for a, b in folds]
        accuracy, loss = (np.mean([result[key] for result in results]) for key in ("accuracy", "log_loss"))
        print(f"{name}: accuracy {accuracy:.4f}, log loss {loss:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data"))
