"""
Threshold and the cost of errors
================================

To call a malignant tumour benign costs ten times as much here as to call a benign one malignant.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer(as_frame=True)
y = data.target_names[data.target]
model = PerceptronClassifier().fit(data.data[::2], y[::2])
plots.threshold(y[1::2], model.predict_proba(data.data[1::2]), costs=(1, 10), chosen=0.5)
plt.show()
