"""
The rate is too high
====================

A step that is too long lands higher on the other side. The usual loop does not look back; this one says so, and
how long a step may be.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier, guide, plots

X, Y = guide.blobs()
np.random.seed(3)
guide.nn_model(X, Y, num_iterations=100, learning_rate=1.2)

# %%
# What it looks like from above:

start = {"W": np.zeros((1, 2)), "b": np.zeros((1, 1))}
paths = {}
for rate in (1.2, 0.12):
    steps = [p for (p, _), _ in zip(guide.descent(X, Y, start, rate), range(60), strict=False)]
    paths[f"rate {rate}"] = [np.append(p["W"][0], p["b"][0]) for p in steps]
plots.weight_path(paths, X.T, Y[0])
plt.show()

# %%
# On these points the leaps end by themselves, after 75 steps: the clouds hardly overlap, and far out the cost is flat
# enough. Turn one label in ten around, and it was luck:

turned = np.where(np.random.default_rng(0).random(Y.shape) < 0.1, 1 - Y, Y)
for rate in (1.2, 0.12):
    steps = guide.descent(X, turned, start, rate)
    costs = [cost for (_, cost), _ in zip(steps, range(1001), strict=False)]
    rose = np.count_nonzero(np.diff(costs) > 0)
    print(
        f"rate {rate}: the cost rose in {rose} of 1000 steps, the last two {np.round(costs[-2:], 2)}"
    )

# %%
# At a rate beyond reason the weights leave double precision. That is an error, not weights full of NaN:

try:
    guide.nn_model(X, Y, num_iterations=100, learning_rate=1e306)
except ValueError as error:
    print(error)

# %%
# The estimator keeps the best weights it has seen, and says which rates lead on:

columns, labels = load_breast_cancer(return_X_y=True)
model = PerceptronClassifier(solver="gd", learning_rate=3).fit(columns, labels)
print("converged", model.converged_, "accuracy", round(model.score(columns, labels), 3))
print(
    f"cost kept {model.history_[-1].cost:.2f}, of the last step {model.history_[-2].cost:.0e}"
)
