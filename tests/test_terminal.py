"""How a program speaks."""

import json

import pytest

from onelayer import terminal


def refuse(constant):
    pytest.fail(f"{constant} is no JSON")


def test_json_has_neither_nan_nor_infinity():
    document = {"a": [float("nan"), (1.5, float("-inf"))], "b": "NaN", "c": None, "d": 2}
    assert json.loads(terminal.to_json(document), parse_constant=refuse) == {
        "a": [None, [1.5, None]],
        "b": "NaN",
        "c": None,
        "d": 2,
    }
