"""How an estimator shows itself in a notebook: its parameters, what it learnt, and the way down, without any script."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_WEIGHTS = 8
LONGEST = 60  # characters of a value: the data of a long parameter belongs elsewhere
WIDTH, HEIGHT = 260, 90  # of the cost curve, in pixels

STYLE = (
    "font-family:sans-serif;font-size:0.9em;border:1px solid #999;border-radius:4px;"
    "padding:0.5em 0.8em;display:inline-block;max-width:44em"
)


def html(estimator: Any) -> str:
    """A fitted or unfitted estimator as a piece of HTML: no script, no style sheet, nothing fetched.

    Parameters
    ----------
    estimator : of scikit-learn's kind
        What it has of ``classes_``, ``coef_``, ``feature_names_in_``, ``history_``, ``converged_`` and
        ``optimality_gap_`` is shown.

    Returns
    -------
    str

    Examples
    --------
    >>> from onelayer import PerceptronClassifier
    >>> "not fitted" in html(PerceptronClassifier(C=3.0))
    True
    """
    name = type(estimator).__name__
    parts = [
        f"<strong>{escape(name)}</strong> <span>{escape(_state(estimator))}</span>",
        _parameters(estimator),
        _weights(estimator),
        _cost_curve([entry.cost for entry in getattr(estimator, "history_", [])], _unit(estimator)),
    ]
    return f'<div style="{STYLE}">{"".join(filter(None, parts))}</div>'


def _state(estimator: Any) -> str:
    if not hasattr(estimator, "converged_"):
        return "fitted in parts" if hasattr(estimator, "classes_") else "not fitted"
    converged = "converged" if estimator.converged_ else "NOT converged"
    gap = f"relative distance from the optimum {estimator.optimality_gap_:.1e}"
    return f"fitted, {converged}, {gap} ({estimator.gap_kind_})"


def _parameters(estimator: Any) -> str:
    """All of them, those that are not the defaults in bold."""
    defaults = type(estimator)().get_params(deep=False)
    rows = []
    for name, value in estimator.get_params(deep=False).items():
        changed = repr(value) != repr(defaults.get(name))
        cell = escape(_short(repr(value)))
        rows.append(f"<tr><td>{escape(name)}</td><td>{f'<b>{cell}</b>' if changed else cell}</td></tr>")
    return f"<details><summary>parameters</summary><table>{''.join(rows)}</table></details>"


def _weights(estimator: Any) -> str:
    """The strongest weights: a column for each class, the bias last."""
    if not hasattr(estimator, "coef_"):
        return ""
    coef = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    bias = np.atleast_1d(np.asarray(estimator.intercept_, dtype=np.float64))
    names = getattr(estimator, "feature_names_in_", None)
    strongest = np.argsort(-np.abs(coef).max(axis=0), kind="stable")[:MOST_WEIGHTS]
    rows = [_row(f"x{j + 1}" if names is None else names[j], coef[:, j]) for j in strongest] + [_row("bias", bias)]
    few = "" if coef.shape[1] <= MOST_WEIGHTS else f"the {MOST_WEIGHTS} strongest of {coef.shape[1]:,} "
    unit = "log-odds, nats per unit" if hasattr(estimator, "classes_") else "units of y per unit"
    summary = f"{few}weights ({unit}){_towards(estimator)}"
    head = "" if len(coef) == 1 else _head(getattr(estimator, "classes_", range(len(coef))))
    table = f"<table>{head}{''.join(rows)}</table>"
    return f'<details open="open"><summary>{escape(summary)}</summary>{table}</details>'


def _towards(estimator: Any) -> str:
    classes: Sequence[Any] = getattr(estimator, "classes_", ())
    return f", positive towards {_short(str(classes[1]))}" if len(classes) == 2 else ""


def _head(classes: Sequence[Any]) -> str:
    return f"<tr><th></th>{''.join(f'<th>{escape(_short(str(label)))}</th>' for label in classes)}</tr>"


def _row(name: Any, values: Array) -> str:
    cells = "".join(f'<td style="text-align:right">{value:+.4g}</td>' for value in values)
    return f"<tr><td>{escape(_short(str(name)))}</td>{cells}</tr>"


def _unit(estimator: Any) -> str:
    return "nats" if hasattr(estimator, "classes_") else "squares of y's unit"


def _cost_curve(costs: Sequence[float], unit: str) -> str:
    """A small line of the cost at each iteration, its first and last values beside it."""
    if len(costs) < 2:
        return ""
    low, high = min(costs), max(costs)
    x = np.linspace(4, WIDTH - 4, len(costs))
    y = 4 + (HEIGHT - 8) * (high - np.array(costs)) / (high - low or 1.0)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    said = f"cost by iteration: {costs[0]:.4g} to {costs[-1]:.4g} {unit} in {len(costs) - 1} steps"
    return (
        f"<div>{said}</div>"
        f'<svg role="img" aria-label="{said}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white" stroke="#999"/>'
        f'<polyline fill="none" stroke="#0072B2" stroke-width="2" points="{points}"/></svg>'
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
