"""Takes the values that tests/sem_core/test_reference.py needs from the full reference folder.

    python tests/reference/sem_core/extract.py <reference folder>

Source: i_lavaan_twolevel_lav0.7-2.json (lavaan 0.7-2 on the school survey).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

KEEP = {
    "mlcfa": ("logl", "unrestricted.logl"),
    "wide_random_intercept": ("logl", "unrestricted.logl"),
    "wide_random_slope": (),
}


def main() -> None:
    full = json.loads((Path(sys.argv[1]) / "i_lavaan_twolevel_lav0.7-2.json").read_text())
    out = {"versions": full["meta"]["versions"], "models": {}}
    for name, measures in KEEP.items():
        fit = full["models"][name]
        rows = [
            {"lhs": a, "op": b, "rhs": c, "level": level, "est": est, "se": se}
            for a, b, c, level, est, se in zip(
                *(fit["estimates"][k] for k in ("lhs", "op", "rhs")),
                fit["estimates"].get("level", [1] * len(fit["estimates"]["lhs"])),
                fit["estimates"]["est"],
                fit["estimates"]["se"],
            )
            if se and not (a.startswith("x") and a != "x1")  # the equal residual variances once
        ]
        values = {"loglik": fit["logLik"]} | {k: fit["fit_measures"][k] for k in measures}
        out["models"][name] = values | {"estimates": rows}
    target = Path(__file__).with_name("sem_core.json")
    target.write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
