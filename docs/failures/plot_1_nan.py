"""
The cost is NaN
===============

``1 / (1 + exp(-z))`` and ``-log(a)`` are right on paper. In double precision ``a`` is exactly 1 from z = 37 on,
the log of ``1 - a`` is minus infinity, and zero times infinity is NaN.
"""

import matplotlib.pyplot as plt
import numpy as np

from onelayer import guide
from onelayer.losses import log_loss

X, Y = guide.blobs()


def as_on_paper(W: np.ndarray, b: np.ndarray) -> float:
    A = 1 / (1 + np.exp(-(W @ X + b)))
    return float(-(Y * np.log(A) + (1 - Y) * np.log(1 - A)).mean())


start = {"W": np.zeros((1, 2)), "b": np.zeros((1, 1))}
paper, here = [], []
with np.errstate(all="ignore"):
    for (parameters, cost), _ in zip(guide.descent(X, Y, start, learning_rate=1.2), range(100), strict=False):
        paper.append(as_on_paper(**parameters))
        here.append(cost)
print("on paper:", [round(cost, 3) for cost in paper[:8]], "…", int(np.isnan(paper).sum()), "of 100 are NaN")
print("here:    ", [round(cost, 3) for cost in here[:8]], "…", int(np.isnan(here).sum()), "of 100 are NaN")

# %%
# Some clip the probabilities, which makes the cost finite and the gradient wrong. Here the loss is computed from
# the margin ``m = (2y − 1) z`` as ``log1p(exp(−|m|)) + max(−m, 0)``: nothing overflows, nothing cancels, and
# nothing is clipped.

steps = np.arange(100)
figure, ax = plt.subplots(layout="constrained")
ax.plot(steps, here, color="0.6", label="here")
ax.plot(steps, paper, "k.", label="on paper, where it is a number")
ax.set(xlabel="iteration", ylabel="cost (nats per row)")
ax.legend()
plt.show()

# %%
# The zigzag is a fault of its own: see :ref:`the next page <sphx_glr_auto_failures_plot_2_rate.py>`. The same
# exactness far out, where a probability is so near 0 or 1 that its complement is lost:

print("on paper:", -np.log(1 / (1 + np.exp(-40.0))))
print("here:    ", float(log_loss(np.array([40.0]), np.array([1]))[0]))
