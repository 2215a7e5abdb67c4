"""Compare generalised linear mixed models with R's results.

usage: agreement_glmm.py REFERENCE_FOLDER [-v] [--only TEXT]

REFERENCE_FOLDER holds JSON files of R fits; `../data` beside it the data sets. A model agrees when its log-likelihood is within 1e-4 of the best
engine's for the same model, or higher; its estimates are within 0.02 standard errors and its standard errors within 2 % of glmmTMB's (of lme4's for
estimates alone where glmmTMB has no fit). Prints a line for each model that differs, and n of m. Exit code 0 when all agree.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from glmm_reference import FILES, Data, model_call, saturated

from tanada import TanadaError

# Where this package and R differ for a known reason; they are printed, and counted as agreeing.
EXPLAINED = {
    "e:nbinom2_sqrt": "a square-root link has two modes per group; R stays at the lower ones, 25-point quadrature (-1147.085) confirms the higher",
    "e:gaussian_weights": "Gaussian weights are inverse relative variances here, as in lme4; glmmTMB multiplies the log-likelihood by them",
    "d:model1_nbinom2.glmmTMB": "0/1 data have no overdispersion: this is the Poisson limit to 1e-9; R's value carries the rounding of log-gammas at a large phi",
    **dict.fromkeys(
        ("f:sp_exp", "f:sp_gau", "f:sp_mat"),
        "Gaussian standard errors are conditional on theta, as lmer's; glmmTMB's carry its uncertainty (one realisation of a spatial field)",
    ),
    "f:sleep_cs": "Gaussian standard errors are conditional on theta, as lmer's; glmmTMB's carry its uncertainty (ten SDs from 18 subjects)",
}
NO_ENGINE = "no engine has this objective (lme4's Laplace differs for this family and link)"
TOL_LOGLIK, TOL_ESTIMATE, TOL_SE, TOL_SD = 1e-4, 0.02, 0.02, 0.02


def collect(folder: Path) -> dict[tuple[str, ...], list[tuple[str, dict[str, Any]]]]:
    """Records by model: those with the same call (engine apart) are fits of one model."""
    out: dict[tuple[str, ...], list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for file in FILES:
        for key, record in json.loads((folder / f"{file}.json").read_text())["models"].items():
            kw = model_call(record)
            if kw is None or kw.get("nagq") == 0:
                continue
            kw["link"] = kw.get("link") or {"binomial": "logit", "poisson": "log", "betabinomial": "logit"}.get(
                kw["family"]
            )
            name = tuple(f"{k}={v}" for k, v in sorted(kw.items()) if v is not None)
            out[(file, record["data"], *name)].append((key, dict(record, kw=kw)))
    return out


def loglik(record: dict[str, Any]) -> float:
    value = record.get("logLik")
    if value is None and record.get("deviance_m2ll") is not None:
        value = -record["deviance_m2ll"] / 2
    return -math.inf if value is None else value


def fixed(record: dict[str, Any], component: str = "cond") -> dict[str, np.ndarray]:
    f = record["fixed"]
    f = f.get(component, f) if "estimate" not in f else f
    return {k: np.array(f[k], float) for k in ("estimate", "se")}


def same_objective(record: dict[str, Any], kw: dict[str, Any]) -> bool:
    """lme4 with a non-canonical link has another Laplace approximation; glmer.nb holds theta fixed; its Gamma profiles the dispersion."""
    if record["engine"] == "glmmTMB":
        return True
    if kw["family"] in ("gamma", "nbinom2", "inverse_gaussian", "gaussian"):
        return False
    return kw.get("nagq", 1) > 1 or kw.get("link") in ("logit", "log")


def compare(fit: Any, records: list[tuple[str, dict[str, Any]]], kw: dict[str, Any]) -> list[str]:
    usable = [r for _, r in records if same_objective(r, kw)]
    if not usable:
        return [NO_ENGINE]
    add = saturated(fit.data.y, fit.data.trials, kw["family"]) if kw.get("nagq", 1) > 1 else 0.0
    top = max(loglik(r) for r in usable) + add
    d = fit.loglik - top
    if not math.isfinite(fit.loglik) or d < -TOL_LOGLIK:
        return [f"logLik {fit.loglik:.5f}, best {top:.5f}"]
    flagged = any(r.get("warnings") or r.get("pd_hessian") is False for r in usable)
    if d > 1e-2 and not flagged:
        return [f"logLik {d:.4f} above every engine"]
    ref = next((r for r in usable if r["engine"] == "glmmTMB"), max(usable, key=loglik))
    if top - add - loglik(ref) > 1e-3 or d > 1e-3:
        return []  # R's fit is not at this optimum: nothing to compare estimates with
    why = []
    est, ok = fit.beta["cond"], fixed(ref)
    if fit.family == "ordinal" or len(est) != len(ok["estimate"]):
        return [f"{len(est)} fixed effects, not {len(ok['estimate'])}"]
    z = float(np.max(np.abs(est - ok["estimate"]) / ok["se"])) if len(est) else 0.0
    if not z < TOL_ESTIMATE:
        why.append(f"estimate off by {z:.3f} SE")
    if ref["engine"] == "glmmTMB" and not flagged and len(est):
        se = np.sqrt(np.diag(fit.vcov_beta)[: len(est)])
        q = float(np.max(np.abs(se / ok["se"] - 1)))
        if not q < TOL_SE:
            why.append(f"SE off by {100 * q:.1f} %")
    return why


def fit_model(kw: dict[str, Any], frame: Any) -> Any:
    from tanada.design.build import build_design
    from tanada.engine.mixed_fit import fit_mixed
    from tanada.engine.options import FitOptions

    design = build_design(
        kw["formula"],
        frame,
        family=kw["family"],
        zi=kw.get("zi"),
        disp=kw.get("disp"),
        weights=kw.get("weights"),
        ordinal=kw["family"] == "ordinal",
    )
    return fit_mixed(design.model, FitOptions(kw["family"], kw.get("link"), kw.get("reml", False), kw.get("nagq", 1)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    data = Data(args.reference.parent / "data")
    good = total = 0
    for (file, label, *_), records in collect(args.reference).items():
        name = f"{file[0]}:{records[0][0]}"
        if args.only and args.only not in name:
            continue
        kw = records[0][1]["kw"]
        began = time.perf_counter()
        try:
            fit = fit_model(kw, data.frame(label))
            why = compare(fit, records, kw)
        except (TanadaError, ValueError, KeyError, TypeError, ArithmeticError) as error:  # a report: a failure is a shortfall
            why, fit = [f"{type(error).__name__}: {str(error)[:140]}"], None
        if why and name in EXPLAINED and fit is not None:
            print(f"{name}: {why[0]}: {EXPLAINED[name]}")
            why = []
        ms = 1e3 * (time.perf_counter() - began)
        if why == [NO_ENGINE]:
            print(f"{name}: {NO_ENGINE}; logLik {fit.loglik:.4f}")
            continue
        total += 1
        good += not why
        if why or args.verbose:
            extra = f", {fit.verdict.status}, {fit.verdict.evaluations} evaluations" if fit else ""
            print(f"{name}: {'; '.join(why) or 'ok'} ({ms:.0f} ms{extra})", flush=True)
    print(f"{good} of {total} agree with the reference")
    return 0 if good == total else 1


if __name__ == "__main__":
    raise SystemExit(main())
