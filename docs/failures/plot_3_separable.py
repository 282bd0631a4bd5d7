"""
The classes are separable
=========================

Where a line parts the classes without an error, making the weights larger makes every probability better, for
ever. There is no best fit, only a loop that stops somewhere.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.api as sm
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from onelayer import PerceptronClassifier, plots

iris = load_iris(as_frame=True)
rows = iris.target < 2
X, y = iris.data[rows], iris.target_names[iris.target[rows]]

# %%
# scikit-learn says nothing. The weights are where its tolerance happened to stop it, and another tolerance gives
# others:

for tol in (1e-4, 1e-8):
    other = LogisticRegression(C=np.inf, tol=tol, max_iter=1000).fit(X, y)
    largest = abs(other.coef_).max()
    print(f"tol {tol:.0e}: {other.n_iter_[0]} iterations, largest weight {largest:.1f}")

# %%
# statsmodels warns, at every iteration (shown once), without saying of what:

warnings.simplefilter("once")
print(sm.Logit(y == "versicolor", sm.add_constant(X)).fit(disp=0).params.round(1).to_dict())

# %%
# Here the column is named:

unpenalised = PerceptronClassifier(C=np.inf).fit(X, y)
print("converged", unpenalised.converged_)

# %%
# With a penalty there is a best fit, and it is found; that a column gives the answer away is still worth a word:

model = PerceptronClassifier().fit(X, y)
print("converged", model.converged_, "within", f"{model.optimality_gap_:.0e}")
for notice in model.notices_:
    print(notice)
plots.projection(model, X, y)
plt.show()
