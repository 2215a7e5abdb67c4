"""Rows of a table of models: estimates, variances and measures of fit of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tanada.api.performance_measures import icc, r2
from tanada.post.random_effects import variance_table

NAN = float("nan")
COMPONENTS = {"cond": "Fixed effects", "zi": "Zero inflation", "disp": "Dispersion"}
RANDOM = {"cond": "Random effects", "zi": "Random effects, zero inflation", "disp": "Random effects, dispersion"}


@dataclass(frozen=True)
class Entry:
    """One row of one model."""

    section: str
    term: str
    estimate: Any
    std_error: float = NAN
    statistic: float = NAN
    p_value: float = NAN
    conf_low: float = NAN
    conf_high: float = NAN
    digits: int | None = None  # decimals; default those of the table

    @property
    def key(self) -> tuple[str, str]:
        return self.section, self.term


def _entry(section: str, term: str, values: Sequence[Any]) -> Entry:
    """Estimate, standard error, statistic, p value and limits of one parameter."""
    est, se, statistic, p, low, high = (NAN if v is None else float(v) for v in values)
    return Entry(section, term, est, se, statistic, p, low, high)


def mixed_entries(m: Any, level: float, ddf: str | None, exponentiate: bool, fit: bool) -> list[Entry]:
    """Fixed effects, SDs and correlations, measures of fit."""
    out = []
    t = m.fixef(ddf=ddf, level=level)
    columns = {c: np.asarray(t[c]) for c in ("component", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")}
    ratio = exponentiate and m.link in ("log", "logit")
    for row in zip(*columns.values()):
        component, term, est, se, statistic, p, low, high = row
        values = [float(v) for v in (est, se, statistic, p, low, high)]
        if ratio and component == "cond":
            values = [float(np.exp(values[0])), float(np.exp(values[0])) * values[1], values[2], values[3], float(np.exp(values[4])), float(np.exp(values[5]))]
        out.append(_entry(COMPONENTS.get(str(component), str(component)), str(term), values))
    v = variance_table(m.fit)
    for component, group, a, b, sd, cor in zip(*(v[k] for k in ("component", "group", "term1", "term2", "std_dev", "correlation"))):
        section = RANDOM.get(str(component), str(component))
        if b:
            out.append(Entry(section, f"Cor {a}, {b} ({group})", float(cor)))
        else:
            out.append(Entry(section, "SD Residual" if group == "Residual" else f"SD {a} ({group})", float(sd)))
    return out + (mixed_fit_entries(m) if fit else [])


def mixed_fit_entries(m: Any) -> list[Entry]:
    """Sizes and measures of fit."""
    out = [Entry("Fit", "Observations", m.nobs, digits=0)]
    out += [Entry("Fit", f"Groups ({g})", k, digits=0) for g, k in m.n_groups.items()]
    explained = r2(m)
    if m.n_groups:
        out += [Entry("Fit", "ICC (adjusted)", float(icc(m)["icc_adjusted"][0]), digits=3), Entry("Fit", "R2 conditional", float(explained["r2_conditional"][0]), digits=3)]
    out.append(Entry("Fit", "R2 marginal" if m.n_groups else "R2", float(explained["r2_marginal"][0]), digits=3))
    return [*out, *(Entry("Fit", n, float(v)) for n, v in (("Log-likelihood", m.loglik), ("AIC", m.aic), ("BIC", m.bic))), Entry("Fit", "Estimation", m.fit.method)]


SEM_PARTS = {"=~": "Loadings", "~": "Regressions", "~1": "Intercepts", ":=": "Defined parameters", "|": "Thresholds", "<~": "Composites", "~*~": "Scales"}


def sem_entries(f: Any, level: float, standardized: bool, fit: bool) -> list[Entry]:
    """Parameters by part and level, measures of fit."""
    t = f.parameters(level=level)
    names = ("lhs", "op", "rhs", "group", "level", "free", "estimate", "std_error", "z", "p_value", "conf_low", "conf_high", "std_all")
    columns = [np.asarray(t[n], dtype=object) for n in names]
    levels, groups = {v for v in columns[4] if v}, {str(v) for v in columns[3] if v not in (None, "")}
    out = []
    for lhs, op, rhs, group, lev, free, est, se, z, p, low, high, std in zip(*columns):
        if op in ("==", "<", ">") or (op == "~1" and not free and est == 0):
            continue
        part = ("Variances" if lhs == rhs else "Covariances") if op == "~~" else SEM_PARTS.get(str(op), str(op))
        where = [f"group {group}"] if len(groups) > 1 and op != ":=" else []
        where += [f"level {lev}"] if len(levels) > 1 and lev else []
        section = part + (f" ({', '.join(where)})" if where else "")
        term = str(lhs) if (op == "~~" and lhs == rhs) or op in ("~1", ":=") else f"{lhs} {'~~' if op == '~~' else op} {rhs}"
        values = (std, NAN, z, p, NAN, NAN) if standardized else (est, se, z, p, low, high)
        out.append(_entry(section, term, values))
    return out + (sem_fit_entries(f) if fit else [])


def sem_fit_entries(f: Any) -> list[Entry]:
    """Sizes and fit measures."""
    out = [Entry("Fit", "Observations", f.nobs, digits=0)]
    out += [Entry("Fit", "Clusters", f.n_clusters, digits=0)] if f.n_clusters else []
    out += [Entry("Fit", "Chi-square", float(f.chisq)), Entry("Fit", "df", f.df, digits=0), Entry("Fit", "p (chi-square)", float(f.p_value), digits=3)]
    measures = f.fit_measures()
    shown = (("cfi", "CFI"), ("tli", "TLI"), ("rmsea", "RMSEA"), ("srmr", "SRMR"), ("srmr_within", "SRMR within"), ("srmr_between", "SRMR between"))
    out += [Entry("Fit", name, float(measures[k]), digits=3) for k, name in shown if k in measures and np.isfinite(measures[k])]
    criteria = (("Log-likelihood", f.loglik), ("AIC", measures.get("aic", NAN)), ("BIC", measures.get("bic", NAN)))
    return [*out, *(Entry("Fit", n, float(v)) for n, v in criteria if np.isfinite(v)), Entry("Fit", "Estimation", f.estimator)]
