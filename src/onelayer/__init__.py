"""One layer of sigmoid neurons, done right.

Names are loaded on first use (PEP 562), so that ``import onelayer`` costs little more than ``import numpy``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onelayer.callbacks import ProgressBar as ProgressBar
    from onelayer.estimator import PerceptronClassifier as PerceptronClassifier
    from onelayer.fitting import fit as fit
    from onelayer.model import Model as Model
    from onelayer.model import load as load
    from onelayer.paths import path as path
    from onelayer.regressor import PerceptronRegressor as PerceptronRegressor
    from onelayer.tuning import PerceptronClassifierCV as PerceptronClassifierCV

_HOME = {
    "PerceptronClassifier": "estimator",
    "PerceptronRegressor": "regressor",
    "ProgressBar": "callbacks",
    "Model": "model",
    "fit": "fitting",
    "load": "model",
    "PerceptronClassifierCV": "tuning",
    "path": "paths",
}
_ROOMS = ("guide", "plots")

__all__ = [
    "Model",
    "PerceptronClassifier",
    "PerceptronClassifierCV",
    "PerceptronRegressor",
    "ProgressBar",
    "fit",
    "guide",
    "load",
    "path",
    "plots",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"onelayer.{_HOME[name]}"), name)
    if name in _ROOMS:
        return import_module(f"onelayer.{name}")
    if name == "__version__":
        return import_module("importlib.metadata").version("onelayer")  # it takes a third of NumPy's time to load
    raise AttributeError(f"module 'onelayer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
