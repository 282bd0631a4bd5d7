"""README.md: what it shows is what its commands say, and its picture is what its script draws."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
# what differs with the machine and the solver: iterations, seconds, and how little is left to gain
VARIES = r"fitted +\d+ iterations, converged, relative distance from the optimum \S+ \(bound\), \d+\.\d+ s"
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each block of the first result says: the two of Python in one session, the commands in a shell's folder."""
    folder = tmp_path_factory.mktemp("readme")
    python = "\n".join(text for kind, text in BLOCKS if kind == "python")
    session = subprocess.run([sys.executable, "-c", python], cwd=folder, capture_output=True, text=True, check=True)
    lines = [line for kind, text in BLOCKS if kind == "bash" for line in text.splitlines()]
    outputs = []
    for line in lines:
        if line.startswith("onelayer "):
            words = shlex.split(line.split(" > ")[0], comments=True)
            command = [sys.executable, "-c", "from onelayer.cli import main; main()", *words[1:]]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, (line, done.stderr)
            outputs.append(done.stdout)
    return session.stdout, outputs


def test_the_first_result_is_what_is_shown(said):
    session, outputs = said
    fitted, python = (text for kind, text in BLOCKS if kind == "text")
    assert session == python
    shown = [re.sub(VARIES, "VARIES", line) for line in fitted.splitlines()[:-1]]
    got = re.sub(VARIES, "VARIES", outputs[0]).splitlines()
    for expected, line in zip(shown, got, strict=False):
        words = re.escape(NUMBER.sub("N", expected)).replace("…", ".*")
        assert re.fullmatch(words, NUMBER.sub("N", line))
        # a fit stops within 1e-6 of the lowest cost, which leaves the third digit of a weight
        numbers = [list(map(float, NUMBER.findall(text))) for text in (expected, line)]
        assert numbers[0] == pytest.approx(numbers[1], rel=5e-3)
    assert len(shown) == 9
    assert outputs[1].startswith("label,probability\nmalignant,")
    assert outputs[2].startswith("row 20      benign: ")
    assert '"roc_auc"' in outputs[3]


def test_the_environment_is_entered_before_its_programs_are_called_by_name():
    commands = [line for kind, text in BLOCKS if kind == "bash" for line in text.splitlines()]
    assert "onelayer" in [line.split()[0] for line in commands]
    assert commands.index("source .venv/bin/activate") < [line.split()[0] for line in commands].index("onelayer")


def test_the_picture_is_what_its_script_draws(tmp_path):
    subprocess.run([sys.executable, str(ROOT / "docs" / "picture.py"), str(tmp_path / "p.png")], check=True)
    drawn, kept = imread(tmp_path / "p.png"), imread(ROOT / "docs" / "picture.png")
    assert drawn.shape == kept.shape
    assert abs(drawn - kept).mean() < 0.005  # markers may move by a pixel; without points it is 0.008, blank 0.1
    assert kept.std() > 0.1
