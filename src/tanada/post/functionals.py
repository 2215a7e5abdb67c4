"""Weighted sums of row predictions with their gradients in the fixed effects: what means, slopes and contrasts are.

    estimate_k = sum over rows r of w_kr E_b[ f(eta_r(beta, b)) ]        gradient_k = sum w_kr E_b[ sum_c f_c'(eta_r) x_rc ]

E_b is the reading of the random effects: "zero" (b = 0), "modes" (mean over the groups of the fit with their conditional modes), or
"normal" (expectation over N(0, Sigma), Gauss-Hermite quadrature of the linear predictor's random part, whose SD is sqrt(z'Sigma z)).
The gradient holds b fixed, as easystats' marginal means do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.build import Design
from tanada.design.matrices import ComponentDesign
from tanada.engine.fit import MixedFit, TermEstimate
from tanada.errors import ModelError, did_you_mean
from tanada.post.mean_function import MeanFunction
from tanada.post.newdata import aligned

Array = NDArray[np.float64]

READINGS = ("zero", "modes", "normal")
NODES = 41
CHUNK = 400_000
NEW_GROUP = "(a group that was not in the fit)"


@dataclass(frozen=True)
class Functional:
    """Estimates (K,) and their gradient (K, p) in all fixed effects, stacked by component."""

    estimate: Array
    gradient: Array

    def combine(self, L: Array) -> Functional:
        """Linear combinations L (q, K)."""
        return Functional(L @ self.estimate, L @ self.gradient)


@dataclass(frozen=True)
class Evaluation:
    """How rows are evaluated: the model, the quantity, the reading of the random effects, and the fixed effects in use."""

    fit: MixedFit
    design: Design
    quantity: MeanFunction
    reading: str
    beta: Array

    def betas(self) -> dict[str, tuple[int, Array]]:
        """First position and values of the fixed effects of each component."""
        out, at = {}, 0
        for c in self.fit.data.components:
            p = len(c.names)
            out[c.name] = (at, self.beta[at : at + p])
            at += p
        return out

    def sum_rows(
        self, columns: dict[str, NDArray[Any]], weight: Array, cell: NDArray[np.intp], cells: int, source: NDArray[np.intp] | None
    ) -> Functional:
        """The functional of rows with weights, by cell; `source` gives the row of the fit whose groups a row belongs to."""
        components = rebuilt_components(self.fit, self.design, columns, len(cell), self.reading != "zero")
        total = Functional(np.zeros(cells), np.zeros((cells, len(self.beta) + self.extra)))
        width = self._width(source)
        step = max(1, CHUNK // width)
        for start in range(0, len(cell), step):
            rows = slice(start, start + step)
            value, X = self._rows(components, rows, source)
            np.add.at(total.estimate, cell[rows], weight[rows] * value)
            np.add.at(total.gradient, cell[rows], weight[rows][:, None] * X)
        return total

    @property
    def extra(self) -> int:
        """Number of threshold parameters in the gradient (ordinal models)."""
        return 0 if self.quantity.thresholds is None else len(self.fit.params.index("threshold"))

    def _width(self, source: NDArray[np.intp] | None) -> int:
        if self.reading == "normal":
            return int(NODES ** len(self._random_components()))
        return len(level_combinations(self.fit)) if self.reading == "modes" and source is None else 1

    def _random_components(self) -> list[str]:
        return [c for c in self.quantity.components if any(t.component == c for t in self.fit.terms)]

    def _rows(self, components: dict[str, ComponentDesign], rows: slice, source: NDArray[np.intp] | None) -> tuple[Array, Array]:
        betas = self.betas()
        base = {c: components[c].offset[rows] + components[c].X[rows] @ betas[c][1] for c in self.quantity.components}
        shifts, share = self._shifts(components, rows, source, len(next(iter(base.values()))))
        etas = {c: (base[c][:, None] + shifts[c]).ravel() if c in shifts else np.repeat(base[c], len(share)) for c in base}
        value, slopes = self.quantity.function(etas)
        X = np.zeros((len(next(iter(base.values()))), len(self.beta) + self.extra))
        if self.quantity.thresholds is not None:
            moved = self.quantity.thresholds(etas).reshape(len(X), len(share), self.extra)
            X[:, len(self.beta) :] = np.einsum("njq,j->nq", moved, share)
        for c, slope in slopes.items():
            at, b = betas[c]
            X[:, at : at + len(b)] = (slope.reshape(-1, len(share)) @ share)[:, None] * components[c].X[rows]
        return value.reshape(-1, len(share)) @ share, X

    def _shifts(
        self, components: dict[str, ComponentDesign], rows: slice, source: NDArray[np.intp] | None, n: int
    ) -> tuple[dict[str, Array], Array]:
        """Random parts (n, J) of each component's predictor and the weights (J,) of the J columns."""
        random = self._random_components()
        if self.reading == "zero" or not random:
            return {}, np.ones(1)
        if self.reading == "modes":
            if source is not None:
                codes = all_codes(self.fit)[source[rows]]
                return {c: sum_modes(self.fit, components[c], c, rows, codes, paired=True) for c in random}, np.ones(1)
            combos = level_combinations(self.fit)
            return {c: sum_modes(self.fit, components[c], c, rows, combos, paired=False) for c in random}, np.full(len(combos), 1.0 / len(combos))
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        weights = weights / weights.sum()
        sd = {c: random_sd(self.fit, components[c], c, rows) for c in random}
        grids = np.meshgrid(*([np.arange(NODES)] * len(random)), indexing="ij")
        share = np.prod([weights[g.ravel()] for g in grids], axis=0)
        return {c: sd[c][:, None] * nodes[g.ravel()][None, :] for c, g in zip(random, grids)}, share


def check_reading(re: str | None, quantity: MeanFunction, fit: MixedFit) -> str:
    """The reading of the random effects; None takes "modes" where it matters, "zero" where the quantity is linear."""
    if re is not None and re not in READINGS:
        raise ModelError(f"re = {re!r}; it takes 'zero', 'modes' or 'normal'.{did_you_mean(str(re), READINGS)}")
    if quantity.linear or not any(t.component in quantity.components for t in fit.terms):
        return "zero"
    return "modes" if re is None else re


def rebuilt_components(
    fit: MixedFit, design: Design, columns: dict[str, NDArray[Any]], n: int, random: bool
) -> dict[str, ComponentDesign]:
    """Designs of the rows; grouping factors stand for groups that were not in the fit (their effects are added by the reading)."""
    spec = design.spec
    data = dict(columns)
    if random:
        for c in spec.components:
            for v in spec.parsed(c.name).group_variables():
                data.setdefault(v, np.full(n, NEW_GROUP, dtype=object))
    offset = None
    if spec.offset == "":
        offset = np.full(n, float(np.mean(fit.data.components[0].offset)))
    if not data:
        data = {"(rows)": np.zeros(n)}
    rebuilt = spec.rebuild(data, random=random, offset=offset)
    return {c.name: aligned(c, fit.data.component(c.name)) for c in rebuilt.components}


def all_codes(fit: MixedFit) -> NDArray[np.intp]:
    """Level numbers (n, T) of all terms."""
    return np.column_stack([d.codes for c in fit.data.components for d in c.random]).astype(np.intp)


def level_combinations(fit: MixedFit) -> NDArray[np.intp]:
    """Combinations of levels that occur (J, T), each once."""
    return np.unique(all_codes(fit), axis=0)


def _own_terms(fit: MixedFit, component: str) -> list[tuple[int, TermEstimate]]:
    return [(i, t) for i, t in enumerate(fit.terms) if t.component == component]


def sum_modes(fit: MixedFit, design: ComponentDesign, component: str, rows: slice, codes: NDArray[np.intp], paired: bool) -> Array:
    """z'b-hat of rows with level numbers (J, T): (n, J), or (n, 1) when row i belongs to codes i."""
    out: Array | float = 0.0
    for (number, t), d in zip(_own_terms(fit, component), _matching(fit, design, component), strict=True):
        b = t.modes[codes[:, number]]
        Z = d[rows]
        out = out + (np.einsum("nk,nk->n", Z, b)[:, None] if paired else Z @ b.T)
    return np.asarray(out, float)


def random_sd(fit: MixedFit, design: ComponentDesign, component: str, rows: slice) -> Array:
    """sqrt(z'Sigma z) summed over the terms of a component."""
    out = np.zeros(len(design.offset[rows]))
    for (_, t), d in zip(_own_terms(fit, component), _matching(fit, design, component), strict=True):
        out += np.einsum("na,ab,nb->n", d[rows], t.cov, d[rows])
    return np.asarray(np.sqrt(np.maximum(out, 0.0)), float)


def _matching(fit: MixedFit, design: ComponentDesign, component: str) -> Sequence[Array]:
    return [r.Z for r in design.random]
