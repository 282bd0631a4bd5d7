"""Texts to features: words, signs and runs of words, weighted by how often and how rarely they occur.

A vocabulary is learnt in whole numbers: words have codes, a run of words is the code of its beginning and its last
word, and only terms that may be kept are ever spelt.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[Any]

# A token is a run of letters, digits and apostrophes inside words, or any other sign that is neither space nor mark, so
# that "!" and an emoji count; ideographs, which no space divides, count one by one.
TOKEN = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}_]+(?:['’][\p{L}]+)*|[^\s\p{L}\p{N}_]"
TEXT_LENGTH = 4.0  # of a text's row, for C = 1: by cross-validation, see docs/decisions/0003-text-defaults.md


@dataclass(frozen=True)
class Vocabulary:
    """Terms, those in most rows first, ties by name; the number of rows each is in; whether others were left out."""

    names: tuple[str, ...]
    documents: Array
    capped: bool


def learn(texts: pl.Series, ngrams: int, limit: int) -> tuple[Vocabulary, Any]:
    """The `limit` terms in most rows, and how often each row holds them, CSR (n, terms)."""
    rows, words = _tokens(texts)
    # A term that occurs once is in one row only: it need not be looked at if enough others are in two or more.
    for least in (2, 1):
        runs = _Runs.of(rows, words, ngrams, least)
        counts = _counts(runs.rows, runs.codes, (len(texts), runs.number))
        documents = np.bincount(counts.indices, minlength=runs.number)
        if (documents >= 2).sum() >= limit:
            break
    order = _most_frequent(runs, documents, limit)
    column = np.full(runs.number, -1)
    column[order] = np.arange(len(order))
    names = tuple(runs.spelt(order).to_list())
    return Vocabulary(names, documents[order], runs.distinct > limit), _relabelled(counts, column, len(order))


def count(texts: pl.Series, names: tuple[str, ...], ngrams: int) -> Any:
    """How often each row holds the terms of a vocabulary, CSR (n, terms)."""
    known = pl.DataFrame({"term": names, "code": np.arange(len(names))}, schema_overrides={"term": pl.String})
    found = terms(texts, ngrams).join(known, on="term")
    return _counts(found["row"].to_numpy(), found["code"].to_numpy(), (len(texts), len(names)))


def terms(texts: pl.Series, ngrams: int) -> pl.DataFrame:
    """One line (row, term) for each occurrence of a word or run of up to `ngrams` words; a missing text has none."""
    rows, words = _tokens(texts)
    frame, term, row = pl.DataFrame({"row": rows, "term": words}), pl.col("term"), pl.col("row")
    runs = [frame]
    for length in range(2, ngrams + 1):
        joined = pl.concat_str([term, *(term.shift(-i) for i in range(1, length))], separator=" ")
        runs.append(frame.select("row", joined).filter(frame.select(row == row.shift(1 - length)).to_series()))
    return pl.concat(runs)


def tf_idf(counts: Any, frequency: Array) -> Any:
    """Sublinear tf-idf (Manning, Raghavan & Schütze, 2008, § 6.4), each row of length 4; CSR (n, terms)."""
    data = (1 + np.log(counts.data)) * frequency[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, weights=data**2, minlength=counts.shape[0]))
    return sp.csr_matrix((data * (TEXT_LENGTH / lengths[rows]), counts.indices, counts.indptr), shape=counts.shape)


@dataclass(frozen=True)
class _Runs:
    """Occurrences of terms, as (row, code); `keys` of each length of run tell the codes of its beginning and last word.

    Codes count from the words up through the lengths; ``distinct`` counts terms that were left out as too rare, too.
    """

    rows: Array
    codes: Array
    words: pl.Series
    keys: list[Array]
    distinct: int

    @classmethod
    def of(cls, rows: Array, words: pl.Series, ngrams: int, least: int) -> "_Runs":
        """Every word, and the runs of two to `ngrams` words that occur at least so many times."""
        known = _counted(words)["value"]
        code = _codes(words, known)
        found, keys, distinct, number = [(rows, code)], [], len(known), len(known)
        begun, ends, following = code, np.arange(len(code)), np.append(rows, -1)[1:]  # runs by code and last word
        for _ in range(2, ngrams + 1):
            within = (begun >= 0) & (following[ends] == rows[ends])
            begun, ends = begun[within], ends[within] + 1
            key = begun * len(known) + code[ends]
            counted = _counted(pl.Series(key))
            kept = counted.filter(pl.col("len") >= least)["value"]
            begun = _codes(pl.Series(key), kept)
            found.append((rows[ends][begun >= 0], begun[begun >= 0] + number))
            keys.append(kept.to_numpy())
            distinct, number = distinct + counted.height, number + len(kept)
        all_rows, all_codes = (np.concatenate(part) for part in zip(*found, strict=True))
        return cls(all_rows, all_codes, known, keys, distinct)

    @property
    def number(self) -> int:
        """How many codes there are."""
        return len(self.words) + sum(map(len, self.keys))

    def spelt(self, codes: Array) -> pl.Series:
        """The terms with these codes."""
        names = np.empty(len(codes), dtype=object)
        start = 0
        for level, size in enumerate([len(self.words), *map(len, self.keys)]):
            here = np.flatnonzero((start <= codes) & (codes < start + size))
            names[here] = self._spelt(level, codes[here] - start).to_numpy()
            start += size
        return pl.Series(names, dtype=pl.String)

    def _spelt(self, level: int, codes: Array) -> pl.Series:
        if level == 0:
            return self.words.gather(codes)
        begun, last = np.divmod(self.keys[level - 1][codes], len(self.words))
        return self._spelt(level - 1, begun) + " " + self.words.gather(last)


def _tokens(texts: pl.Series) -> tuple[Array, pl.Series]:
    """The row of each token and the token, in order; slices of the texts are cut on all cores."""
    size = max(1000, -(-len(texts) // (4 * pl.thread_pool_size())))
    cut = pl.first().str.to_lowercase().str.extract_all(TOKEN)
    frame = texts.to_frame().lazy()
    slices = [frame.slice(start, size).select(cut) for start in range(0, max(len(texts), 1), size)]
    lists = pl.concat([part.to_series() for part in pl.collect_all(slices)])
    lengths = lists.list.len().fill_null(0).to_numpy()
    return np.repeat(np.arange(len(texts), dtype=np.int32), lengths), lists.explode().drop_nulls().alias("term")


def _counted(values: pl.Series) -> pl.DataFrame:
    """Each different value and how often it is there; the streaming engine takes half the time of the other."""
    return values.alias("value").to_frame().lazy().group_by("value").len().collect(engine="streaming")


def _codes(values: pl.Series, known: pl.Series) -> Array:
    """The place of each value among the known ones; -1 where it is not."""
    table = pl.DataFrame({"value": known, "code": np.arange(len(known))})
    found = pl.DataFrame({"value": values}).join(table, on="value", how="left", maintain_order="left")
    return found["code"].fill_null(-1).to_numpy()


def _counts(rows: Array, codes: Array, shape: tuple[int, int]) -> Any:
    counts = sp.coo_matrix((np.ones(len(rows)), (rows, codes.astype(np.int32))), shape=shape).tocsr()
    counts.sort_indices()
    return counts


def _most_frequent(runs: _Runs, documents: Array, limit: int) -> Array:
    """Codes of the terms in most rows, ties by name, which only they need."""
    bar = max(1, int(np.partition(documents, -limit)[-limit]) if len(documents) > limit else 1)
    codes = np.flatnonzero(documents >= bar)
    table = pl.DataFrame({"code": codes, "documents": documents[codes], "term": runs.spelt(codes)})
    return table.sort(["documents", "term"], descending=[True, False]).head(limit)["code"].to_numpy()


def _relabelled(counts: Any, column: Array, width: int) -> Any:
    """The same counts with codes renamed as columns, those without one dropped."""
    columns = column[counts.indices]
    kept = columns >= 0
    indptr = np.concatenate([[0], np.cumsum(kept)])[counts.indptr]
    shape = (counts.shape[0], width)
    renamed = sp.csr_matrix((counts.data[kept], columns[kept].astype(np.int32), indptr.astype(np.int32)), shape=shape)
    renamed.sort_indices()
    return renamed
