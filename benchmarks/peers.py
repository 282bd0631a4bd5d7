"""Who else fits this model: each peer behind one small function, (stored, y, C, l1_ratio, tol) → (coef, intercept).

All minimise ``C · Σ loss + (1 - l1_ratio)/2 ‖w‖² + l1_ratio ‖w‖₁`` with a free intercept; each says where it may enter.
A peer that is not installed is named and left out. ``stored`` is X in the storage the peer prefers, made by its
``store``, which is timed apart.
"""

import importlib.metadata
import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

Array = np.ndarray
Weights = tuple[Array, Array]  # coef (k, d) or (d,), intercept (k,) or a number

BIAS = 100.0  # a constant column of 100 whose weight is penalised: of the bias's square a ten-thousandth is
HESSIAN = 6000  # columns beyond which d² numbers and d³ operations leave a fit no chance within a minute
STEPS = 100_000  # iterations at most: tolerance decides, not this


class Stored(NamedTuple):
    """What a peer holds of the rows, and how many rows and columns there are."""

    X: Any
    n: int
    d: int


@dataclass(frozen=True)
class Peer:
    """A solver of another package, or one of its settings.

    Parameters
    ----------
    name : str
    package : str
        The distribution whose version is recorded, and the module to look for if its name is another.
    enters : str
        Of "dense", "sparse", "l2", "l1", "classes": what it takes. "l1" takes elastic net too where "both" is said.
    fit : function (stored, y, C, l1_ratio, tol) → (coef, intercept)
    store : function (X, y) → anything, optional
        X in the storage that the peer prefers.
    loosest, tightest : float
        The ends of its tolerances.
    columns : int, optional
        How many it may be given.
    entries : int, optional
        How many numbers, not counting zeros of sparse rows, it may be given.
    penalises_bias : bool
        Whether its bias is the weight of a large constant column and a little penalised: its optimum is near ours.
    """

    name: str
    package: str
    enters: str
    fit: Callable[[Stored, Array, float, float, float], Weights]
    store: Callable[[Any, Array], Any] = lambda X, y: X
    loosest: float = 1e-1
    tightest: float = 1e-12
    columns: int = 10**9
    entries: int = 10**12
    penalises_bias: bool = False
    module: str = ""

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module or self.package.replace("-", "_")) is not None

    @property
    def version(self) -> str:
        return importlib.metadata.version(self.package)

    def may_enter(self, X: Any, y: Array, l1_ratio: float) -> bool:
        asked = {"sparse" if sp.issparse(X) else "dense", "l1" if l1_ratio else "l2"}
        if y.max() > 1:
            asked.add("classes")
        entries = X.nnz if sp.issparse(X) else X.size
        return asked <= set(self.enters.split()) and X.shape[1] <= self.columns and entries <= self.entries

    def stored(self, X: Any, y: Array) -> Stored:
        return Stored(self.store(X, y), *X.shape)


def onelayer(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
    import sklearn.linear_model  # noqa: F401, which ours imports where an L1 penalty first needs it, and its peers at once

    from onelayer import PerceptronClassifier

    model = PerceptronClassifier(C=C, l1_ratio=l1_ratio, tol=tol).fit(stored.X, y)
    return model.coef_, model.intercept_


def scikit_learn(solver: str, **settings: Any) -> Callable[[Stored, Array, float, float, float], Weights]:
    def fit(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=C, l1_ratio=l1_ratio, solver=solver, tol=tol, max_iter=STEPS, **settings)
        model.fit(stored.X, y)
        return model.coef_, model.intercept_

    return fit


def intelex(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
    from sklearnex.linear_model import LogisticRegression

    model = LogisticRegression(C=C, l1_ratio=l1_ratio, tol=tol, max_iter=STEPS).fit(stored.X, y)
    return model.coef_, model.intercept_


def glum(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
    """Its deviance is twice the loss and is halved in its mean: alpha is 1/(C n)."""
    from glum import GeneralizedLinearRegressor

    alpha = 1 / (C * stored.n)
    model = GeneralizedLinearRegressor(
        family="binomial", alpha=alpha, l1_ratio=l1_ratio, gradient_tol=tol, max_iter=STEPS
    ).fit(stored.X, y)
    return model.coef_, model.intercept_


def skglm(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
    from skglm import SparseLogisticRegression

    model = SparseLogisticRegression(
        alpha=1 / (C * stored.n), l1_ratio=l1_ratio, tol=tol, max_iter=1000, max_epochs=STEPS
    ).fit(stored.X, y)
    return model.coef_, model.intercept_


def liblinear(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
    """The bias is a column of ones which ``-R`` leaves unpenalised: solvers 0 (L2, Newton) and 6 (L1)."""
    from liblinear.liblinearutil import parameter, train

    model = train(stored.X, parameter(f"-s {6 if l1_ratio else 0} -c {float(C)!r} -e {float(tol)!r} -B 1 -R -q"))
    coef, intercept = model.get_decfun()
    sign = 1 if model.get_labels()[0] == 1 else -1  # its first class is the positive one
    return sign * np.array(coef), sign * intercept


def liblinear_problem(X: Any, y: Array) -> Any:
    from liblinear.liblinearutil import problem

    return problem(y.astype(float), X, 1)


def snapml(dual: bool) -> Callable[[Stored, Array, float, float, float], Weights]:
    def fit(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
        import os

        from snapml import LogisticRegression

        model = LogisticRegression(
            regularizer=1 / C,
            penalty="l1" if l1_ratio else "l2",
            dual=dual and not l1_ratio,
            tol=tol,
            max_iter=STEPS,
            n_jobs=len(os.sched_getaffinity(0)),
        ).fit(stored.X, y)
        coef = model.coef_.ravel()
        return coef[:-1], BIAS * coef[-1]

    return fit


def with_bias(X: Any, y: Array) -> Any:
    """A constant column, since snapml's own intercept came back as 0."""
    column = np.full((X.shape[0], 1), BIAS, X.dtype)
    return sp.hstack([X, column]).tocsr() if sp.issparse(X) else np.hstack([X, column])


VOWPAL_BITS = 18
VOWPAL_CONSTANT = 11650396 % 2**VOWPAL_BITS  # where it hashes its constant; columns are hashed to their own numbers


def vowpal(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
    """L-BFGS over its cache file; it sums losses, so its l2 is 1/C. Starting and reading the file are in the time."""
    from vowpalwabbit.pyvw import Workspace

    with tempfile.TemporaryDirectory() as folder:
        text, readable = f"{folder}/readable", f"--cache_file {folder}/cache -k"
        Workspace(
            f"--bfgs --loss_function logistic --l2 {1 / C!r} --no_bias_regularization --passes 2000 {readable} "
            f"--termination {tol!r} -b {VOWPAL_BITS} --holdout_off --predict_only_model --quiet "
            f"-d {stored.X} --readable_model {text} -f {folder}/model"
        ).finish()
        w = np.zeros(2**VOWPAL_BITS)
        for line in Path(text).read_text().splitlines():
            index, _, value = line.partition(":")
            if index.isdigit():
                w[int(index)] = float(value)
    return w[: stored.d], w[VOWPAL_CONSTANT]


def vowpal_file(X: Any, y: Array) -> str:
    X = sp.csr_matrix(X)
    with tempfile.NamedTemporaryFile("w", suffix=".vw", delete=False) as file:
        for i, label in enumerate(y):
            row = slice(X.indptr[i], X.indptr[i + 1])
            cells = zip(X.indices[row].tolist(), X.data[row].tolist(), strict=True)
            file.write(f"{2 * label - 1} | " + " ".join(f"{j}:{value!r}" for j, value in cells) + "\n")
    return file.name


def glmnet(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
    """At the end of a short path, as its authors advise against a single value."""
    coefs, intercepts = glmnet_path(stored, y, np.array([C / 4, C / 2, C]), l1_ratio, tol)
    return coefs[-1], intercepts[-1]


def glmnet_path(stored: Stored, y: Array, Cs: Array, l1_ratio: float, tol: float) -> Weights:
    from glmnet import LogitNet

    model = LogitNet(
        alpha=l1_ratio, lambda_path=1 / (Cs * stored.n), standardize=False, n_splits=0, tol=tol, max_iter=10**8
    ).fit(stored.X, y)
    return model.coef_path_[0].T, model.intercept_path_[0]


def adelie(stored: Stored, y: Array, C: float, l1_ratio: float, tol: float) -> Weights:
    coefs, intercepts = adelie_path(stored, y, np.array([C / 4, C / 2, C]), l1_ratio, tol)
    return coefs[-1], intercepts[-1]


def adelie_path(stored: Stored, y: Array, Cs: Array, l1_ratio: float, tol: float) -> Weights:
    from adelie import glm, solver

    state = solver.grpnet(
        X=stored.X,
        glm=glm.binomial(y.astype(float)),
        alpha=l1_ratio,
        lmda_path=1 / (Cs * stored.n),
        tol=tol,
        irls_tol=tol,
        irls_max_iters=STEPS,
        max_iters=10**8,
        early_exit=False,
        progress_bar=False,
    )
    return state.betas.toarray(), state.intercepts


def adelie_matrix(X: Any, y: Array) -> Any:
    from adelie import matrix

    return matrix.sparse(sp.csc_matrix(X), method="naive") if sp.issparse(X) else np.asfortranarray(X, dtype=float)


def celer_path(stored: Stored, y: Array, Cs: Array, l1_ratio: float, tol: float) -> Weights:
    """No intercept: it enters paths only, against an optimum without one."""
    from celer import celer_path

    alphas = 1 / Cs  # of the sum of the losses
    coefs = celer_path(stored.X, 2.0 * y - 1, pb="logreg", alphas=alphas, tol=tol, max_iter=1000, use_PN=True)[1]
    return coefs.T, np.zeros(len(Cs))


def by_columns(X: Any, y: Array) -> Any:
    return sp.csc_matrix(X) if sp.issparse(X) else np.asfortranarray(X)


SOLVERS = "scikit-learn"
PEERS = {
    peer.name: peer
    for peer in (
        Peer("onelayer", "onelayer", "dense sparse l2 l1 classes", onelayer),
        Peer("lbfgs", SOLVERS, "dense sparse l2 classes", scikit_learn("lbfgs"), module="sklearn"),
        Peer("newton-cg", SOLVERS, "dense sparse l2 classes", scikit_learn("newton-cg"), module="sklearn"),
        Peer(
            "newton-cholesky",
            SOLVERS,
            "dense sparse l2 classes",
            scikit_learn("newton-cholesky"),
            columns=HESSIAN,
            module="sklearn",
        ),
        Peer(
            "liblinear (scikit-learn)",
            SOLVERS,
            "dense sparse l2 l1",
            scikit_learn("liblinear", intercept_scaling=BIAS),
            penalises_bias=True,
            module="sklearn",
        ),
        Peer(
            "liblinear dual (scikit-learn)",
            SOLVERS,
            "dense sparse l2",
            scikit_learn("liblinear", intercept_scaling=10.0, dual=True),
            penalises_bias=True,
            module="sklearn",
        ),
        Peer("saga", SOLVERS, "dense sparse l2 l1 classes", scikit_learn("saga"), module="sklearn"),
        Peer(  # its tolerance is of the gradient of the sum over rows, not of the mean
            "scikit-learn-intelex",
            "scikit-learn-intelex",
            "dense sparse l2 classes",
            intelex,
            loosest=1e5,
            tightest=1e-6,
            module="sklearnex",
        ),
        Peer("glum", "glum", "dense sparse l2 l1", glum, loosest=1.0, columns=HESSIAN),
        Peer("skglm", "skglm", "dense sparse l1", skglm, by_columns),
        Peer("liblinear", "liblinear-official", "dense sparse l2 l1", liblinear, liblinear_problem, module="liblinear"),
        Peer("snapml", "snapml", "dense sparse l2 l1", snapml(dual=False), with_bias, penalises_bias=True),
        Peer("snapml dual", "snapml", "dense sparse l2", snapml(dual=True), with_bias, penalises_bias=True),
        Peer("vowpal wabbit", "vowpalwabbit", "dense sparse l2", vowpal, vowpal_file, entries=10**7),
        Peer("glmnet", "python-glmnet", "dense sparse l2 l1", glmnet, by_columns, module="glmnet"),
        Peer("adelie", "adelie", "dense sparse l2 l1", adelie, adelie_matrix),
    )
}

# Two solvers of different kinds for each kind of problem, each at a tolerance near rounding: the optimum is the least
# value that either of them reaches. Later ones are asked where an earlier one may not enter.
TIGHT = {
    "l2": {"newton-cholesky": 1e-12, "glum": 1e-9, "liblinear": 1e-9, "newton-cg": 1e-10},
    "classes": {"newton-cholesky": 1e-12, "newton-cg": 1e-9},
    "l1": {"glum": 1e-9, "adelie": 1e-12, "skglm": 1e-8},
}
