"""Which robust test goes with a fit."""

from __future__ import annotations

from tanada.engine.sem_fit import SemFit

_BY_ESTIMATOR = {
    "MLR": "yuan.bentler.mplus", "MLM": "satorra.bentler", "MLMV": "scaled.shifted", "MLMVS": "mean.var.adjusted",
    "WLSM": "satorra.bentler", "WLSMV": "scaled.shifted", "ULSM": "satorra.bentler", "ULSMV": "scaled.shifted",
}  # fmt: skip


def robust_kind(fit: SemFit) -> str | None:
    """The scaled test of the estimator, or the one asked for; None for the standard test only."""
    o = fit.options
    if o.test is not None:
        return None if o.test in ("standard", "none", "bollen.stine") else o.test
    kind = _BY_ESTIMATOR.get(o.estimator)
    if kind is None and fit.sample.data.cluster_name is not None and fit.table.n_levels == 1:
        kind = "yuan.bentler.mplus"
    return kind
