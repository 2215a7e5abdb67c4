"""Workspace: the by-products of one fit that inference and post-estimation share, each computed when first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit, ProfiledObjective
from tanada.inference.hessian import gradient_differences
from tanada.inference.structures import theta_is_relative
from tanada.inference.system import System, build_system

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Workspace:
    """A fit and what follows from it.

    `variance` positions are those of all parameters that are not fixed effects and do not sit at a bound.
    """

    fit: MixedFit

    @cached_property
    def system(self) -> System:
        return build_system(self.fit)

    @cached_property
    def fixed(self) -> NDArray[np.intp]:
        """Positions of the fixed effects in the parameter vector."""
        return self.fit.params.index("fixed")

    @cached_property
    def at_bound(self) -> NDArray[np.intp]:
        """Positions of the parameters at a bound."""
        return np.flatnonzero(self.fit.params.at_bound(self.fit.values)).astype(np.intp)

    @cached_property
    def free_variance(self) -> NDArray[np.intp]:
        """Positions of variance parameters (theta, sigma, dispersion, shape) off their bounds."""
        everything = np.arange(len(self.fit.params))
        return np.setdiff1d(everything, np.concatenate([self.fixed, self.at_bound])).astype(np.intp)

    @cached_property
    def beta(self) -> Array:
        """All fixed effects, stacked by component."""
        return np.concatenate([np.asarray(self.fit.beta[c.name], float) for c in self.fit.data.components])

    @cached_property
    def known_vcov(self) -> Array:
        """Covariance of the fixed effects with zeros where it is not known: coefficients at a boundary count as fixed."""
        return np.nan_to_num(self.fit.vcov_beta)

    @cached_property
    def variance_vcov(self) -> Array:
        """Covariance matrix of the free variance parameters: twice the inverse Hessian of the deviance profiled over beta."""
        v = self.free_variance
        if theta_is_relative(self.fit):
            h = gradient_differences(self.fit, v, cast(ProfiledObjective, self.fit.objective).profiled_gradient)[v]
            return 2.0 * _safe_inverse(0.5 * (h + h.T))
        if "vcov" in self.fit.extra:
            return np.asarray(self.fit.extra["vcov"], float)[np.ix_(v, v)]
        columns = gradient_differences(self.fit, v)
        h = columns[v]
        if len(self.fixed):
            cross = columns[self.fixed]
            h = h - 0.5 * cross.T @ self.fit.vcov_beta @ cross
        return 2.0 * _safe_inverse(0.5 * (h + h.T))

    @cached_property
    def full_vcov(self) -> Array:
        """Covariance matrix of all parameters, from the Hessian of the deviance; NaN rows for parameters at a bound."""
        if "vcov" in self.fit.extra:
            return np.asarray(self.fit.extra["vcov"], float)
        d = len(self.fit.params)
        free = np.setdiff1d(np.arange(d), self.at_bound)
        h = gradient_differences(self.fit, free)[free]
        out = np.full((d, d), np.nan)
        out[np.ix_(free, free)] = 2.0 * _safe_inverse(0.5 * (h + h.T))
        return out


def _safe_inverse(h: Array) -> Array:
    """Inverse over the directions with positive curvature (a flat direction says nothing about uncertainty: it is left out)."""
    if h.size == 0:
        return h
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(h)), 1e-300))
    w, Q = np.linalg.eigh(scale[:, None] * h * scale)
    keep = w > 1e-8 * max(float(w.max()), 1e-300)
    inverse = (Q[:, keep] / w[keep]) @ Q[:, keep].T
    return scale[:, None] * inverse * scale
