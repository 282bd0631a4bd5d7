"""How an estimator shows itself in a notebook: its parameters, what it learnt, and the way down, without any script."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.names import short

Array = NDArray[Any]

MOST_WEIGHTS = 8
LONGEST = 80  # characters of a value: the data of a long parameter belongs elsewhere
WIDTH, HEIGHT = 260, 90  # of the cost curve, in pixels
LINE = "#1F8FD6"  # seen on white and on black: 3.5 and 6 times as bright, or dark, as they are

STYLE = (
    "font-family:sans-serif;font-size:0.9em;border:1px solid #999;border-radius:4px;"
    "padding:0.5em 0.8em;display:inline-block;max-width:44em"
)


def html(estimator: Any) -> str:
    """A fitted or unfitted estimator as a piece of HTML: no script, no style sheet, nothing fetched.

    Parameters
    ----------
    estimator : of scikit-learn's kind
        What it has of ``classes_``, ``coef_``, ``feature_names_in_``, ``history_``, ``converged_``,
        ``optimality_gap_``, ``notices_`` and, where it was chosen, ``C_`` is shown.

    Returns
    -------
    str

    Examples
    --------
    >>> from onelayer import PerceptronClassifier
    >>> "not fitted" in html(PerceptronClassifier(C=3.0))
    True
    """
    parts = [
        f"<strong>{_cell(_name(estimator))}</strong> <span>{escape(_state(estimator))}</span>",
        *(f"<div>notice: {escape(notice)}</div>" for notice in getattr(estimator, "notices_", ())),
        _parameters(estimator),
        _weights(estimator),
        _cost_curve([entry.cost for entry in getattr(estimator, "history_", [])], _unit(estimator)),
    ]
    return f'<div style="{STYLE}">{"".join(filter(None, parts))}</div>'


def _name(estimator: Any) -> str:
    """Its class, with the parameters that are not the defaults."""
    changed = ", ".join(f"{name}={value!r}" for name, value in _changed(estimator).items())
    return f"{type(estimator).__name__}({changed})"


def _changed(estimator: Any) -> dict[str, Any]:
    defaults = type(estimator)().get_params(deep=False)
    given = estimator.get_params(deep=False).items()
    return {name: value for name, value in given if repr(value) != repr(defaults.get(name))}


def _state(estimator: Any) -> str:
    if not hasattr(estimator, "converged_"):
        return "fitted in parts" if hasattr(estimator, "classes_") else "not fitted"
    said = ["fitted", "converged" if estimator.converged_ else "NOT converged"]
    if np.isfinite(estimator.optimality_gap_):  # with hidden layers none is known
        said.append(f"relative distance from the optimum {estimator.optimality_gap_:.1e} ({estimator.gap_kind_})")
    if hasattr(estimator, "C_"):
        said.append(f"C = {estimator.C_:.3g} chosen of {len(estimator.Cs_)} values")
    return ", ".join(said)


def _parameters(estimator: Any) -> str:
    """All of them, those that are not the defaults in bold."""
    changed, rows = _changed(estimator), []
    for name, value in estimator.get_params(deep=False).items():
        cell = _cell(repr(value))
        rows.append(f"<tr><td>{escape(name)}</td><td>{f'<b>{cell}</b>' if name in changed else cell}</td></tr>")
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
    few = "" if coef.shape[1] <= MOST_WEIGHTS else f"the {MOST_WEIGHTS} largest of {coef.shape[1]:,} "
    unit = f"{'log-odds' if hasattr(estimator, 'classes_') else 'units of y'} per unit of the column"
    summary = f"{few}weights ({unit}){_towards(estimator)}"
    head = "" if len(coef) == 1 else _head(getattr(estimator, "classes_", range(len(coef))))
    table = f'<div style="overflow-x:auto"><table>{head}{"".join(rows)}</table></div>'  # many classes scroll inside
    return f'<details open="open"><summary>{escape(summary)}</summary>{table}</details>'


def _towards(estimator: Any) -> str:
    classes: Sequence[Any] = getattr(estimator, "classes_", ())
    return f", positive towards {short(classes[1], LONGEST)}" if len(classes) == 2 else ""


def _head(classes: Sequence[Any]) -> str:
    return f"<tr><th></th>{''.join(f'<th>{_cell(label)}</th>' for label in classes)}</tr>"


def _row(name: Any, values: Array) -> str:
    cells = "".join(f'<td style="text-align:right">{value:+.4g}</td>' for value in values)
    return f"<tr><td>{_cell(name)}</td>{cells}</tr>"


def _unit(estimator: Any) -> str:
    return "nats per row" if hasattr(estimator, "classes_") else "half squares of y's unit"


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
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>'
        f'<polyline fill="none" stroke="{LINE}" stroke-width="2" points="{points}"/></svg>'
    )


def _cell(value: Any) -> str:
    return escape(short(value, LONGEST))
