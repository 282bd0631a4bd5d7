"""How a program speaks."""

import json
import signal
import warnings

import pytest

from onelayer.cli import terminal


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


def test_what_is_begun_is_done_before_ctrl_c_is_heard(interruptible):
    with terminal.to_the_end() as interrupted:
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done
    assert interrupted
    with terminal.to_the_end():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):  # who asks twice is heard
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_names_in_lines_neither_begin_others_nor_steer_the_terminal(capsys):
    assert terminal.lines(["weight  a\nb: 1", "push  \x1b[2Jc: 2"]) == "weight  a\\nb: 1\npush  \\x1b[2Jc: 2"
    with terminal.notices():
        warnings.warn("column \x1b[31m is constant", stacklevel=1)
    with pytest.raises(SystemExit):
        terminal.stop("of a\rb")
    assert capsys.readouterr().err == "notice: column \\x1b[31m is constant\nstopped: of a\\rb\n"
