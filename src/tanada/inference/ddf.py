"""Denominator degrees of freedom: one object that tests any contrast of the fixed effects, whatever the method."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.errors import ModelError, did_you_mean
from tanada.inference.kenward_roger import kenward_roger
from tanada.inference.satterthwaite import satterthwaite
from tanada.inference.structures import theta_is_relative
from tanada.inference.workspace import Workspace

Array = NDArray[np.float64]

METHODS = {
    "satterthwaite": "satterthwaite",
    "kenward-roger": "kenward-roger",
    "kr": "kenward-roger",
    "residual": "residual",
    "z": "z",
    "wald": "z",
    "asymptotic": "z",
}


class ContrastTests(Protocol):
    """Degrees of freedom and F tests of contrasts."""

    @property
    def vcov(self) -> Array: ...

    def df(self, contrast: Array) -> float: ...

    def f_test(self, L: Array, beta: Array) -> tuple[float, float, float]: ...


@dataclass(frozen=True)
class FixedDf:
    """The same degrees of freedom for every contrast: infinity for z tests, n - p for a model without random effects."""

    vcov: Array
    value: float

    def df(self, contrast: Array) -> float:
        return self.value

    def f_test(self, L: Array, beta: Array) -> tuple[float, float, float]:
        Lb = L @ beta
        F = float(Lb @ np.linalg.solve(L @ self.vcov @ L.T, Lb)) / L.shape[0]
        return F, float(L.shape[0]), self.value


@dataclass(frozen=True)
class FixedTests:
    """How fixed effects are tested: estimates, the covariance in use, the degrees of freedom, and what to tell the reader."""

    method: str
    beta: Array
    tests: ContrastTests
    notes: tuple[str, ...] = field(default=())

    @property
    def vcov(self) -> Array:
        return self.tests.vcov


def method_name(fit: MixedFit, method: str | None) -> str:
    """The method asked for, or the default of the family: Satterthwaite for Gaussian mixed models, else z.

    Raises
    ------
    ModelError
        When the name is unknown or the method is not defined for this model.
    """
    gaussian = theta_is_relative(fit)
    if method is None:
        return ("satterthwaite" if fit.terms else "residual") if gaussian else "z"
    name = METHODS.get(str(method).lower().replace("_", "-"))
    if name is None:
        raise ModelError(f"ddf = {method!r} is not a method for degrees of freedom.{did_you_mean(str(method), ['satterthwaite', 'kenward-roger', 'residual', 'z'])}")
    if name in ("satterthwaite", "kenward-roger") and not gaussian:
        what = "a dispersion model" if fit.family == "gaussian" else f"family '{fit.family}'"
        raise ModelError(f"ddf = '{name}' is defined for Gaussian models with one residual variance, not for {what}; use ddf='z'.")
    return name


def fixed_tests(work: Workspace, method: str | None = None) -> FixedTests:
    """Tests of the fixed effects by the method asked for (None: the family's default)."""
    fit = work.fit
    name = method_name(fit, method)
    if name == "z":
        return FixedTests(name, work.beta, FixedDf(fit.vcov_beta, np.inf))
    if name == "residual" or not fit.terms:
        df = float(fit.nobs - len(work.beta))
        return FixedTests("residual", work.beta, FixedDf(fit.vcov_beta, df if df > 0 else np.nan))
    if name == "satterthwaite":
        s = satterthwaite(work)
        dropped = f"Satterthwaite: {s.dropped} variance parameter(s) at a bound are taken as known."
        return FixedTests(name, work.beta, s, (dropped,) if s.dropped else ())
    if fit.reml:
        return FixedTests(name, work.beta, kenward_roger(work))
    from tanada.engine.mixed_fit import fit_mixed
    from tanada.engine.options import FitOptions

    reml = Workspace(fit_mixed(fit.data, FitOptions(family="gaussian", reml=True)))
    kr = kenward_roger(reml)
    return FixedTests(name, reml.beta, kr, ("Kenward-Roger: tests are those of the REML fit of the same model.",))


def with_vcov(tests: FixedTests, vcov: Array) -> FixedTests:
    """The same tests with another covariance of the fixed effects (z based)."""
    return replace(tests, tests=FixedDf(vcov, np.inf))
