"""The story says the guide's numbers, leaves whole pictures and nothing else behind."""

import os
import re
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from onelayer import guide
from onelayer.cli import story

matplotlib.use("Agg")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("story") / "not" / "there yet"
    lines = []
    return folder, story.run(folder, lines.append), lines


def test_the_pictures_are_there_whole_and_not_blank(told):
    folder, pictures, _ = told
    assert len(pictures) == 6
    assert sorted(folder.iterdir()) == pictures
    for path in pictures:
        pixels = imread(path)
        assert pixels.shape[0] > 500
        assert pixels.shape[1] > 800
        assert pixels.std() > 0.02


def test_every_picture_is_announced(told):
    _, pictures, lines = told
    assert [line.removeprefix("  picture: ") for line in lines if "picture: " in line] == list(map(str, pictures))


def test_the_guides_numbers_are_told(told):
    text = "\n".join(told[2])
    assert "cost after  0 steps: 0.693480" in text
    assert "cost after 49 steps: 0.132574" in text
    assert "angry when beep > 1.10 × aack + 0.49" in text  # weights -3.5718, 3.2426 and bias -1.5841
    for sentence, mood in zip(guide.sentences()[0], ("angry", "happy", "happy", "happy"), strict=True):
        assert re.search(rf"^ +{re.escape(sentence)} +{mood}, with", text, re.MULTILINE)


def test_the_rising_cost_is_told_with_the_bound(told):
    text = "\n".join(told[2])
    assert "At learning rate 1.2 the cost goes from 0.716 to 0.041" in text
    assert "rises in 35 of the 100 steps, as high as 10.3" in text
    assert "Below 0.125 (the stable bound" in text
    assert "it falls in every step, from 0.716 to 0.346" in text
    assert guide.stable_rate(guide.blobs()[0]) > story.CALM_RATE


def test_real_data_are_judged_on_rows_not_seen_beside_the_base_rate(told):
    text = "\n".join(told[2])
    accuracy, base = map(float, re.search(r"right answers +(\S+) +\(base rate (\S+)\)", text).groups())
    loss, base_loss = map(float, re.search(r"log loss +(\S+) +\(base rate (\S+)\)", text).groups())
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))
    fitted, kept = order[:400], order[400:]
    peer = make_pipeline(StandardScaler(), LogisticRegression(C=1e3, max_iter=10_000)).fit(X[fitted], y[fitted])
    assert accuracy >= peer.score(X[kept], y[kept]) - 0.02
    assert base == pytest.approx(max(np.mean(y[kept]), 1 - np.mean(y[kept])), abs=5e-4)
    assert loss < 0.2 < base_loss < 0.7


def test_lines_fit_a_terminal(told):
    assert all("\n" not in line for line in told[2])
    assert max(len(line) for line in told[2] if "picture:" not in line) <= 100


def test_the_story_repeats_and_leaves_the_global_generator_as_it_was(told, tmp_path):
    np.random.seed(8)
    expected = np.random.randn()
    np.random.seed(8)
    lines = []
    story.run(tmp_path, lines.append)
    assert np.random.randn() == expected
    assert [line for line in lines if "picture:" not in line] == [line for line in told[2] if "picture:" not in line]


def test_a_write_that_fails_leaves_the_old_picture_and_no_half_one(tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    old = tmp_path / "1-sentences.png"
    old.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        story.run(tmp_path, lambda line: None)
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == b"old"


def test_a_folder_that_is_a_file_is_an_os_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        story.run(tmp_path / "file", lambda line: None)


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'onelayer\[plot\]'"):
        story.run(tmp_path, lambda line: None)
