"""`onelayer plot`: every kind of picture from a saved model, and one sentence where it cannot be drawn."""

import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure
from PIL import Image

import onelayer
from onelayer.cli import cli, pictures
from onelayer.cli.commands.plot import PICTURES
from onelayer.cli.pictures import KINDS, WITHOUT_DATA, Judged

RNG = np.random.default_rng(0)


def table(k, n=200):
    size, age = RNG.standard_normal(n) * 10 + 500, RNG.integers(20, 60, n).astype(float)
    score = (size - 500) / 5 + (age - 40) / 10 + RNG.logistic(size=n)
    label = np.array(["low", "mid", "top"])[np.digitize(score, [0] if k == 2 else [-1, 1])]
    return {"size": size, "age": age, "town": RNG.choice(["here", "there"], n).astype(object), "label": label}


def as_csv(columns, path):
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.fixture(scope="module", params=[2, 3])
def saved(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    columns = table(request.param)
    as_csv(columns, folder / "d.csv")
    onelayer.fit(columns, tune=True).save(folder / "m.onelayer")
    return folder


def run(*arguments):
    return CliRunner().invoke(cli, ["plot", *map(str, arguments)])


def test_the_command_knows_every_picture():
    assert tuple(KINDS) == PICTURES


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "animation"])
def test_each_is_drawn(saved, kind):
    done = run(saved / "m.onelayer", *rows(kind, saved), "--kind", kind, "-o", saved / f"{kind}.png")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(saved / f"{kind}.png")
    with Image.open(saved / f"{kind}.png") as image:
        pixels = np.asarray(image.convert("L"))
    assert 600 < pixels.shape[1] < 1300
    assert (pixels < 128).sum() > 2000


def rows(kind, folder):
    return [] if kind in WITHOUT_DATA[1:] else [folder / "d.csv"]


def test_the_animation_is_a_gif(saved):
    done = run(saved / "m.onelayer", saved / "d.csv", "--kind", "animation", "-o", saved / "a.gif")
    assert done.exit_code == 0, done.output
    with Image.open(saved / "a.gif") as image:
        assert image.n_frames > 10
    done = run(saved / "m.onelayer", saved / "d.csv", "--kind", "animation", "-o", saved / "a.png")
    assert "an animation is a GIF: name it" in str(done.exception)


@pytest.mark.parametrize("kind", KINDS)
def test_without_rows_what_needs_them_says_so(saved, kind, tmp_path):
    form = "gif" if kind == "animation" else "png"
    done = run(saved / "m.onelayer", "--kind", kind, "-o", tmp_path / f"x.{form}")
    if kind in WITHOUT_DATA:
        assert (tmp_path / "x.png").exists()
    else:
        assert "is drawn from rows: name a table" in str(done.exception)
        assert not list(tmp_path.iterdir())


def test_the_boundary_is_drawn_in_the_units_of_the_table(saved):
    model = onelayer.load(saved / "m.onelayer")
    seen = Judged(model, str(saved / "d.csv"))
    x = seen.X.toarray()
    assert seen.names[:2] == ["size", "age"]
    assert 480 < np.median(x[:, 0]) < 520
    assert set(x[:, 1]) <= set(range(20, 60))
    np.testing.assert_allclose(seen.p, model.predict_proba(str(saved / "d.csv")), rtol=1e-9)


def test_a_model_saved_without_its_history_says_so(saved, tmp_path):
    model = onelayer.load(saved / "m.onelayer")
    assert model.fitted["history"][-1]["rows"] == 200
    del model.fitted["history"]
    model.save(tmp_path / "old.onelayer")
    done = run(tmp_path / "old.onelayer", "--kind", "cost", "-o", tmp_path / "x.png")
    assert "saved without the history of its fit: fit and save it again" in str(done.exception)


def test_rows_that_cannot_be_answered_are_left_out_and_counted(saved, tmp_path):
    text = (saved / "d.csv").read_text().splitlines()
    text[3] = "," + text[3].split(",", 1)[1]
    (tmp_path / "d.csv").write_text("\n".join(text) + "\n")
    done = run(saved / "m.onelayer", tmp_path / "d.csv", "--kind", "confusion", "-o", tmp_path / "x.png")
    assert done.exit_code == 1
    assert "notice: 1 row is left out, for there is no answer, first row 3: column 'size'" in done.stderr
    assert (tmp_path / "x.png").exists()


def test_a_label_the_model_does_not_know_is_named(saved, tmp_path):
    text = (saved / "d.csv").read_text().replace(",low\n", ",lwo\n", 1)
    (tmp_path / "d.csv").write_text(text)
    done = run(saved / "m.onelayer", tmp_path / "d.csv", "--kind", "roc", "-o", tmp_path / "x.png")
    row = text.splitlines().index(next(line for line in text.splitlines() if line.endswith(",lwo")))
    said = f"column 'label' holds 'lwo' in row {row}, but the model knows low, mid"
    assert said in str(done.exception)
    assert "correct or drop such rows (1 of 200)" in str(done.exception)


def test_texts_have_too_many_weights_for_intervals_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_WEIGHTS", 3)
    columns = table(2)
    as_csv(columns, tmp_path / "d.csv")
    onelayer.fit(columns).save(tmp_path / "m.onelayer")
    done = run(tmp_path / "m.onelayer", tmp_path / "d.csv", "-o", tmp_path / "x.png")
    assert done.exit_code == 0
    assert "notice: no intervals: 6 weights are too many for them" in done.stderr


def test_of_one_row_there_are_no_intervals_and_it_is_said(saved, tmp_path):
    (tmp_path / "d.csv").write_text("\n".join((saved / "d.csv").read_text().splitlines()[:2]) + "\n")
    done = run(saved / "m.onelayer", tmp_path / "d.csv", "-o", tmp_path / "x.png")
    assert done.exit_code == 0
    assert "notice: no intervals: one row cannot say how far weights may be off" in done.stderr


def numbers():
    columns = table(2)
    return columns | {"label": columns["size"] * 3 + columns["age"] * np.sin(columns["age"])}


@pytest.mark.parametrize("hidden", [(), (5,)])
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "animation"])
def test_each_is_drawn_where_it_makes_sense_and_refused_in_words_elsewhere(hidden, task, kind, tmp_path):
    columns = table(2) if task == "classification" else numbers()
    as_csv(columns, tmp_path / "d.csv")
    tune = task == "classification" and not hidden
    onelayer.fit(columns, task=task, hidden=hidden, tune=tune).save(tmp_path / "m.onelayer")
    done = run(tmp_path / "m.onelayer", *rows(kind, tmp_path), "--kind", kind, "-o", tmp_path / "p.png")
    of_classes = task == "regression" and kind not in pictures.OF_NUMBERS
    if of_classes or (hidden and kind in pictures.OF_ONE_LAYER):
        assert isinstance(done.exception, ValueError)
        assert f"the picture {kind!r} is of" in str(done.exception)
        assert not (tmp_path / "p.png").exists()
        return
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "p.png") as image:
        assert (np.asarray(image.convert("L")) < 128).mean() > 0.003


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "animation"])
def test_of_an_l1_penalty_all_but_descent_is_drawn(kind, tmp_path):
    columns = table(2)
    as_csv(columns, tmp_path / "d.csv")
    onelayer.fit(columns, tune=True, l1_ratio=1.0).save(tmp_path / "m.onelayer")
    done = run(tmp_path / "m.onelayer", *rows(kind, tmp_path), "--kind", kind, "-o", tmp_path / "p.png")
    if kind in pictures.OF_DESCENT:
        assert f"the picture {kind!r} is of gradient descent, which knows no L1 penalty" in str(done.exception)
        return
    assert done.exit_code == 0, done.output
    assert (kind == "weights") == ("no intervals: none are known of weights that a penalty may set" in done.stderr)


def test_a_stack_in_the_units_of_the_table_answers_as_the_model_does():
    columns = table(3)
    model = onelayer.fit(columns, hidden=(5, 4), activation="tanh")
    seen = Judged(model, columns)
    np.testing.assert_allclose(seen.p, model.predict_proba(columns), rtol=1e-7, atol=1e-12)
    assert not hasattr(seen, "coef_")


def test_a_model_that_was_not_tuned_says_so(tmp_path):
    onelayer.fit(table(2)).save(tmp_path / "m.onelayer")
    done = run(tmp_path / "m.onelayer", "--kind", "tuning", "-o", tmp_path / "x.png")
    assert "the model's C was given, not chosen: fit it with --tune" in str(done.exception)


@pytest.mark.parametrize("k", [2, 3, "numbers"])
def test_the_regularisation_path_is_that_of_separate_fits(k, monkeypatch):
    columns = numbers() if k == "numbers" else table(k)
    task = "regression" if k == "numbers" else "classification"
    model = onelayer.fit(columns, task=task, test_size=0)
    drawn = {}
    monkeypatch.setattr(pictures.plots, "regularisation_path", lambda C, w, *_, **told: drawn.update(C=C, w=w, **told))
    seen = Judged(model, columns)
    y = seen.y if k == "numbers" else [model.classes.index(label) for label in seen.y]
    for positive in [None] if k == "numbers" else [None, "low"]:
        pictures.KINDS["regularisation"](seen, pictures.Wish("", positive=positive), None)
        for at in (0, 9, 18):
            truth = pictures.train(seen.encoded, y, task=task, C=float(drawn["C"][at]), tol=1e-10).weights
            expected = truth[-1, :-1] if positive is None else (-truth[0] if k == 2 else truth[0])[:-1]
            np.testing.assert_allclose(drawn["w"][at], expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
        of = "label" if k == "numbers" else f"log-odds of {positive or model.classes[-1]}"
        assert drawn["ylabel"] == f"weight, fitted anew ({of})\n(of a number for one standard deviation)"


@pytest.mark.parametrize(
    ("k", "settings", "wish", "drawn"),
    [
        (2, {"threshold": 0.8}, {}, ["in use: 0.8"]),
        (2, {"threshold": 0.8}, {"positive": "low"}, ["in use: 0.2"]),
        (2, {"threshold": 0.8}, {"threshold": 0.3, "positive": "low"}, ["in use: 0.3"]),
        (3, {}, {}, []),
        (3, {}, {"threshold": 0.3}, ["in use: 0.3"]),
    ],
)
def test_the_threshold_that_is_drawn_is_the_models_or_the_one_asked_for(k, settings, wish, drawn):
    columns, ax = table(k), Figure().add_subplot()
    pictures.KINDS["threshold"](Judged(onelayer.fit(columns, **settings), columns), pictures.Wish("", **wish), ax)
    assert [text.get_text() for text in ax.get_legend().get_texts() if "in use" in text.get_text()] == drawn


def test_the_path_that_is_drawn_is_that_of_gradient_descent(saved):
    seen = Judged(onelayer.load(saved / "m.onelayer"), str(saved / "d.csv"))
    weights, steps = pictures._descent(seen)
    assert steps == list(pictures.STEPS)
    assert not weights[0].any()
    codes = [seen.model.classes.index(label) for label in seen.y]
    told = {"C": seen.C, "solver": "gd", "tol": 0.0, "initial": [weights[0]]}
    for at in (3, 10, 21):
        fit = pictures.train(seen.encoded, codes, max_iter=pictures.STEPS[at], **told)
        np.testing.assert_allclose(weights[at], fit.weights, rtol=1e-6, atol=1e-9)  # a fit ends with its bias balanced


def test_a_descent_says_that_it_is_one_and_after_how_many_steps_it_stopped(saved, tmp_path):
    early = {"x": [0.0, 0, 1, 1], "label": list("aabb")}
    model = onelayer.fit(early, C=1e-9)
    for seen in (Judged(onelayer.load(saved / "m.onelayer"), str(saved / "d.csv")), Judged(model, early)):
        _, steps = pictures._descent(seen)
        ax = Figure().add_subplot()
        pictures.KINDS["path"](seen, pictures.Wish(""), ax)
        said = [text.get_text() for text in ax.get_legend().get_texts()]
        assert said == [f"gradient descent ({steps[-1]} steps)", "start", "where it stopped"]
        ax = Figure().add_subplot()
        if len(seen.names) > 1:
            pictures.KINDS["animation"](seen, pictures.Wish(tmp_path / "a.gif"), ax)
            assert "gradient descent, step 200" in [text.get_text() for text in ax.texts]
    fit = pictures.train(seen.encoded, [0, 0, 1, 1], C=1e-9, solver="gd", tol=0, max_iter=200)
    assert steps[-1] == fit.n_iter < 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kind", "roc", "-o", "x.xyz"], "'x.xyz': a picture is saved as png, svg, pdf"),
        (["--kind", "roc", "-o", "nowhere/x.png"], "'nowhere/x.png' cannot be saved, for there is no folder 'nowhere'"),
        (["--kind", "animation", "-o", "nowhere/x.gif"], "there is no folder 'nowhere': make it first"),
        (["--kind", "roc", "-o", "."], "'.' is a folder: name a file in it"),
        (["--kind", "animation", "-o", "x.png"], "an animation is a GIF: name it x.gif"),
        (["--kind", "threshold", "--positive", "green"], "class 'green' is unknown: the model knows low, mid"),
        (["--kind", "projection", "--positive", "green"], "class 'green' is unknown: the model knows low, mid"),
        (["--kind", "regularisation", "--positive", "green"], "class 'green' is unknown: the model knows low, mid"),
        (
            ["--kind", "roc", "--threshold", "5"],
            "'roc' has no use for --threshold: leave it out, or draw boundary, proj",
        ),
        (["--kind", "calibration", "--threshold", "0.4"], "'calibration' has no use for --threshold"),
        (["--kind", "weights", "--threshold", "nan"], "'weights' has no use for --threshold"),
        (["--kind", "confusion", "--positive", "green"], "'confusion' has no use for --positive"),
        (["--kind", "weights", "--positive", "low"], "'weights' has no use for --positive"),
        (["--kind", "roc", "--costs", "1", "2"], "'roc' has no use for --costs"),
        (["--kind", "roc", "--top", "3"], "'roc' has no use for --top"),
        (["--kind", "roc", "--feature", "age", "--feature", "size"], "'roc' has no use for --feature"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(saved, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(saved / "m.onelayer", saved / "d.csv", *arguments)
    assert words in str(done.exception)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--top", "0"], "--top must be 1 or more, not 0"), (["--feature", "age"], "give it twice, not 1 ×")],
)
def test_options_that_make_no_sense_are_refused(saved, arguments, words):
    done = run(saved / "m.onelayer", saved / "d.csv", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_class_of_a_regression_is_refused(tmp_path):
    as_csv(numbers(), tmp_path / "d.csv")
    onelayer.fit(numbers(), task="regression").save(tmp_path / "m")
    done = run(tmp_path / "m", tmp_path / "d.csv", "--kind", "regularisation", "--positive", "a", "-o", tmp_path / "x")
    assert "class 'a' is unknown: the model predicts numbers: leave --positive out" in str(done.exception)


def test_two_of_many_features_are_said_to_be_two(tmp_path):
    columns = {f"x{j}": RNG.standard_normal(60) for j in range(11)} | {"label": ["low", "top"] * 30}
    as_csv(columns, tmp_path / "d.csv")
    onelayer.fit(columns).save(tmp_path / "m.onelayer")
    done = run(tmp_path / "m.onelayer", tmp_path / "d.csv", "--kind", "boundary", "-o", tmp_path / "p.png")
    assert done.exit_code == 0
    assert "notice: two of 11 features are shown: --kind projection shows all at once" in done.stderr


def test_names_that_begin_with_an_underscore_stand_in_legends(tmp_path):
    columns = table(2)
    columns = {f"_{name}" if name != "label" else name: values for name, values in columns.items()}
    columns["label"] = [f"_{label}" for label in columns["label"]]
    seen = Judged(onelayer.fit(columns), columns)
    for kind in ("roc", "precision-recall", "calibration", "regularisation"):
        ax = Figure().add_subplot()
        pictures.KINDS[kind](seen, pictures.Wish(""), ax)
        assert any(text.get_text().startswith(" _") for text in ax.get_legend().get_texts())


def test_one_feature_is_no_plane(tmp_path):
    columns = table(2)
    as_csv(columns, tmp_path / "d.csv")
    onelayer.fit(columns).save(tmp_path / "m.onelayer")
    name = next(iter(columns))
    command = ["--kind", "boundary", "--feature", name, "--feature", name, "-o", tmp_path / "p.png"]
    done = run(tmp_path / "m.onelayer", tmp_path / "d.csv", *command)
    assert f"features has {name!r} twice; pass two different ones" in str(done.exception)


def test_other_warnings_of_a_picture_come_as_they_are():
    with pytest.warns(RuntimeWarning, match="overflow") as told, pictures._one_notice_of_the_font():
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)
    assert len(told) == 1


def test_signs_that_the_font_lacks_are_told_once(tmp_path):
    columns = table(2)
    columns["label"] = [f"猫{label}犬" for label in columns["label"]]
    as_csv(columns, tmp_path / "d.csv")
    onelayer.fit(columns).save(tmp_path / "m.onelayer")
    done = run(tmp_path / "m.onelayer", tmp_path / "d.csv", "--kind", "roc", "-o", tmp_path / "p.png")
    assert done.exit_code == 0
    assert done.stderr.count("notice: ") == 1
    assert "2 signs of names or labels are not in the font and drawn as boxes" in done.stderr
