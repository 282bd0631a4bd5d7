"""Texts as whole numbers: the tokens of each row, as codes of the different words there are."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[Any]

# A token is a run of letters with their marks, digits and apostrophes inside words, or any other sign that is no space,
# so that "!" and an emoji count; ideographs, which no space divides, count one by one.
TOKEN = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}_][\p{L}\p{N}\p{M}_]*(?:['’]\p{L}[\p{L}\p{M}]*)*|[^\s\p{L}\p{N}_]"
)
# of models saved before: a mark ends a word and is a token of its own
FIRST_TOKEN = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}_]+(?:['’][\p{L}]+)*|[^\s\p{L}\p{N}_]"

BLOCK, AT_ONCE = 50_000, 4  # rows cut by a thread at a time, and threads: what is needed meanwhile stays small


@dataclass(frozen=True)
class Tokens:
    """Row i holds, in this order, ``words[codes[starts[i]:starts[i + 1]]]``; words are different, in no order."""

    starts: Array
    codes: Array
    words: pl.Series

    @cached_property
    def rows(self) -> Array:
        """The row of each token."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))

    def continued(self, begun: Array, last: Array) -> tuple[Array, Array]:
        """Runs of tokens, as any code and the place of their last token, each grown by the next token of its row.

        Runs that end their row are left out.
        """
        inside = self._followed[last]
        return begun[inside], last[inside] + 1

    @cached_property
    def _followed(self) -> Array:
        followed = np.ones(len(self.codes), dtype=bool)
        followed[self.starts[self.starts > 0] - 1] = False
        return followed


def cut(texts: pl.Series, token: str = TOKEN) -> Tokens:
    """The tokens of texts, in lower case, by this pattern; a missing text has none.

    Each different piece between two spaces is cut once, however often it is there: no token holds a space, and neither
    the pattern nor lower case looks beyond one (a final sigma is final before a space).

    Examples
    --------
    >>> found = cut(pl.Series(["A dog!", None, "a DOG"]))
    >>> found.starts.tolist(), found.words.gather(found.codes).to_list()
    ([0, 3, 3, 5], ['a', 'dog', '!', 'a', 'dog'])
    """
    parts = [texts[start : start + BLOCK] for start in range(0, max(len(texts), 1), BLOCK)]
    if len(parts) == 1:
        return _cut(texts, token)
    with ThreadPoolExecutor(min(pl.thread_pool_size(), AT_ONCE)) as pool:  # polars takes one core for each
        blocks = list(pool.map(_cut, parts, repeat(token)))
    code, words = coded(pl.concat([block.words for block in blocks]))
    begins = ends_of(np.array([len(block.words) for block in blocks]))
    codes = [code[begin:][block.codes] for begin, block in zip(begins, blocks, strict=False)]
    lengths = np.concatenate([np.diff(block.starts) for block in blocks])
    return Tokens(ends_of(lengths), np.concatenate(codes), words)


def _cut(texts: pl.Series, token: str) -> Tokens:
    lists = texts.fill_null("").str.split(" ")
    piece, pieces = coded(lists.explode())
    cut_once = pieces.str.to_lowercase().str.extract_all(token)
    code, words = coded(cut_once.explode().drop_nulls())
    each = cut_once.list.len().to_numpy()  # tokens of each different piece
    ends = ends_of(each[piece])
    codes = code[ranges(ends_of(each)[:-1][piece], ends)]
    return Tokens(ends[ends_of(lists.list.len().to_numpy())], codes, words)


def coded(values: pl.Series) -> tuple[Array, pl.Series]:
    """A code of each value, and the different values by code."""
    interned = values.cast(pl.Categorical).to_physical().to_numpy()  # codes, but with gaps where others intern, too
    first = np.full(int(interned.max(initial=0)) + 1, -1)
    first[interned] = np.arange(len(interned))
    there = np.flatnonzero(first >= 0)
    code = np.empty(len(first), dtype=np.int32)
    code[there] = np.arange(len(there), dtype=np.int32)
    return code[interned], values.gather(first[there])


def ends_of(lengths: Array) -> Array:
    """Where pieces of these lengths begin and end, one after the other: one more number than there are pieces."""
    total = int(lengths.sum(dtype=np.int64))
    ends = np.zeros(len(lengths) + 1, dtype=np.int32 if total < 2**31 else np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ends


def ranges(starts: Array, ends: Array) -> Array:
    """starts[0], starts[0] + 1, … as many as lie between the first two of `ends`; then starts[1], and so on."""
    places = np.repeat(starts - ends[:-1], np.diff(ends))
    places += np.arange(ends[-1], dtype=ends.dtype)
    return places
