"""
Next step: regularisation
=========================

A neuron with many inputs and few rows finds reasons everywhere. The penalty asks each weight to be worth its size:
``C`` is how much the rows count against it, so a small ``C`` is a strong penalty.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data)
X, X_new, y, y_new = train_test_split(X, data.target, train_size=100, random_state=0)
C = np.geomspace(1e-4, 1e3, 15)
models = [PerceptronClassifier(C=c).fit(X, y) for c in C]
seen = [log_loss(y, model.predict_proba(X)) for model in models]
new = [log_loss(y_new, model.predict_proba(X_new)) for model in models]
best = int(np.argmin(new))
print("     C   seen  not seen")
for c, a, b in zip(C, seen, new, strict=True):
    print(f"{c:6.0e}  {a:.3f}  {b:.3f}{'  <- best' if c == C[best] else ''}")

# %%
# The loss on the rows seen only falls as the penalty is relaxed. On others it falls, and then rises: from there
# on the neuron learns its hundred rows by heart.

plots.regularisation_path(C, [model.coef_[0] for model in models], data.feature_names, chosen=C[best])
plt.show()

# %%
# An L1 penalty makes most weights exactly zero, which is a way to choose columns:

sparse = PerceptronClassifier(C=0.1, l1_ratio=1.0).fit(X, y)
for j in np.flatnonzero(sparse.coef_[0]):
    print(f"{data.feature_names[j]:22} {sparse.coef_[0, j]:+.3f}")

# %%
# The penalty is on weights in *your* units: a column in millimetres is penalised more than the same in metres.
# That is scikit-learn's objective too. Scale the columns, as above, where no unit is better than another; tables
# do it by themselves.
