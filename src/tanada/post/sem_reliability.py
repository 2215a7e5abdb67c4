"""Reliability of the sum of each factor's indicators, level by level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError
from tanada.post.sem_standardized import latent_moments
from tanada.semmodel.matrices import matrices

Array = NDArray[np.float64]


def reliability(fit: SemFit) -> list[dict[str, object]]:
    """One row a factor with observed indicators: alpha, omega, ave, and the factor's block.

    Notes
    -----
    alpha from the unrestricted covariance matrix of the indicators; omega = (sum of loadings)^2 Var(f) / variance of the sum as implied by the
    model; ave = share of the factor in the indicators' variance. At level 2 these are reliabilities of cluster means without sampling error
    (Geldhof, Preacher & Zyphur 2014).
    """
    out: list[dict[str, object]] = []
    for m in fit.built.maps:
        lam, theta = matrices(m, fit.x)[:2]
        eta, _ = latent_moments(m, fit.x)
        cov, _ = fit.implied(m.block.number)
        S = fit.h1.moments[m.block.number].cov
        for j, f in enumerate(m.lv[: m.n_lv]):
            items = np.flatnonzero(lam[:, j] != 0)
            if items.size < 2:
                continue
            pick = np.ix_(items, items)
            loading, k = lam[items, j], items.size
            true = float(loading.sum()) ** 2 * float(eta[j, j])
            explained = float((loading**2).sum()) * float(eta[j, j])
            out.append({
                "factor": f, "group": m.block.group, "level": m.block.level, "n_items": int(k),
                "alpha": k / (k - 1) * (1.0 - float(np.trace(S[pick])) / float(S[pick].sum())),
                "omega": true / float(cov[pick].sum()), "ave": explained / (explained + float(np.trace(theta[pick]))),
            })  # fmt: skip
    if not out:
        raise ModelError("reliability: the model has no latent variable with two or more observed indicators.")
    return out
