"""Agreement of SEM fits with lavaan over a folder of reference results.

usage: agreement_sem.py REFERENCE_FOLDER [MODEL ...]

The folder holds i_lavaan_twolevel.json and j_lavaan_single.json (lavaan 0.6-19), the same from lavaan 0.7-2, and the data sets in ../data.
Two-level chi-square and FIML follow 0.7-2, whose unrestricted model is converged. Entries marked unreliable in every version are skipped.
A model agrees when: log-likelihood within 1e-4 or higher, estimates within 0.01 standard errors, standard errors within 1 %, fit measures to
3 decimals (chi-square family: relative 1e-3), standardised values within 0.002, modification indices within 1 %, factor scores within 1 %
of their standard deviation.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from tanada import TanadaError

warnings.filterwarnings("ignore")

GROUP_EQUAL = {
    "demo_multigroup_group_equal": ["loadings"],
    "hs_group_metric": ["loadings"], "hs_fiml_group": ["loadings"], "hs_group_scalar": ["loadings", "intercepts"], "hs_group_partial": ["loadings", "intercepts"],
    "hs_group_strict": ["loadings", "intercepts", "residuals"], "hs_group_means": ["loadings", "intercepts", "residuals", "means"],
    "hs_ordered_group": ["loadings", "thresholds"],
}  # fmt: skip
LOOSE = ("chisq", "baseline.chisq", "aic", "bic", "bic2", "logl", "unrestricted.logl", "cn_05", "cn_01", "chisq.scaled", "baseline.chisq.scaled")


class Folder:
    """Reference results and the data they were computed from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.levels = json.loads((path.parent / "data" / "levels.json").read_text())
        self.files = {k: self._read(k) for k in ("i_lavaan_twolevel", "j_lavaan_single", "i_lavaan_twolevel_lav0.7-2", "j_lavaan_single_lav0.7-2")}

    def _read(self, name: str) -> dict:
        return json.loads((self.path / f"{name}.json").read_text())

    def frame(self, name: str) -> pd.DataFrame:
        info = self.levels.get(name)
        file = info["file"] if info else f"{name}.csv"
        text = {"school_id": str, "student_id": str}
        d = pd.read_csv(self.path.parent / "data" / file, dtype=dict.fromkeys(text, str), na_values=["NA"], keep_default_na=False)
        return d.apply(lambda c: c if c.name in text else pd.to_numeric(c, errors="coerce") if c.dtype == object and c.name not in ("school", "sex") else c)


def wide(d: pd.DataFrame, twice: bool) -> pd.DataFrame:
    """One row a school; twice: first the pupils with low escs, then those with high escs."""
    k = d.groupby("school_id").cumcount().to_numpy()
    schools = pd.unique(d["school_id"])
    row = pd.Index(schools).get_indexer(d["school_id"])
    w = np.full((len(schools), k.max() + 1), np.nan)
    w[row, k] = d["read_score"]
    if twice:
        high = np.full(w.shape, np.nan)
        high[row, k] = (d["escs"] > d["escs"].mean()).astype(float)
        w = np.hstack([np.where(high == 1, np.nan, w), np.where(high == 0, np.nan, w)])
    return pd.DataFrame(w, columns=[f"x{i}" for i in range(1, w.shape[1] + 1)])


def data_for(folder: Folder, name: str, ref: dict) -> dict:
    """The data arguments of a model."""
    label = ref["data"]
    if label.startswith("h1 moments"):
        h1 = folder.files["i_lavaan_twolevel"]["h1"]["mlsem"]
        level = h1["within" if "within" in label else "school_id"]
        cov = pd.DataFrame(level["cov"]["values"], columns=level["cov"]["cols"])
        return {"sample_cov": cov, "sample_mean": level["mean"], "sample_nobs": 5766 if "within" in label else 183}
    if name.startswith("hs_sample_cov"):
        x = folder.frame("HolzingerSwineford1939")[[f"x{i}" for i in range(1, 10)]]
        return {"sample_cov": x.cov(), "sample_nobs": 301} | ({"sample_mean": x.mean()} if name.endswith("mean") else {})
    if "wide" in label:
        return {"data": wide(folder.frame("school_survey"), "twice" in label)}
    if label.startswith("HS_ordinal"):
        d = folder.frame("HS_ordinal")
        if "continuous" in label:
            d[["x1", "x2", "x3"]] = folder.frame("HolzingerSwineford1939")[["x1", "x2", "x3"]]
        return {"data": d}
    if label.startswith("school_survey (read_score / 100"):
        d = folder.frame("school_survey")
        return {"data": d.assign(read_score=d["read_score"] / 100)}
    if label.startswith("PoliticalDemocracy (half"):
        d = folder.frame("PoliticalDemocracy")
        return {"data": d.assign(half=np.where(np.arange(len(d)) < 38, "first", "second"))}
    d = folder.frame(label)
    if label.startswith("Demo.twolevel"):
        d["g"] = np.where(d["cluster"] % 2 == 0, "even", "odd")
    return {"data": d}


def arguments(folder: Folder, name: str, ref: dict) -> tuple[str, dict]:
    """Which of sem, cfa, growth, and its arguments."""
    call = ref["call"]
    true = lambda k: f"{k} = TRUE" in call  # noqa: E731
    false = lambda k: f"{k} = FALSE" in call  # noqa: E731
    kw: dict = data_for(folder, name, ref)
    if 'cluster = "' in call:
        kw["cluster"] = call.split('cluster = "')[1].split('"')[0]
    elif "Demo.twolevel" in ref["data"]:
        kw["cluster"] = "cluster"
    for option in ("std.lv", "orthogonal", "effect.coding"):
        if true(option):
            kw[option.replace(".", "_")] = True
    if true("meanstructure") and name.startswith(("hs_", "path")):
        kw["meanstructure"] = True
    for option in ("fixed.x", "auto.fix.first"):
        if false(option):
            kw[option.replace(".", "_")] = False
    if 'group = "' in call:
        kw["group"] = call.split('group = "')[1].split('"')[0]
    elif name.startswith("demo_multigroup"):
        kw["group"] = "g"
    if ref["missing"] != "listwise":
        kw["missing"] = "fiml"
    if name in GROUP_EQUAL:
        kw["group_equal"] = GROUP_EQUAL[name]
    if name == "hs_group_partial":
        kw["group_partial"] = ["x3 ~ 1", "x7 ~ 1"]
    if name == "hs_wishart":
        kw["likelihood"] = "wishart"
    if name == "hs_expected_info_ml":
        kw["information"] = "observed"
    if name.startswith(("hs_ordered", "hs_mixed")):
        kw["ordered"] = [f"x{i}" for i in range(4 if "mixed" in name else 1, 10)]
        if name == "hs_ordered_theta":
            kw["parameterization"] = "theta"
        if name == "hs_ordered_dwls_standard":
            kw["estimator"] = "DWLS"
    elif name.startswith("hs_") and name.split("_")[-1] in ("MLR", "MLM", "MLMV", "GLS", "ULS", "WLS", "DWLS"):
        kw["estimator"] = name.split("_")[-1]
    elif name.endswith("_mlr"):
        kw["estimator"] = "MLR"
    kind = "growth" if 'model.type = "growth"' in call else "cfa" if 'model.type = "cfa"' in call else "sem"
    return kind, kw


def rows_of(table: dict) -> list[dict]:
    return [{k: table[k][i] for k in table} for i in range(len(table["lhs"]))]


def group_number(r: dict, labels: list[str]) -> int:
    g = r.get("group", 1)
    if isinstance(g, str):
        return labels.index(g) + 1 if g in labels else 0
    return int(g or (0 if r["op"] == ":=" else 1))


def compare_parameters(f, ref: dict, tight: bool) -> list[str]:
    p = f.parameters()
    labels = list(f.groups)
    level = lambda r: int(r.get("level") or (1 if r["op"] != ":=" else 0)) if "level" in ref["estimates"] else (1 if r["op"] != ":=" else 0)  # noqa: E731
    mine = {}
    for r in p.to_dict("records"):
        g = labels.index(r["group"]) + 1 if r["group"] in labels else int(r["group"] or 0) if not isinstance(r["group"], str) else 0
        mine[r["lhs"], r["op"], r["rhs"], g, r["level"]] = r
    out, worst_e, worst_s, worst_std, missing = [], (0.0, ""), (0.0, ""), (0.0, ""), 0
    for r in rows_of(ref["estimates"]):
        if r["op"] in ("==", "<", ">"):
            continue
        g, lv = group_number(r, labels), level(r)
        if r["op"] == ":=":
            g = lv = 0
        elif g == 0:
            g = 1
        m = mine.get((r["lhs"], r["op"], r["rhs"], g, lv)) or mine.get((r["rhs"], r["op"], r["lhs"], g, lv))
        if m is None:
            missing += 1
            continue
        name = f"{r['lhs']}{r['op']}{r['rhs']}"
        se = r["se"]
        if se:
            worst_e = max(worst_e, (abs(m["estimate"] - r["est"]) / se, name))
            worst_s = max(worst_s, (abs(m["std_error"] / se - 1) if math.isfinite(m["std_error"]) else 9.0, name))
        elif r["est"] is not None:
            worst_e = max(worst_e, (abs(m["estimate"] - r["est"]) / max(1.0, abs(r["est"])), name))
        for a, b in (("std_lv", "std.lv"), ("std_all", "std.all")):
            if r.get(b) is not None and math.isfinite(m[a]):
                scale = max(1.0, abs(r[b]), (se or 0.0) * abs(r[b] / r["est"]) / 0.1 if r["est"] else 0.0)
                worst_std = max(worst_std, (abs(m[a] - r[b]) / scale, name))
    if missing:
        out.append(f"{missing} parameters missing")
    if worst_e[0] > 0.01:
        out.append(f"estimate off by {worst_e[0]:.3f} SE ({worst_e[1]})")
    if worst_s[0] > 0.01:
        out.append(f"SE off by {100 * worst_s[0]:.1f} % ({worst_s[1]})")
    if worst_std[0] > 0.002:
        out.append(f"standardised value off by {worst_std[0]:.4f} ({worst_std[1]})")
    return out


def compare_measures(f, ref: dict, only: dict, loose: bool) -> list[str]:
    if not isinstance(ref.get("fit_measures"), dict) or not isinstance(only, dict) or "error" in ref["fit_measures"]:
        return []
    mine, out = f.fit_measures(), []
    for k, v in ref["fit_measures"].items():
        if v is None or k not in only or (k == "fmin" and loose) or k == "fmin" and "fiml" in ref["missing"]:
            continue
        if k not in mine:
            out.append(f"{k} missing")
            continue
        v = only[k] if k == "fmin" and only[k] is not None else v
        m = mine[k]
        tolerance = 1e-3 * max(abs(v), 1.0) if k in LOOSE or "scaling" in k else 6e-4
        if k in ("chisq", "chisq.scaled") and abs(v) < 50:
            tolerance = 0.006
        if not (math.isfinite(m) and abs(m - v) <= tolerance):
            out.append(f"{k} {m:.5g} not {v:.5g}")
    return [", ".join(out[:8]) + (f" and {len(out) - 8} more" if len(out) > 8 else "")] if out else []


def compare_modindices(f, ref: dict) -> list[str]:
    table = ref.get("modindices")
    if not table or "mi" not in table:
        return []
    mine = {}
    labels = list(f.groups)
    for r in f.modindices(sort=False).to_dict("records"):
        g = labels.index(r["group"]) + 1 if r["group"] in labels else 1
        mine[r["lhs"], r["op"], r["rhs"], g, r["level"]] = r
    bad, missing, n = [], 0, 0
    for r in rows_of(table):
        if r["mi"] is None:
            continue
        n += 1
        key = (int(r.get("group") or 1), int(r.get("level") or 1))
        m = mine.get((r["lhs"], r["op"], r["rhs"], *key)) or mine.get((r["rhs"], r["op"], r["lhs"], *key))
        if m is None:
            missing += 1
        elif abs(m["mi"] - r["mi"]) > max(0.01 * r["mi"], 0.02):
            bad.append(f"{r['lhs']}{r['op']}{r['rhs']} {m['mi']:.3f} not {r['mi']:.3f}")
        elif r["epc"] is not None and r["mi"] > 0.5 and abs(m["epc"] / r["epc"] - 1) > 0.02:
            bad.append(f"epc {r['lhs']}{r['op']}{r['rhs']} {m['epc']:.4g} not {r['epc']:.4g}")
    out = [f"{missing} of {n} modification indices missing"] if missing else []
    return out + ([f"{len(bad)} of {n} modification indices differ: {bad[0]}"] if bad else [])


def compare_scores(f, ref: dict) -> list[str]:
    s = ref.get("scores")
    if not s:
        return []
    out = []
    for key, level in (("level1", 1), ("level2", 2), ("regression", 1)):
        if key not in s:
            continue
        t = s[key]
        mine = f.scores(level=level)
        for j, c in enumerate(t["cols"]):
            theirs = np.array([row[j] for row in t["values"]])
            d = np.abs(np.asarray(mine[c])[: len(theirs)] - theirs).max()
            if d > 0.01 * max(theirs.std(), 1e-8):
                out.append(f"scores of {c} differ by {d:.4f}")
    return out


def check(folder: Folder, name: str, ref: dict, newer: dict | None, two_level: bool) -> list[str]:
    import tanada as tn

    source = newer if newer and two_level and (ref.get("unreliable") or "_fiml" in name or name == "demo_multigroup_group_equal") and not newer.get("unreliable") and "error" not in newer else ref
    kind, kw = arguments(folder, name, ref)
    f = getattr(tn, kind)(ref["model"], **kw)
    out = []
    best = source.get("logLik")
    if best is not None and not f.loglik >= best - 1e-4:
        out.append(f"log-likelihood {f.loglik:.5f} < {best:.5f}")
    if best is not None and f.loglik > best + 0.01:
        out.append(f"log-likelihood {f.loglik:.5f} > {best:.5f} (higher)")
    out += compare_parameters(f, source, True)
    out += compare_measures(f, newer if two_level and newer and "error" not in newer and "cluster" in ref["call"] else ref, ref.get("fit_measures"), source is not ref)
    out += compare_modindices(f, source)
    out += compare_scores(f, ref)
    return out


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = Folder(Path(sys.argv[1]).resolve())
    wanted = set(sys.argv[2:])
    ok = total = 0
    for file, two_level in (("i_lavaan_twolevel", True), ("j_lavaan_single", False)):
        newer = folder.files[file + "_lav0.7-2"]["models"]
        for name, ref in folder.files[file]["models"].items():
            if wanted and name not in wanted or ref.get("engine") != "lavaan" or "error" in ref or name.endswith("_default_start"):
                continue
            if ref.get("unreliable") and (not newer.get(name) or newer[name].get("unreliable")):
                continue
            total += 1
            try:
                why = check(folder, name, ref, newer.get(name), two_level)
            except (TanadaError, ValueError, KeyError, TypeError, ArithmeticError) as e:  # every failure is a shortfall, reported with its kind
                why = [f"{type(e).__name__}: {str(e)[:160]}"]
            ok += not why
            if why:
                print(f"{name}: {'; '.join(why)}")
            elif wanted:
                print(f"{name}: agrees")
    print(f"{ok} of {total} models agree")


if __name__ == "__main__":
    main()
