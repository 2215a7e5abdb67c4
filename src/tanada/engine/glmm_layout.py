"""Where each parameter of a generalised linear mixed model stands: in the core's vector and in `MixedFit.values`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.glmm_input import GlmmInput
from tanada.params import ParameterMap

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_TAIL = ("threshold", "sigma", "dispersion", "shape")


@dataclass(frozen=True)
class Layout:
    """Positions and names.

    Attributes
    ----------
    core : array of int (d,)
        Position in the core's vector of each entry of `MixedFit.values`; -1 for coefficients integrated out (REML).
    names, blocks, transforms : tuples (d,)
    lower, upper : arrays (d,)
    theta : tuple of arrays
        Positions in `MixedFit.values` of each term's theta.
    """

    core: Index
    names: tuple[str, ...]
    blocks: tuple[str, ...]
    transforms: tuple[str, ...]
    lower: Array
    upper: Array
    theta: tuple[Index, ...]

    @property
    def outer(self) -> Index:
        """Entries the core estimates."""
        return np.flatnonzero(self.core >= 0)

    def to_core(self, values: Array) -> Array:
        out = np.zeros(int(np.sum(self.core >= 0)))
        out[self.core[self.outer]] = np.asarray(values, float)[self.outer]
        return out

    def from_core(self, psi: Array, flat: Array | None) -> Array:
        out = np.empty(len(self.core))
        out[self.outer] = psi[self.core[self.outer]]
        if flat is not None:
            out[self.core < 0] = flat
        return out

    def vector_from_core(self, g: Array) -> Array:
        """A gradient in the order of `MixedFit.values`, zero where the core has no such parameter."""
        out = np.zeros(len(self.core))
        out[self.outer] = g[self.core[self.outer]]
        return out

    def parameters(self, values: Array) -> ParameterMap:
        return ParameterMap(self.names, self.blocks, np.asarray(values, float), self.lower, self.upper, self.transforms)


def build_layout(inputs: GlmmInput, engine: Any) -> Layout:
    """Fixed effects by component, theta by term, then thresholds, dispersion and shapes."""
    core: list[int] = []
    names: list[str] = []
    blocks: list[str] = []
    for c in inputs.data.components:
        block = f"fixed:{c.name}"
        if inputs.flat and c.name == "cond":
            core += [-1] * len(c.names)
            names += list(c.names)
        else:
            at = [i for i, b in enumerate(inputs.blocks) if b == block]
            core += at
            names += [inputs.names[i] for i in at]
        blocks += [block] * (len(core) - len(blocks))
    info = engine.theta_info()
    theta: list[Index] = []
    seen: dict[int, int] = {}
    for (component, term), (first, count) in zip(inputs.terms, engine.term_parameters()):
        number = seen.get(component, 0)
        seen[component] = number + 1
        theta.append(np.arange(len(core), len(core) + count, dtype=np.intp))
        core += [inputs.beta_count + first + j for j in range(count)]
        names += [f"{term.text or term.group}: {info[first + j][0]}" for j in range(count)]
        blocks += [f"theta:{inputs.data.components[component].name}:{number}"] * count
    for block in _TAIL:
        at = [i for i, b in enumerate(inputs.blocks) if b == block]
        core += at
        names += [inputs.names[i] for i in at]
        blocks += [block] * len(at)
    lower, upper = engine.bounds()
    where = np.array(core, dtype=np.intp)
    low, high = np.full(len(core), -np.inf), np.full(len(core), np.inf)
    low[where >= 0], high[where >= 0] = lower[where[where >= 0]], upper[where[where >= 0]]
    transforms = tuple("log" if b in ("sigma", "dispersion") else "identity" for b in blocks)
    return Layout(where, tuple(names), tuple(blocks), transforms, low, high, tuple(theta))
