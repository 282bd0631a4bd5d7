"""
Projection on the log-odds
==========================

All thirty features at once: every row at its own log-odds, where the boundary is a point.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer(as_frame=True)
y = data.target_names[data.target]
model = PerceptronClassifier().fit(data.data[::2], y[::2])
plots.projection(model, data.data[1::2], y[1::2])
plt.show()
