"""What the pages promise of themselves, where their build cannot notice that it no longer holds."""

import ast
from pathlib import Path

import pytest

from onelayer import PerceptronClassifier, PerceptronClassifierCV, PerceptronRegressor

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("estimator", [PerceptronClassifier, PerceptronClassifierCV, PerceptronRegressor])
def test_every_parameter_has_its_row_among_those_of_other_programs(estimator):
    page = ast.get_docstring(ast.parse((DOCS / "learn" / "plot_8_objective.py").read_text(encoding="utf-8")))
    table = page.split("Every parameter")[1]
    ours = "".join(row.split("\n     - ")[0] for row in table.split("   * - ")[1:])
    assert [name for name in estimator().get_params() if f"``{name}``" not in ours] == []
