"""
The cost is NaN
===============

``1 / (1 + exp(-z))`` and ``-log(a)`` are right on paper. In double precision ``a`` is exactly 1 from z = 37 on,
the log of ``1 - a`` is minus infinity, and zero times infinity is NaN.
"""

import matplotlib.pyplot as plt
import numpy as np

from onelayer import guide
from onelayer.objective.losses import log_loss

X, Y = guide.blobs()


def as_on_paper(W: np.ndarray, b: np.ndarray) -> float:
    A = 1 / (1 + np.exp(-(W @ X + b)))
    return float(-(Y * np.log(A) + (1 - Y) * np.log(1 - A)).mean())


def told(costs: list[float]) -> str:
    return f"{np.round(costs[:7], 3).tolist()} …, {np.isnan(costs).sum()} of 100 are NaN"


start = {"W": np.zeros((1, 2)), "b": np.zeros((1, 1))}
steps = guide.descent(X, Y, start, learning_rate=1.2)
with np.errstate(all="ignore"):
    both = [(as_on_paper(**at), cost) for (at, cost), _ in zip(steps, range(100), strict=False)]
paper, here = map(list, zip(*both, strict=True))
print("on paper:", told(paper))
print("here:    ", told(here))

# %%
# Some clip the probabilities, which makes the cost finite and the gradient wrong. Here the loss is computed from
# the margin ``m = (2y − 1) z`` as ``log1p(exp(−|m|)) + max(−m, 0)``: nothing overflows, nothing cancels, and
# nothing is clipped.

figure, ax = plt.subplots(layout="constrained")
ax.plot(here, color="0.6", label="here")
ax.plot(paper, "k.", label="on paper, where it is a number")
ax.set(xlabel="iteration", ylabel="cost (nats per row)")
ax.legend()
plt.show()

# %%
# The zigzag is a fault of its own: see :ref:`the next page <sphx_glr_auto_failures_plot_2_rate.py>`. The same
# exactness far out, where a probability is so near 0 or 1 that its complement is lost:

print("on paper:", -np.log(1 / (1 + np.exp(-40.0))))
print("here:    ", float(log_loss(np.array([40.0]), np.array([1]))[0]))
