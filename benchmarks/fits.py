"""Time to a relative gap of 1e-3, 1e-6 and 1e-8, for every workload and every peer that may enter it.

``python benchmarks/fits.py --check`` fits small sets of every kind by every peer, and fails where an objective is not
ours. ``python benchmarks/fits.py [WORKLOAD…] [--peers P…] [--threads all 1] [--out FILE]`` measures and appends a line
of JSON for each fit; ``benchmarks/table.py`` makes the table and the picture of them.

How it is measured. A process for each workload, peer and number of threads; with one thread it is bound to one core.
The process loads the data, lets the peer fit a small set of the same kind (imports and compilation: ``cold_seconds``),
puts the rows into the peer's storage (``store_seconds``), then fits at tighter and tighter tolerances until the gap is
below 1e-8. The loosest tolerance that reaches each of the three gaps is fitted again, five times in all, fewer where
that takes more than twenty seconds (``--patience``). A fit of more than a minute ends the process. Right before each
timed fit of less than a second stand others that are not timed, a twentieth of a second long: caches and the
processor's clock are as in a series of fits, for passes and for all peers alike.
A pass is ``X @ w`` (sparse: and ``X.T @ r``) in the same process with the same threads, before each fit, so that a
machine that becomes slower slows both; medians are divided. The gap is (f - f*) / f*, f in double precision
in blocks of rows, f* the least value of two or more tight solvers (``optima.json``) or of any fit since.
``memory`` is the peak of the process beyond what it held once the data were loaded, over the bytes of the data; what
the peer's own storage takes is in it.
"""

import argparse
import ctypes
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import scipy.sparse as sp
from peers import PEERS, TIGHT, Peer
from workloads import WORKLOADS, Workload, data_bytes

HERE = Path(__file__).parent
RESULTS, OPTIMA = HERE / "results.jsonl", HERE / "optima.json"
GAPS = (1e-3, 1e-6, 1e-8)
REPEATS, MANY = 5, 25  # fits at a tolerance that reaches a gap; at most, where a fit takes milliseconds
MINUTE = 60.0
STUCK = 12  # tolerances, six decades, with one and the same value: a peer will not do better
SPENT = 60.0  # seconds of tighter and tighter fits after which a peer will not do better
SETTLE = 0.1  # seconds after which the threads of BLAS no longer spin, waiting for another pass
QUICK, WARM = 1.0, 0.05  # seconds: shorter fits are timed right after others, which take so long
BLOCK = 2**20  # numbers in a block of rows, about


def objective(
    X: Any, y: np.ndarray, coef: np.ndarray, intercept: np.ndarray, C: float, l1_ratio: float
) -> tuple[float, int]:
    """C · Σ loss + penalty, in double precision, and how many weights are not 0. NaN where a peer returned NaN."""
    coef = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    intercept = np.atleast_1d(np.asarray(intercept, dtype=np.float64))
    step = max(1, BLOCK * X.shape[0] // (X.nnz if sp.issparse(X) else X.size))
    sums = []
    for start in range(0, X.shape[0], step):
        rows = slice(start, start + step)
        z = np.asarray(X[rows].astype(np.float64) @ coef.T) + intercept
        sums.append(float(_losses(z, y[rows]).sum()))
    penalty = (1 - l1_ratio) / 2 * (coef**2).sum() + l1_ratio * np.abs(coef).sum()
    return float(C * math.fsum(sums) + penalty), int(np.count_nonzero(coef))


def _losses(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    if z.shape[1] == 1:
        return np.logaddexp(0, np.where(y == 1, -z[:, 0], z[:, 0]))
    largest = z.max(axis=1)
    return np.log(np.exp(z - largest[:, None]).sum(axis=1)) + (largest - z[np.arange(len(y)), y])


def seconds_of(f: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = f()
    return time.perf_counter() - start, result


def one_pass(X: Any, k: int) -> Callable[[], float]:
    """A function that times ``X @ w`` with k columns of w, repeated so that the clock can see it."""
    w = np.ones((X.shape[1], k) if k > 1 else X.shape[1], X.dtype)
    r = np.ones((X.shape[0], k) if k > 1 else X.shape[0], X.dtype)

    def products() -> None:
        X @ w
        if sp.issparse(X):
            X.T @ r

    times = max(1, round(1e-3 / max(min(seconds_of(products)[0] for _ in range(3)), 1e-7)))
    return lambda: seconds_of(lambda: [products() for _ in range(times)])[0] / times


def tolerances(peer: Peer) -> Iterator[float]:
    """From loose to tight by √10; the caller skips every other one where fits are slow."""
    steps = round(2 * math.log10(peer.loosest / peer.tightest))
    return (peer.loosest * 10 ** (-i / 2) for i in range(steps + 1))


def memory_bytes(of: str) -> int:
    """What this process holds ("VmRSS") or has held at most ("VmHWM"), by Linux's account; 0 elsewhere."""
    status = Path("/proc/self/status")
    return int(status.read_text().partition(f"{of}:")[2].split()[0]) * 1024 if status.exists() else 0


def forget_peak() -> None:
    """Let the most that this process has held be what it holds now, and give back what it no longer needs."""
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)  # of the objective's and the passes' buffers, which the allocator keeps
    if (clear := Path("/proc/self/clear_refs")).exists():
        clear.write_text("5")  # proc(5): 5 resets the peak of the resident set


def emit(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def measure(workload: Workload, peer: Peer, optimum: float, patience: float) -> None:
    """In a process of its own: print a line of JSON for each fit."""
    X, y = workload.load()
    small_X, small_y = workload.rehearsal(1)
    fit = peer.fit
    cold, _ = seconds_of(lambda: fit(peer.stored(small_X, small_y), small_y, workload.C, workload.l1_ratio, 1e-2))
    k = int(y.max()) + 1 if y.max() > 1 else 1
    time_pass = one_pass(X, k)
    objective(X, y, np.zeros((k, X.shape[1])), np.zeros(k), workload.C, workload.l1_ratio)
    forget_peak()  # of what is no peer's: BLAS keeps buffers for each thread and kind of product
    held = memory_bytes("VmRSS")
    store, stored = seconds_of(lambda: peer.stored(X, y))
    passes: list[float] = []

    def fitted(tol: float, before: Sequence[float]) -> dict[str, Any]:
        passes.extend(time_pass() for _ in range(3))
        forget_peak()  # the objective's and the passes' own buffers
        time.sleep(SETTLE)
        whole_fit = partial(fit, stored, y, workload.C, workload.l1_ratio, tol)
        taken, (coef, intercept) = seconds_of(whole_fit)
        if taken < QUICK:
            warm = time.perf_counter() + WARM
            while time.perf_counter() < warm:
                whole_fit()
            taken, (coef, intercept) = seconds_of(whole_fit)
        peak = memory_bytes("VmHWM") - held
        value, support = objective(X, y, coef, intercept, workload.C, workload.l1_ratio)
        line = {
            "tol": tol,
            "seconds": [*before, taken],
            "pass_seconds": statistics.median(passes),
            "objective": value,
            "support": support,
            "memory": peak / data_bytes(X),
            "cold_seconds": cold,
            "store_seconds": store,
        }
        emit(**line)
        return line

    gaps, values, spent, skip = list(GAPS), [], 0.0, False
    for tol in tolerances(peer):
        if skip:
            skip = False
            continue
        passes.clear()  # those beside the fits at this tolerance alone: the machine may have become slower
        line = fitted(tol, [])
        values.append(line["objective"])
        reached = [gap for gap in gaps if line["objective"] - optimum <= gap * optimum]
        gaps = [gap for gap in gaps if gap not in reached]
        while reached and _again(line["seconds"], patience):
            line = fitted(tol, line["seconds"])
        spent += line["seconds"][0]
        stuck = (
            len(set(values[-STUCK:])) == 1 and len(values) > STUCK and values[-1] < values[0]
        )  # after a start, not before it
        if not gaps or stuck or spent > SPENT:
            return
        skip = line["seconds"][0] > 1


def _again(seconds: Sequence[float], patience: float) -> bool:
    if len(seconds) < REPEATS:
        return sum(seconds) < patience
    return len(seconds) < MANY and sum(seconds) < 0.2


def run(workload: Workload, peer: Peer, threads: str, optimum: float, asked: argparse.Namespace) -> None:
    """Measure in a process of its own, end it when a fit takes too long, and append what it found."""
    lines: dict[float, dict[str, Any]] = {}
    program = [sys.executable, __file__, workload.name, "--child", peer.name, "--optimum", repr(optimum)]
    program += ["--patience", str(asked.patience)]
    environment = dict(os.environ)
    bind: list[str] = []
    if threads == "1":
        names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "BLIS", "TBB")
        environment |= {f"{name}_NUM_THREADS": "1" for name in names}
        bind = ["--one-core"]
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen([*program, *bind], stdout=subprocess.PIPE, stderr=said, text=True, env=environment)
        clock = _Clock(child)
        assert child.stdout is not None
        for text in child.stdout:
            if text.startswith("{"):  # some peers print too
                line = json.loads(text)
                lines[line["tol"]] = line
                clock.wind()
        ended = "" if child.wait() == 0 else "too slow" if clock.rung else f"failed: {_last_line(said)}"
        clock.stop()
    common = {
        "workload": workload.name,
        "peer": peer.name,
        "version": peer.version,
        "threads": threads,
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "numpy": np.__version__,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with asked.out.open("a", encoding="utf-8") as file:
        for line in lines.values():
            file.write(json.dumps(common | line) + "\n")
        if ended:
            file.write(json.dumps(common | {"ended": ended}) + "\n")
    print(_summary(workload, peer, threads, list(lines.values()), optimum, ended), flush=True)


def _last_line(file: IO[str]) -> str:
    file.seek(0)
    return (file.read().strip().splitlines() or ["without a word"])[-1]


class _Clock:
    """Ends a child that says nothing for a minute: its fit has lost. The first fit is given a minute more to load."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child, self.rung = child, False
        self.timer = self._start(2 * MINUTE)

    def _start(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._ring)
        timer.start()
        return timer

    def _ring(self) -> None:
        self.rung = True
        self.child.kill()

    def wind(self) -> None:
        self.timer.cancel()
        self.timer = self._start(MINUTE + 10)  # and some seconds for passes and the objective

    def stop(self) -> None:
        self.timer.cancel()


def _summary(
    workload: Workload, peer: Peer, threads: str, fits: list[dict[str, Any]], optimum: float, ended: str
) -> str:
    words = [f"{workload.name:13} {peer.name:30} {threads:>3}"]
    for gap in GAPS:
        reached = next((f for f in fits if (f["objective"] - optimum) / optimum <= gap), None)
        if reached is None:
            words.append(f"{'–':>24}")
            continue
        taken = statistics.median(reached["seconds"])
        words.append(f"{1e3 * taken:9.1f} ms {taken / reached['pass_seconds']:7.1f} p.")
    if fits:
        best = min(f["objective"] for f in fits)
        words.append(f"least gap {(best - optimum) / optimum:8.1e} memory {fits[-1]['memory']:.2f}")
    return "  ".join([*words, ended])


def _processor() -> str:
    try:
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        return names[0].partition(":")[2].strip()
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def tight_peers(X: Any, y: np.ndarray, l1_ratio: float) -> dict[str, float]:
    """Two of the tight solvers that may enter, by name, and their tolerances."""
    kind = "classes" if y.max() > 1 else "l1" if l1_ratio else "l2"
    may = {name: tol for name, tol in TIGHT[kind].items() if PEERS[name].may_enter(X, y, l1_ratio)}
    return dict(list(may.items())[:2])


def optimum_of(workload: Workload) -> float:
    """f*: the least value of two tight solvers on the data in double precision, each kept in optima.json once it is."""
    known = json.loads(OPTIMA.read_text()) if OPTIMA.exists() else {}
    values = known.setdefault(workload.name, {})
    if len(values) < 2:
        X, y = workload.load()
        X = X if sp.issparse(X) else X.astype(np.float64, copy=False)
        for name, tol in tight_peers(X, y, workload.l1_ratio).items():
            if name not in values:
                values[name] = _optimum_by(PEERS[name], workload, X, y, tol)
                OPTIMA.write_text(json.dumps(known, indent=1) + "\n")
    return min(values.values())


def _optimum_by(peer: Peer, workload: Workload, X: Any, y: np.ndarray, tol: float) -> float:
    taken, weights = seconds_of(lambda: peer.fit(peer.stored(X, y), y, workload.C, workload.l1_ratio, tol))
    value, _ = objective(X, y, *weights, workload.C, workload.l1_ratio)
    print(f"{workload.name}: {peer.name} reaches {value!r} in {taken:.1f} s", flush=True)
    return value


def check(workload: Workload) -> list[str]:
    """Fit a small set of this kind by every peer at a tight tolerance: the sentences of those whose optimum differs."""
    X, y = workload.rehearsal(2)
    tol = 1e-9 if X.dtype == np.float64 else 1e-5  # below its rounding a single-precision solver goes on for ever
    values = {}
    wrong = []
    for peer in PEERS.values():
        if peer.installed and peer.may_enter(X, y, workload.l1_ratio):
            try:
                weights = peer.fit(peer.stored(X, y), y, workload.C, workload.l1_ratio, tol)
            except Exception as error:  # whatever a peer raises is reported, and the others go on
                wrong.append(f"{workload.name}: {peer.name} raised {type(error).__name__}: {error}")
                continue
            values[peer.name] = objective(X, y, *weights, workload.C, workload.l1_ratio)[0]
    best = min(values.values())
    for name, value in values.items():
        gap = (value - best) / best
        print(f"{workload.name:13} {name:30} {value!r:22} {gap:8.1e}", flush=True)
        if PEERS[name].penalises_bias:
            continue  # shown, and marked in the table
        if not gap <= 1e-6:
            wrong.append(f"{workload.name}: {name} stops at a gap of {gap:.1e}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; else all")
    parser.add_argument("--peers", nargs="+", choices=[*PEERS], metavar="PEER", help=", ".join(PEERS))
    parser.add_argument("--threads", nargs="+", choices=["1", "all"], default=["all", "1"])
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--patience", type=float, default=20.0, help="seconds for the five fits at a tolerance")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--optima", action="store_true", help="only the optima")
    parser.add_argument("--child", choices=[*PEERS], help=argparse.SUPPRESS)
    parser.add_argument("--optimum", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--one-core", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := set(asked.workloads) - set(WORKLOADS):
        parser.error(f"no workload is called {', '.join(sorted(unknown))}: there are {', '.join(WORKLOADS)}")
    warnings.simplefilter("ignore")  # peers warn at loose tolerances, as they should
    if asked.child:
        if asked.one_core:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        measure(WORKLOADS[asked.workloads[0]], PEERS[asked.child], asked.optimum, asked.patience)
        return
    for peer in PEERS.values():
        if not peer.installed:
            print(f"{peer.name} is left out: {peer.package} is not installed")
    peers = [PEERS[name] for name in asked.peers or PEERS if PEERS[name].installed]
    wrong = []
    for workload in [WORKLOADS[name] for name in asked.workloads or WORKLOADS]:
        if not workload.available:
            print(f"{workload.name} is left out: {workload.needs} is not there; set ONELAYER_DATA to its folder")
        elif asked.check:
            wrong += check(workload)
        else:
            optimum = optimum_of(workload)
            if not asked.optima:
                X, y = workload.load()
                entering = [peer for peer in peers if peer.may_enter(X, y, workload.l1_ratio)]
                del X, y
                for peer in entering:
                    for threads in asked.threads:
                        run(workload, peer, threads, optimum, asked)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
