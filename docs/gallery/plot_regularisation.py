"""
Regularisation path
===================

How the weights grow as the penalty is relaxed.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data)
C = np.geomspace(1e-4, 1e2, 19)
weights = [PerceptronClassifier(C=c).fit(X, data.target).coef_[0] for c in C]
plots.regularisation_path(C, weights, data.feature_names, chosen=1.0)
plt.show()
