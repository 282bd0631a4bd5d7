"""
Calibration
===========

Whether what is said to be 80 % comes true 80 times in 100.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer(as_frame=True)
y = data.target_names[data.target]
model = PerceptronClassifier().fit(data.data[::2], y[::2])
plots.calibration(y[1::2], model.predict_proba(data.data[1::2]))
plt.show()
