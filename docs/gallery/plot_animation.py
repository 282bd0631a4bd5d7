"""
A boundary being learnt
=======================

Gradient descent in scaled columns, from weights of zero: the line turns at once, then walks to its place, and the
shade beside it narrows as the neuron becomes surer.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

from onelayer import PerceptronClassifier, guide, plots

X, Y = guide.blobs()
path, costs = [], []


def keep(step) -> None:
    path.append(step.weights())
    costs.append(step.cost)


model = PerceptronClassifier(solver="gd", max_iter=150, callbacks=[keep])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is still on its way, and says so
    model.fit(X.T, Y[0])
shown = [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 64, 80, 100, 125, 150]
plots.animation(
    np.array(path)[shown],
    X.T,
    Y[0],
    "learning.gif",
    steps=shown,
    costs=np.array(costs)[shown],
    per_second=4,
    classes=(0, 1),
)
plt.show()
