"""Variance decomposition of the linear predictor: fixed, random (by term), residual; the base of ICC and R2.

Random slopes enter by their mean variance over the rows, tr(Sigma Z'Z)/n (Johnson 2014). Residual variance: sigma^2 for Gaussian models, the
latent-scale or observation-level variance of the link otherwise (Nakagawa, Johnson & Schielzeth 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.errors import ModelError

Array = NDArray[np.float64]

# variance of the standard latent distribution behind each link of a binary, binomial or ordinal response
LATENT = {"logit": np.pi**2 / 3, "probit": 1.0, "cloglog": np.pi**2 / 6, "loglog": np.pi**2 / 6}
LATENT_FAMILIES = ("binomial", "betabinomial", "ordinal", "cumulative", "bernoulli")


@dataclass(frozen=True)
class VarianceParts:
    """Variances on the scale of the linear predictor.

    `random` holds one (group, label, variance) a term of the conditional model; observation-level terms are counted in `residual`.
    """

    fixed: float
    random: tuple[tuple[str, str, float], ...]
    residual: float

    @property
    def random_total(self) -> float:
        return float(sum(v for _, _, v in self.random))

    @property
    def total(self) -> float:
        return self.fixed + self.random_total + self.residual

    def by_group(self) -> dict[str, float]:
        out: dict[str, float] = {}
        for group, _, v in self.random:
            out[group] = out.get(group, 0.0) + v
        return out


def needs_null(fit: MixedFit) -> bool:
    """Whether the residual variance depends on the mean of the model without predictors."""
    return fit.family != "gaussian" and not (fit.family in LATENT_FAMILIES and fit.link in LATENT)


def mean_squares(fit: MixedFit) -> list[Array]:
    """Z'Z/n (k, k) of each term of the conditional model."""
    return [t.Z.T @ t.Z / fit.nobs for t in fit.data.components[0].random]


def variance_parts(fit: MixedFit, moments: list[Array] | None = None, null: MixedFit | None = None) -> VarianceParts:
    """The decomposition of one fit.

    Parameters
    ----------
    fit : MixedFit
    moments : list of arrays, optional
        `mean_squares(fit)`, when it is at hand.
    null : MixedFit, optional
        The fit without fixed effects beyond the intercept, which fixes the mean at which observation-level variances are taken.
    """
    component = fit.data.components[0]
    moments = mean_squares(fit) if moments is None else moments
    fixed = 0.0 if set(component.names) <= {"(Intercept)"} else float(np.var(component.X @ fit.beta["cond"], ddof=1))
    terms = [t for t in fit.terms if t.component == "cond"]
    random, observation = [], 0.0
    for t, moment in zip(terms, moments):
        v = float(np.sum(t.cov * moment))
        if len(t.levels) == fit.nobs and fit.family != "gaussian":
            observation += v
        else:
            random.append((t.group, " + ".join(t.names), v))
    return VarianceParts(fixed, tuple(random), _distribution_variance(fit, fit if null is None else null) + observation)


def _distribution_variance(fit: MixedFit, null: MixedFit) -> float:
    """Residual variance on the scale of the linear predictor."""
    if fit.family == "gaussian":
        if fit.sigma is None:
            raise ModelError("this model has no single residual variance (it has a dispersion model): ICC and R2 are not defined for it.")
        return float(fit.sigma) ** 2
    if fit.family in LATENT_FAMILIES and fit.link in LATENT:
        return float(LATENT[fit.link])
    from tanada.engine.family import variance

    mean_eta = float(null.beta["cond"][0]) + 0.5 * _log_shift(null)
    mu = np.array([np.exp(mean_eta) if fit.link == "log" else float(np.mean(null.fitted))])
    v = float(variance(fit, mu)[0])
    if fit.link == "log":
        return float(np.log1p(v / mu[0] ** 2))
    if fit.link == "sqrt":
        return 0.25 * v / mu[0]
    if fit.link == "logit":
        return float(v / (mu[0] * (1 - mu[0])) ** 2)
    if fit.link == "inverse":
        return float(v / mu[0] ** 4)
    if fit.link == "identity":
        return v
    raise ModelError(f"the residual variance of family '{fit.family}' with link '{fit.link}' on the scale of the linear predictor is not defined.")


def _log_shift(fit: MixedFit) -> float:
    """Total mean random-effect variance, by which the mean of a log-link model exceeds exp(intercept)."""
    return float(sum(np.sum(t.cov * m) for t, m in zip([t for t in fit.terms if t.component == "cond"], mean_squares(fit))))
