"""Cost is linear in rows: 1e5, 1e6 and 1e7 rows × 20 in float32. ``python benchmarks/scaling.py [ROWS…]``.

Each size in a process of its own, a median of three, and its nanoseconds a row; then the exponent between the smallest
and the largest, 1 where cost is linear.
"""

import math
import subprocess
import sys

ROWS = (100_000, 1_000_000, 10_000_000)
COLUMNS = 20

FIT = f"""
import statistics, sys, time
from workloads import dense
from onelayer import PerceptronClassifier
PerceptronClassifier().fit(*dense(20_000, {COLUMNS}, 2, "float32"))
X, y = dense(int(sys.argv[1]), {COLUMNS}, 1, "float32")
times = []
for _ in range(3):
    start = time.perf_counter()
    model = PerceptronClassifier().fit(X, y)
    times.append(time.perf_counter() - start)
assert model.converged_
print(statistics.median(times))
"""


def main(sizes):
    seconds = []
    for n in sizes:
        command = [sys.executable, "-c", FIT, str(n)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=sys.path[0])
        seconds.append(float(done.stdout))
        print(f"{n:>12,} rows {1e3 * seconds[-1]:9.1f} ms {1e9 * seconds[-1] / n:7.1f} ns a row", flush=True)
    if len(sizes) > 1:
        exponent = math.log(seconds[-1] / seconds[0]) / math.log(sizes[-1] / sizes[0])
        print(f"time grows as rows to the power {exponent:.2f}")


if __name__ == "__main__":
    main([int(float(n)) for n in sys.argv[1:]] or ROWS)
