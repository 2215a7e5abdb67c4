"""Copy the values that the SEM tests need from a folder of reference results.

Models of one level are tested on the sample moments of their data (covariances with divisor n - 1), which are enough for ML, GLS and ULS.

usage: extract.py REFERENCE_FOLDER   (holding i_lavaan_twolevel.json, j_lavaan_single.json and their _lav0.7-2 counterparts, from lavaan)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
SURVEY = ("model0_lav", "model0_cor", "model3_lav", "model4_lav", "mlcfa", "mlcfa_marker", "mlcfa_mlr", "mlcfa_equal_loadings", "model_cov", "mlsem", "mlsem_residual_cov")
SINGLE = (
    "hs_marker", "hs_stdlv", "hs_orthogonal", "hs_meanstructure", "hs_effect_coding", "hs_GLS", "hs_ULS", "hs_equal_loadings", "hs_second_order", "hs_covariates", "hs_group_scalar", "hs_group_partial", "poldem", "poldem_equal", "poldem_indirect", "path_poldem",
    "path_inequality", "growth", "growth_covariates",
)  # fmt: skip
KEEP_PARTABLE = ("lhs", "op", "rhs", "user", "block", "level", "free", "ustart", "exo")


def shorten(x: object) -> object:
    """Nine significant digits are more than the tests look at."""
    if isinstance(x, float):
        return float(f"{x:.9g}")
    if isinstance(x, dict):
        return {k: shorten(v) for k, v in x.items()}
    return [shorten(v) for v in x] if isinstance(x, list) else x


def columns(table: dict, names: tuple[str, ...]) -> dict:
    return {k: table[k] for k in names if k in table}


def entry(ref: dict, newer: dict | None) -> dict:
    out = {k: ref.get(k) for k in ("call", "data", "model", "n_free", "logLik", "missing")}
    out["estimates"] = columns(ref["estimates"], ("lhs", "op", "rhs", "group", "level", "est", "se", "std.lv", "std.all"))
    measures = newer if newer and "cluster" in ref["call"] else ref
    known = ref["fit_measures"]
    out["fit_measures"] = {k: v for k, v in measures["fit_measures"].items() if k in known and v is not None}
    if "mi" in (ref.get("modindices") or {}):
        out["modindices"] = columns(ref["modindices"], ("lhs", "op", "rhs", "group", "level", "mi", "epc"))
    if ref.get("scores"):
        out["scores"] = ref["scores"]
    return out


def moments(folder: Path, ref: dict) -> list[dict]:
    """Names, covariance matrix, means and size of each group."""
    name = ref["data"].split(" ")[0]
    d = pd.read_csv(folder.parent / "data" / f"{name}.csv", na_values=["NA"])
    table = ref["partable"]
    latent = {a for a, op in zip(table["lhs"], table["op"]) if op == "=~"}
    names = [v for v in dict.fromkeys(table["lhs"] + table["rhs"]) if v in d.columns and v not in latent]
    parts = [g for _, g in d.groupby("school", sort=False)] if ref["data"].startswith("Holzinger") and "group" in ref["call"] else [d]
    return [{"names": names, "cov": g[names].cov().to_numpy().tolist(), "mean": g[names].mean().tolist(), "n": len(g)} for g in parts]


def main() -> None:
    folder = Path(sys.argv[1])
    read = lambda name: json.loads((folder / f"{name}.json").read_text())  # noqa: E731
    for file, names, target in (("i_lavaan_twolevel", SURVEY, "two_level.json"), ("j_lavaan_single", SINGLE, "single.json")):
        old, new = read(file), read(file + "_lav0.7-2")
        models = {k: entry(old["models"][k], new["models"].get(k)) for k in names}
        if file == "j_lavaan_single":
            for k, m in models.items():
                m["moments"] = moments(folder, old["models"][k])
        out = {"versions": old["meta"]["versions"], "models": models}
        (HERE / target).write_text(json.dumps(shorten(out), separators=(",", ":")) + "\n")
    tables = {}
    for file in ("i_lavaan_twolevel", "j_lavaan_single"):
        for name, ref in read(file)["models"].items():
            if ref.get("partable") and ref.get("missing") != "ml":
                tables[name] = {"call": ref["call"], "model": ref["model"], "partable": columns(ref["partable"], (*KEEP_PARTABLE, "group"))}
    (HERE / "partables.json").write_text(json.dumps(shorten(tables), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
