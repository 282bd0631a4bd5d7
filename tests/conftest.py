"""Read before anything imports NumPy."""

import os

# With a worker of pytest-xdist on each core, a BLAS that starts a thread for each core too would only make them wait.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
