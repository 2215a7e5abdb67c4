"""The range that holds a share of the population of groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.build import Design
from tanada.engine.fit import MixedFit
from tanada.errors import ModelError
from tanada.inference.wald import critical
from tanada.post.functionals import NODES, rebuilt_components
from tanada.post.grids import Predictors, make_rows
from tanada.post.mean_function import mean_function

Array = NDArray[np.float64]


def population_columns(fit: MixedFit, design: Design, level: float, columns: dict[str, NDArray[Any]] | None, kind: str, groups: tuple[str, ...]) -> dict[str, Any]:
    """link, link_sd, estimate, conf_low, conf_high, mean of each row.

    The linear predictor of a group is normal with mean x'beta and variance z'Sigma z over the grouping factors in `groups`; the limits are its quantiles taken to the
    response scale, `estimate` the typical group (random effects at zero), `mean` the mean over groups.
    """
    if not fit.terms:
        raise ModelError("population_interval: this model has no random effects, so there is no population of groups.")
    quantity = mean_function(fit, kind)
    if quantity.components != ("cond",):
        raise ModelError("population_interval: the mean depends on several linear predictors; use kind='link' or 'conditional'.")
    if columns is None:
        known = Predictors(design)
        rows = make_rows(design, [], "typical")
        if len(rows.cell) > 1:
            factors = [v for v in known.names() if not known.is_numeric(v)]
            raise ModelError(f"population_interval: the model has factors ({', '.join(factors)}); give newdata with the values you mean.")
        columns = rows.columns
    n = len(next(iter(columns.values()))) if columns else 1
    component = rebuilt_components(fit, design, columns, n, True)["cond"]
    eta = component.offset + component.X @ fit.beta["cond"]
    variance = np.zeros(n)
    for t, d in zip([t for t in fit.terms if t.component == "cond"], component.random, strict=True):
        if t.group in groups:
            variance += np.einsum("na,ab,nb->n", d.Z, t.cov, d.Z)
    sd = np.sqrt(variance)
    z = float(critical(level, np.array(np.inf)))
    at = lambda e: quantity.function({"cond": np.asarray(e, float)})[0]  # noqa: E731
    ends = np.sort(np.stack([at(eta - z * sd), at(eta + z * sd)]), axis=0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(2 * NODES)
    spread = at((eta[:, None] + sd[:, None] * nodes).ravel()).reshape(n, -1)
    return {
        "link": eta,
        "link_sd": sd,
        "estimate": at(eta),
        "conf_low": ends[0],
        "conf_high": ends[1],
        "mean": spread @ (weights / weights.sum()),
    }
