"""The command line as a person runs it: whole processes, exit codes, and what is said where."""

import json
import os
import pty
import signal
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

import onelayer
from onelayer import cli
from onelayer.cli import terminal


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


def test_tune_says_which_C_it_chose_and_the_log_loss_of_each(folder):
    path = folder / "tuned.onelayer"
    done = run("fit", folder / "iris.csv", "--target", "kind", "--tune", "--model", path)
    assert done.returncode == 0, done.stderr
    tuning = onelayer.load(path).fitted["tuning"]
    assert tuning["chosen"] == tuning["C"][np.argmin(tuning["log_loss"])] == onelayer.load(path).fitted["C"]
    lines = done.stdout.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("tuned "))
    chosen = f"{tuning['chosen']:.3g}"
    assert lines[first] == (f"tuned       C = {chosen}: the least log loss of 17 values, in 5 folds of the rows to fit")
    table = lines[first + 1 : first + 18]
    assert [line.split()[:2] for line in table] == [["C", "="]] * 17
    assert [float(line.split()[5]) for line in table] == [round(loss, 4) for loss in tuning["log_loss"]]
    assert [line.split()[2] for line in table if line.endswith("chosen")] == [chosen]


def test_an_l1_penalty_says_how_many_features_it_keeps(folder):
    path = folder / "few.onelayer"
    done = run("fit", folder / "iris.csv", "--target", "kind", "--l1-ratio", "1", "--C", "0.04", "--model", path)
    assert done.returncode == 0, done.stderr
    assert np.count_nonzero(onelayer.load(path).weights[0, :-1]) == 1
    assert "kept        1 of 2 features, all others have weight 0\n" in done.stdout


def test_tune_beside_C_is_refused(folder):
    done = run("fit", folder / "iris.csv", "--target", "kind", "--tune", "--C", "1", "--model", folder / "t.onelayer")
    assert done.returncode == 2
    assert "--C says what C is, --tune chooses it: leave one of them out" in done.stderr


def test_predict_answers_every_row_and_flags_those_it_cannot(folder):
    done = run("predict", folder / "m.onelayer", "-", stdin="length,width\n4,1\n,1\n6,2.5\n")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == ["label", "versicolor", "", "virginica"]
    assert "first row 2: column 'length'" in done.stderr


@pytest.mark.parametrize("positive", ["versicolor", "virginica"])
def test_the_probability_is_of_the_class_that_help_names(folder, positive, tmp_path):
    data = folder / "iris.csv"
    onelayer.fit(data, "kind", positive=positive).save(tmp_path / "two")
    iris = load_iris(as_frame=True).frame
    onelayer.fit(iris, "target").save(tmp_path / "three")
    iris.to_csv(tmp_path / "iris.csv", index=False)
    for name, table, column in (("two", data, 1), ("three", tmp_path / "iris.csv", None)):
        model = onelayer.load(tmp_path / name)
        found = json.loads(run("predict", tmp_path / name, table, "--json").stdout)
        p = model.predict_proba(table)
        of = [column] * len(p) if column else [model.classes.index(row["label"]) for row in found]
        assert [row["probability"] for row in found] == p[np.arange(len(p)), of].tolist()
    said = " ".join(run("predict", "--help").stdout.split())
    assert "that of the second of two classes, the one of fit --positive, whichever is the label" in said
    assert "of three or more it is that of the label" in said


def test_evaluate_prints_one_json_document(folder):
    done = run("evaluate", folder / "m.onelayer", folder / "iris.csv", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 0
    assert result["rows"] == 100
    assert result["accuracy"] > 0.9


def test_evaluate_weighs_rows_where_it_is_told_to(folder):
    rows = "length,width,kind,w\n4.5,1.4,versicolor,1\n4.5,1.4,virginica,3\n6,2.2,virginica,0\n"
    done = run("evaluate", folder / "m.onelayer", "-", "--weight", "w", stdin=rows)
    assert (done.returncode, done.stderr) == (0, "")
    assert "rows        2\nweighed     each row counts by its weight in column 'w'\n" in done.stdout
    assert "accuracy    0.2500   (base rate 0.7500)" in done.stdout


def test_evaluate_names_the_first_row_that_it_leaves_out(folder):
    rows = "length,width,kind\n4.5,1.4,versicolor\nlong,1.4,versicolor\n6,2.2,virginica\n"
    done = run("evaluate", folder / "m.onelayer", "-", stdin=rows)
    assert done.returncode == 1
    assert "1 row is left out, for there is no answer, first row 2: column 'length'" in done.stderr
    found = json.loads(run("evaluate", folder / "m.onelayer", "-", "--json", stdin=rows).stdout)
    assert found["first_unanswered"]["row"] == 2
    assert found["rows"] == 2


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
        (("fit", "{}/iris.csv", "--model", "{}/iris.csv"), "is read by this command, which would overwrite it"),
        (("predict", "{}/m.onelayer", "{}/iris.csv", "-o", "{}/iris.csv"), "is read by this command"),
        (("predict", "{}/m.onelayer", "-", "-o", "{}/m.onelayer"), "is read by this command"),
        (("plot", "{}/m.onelayer", "-o", "{}/m.onelayer"), "is read by this command"),
        (("fit", "nowhere.csv", "--model", "nowhere/m"), "'nowhere/m' cannot be saved, for there is no folder"),
        (("fit", "nowhere.csv", "--model", ""), "the path to write to is empty: name a file, or -"),
        (("predict", "nowhere", "nowhere.csv", "-o", "."), "'.' is a folder: name a file in it"),
        (("plot", "nowhere", "-o", ""), "the path to write to is empty: name a file, or -"),
        (("plot", "nowhere", "-o", "nowhere/x.png"), "'nowhere/x.png' cannot be saved, for there is no folder"),
        (("predict", "-", "-"), "MODEL and DATA cannot both be read from standard input: name a file"),
        (("explain", "-"), "error: standard input is not a model file, or is damaged"),
        (
            ("fit", "{}/iris.csv", "--target", "kind", "--model", "x", "--C", "0"),
            "positive (inf for no penalty), not 0",
        ),
        (("fit", "{}/iris.csv", "--target", "kind", "--model", "{}/iris.csv"), "is read by this command"),
        (
            ("fit", "-", "--target", "a", "--model", "{}/iris.csv"),
            "iris.csv' is there and no model, and would be replaced: name another file, or remove it",
        ),
        (
            ("fit", "{}/iris.csv", "--model", "x", "--kind", "length=text", "--kind", "length=number"),
            "--kind says of column 'length' that it is text and number: leave one out",
        ),
        (("explain", "{}/m.onelayer", "--sep", ";"), "--sep is of a table, but no DATA is named: name it, or leave"),
        (("plot", "{}/m.onelayer", "--encoding", "utf-8", "-o", "x.png"), "--encoding is of a table, but no DATA"),
        (
            ("plot", "{}/m.onelayer", "{}/iris.csv", "--kind", "cost", "-o", "x.png"),
            "the picture 'cost' is of the fit that the model remembers: leave DATA out",
        ),
        (("nonsense",), "No such command"),
    ],
)
def test_the_users_errors_are_one_sentence_and_exit_2(folder, arguments, words):
    done = run(*(a.format(folder) for a in arguments), stdin="a\n1\n")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_package_is_a_program():
    done = subprocess.run([sys.executable, "-m", "onelayer", "--version"], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, f"onelayer, version {onelayer.__version__}\n")


def test_the_version_is_said():
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"onelayer, version {onelayer.__version__}\n")


@pytest.mark.parametrize("command", sorted(cli.cli.commands))
def test_help_shows_an_example_of_each_command(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.cli.main([command, "--help"], prog_name="onelayer")
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert f"  onelayer {command}" in text.split("Usage:")[1].split("\n", 1)[1]


def test_help_says_of_each_command_what_it_does_in_whole(capsys):
    with pytest.raises(SystemExit):
        cli.cli.main(["--help"], prog_name="onelayer")
    lines = capsys.readouterr().out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in lines] == sorted(cli.cli.commands)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


def test_a_model_goes_through_standard_output_and_what_is_said_beside_it(folder, tmp_path):
    arguments = ["fit", str(folder / "iris.csv"), "--target", "kind", "--model", "-"]
    command = [sys.executable, "-c", "from onelayer.cli import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=100, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "m").write_bytes(done.stdout)
    assert onelayer.load(tmp_path / "m").classes == ("versicolor", "virginica")
    assert b"80 to fit, 20 held out" in done.stderr


def test_a_model_comes_through_standard_input(folder):
    code, said, printed = in_bash(f"onelayer explain - < {folder}/m.onelayer")
    assert (code, said) == (0, "")
    assert printed == run("explain", folder / "m.onelayer").stdout
    code, said, _ = in_bash("onelayer explain - <&-")
    assert (code, said) == (2, "error: standard input cannot be read, for it is closed: name a file\n")


def test_a_share_of_rows_that_is_none_is_said(folder, tmp_path):
    done = run(
        "fit", folder / "iris.csv", "--target", "kind", "--model", tmp_path / "m", "--test-size", "0.001", "--C", "inf"
    )
    assert done.returncode == 0, done.stderr
    assert "rows        100 to fit\n" in done.stdout
    assert "notice      no row is held out to judge on, for 0.001 of 100 rows is too few: give a larger" in done.stdout


def test_a_distance_that_is_not_known_is_said_so(tmp_path):
    done = run("fit", "-", "--model", tmp_path / "m", "--C", "inf", stdin="x,label\n1,a\n2,a\n3,b\n4,b\n")
    assert "NOT converged, distance from the optimum not known, " in done.stdout


def test_a_row_is_explained(folder):
    done = run("explain", folder / "m.onelayer", folder / "iris.csv", "--row", 3)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("row 3       versicolor: probability of virginica 0.")
    total = sum(float(line.split(":")[-1].split(",")[0].split()[-1]) for line in lines[1:])
    assert total == pytest.approx(float(lines[0].split()[-2]), abs=2e-3)
    found = json.loads(run("explain", folder / "m.onelayer", folder / "iris.csv", "--row", 3, "--json").stdout)
    assert {push["feature"] for push in found["pushes"]} == {"length", "width"}
    arguments = ("explain", folder / "m.onelayer", folder / "iris.csv", "--row", 3, "--top", 1)
    few = json.loads(run(*arguments, "--json").stdout)
    assert few["pushes"] == found["pushes"][:1]
    assert few["others"] == {"features": 1, "push": found["pushes"][1]["push"]}
    assert run(*arguments).stdout.splitlines()[-1] == f"others      {few['others']['push']:+.3f} (1 feature)"
    for arguments in (("--row", 3), (folder / "iris.csv", "--row", 101), ("--top", 0)):
        assert run("explain", folder / "m.onelayer", *arguments).returncode == 2


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (RuntimeError("a bug"), 70, "our own fault, RuntimeError at test_cli.py:"),
        (MemoryError("Unable to allocate 8. TiB"), 2, "error: there is not enough memory: Unable to allocate 8. TiB\n"),
    ],
)
def test_our_own_fault_is_70_and_says_where_and_too_little_memory_is_none(monkeypatch, capsys, error, code, words):
    def broken(*_):
        raise error

    monkeypatch.setattr("onelayer.model.load", broken)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["explain", "m.onelayer"])
    assert stopped.value.code == code
    assert words in capsys.readouterr().err


@pytest.fixture
def stopped_fit(interruptible, folder, tmp_path, monkeypatch, capsys):
    """What a fit prints and says that Ctrl-C stops when it says for the nth time what it does."""

    def fit(doing, nth=1, *options):
        times = count(1)

        @contextmanager
        def progress():
            yield lambda said: said.startswith(doing) and next(times) == nth and os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(terminal, "progress", progress)
        with pytest.raises(SystemExit) as stopped:
            cli.main(["fit", str(folder / "iris.csv"), "--target", "kind", "--model", str(tmp_path / "m"), *options])
        assert stopped.value.code == terminal.INTERRUPTED == 130
        return capsys.readouterr()

    return fit


def test_ctrl_c_in_mid_fit_saves_the_best_so_far_and_exits_130(stopped_fit, tmp_path):
    said = stopped_fit("fitting: cost", 2)
    assert "NOT converged" in said.out
    assert said.err == "stopped: the best weights so far are kept; the model is saved\n"
    assert onelayer.load(tmp_path / "m").fitted["converged"] is False


def test_ctrl_c_after_the_fit_saves_it_without_its_judgement(stopped_fit, tmp_path):
    said = stopped_fit("evaluating")
    assert "rows        80 to fit\n" in said.out
    assert ", converged" in said.out
    assert said.err == "stopped: the fit was over, but 20 rows kept out of it were not evaluated; the model is saved\n"
    assert onelayer.load(tmp_path / "m").held_out == {}


def test_ctrl_c_while_the_model_is_saved_saves_it(stopped_fit, tmp_path, monkeypatch):
    save = onelayer.Model.save
    monkeypatch.setattr(onelayer.Model, "save", lambda *told: (os.kill(os.getpid(), signal.SIGINT), save(*told)))
    said = stopped_fit("nothing that is said")
    assert "20 held out" in said.out
    assert said.err == "stopped: the model is saved\n"
    assert onelayer.load(tmp_path / "m").fitted["converged"] is True


@pytest.mark.parametrize(("doing", "options"), [("fitting: cost", ()), ("choosing C", ("--tune",)), ("encoding", ())])
def test_ctrl_c_before_anything_is_fitted_leaves_an_earlier_model_alone(stopped_fit, tmp_path, doing, options):
    onelayer.fit({"x": [1, 2], "label": ["a", "b"]}).save(tmp_path / "m")
    earlier = (tmp_path / "m").read_bytes()
    said = stopped_fit(doing, 1, *options)
    assert (said.out, said.err) == ("", "stopped: nothing is fitted yet, so no model is saved\n")
    assert (tmp_path / "m").read_bytes() == earlier


@pytest.mark.parametrize(
    "end",
    [
        "sys.addaudithook(lambda event, about: about[:1] == ('click',) and signal.raise_signal(2))",
        "atexit.register(signal.raise_signal, 2)",
    ],
    ids=["while it is loaded", "when all is done"],
)
def test_ctrl_c_is_silent(end):
    program = (
        "import atexit, signal, sys; signal.signal(2, signal.default_int_handler); "
        f"from onelayer.__main__ import main; {end}; sys.argv = ['onelayer', '--version']; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100)
    assert done.stderr == ""
    assert done.returncode in (terminal.INTERRUPTED, -signal.SIGINT)  # a shell calls both 130


def test_the_program_begins_where_little_is_loaded():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"onelayer": "onelayer.__main__:main"}


def test_progress_is_shown_on_a_terminal_and_nothing_in_a_pipe(folder, tmp_path):
    terminal, end = pty.openpty()
    arguments = ["fit", str(folder / "iris.csv"), "--target", "kind", "--model", str(tmp_path / "m")]
    command = [sys.executable, "-c", "from onelayer.cli import main; main()", *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=end, timeout=100, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    )
    os.close(end)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    assert done.returncode == 0
    assert b"starting" in shown or b"fitting" in shown or b"evaluating" in shown
    assert b"iter" not in done.stdout.split(b"fitted")[0]
    assert run(*arguments).stderr == ""


def in_bash(command):
    """The exit code of the first command of a line in which ``onelayer`` is the command, what it says and prints."""
    line = f"onelayer() {{ {sys.executable} -c 'from onelayer.cli import main; main()' \"$@\"; }}; {command}; "
    done = subprocess.run(
        ["bash", "-c", line + "exit ${PIPESTATUS[0]}"], capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode, done.stderr, done.stdout


@pytest.mark.parametrize("arguments", ["predict {0}/m.onelayer {0}/iris.csv", "explain {0}/m.onelayer", "--help"])
def test_a_pipe_whose_reader_has_gone_ends_it_as_sigpipe_would(folder, arguments):
    code, said, _ = in_bash(f"onelayer {arguments.format(folder)} | true")
    assert code == terminal.UNREAD == 128 + signal.SIGPIPE
    assert said in ("notice: columns not used: kind\n", "")
    code, _, printed = in_bash(f"onelayer predict {folder}/m.onelayer {folder}/iris.csv | head -1")
    assert printed == "label,probability\n"
    assert code in (0, terminal.UNREAD)


def test_what_is_closed_is_an_error_in_words(folder):
    code, said, _ = in_bash(f"onelayer predict {folder}/m.onelayer {folder}/iris.csv >&-")
    assert (code, said) == (2, "error: standard output is closed: send it to a file, or to /dev/null\n")
    code, said, _ = in_bash(f"onelayer predict {folder}/m.onelayer - <&-")
    assert (code, said) == (2, "error: standard input cannot be read, for it is closed: name a file\n")
    code, _, printed = in_bash(f"onelayer fit {folder}/iris.csv --target kind --model {folder}/closed 2>&-")
    assert code == 0
    assert "80 to fit, 20 held out" in printed


@pytest.mark.parametrize(
    "command", ["predict {0}/m.onelayer {0}/iris.csv", "explain {0}/m.onelayer", "fit {0}/iris.csv"]
)
def test_standard_output_on_a_full_disk_is_named(folder, command, tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    model = f"--target kind --model {tmp_path}/m" if command.startswith("fit") else ""
    code, said, _ = in_bash(f"onelayer {command.format(folder)} {model} > /dev/full")
    full = "error: standard output: No space left on device; check where it goes and the space left\n"
    assert code == 2
    assert said.endswith(full)
    if model:
        assert f"the model is saved in '{tmp_path}/m', but what is said of it cannot be written\n{full}" == said
        assert onelayer.load(tmp_path / "m").target == "kind"


def test_a_picture_on_standard_output_is_all_there_is(folder):
    command = [sys.executable, "-c", "from onelayer.cli import main; main()", "plot", folder / "m.onelayer", "-o", "-"]
    done = subprocess.run(command, capture_output=True, timeout=100, check=True)
    assert done.stdout[:4] == b"\x89PNG"
    assert done.stdout[-8:-4] == b"IEND"


@pytest.fixture(scope="module")
def priced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("priced")
    data = load_diabetes(as_frame=True).frame[["bmi", "bp", "s5", "target"]]
    data.to_csv(folder / "d.csv", index=False)
    done = run("fit", folder / "d.csv", "--target", "target", "--task", "regression", "--model", folder / "m")
    assert done.returncode == 0, done.stderr
    assert "target      numbers in column 'target'" in done.stdout
    assert "RMSE" in done.stdout
    assert "weight      s5 (per 0.0" in done.stdout
    return folder


def test_a_regression_goes_through_every_command(priced):
    lines = run("predict", priced / "m", priced / "d.csv").stdout.splitlines()
    assert lines[0] == "prediction"
    assert len(lines) == 443
    found = json.loads(run("predict", priced / "m", priced / "d.csv", "--json").stdout)
    assert float(lines[1]) == pytest.approx(found[0]["prediction"], rel=1e-9)
    judged = json.loads(run("evaluate", priced / "m", priced / "d.csv", "--json").stdout)
    assert 0.4 < judged["r2"] < 0.6
    words = run("evaluate", priced / "m", priced / "d.csv").stdout
    assert f"R²          {judged['r2']:.4f}   (the mean alone 0.0000)" in words
    row = run("explain", priced / "m", priced / "d.csv", "--row", 2).stdout.splitlines()
    total = sum(float(line.split(":")[-1].split()[-1]) for line in row[1:])
    assert total == pytest.approx(float(row[0].split()[2]), rel=1e-3)
    blank = run("predict", priced / "m", "-", stdin="bmi,bp,s5\n0.1,,0.1\n0,0,0\n")
    assert blank.returncode == 1
    assert blank.stdout.splitlines()[1] == '""'
    assert "1 row cannot be answered, first row 1" in blank.stderr


@pytest.mark.parametrize(("data", "task"), [("iris.csv", "classification"), ("d.csv", "regression")])
def test_hidden_layers_go_through_the_commands(folder, priced, data, task, tmp_path):
    path, target = (folder if data == "iris.csv" else priced) / data, "kind" if data == "iris.csv" else "target"
    fitted = run("fit", path, "--target", target, "--task", task, "--hidden", "8,4", "--model", tmp_path / "m")
    assert fitted.returncode == 0, fitted.stderr
    assert "hidden      8 → 4 neurons" in fitted.stdout
    assert "weight  " not in fitted.stdout
    assert run("predict", tmp_path / "m", path).returncode == 0
    assert run("evaluate", tmp_path / "m", path).returncode == 0
    refused = run("explain", tmp_path / "m")
    assert refused.returncode == 2
    assert "no single weight says what a column does: ask what pushed one row where" in refused.stderr
    explained = run("explain", tmp_path / "m", path, "--row", 1)
    assert explained.returncode == 0, explained.stderr
    pushes = [
        float(line.split(": ")[1].split(",")[0]) for line in explained.stdout.splitlines() if line.startswith("push")
    ]
    assert pushes == sorted(pushes, key=abs, reverse=True)


@pytest.mark.parametrize("sizes", ["a", "0", "8,", "-3", "2.5"])
def test_sizes_that_are_none_are_refused(folder, sizes):
    done = run("fit", folder / "iris.csv", "--target", "kind", f"--hidden={sizes}", "--model", "x")
    assert done.returncode == 2
    assert "write the neurons of each layer, such as 16 or 32,32" in done.stderr


def test_every_command_reads_a_file_by_the_separator_and_encoding_it_is_told(tmp_path):
    data, model = tmp_path / "d.csv", tmp_path / "m"
    lines = ["größe;art", *(f"{i % 7};{'süß' if i % 7 > 3 else 'herb'}" for i in range(40))]
    data.write_bytes("\n".join(lines).encode("latin-1"))
    told = ("--sep", ";", "--encoding", "latin-1")
    assert run("fit", data, "--target", "art", "--model", model, *told).returncode == 0
    refused = run("predict", model, data)
    assert refused.returncode == 2
    assert "byte 2 (line 1) is 0xf6; say what it is (encoding='cp1252', --encoding cp1252)" in refused.stderr
    assert run("predict", model, data, *told).stdout.count("süß") > 10
    assert json.loads(run("evaluate", model, data, "--json", *told).stdout)["rows"] == 40
    assert run("explain", model, data, "--row", 1, *told).stdout.startswith("row 1       herb")
    assert run("plot", model, data, "-o", tmp_path / "w.png", *told).returncode == 0


def test_a_name_as_long_as_a_file_is_cut(tmp_path):
    (tmp_path / "d.csv").write_text("t,label\n" + "a" * 100_000 + ",x\nshort one,y\nagain this,x\n")
    done = run("fit", tmp_path / "d.csv", "--model", tmp_path / "m")
    assert done.returncode == 0, done.stderr
    assert "a…" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 200


def test_evaluate_refuses_labels_that_are_none(folder):
    done = run("evaluate", folder / "m.onelayer", "-", stdin='{"length": 1, "width": 2, "kind": ["virginica"]}\n')
    assert done.returncode == 2
    assert "target column 'kind' is of type List(String): it must hold classes" in done.stderr


def test_control_characters_in_names_and_labels_are_escaped(tmp_path):
    evil, label = "\x1b[31mred\nnew", "yes\nnew"  # no label may hold \x1b
    rows = "".join(f'{i % 7},"{label if i % 2 else "no"}","{i % 3}{evil}"\n' for i in range(60))
    table = f'"{evil}1","{evil}","{evil}2"\n{rows}'
    fitted = run("fit", "-", "--model", tmp_path / "m", "--target", evil, stdin=table)
    row = run("explain", tmp_path / "m", "-", stdin=f'"{evil}1","{evil}2"\n1,c\n')
    for done in (fitted, run("explain", tmp_path / "m"), row):
        assert done.returncode == 0
        assert r"\x1b[31mred\nnew" in done.stdout
        assert r"yes\nnew" in done.stdout
        assert "\x1b" not in done.stdout + done.stderr
        assert not any(line.startswith("new") for line in done.stdout.splitlines())
    assert r"\x1b[31mred\nnew" in row.stderr


def test_json_knows_neither_nan_nor_infinity_and_numpys_warnings_reach_nobody(priced):
    def refuse(constant):
        raise ValueError(constant)

    rows = "bmi,bp,s5,target\n0.1,0,0,1e300\n1e308,1e308,1e308,2e300\n0,0,0,1e299\n"
    done = run("predict", priced / "m", "-", "--json", stdin=rows)
    assert done.returncode == 1
    assert [row is None for row in json.loads(done.stdout, parse_constant=refuse)] == [False, True, False]
    assert "cannot be answered, first row 2: its numbers are so large that the answer is not finite" in done.stderr
    assert "Warning" not in done.stderr
    assert "encountered" not in done.stderr
    judged = run("evaluate", priced / "m", "-", "--json", stdin=rows)
    assert json.loads(judged.stdout, parse_constant=refuse)["rmse"] == pytest.approx(np.sqrt(0.505) * 1e300, rel=1e-9)
