"""A setting that threads hold together: made once, undone once, whatever comes between."""

import threading
from contextlib import contextmanager

import pytest

from onelayer.rows.together import Together


@pytest.fixture
def counted():
    log = []

    @contextmanager
    def setting():
        log.append("in")
        yield
        log.append("out")

    return Together(setting), log


def test_threads_share_it(counted):
    together, log = counted
    meeting = threading.Barrier(4, timeout=10)

    def hold():
        with together():
            meeting.wait()  # all are inside at once

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log == ["in", "out"]


def test_once_all_have_left_it_is_made_anew(counted):
    together, log = counted
    for _ in range(2):
        with together():
            assert log[-1] == "in"
    assert log == ["in", "out", "in", "out"]


def test_an_error_leaves_it(counted):
    together, log = counted
    with pytest.raises(KeyError), together():
        raise KeyError
    assert log == ["in", "out"]
    with together():
        pass
    assert log == ["in", "out", "in", "out"]


def test_one_that_cannot_be_made_is_held_by_nobody():
    tries = []

    @contextmanager
    def broken():
        tries.append(1)
        raise OSError("no such setting")
        yield

    together = Together(broken)
    for _ in range(2):
        with pytest.raises(OSError, match="no such setting"), together():
            pass
    assert len(tries) == 2
