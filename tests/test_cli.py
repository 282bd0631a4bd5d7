"""The command line as a person runs it: whole processes, exit codes, and what is said where."""

import json
import subprocess
import sys

import pytest
from sklearn.datasets import load_iris


def run(*arguments, stdin=None):
    command = [sys.executable, "-c", "from onelayer.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    data = load_iris()
    kept = data.target > 0
    lines = [
        f"{a},{b},{data.target_names[k]}" for (_, _, a, b), k in zip(data.data[kept], data.target[kept], strict=True)
    ]
    (folder / "iris.csv").write_text("\n".join(["length,width,kind", *lines]) + "\n")
    done = run("fit", folder / "iris.csv", "--target", "kind", "--model", folder / "m.onelayer")
    assert done.returncode == 0, done.stderr
    return folder


def test_fit_says_what_it_found(folder):
    done = run("fit", folder / "iris.csv", "--target", "kind", "--model", folder / "n.onelayer")
    for words in (
        "80 to fit, 20 held out",
        "versicolor, virginica",
        "number: length, width",
        "base rate 0.5000",
        "odds",
    ):
        assert words in done.stdout
    assert done.stderr == ""


def test_predict_answers_every_row_and_flags_those_it_cannot(folder):
    done = run("predict", folder / "m.onelayer", "-", stdin="length,width\n4,1\n,1\n6,2.5\n")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == ["label", "versicolor", "", "virginica"]
    assert "first row 2: column 'length'" in done.stderr


def test_evaluate_prints_one_json_document(folder):
    done = run("evaluate", folder / "m.onelayer", folder / "iris.csv", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 0
    assert result["rows"] == 100
    assert result["accuracy"] > 0.9


def test_explain_and_plot(folder):
    assert "length" in run("explain", folder / "m.onelayer").stdout
    done = run("plot", folder / "m.onelayer", "-o", folder / "w.png")
    assert done.returncode == 0, done.stderr
    assert (folder / "w.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fit", "nowhere.csv", "--model", "x"), "cannot be read"),
        (("fit", "{}/iris.csv", "--target", "kin", "--model", "x"), "did you mean 'kind'"),
        (("predict", "{}/iris.csv", "-"), "is not a model file"),
        (("evaluate",), "Missing argument"),
        (("nonsense",), "No such command"),
    ],
)
def test_the_users_errors_are_one_sentence_and_exit_2(folder, arguments, words):
    done = run(*(a.format(folder) for a in arguments), stdin="a\n1\n")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
