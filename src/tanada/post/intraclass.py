"""Intraclass correlation from a variance decomposition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import ProfiledObjective
from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import ModelError
from tanada.inference.components import variance_parts as variance_parts_of
from tanada.inference.profile import Target, sd_target
from tanada.inference.structures import theta_is_relative
from tanada.inference.wald import critical
from tanada.inference.workspace import Workspace
from tanada.post.variance_parts import VarianceParts, needs_null

Array = NDArray[np.float64]


def icc_values(parts: VarianceParts) -> dict[str, float]:
    """Adjusted: random over random plus residual; unadjusted: fixed effects count in the total (Nakagawa et al. 2017)."""
    random = parts.random_total
    return {"icc_adjusted": random / (random + parts.residual), "icc_unadjusted": random / parts.total}


def icc_by_term(parts: VarianceParts) -> dict[str, Any]:
    """group, term, variance, icc_adjusted, icc_unadjusted of each random term."""
    v = np.array([x[2] for x in parts.random])
    return {
        "group": np.array([x[0] for x in parts.random], dtype=object),
        "term": np.array([x[1] for x in parts.random], dtype=object),
        "variance": v,
        "icc_adjusted": v / (parts.random_total + parts.residual),
        "icc_unadjusted": v / parts.total,
    }


def check_random(parts: VarianceParts) -> None:
    """An intraclass correlation needs a random effect."""
    if not parts.random:
        raise ModelError("icc: this model has no grouping factor below which rows are alike; add a random intercept such as (1 | school).")


def profile_icc(work: Workspace, parts: VarianceParts, level: float) -> tuple[Array, Array]:
    """Profile-likelihood limits of the intraclass correlation of a model with one random intercept, of which it is a monotone function.

    Gaussian models: icc = theta^2 / (1 + theta^2), theta the SD relative to sigma, with sigma and the fixed effects profiled out. Other families: the residual variance
    on the scale of the linear predictor is a constant of the link. REML fits are profiled by ML.

    Raises
    ------
    ModelError
        For models with slopes or several random terms.
    """
    fit = work.fit
    if len(fit.terms) != 1 or fit.terms[0].names != ("(Intercept)",) or needs_null(fit) or not parts.random:
        raise ModelError("icc: a profile interval needs a model with one random intercept and a constant residual variance; use ci='boot'.")
    z = float(critical(level, np.array(np.inf)))
    if theta_is_relative(fit):
        if fit.reml:
            work = Workspace(fit_mixed(fit.data, replace(fit.objective.options, reml=False, start=None)))
            fit = work.fit
        theta = float(fit.values[fit.params.index("theta")[0]])
        parts_sd = variance_parts_of(work, level)[0]
        step = max(parts_sd.std_error / float(fit.sigma or 1.0), 0.05 * max(theta, 0.1)) if np.isfinite(parts_sd.std_error) else 0.1
        profiled = cast(ProfiledObjective, fit.objective)
        target = Target(theta, step, 0.0, np.inf, -2 * fit.loglik, lambda t: profiled.theta_deviance(np.array([t])), lambda t: t**2 / (1 + t**2))
    else:
        target = replace(sd_target(work, 0, 0), back=lambda s: s**2 / (s**2 + parts.residual))
    low, high = target.interval(z)
    return np.array([low]), np.array([high])
