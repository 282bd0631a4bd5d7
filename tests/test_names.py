"""Names in a line: their ends where they are long, and what would steer a terminal."""

import pytest

from onelayer.names import printable, short


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines\r", r"two\nlines\r"),
        ("\x00\x7f\x9b\t", r"\x00\x7f\x9b\t"),
        ("a\u2028b\u202ec\u2066", r"a\u2028b\u202ec\u2066"),
        (r"back\slash 'quote'", r"back\slash 'quote'"),
        ("prix\xa0€ می\u200cخواهم 👩\u200d🔬 é", "prix\xa0€ می\u200cخواهم 👩\u200d🔬 é"),
    ],
)
def test_what_steers_a_terminal_is_escaped_and_nothing_else(text, escaped):
    assert printable(text) == short(text) == escaped
    assert printable(escaped) == escaped


def test_long_names_are_cut():
    assert short("x" * 60) == "x" * 60
    assert short("x" * 61) == short("x" * 10**6) == "x" * 59 + "…"
    assert short("\n" * 40) == r"\n" * 29 + "\\…"
    assert short(12345, 4) == "123…"
