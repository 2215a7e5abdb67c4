"""Intraclass correlation from a variance decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError
from tanada.post.variance_parts import VarianceParts


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
