"""Explained variance: Nakagawa's R2, and the share of each level's variance explained against a first model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tanada.errors import ModelError
from tanada.post.variance_parts import VarianceParts


def r2_values(parts: VarianceParts) -> dict[str, float]:
    """Marginal (fixed effects) and conditional (fixed and random effects) R2."""
    return {"r2_marginal": parts.fixed / parts.total, "r2_conditional": (parts.fixed + parts.random_total) / parts.total}


def pve_table(parts: Sequence[VarianceParts], labels: Sequence[str]) -> dict[str, Any]:
    """model, level, variance, pve: (first - this) / first for each grouping factor and the residual.

    Raises
    ------
    ModelError
        When a model lacks a grouping factor of the first.
    """
    base = {**parts[0].by_group(), "Residual": parts[0].residual}
    rows = []
    for label, p in zip(labels, parts):
        own = {**p.by_group(), "Residual": p.residual}
        missing = set(base) - set(own)
        if missing:
            raise ModelError(f"pve: model '{label}' has no random effect of '{sorted(missing)[0]}', which the first model has; levels must match.")
        for level, first in base.items():
            rows.append((label, level, own[level], (first - own[level]) / first if first > 0 else np.nan))
    names = ("model", "level", "variance", "pve")
    return {n: np.array(c, dtype=object if i < 2 else float) for i, (n, c) in enumerate(zip(names, zip(*rows)))}
