"""What a mixed-model engine returns: one frozen record, the same for the Gaussian and the Laplace engines.

Everything after the fit (results, inference, post) reads this and asks `objective` when it needs the likelihood again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tanada.design.matrices import ModelData
from tanada.engine.options import FitOptions
from tanada.engine.verdict import Verdict
from tanada.params import ParameterMap

Array = NDArray[np.float64]


class Objective(Protocol):
    """The deviance (-2 log-likelihood, or the REML criterion) as a function of all parameters of `MixedFit.params`."""

    @property
    def options(self) -> FitOptions: ...

    def deviance(self, values: Array) -> float: ...

    def gradient(self, values: Array) -> Array: ...

    def refit(self, y: Array, start: Array | None = None) -> MixedFit:
        """The same model fitted to another response (rows of the fit), without rebuilding designs."""
        ...


class ProfiledObjective(Objective, Protocol):
    """What the Gaussian engine, which profiles out the fixed effects, offers beyond `Objective`."""

    def profiled(self, values: Array) -> tuple[float, Array]:
        """Deviance with the fixed effects profiled out, and its gradient (zero in their places)."""
        ...

    def profiled_gradient(self, values: Array) -> Array:
        """Gradient of `profiled`."""
        ...

    def theta_deviance(self, theta: Array) -> float:
        """Deviance with sigma and the fixed effects profiled out."""
        ...

    def vcov_derivatives(self, values: Array) -> Array:
        """Derivative of the covariance of the fixed effects in each theta, (d, p, p)."""
        ...


@dataclass(frozen=True)
class TermEstimate:
    """Estimates of one random-effects term.

    `cov` is on the scale of the linear predictor (for Gaussian models sigma^2 L L'), `factor` its lower Cholesky factor. `cond_var` is
    the variance of the effects given the data and the other estimates (lme4's condVar).
    """

    component: str
    group: str
    names: tuple[str, ...]
    structure: str
    levels: tuple[str, ...]
    cov: Array  # (k, k)
    factor: Array  # (k, k)
    modes: Array  # (L, k), b-hat
    cond_var: Array  # (L, k, k)
    theta_index: NDArray[np.intp]  # positions of its theta in MixedFit.values


@dataclass(frozen=True)
class MixedFit:
    """An optimum.

    Attributes
    ----------
    data : ModelData
    family, link : str
    reml : bool
    method : str
        "ML", "REML", "Laplace", "AGQ(15)", ...
    params : ParameterMap
        All estimated parameters, in the order: fixed effects of each component ("fixed:cond", "fixed:zi", "fixed:disp"), theta of each term
        ("theta:<component>:<number>"), then "sigma" (Gaussian: log residual SD) or "dispersion" (log phi) and "shape" parameters.
    values : array (d,)
        The optimum on the optimiser's scale. Gaussian theta are relative to sigma (Bates et al. 2015); others absolute.
    beta : dict component -> array (p,)
    vcov_beta : array
        Covariance of all fixed effects stacked by component, conditional on theta for Gaussian models (sigma^2 (X'V^-1X)^-1), from the inverse
        Hessian of the marginal log-likelihood in all parameters for others.
    terms : tuple of TermEstimate
    sigma : float or None
        Residual SD (Gaussian), dispersion parameter in glmmTMB's meaning otherwise; None when the family has none.
    loglik : float
        Log-likelihood with all constants (REML: the restricted one).
    known_eta, known_fitted : arrays (n,) or None
        Conditional linear predictor and conditional mean at the modes (conditional component) where the engine has them; `eta` and
        `fitted` give them in any case.
    verdict : Verdict
    notes : tuple of str
        Everything a user must know: dropped rows, aliased columns, changed methods.
    extra : dict
        Engine-specific pieces (documented where they are made).
    """

    data: ModelData
    family: str
    link: str
    reml: bool
    method: str
    params: ParameterMap
    values: Array
    beta: dict[str, Array]
    vcov_beta: Array
    terms: tuple[TermEstimate, ...]
    sigma: float | None
    loglik: float
    verdict: Verdict
    objective: Objective
    known_eta: Array | None = None
    known_fitted: Array | None = None
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def eta(self) -> Array:
        """Linear predictor of the conditional component at the modes, on the scale of the link."""
        if self.known_eta is not None:
            return self.known_eta
        component = self.data.components[0]
        out = component.offset + component.X @ self.beta[component.name]
        for design, term in zip(component.random, self.terms):
            if design.k == 1:
                out += design.Z[:, 0] * term.modes[design.codes, 0]
            else:
                out += np.einsum("ij,ij->i", design.Z, term.modes[design.codes])
        return out

    @cached_property
    def fitted(self) -> Array:
        """Conditional mean at the modes; without `known_fitted` the link is the identity."""
        return self.eta if self.known_fitted is None else self.known_fitted

    @property
    def npar(self) -> int:
        """Number of estimated parameters (REML counts the fixed effects too, as lme4 and glmmTMB do)."""
        return len(self.params)

    @property
    def nobs(self) -> int:
        return self.data.nobs
