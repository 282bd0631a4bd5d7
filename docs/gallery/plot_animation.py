"""
A boundary being learnt
=======================

The line at each of thirty steps of gradient descent, as a GIF beside this program.
"""

import matplotlib.pyplot as plt
import numpy as np

from onelayer import guide, plots

X, Y = guide.blobs()
start = {"W": np.zeros((1, 2)), "b": np.zeros((1, 1))}
steps = [p for p, _ in zip(guide.descent(X, Y, start, 0.12), range(30), strict=False)]
path = [np.append(p["W"][0], p["b"][0]) for p, cost in steps]
plots.animation(path, X.T, Y[0], "learning.gif", costs=[cost for p, cost in steps])
plt.show()
