"""
A column knows the answer
=========================

The days a patient spent in the ward, in a table to tell malignant tumours from benign before anybody lies there. A fit
with such a column is excellent, and useless.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer(as_frame=True)
y = data.target_names[data.target]
rng = np.random.default_rng(0)
X = data.data[["mean texture", "mean smoothness", "mean symmetry"]].copy()
honest = cross_val_score(LogisticRegression(max_iter=1000), X, y).mean()
X["days in ward"] = np.where(y == "malignant", rng.integers(1, 9, len(y)), 0)

# %%
# Cross-validation does not see it, for the column is there in every fold. It only looks like good news:

leaky = cross_val_score(LogisticRegression(max_iter=1000), X, y).mean()
print(f"accuracy {honest:.3f} without the column, {leaky:.3f} with it")

# %%
# Here the fit names the column. It cannot know what a ward is; that is for you to look at:

model = PerceptronClassifier().fit(X, y)
for notice in model.notices_:
    print(notice)
strength = model.coef_[0] * X.std().to_numpy()  # for one standard deviation
plots.weights(list(X.columns), strength, classes=model.classes_)
plt.show()
