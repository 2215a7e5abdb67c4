"""Copy what the tests of post-estimation need out of the reference folder: python extract.py REFERENCE_FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent


def load(folder: str, name: str) -> dict:
    return json.loads((Path(folder) / name).read_text())


def rounded(value: object) -> object:
    """Numbers to 12 significant digits."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


def slopes(folder: str) -> None:
    source = load(folder, "c_school_slopes.json")
    linear = {}
    for name in ("lmer_ML", "lmer_REML"):
        r = source["linear"][name]
        kept = {k: {g: r[k][g] for g in ("sd", "given", "grid10")} for k in ("slopes_z", "slopes_satterthwaite", "slopes_t_residual_df")}
        linear[name] = {**kept, **{k: r[k] for k in ("jn_z", "jn_satterthwaite", "jn_t_residual_df")}}
    logistic = source["logistic"]
    for block in logistic["slopes"].values():
        block.pop("jn_grid300", None)
    out = {
        "versions": source["meta"]["versions"],
        "lecture_check": source["lecture_check"],
        "linear": linear,
        "means_linear": {k: source["means_linear"][k] for k in ("lmer_ML", "lmer_REML")},
        "logistic": {"slopes": logistic["slopes"], "means": logistic["means"]},
    }
    (HERE / "slopes.json").write_text(json.dumps(rounded(out), indent=0) + "\n")


def profiles(folder: str) -> None:
    source = load(folder, "g_lmm_classic.json")
    out = {"versions": source["meta"]["versions"], "confint": {k: v["profile"] for k, v in source["confint"].items()}}
    (HERE / "profile.json").write_text(json.dumps(rounded(out), indent=0) + "\n")


def checks(folder: str) -> None:
    source = load(folder, "d_school_glmm.json")
    names = ("model1_glm", "model2_glm", "model3_glm", "model4_glm")
    out = {
        "versions": source["meta"]["versions"],
        "overdispersion": {k: source["performance"][k]["overdispersion"] for k in names},
        "population_interval": source["population_interval"],
        "schools_all_same": source["schools_all_same"],
        "ranova_model5": load(folder, "b_school_lmm.json")["lrt"]["ranova_model5"],
    }
    (HERE / "checks.json").write_text(json.dumps(rounded(out), indent=0) + "\n")


if __name__ == "__main__":
    for part in (slopes, profiles, checks):
        part(sys.argv[1])
