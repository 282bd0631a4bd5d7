"""
Path of the weights
===================

Two learning rates on the surface of the cost: one bounces from wall to wall, the other walks down.
"""

import matplotlib.pyplot as plt
import numpy as np

from onelayer import guide, plots

X, Y = guide.blobs()
start = {"W": np.zeros((1, 2)), "b": np.zeros((1, 1))}
paths = {}
for rate in (1.2, 0.12):
    steps = [p for p, _ in zip(guide.descent(X, Y, start, rate), range(60), strict=False)]
    paths[f"rate {rate}"] = [np.append(p["W"][0], p["b"][0]) for p, cost in steps]
plots.weight_path(paths, X.T, Y[0])
plt.show()
