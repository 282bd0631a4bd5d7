"""
Weights with intervals
======================

The strongest weights and how far chance may have moved them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from onelayer import PerceptronClassifier, plots
from onelayer.diagnostics import standard_errors

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data)
model = PerceptronClassifier().fit(X, data.target)
weights = np.column_stack([model.coef_, model.intercept_])
errors = standard_errors(X, weights, C=model.C)[:, :-1]
plots.weights(data.feature_names, model.coef_, errors=errors, classes=data.target_names)
plt.show()
