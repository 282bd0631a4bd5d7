"""Of what is measured, in files of JSON lines here: ``docs/benchmarks.md`` and ``docs/benchmarks.png``.

``python benchmarks/table.py [RESULTS]``. Of two lines for one fit, the later counts. Gaps are to the least objective in
``optima.json`` or in any line, so that a better optimum found later corrects all gaps.
"""

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")
import drawn
import layouts
import matplotlib.pyplot as plt
import paths
import rare
from fits import GAPS, OPTIMA, RESULTS
from matplotlib.ticker import LogLocator, NullFormatter
from peers import PEERS
from workloads import WORKLOADS

DOCS = Path(__file__).parents[1] / "docs"
OURS = "onelayer"

# Okabe & Ito's colours, told apart with any kind of colour vision; a marker of its own beside the colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vP*"
DRAWN = 7  # lines in a panel: ours and the fastest peers
PATHS = """## Paths

A hundred values of C with an L1 penalty, from the least at which a weight is not 0 to a hundred times that, each fit
started from the one before: `benchmarks/paths.py`. A gap is that of one value of C to the least objective of any
solver there; all were measured on 28 November 2026, on the machine above. On reviews glmnet is the first at every gap;
on dense rows and on Zipf text ours is, at gaps a thousand times less."""
PROBLEMS = """## Problems nobody chose

The kind of columns, 50 to 80,000 rows, 3 to 4,000 columns, two, three or eight classes and C from 0.01 to 1,000 are
drawn at random: `benchmarks/drawn.py`. Each number is our time to a relative gap of 1e-6 over that of the best of
lbfgs, newton-cg and newton-cholesky, each at its loosest tolerance that gets there; below 1 we are ahead."""

L1_PROBLEMS = """### With an L1 penalty

Two classes, 50 to 80,000 rows, up to three million numbers, C from 1.6 to 500 times the least at which a weight is
not 0: `benchmarks/drawn.py --l1`. Others are liblinear and skglm: compiled coordinate descent, whose rows were
put into its own storage before the clock started and are not checked. Where a fit takes few milliseconds, they are
ahead."""


RARE = """## Few rows that know

A million rows of twenty columns, of which fewer and fewer are of one class, or half of whose columns have long tails or
are of rare levels, or with a rare class among four: `benchmarks/rare.py`. Milliseconds to a relative gap of 1e-6, each
solver at its loosest tolerance that gets there; – is not reached by a fit of more than eight seconds, or at any
tolerance."""
LAYOUTS = """## Rows as they are

Of a data frame, or an array in Fortran's order, they lie column by column; pixels, counts and dummies are whole numbers
of 8 to 64 bits: `benchmarks/layouts.py`. scikit-learn's fit is that of `LogisticRegression()`, whose tolerance leaves a
larger gap. What is given as a polars frame is copied by polars first, which is not among what is held beside."""


class Fit(NamedTuple):
    """One fit: its gap, milliseconds, passes, memory beside the data in sizes of it, milliseconds to store rows.

    And the day it was measured.
    """

    gap: float
    milliseconds: float
    passes: float
    memory: float | None
    store: float
    day: str


Key = tuple[str, str, str]  # workload, peer, threads


def read(path: Path) -> tuple[dict[Key, list[Fit]], dict[str, Any]]:
    """Fits by workload, peer and number of threads, loosest first; and the machine and versions of the last line."""
    found: dict[Key, dict[float, dict[str, Any]]] = defaultdict(dict)
    least = {name: min(values.values()) for name, values in json.loads(OPTIMA.read_text()).items()}
    facts: dict[str, Any] = {"versions": {}}
    for text in path.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        key = line["workload"], line["peer"], line["threads"]
        facts |= {name: line[name] for name in ("machine", "numpy", "when")}
        facts["versions"][PEERS[line["peer"]].package] = line["version"]
        if "ended" in line:
            found[key]  # it was tried
        elif line["objective"] == line["objective"]:
            if any(other["when"][:10] < line["when"][:10] for other in found[key].values()):
                found[key].clear()  # fits of one solver are of one day
            found[key][line["tol"]] = line
            least[line["workload"]] = min(least[line["workload"]], line["objective"])
    fits = {
        key: [_fit(line, least[key[0]]) for _, line in sorted(lines.items(), reverse=True)]
        for key, lines in found.items()
    }
    return fits, facts


def _fit(line: dict[str, Any], least: float) -> Fit:
    seconds = statistics.median(line["seconds"])
    gap = (line["objective"] - least) / least
    passes, store = seconds / line["pass_seconds"], 1e3 * line["store_seconds"]
    return Fit(gap, 1e3 * seconds, passes, line["memory"], store, line["when"][:10])


def first_below(fits: list[Fit], gap: float) -> Fit | None:
    """The quickest fit within a gap."""
    return min((fit for fit in fits if fit.gap <= gap), key=lambda fit: fit.milliseconds, default=None)


def table(fits: dict[Key, list[Fit]], today: str) -> str:
    lines = [
        "| workload | solver | 1e-3, ms | **1e-6, ms** | passes | 1e-8, ms | passes "
        "| one thread: 1e-6, ms | passes | storing, ms | memory |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for workload in WORKLOADS.values():
        rows = []
        for peer in PEERS:
            if all((workload.name, peer, threads) not in fits for threads in ("all", "1")):
                continue
            both, single = (fits.get((workload.name, peer, threads)) for threads in ("all", "1"))
            middle = first_below(both or [], GAPS[1])
            cells = [
                *_cells(both, GAPS[0], today)[:1],
                *_cells(both, GAPS[1], today),
                *_cells(both, GAPS[2], today),
                *_cells(single, GAPS[1], today),
            ]
            stores = middle is not None and PEERS[peer].store is not PEERS[OURS].store
            cells += [
                _digits(middle.store, 100) if stores else "",
                f"{middle.memory:.2f}" if middle and middle.memory is not None else "",
            ]
            mark = "\\*" if PEERS[peer].penalises_bias else ""
            rows.append((middle.milliseconds if middle else float("inf"), f"{peer}{mark}", cells))
        for i, (_, peer, cells) in enumerate(sorted(rows, key=lambda row: row[0])):
            name = f"**{peer}**" if peer == OURS else peer
            lines.append(f"| {'' if i else workload.title} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(fits: list[Fit] | None, gap: float, today: str) -> tuple[str, str]:
    """Milliseconds and passes to a gap; empty where it was not measured, a dash where it was not reached."""
    if fits is None:
        return "", ""
    fit = first_below(fits, gap)
    if fit is None:
        return "–", "–"
    return _digits(fit.milliseconds, 100) + ("†" if fit.day < today else ""), _digits(fit.passes, 10)


def _digits(value: float, whole: float) -> str:
    """Whole numbers from some size on, two digits below."""
    return f"{value:,.0f}" if value >= 0.995 * whole else f"{value:.2g}"


def page(fits: dict[Key, list[Fit]], facts: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(facts["versions"].items()))
    today = facts["when"][:10]
    return f"""# Time to the optimum

Made by `benchmarks/table.py` of what `benchmarks/fits.py` measured; how, is told at the top of that file. All minimise
C · Σ loss + (1 − l1_ratio)/2 ‖w‖² + l1_ratio ‖w‖₁ with a free intercept, C = 1 and L2 where nothing else is said.
Each solver is at the tolerance that reaches a relative gap of 1e-3, 1e-6 or 1e-8 soonest; medians of whole fits, checks
and labels included, in a warm process, without the time that a peer's own storage of the rows takes, which stands in
the column "storing". A pass is `X @ w` (sparse: and `X.T @ r`) in the same process with the same threads. Memory is the
peak beyond what the process held with the data loaded, in sizes of the data, at 1e-6. Solvers stand in order of time to
1e-6; – is not reached in a minute, and an empty cell not measured.

{table(fits, today)}

\\* penalises the intercept a little, as the weight of a column of 100: its optimum is only near the common one.
† measured on an earlier day: its passes can be compared, its time hardly.

{facts["machine"]}; NumPy {facts["numpy"]}; {versions}. Measured on {today}.

![gap against time, log-log, a panel for each workload](benchmarks.png)
"""


def picture(fits: dict[Key, list[Fit]], path: Path) -> None:
    workloads = [w for w in WORKLOADS.values() if any(key[0] == w.name and fits[key] for key in fits)]
    shown = [peer for peer in PEERS if any(peer in _fastest(fits, w.name) for w in workloads)]
    styles = {
        peer: {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "linestyle": style}
        for i, peer in enumerate(shown)
        for style in (("-", "--", ":")[i // len(COLOURS)],)
    }
    columns = 3
    rows = -(-len(workloads) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(12, 3.1 * rows), layout="constrained", squeeze=False)
    for panel, workload in zip(axes.flat, workloads, strict=False):
        for peer in _fastest(fits, workload.name):
            points = _front(fits[workload.name, peer, "all"])
            width = 2.5 if peer == OURS else 1.2
            gaps = [max(fit.gap, 1e-12) for fit in points]
            panel.loglog([fit.milliseconds for fit in points], gaps, markersize=4, linewidth=width, **styles[peer])
        panel.set_ylim(3e-13, 1)
        low, high = panel.get_xlim()
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 30 * low else (1,), numticks=20))
        panel.xaxis.set_major_formatter("{x:,g}")
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.axhline(1e-6, color="0.7", linewidth=0.8, zorder=0)
        panel.set_title(workload.title, fontsize=10)
    for panel in axes.flat[len(workloads) :]:
        panel.axis("off")
    figure.suptitle("Relative gap to the optimum (1e-12 at least) against the time of the whole fit in milliseconds")
    handles = [plt.Line2D([], [], label=peer, markersize=5, **styles[peer]) for peer in shown]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    figure.savefig(path, dpi=110)


def _front(fits: list[Fit]) -> list[Fit]:
    """Quickest first, without those that another fit beats in both time and gap."""
    front: list[Fit] = []
    for fit in sorted(fits, key=lambda fit: fit.milliseconds):
        if fit.gap < min([1.0, *(other.gap for other in front)]):
            front.append(fit)
    return front


def _fastest(fits: dict[Key, list[Fit]], workload: str) -> list[str]:
    """The peers drawn in a panel: ours, and those soonest below 1e-6."""
    times = {}
    for peer in PEERS:
        best = first_below(fits.get((workload, peer, "all"), []), GAPS[1])
        if best is not None:
            times[peer] = 0.0 if peer == OURS else best.milliseconds
    return sorted(times, key=times.__getitem__)[:DRAWN]


def main() -> None:
    fits, facts = read(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS)
    (DOCS / "benchmarks.md").write_text(
        f"{page(fits, facts)}\n{PROBLEMS}\n\n{drawn.table(drawn.RESULTS)}\n\n"
        f"{L1_PROBLEMS}\n\n{drawn.table(drawn.RESULTS, 1.0)}\n\n{RARE}\n\n{rare.table(rare.RESULTS)}\n\n"
        f"{LAYOUTS}\n\n{layouts.table(layouts.RESULTS)}\n\n{PATHS}\n\n{paths.table(paths.RESULTS)}\n",
        encoding="utf-8",
    )
    picture(fits, DOCS / "benchmarks.png")


if __name__ == "__main__":
    main()
