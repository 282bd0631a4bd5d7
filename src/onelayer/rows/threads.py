"""Work side by side: how many threads there are to be, each on a core of its own, and those of BLAS held back."""

import ctypes
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

from onelayer.rows.together import Together

Item = TypeVar("Item")
Result = TypeVar("Result")

PAUSE, SETTLED = 0.02, 0.1  # seconds of rest after which threads are placed, and of work until the kernel does it well


def available_jobs(n_jobs: int | None) -> int:
    """How many threads to use: as many as were asked for, or one for each core that is free for us.

    None takes the cores this process may use, but no more than BLAS is allowed, so that whoever holds BLAS back
    (joblib, pytest-xdist, Dask, OMP_NUM_THREADS) holds this package back too, and one alone outside the main thread,
    where somebody else is already running things in parallel. Negative numbers count from all cores.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if n_jobs is None:
        if threading.current_thread() is not threading.main_thread():
            return 1
        return max(1, min([cores, *(int(library.num_threads) for library in _libraries())]))
    return n_jobs if n_jobs > 0 else max(1, cores + 1 + n_jobs)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Hold BLAS to one thread: two pools of threads would fight over the cores."""
    threads = [int(library.num_threads) for library in _libraries()]
    _set([1] * len(threads))
    try:
        yield
    finally:
        _set(threads)


def _set(threads: Sequence[int]) -> None:
    """From whichever thread: from 3.8 on, threadpoolctl does nothing for any but the first that asked."""
    for library, number in zip(_libraries(), threads, strict=True):
        getattr(library, "_real_set_num_threads", library.set_num_threads)(number)


one_thread_per_core = Together(_one_thread)


@cache
def _libraries() -> Any:
    """The BLAS libraries of this process: told one by one, in a tenth of the time of a whole controller."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def side_by_side(f: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> list[Result]:
    """f of each item, in order: this thread takes one after the other, and so do others beside it.

    None waits for an item of its own, and a thread that has not begun when all are taken is not waited for.

    Examples
    --------
    >>> side_by_side(abs, [-1, 2, -3], jobs=2)
    [1, 2, 3]
    """
    if jobs == 1 or len(items) == 1:
        return [f(item) for item in items]
    results: dict[int, Result] = {}
    left = deque(range(len(items)))

    def take() -> None:
        while left:
            try:
                i = left.popleft()
            except IndexError:  # another took the last one meanwhile
                return
            results[i] = f(items[i])

    helpers = _helpers(jobs)
    with helpers.apart():
        # in this thread's context: NumPy's error state is of it
        others = [helpers.pool.submit(copy_context().run, take) for _ in range(min(jobs, len(items)) - 1)]
        try:
            take()
        except BaseException:  # Ctrl-C too: nobody begins another
            left.clear()
            raise
        for other in others:
            if not other.cancel():
                other.result()
    return [results[i] for i in range(len(items))]


class _Helpers:
    """Threads beside the one that asks for them, kept from one time to the next."""

    def __init__(self, jobs: int) -> None:
        self.pool = ThreadPoolExecutor(jobs - 1, thread_name_prefix="onelayer", initializer=self._begin)
        self._jobs, self._threads = jobs, list[int]()
        self._cores: set[int] = set()  # that the threads may use
        self._ended = self._woken = -math.inf  # when their last work ended, and when some began after a pause

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Within it, for a while after a pause, this thread stays on its core, and these on the others there are.

        Each waits for the interpreter now and then, and after a pause the kernel may wake two on one core, where they
        take turns of 4 ms while the other one idles. Threads at work it keeps apart, and moves where another process
        is in their way: they, and more threads than cores, may use all cores that this one may.
        """
        if _core is None:
            yield
            return
        cores, begun = os.sched_getaffinity(0), time.monotonic()
        if begun - self._ended > PAUSE:
            self._woken = begun
        placed = begun - self._woken < SETTLED and len(cores) >= self._jobs
        mine = {_core()} if placed else set[int]()
        try:
            with suppress(OSError):  # not allowed here
                self._keep_to(cores - mine)
                if mine:
                    os.sched_setaffinity(0, mine)
            yield
        finally:
            if mine:
                with suppress(OSError):
                    os.sched_setaffinity(0, cores)
            self._ended = time.monotonic()

    def _keep_to(self, cores: set[int]) -> None:
        if cores != self._cores:
            self._cores = cores
            for thread in self._threads:
                os.sched_setaffinity(thread, cores)

    def _begin(self) -> None:
        """In a thread that is new: it began on the core of the one that asked."""
        self._threads.append(threading.get_native_id())
        if self._cores:
            with suppress(OSError):
                os.sched_setaffinity(0, self._cores)


_core = getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None
_all_helpers: dict[tuple[int, int], _Helpers] = {}


def _helpers(jobs: int) -> _Helpers:
    """Of this process: a forked child must not wait for its parent's."""
    key = (os.getpid(), jobs)
    if key not in _all_helpers:
        _all_helpers[key] = _Helpers(jobs)
    return _all_helpers[key]
