"""Where rows live, and the one question they answer: the sum over them of a function of a block of rows.

Rows are cut into blocks that fit a core's cache, so that every product after the first finds its block there. The
blocks lie in a fixed number of chunks, each summed in order by one thread, and the chunks' sums are added in order: a
result is the same, to the last bit, for any number of threads.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from onelayer.rows.sparse import ByColumn, row_run, rows_of
from onelayer.rows.threads import one_thread_per_core, side_by_side

Array = NDArray[Any]
Block = Any  # a dense (rows, d) array or a CSR matrix of as many rows
Item = TypeVar("Item")
Result = TypeVar("Result")

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
DOUBLE = 8  # bytes of a number of a block that is prepared
BLOCK_BYTES = 2**22  # measured best from 2**18 to 2**24: smaller ones keep the threads waiting for the interpreter
TOLD = 512  # rows and columns, of which NumPy's `@` multiplies what lies apart without a copy or a hold on threads
FEW = 4  # columns, of which blocks have as many rows as of fewer: logits and slopes are to fit the cache, too
BLOCKS = 4  # dense rows that deserve a second thread have at least so many
CHUNKS = 16  # enough to keep eight cores busy to the end, few enough that adding their sums costs nothing
KEPT = 2**25 - 2**13  # bytes: the largest array whose release still has the effect
# below these, a second thread costs more than it brings: `adult.csv`, 422,000 entries, took a sixth longer with two,
# 300,000 to 500,000 dense ones four to eight tenths
CHUNK_ENTRIES, SPARSE_ENTRIES = 2**19, 2**18
MANY_ENTRIES = 2**20  # of a block of sparse rows, where they are more than BLOCKS: less leaves little to do row by row
COPIED_ENTRIES = 2**20  # of sparse rows, up to which a copy by column costs little
TAKEN_ENTRIES = 2**18  # of a copy of some rows, from which mostly Hessians are made
PART, ROWS = 2**16, 128  # entries of such a copy, and rows at least, that are taken at a time
# entries of a set of columns, and one in so many of all dense or sparse ones: more than both stay where they are
SET_ENTRIES, SHARE, SPARSE_SHARE = 2**20, 8, 2
COUNTED = 16  # entries, one of which is counted to know how many some columns have


class Rows:
    """Rows in memory: features, labels and, where they are not all 1, weights.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, d)
        Never modified, and never copied as a whole.
    y : array of shape (n,)
        What the loss takes: 0 or 1, class codes, or numbers.
    weight : array of shape (n,), optional
        Weights of the rows.
    prepare : function of a block, optional
        Applied to each block before anything else sees it; without one, whole numbers are made doubles.
    outputs : int
        Numbers that are made of a row, such as logits: a block has no more of them than of cells.
    jobs : int
        How many threads `total` and `each` may use.
    chunk : int
        Dense entries that are worth a thread.

    Examples
    --------
    >>> rows = Rows(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.0, 1.0]))
    >>> rows.total(lambda X, y, weight: (X.sum(axis=0), y.sum()))
    [array([4., 6.]), np.float64(1.0)]
    """

    def __init__(
        self,
        X: Any,
        y: Array,
        weight: Array | None = None,
        *,
        prepare: Callable[[Block], Block] | None = None,
        outputs: int = 1,
        jobs: int = 1,
        chunk: int = CHUNK_ENTRIES,
    ) -> None:
        self.n, self.d = X.shape
        self.sparse = sp.issparse(X)
        if prepare is None and not self.sparse and X.dtype not in FLOATS:
            prepare = in_floats
        self.X, self.y, self.weight, self.prepare, self.outputs, self.jobs = X, y, weight, prepare, outputs, jobs
        self.plain = not self.sparse and prepare is None
        single = prepare is None and X.dtype == np.float32
        self.precision = float(np.finfo(np.float32 if single else np.float64).eps)
        self.entries = entries = X.nnz if self.sparse else X.size
        # a chunk of sparse rows ends in a sum of d numbers: that must be little beside its entries
        least = max(SPARSE_ENTRIES, 4 * self.d) if self.sparse else chunk
        self.chunks = min(CHUNKS, max(1, entries // least))
        if self.sparse:
            self.chunks = min(self.chunks, max(BLOCKS, entries // MANY_ENTRIES))
        step = max(1, -(-self.n // (self.chunks if self.sparse else min(self.chunks, BLOCKS))))
        if not self.sparse:
            itemsize = X.itemsize if prepare is None else DOUBLE
            step = min(step, max(1, BLOCK_BYTES // (itemsize * max(self.d, FEW, outputs))))
            if self.d >= TOLD and not X.flags.c_contiguous:
                step = max(step, TOLD)
        self.spans = [slice(a, min(a + step, self.n)) for a in range(0, self.n, step)]
        _keep_memory()

    @cached_property
    def blocks(self) -> list[Block]:
        """The features of every block, sharing their entries with X."""
        return [row_run(self.X, span) if self.sparse else self.X[span] for span in self.spans]

    @cached_property
    def by_column(self) -> list[Any]:
        """A copy of the sparse features of every block, column by column."""
        return self.map(lambda X: ByColumn(X.tocsc()), self.blocks)

    def block(self, i: int) -> tuple[Block, Array, Array | None]:
        """Features, labels and weights of the i-th block."""
        span, X = self.spans[i], self.blocks[i]
        if self.prepare is not None:
            X = self.prepare(X)
        elif self._scattered:  # NumPy would copy it for each product
            X = X.copy(order="K")
        return X, self.y[span], None if self.weight is None else self.weight[span]

    @cached_property
    def _scattered(self) -> bool:
        """Whether blocks are best copied, since they are not in one piece: of a data frame, which lies by column."""
        return not self.sparse and self.d < TOLD and not self.blocks[0].flags.forc

    def total(self, f: Callable[..., Sequence[Any]], *each: Sequence[Any]) -> list[Any]:
        """The elementwise sum over blocks of ``f(X, y, weight)``, a tuple of numbers and arrays.

        What `each` returned may be handed in again: f then gets its entry for the block as a further argument.
        """
        if len(self.spans) == 1:
            return list(f(*self.block(0), *(results[0] for results in each)))
        return self.total_and_each(lambda *block: (f(*block), None), *each)[0]

    def total_and_each(
        self, f: Callable[..., tuple[Sequence[Any], Result]], *each: Sequence[Any]
    ) -> tuple[list[Any], list[Result]]:
        """Of a function that returns a tuple and something else, the sum of the one and, in order, the other."""
        if len(self.spans) == 1:
            sums, only = f(*self.block(0), *(results[0] for results in each))
            return list(sums), [only]

        whole = _Sum()

        def chunk(number: int) -> list[Result]:
            part, kept = _Sum(), []
            for at, i in enumerate(self._chunks[number]):
                summand, other = f(*self.block(i), *(results[i] for results in each))
                part.add(at, summand)
                kept.append(other)
            whole.add(number, part.values)
            return kept

        parts = self.map(chunk, range(len(self._chunks)))
        return whole.values, [other for kept in parts for other in kept]

    def total_of_parts(self, f: Callable[..., Iterable[Array]], *each: Sequence[Any]) -> list[Array]:
        """As `total`, of a function that yields arrays: each is added before the next one takes its memory."""
        wholes: dict[int, _Sum] = {}

        def add(i: int) -> None:
            for number, part in enumerate(f(*self.block(i), *(results[i] for results in each))):
                wholes.setdefault(number, _Sum()).add(i, (part,))

        self.map(add, range(len(self.spans)))
        return [whole.values[0] for whole in wholes.values()]

    def sum_of(self, f: Callable[[Item], Array], items: Sequence[Item]) -> Array:
        """The sum of f of each item, in order: at most half as many summands as CHUNKS are in memory."""
        whole, chunks = _Sum(), _parts(len(items), CHUNKS // 2)

        def chunk(number: int) -> None:
            first, *others = chunks[number]
            part = f(items[first])
            for i in others:
                part += f(items[i])
            whole.add(number, (part,))

        self.map(chunk, range(len(chunks)))
        return np.asarray(whole.values[0])

    def each(self, f: Callable[..., Result], *each: Sequence[Any]) -> list[Result]:
        """``f(X, y, weight)`` of every block, in order."""

        def chunk(indices: range) -> list[Result]:
            return [f(*self.block(i), *(results[i] for results in each)) for i in indices]

        return [result for results in self.map(chunk, self._chunks) for result in results]

    def in_one_array(self, f: Callable[[Block], Array]) -> Array:
        """f of the features of every block, one under the other: beside that array, only blocks are in memory."""
        return self._stacked(self.n, self.spans, lambda i: f(self.block(i)[0]))

    def _stacked(self, n: int, spans: Sequence[slice], f: Callable[[int], Array]) -> Array:
        """What f gives of each of these spans of n rows, in one array."""
        first = f(0)
        if len(spans) == 1:
            return first
        whole = np.empty((n, *first.shape[1:]), first.dtype)
        whole[spans[0]] = first

        def place(i: int) -> None:
            whole[spans[i]] = f(i)

        self.map(place, range(1, len(spans)))
        return whole

    def take(self, rows: Array, weight: Array | None, prepare: Callable[[Block], Block]) -> "Rows":
        """A copy of some rows, in order, prepared once and for all, with weights of their own."""
        few = self.sparse or len(rows) * self.d <= TAKEN_ENTRIES  # a batch: threads would cost more than they bring
        step = max(1, len(rows)) if few else max(ROWS, PART // self.X.shape[1])
        spans = [slice(a, a + step) for a in range(0, len(rows), step)]
        before = self.prepare
        whole = prepare if before is None else lambda X: prepare(before(X))
        X = self._stacked(len(rows), spans, lambda i: self._of_rows(rows[spans[i]], whole))
        return Rows(X, self.y[rows], weight, outputs=self.outputs, jobs=self.jobs, chunk=TAKEN_ENTRIES)

    def _of_rows(self, rows: Array, prepare: Callable[[Block], Block]) -> Block:
        return rows_of(self.X, rows, prepare) if self.sparse else prepare(some_rows(self.X, rows))

    def to_all_columns(self, W: Array) -> Array:
        """Weights of these columns, (…, d), as the blocks have columns."""
        return W

    def chosen(self, X: Any) -> Any:
        """Of what has as many columns as the blocks, these."""
        return X

    def map(self, f: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """f of each item, on as many threads as these rows may use."""
        return side_by_side(f, items, self.jobs)

    def with_features(self, X: Array) -> "Rows":
        """The same labels and weights with other features."""
        return Rows(X, self.y, self.weight, outputs=self.outputs, jobs=self.jobs)

    def of_columns(self, kept: Array, *, often: bool = False) -> "Rows":
        """The same rows with some of their columns only.

        They are copied, unless they are many of those there are. Of sparse rows, a copy by column lets them be taken in
        a third of the time: it is made where it is small, or they are asked for `often`.
        """
        if self.prepare in (None, in_floats) and not often and self._crowd(kept):
            return _ColumnsInPlace(self, kept)
        if self.sparse:
            return _FewColumns(self, kept, by_column=often or self.entries <= COPIED_ENTRIES)
        return self.with_features(self.in_one_array(lambda X: some_columns(X, kept)))

    def _crowd(self, kept: Array) -> bool:
        """Whether these columns have so many entries that a copy would be large."""
        if self.entries <= SET_ENTRIES:
            return False
        if not self.sparse:
            return bool(self.n * len(kept) > max(SET_ENTRIES, self.entries // SHARE))
        some = self.X.indices[::COUNTED]
        there = int(np.bincount(some, minlength=self.d)[kept].sum())
        return bool(there * self.entries > len(some) * max(SET_ENTRIES, self.entries // SPARSE_SHARE))

    def cut(self, parts: Sequence[Array]) -> list[Array]:
        """What the same rows in other blocks answered, an entry a row, in these blocks."""
        if [len(part) for part in parts] == [span.stop - span.start for span in self.spans]:
            return list(parts)
        whole = np.concatenate(parts)
        return [whole[span] for span in self.spans]

    @cached_property
    def _chunks(self) -> list[range]:
        return _parts(len(self.spans), self.chunks)


def as_given(dtype: Any) -> bool:
    """Whether rows of such numbers are taken as they are: floats, and whole ones, which blocks make floats."""
    return dtype.kind in "biu" or dtype in FLOATS


def in_floats(X: Array) -> Array:
    """X as it is, if it is of numbers that BLAS multiplies; of whole ones, a copy in doubles."""
    return X if X.dtype in FLOATS else X.astype(np.float64)


def some_rows(X: Array, rows: Array) -> Array:
    """These rows of a dense array; NumPy's ``take`` would first copy all of what does not lie row by row."""
    return np.take(X, rows, axis=0) if X.flags.c_contiguous else np.asarray(X[rows])


def some_columns(X: Array, columns: Array) -> Array:
    """These columns, or entries of a row, in the same way."""
    return np.take(X, columns, axis=-1) if X.flags.c_contiguous else np.asarray(X[..., columns])


def _parts(count: int, most: int) -> list[range]:
    """So many numbers in runs about as long, at most so many of these."""
    parts = min(most, count)
    return [range(i * count // parts, (i + 1) * count // parts) for i in range(parts)]


class _FewColumns(Rows):
    """Some columns of sparse rows, in the same blocks, and nowhere else."""

    def __init__(self, rows: Rows, kept: Array, *, by_column: bool) -> None:
        self.__dict__.update(rows.__dict__)
        self.d = len(kept)
        self.blocks = rows.map(lambda X: X[:, kept], rows.by_column if by_column else rows.blocks)
        for of_all in ("X", "by_column"):
            self.__dict__.pop(of_all, None)
        self.entries = sum(X.nnz for X in self.blocks)

    def _crowd(self, kept: Array) -> bool:
        """They have been copied already."""
        return False

    def _of_rows(self, rows: Array, prepare: Callable[[Block], Block]) -> Block:
        """They come in order."""
        ends = np.searchsorted(rows, [span.stop for span in self.spans])
        parts = zip(self.blocks, self.spans, [0, *ends], ends, strict=False)
        return prepare(sp.vstack([X.tocsr()[rows[a:b] - span.start] for X, span, a, b in parts if b > a], format="csr"))


class _ColumnsInPlace(Rows):
    """Some columns of rows that stay as they are: their blocks have all columns, and products go through these."""

    def __init__(self, rows: Rows, kept: Array) -> None:
        self.__dict__.update(rows.__dict__)
        self.d, self.plain, self._all, self._kept = len(kept), False, rows, kept

    def to_all_columns(self, W: Array) -> Array:
        whole = np.zeros((*W.shape[:-1], self._all.d), W.dtype)
        whole[..., self._kept] = W
        return whole

    def chosen(self, X: Any) -> Any:
        return some_columns(X, self._kept) if isinstance(X, np.ndarray) else X[:, self._kept]

    def _of_rows(self, rows: Array, prepare: Callable[[Block], Block]) -> Block:
        return self._all._of_rows(rows, lambda X: prepare(self.chosen(X)))

    def of_columns(self, kept: Array, *, often: bool = False) -> Rows:
        return self._all.of_columns(self._kept[kept], often=often)


class _Sum:
    """Adds summands in the order of their numbers, whichever comes first, and keeps none that is added."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._added, self._waiting, self._lock = 0, dict[int, Sequence[Any]](), threading.Lock()

    def add(self, number: int, summand: Sequence[Any]) -> None:
        with self._lock:
            self._waiting[number] = summand
            while self._added in self._waiting:
                following = self._waiting.pop(self._added)
                self._added += 1
                if self._added == 1:
                    self.values = list(following)
                    continue
                for i, value in enumerate(following):
                    into = self.values[i] if isinstance(self.values[i], np.ndarray) else None
                    self.values[i] = np.add(self.values[i], value, out=into)


def by_blocks(X: Any, f: Callable[[Block], Array], jobs: int = 1) -> Array:
    """f of every block of the rows of X, in one array: beside it, only blocks are in memory.

    Examples
    --------
    >>> by_blocks(np.array([[1.0, 2.0], [3.0, 4.0]]), lambda X: X.sum(axis=1))
    array([3., 7.])
    """
    with one_thread_per_core():
        return Rows(X, np.broadcast_to(0.0, X.shape[0]), jobs=jobs).in_one_array(f)


@cache
def _keep_memory() -> None:
    """Have glibc use again what a block no longer needs: to return it and to ask anew takes as long as the arithmetic.

    It keeps pieces up to the size of the largest that was ever released, at most 32 MB (mallopt(3), M_MMAP_THRESHOLD).
    """
    np.empty(KEPT, np.uint8)
