r"""
Regression and classification
=============================

The same neuron predicts numbers. Leave the sigmoid out, take the squared error for the loss, and the backward pass is
the same to the letter: :math:`(A - Y) X^T / m`. What differs is the way forward, and what the answer means.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge

from onelayer import PerceptronClassifier, PerceptronRegressor, plots

rng = np.random.default_rng(0)
hours = rng.uniform(0, 10, (80, 1))  # of study
points = 20 + 6 * hours[:, 0] + rng.normal(0, 10, 80)  # in the examination
passed = np.where(points > 50, "passed", "failed")

regression = PerceptronRegressor(C=np.inf).fit(hours, points)
classification = PerceptronClassifier(C=np.inf, tol=1e-14).fit(hours, passed)
half = -classification.intercept_[0] / classification.coef_[0, 0]

# %%
line = np.linspace(0, 10, 200)[:, None]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.plot(hours, points, "o", color=plots.BLUE, alpha=0.6)
left.plot(line, regression.predict(line), color="black", linewidth=2)
left.set(title="regression", xlabel="hours", ylabel="points")
right.plot(hours, passed == "passed", "o", color=plots.BLUE, alpha=0.6)
right.plot(line, classification.predict_proba(line)[:, 1], color="black", linewidth=2)
right.axvline(
    half, color=plots.VERMILLION, linestyle="--", label=f"one half, at {half:.2f} hours"
)
right.set(title="classification", xlabel="hours", ylabel="probability of passing")
right.legend(loc="center right")
plt.show()

# %%
# Side by side
# ------------
#
# What stands here in figures was computed from the two fits:

cost, nats = regression.history_[-1].cost, classification.history_[-1].cost
weight, slope = regression.coef_[0], classification.coef_[0, 0]
after_5, chance_5 = regression.predict([[5.0]])[0], classification.predict_proba([[5.0]])[0, 1]
print(f"""
               regression                 classification
output         a number                   a class, {" or ".join(classification.classes_)}
activation     identity, a = z            sigmoid, a = 1 / (1 + exp(-z))
loss           (a - y)² / 2               -log of what the truth was given
least cost     {f"{cost:.1f} points²":26} {nats:.3f} nats
weight         {f"{weight:+.2f} points an hour":26} {slope:+.2f} nats an hour
after 5 hours  {f"{after_5:.1f} points":26} passed with probability {chance_5:.2f}
decision rule  none                       passed from {half:.2f} hours on
""")

# %%
# One backward pass
# -----------------
#
# At both optima :math:`(A - Y) X^T` is zero, the same formula with another A:

a, y = regression.predict(hours), points
print(f"regression      {(a - y) @ hours[:, 0] / len(hours):+.0e}")
a, y = classification.predict_proba(hours)[:, 1], passed == "passed"
print(f"classification  {(a - y) @ hours[:, 0] / len(hours):+.0e}")

# %%
# Scikit-learn's Ridge
# --------------------
#
# The objective is the same, :math:`C \sum (a - y)^2 / 2 + \lVert w \rVert^2 / 2`, so ``Ridge`` with
# ``alpha`` = 1/C gives the same line:

C = 0.01
ours, theirs = (
    PerceptronRegressor(C=C).fit(hours, points),
    Ridge(alpha=1 / C).fit(hours, points),
)
print(f"weight {ours.coef_[0]:.10f} and {theirs.coef_[0]:.10f}")
print(f"bias   {ours.intercept_:.10f} and {theirs.intercept_:.10f}")

# %%
# On a table, ``onelayer fit scores.csv --target points --task regression``; hidden layers, L1 and weights of rows
# work as they do for classes.
