"""Term tests and Wald intervals against lmerTest and glmmTMB on an unbalanced design; calibration by simulation; sandwich identities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tanada.inference.sandwich import _adjustments, cluster_vcov

FOLDER = Path(__file__).parents[1] / "reference" / "lmm"
REFERENCE = json.loads((FOLDER / "term_tests.json").read_text(encoding="utf-8"))
DATA = pd.read_csv(FOLDER / "term_tests.csv")


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_types_equal_lmertest(kind: int) -> None:
    t = tn.anova(tn.mixed("y ~ a * b * x + (1 | g)", DATA, reml=True), type=kind)
    ref = REFERENCE["types"][kind - 1]
    assert t["term"].tolist() == ref["term"] and t["num_df"].tolist() == ref["num_df"]
    np.testing.assert_allclose(t["f_value"], ref["f_value"], rtol=1e-3)
    np.testing.assert_allclose(t["den_df"], ref["den_df"], rtol=1e-3)
    np.testing.assert_allclose(t["sum_sq"], ref["sum_sq"], rtol=1e-3)


def test_wald_intervals_equal_glmmtmb() -> None:
    m = tn.mixed("y ~ a + x + (1 | g)", DATA)
    t = m.confint(ddf="z")
    ref = REFERENCE["wald"]
    assert t["term"].tolist() == ["sd((Intercept)|g)", "sigma", *ref["term"][:4]]
    np.testing.assert_allclose([t["conf_low"][0], t["conf_high"][0]], [ref["low"][4], ref["high"][4]], rtol=1e-4)
    # glmmTMB's standard errors carry the uncertainty of the variance parameters
    np.testing.assert_allclose(t["conf_low"][2:], ref["low"][:4], atol=2e-3)
    np.testing.assert_allclose(t["conf_high"][2:], ref["high"][:4], atol=2e-3)


def test_small_samples_are_calibrated_and_z_is_not() -> None:
    """A predictor of groups, eight groups, no effect: rejections at 5 %."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(8), [4, 5, 6, 7, 4, 5, 6, 7])
    d = pd.DataFrame({"y": rng.standard_normal(44), "w": rng.standard_normal(8)[g], "g": g.astype(str)})
    first = tn.mixed("y ~ w + (1 | g)", d, reml=True, quiet=True)
    p = {"satterthwaite": [], "kenward-roger": [], "z": []}
    for _ in range(500):
        m = first.refit(0.8 * rng.standard_normal(8)[g] + rng.standard_normal(44))
        for k, values in p.items():
            values.append(float(m.fixef(ddf=k)["p_value"][1]))
    rate = {k: float(np.mean(np.array(v) < 0.05)) for k, v in p.items()}
    assert 0.02 < rate["satterthwaite"] < 0.075 and 0.02 < rate["kenward-roger"] < 0.075
    assert rate["z"] > 0.08


def test_interval_of_the_residual_sd_covers() -> None:
    m = tn.mixed("y ~ x + (1 | g)", DATA, reml=True)
    y = m.simulate(300, seed=4).to_numpy()
    hits = []
    for i in range(300):
        row = m.refit(y[:, i]).confint(parm="sigma")
        hits.append(row["conf_low"][0] < m.sigma < row["conf_high"][0])
    assert 0.91 < np.mean(hits) < 0.985


def test_cr2_is_unbiased_when_the_model_is_right() -> None:
    """B (S - S K S) B' = S makes the expected sandwich equal to K."""
    rng = np.random.default_rng(2)
    A = rng.standard_normal((6, 10, 3))
    A[:, :, 2] = A[:, :1, 2]  # constant within clusters, as a predictor of groups is
    S = np.einsum("gni,gnj->gij", A, A)
    K = np.linalg.inv(S.sum(axis=0))
    B = _adjustments(S, K)
    np.testing.assert_allclose(B @ (S - S @ K @ S) @ B.swapaxes(1, 2), S, rtol=1e-8, atol=1e-8)


def test_cr0_equals_dense_matrices_and_crossed_factors_are_refused() -> None:
    m = tn.mixed("y ~ x + (1 | g)", DATA)
    X, y = m.fit.data.components[0].X, m.fit.data.y
    Z = pd.get_dummies(DATA["g"]).to_numpy(float)
    V = m.sigma**2 * np.eye(len(y)) + m.varcorr()["variance"][0] * Z @ Z.T
    Vi = np.linalg.inv(V)
    K = np.linalg.inv(X.T @ Vi @ X)
    e = y - X @ m.fixef()["estimate"].to_numpy()
    scores = np.array([X.T @ (Vi @ (e * z)) for z in Z.T])
    np.testing.assert_allclose(cluster_vcov(m.work, "CR0"), K @ scores.T @ scores @ K, rtol=1e-8)
    crossed = tn.mixed("y ~ x + (1 | g) + (1 | a)", DATA, quiet=True)
    with pytest.raises(tn.ModelError, match="crossed"):
        crossed.fixef(robust="CR0")


def test_a_contrast_without_information_and_an_intercept_only_model() -> None:
    m = tn.mixed("y ~ 1 + (1 | g)", DATA)
    assert len(tn.anova(m)) == 0
    assert m.fixef()["df"].iloc[0] > 0
