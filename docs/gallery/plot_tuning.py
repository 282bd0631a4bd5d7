"""
Choosing the penalty
====================

The log loss on rows kept out of the fit, for each strength of the penalty. Left of the least, the penalty holds back
what the columns know; right of it, the weights follow chance.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from onelayer import PerceptronClassifierCV, plots

X, y = load_breast_cancer(return_X_y=True)
model = PerceptronClassifierCV(Cs=17).fit(StandardScaler().fit_transform(X), y)
plots.tuning(model.Cs_, -model.scores_[:, 0], chosen=model.C_)
plt.show()
