"""Rows that are objects of JSON, on lines of their own."""

import json

import numpy as np
import pytest

from onelayer import tables


def test_json_lines_may_differ_in_type(read):
    rows = [{"age": 1, "of": "x"} for _ in range(5)]
    for cell, expected in ((True, 1), ("five", "five"), (2.5, 2.5), (None, None)):
        data = "\n".join(json.dumps(row) for row in [*rows, {"age": cell}]).encode()
        assert read(data)["age"].to_list()[-1] == expected
    assert read(b'{"a": 1}\n{"a": 1e999}')["a"].to_list() == [1, np.inf]
    with pytest.raises(
        tables.TableError, match=r"column 'a' holds 1 in row 1 and \[5\] \(list\) in row 2, make them one kind"
    ):
        read(b'{"a": 1}\n{"a": [5]}')


def test_a_key_twice_is_refused_in_any_line(read):
    fine = b'{"a": 1, "b": null}\n{"a": 2}\n\n{"a": 3, "b": "x \\": y"}\n' * 100
    assert read(fine).shape == (300, 2)
    for bad in (b'{"a": 1, "a": 2}', b'{"a": true, "a": 2}', b'{"b": {"x": 1, "x": 2}}', b'{"a": 5, "a": null}'):
        with pytest.raises(tables.TableError, match=r", line 401: the object names '[ax]' twice: rename one of them"):
            read(fine + bad)
