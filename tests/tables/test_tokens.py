"""Texts cut into tokens: once for each piece, and as if each text had been cut by itself."""

import unicodedata

import numpy as np
import polars as pl
import pytest

import onelayer.tables.tokens as tokens_room
from onelayer.tables.tokens import TOKEN, cut, ranges


def spelt(texts):
    found = cut(pl.Series(texts, dtype=pl.String))
    words = found.words.gather(found.codes).to_list()
    assert found.words.n_unique() == len(found.words)
    return [words[start:end] for start, end in zip(found.starts, found.starts[1:], strict=False)]


def by_hand(text):
    """Character by character, from what Unicode says of each."""
    tokens, i, text = [], 0, (text or "").lower()
    while i < len(text):
        end = i + 1
        if wordy(text[i]):
            while end < len(text) and (wordy(text[end]) or mark(text[end])):
                end += 1
            while end + 1 < len(text) and text[end] in "'’" and letter(text[end + 1]):
                end += 1
                while end < len(text) and (letter(text[end]) or mark(text[end])):
                    end += 1
        if not text[i].isspace() or text[i] in "\x1c\x1d\x1e\x1f":  # spaces to Python, but signs to Unicode
            tokens.append(text[i:end])
        i = end
    return tokens


def letter(character):
    return unicodedata.category(character)[0] == "L"


def mark(character):
    return unicodedata.category(character)[0] == "M"


def wordy(character):
    return unicodedata.category(character)[0] in "LN" or character == "_"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\u00a0\n", []),
        ("!?", ["!", "?"]),
        ("a", ["a"]),
        ("So\nwhat", ["so", "what"]),
        ("🙂🙂", ["🙂", "🙂"]),
        ("我好", ["我", "好"]),
        ("ÜBER", ["über"]),
        ("don't 'tis rock'n'roll's o' 90's", ["don't", "'", "tis", "rock'n'roll's", "o", "'", "90's"]),
        ("x\0y", ["x", "\0", "y"]),
        ("ΟΔΟΣ ΟΔΟΣ, ΟΔΟΣΑ", ["οδος", "οδος", ",", "οδοσα"]),
        ("e\u0301", ["e\u0301"]),
        ("\u0301e l'e\u0301te\u0301", ["\u0301", "e", "l'e\u0301te\u0301"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("❤\ufe0f", ["❤", "\ufe0f"]),
        ("snake_case 1,234", ["snake_case", "1", ",", "234"]),
    ],
)
def test_tokens_of_a_text(text, tokens):
    assert spelt([text, f"before {text} after", text]) == [tokens, ["before", *tokens, "after"], tokens]


NASTY = [*"ab9_ '’.,!\t\n\r\x0b\0\x1f", *"éßİıſΣσςÅ\u0301\u0345\u00ad\u200b\u200d\u2028\u3000\u0085\ufeff🙂½٣ー々"]


@pytest.mark.parametrize("seed", range(20))
def test_cut_by_pieces_is_cut_whole(seed):
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice([*NASTY, " ", " "], rng.integers(0, 40))) for _ in range(300)]
    texts[5:7] = [None, "a" * 100_000 + " b"]
    whole = pl.Series(texts).str.to_lowercase().str.extract_all(TOKEN)
    assert spelt(texts) == [tokens or [] for tokens in whole.to_list()]


@pytest.mark.parametrize("seed", range(20))
def test_cut_is_what_unicode_says(seed):
    rng = np.random.default_rng(seed)
    texts = [
        "".join(rng.choice([*"abzé9_½٣ '’.,!?\t\n\0\x1f\u200bΣß🙂\u0301"], rng.integers(0, 40))) for _ in range(300)
    ]
    assert spelt(texts) == [by_hand(text) for text in texts]


def test_no_texts():
    assert spelt([]) == []
    assert spelt([None, ""]) == [[], []]


@pytest.mark.parametrize("block", [1, 7, 50, 1000])
def test_blocks_are_cut_side_by_side_in_order(monkeypatch, block):
    """Each interns words while others do; codes are of no order, rows of theirs, and a word has one code."""
    monkeypatch.setattr(tokens_room, "BLOCK", block)
    rng = np.random.default_rng(block)
    texts = [" ".join(f"w{word}" for word in rng.zipf(1.5, rng.integers(0, 30)) % 999) for _ in range(300)]
    found = cut(pl.Series(texts))
    assert spelt(texts) == [text.split() for text in texts]
    assert found.words.n_unique() == len(found.words) == len({word for text in texts for word in text.split()})


def test_others_may_intern_strings_meanwhile():
    kept = pl.Series([f"other {i}" for i in range(1000)]).cast(pl.Categorical)
    assert spelt(["b a", "other 7"]) == [["b", "a"], ["other", "7"]]
    assert kept.len() == 1000


def test_ranges_follow_each_other():
    assert ranges(np.array([5, 0, 9]), np.array([0, 2, 2, 5])).tolist() == [5, 6, 9, 10, 11]
