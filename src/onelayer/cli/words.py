"""What a model and its results are, in lines that a person reads."""

from collections.abc import Sequence
from typing import Any

from onelayer.counting import counted
from onelayer.names import short

MOST_CLASSES, MOST_WEIGHTS = 20, 40  # in what is said of a fit


def of_fit(model: Any, path: str, seconds: float) -> list[str]:
    """What was fitted, how, and how good it is on the rows held out."""
    fitted = model.fitted
    gap = "distance from the optimum not known"
    if model.hidden:
        gap = "at one optimum of many"
    elif fitted["optimality_gap"] is not None:
        gap = f"relative distance from the optimum {fitted['optimality_gap']:.1e} ({fitted['gap_kind']})"
    judged = f", {model.held_out['rows']} held out" if model.held_out else ""
    return [
        f"rows        {fitted['rows']} to fit{judged}",
        f"classes     {_listed(model.classes)} in column {model.target!r}"
        if model.classes
        else f"target      numbers in column {model.target!r}",
        *(f"columns     {line}" for line in model.encoder.describe()),
        *_of_tuning(fitted.get("tuning")),
        *([f"hidden      {' → '.join(str(len(w)) for w in model.hidden)} neurons"] if model.hidden else []),
        f"fitted      {counted(fitted['iterations'], 'iteration')}, {'' if fitted['converged'] else 'NOT '}converged, "
        f"{gap}, {seconds:.2f} s in all",
        *(f"notice      {notice}" for notice in fitted["notices"]),
        *_of_unanswered(model.held_out),
        *of_quality(model.held_out),
        *_of_kept(model),
        *([] if model.hidden else _of_strongest(model)),
        f"saved       {path}",
    ]


def _of_kept(model: Any) -> list[str]:
    """How many features have a weight, where a penalty sets some to 0."""
    if not model.l1_ratio:
        return []
    inside = (model.weights[:, :-1] != 0).any(axis=0)
    return [f"kept        {inside.sum():,} of {counted(len(inside), 'feature')}, all others have weight 0"]


def _of_unanswered(quality: dict[str, Any]) -> list[str]:
    if not quality.get("unanswered"):
        return []
    return [f"notice      of the rows held out, {left_out(quality['unanswered'], **quality['first_unanswered'])}"]


def _of_tuning(tuning: dict[str, Any] | None) -> list[str]:
    if tuning is None:
        return []
    chosen = tuning["chosen"]
    return [
        f"tuned       C = {_three_digits(chosen)}: the least log loss of {len(tuning['C'])} values, in "
        f"{tuning['folds']} folds of the rows to fit",
        *(
            f"            C = {_three_digits(C):<8}  log loss {loss:.4f}{'   chosen' if chosen == C else ''}"
            for C, loss in zip(tuning["C"], tuning["log_loss"], strict=True)
        ),
    ]


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):g}"  # 3160, not 3.16e+03


def of_quality(quality: dict[str, Any]) -> list[str]:
    """What `Model.evaluate` found; nothing of nothing."""
    if not quality:
        return []
    weighed = (
        [f"weighed     each row counts by its weight in column {quality['weight']!r}"] if "weight" in quality else []
    )
    if "rmse" in quality:
        r2 = "unknown" if quality["r2"] is None else f"{quality['r2']:.4f}"
        return [
            *weighed,
            f"R²          {r2}   (the mean alone {quality['mean_r2']:.4f})",
            f"RMSE        {quality['rmse']:.4g}   (the mean alone {quality['mean_rmse']:.4g})",
        ]
    lines = [
        *weighed,
        f"log loss    {quality['log_loss']:.4f}   (base rate {quality['base_rate_log_loss']:.4f})",
        f"accuracy    {quality['accuracy']:.4f}   (base rate {quality['base_rate_accuracy']:.4f})",
    ]
    return (
        lines if quality["roc_auc"] is None else [*lines, f"ROC AUC     {quality['roc_auc']:.4f}   (base rate 0.5000)"]
    )


def _listed(classes: Sequence[str]) -> str:
    more = len(classes) - MOST_CLASSES
    return ", ".join(map(short, classes[:MOST_CLASSES])) + (f" and {more:,} more" if more > 0 else "")


def _of_strongest(model: Any) -> list[str]:
    """Eight weights of each class; of many, fewer, and of some only."""
    classes = len(model.weights)
    lines = of_weights(model, max(1, 8 * 5 // max(classes, 5)))[:MOST_WEIGHTS]
    return [*lines, *(["weight      …, all of them by onelayer explain"] if classes > 5 else [])]


def of_weights(model: Any, top: int) -> list[str]:
    """The strongest weights of each class."""
    found = model.explain(top)
    if not found:
        return ["weight      none is other than 0: the bias alone answers"]
    return [f"weight      {short(row['feature'])}{_unit(row)}: {_weight(row, len(model.classes))}" for row in found]


def _weight(row: dict[str, Any], classes: int) -> str:
    w = row["weight"]
    if not classes:
        return f"{w:+.4g}"
    if classes == 2:
        return f"{w:+.3f}, for {short(row['class'])} (odds × {row['odds_ratio']:.3g})"
    side = "for" if w > 0 else "against"
    return f"{w:+.3f}, {side} {short(row['class'])} (× {row['odds_ratio']:.3g} beside the average class)"


def _unit(row: dict[str, Any]) -> str:
    unit = row["unit"]
    return "" if unit is None else f" (per {unit if isinstance(unit, str) else format(unit, '.4g')})"


def of_row(found: dict[str, Any]) -> list[str]:
    """What `Model.explain_row` found."""
    digits = "+.3f" if "class" in found else "+.5g"
    count, push = found["others"]["features"], found["others"]["push"]
    return [
        f"row {found['row']:<8}{_answer(found)} from",
        f"bias        {found['bias']:{digits}}",
        *(
            f"push        {short(one['feature'])}: {one['push']:{digits}}"
            + (f", for {short(one['class'])}" if "class" in one else "")
            for one in found["pushes"]
        ),
        *([f"others      {push:{digits}} ({counted(count, 'feature')})"] if count else []),
    ]


def _answer(found: dict[str, Any]) -> str:
    if "class" not in found:
        return f"{found['prediction']:.5g}"
    odds = (
        f"log-odds {found['log_odds']:+.3f}"
        if "log_odds" in found
        else f"log-odds against the average class {found['log_odds_against_average']:+.3f}"
    )
    return f"{short(found['label'])}: probability of {short(found['class'])} {found['probability']:.4f}, {odds}"


def left_out(count: int, row: int, reason: str) -> str:
    """How many rows have no answer, the first of them, counted from 1, and why."""
    rows = f"{counted(count, 'row')} {'is' if count == 1 else 'are'}"
    return f"{rows} left out, for there is no answer, first row {row}: {reason}"
