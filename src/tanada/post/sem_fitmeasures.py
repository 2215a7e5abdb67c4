"""Fit measures with lavaan's names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tanada.engine.sem_baseline import Baseline, baseline, n_moments
from tanada.engine.sem_fit import SemFit
from tanada.post.sem_residuals import distances, gfi, level_srmr
from tanada.semmodel.sample import LOG2PI


@dataclass(frozen=True)
class Test:
    """A chi-square test of the model."""

    stat: float
    df: int

    @property
    def p_value(self) -> float:
        return chi_square_p(self.stat, self.df)


def chi_square_p(stat: float, df: float) -> float:
    """Upper tail; NaN without degrees of freedom."""
    from scipy.special import gammaincc

    return float(gammaincc(0.5 * df, 0.5 * max(stat, 0.0))) if df > 0 and math.isfinite(stat) else math.nan


def standard_test(fit: SemFit) -> Test:
    """Likelihood-ratio test against the unrestricted model."""
    stat = 2.0 * (fit.h1.loglik + 0.5 * fit.value) if fit.sample.likelihood else fit.sample.test_statistic(fit.built, fit.x)  # type: ignore[attr-defined]
    df = n_moments(fit.table) - fit.npar
    if not np.isfinite(stat):
        return Test(np.nan, df)
    return Test(max(stat, 0.0) if df else _zero(stat), df)


def _zero(stat: float) -> float:
    """A just-identified model reproduces the data: what is left is rounding (or a fit that did not get there, which shows)."""
    return 0.0 if stat < 1e-4 else stat


def rmsea(stat: float, df: float, n: float, groups: int) -> float:
    if df <= 0:
        return 0.0
    return math.sqrt(max((stat - df) / (n * df), 0.0)) * math.sqrt(groups)


def rmsea_family(stat: float, df: float, n: float, groups: int, level: float = 0.9) -> dict[str, float]:
    """RMSEA with its interval from the non-central chi-square (Browne & Cudeck 1993) and the tests of close and not-close fit."""
    from scipy.special import chndtr

    out = {"rmsea": rmsea(stat, df, n, groups)}
    if not math.isfinite(stat):
        return dict.fromkeys((*out, "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue", "rmsea.notclose.pvalue"), math.nan)
    if df <= 0:
        return out | {"rmsea.ci.lower": 0.0, "rmsea.ci.upper": 0.0, "rmsea.ci.level": level, "rmsea.pvalue": math.nan, "rmsea.close.h0": 0.05, "rmsea.notclose.pvalue": math.nan, "rmsea.notclose.h0": 0.08}
    tail = (1.0 - level) / 2.0
    scale = math.sqrt(groups / (n * df))
    for name, p in (("rmsea.ci.lower", 1.0 - tail), ("rmsea.ci.upper", tail)):
        out[name] = math.sqrt(noncentrality(stat, df, p)) * scale
    out["rmsea.ci.level"] = level
    out["rmsea.pvalue"] = 1.0 - float(chndtr(stat, df, n * df * 0.05**2 / groups))
    out["rmsea.close.h0"] = 0.05
    out["rmsea.notclose.pvalue"] = float(chndtr(stat, df, n * df * 0.08**2 / groups))
    out["rmsea.notclose.h0"] = 0.08
    return out


def noncentrality(stat: float, df: float, p: float) -> float:
    """The non-centrality at which `stat` is the p-quantile; 0 where even the central distribution lies beyond."""
    from scipy.optimize import brentq
    from scipy.special import chndtr

    if not math.isfinite(stat) or float(chndtr(stat, df, 0.0)) < p:
        return 0.0
    high = max(stat, 1.0)
    while float(chndtr(stat, df, high)) > p and high < 1e9:
        high *= 2.0
    return float(brentq(lambda v: float(chndtr(stat, df, v)) - p, 0.0, high, xtol=1e-8, rtol=1e-10))


def incremental(stat: float, df: float, base: float, base_df: float) -> dict[str, float]:
    """CFI, TLI and relatives from the model's and the baseline's chi-square."""
    d, b = max(stat - df, 0.0), max(base - base_df, 0.0)
    out = {"cfi": 1.0 if max(d, b) == 0 else 1.0 - d / max(d, b)}
    if df > 0 and base_df > 0:
        ratio_b = base / base_df
        tli = (ratio_b - stat / df) / (ratio_b - 1.0) if ratio_b != 1.0 else math.nan
        rfi = (ratio_b - stat / df) / ratio_b if ratio_b > 0 else math.nan
    else:
        tli = rfi = 1.0
    nfi = (base - stat) / base if base > 0 else math.nan
    out |= {"tli": tli, "nnfi": tli, "rfi": rfi, "nfi": nfi, "pnfi": df / base_df * nfi if base_df > 0 else math.nan}
    out["ifi"] = (base - stat) / (base - df) if base != df else math.nan
    out["rni"] = ((base - base_df) - (stat - df)) / (base - base_df) if base != base_df else math.nan
    if df == 0:
        out |= {"ifi": 1.0, "rni": 1.0}
    return out


def information_criteria(fit: SemFit) -> dict[str, float]:
    n, k = float(fit.sample.data.nobs), fit.npar
    m2 = -2.0 * fit.loglik
    return {
        "logl": fit.loglik, "unrestricted.logl": fit.scale * (fit.h1.loglik - fit.sample.x_loglik()), "aic": m2 + 2.0 * k, "bic": m2 + math.log(n) * k,
        "ntotal": n, "bic2": m2 + math.log((n + 2.0) / 24.0) * k,
    }  # fmt: skip


def fit_measures(fit: SemFit, base: Baseline | None = None, level: int | None = None) -> dict[str, float]:
    """All measures that the model has, in lavaan's order of names."""
    from tanada.inference.sem_tests import robust_kind

    test = standard_test(fit)
    if not math.isfinite(test.stat):
        return {"npar": fit.npar, "df": test.df, "chisq": math.nan} | information_criteria(fit)
    base = base or baseline(fit)
    n = float(sum(g.n for g in fit.sample.data.groups))
    groups = fit.table.n_groups
    n -= groups * float(getattr(fit.sample, "wishart", False) or not fit.sample.likelihood)
    out: dict[str, float] = {"npar": fit.npar, "fmin": _fmin(fit, test, n), "chisq": test.stat, "df": test.df, "pvalue": test.p_value}
    out |= {"baseline.chisq": base.chisq, "baseline.df": base.df, "baseline.pvalue": chi_square_p(base.chisq, base.df)}
    out |= incremental(test.stat, test.df, base.chisq, base.df)
    if fit.sample.likelihood:
        out |= information_criteria(fit)
    out |= rmsea_family(test.stat, test.df, n, groups)
    out |= _residual_measures(fit, test, n)
    if robust_kind(fit) is not None:
        from tanada.post.sem_scaled import scaled_measures

        out |= scaled_measures(fit, base, n)
    if fit.sample.kind == "fiml" and fit.sample.data.missing:
        from tanada.post.sem_scaled import missing_measures

        out |= missing_measures(fit, base, n)
    return out


def _fmin(fit: SemFit, test: Test, n: float) -> float:
    if not fit.sample.likelihood:
        return 0.5 * test.stat / fit.sample.data.nobs
    if fit.table.n_levels == 1:
        return 0.5 * test.stat / n
    groups: Any = fit.sample.groups  # type: ignore[attr-defined]
    values = sum(int(np.count_nonzero(~np.isnan(g.y))) + int(np.count_nonzero(~np.isnan(g.z))) for g in groups)
    return 0.5 * (fit.value - LOG2PI * values) / n


def _residual_measures(fit: SemFit, test: Test, n: float) -> dict[str, float]:
    if fit.table.n_levels > 1:
        within, between = level_srmr(fit)
        return {"srmr": within + between, "srmr_within": within, "srmr_between": between}
    d = distances(fit)
    if fit.table.ordered:
        out = {"rmr": d["rmr"], "rmr_nomean": d["rmr_nomean"], "srmr": d["srmr_bentler_nomean"]}
        out |= {k: d[k] for k in ("srmr_bentler", "srmr_bentler_nomean", "crmr", "crmr_nomean")}
        out |= _sample_size_measures(fit, test, n)
        del out["ecvi"]
        return out | {"wrmr": math.sqrt(test.stat * fit.table.n_groups / sum(s.values.size for s in fit.sample.statistics.values()))}  # type: ignore[attr-defined]
    out = {
        "rmr": d["rmr"], "rmr_nomean": d["rmr_nomean"], "srmr": d["srmr_bentler"], "srmr_bentler": d["srmr_bentler"], "srmr_bentler_nomean": d["srmr_bentler_nomean"],
        "crmr": d["crmr"], "crmr_nomean": d["crmr_nomean"], "srmr_mplus": d["srmr_mplus"], "srmr_mplus_nomean": d["srmr_mplus_nomean"],
    }  # fmt: skip
    out |= _sample_size_measures(fit, test, n)
    return out


def _sample_size_measures(fit: SemFit, test: Test, n: float) -> dict[str, float]:
    from scipy.special import gammaincinv

    out: dict[str, float] = {}
    k = n_moments(fit.table) if fit.table.ordered else sum(len(b.roles.ov) * (len(b.roles.ov) + (3 if fit.table.meanstructure else 1)) // 2 for b in fit.table.blocks)
    if test.df > 0 and test.stat > 0:
        for name, p in (("cn_05", 0.95), ("cn_01", 0.99)):
            out[name] = 2.0 * float(gammaincinv(0.5 * test.df, p)) / (test.stat / n) + 1.0
    else:
        out |= {"cn_05": 1.0, "cn_01": 1.0}
    g = gfi(fit)
    out["gfi"] = g
    out["agfi"] = 1.0 - k / test.df * (1.0 - g) if test.df > 0 else 1.0
    out["pgfi"] = test.df / k * g
    out["mfi"] = math.exp(-0.5 * (test.stat - test.df) / n)
    out["ecvi"] = test.stat / n + 2.0 * fit.npar / n
    return out


def as_plain(values: dict[str, Any]) -> dict[str, float]:
    """Whole counts as integers, everything else as floats."""
    whole = ("npar", "df", "baseline.df", "ntotal", "df.scaled", "baseline.df.scaled")
    return {k: int(v) if k in whole and float(v).is_integer() else float(np.float64(v)) for k, v in values.items()}
