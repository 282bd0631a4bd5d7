"""Solvers that ask for gradients only: descent by a rule, on all rows or on small batches; and L-BFGS.

Each is a function of an objective and a starting point, convex or not: one layer, or a network.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers.asked import Layer, Smooth
from onelayer.solvers.gaps import ROUNDING, gap_at
from onelayer.solvers.lbfgs import MEMORY, Pair, remember, search, two_loops
from onelayer.solvers.progress import Outcome, Point, Watch
from onelayer.solvers.rules import Rule, adam, gradient_descent, momentum, nesterov, rmsprop

Array = NDArray[Any]
Advance = Callable[[Point], Point | None]  # from one point on all rows to the next; None where there is none
Loss = Callable[[Array], float]

NAMES = ("lbfgs", "gd", "momentum", "nesterov", "rmsprop", "adam", "sgd")

SAFETY = 1.05
SLOW = 1e-3  # of 1/L: a rate below it takes thousands of iterations, and so is worth a word
GAP_EVERY = 25  # iterations between two looks at the gap, each of which costs a Newton step
# a network has settled when so many iterations have each brought less than so many times `tol`: on digits, ten times
# as strict took twice the time and came to the same held-out log loss, 0.075
SETTLED, PROGRESS = 10, 100
USEFUL = 0.5  # of what as many steps of L-BFGS gain: less is no end of learning, but a rate that does not lead there
# "auto" for rules that divide by the gradient's size: ten times the papers' rate, which knows of no scaled columns
ADAPTIVE_RATE = 0.01
# rows of a batch: enough steps in an epoch for small data, and for large data products worth their overhead: on
# 100,000 × 50 and 16 or 100 neurons 1024 reached a given loss before 256, 512 and 2048 did
SMALL_BATCH, LARGE_BATCH, STEPS = 16, 1024, 16
RECENT = 5  # the mean of the points of a fifth of an epoch takes the noise of small batches out (measured on networks)


def solve(
    objective: Smooth,
    u: Array,
    *,
    solver: str,
    learning_rate: float | str = "auto",
    batch_size: int | str = "auto",
    decay: float = 0.9,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    seed: int = 0,
    tol: float,
    max_iter: int,
    watch: Watch,
) -> Outcome:
    """The solver of this name, one of `NAMES`; `decay` is the momentum's, the betas Adam's.

    ``batch_size="auto"`` is all rows for the rules that step by the curvature, and small batches for the others.
    """
    common: dict[str, Any] = {"tol": tol, "max_iter": max_iter, "watch": watch}
    if solver == "lbfgs":
        return lbfgs(objective, u, **common)
    common |= {"learning_rate": learning_rate, "seed": seed}
    small = small_batch(objective.rows.n)
    if solver == "sgd":
        return sgd(objective, u, batch_size=small if batch_size == "auto" else int(batch_size), **common)
    rules: dict[str, Callable[[], Rule]] = {
        "gd": gradient_descent,
        "momentum": partial(momentum, decay),
        "nesterov": partial(nesterov, decay),
        "rmsprop": partial(rmsprop, epsilon=epsilon),
        "adam": partial(adam, beta_1, beta_2, epsilon),
    }
    rule = rules[solver]()
    chosen = (small if rule.stable is None else None) if batch_size == "auto" else int(batch_size)
    return descend(objective, u, rule=rule, batch_size=chosen, **common)


def descend(
    objective: Smooth,
    u: Array,
    *,
    rule: Rule | None = None,
    learning_rate: float | str = "auto",
    batch_size: int | None = None,
    seed: int = 0,
    tol: float,
    max_iter: int,
    watch: Watch,
) -> Outcome:
    """Follow a rule, plain gradient descent if none is given: by steps on all rows, or by epochs of small batches.

    ``"auto"`` steps by 1/L (Nesterov, Introductory Lectures, 2004, theorem 2.1.14), L the largest curvature; on batches
    by the largest in a few of them, and what is watched and returned is the mean of the points of late.
    """
    rule = rule or gradient_descent()
    if batch_size is None or batch_size >= objective.rows.n:
        rate, notices = _rate(objective, u, rule, learning_rate)
        advance = _on_all_rows(objective, rule, rate, u)
    else:
        rate, notices = _rate_on_batches(objective, u, rule, learning_rate, batch_size)
        advance = _on_batches(objective, rule, rate, u, batch_size, seed, _constant, recent)
    return _follow(objective, u, advance, tol=tol, max_iter=max_iter, watch=watch, notices=notices)


def sgd(
    objective: Smooth,
    u: Array,
    *,
    learning_rate: float | str = "auto",
    batch_size: int,
    seed: int = 0,
    tol: float,
    max_iter: int,
    watch: Watch,
) -> Outcome:
    """Gradient descent on small batches by ever smaller steps, and of its points the mean.

    Steps fall as 1/√k and the mean forgets its beginning: Polyak & Juditsky (SIAM J. Control and Optimization 30,
    1992), with the weights of Shamir & Zhang (ICML 2013), § 4, η = 3.
    """
    rate, notices = _rate_on_batches(objective, u, gradient_descent(), learning_rate, batch_size)
    advance = _on_batches(objective, gradient_descent(), rate, u, batch_size, seed, falling, polyak)
    return _follow(objective, u, advance, tol=tol, max_iter=max_iter, watch=watch, notices=notices)


def explained(
    objective: Smooth, outcome: Outcome, u: Array, learning_rate: float, tol: float, held_out: Loss | None = None
) -> Outcome:
    """The outcome of steps from u; not converged where it is the fault of the learning rate that they led nowhere.

    A network has settled when no iteration brings anything any more. So it has by a rate that is of no use: how far it
    came from its random weights u, beside a few steps of L-BFGS from there, tells the two apart.
    """
    what, loss = ("cost", objective.value) if held_out is None else ("loss on rows held out", held_out)
    if objective.convex or not outcome.converged:
        share = float(outcome.converged or not np.array_equal(outcome.point.u, u))
    else:
        share = _share(objective, outcome.point.u, u, tol, loss)
    if share >= USEFUL:
        return outcome
    said = f"no step by learning_rate={learning_rate:g} lowered the {what}"
    if share > 0:
        said = f"by learning_rate={learning_rate:g} the {what} fell {share:.1%} as far as by {SETTLED} steps of L-BFGS"
    return replace(outcome, notices=outcome.notices or (f"{said}: use learning_rate='auto'",), converged=False)


def _share(objective: Smooth, end: Array, u: Array, tol: float, loss: Loss) -> float:
    """What was gained from u to the end, of what a few steps of L-BFGS gain; 1 where these gain nothing."""
    start = loss(u)
    gained = max(start - loss(end), 0.0)
    if gained >= USEFUL * start:  # no loss is below 0
        return 1.0
    possible = start - loss(lbfgs(objective, u, tol=0, max_iter=SETTLED, watch=Watch()).point.u)
    return gained / possible if possible > SETTLED * PROGRESS * tol * start else 1.0


def lbfgs(objective: Smooth, u: Array, *, tol: float, max_iter: int, watch: Watch) -> Outcome:
    """L-BFGS on all rows (Liu & Nocedal, Mathematical Programming 45, 1989)."""
    pairs: deque[Pair] = deque(maxlen=MEMORY)

    def advance(point: Point) -> Point | None:
        following = search(objective, point, -two_loops(pairs, point.gradient))
        if following is None and pairs:  # what is remembered may be of another place: once more along the gradient
            pairs.clear()
            following = search(objective, point, -two_loops(pairs, point.gradient))
        if following is not None:
            remember(pairs, following.u - point.u, following.gradient - point.gradient)
        return following

    return _follow(objective, u, advance, tol=tol, max_iter=max_iter, watch=watch, notices=())


def curvature_bound(objective: Smooth, u: Array) -> float:
    """L, the largest curvature along any direction: power iteration on the Hessian at 0, where every loss bends most.

    Sigmoid and softmax bend most at z = 0 along every direction through all rows, so that L there bounds L anywhere; a
    network's is estimated at u. Kuczyński & Woźniakowski (1992): 30 steps from a random start are within a few per
    cent; 1.05 makes up for them.
    """
    product = objective.product(np.zeros_like(u) if objective.convex else u)
    v = np.random.default_rng(0).standard_normal(u.shape)
    length = 1.0
    for _ in range(30):
        v = product(v / np.linalg.norm(v))
        length = float(np.linalg.norm(v))
        if length == 0:
            return 1.0
    # softmax: its curvature at z = 0 is 1/k of a projection, but elsewhere reaches 1/2 (Böhning 1992)
    return SAFETY * length * (objective.outputs / 2 if objective.convex and objective.outputs > 1 else 1)


def _follow(
    objective: Smooth, u: Array, advance: Advance, *, tol: float, max_iter: int, watch: Watch, notices: tuple[str, ...]
) -> Outcome:
    """Advance until the optimum is near, no progress is left, the watch says stop, or `max_iter`; the best is kept."""
    best = point = Point.at(objective, u)
    lows = deque([best.value], maxlen=SETTLED + 1)
    settled = False
    watch(point)
    for iteration in range(max_iter):
        if watch.stopped or settled or _near(objective, point, tol, iteration):
            break
        with np.errstate(over="ignore", invalid="ignore"):
            following = advance(point)
        if following is None:
            settled = not objective.convex
            break
        if not math.isfinite(following.value):
            notices = (*notices, "the cost overflowed: the best weights so far are kept; use learning_rate='auto'")
            break
        point = following
        best = min(best, point, key=lambda p: p.value)
        lows.append(best.value)
        settled = (
            not objective.convex and len(lows) > SETTLED and lows[0] - lows[-1] <= SETTLED * PROGRESS * tol * lows[-1]
        )
        watch(point)
    gap, kind = _gap_at(objective, best)
    return Outcome(best, gap, kind, settled or bool(gap <= max(tol, ROUNDING) * best.value), tuple(notices))


def _near(objective: Smooth, point: Point, tol: float, iteration: int) -> bool:
    return iteration % GAP_EVERY == 0 and bool(_gap_at(objective, point)[0] <= tol * point.value)


def _gap_at(objective: Smooth, point: Point) -> tuple[float, str]:
    """Of a network nothing is known but that no loss is below 0."""
    return gap_at(cast(Layer, objective), point) if objective.convex else (point.value, "bound")


def _rate(objective: Smooth, u: Array, rule: Rule, learning_rate: float | str) -> tuple[float, tuple[str, ...]]:
    """The learning rate on all rows, and what is to be said of it."""
    if rule.stable is None:
        return ADAPTIVE_RATE if learning_rate == "auto" else float(learning_rate), ()
    L = curvature_bound(objective, u)
    if learning_rate == "auto":
        return 1 / L, ()
    L /= SAFETY  # what is said to be too much is so
    rate, stable = float(learning_rate), rule.stable / L
    if rate * L < SLOW:
        return rate, (f"learning_rate {rate:g} is far below 1/L = {1 / L:.4g}: use it, by learning_rate='auto'",)
    bound = f"{rule.stable:.4g}/L = {stable:.4g} (L = {L:.4g} is the largest curvature in scaled columns)"
    advice = f"learning_rate {rate:g} is above the stable bound {bound}: the cost may rise; use learning_rate='auto'"
    return rate, (advice,) if rate > stable else ()


def _rate_on_batches(
    objective: Smooth, u: Array, rule: Rule, learning_rate: float | str, batch_size: int
) -> tuple[float, tuple[str, ...]]:
    """The same on batches: with curvature unlike from batch to batch, what one gradient adds up to must be stable."""
    if learning_rate != "auto" or rule.stable is None:
        return _rate(objective, u, rule, learning_rate)
    few = zip(range(4), batches(objective, batch_size, np.random.default_rng(0)), strict=False)
    return 1 / (rule.gain * max(curvature_bound(batch, u) for _, batch in few)), ()


def _on_all_rows(objective: Smooth, rule: Rule, rate: float, u: Array) -> Advance:
    state = rule.start(u)

    def advance(point: Point) -> Point:
        nonlocal state
        state, step = rule.step(state, point.gradient)
        return Point.at(objective, point.u - rate * step)

    return advance


def _on_batches(
    objective: Smooth,
    rule: Rule,
    rate: float,
    u: Array,
    batch_size: int,
    seed: int,
    schedule: Callable[[float], float],
    share: Callable[[int, int], float],
) -> Advance:
    """An epoch at a time, each row once; the point is a mean, in which the newest has its `share`."""
    state, mean, k = rule.start(u), u, 0
    rng, per_epoch = np.random.default_rng(seed), max(1, objective.rows.n // batch_size)

    def advance(point: Point) -> Point:
        nonlocal state, mean, k, u
        for batch in batches(objective, batch_size, rng):
            state, step = rule.step(state, batch.value_gradient(u)[1])
            u = u - rate * schedule(k / per_epoch) * step
            k += 1
            mean = mean + share(k, per_epoch) * (u - mean)
        return Point.at(objective, mean)

    return advance


def small_batch(n: int) -> int:
    """Rows of a batch out of n."""
    return min(LARGE_BATCH, max(SMALL_BATCH, n // STEPS))


def batches(objective: Smooth, batch_size: int, rng: np.random.Generator) -> Iterator[Any]:
    """The objective on each of the small, about equal parts of its rows, in random order."""
    n, weight = objective.rows.n, objective.rows.weight
    for rows in np.array_split(rng.permutation(n), max(1, n // batch_size)):
        share = objective.total_weight * len(rows) / n  # not the batch's own sum, which would make heavy rows light
        yield objective.sample(rows, None if weight is None else weight[rows], share)


def _constant(epochs: float) -> float:
    return 1.0


def falling(epochs: float) -> float:
    """What is left of the rate after so many epochs: 1/√2 after one."""
    return 1 / math.sqrt(1 + epochs)


def recent(k: int, per_epoch: int) -> float:
    """Share of point k in the mean of those of late."""
    return max(1 / k, min(1.0, RECENT / per_epoch))


def polyak(k: int, per_epoch: int) -> float:
    """Share of point k in the mean of all, which forgets its beginning (`sgd`)."""
    return 4 / (k + 3)
