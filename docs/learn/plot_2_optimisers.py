"""
Next step: other ways down
==========================

Descent with memory, with a rate for each weight, on a few rows at a time; and two methods that use curvature. All
eight answer the same objective on the same rows: where they arrive is the same, only the way differs.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from onelayer import PerceptronClassifier, plots

X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)
warnings.simplefilter("ignore", ConvergenceWarning)  # most are still on their way after 100
models = {}
for solver in ("newton", "lbfgs", "gd", "momentum", "nesterov", "rmsprop", "adam", "sgd"):
    models[solver] = PerceptronClassifier(solver=solver).fit(X, y)
runs = {solver: model.history_ for solver, model in models.items()}
best = min(history[-1].cost for history in runs.values())
print("solver    iterations  above the best cost by")
for solver, history in runs.items():
    print(f"{solver:9} {models[solver].n_iter_[0]:10}  {history[-1].cost / best - 1:.1e}")

# %%
# ``learning_rate="auto"`` is 1/L for the methods that step along the gradient, L being the largest curvature: of
# the steps below 2/L, none of which raises the cost, the one that promises most. What is slow is not the step but the
# shape of the cost, long and narrow where columns tell nearly the same; memory (momentum) and a rate for each weight
# (Adam) help, and curvature ends it.

first_order = {name: runs[name] for name in ("gd", "momentum", "nesterov", "adam")}
plots.cost(first_order, ylabel="cost (nats per row)")
plt.yscale("log")
plt.show()

# %%
# On which to use: leave ``solver="auto"``. The others are here to be watched, for hidden layers, and for streams
# (``partial_fit``). A callback sees every iterate, and may stop the fit by returning True:

seen = []


def look(step) -> bool:
    seen.append(round(step.cost, 4))
    return len(seen) == 5


PerceptronClassifier(solver="adam", callbacks=[look]).fit(X, y)
print(seen)
