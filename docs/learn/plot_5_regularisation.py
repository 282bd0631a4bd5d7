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

from onelayer import PerceptronClassifier, PerceptronClassifierCV, path, plots

data = load_breast_cancer()
X, X_new, y, y_new = train_test_split(data.data, data.target, train_size=100, random_state=0)
scaler = StandardScaler().fit(X)
X, X_new = scaler.transform(X), scaler.transform(X_new)

# %%
# Thirty measurements, a hundred rows. As the penalty is relaxed, from left to right, the weights grow, all in all:
# one of them may shrink, or turn its sign, where others take over what it stood for.

found = path(X, y, Cs=np.geomspace(1e-4, 1e3, 15), l1_ratio=0.0)
plots.regularisation_path(found.Cs, found.coefs[:, 0], data.feature_names)
plt.show()

# %%
# Where to stop? Keep a fifth of the rows out of the fit, five times in turn, and ask what the fits are worth on
# them. Left of the least, the penalty holds back what the measurements know; right of it, the weights learn their
# hundred rows by heart. Each thin line is one fold of twenty rows: the choice is not sharp, and its neighbours would
# serve as well.

chosen = PerceptronClassifierCV(Cs=found.Cs).fit(X, y)
plots.tuning(chosen.Cs_, -chosen.scores_[:, 0], chosen=chosen.C_)
plt.show()

# %%
# The choice was made on the hundred rows alone. What is it worth on the 469 that nobody has looked at?

for name, model in {
    "chosen": chosen,
    "hardly any penalty": PerceptronClassifier(C=found.Cs[-1]).fit(X, y),
    "a strong penalty": PerceptronClassifier(C=found.Cs[2]).fit(X, y),
}.items():
    seen, new = log_loss(y, model.predict_proba(X)), log_loss(y_new, model.predict_proba(X_new))
    C = getattr(model, "C_", model.get_params().get("C"))
    print(f"{name:20} C = {C:<7.3g} log loss {seen:.3f} on rows seen, {new:.3f} on others")

# %%
# An L1 penalty makes most weights exactly zero, which is a way to choose columns:

sparse = PerceptronClassifier(C=0.1, l1_ratio=1.0).fit(X, y)
for j in np.flatnonzero(sparse.coef_[0]):
    print(f"{data.feature_names[j]:22} {sparse.coef_[0, j]:+.3f}")

# %%
# The penalty is on weights in *your* units: a column in metres is penalised more than the same in millimetres,
# for its weight must be a thousand times as large. That is scikit-learn's objective too. Scale the columns, as above,
# where no unit is better than another; tables do it by themselves.
