"""The picture in README.md: ``python docs/picture.py [FILE]`` draws what one neuron learns of 569 tumours."""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier, plots

PAIR = ("mean radius", "mean concave points")


def main(path: Path) -> None:
    data = load_breast_cancer()
    X = data.data[:, [list(data.feature_names).index(name) for name in PAIR]]
    y = data.target_names[data.target]
    model = PerceptronClassifier(C=np.inf).fit(X, y)
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    plots.decision_boundary(
        model.coef_[0],
        model.intercept_[0],
        X,
        (y == model.classes_[1]).astype(int),
        names=PAIR,
        classes=model.classes_,
        ax=figure.add_subplot(),
    )
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("picture.png"))
