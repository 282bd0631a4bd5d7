"""
Decision boundary
=================

Three kinds of iris over two of their four features. The lines are exact; the shade is the probability of the most
probable kind.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from onelayer import PerceptronClassifier, plots

iris = load_iris(as_frame=True)
kinds = iris.target_names[iris.target]
model = PerceptronClassifier().fit(iris.data, kinds)
plots.decision_boundary(model, iris.data, kinds)
plt.show()
