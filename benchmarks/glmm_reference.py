"""Reads the models of a reference folder (R's calls and results) as calls of this package.  Used by agreement_glmm.py."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FILES = ("a_seeds_survival", "d_school_glmm", "e_families", "f_covariance", "h_glmm_classic")
FAMILIES = {
    "beta_family": "beta",
    "Gamma": "gamma",
    "ziGamma": "gamma",
    "t_family": "t",
    "ordbeta": "ordered_beta",
    "inverse.gaussian": "inverse_gaussian",
}


class Data:
    """Loads data sets with their factor levels from the folder beside the reference folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.levels = json.loads((folder / "levels.json").read_text())
        self._done: dict[str, pd.DataFrame] = {}

    def load(self, name: str) -> pd.DataFrame:
        info = self.levels[name]
        text = [c["name"] for c in info["columns"] if c["type"] in ("factor", "ordered", "character")]
        d = pd.read_csv(
            self.folder / info["file"], dtype=dict.fromkeys(text, str), na_values=["NA"], keep_default_na=False
        )
        for c in info["columns"]:
            if c["type"] in ("factor", "ordered"):
                levels = c["levels"] if isinstance(c["levels"], list) else [c["levels"]]
                d[c["name"]] = pd.Categorical(d[c["name"]], categories=[str(v) for v in levels])
            elif c["type"] in ("integer", "numeric"):
                d[c["name"]] = pd.to_numeric(d[c["name"]], errors="coerce")
        return d

    def frame(self, label: str) -> pd.DataFrame:
        if label not in self._done:
            self._done[label] = self._frame(label)
        return self._done[label]

    def _frame(self, label: str) -> pd.DataFrame:
        name = re.match(r"[A-Za-z_]+", label).group(0)
        if name == "school_survey" or "school" in name:
            d = pd.read_csv(self.folder / "school_survey.csv", dtype={"school_id": str, "student_id": str})
            d["escs_cwc"] = d["escs"] - d["sch_escs_mean"]
            d["obs"] = [str(i) for i in range(len(d))]
            return d
        d = self.load(name)
        derive = {
            "sleepstudy": lambda d: d.assign(fDays=_factor(d["Days"])),
            "Orthodont": lambda d: d.assign(fage=_factor(d["age"]), agec=d["age"] - 11),
            "epil": lambda d: d.assign(subject=_factor(d["subject"]), fp=_factor(d["period"]), obs=_rows(d)),
            "Oxboys": lambda d: d.assign(pos=d["age"]),
            "sim_longitudinal": lambda d: d.assign(pos=d["t"], tm=d["time"]),
            "sim_spatial": lambda d: d.assign(one="1", pos_x=d["px"], pos_y=d["py"]),
            "Owls": lambda d: d.assign(ArrivalTime_c=_standard(d["ArrivalTime"])),
            "grouseticks": lambda d: d.assign(cHEIGHT2=_standard(d["HEIGHT"])),
            "cbpp": lambda d: d.assign(
                obs=_rows(d), prop=d["incidence"] / d["size"], period_n=d["period"].astype(float)
            ),
            "Arabidopsis": lambda d: d.assign(**{c: _factor(d[c]) for c in ("nutrient", "gen", "rack")}),
        }.get(name, lambda d: d)
        d = derive(d)
        if "y_pois > 0" in label:
            d = d[d["y_pois"] > 0].reset_index(drop=True)
        if "first 12 ids" in label:
            first = list(d["id"].cat.categories)[:12]
            d = d[d["id"].isin(first)].reset_index(drop=True)
            d["id"] = d["id"].astype(str)
        if "y_gamma + 1" in label:
            d["y"] = d["y_gamma"] + 1
        return d


def _factor(x: pd.Series) -> pd.Categorical:
    values = x.astype(str)
    return pd.Categorical(values, categories=sorted(values.unique(), key=lambda s: (len(s), s)))


def _rows(d: pd.DataFrame) -> list[str]:
    return [str(i) for i in range(len(d))]


def _standard(x: pd.Series) -> pd.Series:
    return (x - x.mean()) / x.std(ddof=1)


def arguments(call: str) -> dict[str, str]:
    """Arguments of an R call as text, split at top-level commas."""
    inside = call[call.index("(") + 1 : -1]
    parts, depth, start, quote = [], 0, 0, ""
    for i, ch in enumerate(inside):
        if quote:
            quote = "" if ch == quote else quote
        elif ch in "\"'":
            quote = ch
        elif ch in "([{":
            depth += 1
        elif ch in ")]}":
            depth -= 1
        elif ch == "," and depth == 0:
            parts.append(inside[start:i])
            start = i + 1
    parts.append(inside[start:])
    out = {}
    for p in parts:
        name, _, value = p.partition("=")
        out[name.strip()] = value.strip()
    return out


def family_of(text: str | None) -> dict[str, Any]:
    if text is None:
        return {"family": "gaussian"}
    if "structure(list(family" in text:
        name = re.search(r'family = "([^"]+)"', text).group(1)
        link = re.search(r'link = "([^"]+)"', text).group(1)
    elif "negative.binomial" in text:
        return {"family": "nbinom2"}
    else:
        name = re.match(r"[\w.:]+", text.strip("\"'")).group(0).split("::")[-1]
        found = re.search(r'link = "([^"]+)"', text) or re.search(r'\("(\w+)"\)', text)
        link = found.group(1) if found else None
        if name.startswith("ziGamma") and link is None:
            link = "inverse"
        if name == "Gamma" and link is None:
            link = "inverse"
    name = FAMILIES.get(name, name)
    return {"family": name, "link": link}


def formula_of(text: str) -> str:
    """R's formula in this package's spelling."""
    out = text.replace("^", "**").replace("as.numeric(period)", "period_n")
    out = re.sub(r"\btotal\.fruits\b", "`total.fruits`", out)
    return re.sub(r"\s+", " ", out)


def model_call(record: dict[str, Any]) -> dict[str, Any] | None:
    """Keyword arguments for `mixed`; None for calls this reader does not cover (no call, GLMs of stats)."""
    call = record.get("call")
    if not call or record.get("engine") not in ("glmmTMB", "lme4"):
        return None
    a = arguments(call)
    kw: dict[str, Any] = {"formula": formula_of(a["formula"]), **family_of(a.get("family"))}
    for key, name in (("zi", "ziformula"), ("disp", "dispformula")):
        value = a.get(name, "~0" if key == "zi" else "~1")
        if value not in (("~0",) if key == "zi" else ("~1",)):
            kw[key] = formula_of(value)
    if a.get("REML") == "TRUE":
        kw["reml"] = True
    if "weights" in a:
        kw["weights"] = a["weights"]
    if "sim_spatial" in str(record["data"]):
        kw["formula"] = re.sub(r"\bpos\b", "numFactor(px, py)", kw["formula"])
    if "offset" in a:
        kw["formula"] += f" + offset({a['offset']})"
    if a.get("nAGQ", "1") not in ("1",):
        kw["nagq"] = int(a["nAGQ"].rstrip("L"))
    return kw


def saturated(y: np.ndarray, trials: np.ndarray, family: str) -> float:
    """Saturated log-likelihood: lme4's nAGQ > 1 log-likelihoods leave it out."""
    from scipy.special import gammaln, xlogy

    if family == "binomial":
        p = y / trials
        const = gammaln(trials + 1) - gammaln(y + 1) - gammaln(trials - y + 1)
        return float(np.sum(const + xlogy(y, p) + xlogy(trials - y, 1 - p)))
    return float(np.sum(xlogy(y, y) - y - gammaln(y + 1)))
