"""Models side by side: information criteria and weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit

Array = NDArray[np.float64]


def information_table(fits: Sequence[MixedFit], labels: Sequence[str]) -> dict[str, Any]:
    """model, npar, loglik, aic, aicc, bic, aic_difference, aic_weight, bic_weight.

    AICc is Hurvich & Tsai's (1989) with the number of rows; weights are Akaike's (Burnham & Anderson 2002) and their analogue for BIC.
    """
    n = np.array([f.nobs for f in fits], float)
    k = np.array([f.npar for f in fits], float)
    loglik = np.array([f.loglik for f in fits])
    aic = -2 * loglik + 2 * k
    with np.errstate(divide="ignore", invalid="ignore"):
        aicc = np.where(n - k - 1 > 0, aic + 2 * k * (k + 1) / (n - k - 1), np.inf)
    bic = -2 * loglik + np.log(n) * k
    return {
        "model": np.array(labels, dtype=object),
        "npar": k.astype(np.int64),
        "loglik": loglik,
        "aic": aic,
        "aicc": aicc,
        "bic": bic,
        "aic_difference": aic - aic.min(),
        "aic_weight": weights(aic),
        "bic_weight": weights(bic),
    }


def weights(criterion: Array) -> Array:
    """exp(-difference / 2), summing to one."""
    w = np.exp(-0.5 * (criterion - criterion.min()))
    return np.asarray(w / w.sum())
