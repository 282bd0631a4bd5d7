"""
Cost and gap of two solvers
===========================

Gradient descent and Newton on the same rows: the cost at each iteration, and the gap against time.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier, plots

X, y = load_breast_cancer(return_X_y=True)
histories = {}
for solver in ("newton", "gd"):
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # gradient descent does not converge in 100 steps, and says so
        for _ in range(
            2
        ):  # the first fit loads what it needs, the second one's time is its own
            histories[solver] = PerceptronClassifier(solver=solver).fit(X, y).history_
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
plots.cost(histories, ylabel="cost (nats per row)", ax=left)
plots.gap(histories, ax=right)
plt.show()
