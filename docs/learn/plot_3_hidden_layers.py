"""
Next step: hidden layers
========================

One neuron draws one line. Two moons cannot be told apart by a line; a layer of neurons between the input and the
answer draws several, and the last neuron chooses among them.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons

from onelayer import PerceptronClassifier, plots

X, y = make_moons(600, noise=0.1, random_state=0)
X_new, y_new = make_moons(2000, noise=0.1, random_state=1)

figure, panels = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for hidden, ax in zip([(), (16,)], panels, strict=True):
    model = PerceptronClassifier(hidden_layer_sizes=hidden, random_state=0).fit(X, y)
    plots.decision_boundary(model, X, y, ax=ax)
    print(f"hidden {hidden!s:6} accuracy on rows not seen: {model.score(X_new, y_new):.3f}")
plt.show()

# %%
# What is lost is certainty: with hidden layers the cost has many valleys, and nobody knows how far the best of them
# lies. The fit says that it makes no more progress, and claims no more than that:

print("converged", model.converged_, "distance from the optimum", model.optimality_gap_)

# %%
# More neurons than the rows can teach learn the rows by heart. Rows held out show when: their loss falls, then rises,
# while the cost goes on falling. The weights at the star are the ones that are kept.

few, kinds = make_moons(150, noise=0.35, random_state=0)
model = PerceptronClassifier(
    hidden_layer_sizes=(64, 64),
    solver="adam",
    C=1e4,
    n_iter_no_change=60,
    random_state=0,
)
plots.cost(
    model.fit(few, kinds).history_, ylabel="cost (nats per row)", label="rows of the fit"
)
plt.show()

# %%
# The weights lie in ``coefs_`` and ``intercepts_``, a pair for each layer. The backward pass is the chain rule,
# starting from the same a − y as :ref:`one neuron's <sphx_glr_auto_learn_plot_1_lesson.py>`.

print([W.shape for W in model.coefs_])
