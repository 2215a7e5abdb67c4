"""Extracts the reference values of tests/engine/test_family_reference.py.  usage: extract.py FULL_REFERENCE_FOLDER

Writes families.json beside this script (glmmTMB fits of families and covariance structures: how each was called, log-likelihood, raw parameters, fixed
effects with standard errors, standard deviations of the random effects, dispersion) and copies the three simulated data sets they were fitted to.
"""

import json
import re
import shutil
import sys
from pathlib import Path

DATA = ("sim_families", "sim_longitudinal", "sim_spatial")


def argument(call: str, name: str) -> str | None:
    """The text of an argument of the R call, None when it is absent or the default."""
    found = re.search(name + r" = (~?[^,()]*(?:\([^()]*\)[^,()]*)*)", call)
    text = found.group(1).strip() if found else None
    return None if text in (None, "~0" if name == "ziformula" else "~1") else text


def record(m: dict) -> dict:
    call = m["call"]
    return {
        "data": re.split(r"[ ,(]", m["data"])[0],
        "rows": m["data"],
        "formula": m["formula"],
        "family": m["family"],
        "link": m["link"],
        "zi": argument(call, "ziformula"),
        "disp": argument(call, "dispformula"),
        "reml": "REML = TRUE" in call,
        "weights": argument(call, "weights"),
        "offset": argument(call, "offset"),
        "loglik": m["logLik"] if m.get("logLik") is not None else -0.5 * m["deviance_m2ll"],
        "par": m["par"],
        "estimate": m["fixed"]["estimate"],
        "se": m["fixed"]["se"],
        "sd": [v["sd"] for v in m["varcorr"]] if m.get("varcorr") else [],
        "sigma": m.get("sigma"),
    }


def main(folder: Path) -> None:
    here = Path(__file__).parent
    out: dict[str, object] = {}
    for file in ("e_families", "f_covariance"):
        content = json.loads((folder / f"{file}.json").read_text())
        out.setdefault("versions", content["meta"].get("versions"))
        for key, m in content["models"].items():
            if not m.get("error") and m.get("formula") and m["data"].startswith(DATA):
                out[key] = record(m)
    (here / "families.json").write_text(json.dumps(out, indent=1) + "\n")
    for name in DATA:
        shutil.copyfile(folder.parent / "data" / f"{name}.csv", here / f"{name}.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
