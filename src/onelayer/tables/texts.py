"""Texts to features: words, signs and runs of words, weighted by how often and how rarely they occur."""

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


def terms(texts: pl.Series, ngrams: int) -> pl.DataFrame:
    """One line for each (row, term) with its count; a missing text has none."""
    frame = pl.DataFrame({"row": pl.arange(len(texts), dtype=pl.UInt32, eager=True), "text": texts})
    words = (
        frame.with_columns(term=pl.col("text").str.to_lowercase().str.extract_all(TOKEN))
        .select("row", "term")
        .explode("term")
        .drop_nulls()
    )
    runs = [words]
    for length in range(2, ngrams + 1):
        term, row = pl.col("term"), pl.col("row")
        joined = pl.concat_str([term, *(term.shift(-i) for i in range(1, length))], separator=" ")
        runs.append(
            words.select("row", joined.alias("term"), (row == row.shift(1 - length)).alias("same"))
            .filter(pl.col("same"))
            .select("row", "term")
        )
    return pl.concat(runs).group_by("row", "term").len("count")


def vocabulary(counted: pl.DataFrame) -> pl.DataFrame:
    """The terms and in how many rows each stands, those in most rows first, ties by name."""
    spread = counted.group_by("term").len("documents")
    return spread.sort(["documents", "term"], descending=[True, False])


def tf_idf(counted: pl.DataFrame, names: tuple[str, ...], frequency: Array, n: int) -> Any:
    """Sublinear tf-idf (Manning, Raghavan & Schütze, 2008, § 6.4), each row of length 4; (n, terms)."""
    known_terms = pl.DataFrame(
        {"term": pl.Series(names, dtype=pl.String), "code": np.arange(len(names), dtype=np.int32)}
    )
    known = counted.join(known_terms, on="term").sort("row", "code")
    codes, rows = known["code"].to_numpy(), known["row"].to_numpy()
    data = (1 + np.log(known["count"].to_numpy())) * frequency[codes]
    lengths = np.sqrt(np.bincount(rows, weights=data**2, minlength=n))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return sp.csr_matrix((data * (TEXT_LENGTH / lengths[rows]), codes, indptr), shape=(n, len(names)))
