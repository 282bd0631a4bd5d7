"""What is to be solved: features and labels, or numbers, as an objective; its points as weights in the user's units."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.counting import counted
from onelayer.data.columns import Columns, not_finite
from onelayer.data.labels import Labels
from onelayer.data.targets import Targets
from onelayer.objective import sampling
from onelayer.objective.layer import Objective
from onelayer.objective.losses import SIGMOID, SIGMOID_SINGLE
from onelayer.objective.network import ACTIVATIONS, Network, layers
from onelayer.rows.sparse import laid_out
from onelayer.settings import Settings
from onelayer.solvers import FIRST_ORDER, HeldOut, Point

Array = NDArray[Any]

MANY = 2**16  # rows, from which their exponentials are a part of a fit's time
COARSE = 1e-6  # a relative gap that costs of seven digits still tell
MOST_WEIGHTS = 10**8  # of a network: 0.8 GB, of which a fit holds some ten copies
LEAST = 1e-300  # of C times the rows' weights, whose product may be below all floats
# what no scaled column's slope exceeds; and nats beyond the cost without features, which a sample's optimum never loses
STEEP, LOST = 2.0, 0.1


class Misled(Exception):
    """A sample of the rows is not as they all are: a point on all of them says so, or no step leads on from there."""


# what a fit ends in where it is not
BREAKDOWN = (Misled, np.linalg.LinAlgError, FloatingPointError)


@dataclass(frozen=True)
class Problem:
    """Rows X (n, d), their labels or numbers, the coordinates, the settings, and the objective made of them.

    ``decay`` is how many times as strong as C says a network's penalty is. A `cautious` fit takes no sample's word.
    """

    X: Any
    labels: Labels | Targets
    columns: Columns
    settings: Settings
    objective: Any
    decay: float = 1.0
    cautious: bool = False

    @classmethod
    def of(
        cls, X: Any, labels: Labels | Targets, columns: Columns, settings: Settings, *, cautious: bool = False
    ) -> "Problem":
        """In the coordinates that suit the solver."""
        columns = suited(columns, X, settings, labels.total_weight)
        return cls(X, labels, columns, settings, make_objective(X, labels, columns, settings), cautious=cautious)

    def start(self, initial: Sequence[Array] | None) -> Array:
        """The point of the weights given, in the user's units; else the base rate, or a network's random weights.

        Newton's method starts from the base rate, too, where that is better: from where all rows are sure, and some
        are wrong, no step of it leads anywhere.
        """
        objective, settings = self.objective, self.settings
        if initial is None:
            cold = base_rate(self.labels, objective) if objective.convex else objective.initial(settings.seed)
            return np.asarray(cold)
        given = from_users_units(self.labels.from_user(initial), objective, self.columns)
        if settings.solver_for(objective.rows.n) == "newton" and settings.iterations():
            cold = base_rate(self.labels, objective)
            if not objective.cost(given) < objective.cost(cold):
                return cold
        return given

    def weights(self, u: Array) -> list[Array]:
        """Of each layer at a point, (neurons, neurons before + 1) with the bias last, in the user's units."""
        return self.labels.to_user(in_users_units(u, self.objective, self.columns))

    def held_out(self, X: Any, labels: Any) -> HeldOut:
        """Who watches the loss of other rows, without a penalty."""
        loss_alone = replace(self.settings, C=math.inf)
        X = laid_out(X, isinstance(self.X, np.ndarray))
        return HeldOut(make_objective(X, labels, self.columns, loss_alone).value, self.settings.n_iter_no_change)


def suited(columns: Columns, X: Any, settings: Settings, total_weight: float) -> Columns:
    """The coordinates for hidden layers, or for steps along gradients; Newton's method takes them as they are."""
    if settings.hidden_layer_sizes:
        return columns.within_reach(X)
    if settings.solver in FIRST_ORDER:
        return columns.braced((1 - settings.l1_ratio) * penalty_strength(settings.C, total_weight))
    return columns


def make_objective(
    X: Any, labels: Labels | Targets, columns: Columns, settings: Settings, *, all_weight: float | None = None
) -> Any:
    """One layer's objective, or a network's; `all_weight` is that of all rows, where these are not all."""
    k, target, total_weight = labels.outputs, labels.values, labels.total_weight
    loss = SIGMOID_SINGLE if labels.loss is SIGMOID and _digits_to_spare(X, settings) else labels.loss
    strength = penalty_strength(settings.C, all_weight or total_weight)
    if settings.hidden_layer_sizes:
        sizes = (X.shape[1], *settings.hidden_layer_sizes, k)
        _refuse_size(sizes)
        rows = columns.copy(X, target, labels.weight, settings.jobs)
        return Network(rows, loss, sizes, ACTIVATIONS[settings.activation], strength, total_weight)
    return Objective(
        columns.rows(X, target, labels.weight, settings.jobs, k),
        loss,
        k,
        columns.penalty((1 - settings.l1_ratio) * strength),
        total_weight,
        settings.fit_intercept,
        columns.implicit_mean,
        columns.implicit_scale,
        columns.lasso(settings.l1_ratio * strength / labels.unit),
        columns.grain,
    )


def penalty_strength(C: float, total_weight: float) -> float:
    """λ beside the mean loss of rows of so much weight."""
    return 1 / max(C * total_weight, LEAST)


def _refuse_size(sizes: Sequence[int]) -> None:
    """Hidden layers that no memory holds."""
    weights = sum((before + 1) * after for before, after in pairwise(sizes))
    if weights > MOST_WEIGHTS:
        neurons = ", ".join(f"{size:,}" for size in sizes[1:-1])
        raise ValueError(
            f"hidden layers of {neurons} neurons over {counted(sizes[0], 'feature')} have {weights:,} weights, "
            f"more than {MOST_WEIGHTS:,}: give fewer neurons"
        )


def _digits_to_spare(X: Any, settings: Settings) -> bool:
    """Whether the rows are doubles, of which slopes of seven digits are enough, and many.

    With an L1 penalty they are not: what proves a gap is not of second order in them.
    """
    coarse = settings.tol >= COARSE and settings.l1_ratio == 0
    return bool(coarse and X.shape[0] >= MANY and X.dtype != np.float32)


def from_users_units(stack: Sequence[Array], objective: Any, columns: Columns) -> Array:
    """The point of these weights: the inverse of `in_users_units`."""
    first = columns.from_user(stack[0])
    if objective.convex:
        return first
    u = np.empty(objective.shape)
    for (W, b), weights in zip(layers(u, objective.sizes), [first, *stack[1:]], strict=True):
        W[...], b[...] = weights[:, :-1].T, weights[:, -1]
    return u


def in_users_units(u: Array, objective: Any, columns: Columns) -> list[Array]:
    """The weights of each layer, (neurons, neurons before + 1) with the bias last; those of classes sum to nought."""
    if objective.convex:
        weights = columns.to_user(u)
        weights[:, -1] -= weights[:, -1].mean() if len(weights) > 1 else 0.0  # no row sees what is common to all
        return [weights]
    first, *others = [np.column_stack([W.T, b]) for W, b in layers(u, objective.sizes)]
    return [columns.to_user(first), *others]


def that_count(X: Any, labels: Any) -> tuple[Any, Any]:
    """X and labels without rows of weight 0: they say nothing, not even in which units columns are solved.

    A cell that is no number is told of as before, in its own row.
    """
    if labels.weight is None or labels.weight.all():
        return X, labels
    if (message := not_finite(X)) is not None:
        raise ValueError(message)
    rows = np.flatnonzero(labels.weight)
    return X[rows], labels.take(rows)


def split(X: Any, labels: Any, settings: Settings) -> tuple[Any, Any, tuple[Any, Any] | None]:
    """A fraction of the rows is held out: X and labels of the others, and of these; None where "auto" finds too few."""
    held = held_rows(labels, settings.validation_fraction, settings.seed)
    if not held.any() and settings.early_stopping == "auto":
        return X, labels, None
    if not held.any():
        of_each = " of each class" if len(labels.classes) else ""
        raise ValueError(
            f"early_stopping holds out validation_fraction={settings.validation_fraction!r}{of_each}, but of "
            f"{len(held)} rows this is none: raise it, pass an eval_set, or set early_stopping=False"
        )
    kept, held = np.flatnonzero(~held), np.flatnonzero(held)
    return X[kept], labels.take(kept), (X[held], labels.take(held))


def held_rows(labels: Any, fraction: float, seed: int) -> Array:
    """Which rows to hold out: of each class a fraction, drawn at random from those that count, and never all."""
    rng, strata = np.random.default_rng(seed), labels.strata
    held, counts = np.zeros(labels.rows, dtype=bool), True if labels.weight is None else labels.weight > 0
    for code in range(int(strata.max()) + 1):
        of_class = rng.permutation(np.flatnonzero((strata == code) & counts))
        held[of_class[: int(fraction * len(of_class))]] = True
    return held


def refuse_overflow(problem: Any) -> None:
    """Raise what is the matter where a point is not finite: a cell, a sample, or what weights and cells come to."""
    if (message := not_finite(problem.X)) is None and not problem.cautious:
        raise Misled
    raise ValueError(message or "the logits overflow: rescale the features or weights")


def refuse_misled(problem: Any, point: Point) -> None:
    """Raise `Misled` where the first point on all rows belies a sample that columns were scaled by, or its optimum.

    Slopes of rows are 1 at most, or have a mean square of 1, and so have scaled columns: no mean of their products is
    more. A cell that the sample has not may be 10¹⁵ times the others, and in such units no solver has digits left.
    """
    objective = problem.objective
    if problem.cautious or not objective.convex:
        return
    steepest = float(np.abs(point.gradient - objective.ridge * point.u).max())
    if steepest > STEEP or point.value > problem.labels.cost_alone(objective.bias) + LOST:
        raise Misled


def growing_samples(objective: Objective, labels: Labels, settings: Settings) -> Iterator[Objective]:
    """Samples of the rows, smallest first, each made when it is asked for; none where all rows are few."""
    rows = objective.rows
    if objective.lasso is None:
        sizes = sampling.sizes(rows.n, objective.shape, settings.tol, sparse=rows.sparse)
    else:
        sizes = sampling.sizes_of_support(rows.n, rows.d, sparse=rows.sparse)
    if not sizes or not settings.iterations():
        return
    rng = np.random.default_rng(settings.seed)
    for size in sizes:
        chosen = sampling.stratified(labels.codes, labels.totals, labels.weight, size, rng)
        if chosen is not None:
            yield objective.sample(*chosen)


def base_rate(labels: Labels | Targets, objective: Objective) -> Array:
    """Weights 0, and the bias where it would be without features."""
    u = np.zeros(objective.shape)
    if objective.bias:
        u[:, -1] = labels.base
    return u
