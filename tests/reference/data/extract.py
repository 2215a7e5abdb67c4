"""Copy the ANOVA intraclass correlations and the design effect out of the reference folder: python extract.py REFERENCE_FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(folder: str) -> None:
    source = json.loads((Path(folder) / "b_school_lmm.json").read_text())
    kept = {
        "versions": source["meta"]["versions"],
        "icc_anova": {k: v for k, v in source["icc_anova"].items() if k in ("read_score", "escs", "belong1", "teach1")},
        "design_effect": source["design_effect"],
        "model0_ml": source["models"]["model0.lmer_ML_tight"]["varcorr"][0]["sd"],
        "model0_sigma": source["models"]["model0.lmer_ML_tight"]["sigma"],
    }
    Path(__file__).with_name("clustering.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
