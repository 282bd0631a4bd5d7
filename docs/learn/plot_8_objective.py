r"""
The exact objective, here and elsewhere
=======================================

`PerceptronClassifier` minimises, over weights and bias,

.. math:: C \sum_i \omega_i \, \ell(z_i, y_i) + \frac{1 - \rho}{2} \lVert w \rVert_2^2 + \rho \lVert w \rVert_1,
    \qquad z_i = w \cdot x_i + b,

where :math:`\ell` is the log loss in nats (softmax cross-entropy from three classes on), :math:`\omega_i` the
row's weight times its class's (1 unless given), and :math:`\rho` is ``l1_ratio``. It is a **sum** over rows, the
bias is never penalised, and ``w`` is in the units of the columns you gave. The guide's functions minimise the
**mean** of the same losses without a penalty.

Other programs write the same with other letters. With n rows, of total weight :math:`W = \sum_i \omega_i` (n where
none are given):

.. list-table::
   :header-rows: 1
   :widths: 24 21 18 37

   * - Program
     - Loss and penalty
     - To get ours
     - Mind
   * - onelayer
     - C · sum + (1 − ρ)/2 ‖w‖² + ρ‖w‖₁
     - ``C``, ``l1_ratio``
     - ``C=np.inf`` is no penalty
   * - scikit-learn ``LogisticRegression``
     - the same
     - the same ``C``, ``l1_ratio``, ``class_weight``, ``fit_intercept``
     - ``tol`` bounds a gradient there, a relative distance from the optimum here;
       ``solver="liblinear"`` penalises the intercept
   * - scikit-learn ``SGDClassifier``
     - mean + α[(1 − ρ)/2 ‖w‖² + ρ‖w‖₁]
     - ``loss="log_loss"``, ``penalty="elasticnet"``, α = 1 / (C n), same ``l1_ratio``
     - its steps are stochastic: an approximation
   * - scikit-learn ``MLPClassifier``
     - mean + α/(2n) · ‖w‖²
     - α = 1/C
     - with hidden layers our penalty is on weights of scaled columns: scale first
   * - scikit-learn ``Ridge``
     - sum of (a − y)² + α‖w‖²
     - α = 1/C against C · sum of ½(a − y)² + ½‖w‖²
     - no ½ in either of its terms; its ``Lasso`` and ``ElasticNet`` have a mean and a ½
   * - statsmodels ``Logit.fit``
     - sum
     - C = ∞
     - no intercept of its own: ``add_constant``
   * - statsmodels ``Logit.fit_regularized``
     - sum + Σ αⱼ\|wⱼ\|
     - αⱼ = 1/C, ``l1_ratio=1``
     - **penalises the intercept** unless its αⱼ is 0
   * - statsmodels ``GLM.fit_regularized``
     - mean + α[(1 − ρ)/2 ‖w‖² + ρ‖w‖₁]
     - α = 1 / (C n), ``L1_wt`` = ρ
     - **penalises the intercept** unless its α is 0
   * - glmnet
     - mean + λ[(1 − α)/2 ‖w‖² + α‖w‖₁]
     - λ = 1 / (C W), ``alpha`` = ρ
     - ``standardize=TRUE`` penalises weights of scaled columns: set ``FALSE``
   * - Spark ML ``LogisticRegression``
     - mean + λ[(1 − ρ)/2 ‖w‖² + ρ‖w‖₁]
     - ``regParam`` = 1 / (C W), ``elasticNetParam`` = ρ
     - ``standardization=true`` penalises weights of scaled columns: set ``false``

In glmnet and Spark the mean is over the total weight W. The rows for glmnet and Spark, which are not Python
libraries, are from memory of their manuals and not run here; those for the others are tried below, each time the
pages are built.
"""

import numpy as np
import statsmodels.api as sm
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from onelayer import PerceptronClassifier

# sphinx_gallery_thumbnail_path = "picture.png"

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data[:, :5])
y, n, C = data.target, len(data.target), 0.5
constant = sm.add_constant(X)
free = np.r_[0.0, np.ones(5)]  # no penalty on the intercept


def ours(C: float, l1_ratio: float = 0.0) -> np.ndarray:
    model = PerceptronClassifier(C=C, l1_ratio=l1_ratio, tol=1e-12).fit(X, y)
    return np.append(model.intercept_, model.coef_)


def compare(name: str, theirs: np.ndarray, mine: np.ndarray, within: float = 1e-4) -> None:
    off = np.abs(theirs - mine).max() / np.abs(mine).max()
    print(f"{name:32} largest difference {off:.0e} of the largest weight")
    assert off < within, name


other = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X, y)
compare("LogisticRegression", np.append(other.intercept_, other.coef_), ours(C))
sgd = SGDClassifier(loss="log_loss", penalty="elasticnet", alpha=1 / (C * n), l1_ratio=0.5, random_state=0)
sgd.set_params(tol=None, max_iter=1000).fit(X, y)
compare("SGDClassifier", np.append(sgd.intercept_, sgd.coef_), ours(C, 0.5), within=0.01)  # its steps are stochastic
mlp = MLPClassifier(hidden_layer_sizes=(), alpha=1 / C, solver="lbfgs", tol=1e-12, max_iter=5000, random_state=0)
mlp.fit(X, y)
compare("MLPClassifier", np.append(mlp.intercepts_[0], mlp.coefs_[0]), ours(C), within=0.01)  # it stops early
compare("Logit.fit", sm.Logit(y, constant).fit(disp=0).params, ours(np.inf))
l1 = sm.Logit(y, constant).fit_regularized(alpha=free / C, disp=0, acc=1e-12, maxiter=1000)
compare("Logit.fit_regularized", l1.params, ours(C, 1.0))
binomial = sm.GLM(y, constant, family=sm.families.Binomial())
elastic = binomial.fit_regularized(alpha=free / (C * n), L1_wt=0.5, cnvrg_tol=1e-12, maxiter=2000)
compare("GLM.fit_regularized", elastic.params, ours(C, 0.5))

# %%
# Squared error, to set beside ``Ridge``: C · sum of ½(a − y)² + ½‖w‖² has its slope zero where C Xᵀ(Xw − y) + w
# = 0, in centred columns.

centred, t = X - X.mean(axis=0), data.data[:, 5]
w = np.linalg.solve(C * centred.T @ centred + np.eye(5), C * centred.T @ (t - t.mean()))
compare("Ridge", Ridge(alpha=1 / C).fit(X, t).coef_, w)
