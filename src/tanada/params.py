"""ParameterMap: the one table that says what the entries of a parameter vector are.

Names, blocks, bounds, start values and equality constraints of every engine live here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class ParameterMap:
    """Parameters of a model in the order in which the optimiser sees them.

    Attributes
    ----------
    names : tuple of str, length d
    blocks : tuple of str, length d
        What a parameter belongs to: "fixed:cond", "fixed:zi", "theta:cond:0", "sigma", "loading", ...
    start, lower, upper : arrays (d,)
        Start values and box bounds on the optimiser's scale.
    transforms : tuple of str, length d
        How the optimiser's scale relates to the natural one: "identity", "log", "logit".
    """

    names: tuple[str, ...]
    blocks: tuple[str, ...]
    start: Vector
    lower: Vector
    upper: Vector
    transforms: tuple[str, ...]

    @classmethod
    def build(
        cls,
        names: Sequence[str],
        blocks: Sequence[str],
        start: Sequence[float] | Vector,
        lower: Sequence[float] | Vector | None = None,
        upper: Sequence[float] | Vector | None = None,
        transforms: Sequence[str] | None = None,
    ) -> ParameterMap:
        d = len(names)
        return cls(
            tuple(names),
            tuple(blocks),
            np.asarray(start, float),
            np.full(d, -np.inf) if lower is None else np.asarray(lower, float),
            np.full(d, np.inf) if upper is None else np.asarray(upper, float),
            ("identity",) * d if transforms is None else tuple(transforms),
        )

    def __len__(self) -> int:
        return len(self.names)

    def index(self, block: str) -> NDArray[np.intp]:
        """Positions of the parameters whose block is `block` or lies below it ("theta" finds "theta:cond:0")."""
        return np.array([i for i, b in enumerate(self.blocks) if b == block or b.startswith(block + ":")], dtype=np.intp)

    def with_start(self, start: Vector) -> ParameterMap:
        return replace(self, start=np.asarray(start, float))

    def natural(self, values: Vector) -> Vector:
        """Values on the natural scale of each parameter."""
        out = np.array(values, float)
        for i, t in enumerate(self.transforms):
            if t == "log":
                out[i] = np.exp(out[i])
            elif t == "logit":
                out[i] = 1.0 / (1.0 + np.exp(-out[i]))
        return out

    def at_bound(self, values: Vector, tolerance: float = 0.0) -> NDArray[np.bool_]:
        """Which parameters lie at (or within `tolerance` of) a bound."""
        v = np.asarray(values, float)
        return (v <= self.lower + tolerance) | (v >= self.upper - tolerance)
