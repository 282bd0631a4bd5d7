"""C chosen by cross-validation: scikit-learn's checks and scikit-learn's choice."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from onelayer import PerceptronClassifierCV


@parametrize_with_checks([PerceptronClassifierCV(Cs=4, cv=3)])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks(estimator, check):
    check(estimator)
