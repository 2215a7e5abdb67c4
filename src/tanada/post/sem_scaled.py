"""Fit measures of robust tests: `.scaled` from the scaled statistic, `.robust` corrected for its expected value."""

from __future__ import annotations

import math

from tanada.engine.sem_baseline import Baseline
from tanada.engine.sem_fit import SemFit
from tanada.inference.sem_missing import complete_discrepancy, saturated_information
from tanada.inference.sem_polychoric import polychoric_discrepancy
from tanada.inference.sem_tests import ScaledTest, robust_kind, robust_test, saturated_fit, trace_factor
from tanada.post.sem_fitmeasures import chi_square_p, incremental, noncentrality, rmsea_family, standard_test


def both_tests(fit: SemFit, base: Baseline) -> tuple[ScaledTest, ScaledTest | None]:
    """The scaled test of the model and of the baseline."""
    kind = robust_kind(fit) or ""
    trace = trace_factor(saturated_fit(fit)) if kind.startswith("yuan") else None
    model = robust_test(fit, standard_test(fit).stat, trace)
    b = base.fit or _baseline_fit(fit)
    return model, robust_test(b, base.chisq, trace)


def _baseline_fit(fit: SemFit) -> SemFit:
    from tanada.engine.sem_baseline import baseline_fit

    return baseline_fit(fit)


def scaled_measures(fit: SemFit, base: Baseline, n: float) -> dict[str, float]:
    """All measures with the endings .scaled and .robust.

    References
    ----------
    Brosseau-Liard & Savalei (2014), Multivariate Behavioral Research 49; Savalei (2018), Psychological Methods 23.
    """
    test, null = both_tests(fit, base)
    assert null is not None
    groups = fit.table.n_groups
    out: dict[str, float] = {"chisq.scaled": test.stat, "df.scaled": test.df, "pvalue.scaled": chi_square_p(test.stat, test.df), "chisq.scaling.factor": test.factor}
    out |= {"baseline.chisq.scaled": null.stat, "baseline.df.scaled": null.df, "baseline.pvalue.scaled": chi_square_p(null.stat, null.df), "baseline.chisq.scaling.factor": null.factor}
    out |= {f"{k}.scaled": v for k, v in incremental(test.stat, test.df, null.stat, null.df).items()}
    if not math.isnan(test.h1):
        out |= {"scaling.factor.h1": test.h1, "scaling.factor.h0": test.h0}
    shifted = test.kind == "scaled.shifted" or not test.factor > 0
    family = rmsea_family(test.stat, test.df, n, groups) if shifted else rmsea_family(standard_test(fit).stat, test.factor * test.df, n, groups)
    out |= {f"{k}.scaled": family[k] for k in ("rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue", "rmsea.notclose.pvalue")}
    if fit.sample.likelihood and fit.sample.kind != "fiml" or fit.sample.kind == "least_squares" and not fit.table.ordered:
        out |= _robust(fit, base, test, null, n)
    if fit.table.ordered and fit.table.n_groups == 1 and len(fit.table.ordered) == len(fit.table.blocks[0].roles.ov):
        out |= ordered_measures(fit, base, n)
    return out


def _robust(fit: SemFit, base: Baseline, test: ScaledTest, null: ScaledTest, n: float) -> dict[str, float]:
    """CFI, TLI and RMSEA that estimate the population values of the unscaled statistics."""
    stat, df, c = standard_test(fit).stat, float(standard_test(fit).df), test.mean_factor
    cb = null.mean_factor
    if df <= 0:
        return dict.fromkeys(("cfi.robust", "tli.robust", "nnfi.robust", "rni.robust"), math.nan) | dict.fromkeys(
            ("rmsea.pvalue.robust", "rmsea.notclose.pvalue.robust"), math.nan
        ) | dict.fromkeys(("rmsea.robust", "rmsea.ci.lower.robust", "rmsea.ci.upper.robust"), 0.0
        )
    t1, t2 = max(stat - c * df, 0.0), max(base.chisq - cb * base.df, stat - c * df, 0.0)
    out = {"cfi.robust": 1.0 - t1 / t2 if t2 > 0 else 1.0}
    tli = 1.0 - (stat - c * df) * base.df / ((base.chisq - cb * base.df) * df)
    out |= {"tli.robust": tli, "nnfi.robust": tli, "rni.robust": 1.0 - (stat - c * df) / (base.chisq - cb * base.df)}
    out["rmsea.robust"] = math.sqrt(max((stat - c * df) / (n * df), 0.0) * fit.table.n_groups)
    return out | _rmsea_interval(test.stat, df, test.factor if test.kind == "scaled.shifted" else c, n, fit.table.n_groups)


def _rmsea_interval(stat: float, df: float, c: float, n: float, groups: int) -> dict[str, float]:
    """Interval and tests of a robust RMSEA whose statistic was divided by c."""
    from scipy.special import chndtr

    scale = c * groups / (n * df)
    return {
        "rmsea.ci.lower.robust": math.sqrt(noncentrality(stat, df, 0.95) * scale),
        "rmsea.ci.upper.robust": math.sqrt(noncentrality(stat, df, 0.05) * scale),
        "rmsea.pvalue.robust": 1.0 - float(chndtr(stat, df, n * df * 0.05**2 / groups / c)),
        "rmsea.notclose.pvalue.robust": float(chndtr(stat, df, n * df * 0.08**2 / groups / c)),
    }


def ordered_measures(fit: SemFit, base: Baseline, n: float) -> dict[str, float]:
    """CFI, TLI and RMSEA of ordered variables as maximum likelihood on their polychoric correlations would have them.

    References
    ----------
    Savalei (2021), Multivariate Behavioral Research 56.
    """
    df = float(standard_test(fit).df)
    if df <= 0 or base.fit is None:
        return {}
    (x, k), (xb, kb) = polychoric_discrepancy(fit), polychoric_discrepancy(base.fit)
    return _corrected(x, k, xb, kb, df, base.df, n, 1)


def _corrected(x: float, k: float, xb: float, kb: float, df: float, base_df: int, n: float, groups: int) -> dict[str, float]:
    """Indices from discrepancies x, xb (model, baseline) whose expectations under the models are k, kb."""
    t = max(x - k, 0.0)
    out = {"cfi.robust": 1.0 - t / max(xb - kb, t) if max(xb - kb, t) > 0 else 1.0}
    tli = 1.0 - (x - k) * base_df / ((xb - kb) * df)
    out |= {"tli.robust": tli, "nnfi.robust": tli, "rni.robust": 1.0 - (x - k) / (xb - kb)}
    out["rmsea.robust"] = math.sqrt(max((x - k) / (n * df), 0.0) * groups)
    return out | _rmsea_interval(x * df / k, df, k / df, n, groups)


def missing_measures(fit: SemFit, base: Baseline, n: float) -> dict[str, float]:
    """CFI, TLI and RMSEA of incomplete data on the scale of complete data.

    References
    ----------
    Zhang & Savalei (2023), Structural Equation Modeling 30.
    """
    df = float(standard_test(fit).df)
    if df <= 0 or base.fit is None:
        return dict.fromkeys(("cfi.robust", "tli.robust", "nnfi.robust", "rni.robust", "rmsea.robust"), math.nan)
    h = saturated_information(fit, robust_kind(fit) is not None)
    (x, k), (xb, kb) = complete_discrepancy(fit, h), complete_discrepancy(base.fit, h)
    return _corrected(x, k, xb, kb, df, base.df, n, fit.table.n_groups)
