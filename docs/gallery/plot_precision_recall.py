"""
Precision and recall
====================

How many of those said to be of a class are, against how many of it are found.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer(as_frame=True)
y = data.target_names[data.target]
model = PerceptronClassifier().fit(data.data[::2], y[::2])
plots.precision_recall(y[1::2], model.predict_proba(data.data[1::2]))
plt.show()
