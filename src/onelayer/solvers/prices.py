"""What there is to prepare before steps are solved costs, about, in products of a Hessian with a vector."""

import math
from typing import Any

from onelayer.objective.sampling import DIRECT
from onelayer.solvers.asked import Layer

BLOCK = 512  # parameters of one output up to which its own block of the Hessian is factored as preconditioner
ROWS = 15  # for each parameter of one output, from which its block is taken: it only preconditions
FEW = 2_000  # parameters, whose Hessian is never too large: 32 MB, once products have cost as much as it does
# a Hessian costs a product for so many columns, times those there are for each entry of a row; products of sparse rows
# are slower for their entries
COLUMNS, COLUMNS_OF_SPARSE = 25, 250
LEAST, LEAST_OF_SPARSE = 10, 20  # products, whatever they cost
FEWER = 2  # columns for each row, from where the space of the rows is much less than theirs
DIAGONALISED = 100  # times the cube of their number, which rows cost beside their products with one another
AT_ONCE, AT_ONCE_OF_SPARSE = 48, 32  # parameters up to which a Hessian that no sample has is formed at once
SEVERAL = 3  # times what a product of one output takes, of several dense ones
NEARLY_DONE = 30  # products, of fewer of which many fits take no more
COPIES = 30  # products that the steps of two copies of the weights cost, about
TRIFLE = 2**21  # multiplications: a Hessian of so many takes no longer than the calls around a product


def paid_at_once(objective: Layer, *, sampled: bool) -> bool:
    """Whether steps with a factored Hessian cost no more than any others; of a sample, there may be one already."""
    (k, p), rows = objective.shape, objective.rows
    few = DIRECT if sampled else AT_ONCE_OF_SPARSE if rows.sparse else AT_ONCE
    return bool(k * p <= few or (k * p) ** 2 * (rows.n + k * p) <= TRIFLE)


def hessian(objective: Layer, few: int = FEW) -> float:
    """A Hessian, formed and factored; infinitely many products where it would be twice as large as the rows.

    Unless there are no more than a `few` parameters.
    """
    size, rows = math.prod(objective.shape), objective.rows
    if size**2 > max(2 * rows.entries, few**2):
        return math.inf
    product = (rows.entries + rows.n) * objective.outputs
    ratio: float = size**2 * (rows.n + size) / product  # to form it, and to factor it
    return max(LEAST_OF_SPARSE if rows.sparse else LEAST, math.ceil(ratio / _columns(rows)))


def row_space(objective: Layer) -> float:
    """Rows turned into their own space.

    Infinitely many where that is hardly less than the space of the columns.
    """
    rows = objective.rows
    if rows.d < FEWER * rows.n:
        return math.inf
    ratio: float = rows.n * (rows.d + DIAGONALISED * rows.n) / (rows.d * objective.outputs)
    return max(LEAST, math.ceil(ratio / COLUMNS))


def few_rows(objective: Layer) -> float:
    """A Hessian that is known by few rows: these multiplied with one another, as large a matrix inverted, and steps."""
    (k, p), n = objective.shape, objective.rows.n
    ratio: float = n + (n * k) ** 2 / p
    return COPIES + math.ceil(ratio / COLUMNS)


def blocks(objective: Layer) -> float:
    """Each output's own block of the Hessian; infinitely many products where that is no part of it."""
    (k, p), rows = objective.shape, objective.rows
    if k == 1 or p > BLOCK:
        return math.inf
    ratio: float = p**2 * (min(rows.n, ROWS * p) + p) / max(rows.entries, 1)
    return math.ceil(ratio / _columns(rows))


def mean_block(objective: Layer) -> float:
    """One block for several outputs, twice what it takes: where products have nearly done, it is too much.

    Infinitely many products where it would be larger than the rows.
    """
    p, rows = objective.shape[1], objective.rows
    if p**2 > rows.entries:
        return math.inf
    ratio: float = p**2 * (min(rows.n, ROWS * p) + p) / rows.entries
    return max(NEARLY_DONE, math.ceil(ratio / (_columns(rows) * (1 if rows.sparse else SEVERAL))))


def _columns(rows: Any) -> int:
    return COLUMNS_OF_SPARSE if rows.sparse else COLUMNS
