"""Compares a fit with a reference record, by kind of quantity; returns what falls short."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import tanada as tn

LOGLIK = 1e-5  # may be higher, not lower than this below the best engine
ESTIMATE = 0.01  # standard errors
RELATIVE = 0.01  # standard errors, standard deviations, degrees of freedom


def prepare(record: dict[str, Any], data: pd.DataFrame) -> pd.DataFrame:
    """Columns as the reference fit had them: factors with their levels, recycled weights and offsets, centred variables."""
    d = data.copy()
    for name, f in record["factors"].items():
        text = d[name].astype(str)
        d[name] = pd.Categorical(text, categories=f["levels"], ordered=f["ordered"]) if f["levels"] else text
    n = len(d)
    if record["data"] == "school_survey":
        d["escs_cwc"] = d["escs"] - d["sch_escs_mean"]
        d["escs_bin"] = (d["escs"] > d["escs"].mean()).astype(float)
    if record["data"] == "sleepstudy":
        d["w"], d["off"] = np.resize([1, 2, 0.5, 1.5], n), np.resize([0.0, 10, 20], n)
    if record["data"] == "Penicillin":
        d["w"] = np.resize([1.0, 2, 3, 4], n)
    if record["data"] == "Orthodont":
        d["agec"] = d["age"] - 11
    return d


# no subject has both sexes: the likelihood does not depend on the correlation, and the modes of the other sex follow it
UNIDENTIFIED = ("g:Orthodont_sexvar.lmer_REML", "g:Orthodont_sexvar.lmer_ML")


def fit(record: dict[str, Any], data: pd.DataFrame) -> Any:
    return tn.mixed(
        record["formula"], prepare(record, data), reml=record["reml"], weights=record["weights"], contrasts=record["contrasts"], quiet=True
    )


def shortfalls(record: dict[str, Any], m: Any) -> list[str]:
    """Everything that is further from the reference than its tolerance."""
    out = []
    gain = m.loglik - record["loglik"]
    if gain < -LOGLIK:
        out.append(f"loglik {m.loglik:.6f} < {record['loglik']:.6f}")
    table, ref = m.fixef(ddf="z"), record["fixed"]
    est, se = np.array(table["estimate"]), np.array(table["std_error"])
    # where the reference stopped short of the optimum, its estimates are those of another point
    loose = 10.0 if gain > 1e-4 else 1.0
    order = [list(table["term"]).index(translate(t, list(table["term"]))) for t in ref["term"]]
    ref_se = np.array(ref["se"])
    worst = np.max(np.abs(est[order] - ref["estimate"]) / ref_se)
    if worst > ESTIMATE * loose:
        out.append(f"estimate off by {worst:.4f} SE")
    out += far("SE", se[order], ref_se, RELATIVE * loose)
    out += far("sigma", m.sigma, record["sigma"], RELATIVE * loose)
    out += variances(record, m, loose)
    if "ranef" in record and record["id"] not in UNIDENTIFIED:
        out += modes(record, m, loose)
    if "satterthwaite" in record and not record["singular"]:
        df = np.array(m.fixef(ddf="satterthwaite")["df"])[order]
        out += far("Satterthwaite df", df, record["satterthwaite"]["df"], RELATIVE * loose)
    if "kenward_roger" in record:
        kr = m.fixef(ddf="kenward-roger")
        out += far("Kenward-Roger df", np.array(kr["df"])[order], record["kenward_roger"]["df"], RELATIVE)
        out += far("Kenward-Roger SE", np.array(kr["std_error"])[order], record["kenward_roger"]["se"], RELATIVE)
    for part, ddf in (("anova_type3_satterthwaite", "satterthwaite"), ("anova_type3_kenward_roger", "kenward-roger")):
        if part in record and not record["singular"]:
            a, r = tn.anova(m, ddf=ddf), record[part]
            rows = [list(a["term"]).index(translate(t, list(a["term"]))) for t in r["model"]]
            out += far(f"{ddf} F", np.array(a["f_value"])[rows], r["F value"], 2 * RELATIVE * loose)
            out += far(f"{ddf} F den df", np.array(a["den_df"])[rows], r["DenDF"], RELATIVE * loose)
    return out


def far(what: str, got: Any, wanted: Any, tolerance: float) -> list[str]:
    got, wanted = np.atleast_1d(np.asarray(got, float)), np.atleast_1d(np.asarray(wanted, float))
    worst = np.max(np.abs(got - wanted) / np.maximum(np.abs(wanted), 1e-8))
    return [] if worst <= tolerance else [f"{what} off by {100 * worst:.2f}%"]


def translate(term: str, known: list[str]) -> str:
    """The name of a term here for R's name."""
    if term in known:
        return term
    squeezed = {k.replace(" ", "").replace("**", "^"): k for k in known}
    return squeezed.get(term.replace(" ", ""), term)


def translate_group(group: str, known: set[str]) -> str:
    """The name of a grouping factor here: lme4 writes b:a for (1 | a/b) and numbers terms that share a factor."""
    for name in (group, group.split(".")[0], ":".join(reversed(group.split(":")))):
        if name in known:
            return name
    return group


def variances(record: dict[str, Any], m: Any, loose: float) -> list[str]:
    """Standard deviations relative to the larger of themselves and 1 % of sigma, correlations absolutely."""
    out, v = [], m.varcorr()
    sd = {(g, t): s for g, t, t2, s in zip(v["group"], v["term1"], v["term2"], v["std_dev"]) if t2 == ""}
    cor = {frozenset((a, b)): (g, r) for g, a, b, r in zip(v["group"], v["term1"], v["term2"], v["correlation"]) if b != ""}
    for block in record["varcorr"]:
        group = translate_group(block["group"], {g for g, _ in sd})
        for i, t in enumerate(block["terms"]):
            name = translate(t, [b for a, b in sd if a == group])
            if (group, name) not in sd:
                out.append(f"no variance of {t} in {group}")
                continue
            scale = max(block["sd"][i], 0.01 * record["sigma"] if abs(record["sigma"]) else 0.0)
            if abs(sd[group, name] - block["sd"][i]) > RELATIVE * loose * scale:
                out.append(f"SD of {t} in {group}: {sd[group, name]:.5g} not {block['sd'][i]:.5g}")
            for j in range(i):
                pair = frozenset((name, translate(block["terms"][j], [b for a, b in sd if a == group])))
                reference = block["corr"][i][j]
                if record["id"] not in UNIDENTIFIED and reference is not None and pair in cor and min(block["sd"][i], block["sd"][j]) > 1e-3 * record["sigma"] and abs(cor[pair][1] - reference) > RELATIVE * loose:
                    out.append(f"correlation of {t}: {cor[pair][1]:.4f} not {reference:.4f}")
    return out


def modes(record: dict[str, Any], m: Any, loose: float) -> list[str]:
    """Conditional modes and their SDs, in units of the standard deviation of the effects."""
    out = []
    r = m.ranef()
    where = {(g, lv, t): i for i, (g, lv, t) in enumerate(zip(r["group"], r["level"], r["term"]))}
    terms = list(dict.fromkeys(r["term"]))
    groups = set(r["group"])
    est, sd = np.array(r["estimate"]), np.array(r["std_error"])
    for group, block in record["ranef"].items():
        g = translate_group(group, groups)
        turned = g not in (group, group.split(".")[0])
        for term, values in block["terms"].items():
            name = translate(term, terms)
            rows = [where.get((g, ":".join(reversed(lv.split(":"))) if turned else lv, name)) for lv in block["levels"]]
            if None in rows:
                out.append(f"no random effect {term} in {group} {block['levels'][rows.index(None)]}")
                continue
            spread = max(float(np.std(est[[i for i, x in enumerate(r["term"]) if x == name]])), float(np.mean(sd[rows])), 1e-3 * record["sigma"])
            if np.max(np.abs(est[rows] - values["value"])) > RELATIVE * loose * spread:
                out.append(f"modes of {term} in {group} off")
            if "cond_sd" in values and np.max(np.abs(sd[rows] - np.array(values["cond_sd"], float))) > RELATIVE * loose * max(np.max(values["cond_sd"]), 1e-3 * record["sigma"]):
                out.append(f"conditional SDs of {term} in {group} off")
    return out
