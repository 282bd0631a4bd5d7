"""Read before anything imports NumPy."""

import os
import signal

import pytest

# With a worker of pytest-xdist on each core, a BLAS that starts a thread for each core too would only make them wait.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.fixture
def interruptible():
    """Ctrl-C interrupts, as on a terminal: what a shell starts in the background is told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
