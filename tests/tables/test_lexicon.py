"""Terms of a vocabulary, found again in texts."""

import numpy as np
import polars as pl

from onelayer.tables.lexicon import Lexicon


def counted(names, *texts):
    return Lexicon.of(names).count(pl.Series(texts, dtype=pl.String)).toarray().tolist()


def test_a_run_is_found_though_its_words_and_its_beginning_are_no_terms():
    assert counted(("a b c", "c"), "a b c a b c", "a b", "c", "b c a") == [[2, 2], [0, 0], [0, 1], [0, 1]]


def test_runs_stay_in_their_row():
    assert counted(("a b", "b a", "a"), "a b", "", None, "a", "b a a") == [
        [1, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 2],
    ]  # fmt: skip


def test_unknown_words_break_runs():
    assert counted(("a b", "a"), "a x b", "x a b", "never") == [[0, 1], [1, 1], [0, 0]]


def test_rows_without_a_term_and_no_rows_at_all():
    assert counted(("a",), "", None) == [[0], [0]]
    assert Lexicon.of(("a b",)).count(pl.Series([], dtype=pl.String)).shape == (0, 1)
    assert Lexicon.of(()).count(pl.Series(["a"])).shape == (1, 0)


def test_names_that_no_text_can_hold_are_harmless():
    assert counted(("", " ", "a  b", "A", "b"), "a  b", "") == [[0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]


def test_counts_are_canonical_and_whole_numbers():
    found = Lexicon.of(("b", "a", "a b")).count(pl.Series(["a b a b", "b"]))
    assert found.has_canonical_format
    np.testing.assert_array_equal(found.toarray(), [[2, 2, 2], [1, 0, 0]])
