"""Steps on one working set, to the minimum of a quadratic model with the L1 penalty, or along the weights that matter.

A model's minimum is a step (Lee, Sun & Saunders, SIAM Journal on Optimization 24, 2014); or one is Newton's on the
weights that are not 0 or are about to leave it, cut off where a weight would change its sign (Keskar, Nocedal, Öztoprak
& Wächter, Optimization Methods and Software 31, 2016).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.solvers import prices
from onelayer.solvers.asked import Layer
from onelayer.solvers.curvature import STALE
from onelayer.solvers.lasso import lasso_minimum, lasso_roughly, lasso_surely
from onelayer.solvers.linear import Parts
from onelayer.solvers.low_rank import LowRank
from onelayer.solvers.place import Place
from onelayer.solvers.progress import Watch
from onelayer.solvers.walk import Walk

Array = NDArray[Any]

TRIFLE = 2**24  # multiplications: dense rows whose Hessian and its inverse cost no more are modelled anew at each step
FLAT, FLATTEST = 4, 600  # rows at most for each weight, and weights, of which that is true, too
RIGHT = 4  # rows for each weight from where the exact minimum of a model costs little beside it
# of the lasso weights, and the value: a violation, or a gain, from where it is worth that; a gain of few rows as NEARLY
NEARLY, LITTLE = 0.1, 0.01
LEFT = 0.3  # of what slopes are off by: what a model's minimum may leave, since the next model is another
CRAWLING = 1e-3  # of the value: a step that gains no more is finer than single precision, or leads nowhere, either
DENSE, SPARSE = 600, 150  # weights up to which a sample's Hessian serves as model and preconditioner
CHEAP = 10**9  # rows times the square of the weights up to which the model is of more rows, or of all
# weights for each of a model's rank, as few rows have it, from where it is not formed; that rank at most, and cells
THIN, RANK, AT_HAND = 1.5, 3_000, 2**22
LARGEST = 4000  # weights of a model that is made for its price though it is larger than the rows
MODEL = 4  # times the price of a Hessian: what to minimise its model costs, about
WASTE = 0.25  # times that price: what steps cut off by signs may take before a model is made
RICH = 20  # rows of that sample for each weight
# of a step to its minimum; and steps on end of which no more is taken and that gain little: after these, times its rows
CUT, CUTS, MORE = 0.2, 2, 4
LINGERING = 0.3  # of what the step before gained: a model that does not do better is made anew
SINGLE, BLUR = float(np.finfo(np.float32).eps), 8  # a precision, and times that a diagonal is enlarged by it
INNER = 50  # steps on one working set
MANY = 1200  # weights, of more of which a model is dearer than the steps it saves


def on_working_set(
    objective: Layer,
    place: Place,
    level: float,
    watch: Watch,
    walk: Walk,
    hessian: Parts | None = None,
    *,
    near: bool = False,
    owed: int = 0,
    hardly: float = 0.0,
    gap: float = math.inf,
) -> Place:
    """Newton's steps on the weights that are not 0 or leave it, until no subgradient is above `level` times lasso.

    Or until the walk sees the minimum ahead, from the place returned; or a step gains less of the value than a share
    that is `hardly` worth it. `hessian` is one taken before; to form one of sparse rows does not pay at once where the
    start is `near`. As many products as are `owed` led nowhere before. Where a relative `gap` is given, they
    are to make up no more than that, either.
    """
    models = _Models(objective, place, hessian, near=near, owed=owed)
    for _ in range(INNER):
        enough = min(level, place.level(gap))
        if place.violation <= enough or walk.is_there(place, enough) or watch.stopped:
            break
        left = models.left(walk)
        target = models.minimum(place, walk)
        if models.anew or not np.array_equal(np.sign(target), np.sign(place.point.u)):
            old = None if models.anew else models.hessian
            following = walk.towards(objective, place, old, target, enough)
        else:
            following = walk.on(objective, place, models.hessian, enough, left)
        if walk.ahead is not None:
            break
        if following is None and models.exhausted:
            break
        models.judge(place, following, walk.share)
        before, place = place, place if following is None else following.centred(objective)
        if hardly and before.point.value - place.point.value < hardly * place.point.value:
            break
    return place


class _Models:
    """The quadratic models of the loss on a working set: when one is made, of which rows, how its minimum is found.

    Dense rows that cost little are modelled `anew` at each step, which goes to the model's minimum. Otherwise a sample
    of the rows is, and once the signs rest, conjugate gradients go on with all rows, that model preconditioning. Of
    more weights than rows, its minimum is found surely once steps gain little; a step that leads nowhere has one made.
    Of many more, it is never formed.
    """

    def __init__(self, objective: Layer, place: Place, hessian: Parts | None, *, near: bool, owed: int) -> None:
        rows, size = objective.rows, place.point.u.size
        self.objective, self._size, self._owed = objective, size, owed
        self.hessian: Parts | LowRank | None = hessian
        # along some directions nothing bends: shifts common to all classes are such, too
        self._scarce = rows.n < size or objective.outputs > 1
        self._tall = RIGHT * size <= rows.n
        flat = objective.outputs == 1 and rows.n <= FLAT * size and size <= FLATTEST
        self._trifling = not rows.sparse and size**2 * (rows.n + size) <= TRIFLE
        self.anew = self._trifling or (flat and hessian is None and not rows.sparse)
        self._thin = not self.anew and hessian is None and self._is_thin(rows.n * max(objective.outputs - 1, 1))
        self._price = prices.few_rows(objective) if self._thin else prices.hessian(objective, LARGEST)
        self._few = self.anew or hessian is not None or size <= (SPARSE if rows.sparse else DENSE)
        self._slow = self.anew or (hessian is None and not (near and rows.sparse))
        self._taken_at, self._stuck, self._cuts, self._exact = place.point.value, False, 0, False
        self._precise = self.anew or self._scarce  # whether models are worth the time that double precision takes
        self._gain = self._lately = math.inf  # of the step before; the latter, if it was with the same model
        self._enough, self._sampled = max(RICH * size, CHEAP / max(size, 1) ** 2), False  # rows of a model; if not all

    def left(self, walk: Walk) -> float:
        """How many more products may lead nowhere before a model costs no more than they."""
        return MODEL * self._price - walk.products - self._owed

    @property
    def exhausted(self) -> bool:
        """Whether after a step that led nowhere there is no better model to be had."""
        return self._stuck or (self._size > LARGEST and not self._thin)

    def minimum(self, place: Place, walk: Walk) -> Array:
        """Where the model, beside the penalty, is least; where the place is, if there is no model yet."""
        u, gain = place.point.u, self._gain
        if self._is_due(place, walk):
            walk.modelled += self._make(place)
        # where two copies of the weights find it, a minimum soon costs no more than what rough ones leave to do
        little = (NEARLY if self._scarce else LITTLE) * place.point.value
        self._exact = self._stuck or self._tall or place.violation <= NEARLY or gain <= little
        if self.hessian is None:
            return u
        known = self.hessian
        hessian = known if isinstance(known, LowRank) else known.matrix
        beside = place.smooth.ravel() - hessian @ u.ravel(), place.lasso.ravel(), u.ravel()
        if isinstance(known, LowRank) or self._stuck or (self._scarce and self._exact and not self._tall):
            ridge = np.tile(self.objective.ridge, len(u))
            return lasso_surely(hessian, *beside, ridge, left=LEFT).reshape(u.shape)
        if self._exact:
            return lasso_minimum(known, *beside).reshape(u.shape)
        return lasso_roughly(known.matrix, *beside).reshape(u.shape)

    def judge(self, place: Place, following: Place | None, share: float) -> None:
        """What the step brought: signs cut off what there was of it, or were not those of the model's minimum.

        Or that is of rows that know nothing of some columns, and only a `share` of the way there is any good.
        """
        if following is None:
            self._stuck = self._precise = True
            self._enough = math.inf
        else:
            self._gain = place.point.value - following.point.value
            crawls = self._gain <= CRAWLING * place.point.value
            hard = self._scarce and self._size <= MANY and not self.objective.rows.sparse
            self._cuts = self._cuts + 1 if self._sampled and crawls and share < CUT else 0
            self._enough *= MORE if self._cuts == CUTS else 1
            self._stuck = crawls and hard and following.violation > NEARLY
            self._precise = self._precise or crawls
            self._slow = self.anew or self._gain > LINGERING * self._lately
            self._lately = self._gain
        self._few = self._few or self._stuck

    def _is_due(self, place: Place, walk: Walk) -> bool:
        dense = not self.objective.rows.sparse
        paid = self.left(walk) <= 0 or (walk.wasted >= WASTE * self._price and dense and self._tall)
        stale = place.point.value < STALE * self._taken_at
        return self._stuck or self._cuts == CUTS or (self._slow and (self._few or paid)) or (self._few and stale)

    def _is_thin(self, rank: int) -> bool:
        """Whether the model is of so low a rank that to form it would cost more than its minimum."""
        rows = self.objective.rows
        return not rows.sparse and THIN * rank <= self._size and rank <= RANK and rows.n * rows.d <= AT_HAND

    def _make(self, place: Place) -> float:
        """The model here, and what it costs in products: of a trifle, nothing."""
        self._taken_at, self._cuts = place.point.value, 0
        if self._thin:
            rows, roots = self.objective.rows_and_roots(place.point.logits)
            self.hessian = LowRank.of_all(rows, roots, self.objective.ridge)
            return self._price
        modelled, logits = self.objective, place.point.logits
        self._sampled = self._few and not self.anew and self._enough < modelled.rows.n
        if self._sampled:
            modelled, logits = modelled.thinned(int(self._enough)), None
        single = not self._precise
        precision = SINGLE if single else modelled.rows.precision
        self.hessian = Parts(blurred(modelled.hessian(place.point.u, logits, single=single), precision))
        if not self._scarce:  # of few rows, a model is cheap beside its minimum
            self._lately = math.inf
        return 0.0 if self._trifling else prices.hessian(modelled, LARGEST) * modelled.rows.n / self.objective.rows.n


def blurred(hessian: Array, precision: float) -> Array:
    """Its diagonal so much larger as its precision asks for: where rounding bends it down, there is no minimum."""
    hessian = np.asarray(hessian, dtype=np.float64)
    if not np.isfinite(hessian).all():
        raise FloatingPointError("the Hessian overflows")
    hessian.ravel()[:: len(hessian) + 1] *= 1 + BLUR * precision
    return hessian
