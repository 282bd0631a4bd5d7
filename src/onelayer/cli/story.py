"""The guide's story, told in a few seconds: words counted, a line learnt, a cost watched, real data, pictures saved.

Each chapter is a function of the folder for its pictures and of ``echo``, which says one line; it returns the paths of
what it drew. A new chapter is one more function in `CHAPTERS`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onelayer import guide, plots
from onelayer.files import write_whole
from onelayer.guide.data import WORDS
from onelayer.guide.neuron import Parameters
from onelayer.objective.losses import log_loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CHAPTERS", "run"]

Echo = Callable[[str], None]

MOODS = ("happy", "angry")
PAIR = ("mean radius", "mean concave points")
RATE = 1.2  # the guide's
CALM_RATE = 0.12  # a tenth of it, and just below the stable bound of the 1,000 points


def run(folder: Path, echo: Echo) -> list[Path]:
    """Tell the whole story and draw its pictures.

    Parameters
    ----------
    folder : Path
        Where the pictures go; made if it is not there. Pictures of the same names are replaced, whole or not at all.
    echo : function of a str
        Says one line.

    Returns
    -------
    list of Path
        The pictures, in the order of the story.

    Raises
    ------
    OSError
        If the folder cannot be made or written.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> lines = []
    >>> with TemporaryDirectory() as folder:
    ...     [path.name for path in run(Path(folder), lines.append)][:3]
    ['1-sentences.png', '2-thirty-points.png', '3-cost.png']
    >>> lines[0]
    'Four sentences, two words'
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    with _guide_seed():
        for chapter in CHAPTERS:
            drawn = chapter(folder, echo)
            for path in drawn:
                echo(f"  picture: {path}")
            echo("")
            pictures += drawn
    return pictures


def _four_sentences(folder: Path, echo: Echo) -> list[Path]:
    texts, Y = guide.sentences()
    X = guide.word_counts(texts)
    echo("Four sentences, two words")
    echo("  A creature says only two words. Count them, and guess its mood:")
    for text, (aack, beep), angry in zip(texts, X.T, Y[0], strict=True):
        echo(f"    {text:<12} aack {aack}, beep {beep}   {MOODS[angry]}")
    echo("  Angry is more beep than aack. By hand, a line between the two moods: beep = aack + 0.5.")
    with _picture(folder / "1-sentences.png", "Four sentences and a line drawn by hand") as ax:
        plots.decision_boundary([-1, 1], -0.5, X.T, Y[0], names=_axis_names(), classes=MOODS, ax=ax)
    return [folder / "1-sentences.png"]


def _thirty_points(folder: Path, echo: Echo) -> list[Path]:
    X, Y = guide.thirty_points()
    guide.initialize_parameters(2, 1)  # the guide looks at these first, and trains from the next draw
    start = guide.initialize_parameters(2, 1)
    steps = list(islice(guide.descent(X, Y, start, RATE), 51))
    costs = [cost for _, cost in steps]
    parameters = steps[-1][0]
    echo("Thirty points, and a neuron that finds the line itself")
    echo("  Thirty such counts, each 0 or 1, so that many fall on the same four places.")
    echo(f"  Start from weights near zero and take 50 steps downhill, at learning rate {RATE}:")
    for i in (0, 1, 2, 5, 10, 20, 30, 40, 49):
        echo(f"    cost after {i:>2} steps: {costs[i]:.6f}")
    echo(f"  What it learnt: {_line_in_words(parameters)}.")
    echo("  Asked about the four sentences, and one it has not seen:")
    _answer([*guide.sentences()[0], "Aack, beep beep beep!"], parameters, echo)
    echo("  Angry is answered above one half. That is a choice: ask for less, and there are more false alarms")
    echo("  and fewer misses; ask for more, and it is the other way round.")
    paths = [folder / "2-thirty-points.png", folder / "3-cost.png"]
    W, b = parameters["W"][0], float(parameters["b"][0, 0])
    with _picture(paths[0], "Thirty points at four places, and the learnt line") as ax:
        plots.decision_boundary(W, b, X.T, Y[0], names=_axis_names(), classes=MOODS, ax=ax)
    with _picture(paths[1], "The cost falls at every step") as ax:
        plots.cost(costs, ylabel="cost (mean log loss, nats)", ax=ax)
    return paths


def _thousand_points(folder: Path, echo: Echo) -> list[Path]:
    X, Y = guide.blobs()
    start = guide.initialize_parameters(2, 1)
    runs = {rate: list(islice(guide.descent(X, Y, start, rate), 101)) for rate in (RATE, CALM_RATE)}
    costs = {rate: [cost for _, cost in steps] for rate, steps in runs.items()}
    wild, calm = costs[RATE], costs[CALM_RATE]
    rises = sum(after > before for before, after in pairwise(wild))
    parameters = runs[RATE][-1][0]
    wrong = int((guide.predict(X, parameters) != Y).sum())
    echo("A thousand points, and a rate that is too large")
    echo(f"  Two clouds, 100 steps. At learning rate {RATE} the cost goes from {wild[0]:.3f} to {wild[-1]:.3f},")
    echo(f"  but not downhill: it rises in {rises} of the 100 steps, as high as {max(wild):.1f}.")
    echo("  Here it settled in the end; nothing promises that it will on other data.")
    echo(f"  Below {guide.stable_rate(X):.3f} (the stable bound 2/L for these points) no step can raise the cost.")
    echo(f"  At {CALM_RATE} it falls in every step, from {calm[0]:.3f} to {calm[-1]:.3f}: safe, and slow.")
    echo(f"  After the 100 steps at {RATE} the line has {wrong} of {Y.size:,} points on its wrong side.")
    paths = [folder / "4-thousand-points.png", folder / "5-learning-rates.png"]
    W, b = parameters["W"][0], float(parameters["b"][0, 0])
    with _picture(paths[0], "A thousand points, and the line after 100 steps") as ax:
        plots.decision_boundary(W, b, X.T, Y[0], names=("x₁", "x₂"), ax=ax)
    with _picture(paths[1], "The same points: one rate bounces, the other goes down") as ax:
        plots.cost(wild, label=f"rate {RATE}: above the stable bound", ax=ax)
        plots.cost(calm, label=f"rate {CALM_RATE}: below it", ylabel="cost (mean log loss, nats)", ax=ax)
    return paths


def _real_data(folder: Path, echo: Echo) -> list[Path]:
    from sklearn.datasets import load_breast_cancer

    from onelayer import PerceptronClassifier

    data = load_breast_cancer()
    X, malignant = data.data, data.target == 0
    y = np.where(malignant, "malignant", "benign")
    order = np.random.RandomState(0).permutation(len(y))
    fitted, kept = order[:400], order[400:]
    model = PerceptronClassifier().fit(X[fitted], y[fitted])
    p = model.predict_proba(X[kept])[:, 1]
    loss = float(log_loss(model.decision_function(X[kept]), malignant[kept].astype(float)).mean())
    base = float(malignant[kept].mean())
    base_loss = -(base * np.log(base) + (1 - base) * np.log1p(-base))
    echo("Real data: 569 tumours, thirty measurements of each")
    echo("  The same neuron, with a penalty and Newton's method: onelayer.PerceptronClassifier, as it comes.")
    echo(
        f"  Fitted to 400 of them in {model.n_iter_[0]} iterations; the cost is within a share of {_gap(model)} of the"
    )
    echo("  lowest there is. On the 169 it has not seen, beside what the share of each class alone would give:")
    echo(f"    right answers  {np.mean((p > 0.5) == malignant[kept]):.3f}   (base rate {max(base, 1 - base):.3f})")
    echo(f"    log loss       {loss:.3f}   (base rate {base_loss:.3f})")
    pair = [list(data.feature_names).index(name) for name in PAIR]
    two = PerceptronClassifier(C=np.inf).fit(X[fitted][:, pair], y[fitted])
    right = two.score(X[kept][:, pair], y[kept])
    echo(f"  By {PAIR[0]} and {PAIR[1]} alone, without a penalty, it can be drawn: {right:.3f} right.")
    classes = [str(label) for label in two.classes_]
    with _picture(folder / "6-tumours.png", "Tumours by two measurements, and the learnt line") as ax:
        plots.decision_boundary(
            two.coef_[0],
            two.intercept_[0],
            X[:, pair],
            malignant.astype(int),
            names=PAIR,
            classes=classes,
            ax=ax,
        )
    return [folder / "6-tumours.png"]


def _gap(model: Any) -> str:
    return f"{max(model.optimality_gap_, 1e-16):.0e}"


CHAPTERS: tuple[Callable[[Path, Echo], list[Path]], ...] = (
    _four_sentences,
    _thirty_points,
    _thousand_points,
    _real_data,
)


def _axis_names() -> tuple[str, str]:
    aack, beep = WORDS
    return f"times “{aack}”", f"times “{beep}”"


def _line_in_words(parameters: Parameters) -> str:
    (aack, beep), bias = parameters["W"][0], parameters["b"][0, 0]
    return f"{MOODS[1]} when beep > {-aack / beep:.2f} × aack + {-bias / beep:.2f}"


def _answer(texts: list[str], parameters: Parameters, echo: Echo) -> None:
    X = guide.word_counts(texts)
    probabilities, answers = guide.forward_propagation(X, parameters)[0], guide.predict(X, parameters)[0]
    for text, probability, answer in zip(texts, probabilities, answers, strict=True):
        echo(f"    {text:<22} {MOODS[int(answer)]}, with probability of angry {probability:.3f}")


@contextmanager
def _guide_seed() -> Iterator[None]:
    """The guide's draws, from NumPy's global generator, which is left as it was found."""
    state = np.random.get_state()
    np.random.seed(3)
    try:
        yield
    finally:
        np.random.set_state(state)


@contextmanager
def _picture(path: Path, title: str) -> "Iterator[Axes]":
    """An Axes to draw on; what was drawn is then saved whole, without pyplot and so without a window."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'onelayer[plot]'") from error
    figure = Figure(figsize=(7, 5.2), layout="constrained")
    ax = figure.add_subplot()
    yield ax
    figure.suptitle(title)
    png = BytesIO()
    figure.savefig(png, format="png", dpi=150)
    write_whole(path, png.getvalue())
