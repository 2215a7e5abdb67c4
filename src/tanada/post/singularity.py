"""Which random-effect covariances are singular."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.engine.fit import MixedFit

TOLERANCE = 1e-4  # of a relative standard deviation


def singular_rows(fit: MixedFit, tolerance: float = TOLERANCE) -> dict[str, Any]:
    """component, group, term, smallest, singular: the smallest relative SD along any direction of the effects.

    `smallest` is the square root of the smallest eigenvalue of the term's covariance, each effect scaled by the root mean square of its column and
    all relative to sigma (or to 1 for families without one).
    """
    scale = float(fit.sigma) if fit.family == "gaussian" and fit.sigma else 1.0
    rows = []
    seen: dict[str, int] = {}
    for t in fit.terms:
        number = seen.get(t.component, 0)
        seen[t.component] = number + 1
        Z = fit.data.component(t.component).random[number].Z
        size = np.sqrt(np.mean(Z**2, axis=0))
        cov = t.cov * np.outer(size, size) / scale**2
        smallest = float(np.sqrt(max(np.linalg.eigvalsh(cov)[0], 0.0)))
        rows.append((t.component, t.group, " + ".join(t.names), smallest, smallest < tolerance))
    names = ("component", "group", "term", "smallest", "singular")
    if not rows:
        return {n: np.array([], dtype=[object, object, object, float, bool][i]) for i, n in enumerate(names)}
    types = (object, object, object, float, bool)
    return {n: np.array(c, dtype=k) for n, c, k in zip(names, zip(*rows), types)}
