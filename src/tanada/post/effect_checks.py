"""Normality of random effects, collinearity of fixed effects, separation of binary responses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit, TermEstimate
from tanada.post.check import NOTE, OK, PROBLEM, SKIPPED, WARNING, Check, p_words

Array = NDArray[np.float64]

ALPHA = 0.05
MANY_ROWS = 50_000


def standardized_modes(t: TermEstimate) -> Array:
    """Conditional modes (L, k) over their sampling SD, sqrt(var(b) - var(b | y)); NaN where that is zero."""
    variance = np.diag(t.cov)[None, :] - np.einsum("lkk->lk", t.cond_var)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 1e-10 * np.maximum(np.diag(t.cov), 1e-300), t.modes / np.sqrt(np.maximum(variance, 0)), np.nan)


def ranef_normality(fit: MixedFit) -> list[Check]:
    """Shapiro and Wilk's test of the standardized conditional modes of each effect."""
    from scipy.stats import norm, shapiro

    out = []
    for t in fit.terms:
        z = standardized_modes(t)
        for j, effect in enumerate(t.names):
            label = f"{effect} | {t.group}" + ("" if t.component == "cond" else f" ({t.component})")
            x = z[np.isfinite(z[:, j]), j]
            name = f"normality of {label}"
            if len(x) < 5 or np.std(x) < 1e-10:
                out.append(Check(name, SKIPPED, f"Too few groups, or no variance, to judge the distribution of {label}."))
                continue
            w, p = shapiro(x[:: max(1, -(-len(x) // 5000))])
            order = np.argsort(np.argsort(x))
            data = {
                "quantiles": {
                    "group": np.full(len(x), t.group, dtype=object),
                    "level": np.array(t.levels, dtype=object)[np.isfinite(z[:, j])],
                    "term": np.full(len(x), effect, dtype=object),
                    "estimate": t.modes[np.isfinite(z[:, j]), j],
                    "standardized": x,
                    "theoretical": norm.ppf((order + 0.5) / len(x)),
                }
            }
            if p < ALPHA:
                text = f"The effects {label} depart from a normal distribution (W = {w:.3f}, {p_words(p)}); look at the plot: fixed effects are robust to this, predictions of extreme groups are not."
                out.append(Check(name, NOTE if p > 0.001 else WARNING, text, float(w), float(p), data))
            else:
                out.append(Check(name, OK, f"The effects {label} look normal (W = {w:.3f}, {p_words(p)}).", float(w), float(p), data))
    return out


def variance_inflation(fit: MixedFit) -> dict[str, dict[str, NDArray]]:
    """component -> columns term, vif, df, vif_per_df (GVIF^(1/(2 df)) squared): Fox & Monette (1992), from the covariance of the estimates."""
    out, first = {}, 0
    for c in fit.data.components:
        p = len(c.names)
        V = fit.vcov_beta[first : first + p, first : first + p]
        first += p
        keep = [i for i, n in enumerate(c.names) if n != "(Intercept)"]
        term_of = np.asarray(c.term_of_column, int) if len(c.term_of_column) == p else np.arange(p)
        labels = c.terms if len(c.term_of_column) == p else c.names
        if len(keep) < 2 or not np.all(np.isfinite(V)):
            continue
        sd = np.sqrt(np.diag(V)[keep])
        R = V[np.ix_(keep, keep)] / np.outer(sd, sd)
        whole = float(np.linalg.det(R))
        terms, vif, df = [], [], []
        for t in dict.fromkeys(term_of[keep].tolist()):
            own = np.flatnonzero(term_of[keep] == t)
            rest = np.setdiff1d(np.arange(len(keep)), own)
            if not len(rest):
                continue
            terms.append(labels[t])
            vif.append(float(np.linalg.det(R[np.ix_(own, own)]) * np.linalg.det(R[np.ix_(rest, rest)]) / max(whole, 1e-300)))
            df.append(len(own))
        if terms:
            v, d = np.array(vif), np.array(df)
            out[c.name] = {"term": np.array(terms, dtype=object), "vif": v, "df": d, "vif_per_df": v ** (1.0 / d)}
    return out


def collinearity(fit: MixedFit) -> list[Check]:
    """The largest variance inflation factor of each component."""
    found = variance_inflation(fit)
    if not found:
        return [Check("collinearity", SKIPPED, "There are not two predictors to compare.")]
    out = []
    for component, columns in found.items():
        at = int(np.argmax(columns["vif_per_df"]))
        largest, term = float(columns["vif_per_df"][at]), str(columns["term"][at])
        name = "collinearity" + ("" if component == "cond" else f" ({component})")
        if largest >= 5:
            product = any(":" in str(t) for t in columns["term"])
            advice = "Centre the predictors of interactions." if product else "Its coefficient is hard to tell from those of other predictors: combine them or leave one out."
            out.append(Check(name, WARNING if largest < 10 else PROBLEM, f"'{term}' has a variance inflation factor of {largest:.1f}. {advice}", largest, data={"vif": columns}))
        else:
            out.append(Check(name, OK, f"The largest variance inflation factor is {largest:.2f} ('{term}').", largest, data={"vif": columns}))
    return out


def separation(fit: MixedFit) -> list[Check]:
    """Separating predictors, and groups whose responses are all the same."""
    from tanada.engine.separation import separated_columns

    if fit.family not in ("binomial", "betabinomial"):
        return [Check("separation", SKIPPED, "Separation is a matter of binary responses.")]
    c = fit.data.components[0]
    found = separated_columns(c.X, fit.data.y, fit.data.trials, c.names) if fit.nobs <= MANY_ROWS or _suspicious(fit) else []
    if found:
        names = ", ".join(f"'{n}'" for n in found)
        text = f"Successes and failures are split by {names}: their estimates are infinite. Use priors={{'b': 'normal(0, 2.5)'}} or leave them out."
        out = [Check("separation", PROBLEM, text, float(len(found)), data={"columns": {"term": np.array(found, dtype=object)}})]
    else:
        out = [Check("separation", OK, "No combination of predictors separates successes from failures.", 0.0)]
    return [*out, *uniform_groups(fit)]


def _suspicious(fit: MixedFit) -> bool:
    """Whether standard errors or predictors are so large that a search for separation pays (it is slow for very many rows)."""
    c = fit.data.components[0]
    se = np.sqrt(np.abs(np.diag(fit.vcov_beta)[: len(c.names)])) * np.maximum(c.X.std(axis=0), 1e-12)
    return not np.isfinite(se).all() or float(se.max(initial=0.0)) > 20 or float(np.abs(fit.eta).max()) > 12


def uniform_groups(fit: MixedFit) -> list[Check]:
    """Groups whose responses are all successes or all failures, factor by factor."""
    y, n = fit.data.y, fit.data.trials
    out = []
    seen: set[str] = set()
    for t in fit.data.components[0].random:
        if t.group in seen or len(t.levels) == fit.nobs:
            continue
        seen.add(t.group)
        successes = np.bincount(t.codes, weights=y, minlength=len(t.levels))
        total = np.bincount(t.codes, weights=n, minlength=len(t.levels))
        same = (successes == 0) | (successes == total)
        count = int(same.sum())
        levels = np.array(t.levels, dtype=object)[same]
        data = {"groups": {"group": np.full(count, t.group, dtype=object), "level": levels, "all": np.where(successes[same] == 0, 0, 1)}}
        name = f"groups without variation ({t.group})"
        if count:
            share = count / len(t.levels)
            zero = int(np.sum(successes[same] == 0))
            text = f"{count} of {len(t.levels)} groups of {t.group} have one response only ({zero} all failures, {count - zero} all successes); they say nothing on slopes within groups."
            out.append(Check(name, WARNING if share > 0.5 else NOTE, text, float(count), data=data))
        else:
            out.append(Check(name, OK, f"Every group of {t.group} has successes and failures.", 0.0, data=data))
    return out
