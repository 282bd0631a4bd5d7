"""One state of this package beside another, fit by fit: ``python benchmarks/pairs.py OTHER [WORKLOAD…]``.

OTHER is the source folder of the other one (``git archive OLD src | tar x -C /tmp/old``, then ``/tmp/old/src``). Each
has a process of its own, and they fit in turns, each fit after a pause, as a program does that waits for its data; with
``--pause 0`` fits follow one another. Printed are the medians and, of pairs, the median ratio: ours over the other's.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from fits import SETTLE
from workloads import WORKLOADS

OURS = Path(__file__).parents[1] / "src"
SEED = 5  # the tables' own is 1
LEAST = 0.02  # seconds: so long are fits timed at each turn, after one that is not

FITS = """
import sys, time, warnings
from workloads import WORKLOADS
from onelayer import PerceptronClassifier
warnings.simplefilter("ignore")
workload, seed, pause, least = WORKLOADS[sys.argv[1]], *map(float, sys.argv[2:])
X, y = workload.load(int(seed))
model = PerceptronClassifier(C=workload.C, l1_ratio=workload.l1_ratio)
for line in sys.stdin:
    spent, fits = 0.0, 0
    model.fit(X, y)
    while spent < least:
        time.sleep(pause)
        start = time.perf_counter()
        model.fit(X, y)
        spent, fits = spent + time.perf_counter() - start, fits + 1
    print(spent / fits, flush=True)
"""


def fitting(source: Path, name: str, pause: float) -> subprocess.Popen[str]:
    """A process that fits once more for each line it gets, and answers how long that took."""
    command = [sys.executable, "-c", FITS, name, str(SEED), str(pause), str(LEAST)]
    paths = os.pathsep.join([str(source), str(Path(__file__).parent)])
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    )


def ask(process: subprocess.Popen[str]) -> float:
    """Seconds of its next fit."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(file=process.stdin, flush=True)
    return float(process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the other source folder")
    parser.add_argument("workloads", nargs="*", help="names of workloads; all by default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pause", type=float, default=SETTLE, help="seconds before each fit")
    args = parser.parse_args()
    if not (args.other / "onelayer").is_dir():
        parser.error(f"{args.other} holds no package onelayer")
    if unknown := set(args.workloads) - set(WORKLOADS):
        parser.error(f"no workload is called {', '.join(sorted(unknown))}: choose from {', '.join(WORKLOADS)}")
    for name in args.workloads or [name for name, workload in WORKLOADS.items() if workload.available]:
        both = [fitting(source, name, args.pause) for source in (OURS, args.other)]
        pairs = []
        for turn in range(args.rounds + 1):
            first = turn % 2
            taken = {i: ask(both[i]) for i in (first, 1 - first)}
            pairs.append((taken[0], taken[1]))
        for process in both:
            process.communicate()
        ours, others = zip(*pairs[1:], strict=True)  # the first turn is a rehearsal
        ratio = statistics.median(a / b for a, b in pairs[1:])
        medians = f"{1e3 * statistics.median(ours):9.2f} ms, the other {1e3 * statistics.median(others):9.2f}"
        print(f"{name:13} {medians}: {ratio:.3f}", flush=True)


if __name__ == "__main__":
    main()
