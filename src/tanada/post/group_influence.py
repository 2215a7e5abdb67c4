"""What leaving out one group does to the fixed effects: Cook's distances and changes of the coefficients.

With K = (X'V^-1X)^-1, score s_g = X_g'V_g^-1(y_g - X_g beta) and information I_g = X_g'V_g^-1X_g of group g,

    beta without g - beta = -(K^-1 - I_g)^-1 s_g        D_g = change' K^-1 change / p

which is exact for Gaussian models with nested groups and variance parameters held (Demidenko & Stukel 2005, eq. 11), and one Fisher step elsewhere.
Cost: one solve with V a column of X.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError
from tanada.inference.workspace import Workspace
from tanada.post.family_rows import family_of
from tanada.post.residuals import residuals

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Influence:
    """Influence of each level: Cook's distance (L,), change of the fixed effects of the conditional model (L, p) in standard errors."""

    distance: Array
    change: Array
    names: tuple[str, ...]


def group_influence(work: Workspace, codes: NDArray[np.intp], levels: int) -> Influence:
    """Influence of the groups that `codes` (n,) names.

    Raises
    ------
    ModelError
        When there are no fixed effects, or too few groups to leave one out.
    """
    fit = work.fit
    component = fit.data.components[0]
    X, p = component.X, component.X.shape[1]
    if p == 0 or levels < 3:
        raise ModelError(f"influence of groups needs fixed effects and three groups or more; there are {p} effects and {levels} groups.")
    system = work.system
    n = fit.nobs
    stacked = np.zeros((system.X.shape[0], p))
    stacked[:n] = X
    ViX = system.v_inverse(stacked)[:n]
    score_rows = row_scores(work)
    total = X.T @ ViX
    information: Array = np.stack([np.stack([np.bincount(codes, X[:, i] * ViX[:, j], levels).astype(float) for j in range(p)], -1) for i in range(p)], -2)
    information = 0.5 * (information + information.swapaxes(-1, -2))
    score = np.column_stack([np.bincount(codes, X[:, j] * score_rows, minlength=levels) for j in range(p)])
    rest = total - information
    scale = np.sqrt(np.maximum(np.diag(total), 1e-300))
    scaled = rest / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(scaled)
    usable = values > 1e-10
    inverse = (vectors * np.where(usable, 1.0 / np.where(usable, values, 1.0), 0.0)[:, None, :]) @ vectors.swapaxes(-1, -2)
    change = -np.einsum("gij,gj->gi", inverse, score / scale) / scale
    change[~usable.all(axis=1)] = np.nan  # a coefficient that this group alone determines
    distance = np.einsum("gi,ij,gj->g", change, total, change) / p
    se = np.sqrt(np.maximum(np.diag(np.linalg.pinv(total / np.outer(scale, scale))), 1e-300)) / scale
    return Influence(distance, change / se, component.names)


def row_scores(work: Workspace) -> Array:
    """Derivative of the conditional log-density in the linear predictor, (n,): V^-1 (y - X beta) for Gaussian models."""
    fit = work.fit
    if fit.family == "gaussian" and fit.link == "identity" and len(fit.data.components) == 1:
        return np.asarray(residuals(fit, "response") * fit.data.weights / float(fit.sigma or 1.0) ** 2, float)
    raw, scaled = residuals(fit, "response"), residuals(fit, "scaled")
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.where(raw != 0, scaled**2 / raw, 0.0)
    return np.asarray(out * family_of(fit).mu_eta(fit.eta), float)
