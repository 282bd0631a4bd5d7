"""What threads hold together: entered by the first that needs it, left by the last that did."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager


class Together:
    """A setting of the whole process, made by `context`, while any thread is inside.

    Examples
    --------
    >>> @contextmanager
    ... def told():
    ...     print("first in")
    ...     yield
    ...     print("last out")
    >>> both = Together(told)
    >>> with both(), both():
    ...     pass
    first in
    last out
    """

    def __init__(self, context: Callable[[], AbstractContextManager[None]]) -> None:
        self._context, self._lock, self._holders, self._inside = context, threading.Lock(), 0, ExitStack()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._holders == 0:
                self._inside.enter_context(self._context())
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if self._holders == 0:
                    self._inside.close()
