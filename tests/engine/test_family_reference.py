"""Families and covariance structures against glmmTMB (tests/reference/families/extract.py made the values).

Log-likelihoods within 1e-4 or higher; estimates within 0.02 standard errors; standard errors within 2 per cent; standard deviations, dispersion and shape
parameters within 1 per cent (or 0.02 on the log scale). The exceptions are listed with their reason.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tanada as tn

FOLDER = Path(__file__).parents[1] / "reference" / "families"
REFERENCE = json.loads((FOLDER / "families.json").read_text())
REFERENCE.pop("versions")

HIGHER = {
    "nbinom2_sqrt": "glmmTMB stops 71 log-likelihood units short",
    "nbinom2_slope": "glmmTMB stops near a correlation of one with a Hessian that is not positive",
    "zinb": "glmmTMB's zero-inflation intercept runs off to -18: there is none, and no standard error",
    "sim_toep_noise": "glmmTMB stops 1.2 units short: the residual variance goes to zero",
}
OTHER_MEANING = {"gaussian_weights": "weights of a Gaussian model are lme4's (precision), glmmTMB multiplies the log-density"}
SLOW = {"sp_mat": "a minute", "sim_ou_irregular": "seconds"}
CASES = [k for k in REFERENCE if k not in OTHER_MEANING and k not in SLOW]


def data_of(case):
    d = pd.read_csv(FOLDER / f"{case['data']}.csv")
    if "y_pois > 0" in case["rows"]:
        d = d[d["y_pois"] > 0]
    if "tf" in d:
        d = d.assign(tf=pd.Categorical(d["tf"].astype(str), categories=[str(i) for i in range(1, 9)]))
    return d.assign(one="1")


def fit(name):
    case = REFERENCE[name]
    formula = case["formula"]
    places = "numFactor(px, py)" if case["data"] == "sim_spatial" else "numFactor(t)"
    family = {"ordbeta": "ordered_beta"}.get(case["family"], case["family"])
    return tn.mixed(
        formula.replace("0 + pos", f"0 + {places}"),
        data_of(case),
        family=family,
        link=case["link"],
        zi=case["zi"],
        disp=case["disp"],
        reml=case["reml"],
        weights=case["weights"],
        offset=case["offset"],
        quiet=True,
    )


def raw(case, name):
    return np.array([v for n, v in zip(case["par"]["name"], case["par"]["value"]) if n == name])


@pytest.mark.parametrize("name", CASES)
def test_fit_agrees_with_glmmtmb(name):
    case, m = REFERENCE[name], fit(name)
    assert m.converged
    assert m.loglik > case["loglik"] - 1e-4
    if name in HIGHER:
        return
    assert m.loglik < case["loglik"] + 1e-3
    table = m.fixef(ddf="z")
    cond = table[table["component"] == "cond"]
    se = np.array(case["se"])
    np.testing.assert_array_less(np.abs(cond["estimate"].to_numpy() - case["estimate"]), 0.02 * se)
    # profiled Gaussian standard errors are conditional on theta (as lme4's), which shows with a single group of places
    np.testing.assert_allclose(cond["std_error"], se, rtol=0.05 if case["data"] == "sim_spatial" else 0.02)
    if case["zi"]:
        zi = table[table["component"] == "zi"]
        np.testing.assert_array_less(np.abs(zi["estimate"].to_numpy() - raw(case, "betazi")), 0.02 * zi["std_error"].to_numpy())
    sds = np.concatenate([np.array(s) for s in case["sd"]]) if case["sd"] else np.empty(0)
    ours = [np.sqrt(np.diag(t.cov)) for t in m.fit.terms if t.component == "cond"]
    if sds.size:
        np.testing.assert_allclose(np.concatenate(ours), sds, rtol=0.01)
    check_dispersion(case, m)


def check_dispersion(case, m):
    """Dispersion coefficients and shapes on the raw scale; glmmTMB's Gaussian dispersion is the log of the variance."""
    betad = raw(case, "betad") * (0.5 if case["family"] == "gaussian" else 1.0)
    params, values = m.fit.params, m.fit.values
    at = np.concatenate([params.index(b) for b in ("fixed:disp", "sigma", "dispersion")]).astype(int)
    if case["disp"] != "~0" and betad.size:
        np.testing.assert_allclose(values[at], betad, atol=0.02)
    shapes = values[params.index("shape")]
    if case["family"] in ("tweedie", "t"):
        np.testing.assert_allclose(shapes, raw(case, "psi"), atol=0.02)
    if case["family"] == "ordbeta":
        np.testing.assert_allclose(shapes, raw(case, "psi"), atol=0.02)


def test_every_case_is_run_or_has_a_reason():
    assert len(CASES) + len(OTHER_MEANING) + len(SLOW) == len(REFERENCE)
    assert len(CASES) > 50
