"""
The line is vertical
====================

A boundary is often drawn by solving for the second feature: :math:`x_2 = -(w_1 x_1 + b) / w_2`. When the second
feature does not matter, that divides by zero.
"""

import matplotlib.pyplot as plt
import numpy as np

from onelayer import plots

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (80, 2))
y = (X[:, 0] > 0.2).astype(int)
x1 = np.array([-1.0, 1.0])
with np.errstate(all="ignore"):
    print("solved for x₂:", -(1.0 * x1 - 0.2) / 0.0)

# %%
# Here the line is where the sum is zero inside the picture, whatever its direction; and where there is none, the
# picture says so.

figure, panels = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
for (weights, bias), ax in zip(
    [((1, 0), -0.2), ((0, 1), 0.1), ((0, 0), 1.0)], panels, strict=True
):
    plots.decision_boundary(weights, bias, X, y, ax=ax)
    ax.set_xlabel(f"w = {weights}")
plt.show()
