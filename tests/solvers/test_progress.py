"""What passes between a solver and who watches it: a stop stays one, and a lifted point is worked out only if asked."""

import numpy as np

from onelayer.solvers.progress import Lifted, Point, Watch


def point(value=1.0):
    return Point(np.array([1.0, 2.0]), value, np.array([3.0, 4.0]), 7)


def test_once_asked_to_stop_a_watch_stays_stopped():
    answers = iter([None, False, True, False])
    watch = Watch(lambda seen: next(answers))
    stopped = []
    for _ in range(4):
        watch(point())
        stopped.append(watch.stopped)
    assert stopped == [False, False, True, True]


def test_the_norm_is_the_gradients():
    assert point().norm == 5


def test_a_lifted_point_is_worked_out_once_and_only_if_asked():
    calls = []

    def lift(inside):
        calls.append(inside)
        return Point(10 * inside.u, inside.value, -inside.gradient, inside.rows)

    lifted = Lifted(point(), lift, 6.0)
    assert (lifted.value, lifted.rows, lifted.norm, lifted.logits) == (1.0, 7, 6.0, None)
    assert not calls
    np.testing.assert_array_equal(lifted.u, [10, 20])
    np.testing.assert_array_equal(lifted.gradient, [-3, -4])
    assert len(calls) == 1
