"""
Next step: more than two classes
================================

From three classes on each has its own weights, and the softmax shares one unit of probability among them. Nothing
has to be asked for: the labels say it.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from onelayer import PerceptronClassifier, plots

iris = load_iris(as_frame=True)
kinds = iris.target_names[iris.target]
model = PerceptronClassifier().fit(iris.data, kinds)
print(model.classes_, model.coef_.shape)
for row in (0, 70, 120):
    chances = model.predict_proba(iris.data.iloc[[row]])[0]
    said = ", ".join(f"{name} {p:.3f}" for name, p in zip(model.classes_, chances, strict=True))
    print(f"{kinds[row]:10} → {said}")

plots.decision_boundary(model, iris.data, kinds)
plt.show()

# %%
# Where two classes are equally probable there is a straight line again, since the difference of two sums is a
# sum. The picture shows two of the four measurements, the others at their medians.
#
# The same shift of all classes' weights changes no probability, so the penalty picks the weights that sum to
# zero:

print(abs(model.coef_.sum(axis=0)).max() < 1e-6)
