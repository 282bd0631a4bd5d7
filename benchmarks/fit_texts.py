"""Whole processes on 200,000 short texts: ``onelayer fit`` beside scikit-learn's read, TfidfVectorizer and regression.

``python benchmarks/fit_texts.py [rows] [seed] [percent]`` writes a file of texts whose words are drawn by Zipf's law.
Their labels come from a planted neuron: so many percent of the variance of its log-odds are pairs of words. The two are
alternated; medians, their ratio, and accuracies and log losses on a second file are printed. Then the probabilities of
all texts in the file are computed anew by processes that load what was fitted: a model of ours, a pickle of theirs.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.special import expit

WORDS, MEAN_LENGTH, REPEATS = 50_000, 15, 3

PEER = """
import json, sys, warnings, pandas
warnings.simplefilter('ignore')
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
table = pandas.read_csv(sys.argv[1], keep_default_na=False)
model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression()).fit(table.text, table.label)
"""
PEER_JUDGED = """
from sklearn.metrics import log_loss
test = pandas.read_csv(sys.argv[2], keep_default_na=False)
p = model.predict_proba(test.text)
accuracy = (model.classes_[p.argmax(axis=1)] == test.label).mean()
print(json.dumps({"accuracy": accuracy, "log_loss": log_loss(test.label, p)}))
import pickle; pickle.dump(model, open(sys.argv[3], "wb"))
"""
PEER_PREDICTS = """
import pickle, pandas, sys
model = pickle.load(open(sys.argv[3], "rb"))
model.predict_proba(pandas.read_csv(sys.argv[1], keep_default_na=False).text)
"""
OURS = "import json, sys; from onelayer import fit; model = fit(sys.argv[1])\n"
OURS_JUDGED = "print(json.dumps(model.evaluate(sys.argv[2]))); model.save(sys.argv[3])\n"
OURS_PREDICTS = "import sys; from onelayer import load; load(sys.argv[3]).predict_proba(sys.argv[1])\n"
FITS = {"onelayer": OURS, "scikit-learn": PEER}
JUDGED = {"onelayer": OURS + OURS_JUDGED, "scikit-learn": PEER + PEER_JUDGED}
PREDICTS = {"onelayer": OURS_PREDICTS, "scikit-learn": PEER_PREDICTS}


def write(path, rows, rng, neuron):
    """Lines of text, label: the word of rank r with probability about 1/(r + 2), texts of very different lengths."""
    share = 1 / (np.arange(WORDS) + 2)
    lengths = 3 + rng.poisson(rng.gamma(3, (MEAN_LENGTH - 3) / 3, rows))
    words = rng.choice(WORDS, lengths.sum(), p=share / share.sum())
    ends = np.cumsum(lengths)
    z = np.add.reduceat(neuron(words), ends - lengths) / np.sqrt(lengths)
    labels = np.where(rng.random(rows) < expit(z), "yes", "no")
    names = np.array([spelt(i) for i in range(WORDS)])[words].tolist()
    with path.open("w") as file:
        file.write("text,label\n")
        for end, length, label in zip(ends, lengths, labels, strict=True):
            file.write(f"{' '.join(names[end - length : end])},{label}\n")


def planted(rng, share_of_pairs):
    """Log-odds of each word in its place: its own, and its pair's with the word before, as "not good" has one."""
    of_words = 4 * np.sqrt(1 - share_of_pairs) * rng.standard_normal(WORDS)
    of_pairs = 4 * np.sqrt(share_of_pairs) * rng.standard_normal(2**20)
    return lambda words: of_words[words] + of_pairs[(np.roll(words, 1) * 40_503 + words) % 2**20]


def spelt(i):
    """A pronounceable word of its own for each number, longer the rarer it is."""
    syllables = [c + v for c in "bdfghklmnprstvz" for v in "aeiou"]
    word = syllables[i % len(syllables)]
    while i := i // len(syllables):
        word += syllables[i % len(syllables)]
    return word + "n"


def medians(programs, folder):
    """Seconds of each program, in turns."""
    seconds = {name: [] for name in programs}
    for _ in range(REPEATS):
        for name, program in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program, *paths(folder, name)], check=True)
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def judged(name, folder):
    command = [sys.executable, "-W", "ignore", "-c", JUDGED[name], *paths(folder, name)]
    result = json.loads(subprocess.run(command, check=True, text=True, stdout=-1).stdout)
    return f"accuracy {result['accuracy']:.4f}, log loss {result['log_loss']:.4f}"


def paths(folder, name):
    return [str(folder / file) for file in ("train.csv", "test.csv", f"{name}.model")]


def main(rows=200_000, seed=1, percent_of_pairs=25):
    rng = np.random.default_rng(seed)
    neuron = planted(rng, percent_of_pairs / 100)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "train.csv", rows, rng, neuron)
        write(folder / "test.csv", rows // 10, rng, neuron)
        print(f"{rows} texts, {(folder / 'train.csv').stat().st_size / 1e6:.0f} MB")
        fit = medians(FITS, folder)
        quality = {name: judged(name, folder) for name in FITS}
        predict = medians(PREDICTS, folder)
    for name in FITS:
        print(f"{name:12}  fit {fit[name]:6.2f} s, {quality[name]}, predict {predict[name]:6.2f} s")
    ratios = [seconds["onelayer"] / seconds["scikit-learn"] for seconds in (fit, predict)]
    print(f"ratio         fit {ratios[0]:6.2f}, predict {ratios[1]:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
