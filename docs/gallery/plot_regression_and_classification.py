"""
Regression and classification
=============================

One neuron, one backward pass, two answers: a number, by the identity and the squared error, or the probability of a
class, by the sigmoid and the log loss.
"""

import matplotlib.pyplot as plt
import numpy as np

from onelayer import PerceptronClassifier, PerceptronRegressor

rng = np.random.default_rng(0)
hours = rng.uniform(0, 10, 80)
points = 20 + 6 * hours + rng.normal(0, 10, 80)  # of an examination
passed = points > 50

regression = PerceptronRegressor(C=np.inf).fit(hours[:, None], points)
classification = PerceptronClassifier(C=np.inf, tol=1e-12).fit(hours[:, None], passed)
half = -classification.intercept_[0] / classification.coef_[0, 0]
print(
    f"{'':<16}{'regression':<28}classification\n"
    f"{'output':<16}{'a continuous value':<28}a class, {classification.classes_.tolist()}\n"
    f"{'activation':<16}{'identity, a = z':<28}sigmoid, a = 1 / (1 + exp(-z))\n"
    f"{'cost':<16}{f'{regression.history_[-1].cost:.2f}, half a square':<28}"
    f"{classification.history_[-1].cost:.4f} nats of log loss\n"
    f"{'weight':<16}{f'{regression.coef_[0]:+.2f} points an hour':<28}"
    f"{classification.coef_[0, 0]:+.2f} nats an hour\n"
    f"{'after 5 hours':<16}{f'{regression.predict([[5.0]])[0]:.1f} points':<28}"
    f"passed with probability {classification.predict_proba([[5.0]])[0, 1]:.2f}\n"
    f"{'decision rule':<16}{'none':<28}passed from {half:.2f} hours, at probability 0.5"
)
for model, y in ((regression, points), (classification, passed)):  # (A - Y) Xᵀ / m is nought at both optima
    a = model.predict_proba(hours[:, None])[:, 1] if y is passed else model.predict(hours[:, None])
    print("the same backward pass:", np.allclose((a - y) @ hours / len(hours), 0, atol=1e-6))

line = np.linspace(0, 10, 200)[:, None]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.plot(hours, points, "o", color="#0072B2", alpha=0.6)
left.plot(line, regression.predict(line), color="black")
left.set(title="regression: the predicted value", xlabel="hours", ylabel="points")
right.plot(hours, passed, "o", color="#0072B2", alpha=0.6)
right.plot(line, classification.predict_proba(line)[:, 1], color="black")
right.axvline(half, color="#D55E00", linestyle="--", label=f"probability 0.5 at {half:.2f} hours")
right.set(title="classification: the probability of class 1", xlabel="hours", ylabel="passed")
right.legend(loc="center right")
plt.show()
