"""The objective of one layer, and the same of some of its columns, in the span of its rows, or of a sample of them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.objective.blocks import constant, dot, forward, times
from onelayer.objective.hessian import TwiceDifferentiable
from onelayer.objective.row_space import Map, spanned
from onelayer.objective.sampling import formed, in_proportion
from onelayer.rows.sparse import lies_at_hand, with_entries

Array = NDArray[Any]


@dataclass(frozen=True)
class Objective(TwiceDifferentiable):
    """A penalised mean loss over a source of rows: `gradient` tells what it is made of, `hessian` how it bends."""

    def of_columns(self, kept: Array, *, often: bool = False) -> "Objective":
        """The objective of some of the columns, the others left out: rows of its own, in the same coordinates."""
        mean, scale, lasso, grain = (
            None if part is None else part[kept] for part in (self.mean, self.scale, self.lasso, self.grain)
        )
        rows, penalty = self.rows.of_columns(kept, often=often), self.penalty[kept]
        chosen = replace(self, rows=rows, penalty=penalty, mean=mean, scale=scale, lasso=lasso, grain=grain)
        if mean is scale is None or rows.prepare is not None or not lies_at_hand(rows.n, rows.d):
            return chosen
        X = np.concatenate([chosen._standardised(block)[:, : rows.d] for block in rows.blocks])
        return replace(chosen, rows=rows.with_features(X), mean=None, scale=None)

    def in_row_space(self, *, exact: bool = False) -> "tuple[Objective, Map, Map]":
        """The same objective in as many coordinates as there are rows, and the ways there and back (`row_space`)."""
        span = spanned(self, exact=exact)
        inside = replace(
            self,
            rows=self.rows.with_features(span.coordinates),
            penalty=np.ones(span.coordinates.shape[1]),
            mean=None,
            scale=None,
            lasso=None,
            grain=None,
        )
        return inside, span.of, span.back

    def sample(self, rows: Array, weight: Array | None, total_weight: float) -> "Objective":
        """The objective of some of the rows, with weights of their own: the same mean, estimated.

        Its rows are a standardised copy in single precision, which is more than a sample knows of the optimum.
        """
        weight = None if weight is None else weight.astype(np.float32)
        # dense where it is small, or Hessians are formed of it and that takes no more numbers than all sparse rows have
        small, many = lies_at_hand(len(rows), self.rows.d), len(rows) * self.rows.d > self.rows.entries
        if self.rows.sparse and not small and (many or not formed(len(rows), self.shape)):
            taken = self.rows.take(rows, weight, lambda X: with_entries(X, X.data.astype(np.float32)))
            return replace(self, rows=taken, total_weight=total_weight)

        def prepare(X: Any) -> Array:
            X = X.toarray() if self.rows.sparse else X
            if self.mean is not None:
                X -= self.mean
            scale = 1 if self.scale is None else 1 / self.scale
            return np.asarray(np.multiply(X, scale, dtype=np.float32, casting="same_kind"))

        taken = self.rows.take(rows, weight, prepare)
        return replace(self, rows=taken, total_weight=total_weight, mean=None, scale=None)

    def thinned(self, size: int) -> "Objective":
        """The objective of rows at equal distances, about `size` of them: good enough to precondition with."""
        rows = np.arange(0, self.rows.n, max(1, -(-self.rows.n // size)))
        weight = None if self.rows.weight is None else self.rows.weight[rows]
        return self.sample(rows, weight, float(len(rows) if weight is None else max(weight.sum(), 1e-300)))

    def surprising(self, u: Array, size: int) -> "Objective":
        """The objective of about so many rows, half of them by how they pull at u, half by their weights.

        Where nearly all rows are sure there, or some lie far out, few know of the optimum and its curvature (Fithian &
        Hastie, "Local case-control sampling in imbalanced data sets", Annals of Statistics 42, 2014). A row weighs as
        much less as it is likelier to be chosen.
        """
        pulls, own = self._pulls(u), self.rows.weight
        mean = max(sum(float(part.sum(dtype=np.float64)) for part in pulls) / self.total_weight, 1e-300)
        offsets = np.random.default_rng(0).random(len(pulls))

        def choose(i: int) -> tuple[Array, Array]:
            span = self.rows.spans[i]
            each = np.ones(len(pulls[i])) if own is None else own[span]
            share = (pulls[i] / mean + each) * (size / (2 * self.total_weight))
            rows = in_proportion(share, offsets[i])
            return span.start + rows, each[rows] / np.minimum(share[rows], 1)

        chosen, weights = map(np.concatenate, zip(*self.rows.map(choose, range(len(pulls))), strict=True))
        return self.sample(chosen, weights, self.total_weight)

    def _pulls(self, u: Array) -> list[Array]:
        """How each row pulls at u, about: slope times length, in scaled columns, times its weight; of each block."""
        w, b = self.of_raw_columns(u)
        logits_of = forward if w.any() else constant
        bend = self.rows.to_all_columns(np.ones(self.rows.d) if self.scale is None else self.scale**-2.0)
        mean = np.zeros(self.rows.d) if self.mean is None else self.mean
        across = self.rows.to_all_columns(mean) * bend
        least = 1 + float(across @ self.rows.to_all_columns(mean))

        def pull(X: Any, y: Array, weight: Array | None) -> Array:
            slope = np.abs(self.loss.slope(logits_of(X, w, b), y), dtype=np.float32)
            slope = slope if slope.ndim == 1 else slope.sum(axis=1)
            squares = np.square(X) if isinstance(X, np.ndarray) else X.multiply(X)
            length = least + dot(squares, bend.astype(X.dtype)) - 2 * dot(X, across.astype(X.dtype))
            return times(slope * np.sqrt(np.maximum(length, 1), dtype=np.float32), weight)

        return list(self.rows.each(pull))
