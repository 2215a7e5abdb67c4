"""Options that decide what a model's parameter table holds (lavaan's names, with underscores)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TableOptions:
    """Defaults of `sem` and `cfa`; `growth` frees the means of latent variables instead of the observed intercepts."""

    meanstructure: bool = False
    std_lv: bool = False
    fixed_x: bool = True
    orthogonal: bool = False
    int_ov_free: bool = True
    int_lv_free: bool = False
    auto_fix_first: bool = True
    auto_fix_single: bool = True
    auto_var: bool = True
    auto_cov_lv_x: bool = True
    auto_cov_y: bool = True
    effect_coding: bool = False
    parameterization: str = "delta"
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()


GROUP_EQUAL = (
    "loadings", "intercepts", "means", "thresholds", "regressions", "residuals", "residual_covariances", "lv_variances", "lv_covariances", "composite_loadings",
)  # fmt: skip
