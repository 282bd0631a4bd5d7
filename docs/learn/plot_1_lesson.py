"""
The lesson: one neuron learns a line
====================================

Two moods, two words. A creature that says "beep" a lot is angry, one that says "aack" is happy. Count both words in a
sentence, and the sentence becomes a point in the plane; telling moods apart becomes drawing a line.
"""

import matplotlib.pyplot as plt
import numpy as np

from onelayer import PerceptronClassifier, guide, plots

texts, Y = guide.sentences()
X = guide.word_counts(texts)
for text, (aack, beep), angry in zip(texts, X.T, Y[0], strict=True):
    print(f"{text:12}  aack {aack}  beep {beep}  {'angry' if angry else 'happy'}")

# %%
# On this page examples stand in columns, as in most lessons: ``X`` has a row for each word, ``Y`` one row of labels.
# The rest of the package has the usual rows.
#
# A line by hand
# --------------
#
# Weigh each count and add a bias: :math:`z = w_1 x_1 + w_2 x_2 + b`. On one side of the line :math:`z = 0` the sum
# is positive, on the other negative. Let "aack" count against anger and "beep" for it, and half a beep be forgiven:

moods = {"names": ("aack", "beep"), "classes": ("happy", "angry")}
plots.decision_boundary([-1.0, 1.0], -0.5, X.T, Y[0], **moods)
plt.show()

# %%
# From a sum to a probability
# ---------------------------
#
# The sigmoid :math:`\sigma(z) = 1 / (1 + e^{-z})` turns the sum into a probability. At zero it cannot decide; each
# further unit multiplies the odds by e. Why not simply a step from 0 to 1? A step is flat on both sides of its edge:
# nothing would say which way to move the line. The sigmoid has a slope everywhere.

z = np.linspace(-6, 6, 200)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.plot(z, guide.sigmoid(z), color=plots.BLUE, linewidth=2)
left.plot([-6, 0, 0, 6], [0, 0, 1, 1], color="grey", linestyle=":", label="a step")
left.set(xlabel="the sum z", ylabel="the probability a", title="sigmoid")
left.legend()
right.plot(z, np.log1p(np.exp(-z)), color=plots.VERMILLION, linewidth=2, label="it was so")
right.plot(
    z, np.log1p(np.exp(z)), color=plots.BLUE, linestyle="--", linewidth=2, label="it was not"
)
right.set(xlabel="the sum z", ylabel="loss (nats)", title="log loss")
right.legend()
plt.show()

# %%
# All four sentences at once, with the weights found by hand. That is the *forward pass*:

by_hand = {"W": np.array([[-1.0, 1.0]]), "b": np.array([[-0.5]])}
A = guide.forward_propagation(X, by_hand)
for text, a in zip(texts, A[0], strict=True):
    print(f"{text:12}  angry with probability {a:.3f}")

# %%
# How wrong is it?
# ----------------
#
# A probability is judged by what it gave to the answer that came true: the *log loss* is minus the logarithm of
# that (the right picture above). To say "half" costs 0.693 nats; to be sure and right costs almost nothing; to be
# sure and wrong has no limit. The *cost* is the mean over the examples:

print(f"by hand          {guide.compute_cost(A, Y):.3f}")
print(f"always one half  {guide.compute_cost(np.full_like(A, 0.5), Y):.3f}")

# %%
# Which way is down?
# ------------------
#
# For this pair of activation and loss the slope of the loss by :math:`z` is simply :math:`a - y`: what was said
# minus what was true. Spread back over the inputs and averaged it is the gradient, :math:`(A - Y) X^T / m`. That is
# the *backward pass*, and a step against it lowers the cost:

gradient = guide.backward_propagation(A, X, Y)
print("by the weights", gradient["dW"].round(3), "by the bias", gradient["db"].round(3))
better = guide.update_parameters(by_hand, gradient, learning_rate=1.2)
print(f"after one step   {guide.compute_cost(guide.forward_propagation(X, better), Y):.3f}")

# %%
# The loop
# --------
#
# Repeat. Thirty points of the same kind, fifty steps from weights near zero; the number on a point counts the
# examples lying there.

np.random.seed(3)
X, Y = guide.thirty_points()
learnt = guide.nn_model(X, Y, num_iterations=50, learning_rate=1.2)
plots.decision_boundary(learnt["W"][0], learnt["b"][0, 0], X.T, Y[0], **moods)
plt.show()

# %%
# New points are answered by the side they fall on:

new = np.array([[1, 1, 0, 0], [0, 1, 0, 1]])
for (aack, beep), angry in zip(new.T, guide.predict(new, learnt)[0], strict=True):
    print(f"aack {aack}  beep {beep}  {'angry' if angry else 'happy'}")

# %%
# A thousand points, and a rate that is too large
# -----------------------------------------------
#
# Two clouds, farther from the origin. The same rate is now too long a step: the cost is steeper there, and again
# and again a step lands higher on the opposite wall.

X, Y = guide.blobs()
np.random.seed(3)
hasty = guide.nn_model(X, Y, num_iterations=100, learning_rate=1.2)

# %%
# No guessing is needed: a step below 2/L, with L the largest curvature the cost can have on these rows, never
# raises it.

print(f"2/L = {guide.stable_rate(X):.3f}")
start = {"W": np.zeros((1, 2)), "b": np.zeros((1, 1))}
runs = {}
for rate in (1.2, 0.12):
    steps = guide.descent(X, Y, start, rate)
    runs[f"rate {rate}"] = [cost for (_, cost), _ in zip(steps, range(100), strict=False)]
plots.cost(runs, ylabel="cost (nats per row)")
plt.show()

# %%
# At 1.2 the cost leaps to ten nats, where always saying one half costs 0.69. That it settles in the end, and even
# below the calm rate, is luck: these clouds hardly overlap, and far out, where nearly every point is answered surely,
# the cost is flat enough for such steps. With more overlap
# :ref:`the leaps go on <sphx_glr_auto_failures_plot_2_rate.py>`.
#
# The calm rate goes down at every step, and yet slowly: in these columns the bias hides behind the weights. Centre
# and scale the columns, as the estimator does inside, and the same descent arrives. Or leave descent behind:
# Newton's method knows the curvature, and the fit says how near it came.

model = PerceptronClassifier().fit(X.T, Y[0])
print(f"accuracy {model.score(X.T, Y[0])} after {model.n_iter_[0]} iterations")
print(f"cost within {model.optimality_gap_:.0e} of the least there is ({model.gap_kind_})")
plots.decision_boundary(model, X.T, Y[0], classes=("blue", "red"))
plt.show()

# %%
# What to take along
# ------------------
#
# - A neuron weighs, adds, and bends the sum into a probability; where the sum is zero is a straight line.
# - The log loss asks for probabilities that can be believed, and its slope is what was said minus what was true.
# - Descent follows that slope. How long a step may be is not a matter of taste.
# - Classes that no straight line parts need :ref:`hidden layers <sphx_glr_auto_learn_plot_3_hidden_layers.py>`. More
#   than two need :ref:`a neuron each <sphx_glr_auto_learn_plot_4_many_classes.py>`. Errors that cost differently
#   move :ref:`the threshold <sphx_glr_auto_learn_plot_6_threshold.py>`, not the probabilities.
