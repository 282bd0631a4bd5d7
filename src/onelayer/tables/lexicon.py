"""A vocabulary as it is looked up: how often rows hold the terms that a model knows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer.tables.tokens import BLOCK, TOKEN, coded, cut, ends_of

Array = NDArray[Any]


@dataclass(frozen=True)
class Lexicon:
    """The columns of words and of runs of words; -1 for words and runs that are only the beginning of longer terms.

    ``columns`` are those of ``words``. ``runs`` of two words, of three, and so on, are found by a key, the code of
    their beginning times the number of words plus the code of their last word, and have codes of their own.
    """

    words: pl.Series
    columns: Array
    runs: tuple[pl.DataFrame, ...]
    width: int

    @classmethod
    def of(cls, names: tuple[str, ...]) -> "Lexicon":
        """The lexicon of the terms with these names, in the order of their columns."""
        parts = pl.Series(names, dtype=pl.String).str.split(" ")
        lengths = parts.list.len().to_numpy().astype(np.int64)
        code, words = coded(parts.explode())
        starts = ends_of(lengths)[:-1]
        begun = code[starts].astype(np.int64)  # of each term, so much of it as has been looked at

        def columns(ending: Array, number: int) -> Array:
            column = np.full(number, -1)
            column[begun[ending]] = ending
            return column

        of_words, longer = columns(np.flatnonzero(lengths == 1), len(words)), np.flatnonzero(lengths > 1)
        runs: list[pl.DataFrame] = []
        while len(longer):
            length = len(runs) + 2
            keys = begun[longer] * len(words) + code[starts[longer] + length - 1]
            different, begun[longer] = np.unique(keys, return_inverse=True)
            column = columns(longer[lengths[longer] == length], len(different))
            runs.append(pl.DataFrame({"key": different, "code": np.arange(len(different)), "column": column}))
            longer = longer[lengths[longer] > length]
        return cls(words, of_words, tuple(runs), len(names))

    def count(self, texts: pl.Series, token: str = TOKEN) -> Any:
        """How often each row holds each term, of tokens by this pattern, CSR (n, terms)."""
        blocks = [self._count(texts[start : start + BLOCK], token) for start in range(0, max(len(texts), 1), BLOCK)]
        return blocks[0] if len(blocks) == 1 else sp.vstack(blocks, format="csr")

    def _count(self, texts: pl.Series, token: str) -> Any:
        tokens = cut(texts, token)
        table = pl.DataFrame({"word": self.words, "code": np.arange(len(self.words))})
        known = pl.DataFrame({"word": tokens.words}).join(table, on="word", how="left", maintain_order="left")
        code = known["code"].fill_null(-1).to_numpy()[tokens.codes]
        begun, last = code, np.arange(len(code), dtype=tokens.starts.dtype)
        found = [(last, np.append(self.columns, -1)[code])]  # places in the texts, and columns of what ends there
        for runs in self.runs:
            begun, last = tokens.continued(begun, last)
            there = (begun >= 0) & (code[last] >= 0)
            keys = begun[there] * len(self.words) + code[last[there]]
            met = pl.DataFrame({"key": keys, "last": last[there]}).join(runs, on="key")
            begun, last = met["code"].to_numpy(), met["last"].to_numpy()
            found.append((last, met["column"].to_numpy()))
        places, columns = (np.concatenate(part) for part in zip(*found, strict=True))
        kept = columns >= 0
        rows, columns = tokens.rows[places[kept]], columns[kept]
        return sp.coo_matrix(
            (np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=(len(texts), self.width)
        ).tocsr()
