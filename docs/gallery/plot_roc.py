"""
ROC curve
=========

How many of a class are found, against how many others are taken for it.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer(as_frame=True)
y = data.target_names[data.target]
model = PerceptronClassifier().fit(data.data[::2], y[::2])
plots.roc(y[1::2], model.predict_proba(data.data[1::2]))
plt.show()
