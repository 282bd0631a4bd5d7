"""
Next step: the threshold
========================

The neuron gives a probability; somebody has to act on it. One half is the right threshold only where both errors
cost the same.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import confusion_matrix

from onelayer import PerceptronClassifier, plots

data = load_breast_cancer(as_frame=True)
kind = data.target_names[data.target]
X, y, X_new, y_new = data.data[::2], kind[::2], data.data[1::2], kind[1::2]
model = PerceptronClassifier().fit(X, y)

# %%
# Say that to miss a tumour costs ten times as much as to frighten somebody for nothing. If the probabilities are
# honest, acting pays as soon as :math:`10 p > 1 - p`, that is above 1/11:

plots.threshold(y_new, model.predict_proba(X_new), costs=(1, 10), chosen=1 / 11)
plt.show()

# %%
for threshold in (0.5, 1 / 11):
    model.set_params(threshold=threshold)
    (_, alarms), (misses, _) = confusion_matrix(y_new, model.predict(X_new))
    cost = alarms + 10 * misses
    print(f"threshold {threshold:.3f}: {alarms} false alarms, {misses} missed, cost {cost}")

# %%
# Whether they are honest can be seen: of the rows that were given 80 %, some 80 % should be so.

plots.calibration(y_new, model.predict_proba(X_new))
plt.show()
