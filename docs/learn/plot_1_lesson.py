"""
The lesson: one neuron learns a line
====================================

Two moods, two words. A creature that says "beep" a lot is angry, one that says "aack" is content. Count both words
in a sentence, and the sentence becomes a point in the plane; telling moods apart becomes drawing a line.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

from onelayer import PerceptronClassifier, guide, plots

texts, Y = guide.sentences()
X = guide.word_counts(texts)
for text, counts, angry in zip(texts, X.T, Y[0], strict=True):
    print(f"{text:12}  aack {counts[0]}  beep {counts[1]}  {'angry' if angry else 'happy'}")

# %%
# Examples stand in columns on this page: ``X`` has a row for each word. Only here; the rest of the package has
# the usual rows.
#
# A line by hand
# --------------
#
# Weigh each count, add a bias: :math:`z = w_1 x_1 + w_2 x_2 + b`. On one side of the line :math:`z = 0` the sum
# is positive, on the other negative. With "aack" counting against anger and "beep" for it, half a beep of doubt
# is enough:

by_hand = {"W": np.array([[-1.0, 1.0]]), "b": np.array([[-0.5]])}
guide.plot_decision_boundary(X, Y, by_hand)
plt.show()

# %%
# From a sum to a probability
# ---------------------------
#
# The sum is turned into a probability by the sigmoid, :math:`\sigma(z) = 1 / (1 + e^{-z})`. At zero it cannot
# decide; each further unit multiplies the odds by e.

z = np.array([-700.0, -2.0, 0.0, 3.5, 40.0])
print(guide.sigmoid(z))

# %%
# The whole plane can be asked at once. That is the forward pass:

print(guide.forward_propagation(X, by_hand).round(3))

# %%
# How wrong is it?
# ----------------
#
# A probability deserves to be judged by what it gave to the answer that came true: the *log loss* is minus the
# logarithm of that. Saying "half" costs 0.693 nats; being sure and right costs almost nothing; being sure and
# wrong has no limit.

A = guide.forward_propagation(X, by_hand)
print("by hand", guide.compute_cost(A, Y))
print("at a loss", guide.compute_cost(np.full_like(A, 0.5), Y))

# %%
# Which way is down?
# ------------------
#
# For this pair of activation and loss the slope of the loss by :math:`z` is simply :math:`a - y`: what was said
# minus what was true. Spread back over the inputs and averaged, it is the gradient, and a step against it lowers
# the cost.

grads = guide.backward_propagation(A, X, Y)
print(grads)
better = guide.update_parameters(by_hand, grads, learning_rate=1.2)
print("after one step", guide.compute_cost(guide.forward_propagation(X, better), Y))

# %%
# The loop
# --------
#
# Repeat. Thirty points of the same kind, fifty steps from weights near zero:

np.random.seed(3)
X, Y = guide.thirty_points()
parameters = guide.nn_model(X, Y, num_iterations=50, learning_rate=1.2)
print(parameters)
guide.plot_decision_boundary(X, Y, parameters)
plt.show()

# %%
# The number on a point counts the examples lying there. New points are answered by which side they fall on:

print(guide.predict(np.array([[1, 1, 0, 0], [0, 1, 0, 1]]), parameters))

# %%
# A thousand points, and a rate that is too large
# -----------------------------------------------
#
# Two clouds, farther from the origin. The same rate is now too long a step: the surface is steeper, and each
# step lands higher on the opposite wall.

X, Y = guide.blobs()
np.random.seed(3)
hasty = guide.nn_model(X, Y, num_iterations=100, learning_rate=1.2)

# %%
# No guessing is needed. A step below 2/L, with L the largest curvature the cost can have on these rows, never
# raises it:

print(guide.stable_rate(X))
start = {"W": np.zeros((1, 2)), "b": np.zeros((1, 1))}
runs = {}
for rate in (1.2, 0.12):
    steps = guide.descent(X, Y, start, rate)
    runs[f"rate {rate}"] = [cost for (_, cost), _ in zip(steps, range(100), strict=False)]
plots.cost(runs, ylabel="cost (nats per row)")
plt.show()

# %%
# The calm rate goes down at every step, and yet slowly: in these columns the bias is nearly hidden behind the
# weights. Centre and scale the columns, as the estimator does inside, and the same descent arrives. Or leave
# descent behind: Newton's method knows the curvature.

with warnings.catch_warnings():
    warnings.simplefilter("error")  # it would say so, had it not arrived
    model = PerceptronClassifier().fit(X.T, Y[0])
print("accuracy", model.score(X.T, Y[0]), "in", int(model.n_iter_[0]), "iterations")
print("within", f"{model.optimality_gap_:.0e}", f"of the optimum ({model.gap_kind_})")
plots.decision_boundary(model, X.T, Y[0])
plt.show()
