"""Threads: each on a core of its own when they wake to work side by side, and BLAS held to one."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import ThreadpoolController

from onelayer.rows import threads
from onelayer.rows.threads import one_thread_per_core, side_by_side


def in_a_thread(f):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(f).result()


def blas_threads():
    return [library.num_threads for library in ThreadpoolController().select(user_api="blas").lib_controllers]


def test_blas_is_held_to_one_thread_whoever_asks_first():
    def held():
        with one_thread_per_core():
            return blas_threads()

    before = blas_threads()
    assert held() == in_a_thread(held) == held() == [1] * len(before)
    assert blas_threads() == in_a_thread(blas_threads) == before


def test_the_last_who_holds_blas_lets_it_go():
    before, inside, leave = blas_threads(), threading.Event(), threading.Event()

    def hold():
        with one_thread_per_core():
            inside.set()
            leave.wait(10)

    with ThreadPoolExecutor(1) as pool:
        with one_thread_per_core():
            other = pool.submit(hold)
            inside.wait(10)
        assert blas_threads() == [1] * len(before)
        leave.set()
        other.result()
    assert blas_threads() == before


CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
needs_cores = pytest.mark.skipif(len(CORES) < 2, reason="threads are placed where there are two cores")


def cores_of_two_threads():
    """Of this thread and of the other one while both work."""
    both = threading.Barrier(2)

    def look(item):
        both.wait(10)
        return threading.get_ident(), os.sched_getaffinity(0)

    found = dict(side_by_side(look, range(2), jobs=2))
    return found.pop(threading.get_ident()), *found.values()


@pytest.fixture
def after_a_pause(monkeypatch):
    monkeypatch.setattr(threads, "PAUSE", 0)


@needs_cores
def test_threads_side_by_side_share_no_core(after_a_pause):
    for _ in range(3):
        here, there = cores_of_two_threads()
        assert len(here) == 1
        assert there == CORES - here
        assert os.sched_getaffinity(0) == CORES


@needs_cores
def test_threads_that_are_at_work_may_use_all_cores(monkeypatch):
    time.sleep(threads.PAUSE)
    assert len(cores_of_two_threads()[0]) == 1
    monkeypatch.setattr(threads, "PAUSE", 10)
    monkeypatch.setattr(threads, "SETTLED", 0)
    assert cores_of_two_threads() == (CORES, CORES)


@needs_cores
def test_a_thread_kept_to_some_cores_stays_there(after_a_pause):
    some = set(sorted(CORES)[:2])
    cores_of_two_threads()
    os.sched_setaffinity(0, some)
    try:
        here, there = cores_of_two_threads()
        assert (here | there, here & there) == (some, set())
        os.sched_setaffinity(0, {min(some)})
        assert cores_of_two_threads() == ({min(some)}, {min(some)})
        assert os.sched_getaffinity(0) == {min(some)}
    finally:
        os.sched_setaffinity(0, CORES)


@needs_cores
def test_work_that_fails_leaves_this_thread_its_cores(after_a_pause):
    def fail(item):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side_by_side(fail, range(4), jobs=2)
    assert os.sched_getaffinity(0) == CORES


def test_where_no_core_may_be_chosen_work_goes_on(monkeypatch, after_a_pause):
    def refuse(thread, cores):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    assert side_by_side(abs, range(-20, 0), jobs=2) == list(range(20, 0, -1))


@needs_cores
def test_more_threads_than_cores_are_left_where_they_are(after_a_pause):
    for _ in range(2):
        found = side_by_side(lambda item: os.sched_getaffinity(0), range(50), jobs=len(CORES) + 2)
        assert all(cores == CORES for cores in found)
