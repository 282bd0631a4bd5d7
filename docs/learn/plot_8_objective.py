r"""
The exact objective, here and elsewhere
=======================================

`PerceptronClassifier` minimises, over weights and bias,

.. math:: C \sum_i \omega_i \, \ell(z_i, y_i) + \frac{1 - \rho}{2} \lVert w \rVert_2^2 + \rho \lVert w \rVert_1,
    \qquad z_i = w \cdot x_i + b,

where :math:`\ell` is the log loss in nats (softmax cross-entropy from three classes on), :math:`\omega_i` the
row's weight times its class's (1 unless given), and :math:`\rho` is ``l1_ratio``. It is a **sum** over rows, the
bias is never penalised, and ``w`` is in the units of the columns you gave. `PerceptronRegressor` has
:math:`\ell = (z - y)^2 / 2` in its place. The guide's functions minimise the **mean** of the same losses without a
penalty.

The same, in other letters
--------------------------

With n rows, of total weight :math:`W = \sum_i \omega_i` (n where none are given):

.. list-table::
   :header-rows: 1
   :widths: 24 27 24 25

   * - Program
     - What it minimises
     - To get ours
     - Mind
   * - scikit-learn ``LogisticRegression``
     - the same
     - ``C`` and ``l1_ratio`` as here
     - ``solver="liblinear"`` penalises the intercept
   * - scikit-learn ``SGDClassifier``
     - mean + α[(1 − ρ)/2 ‖w‖² + ρ‖w‖₁]
     - ``loss="log_loss"``, ``penalty="elasticnet"``, ``alpha`` = 1/(C n)
     - its steps are stochastic: an approximation
   * - scikit-learn ``MLPClassifier``
     - mean + α/(2n) ‖w‖²
     - ``alpha`` = 1/C
     - our penalty on hidden layers is on weights of scaled columns: scale first
   * - scikit-learn ``Ridge``
     - Σ(z − y)² + α‖w‖²
     - ``alpha`` = 1/C
     - ``Lasso`` and ``ElasticNet`` have a mean and a ½: there ``alpha`` = 1/(C W)
   * - statsmodels ``Logit.fit``
     - sum
     - C = ∞
     - no intercept of its own: ``add_constant``
   * - statsmodels ``Logit.fit_regularized``
     - sum + Σ αⱼ\|wⱼ\|
     - ``alpha`` = 1/C, ρ = 1
     - **penalises the intercept** unless its αⱼ is 0
   * - statsmodels ``GLM.fit_regularized``
     - mean + α[(1 − ρ)/2 ‖w‖² + ρ‖w‖₁]
     - ``alpha`` = 1/(C n), ``L1_wt`` = ρ
     - **penalises the intercept** unless its α is 0
   * - R's ``glmnet``
     - mean + λ[(1 − α)/2 ‖w‖² + α‖w‖₁]
     - ``lambda`` = 1/(C W), ``alpha`` = ρ, ``standardize=FALSE``
     - by default columns are scaled first, and the penalty is on their weights; the mean is weighted by ω
   * - Spark ML ``LogisticRegression``
     - mean + λ[(1 − ρ)/2 ‖w‖² + ρ‖w‖₁]
     - ``regParam`` = 1/(C W), ``elasticNetParam`` = ρ, ``standardization=false``
     - the same default, with spreads divided by n − 1; constant columns get no weight

Every parameter
---------------

A dash: there is none.

.. list-table::
   :header-rows: 1
   :widths: 20 20 20 20 20

   * - onelayer
     - scikit-learn
     - statsmodels
     - glmnet
     - Spark ML
   * - ``C``
     - ``C``; ``alpha``
     - ``alpha``
     - ``lambda``
     - ``regParam``
   * - ``l1_ratio``
     - ``l1_ratio``
     - ``L1_wt``
     - ``alpha``
     - ``elasticNetParam``
   * - ``fit_intercept``
     - ``fit_intercept``
     - ``add_constant``
     - ``intercept``
     - ``fitIntercept``
   * - ``class_weight``
     - ``class_weight``
     - into the rows' weights
     - into ``weights``
     - into ``weightCol``
   * - ``sample_weight`` of ``fit``
     - the same
     - ``freq_weights`` of ``GLM``
     - ``weights``
     - ``weightCol``
   * - ``solver``
     - ``solver``
     - ``method``
     - coordinate descent
     - L-BFGS, OWL-QN with L1
   * - ``learning_rate``
     - ``eta0``; ``learning_rate_init``
     - –
     - –
     - –
   * - ``batch_size``, ``momentum``, ``beta_1``, ``beta_2``, ``epsilon``
     - the same, of ``MLPClassifier``
     - –
     - –
     - –
   * - ``tol``: relative distance from the optimum
     - ``tol``: the steepest slope left
     - ``tol`` or ``gtol`` of the method; ``cnvrg_tol``
     - ``thresh``: the last change, in null deviances
     - ``tol``: the last improvement
   * - ``max_iter``
     - ``max_iter``
     - ``maxiter``
     - ``maxit``, over all λ
     - ``maxIter``
   * - ``threshold``
     - ``FixedThresholdClassifier``
     - ``pred_table(threshold)``
     - –
     - ``threshold``
   * - ``warm_start``
     - ``warm_start``
     - ``start_params``
     - from each λ to the next
     - ``setInitialModel``
   * - ``random_state``
     - ``random_state``
     - –
     - –
     - –
   * - ``n_jobs``
     - –
     - –
     - ``parallel`` of ``cv.glmnet``
     - the cluster's
   * - ``verbose``
     - ``verbose``
     - ``disp``
     - ``trace.it``
     - –
   * - ``callbacks``
     - –
     - ``callback``
     - –
     - –
   * - ``hidden_layer_sizes``
     - the same, of ``MLPClassifier``
     - –
     - –
     - ``layers`` of another class
   * - ``activation``: relu, tanh or gelu
     - the same, of ``MLPClassifier``: relu, tanh, logistic or identity
     - –
     - –
     - always a sigmoid
   * - ``early_stopping``, ``validation_fraction``, ``n_iter_no_change``
     - the same, of ``SGDClassifier`` and ``MLPClassifier``
     - –
     - –
     - –
   * - ``Cs``, ``l1_ratios``, ``cv``, ``scoring``, ``refit`` of `PerceptronClassifierCV`
     - the same, of ``LogisticRegressionCV``
     - –
     - ``lambda``, –, ``foldid``, ``type.measure``, always, of ``cv.glmnet``
     - ``CrossValidator``: ``estimatorParamMaps``, ``folds``, ``evaluator``, always
   * - `standard_errors`
     - –
     - ``bse``
     - –
     - –

The rows of scikit-learn and statsmodels in the first table are tried below, each time the pages are built. Those of
glmnet and Spark, which no Python environment holds, are from their reference manuals and sources, and not run here.
"""

import numpy as np
import statsmodels.api as sm
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from onelayer import PerceptronClassifier, PerceptronRegressor

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
sgd = SGDClassifier(loss="log_loss", penalty="elasticnet", alpha=1 / (C * n), l1_ratio=0.5)
sgd.set_params(random_state=0, tol=None, max_iter=1000).fit(X, y)
compare("SGDClassifier", np.append(sgd.intercept_, sgd.coef_), ours(C, 0.5), within=0.01)
mlp = MLPClassifier(hidden_layer_sizes=(), alpha=1 / C, solver="lbfgs", random_state=0)
mlp.set_params(tol=1e-12, max_iter=5000).fit(X, y)
compare("MLPClassifier", np.append(mlp.intercepts_[0], mlp.coefs_[0]), ours(C), within=0.01)
compare("Logit.fit", sm.Logit(y, constant).fit(disp=0).params, ours(np.inf))
l1 = sm.Logit(y, constant).fit_regularized(alpha=free / C, disp=0, acc=1e-12, maxiter=1000)
compare("Logit.fit_regularized", l1.params, ours(C, 1.0))
binomial = sm.GLM(y, constant, family=sm.families.Binomial())
tight = {"cnvrg_tol": 1e-12, "maxiter": 2000}
elastic = binomial.fit_regularized(alpha=free / (C * n), L1_wt=0.5, **tight)
compare("GLM.fit_regularized", elastic.params, ours(C, 0.5))

# %%
# The squared error, against ``Ridge``, ``Lasso`` and ``ElasticNet``, where rows have weights of their own:

t = data.data[:, 5]
weight = np.random.default_rng(0).uniform(0, 4, n)
W = weight.sum()


def numbers(C: float, l1_ratio: float) -> np.ndarray:
    model = PerceptronRegressor(C=C, l1_ratio=l1_ratio, tol=1e-12).fit(X, t, weight)
    return np.append(model.intercept_, model.coef_)


for other, l1_ratio in (
    (Ridge(alpha=1 / C), 0.0),
    (Lasso(alpha=1 / (C * W), tol=1e-12, max_iter=100_000), 1.0),
    (ElasticNet(alpha=1 / (C * W), l1_ratio=0.5, tol=1e-12, max_iter=100_000), 0.5),
):
    other.fit(X, t, weight)
    compare(
        type(other).__name__, np.append(other.intercept_, other.coef_), numbers(C, l1_ratio)
    )
