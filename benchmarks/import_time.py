"""How much longer than NumPy itself ``import onelayer`` takes: whole processes, the two in turn.

    python benchmarks/import_time.py [pairs]

The ratio of the medians should stay at or below 1.3.
"""

import subprocess
import sys
from statistics import median
from time import perf_counter


def seconds(statement: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return perf_counter() - start


def main(pairs: int = 15) -> None:
    statements = ("import numpy", "import onelayer")
    for statement in statements:
        seconds(statement)  # the first reads files from the disk
    numpy, onelayer = (median(times) for times in zip(*(map(seconds, statements) for _ in range(pairs)), strict=True))
    print(f"import numpy     {1000 * numpy:6.1f} ms\nimport onelayer  {1000 * onelayer:6.1f} ms")
    print(f"ratio            {onelayer / numpy:6.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
