"""
Regularisation path
===================

How the weights grow as the penalty is relaxed.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from onelayer import path, plots

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data)
found = path(
    X, data.target, Cs=np.geomspace(1e-4, 1e2, 19), l1_ratio=0.0
)  # each fit starts from the one before
plots.regularisation_path(found.Cs, found.coefs[:, 0], data.feature_names, chosen=1.0)
plt.show()
