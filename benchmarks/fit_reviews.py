"""Whole processes on reviews.csv: ``onelayer fit`` beside scikit-learn's read, TfidfVectorizer, LogisticRegression.

``python benchmarks/fit_reviews.py [FOLDER]`` alternates the two and prints medians and their ratio.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEER = """
import sys, pandas
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
table = pandas.read_csv(sys.argv[1])
make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression()).fit(table.text, table.label)
"""
OURS = "import sys; from onelayer import fit; fit(sys.argv[1]).save(sys.argv[2])"


def main(folder):
    data, seconds = str(folder / "reviews.csv"), {"onelayer": [], "scikit-learn": []}
    with tempfile.TemporaryDirectory() as out:
        commands = {"onelayer": [OURS, data, f"{out}/m"], "scikit-learn": [PEER, data]}
        for _ in range(7):
            for name, arguments in commands.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", *arguments], check=True)
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
    print(f"ratio {medians['onelayer'] / medians['scikit-learn']:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data"))
