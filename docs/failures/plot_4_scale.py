"""
One column is in other units
============================

Write one of thirty measurements in nanometres. Nothing about the tumours has changed, and a linear model can undo
it by one weight. A solver that looks at raw columns cannot.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression, SGDClassifier

from onelayer import PerceptronClassifier, guide, plots

data = load_breast_cancer(as_frame=True)
X, y = data.data.copy(), data.target_names[data.target]
X["mean radius"] *= 1e8

for name, other in (
    ("LogisticRegression", LogisticRegression()),
    ("SGDClassifier", SGDClassifier(loss="log_loss", random_state=0)),
    ("PerceptronClassifier", PerceptronClassifier()),
):
    other.fit(X, y)
    print(f"{name:21} accuracy {other.score(X, y):.3f}")

# %%
# The first two said nothing: no warning, no note. The last works in columns that are centred and scaled inside,
# with the penalty kept in your units, so it solves the objective you asked for; and it says how near it came:

model = PerceptronClassifier().fit(X, y)
print(model.converged_, f"{model.optimality_gap_:.0e}", model.gap_kind_)

# %%
# The same by gradient descent: in raw columns the stable rate is so small that nothing moves; in scaled ones it
# arrives.

print("stable rate in raw columns", guide.stable_rate(X.to_numpy().T))
descent = PerceptronClassifier(solver="gd", max_iter=300).fit(X, y)
print("accuracy after 300 steps in scaled ones", round(descent.score(X, y), 3))
plots.cost({"newton": model.history_, "gd": descent.history_}, ylabel="cost (nats per row)")
plt.show()
