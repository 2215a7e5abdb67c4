"""How much of the reference values of post-estimation is reproduced: python benchmarks/agreement_post.py REFERENCE_FOLDER.

Slopes, means and Johnson-Neyman ends of `c_school_slopes.json`; intraclass correlations, R2, explained variance, likelihood ratios, the ANOVA
intraclass correlation, shrinkage, overdispersion and the population interval of `a`, `b` and `d`. Prints n of m for each part, and each miss.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import tanada as tn

FORMULAS = {
    "model0": "1 + (1 | school_id)",
    "model1": "escs + (1 | school_id)",
    "model2": "sch_escs_mean + (1 | school_id)",
    "model3": "escs_cwc + sch_escs_mean + (1 | school_id)",
    "model4": "escs_cwc + sch_escs_mean + s_t_ratio + (1 | school_id)",
    "model5": "escs_cwc + (escs_cwc | school_id)",
    "model6": "escs_cwc * sch_escs_mean + (escs_cwc | school_id)",
    "model7": "escs_cwc * sch_escs_mean + escs_cwc * s_t_ratio + (escs_cwc | school_id)",
}
LOGISTIC = {"model1_glm": "model0", "model2_glm": "model3", "model3_glm": "model5", "model4_glm": "model6"}
GRIDS = {"sd": "sch_escs_mean = [sd]", "given": "sch_escs_mean = c(-0.5, 0, 0.5)", "grid10": "sch_escs_mean"}
READINGS = {
    "typical": ("typical", "modes"),
    "population": ("typical", "zero"),
    "average": ("average", "modes"),
    "average_population": ("average", "zero"),
}


class Count:
    """Agreements by part."""

    def __init__(self) -> None:
        self.parts: dict[str, list[int]] = {}

    def check(self, part: str, label: str, ours: Any, theirs: Any, rtol: float = 1e-4, atol: float = 1e-6) -> None:
        """Compare numbers, element by element."""
        a, b = np.atleast_1d(np.asarray(ours, float)).ravel(), np.atleast_1d(np.array(theirs, float)).ravel()
        count = self.parts.setdefault(part, [0, 0])
        count[1] += len(b)
        good = np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True) if len(a) == len(b) else np.zeros(len(b), bool)
        count[0] += int(good.sum())
        if not good.all():
            print(f"  miss: {part} {label}: {a} against {b}")

    def show(self) -> None:
        for part, (n, m) in self.parts.items():
            print(f"{part}: {n} of {m}")
        n, m = np.sum(list(self.parts.values()), axis=0)
        print(f"total: {n} of {m}")


def load(folder: Path, name: str) -> dict[str, Any]:
    return json.loads(next(folder.glob(f"{name}_*.json")).read_text())


def columns(count: Count, part: str, label: str, table: Any, ref: dict[str, Any], pairs: Iterable[tuple[str, str]], atol: float = 1e-4) -> None:
    for ours, theirs in pairs:
        count.check(part, f"{label} {theirs}", table[ours], ref[theirs], rtol=2e-4, atol=atol)


def slopes(count: Count, d: Any, ref: dict[str, Any]) -> None:
    """Everything of c_school_slopes.json that does not come from a grid search."""
    common = [("estimate", "slope"), ("std_error", "se"), ("conf_low", "low"), ("conf_high", "high")]
    for name, reml in (("lmer_ML", False), ("lmer_REML", True)):
        m = tn.mixed(f"read_score ~ {FORMULAS['model6']}", d, reml=reml)
        r = ref["linear"][name]
        for grid, by in GRIDS.items():
            for key, ddf, test in (("slopes_z", "z", "z"), ("slopes_satterthwaite", None, "t"), ("slopes_t_residual_df", "residual", "t")):
                t = tn.estimate_slopes(m, "escs_cwc", by=by, ddf=ddf)
                columns(count, "c: linear slopes", f"{name} {key} {grid}", t, r[key][grid], [*common, ("statistic", test), ("p_value", "p")])
        for key, ddf in (("jn_z", "z"), ("jn_satterthwaite", None), ("jn_t_residual_df", "residual")):
            j = tn.johnson_neyman(m, "escs_cwc", "sch_escs_mean", ddf=ddf)
            count.check("c: Johnson-Neyman", f"{name} {key}", j.bounds, r[key]["roots"], atol=2e-5)
        t = tn.estimate_means(m, ["sch_escs_mean = [sd]", "escs_cwc"], ddf="z")
        pairs = [("estimate", "mean"), ("std_error", "se"), ("conf_low", "low"), ("conf_high", "high")]
        columns(count, "c: linear means", name, t, ref["means_linear"][name], pairs)
    g = tn.mixed(f"wants_univ ~ {FORMULAS['model6']}", d, family="binomial")
    logistic = ref["logistic"]
    for name, (estimate, re) in READINGS.items():
        block = logistic["slopes"][name]
        for grid, by in GRIDS.items():
            t = tn.estimate_slopes(g, "escs_cwc", by=by, estimate=estimate, re=re)
            columns(count, "c: logistic slopes", f"{name} {grid}", t, block["at"][grid], [*common, ("statistic", "z"), ("p_value", "p")], 2e-5)
        j = tn.johnson_neyman(g, "escs_cwc", "sch_escs_mean", kind="response", estimate=estimate, re=re)
        count.check("c: Johnson-Neyman", name, j.bounds, block["jn_roots_in_range"], atol=5e-6)
    link = logistic["slopes"]["link_scale"]
    for grid, by in GRIDS.items():
        t = tn.estimate_slopes(g, "escs_cwc", by=by, kind="link")
        columns(count, "c: logistic slopes", f"link {grid}", t, link["at"][grid], [*common, ("statistic", "z"), ("p_value", "p")], 2e-5)
    j = tn.johnson_neyman(g, "escs_cwc", "sch_escs_mean", ddf="z")
    count.check("c: Johnson-Neyman", "link", j.bounds, link["jn_z"]["roots"], rtol=1e-3)
    pairs = [("estimate", "mean"), ("std_error", "se"), ("conf_low", "low"), ("conf_high", "high")]
    for name, re in (("typical", "modes"), ("population", "zero")):
        t = tn.estimate_means(g, ["sch_escs_mean = [sd]", "escs_cwc"], re=re, interval="delta")
        columns(count, "c: logistic means", name, t, logistic["means"][name], pairs, 1e-6)
    t = tn.estimate_means(g, ["sch_escs_mean = [sd]", "escs_cwc"], re="zero")
    columns(count, "c: logistic means", "link interval", t, logistic["means"]["population_link_interval"], [pairs[0], *pairs[2:]], 1e-6)


def explained(count: Count, d: Any, b: dict[str, Any]) -> None:
    """Performance, explained variance, likelihood ratios, ANOVA ICC, design effect and shrinkage of the linear models."""
    models = {k: tn.mixed(f"read_score ~ {f}", d) for k, f in FORMULAS.items()}
    for name, ref in b["performance"].items():
        performance(count, "b: performance", name, models[name], ref)
    pve = tn.pve(*(models[k] for k in b["pve"]["model"]), names=b["pve"]["model"])
    for level, variance, share in (("school_id", "school_var", "PVE_school"), ("Residual", "residual_var", "PVE_residual")):
        rows = pve[pve["level"] == level]
        count.check("b: pve", variance, rows["variance"], b["pve"][variance])
        count.check("b: pve", share, rows["pve"], b["pve"][share])
    for key in ("lmer_ML",):
        names = b["lrt"][key]["model"]
        ratio_table(count, "b: lrt", tn.anova(*(models[n] for n in names), names=names), b["lrt"][key])
    ranova = tn.ranova(tn.mixed(f"read_score ~ {FORMULAS['model5']}", d, reml=True))
    ref = b["lrt"]["ranova_model5"]
    count.check("b: lrt", "ranova", [ranova["chisq"][1], ranova["p_value"][1]], [ref["LRT"][1], ref["Pr(>Chisq)"][1]])
    for column in ("read_score", "escs", "belong1", "teach1"):
        row, ref = tn.icc_anova(d, column, "school_id").iloc[0], b["icc_anova"][column]
        pairs = (("icc", "ICC"), ("conf_low", "LowerCI"), ("conf_high", "UpperCI"), ("k", "k"), ("var_within", "varw"), ("var_between", "vara"))
        for ours, theirs in pairs:
            count.check("b: icc_anova", f"{column} {theirs}", row[ours], ref[theirs], rtol=1e-8)
    effect = tn.design_effect(d, "read_score", "school_id").iloc[0]
    count.check("b: design effect", "deff", [effect["icc"], effect["mean_size"], effect["deff"]], [b["design_effect"][k] for k in ("icc", "n_bar", "deff")])
    for name, ref in b["shrinkage"].items():
        school, kept = name.removeprefix("school_"), set(ref["student_id"])
        small = d[(d["school_id"] != school) | d["student_id"].isin(kept)]
        m = tn.mixed("read_score ~ 1 + (1 | school_id)", small)
        coef = m.coef()
        found = coef.loc[coef["level"] == school, "(Intercept)"].iloc[0]
        v = m.varcorr()["variance"].to_numpy()
        weight = v[0] / (v[0] + v[1] / len(kept))
        theirs = [ref[k] for k in ("n", "mu", "school_var", "residual_var", "weight", "shrunken_mean")]
        count.check("b: shrinkage", name, [m.nobs, m.fit.beta["cond"][0], v[0], v[1], weight, found], theirs)


def performance(count: Count, part: str, name: str, m: Any, ref: dict[str, Any]) -> None:
    icc, r2 = tn.icc(m).iloc[0], tn.r2(m).iloc[0]
    ours = [icc["icc_adjusted"], icc["icc_unadjusted"], r2["r2_conditional"], r2["r2_marginal"]]
    theirs = [ref["icc"]["ICC_adjusted"], ref["icc"]["ICC_unadjusted"], ref["r2_nakagawa"]["conditional"], ref["r2_nakagawa"]["marginal"]]
    count.check(part, name, ours, theirs, rtol=2e-4)


def ratio_table(count: Count, part: str, table: Any, ref: dict[str, Any]) -> None:
    for ours, theirs in (("aic", "AIC"), ("bic", "BIC"), ("loglik", "logLik"), ("chisq", "Chisq"), ("p_value", "Pr(>Chisq)")):
        values = [np.nan if v is None else v for v in ref[theirs]]
        keep = np.isfinite(values)
        count.check(part, f"{ref['model']} {theirs}", np.asarray(table[ours], float)[keep], np.array(values)[keep], rtol=1e-3 if ours == "p_value" else 1e-5, atol=2e-5)


def logistic(count: Count, d: Any, ref: dict[str, Any]) -> None:
    """Performance, overdispersion, population interval and likelihood ratios of the logistic models."""
    models = {k: tn.mixed(f"wants_univ ~ {FORMULAS[v]}", d, family="binomial") for k, v in LOGISTIC.items()}
    for link in ("probit", "cloglog"):
        for name in ("model1_glm", "model2_glm"):
            models[f"{name}.{link}"] = tn.mixed(f"wants_univ ~ {FORMULAS[LOGISTIC[name]]}", d, family="binomial", link=link)
    for name, m in models.items():
        block = ref["performance"][name]
        performance(count, "d: performance", name, m, block)
        row, o = tn.check_overdispersion(m).data["ratio"].iloc[0], block["overdispersion"]
        count.check("d: overdispersion", name, [row["chisq"], row["ratio"], row["df"], row["p_value"]], [o["chisq"], o["ratio"], o["df"], o["p"]])
    interval, p = tn.population_interval(models["model1_glm"]).table.iloc[0], ref["population_interval"]
    half = tn.population_interval(models["model1_glm"], 0.5).table.iloc[0]
    ours = [interval["link"], interval["link_sd"], interval["estimate"], interval["conf_low"], interval["conf_high"], half["conf_low"], half["conf_high"], interval["mean"]]
    theirs = [p["mean"], p["sd"], p["plogis_mean"], *p["interval_95"], *p["interval_50"], p["mean_p_population"]]
    count.check("d: population interval", "model1_glm", ours, theirs)
    for key in ref["lrt"]:
        names = ref["lrt"][key]["model"]
        ratio_table(count, "d: lrt", tn.anova(*(models[n] for n in names), names=names), ref["lrt"][key])
    same = tn.check_separation(models["model1_glm"]).data["groups"]
    count.check("d: groups of one response", "schools", [len(same)], [ref["schools_all_same"]["n_all_0"] + ref["schools_all_same"]["n_all_1"]])


def main(folder: str) -> None:
    warnings.simplefilter("ignore")
    source = Path(folder)
    d = tn.load_dataset("school_survey")
    d = d.assign(escs_cwc=d["escs"] - d["sch_escs_mean"])
    count = Count()
    slopes(count, d, load(source, "c"))
    explained(count, d, load(source, "b"))
    logistic(count, d, load(source, "d"))
    count.show()


if __name__ == "__main__":
    main(sys.argv[1])
