"""What a caller asks of a SEM fit, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tanada.errors import ModelError, did_you_mean

ESTIMATORS = ("ML", "MLR", "MLM", "MLMV", "MLMVS", "MLF", "GLS", "ULS", "WLS", "DWLS", "WLSM", "WLSMV", "ULSM", "ULSMV")
SE_KINDS = ("standard", "robust", "robust.sem", "robust.huber.white", "first.order", "bootstrap", "none", "cluster")
TESTS = ("standard", "satorra.bentler", "yuan.bentler", "yuan.bentler.mplus", "mean.var.adjusted", "scaled.shifted", "none")


@dataclass(frozen=True)
class SemOptions:
    """Options of one SEM fit; `None` means lavaan's default for the estimator and data."""

    kind: str = "sem"  # sem, cfa or growth
    estimator: str = "ML"
    missing: str = "listwise"
    se: str | None = None
    test: str | None = None
    information: str | None = None
    likelihood: str = "normal"
    std_lv: bool = False
    meanstructure: bool | None = None
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()
    fixed_x: bool = True
    orthogonal: bool = False
    auto_fix_first: bool = True
    auto_var: bool = True
    auto_cov_lv_x: bool = True
    auto_cov_y: bool = True
    effect_coding: bool = False
    int_ov_free: bool | None = None
    int_lv_free: bool | None = None
    parameterization: str = "delta"
    bounds: bool = False
    smooth: bool = True  # smooth moments as lavaan does in the baseline and the SRMR of two-level models
    bootstrap: int = 1000
    seed: int = 1
    max_iterations: int = 500
    tolerance: float = 1e-6
    start: Any = None
    control: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def build(cls, **given: Any) -> SemOptions:
        """Check names and values; unknown names raise with near matches."""
        known = {f.name for f in fields(cls)}
        for name in given:
            if name not in known:
                raise ModelError(f"'{name}' is not an option of a structural equation model.{did_you_mean(name, known)}")
        control = dict(given.pop("control", None) or {})
        for name in list(control):
            if name in known:
                given[name] = control.pop(name)
            else:
                raise ModelError(f"control: '{name}' is not an option.{did_you_mean(name, sorted(known))}")
        for name in ("group_equal", "group_partial"):
            v = given.get(name) or ()
            given[name] = (v,) if isinstance(v, str) else tuple(str(s) for s in v)
        given["group_equal"] = tuple(s.replace(".", "_") for s in given["group_equal"])
        out = cls(**given)
        _one_of("estimator", out.estimator, ESTIMATORS)
        _one_of("missing", out.missing, ("listwise", "fiml", "ml"))
        _one_of("likelihood", out.likelihood, ("normal", "wishart"))
        _one_of("parameterization", out.parameterization, ("delta", "theta"))
        for name, values in (("se", SE_KINDS), ("test", TESTS), ("information", ("expected", "observed", "first.order"))):
            if getattr(out, name) is not None:
                _one_of(name, getattr(out, name), values)
        return out


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ModelError(f"{name} = {value!r} is not known.{did_you_mean(str(value), allowed) or ' Known: ' + ', '.join(allowed) + '.'}")
