"""Sentences in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tanada as tn
from tanada.documents.model_facts import Effect, MixedFacts, SemFacts
from tanada.documents.numbers import count, degrees, interval, p_words, plain, share

METHODS = {"ML": "maximum likelihood", "REML": "restricted maximum likelihood", "Laplace": "maximum likelihood, Laplace approximation"}
TESTS = {
    "satterthwaite": "t tests with Satterthwaite's degrees of freedom",
    "kenward-roger": "t tests with Kenward-Roger's degrees of freedom",
    "residual": "t tests with the residual degrees of freedom",
    "z": "Wald z tests",
}


CORRECTIONS = {
    "satorra.bentler": "Satorra-Bentler",
    "yuan.bentler": "Yuan-Bentler",
    "yuan.bentler.mplus": "Yuan-Bentler",
    "scaled.shifted": "scaled and shifted",
    "mean.var.adjusted": "mean and variance",
}


def joined(items: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def times(term: str) -> str:
    """ "a:b" as "a x b"."""
    return term.replace(":", " \N{MULTIPLICATION SIGN} ")


def method_words(method: str) -> str:
    if method.startswith("AGQ"):
        return f"maximum likelihood, adaptive Gauss-Hermite quadrature with {method[4:-1]} points"
    return METHODS.get(method, method)


def mixed_english(f: MixedFacts) -> str:
    """The report of a mixed model."""
    return "\n\n".join(p for p in (_model(f), _shares(f), _effects(f), _random(f), _close(f)) if p)


def _model(f: MixedFacts) -> str:
    if f.family == "gaussian" and f.link == "identity":
        kind = "linear mixed model" if f.groups else "linear model"
    else:
        kind = f"generalized linear {'mixed ' if f.groups else ''}model ({f.family} family, {f.link} link"
    detail = f"{kind}; {method_words(f.method)})" if "(" in kind else f"{kind} ({method_words(f.method)})"
    predictors = list(dict.fromkeys(e.term for e in f.effects if e.component == "cond" and e.term != "(Intercept)"))
    shown = [times(p) for p in predictors]
    what = f" with {joined(shown)} as predictor{'s' if len(shown) > 1 else ''}" if 0 < len(shown) <= 8 else f" with {len(shown)} coefficients" if shown else " without predictors"
    data = f"The data were {count(f.nobs)} observations" + (f" in {joined([f'{count(k)} groups ({g})' for g, k in f.groups.items()])}" if f.groups else "")
    left = f"; {count(f.dropped)} row{'s' if f.dropped > 1 else ''} with missing values {'were' if f.dropped > 1 else 'was'} left out" if f.dropped else ""
    random = ""
    if f.random:
        random = " The model had " + joined([f"{_random_names(names)} by {g}" for g, names in f.random]) + "."
    trouble = f" Note: {f.trouble}" if f.trouble else ""
    return f"A {detail} was fitted to {f.response}{what} (formula: {f.formula}). {data}{left}.{random}{trouble}"


def _random_names(names: Sequence[str]) -> str:
    slopes = [n for n in names if n != "(Intercept)"]
    parts = ["random intercepts"] if "(Intercept)" in names else []
    if slopes:
        parts.append(f"random slopes of {joined(slopes)}")
    return joined(parts)


def _shares(f: MixedFacts) -> str:
    out = []
    if f.r2 is not None and any(e.term != "(Intercept)" for e in f.effects):
        marginal, conditional = f.r2
        if conditional is None:
            out.append(f"The model explained {100 * marginal:.1f}% of the variance (R\N{SUPERSCRIPT TWO} = {share(marginal)}).")
        else:
            out.append(
                f"The fixed effects explained {100 * marginal:.1f}% of the variance (marginal R\N{SUPERSCRIPT TWO} = {share(marginal)}), fixed and random effects "
                f"together {100 * conditional:.1f}% (conditional R\N{SUPERSCRIPT TWO} = {share(conditional)}){_scale(f)}."
            )
    if f.icc is not None:
        out.append(f"The adjusted intraclass correlation was {share(f.icc)}.")
    return " ".join(out)


def _scale(f: MixedFacts) -> str:
    return "" if f.link == "identity" else ", on the scale of the linear predictor"


def _effects(f: MixedFacts) -> str:
    out = [_effect(e, f) for e in f.effects if e.term != "(Intercept)"]
    start = [_intercept(e, f) for e in f.effects if e.term == "(Intercept)" and e.component == "cond"]
    return " ".join(start + out)


def _numbers(e: Effect, f: MixedFacts) -> str:
    test = f"t({degrees(e.df)})" if f.tests != "z" else "z"
    ratio = ""
    if f.link in ("logit", "log") and e.component == "cond" and e.term != "(Intercept)":
        from math import exp

        name = "OR" if f.link == "logit" else "ratio"
        ratio = f"; {name} = {plain(exp(e.estimate))}, {100 * f.level:g}% CI {interval(exp(e.conf_low), exp(e.conf_high))}"
    return f"b = {plain(e.estimate)}, {100 * f.level:g}% CI {interval(e.conf_low, e.conf_high)}, {test} = {plain(e.statistic)}, {p_words(e.p_value)}{ratio}"


def _intercept(e: Effect, f: MixedFacts) -> str:
    where = "" if f.link == "identity" else f" on the {f.link} scale"
    return f"The intercept{where} was {plain(e.estimate)} ({100 * f.level:g}% CI {interval(e.conf_low, e.conf_high)})."


def _effect(e: Effect, f: MixedFacts) -> str:
    part = {"zi": " on zero inflation", "disp": " on dispersion"}.get(e.component, "")
    what = f"The interaction {times(e.term)}" if ":" in e.term else f"The effect of {e.term}"
    direction = "positive" if e.estimate > 0 else "negative"
    verdict = f"was {direction} and statistically significant" if e.p_value < 1 - f.level else f"was {direction} and not statistically significant"
    return f"{what}{part} {verdict} ({_numbers(e, f)})."


def _random(f: MixedFacts) -> str:
    if not f.spread:
        return f"The residual standard deviation was {plain(f.residual)}." if f.residual is not None else ""
    parts = [f"{plain(sd)} for {'intercepts' if n == '(Intercept)' else 'slopes of ' + n} between levels of {g}" for g, n, sd in f.spread]
    out = f"Standard deviation{'s' if len(parts) > 1 else ''} of the random effects: {joined(parts)}."
    for g, a, b, r in f.correlations:
        names = ["intercepts" if n == "(Intercept)" else f"slopes of {n}" for n in (a, b)]
        out += f" The correlation of {names[0]} and {names[1]} by {g} was {share(r)}."
    return out + (f" The residual standard deviation was {plain(f.residual)}." if f.residual is not None else "")


def _close(f: MixedFacts) -> str:
    return f"Confidence intervals and p values are from {TESTS.get(f.tests, f.tests)}. The model was fitted in Tanada {tn.__version__} for Python."


def sem_english(f: SemFacts) -> str:
    """The report of a structural equation model."""
    kind = "two-level structural equation model" if f.levels > 1 else "structural equation model"
    data = f"{count(f.nobs)} observations" + (f" in {count(f.clusters)} clusters ({f.cluster})" if f.clusters else "")
    data += f" from {len(f.groups)} groups" if len(f.groups) > 1 else ""
    first = f"A {kind} was fitted to {data} with the estimator {f.estimator}." + (f" Note: {f.trouble}" if f.trouble else "")
    return "\n\n".join(p for p in (first, _sem_fit(f), _sem_loadings(f), _sem_paths(f), f"The model was fitted in Tanada {tn.__version__} for Python.") if p)


def measures_for(m: Mapping[str, float], *wanted: tuple[str, str]) -> list[tuple[str, str]]:
    """Keys and names of fit measures that have a value, the robust version where there is one."""
    out = []
    for key, name in wanted:
        for k in (f"{key}.robust", key):
            if m.get(k, float("nan")) == m.get(k, float("nan")) and k in m:
                out.append((k, name))
                break
    return out


def _sem_fit(f: SemFacts) -> str:
    m = f.measures
    if f.df <= 0:
        return "The model is saturated (0 degrees of freedom), so its fit cannot be tested."
    chi = "\N{GREEK SMALL LETTER CHI}\N{SUPERSCRIPT TWO}"
    out = [f"{chi}({f.df}) = {plain(f.chisq)}, {p_words(f.p_value)}"]
    if f.scaled is not None:
        kind, stat, df, p = f.scaled
        out = [f"{chi}({degrees(df)}) = {plain(stat)}, {p_words(p)} ({CORRECTIONS.get(kind, kind)} correction; uncorrected {chi}({f.df}) = {plain(f.chisq)})"]
    out += [f"{'robust ' if k.endswith('.robust') else ''}{name} = {share(m[k], 3)}" for k, name in measures_for(m, ("cfi", "CFI"), ("tli", "TLI"))]
    for key, _ in measures_for(m, ("rmsea", "RMSEA")):
        robust = key.endswith(".robust")
        low, high = (m.get(f"rmsea.ci.{end}{'.robust' if robust else ''}", float("nan")) for end in ("lower", "upper"))
        out.append(f"{'robust ' if robust else ''}RMSEA = {share(m[key], 3)}" + (f", 90% CI [{share(low, 3)}, {share(high, 3)}]" if low == low and high == high else ""))
    shown = (("srmr_within", "SRMR within"), ("srmr_between", "SRMR between")) if f.levels > 1 else (("srmr", "SRMR"),)
    out += [f"{name} = {share(m[k], 3)}" for k, name in shown if k in m and m[k] == m[k]]
    return "Fit of the model: " + "; ".join(out) + "."


def _sem_loadings(f: SemFacts) -> str:
    out = []
    for level, low, high in f.loadings:
        where = f" at level {level}" if f.levels > 1 else ""
        out.append(f"Standardised loadings{where} had absolute values from {share(low)} to {share(high)}.")
    return " ".join(out)


def _sem_paths(f: SemFacts) -> str:
    out = []
    for lhs, rhs, level, group, est, se, z, p, beta in f.paths:
        where = f" at level {level}" if f.levels > 1 else ""
        where += f" in group {group}" if len(f.groups) > 1 else ""
        word = "significant" if p < 0.05 else "not significant"
        out.append(f"The regression of {lhs} on {rhs}{where} was {word} (b = {plain(est)}, SE = {plain(se)}, z = {plain(z)}, {p_words(p)}, \N{GREEK SMALL LETTER BETA} = {share(beta)}).")
    return " ".join(out)
