"""Texts to features: words, signs and runs of words, weighted by how often and how rarely they occur.

A vocabulary is learnt in whole numbers: words have codes, a run of words has the code of its beginning and its last
word for a key, and only terms that may be kept are ever spelt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer.tables.tokens import Tokens, cut, ends_of, ranges

Array = NDArray[Any]

# By cross-validation, see docs/decisions/0003-text-defaults.md:
TEXT_LENGTH = 3.0  # of a text's row, for C = 1
RUN_WEIGHT = 0.6  # of a run of words, beside one word that is as rare
LEAST_ROWS = 2  # that hold a run of words, for it to be a term


@dataclass(frozen=True)
class Vocabulary:
    """Terms, those in most rows first, ties by name; the number of rows each is in; whether others were left out."""

    names: tuple[str, ...]
    documents: Array
    capped: bool

    def weights(self, n: int) -> Array:
        """What a term weighs: its inverse document frequency among n rows, less for a run of words."""
        frequency = np.log((1 + n) / (1 + self.documents)) + 1
        runs = pl.Series(self.names, dtype=pl.String).str.contains(" ", literal=True).to_numpy()
        return np.where(runs, RUN_WEIGHT * frequency, frequency)


def learn(texts: pl.Series, ngrams: int, limit: int) -> tuple[Vocabulary, Any]:
    """The `limit` terms in most rows, and how often each row holds them, CSR (n, terms).

    Terms are words, and runs of up to `ngrams` words that two rows or more hold.
    """
    tokens = cut(texts)
    found = [_words(tokens), *_runs(tokens, ngrams)]
    documents = np.concatenate([np.diff(terms.starts) for terms in found])
    bar = np.partition(documents, -limit)[-limit] if len(documents) > limit else 0
    codes = np.flatnonzero(documents >= bar)
    table = pl.DataFrame(
        {"code": codes, "documents": documents[codes], "name": _spelt(codes, found, tokens.words)},
        schema_overrides={"name": pl.String},
    )
    kept = table.sort(["documents", "name"], descending=[True, False]).head(limit)
    vocabulary = Vocabulary(tuple(kept["name"].to_list()), kept["documents"].to_numpy(), len(documents) > limit)
    return vocabulary, _counts(found, kept["code"].to_numpy(), len(texts))


def tf_idf(counts: Any, weights: Array, length: float) -> Any:
    """Sublinear tf-idf (Manning, Raghavan & Schütze, 2008, § 6.4), each row of one length; CSR (n, terms)."""
    sublinear = 1 + np.log(np.arange(1, counts.data.max(initial=1) + 1))
    data = sublinear[counts.data - 1] * weights[counts.indices]
    squares = sp.csr_matrix((data**2, counts.indices, counts.indptr), shape=counts.shape)
    lengths = np.sqrt(squares @ np.ones(counts.shape[1]))
    data *= np.repeat(length / np.where(lengths > 0, lengths, 1), np.diff(counts.indptr))
    return sp.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)


@dataclass(frozen=True)
class _Terms:
    """Terms by key: the i-th is in ``rows[starts[i]:starts[i + 1]]``, ascending, so many times each."""

    keys: Array
    starts: Array
    rows: Array
    counts: Array


def _words(tokens: Tokens) -> _Terms:
    """Every word, whose key is its code."""
    n, width = len(tokens.starts) - 1, len(tokens.words)
    parts = (np.ones(len(tokens.codes), dtype=np.int32), tokens.codes, tokens.starts)
    by_row = sp.csr_matrix(parts, shape=(n, width), copy=True)  # a copy, for it is sorted in place
    by_row.sum_duplicates()
    by_word = by_row.tocsc()
    return _Terms(np.arange(width), by_word.indptr, by_word.indices, by_word.data)


def _runs(tokens: Tokens, ngrams: int) -> Iterator[_Terms]:
    """Runs of two words, of three, and so on, that are in `LEAST_ROWS` rows; a longer one begins with a shorter one."""
    rows, n = tokens.rows, len(tokens.starts) - 1
    begun, last = tokens.codes, np.arange(len(rows), dtype=tokens.starts.dtype)
    for length in range(2, ngrams + 1):
        begun, last = tokens.continued(begun, last)
        keys = np.multiply(begun, len(tokens.words), dtype=np.int64)
        keys += tokens.codes[last]
        terms = _by_key(keys, rows[last], n)
        yield terms
        if length < ngrams:
            begun = np.searchsorted(terms.keys, keys)
            known = np.append(terms.keys, -1)[begun] == keys
            begun, last = begun[known], last[known]


def _by_key(keys: Array, rows: Array, n: int) -> _Terms:
    keys, rows = _repeated(keys, rows, n)
    at = np.flatnonzero(_begins(keys) | _begins(rows))
    counts = np.diff(at, append=len(keys)).astype(np.int32)
    keys, rows = keys[at], rows[at]
    starts = np.flatnonzero(_begins(keys))
    documents = np.diff(starts, append=len(keys))
    kept = documents >= LEAST_ROWS
    inside = np.repeat(kept, documents)
    return _Terms(keys[starts[kept]], ends_of(documents[kept]), rows[inside], counts[inside])


def _repeated(keys: Array, rows: Array, n: int) -> tuple[Array, Array]:
    """By key, then by row, without the keys that are there once, as those of most runs of words are.

    Key and row are packed into one number where there is room: sorting takes a third of the time.
    """
    bits = n.bit_length()
    if keys.max(initial=0) >> (63 - bits) == 0:
        packed = keys << bits
        packed |= rows
        packed = pl.Series(packed).sort().to_numpy()
        packed = packed[_again(packed >> bits)]
        return packed >> bits, (packed & ((1 << bits) - 1)).astype(rows.dtype)
    order = np.argsort(keys, kind="stable")
    order = order[_again(keys[order])]
    return keys[order], rows[order]


def _again(values: Array) -> Array:
    """Where a sorted value is there more than once."""
    again = ~_begins(values)
    again[:-1] |= again[1:]
    return again


def _begins(values: Array) -> Array:
    """Where a value is not the one before."""
    begins = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return begins


def _spelt(codes: Array, found: list[_Terms], words: pl.Series) -> pl.Series:
    """The names of terms, whose codes count up from the words through the runs of two, of three, and so on."""
    names, start, parts = words, 0, []
    for level, terms in enumerate(found):
        if level > 0:
            begun, last = np.divmod(terms.keys, len(words))
            names = names.gather(begun) + " " + words.gather(last)
        end = start + len(terms.keys)
        parts.append(names.gather(codes[(start <= codes) & (codes < end)] - start))
        start = end
    return pl.concat(parts)


def _counts(found: list[_Terms], codes: Array, n: int) -> Any:
    """CSR (n, terms) of the terms with these codes."""
    offsets = ends_of(np.array([len(terms.rows) for terms in found]))
    starts = np.concatenate([terms.starts[:-1] + offset for terms, offset in zip(found, offsets[:-1], strict=True)])
    documents = np.concatenate([np.diff(terms.starts) for terms in found])
    ends = ends_of(documents[codes])
    at = ranges(starts[codes], ends)
    counts = np.concatenate([terms.counts for terms in found])[at]
    rows = np.concatenate([terms.rows for terms in found])[at]
    return sp.csc_matrix((counts, rows, ends), shape=(n, len(codes))).tocsr()
