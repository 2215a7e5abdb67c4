"""Matrices set up by hand against lavaan 0.7-2 (values: tests/reference/sem_core)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import tanada as tn
from tanada import _core
from tests.sem_core import brute
from tests.sem_core.brute import ALPHA, LAMBDA, NU, PSI, THETA, Cells

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "sem_core" / "sem_core.json").read_text())["models"]


@pytest.fixture(scope="module")
def school():
    d = tn.load_dataset("school_survey")
    return d, np.unique(d["school_id"], return_inverse=True)[1].astype(np.int64)


def fitted(f, start):
    free = np.full(len(start), np.inf)
    out = f.fit(np.array(start), -free, free)
    assert out.converged
    return out, np.sqrt(np.diag(np.linalg.inv(f.hessian(out.x) / 2)))


def test_two_level_cfa(school):
    d, code = school
    y = np.ascontiguousarray(d[[f"teach{i}" for i in range(1, 5)]].to_numpy(float))
    levels = []
    for k in (0, 8):
        c = Cells(4, 1).add(PSI, 0, 0, value=1.0)
        for i in range(4):
            c.add(LAMBDA, i, 0, free=k + i).add(THETA, i, i, free=k + 4 + i)
        levels.append(c)
    for i in range(4):
        levels[1].add(NU, i, free=16 + i)
    group = {"y": y, "code": code, "z": None, "within_index": range(4), "between_index": range(4)}
    start = np.repeat([0.5, 0.5, 0.2, 0.1, 3.0], 4)
    ref = MODELS["mlcfa"]
    for kind in (_core.TwoLevelObjective, _core.TwoLevelFimlObjective):
        out, se = fitted(kind(brute.model(20, levels), [group]), start)
        assert -out.value / 2 == pytest.approx(ref["loglik"], abs=1e-5)
        np.testing.assert_allclose(out.x, [r["est"] for r in ref["estimates"]], atol=2e-5)
        np.testing.assert_allclose(se, [r["se"] for r in ref["estimates"]], rtol=1e-3)


def test_wide_random_intercept_and_slope(school):
    d, code = school
    position = d.groupby("school_id").cumcount().to_numpy()
    high = (d["escs"] > d["escs"].mean()).to_numpy(int)
    K = position.max() + 1
    for name, p, column in (("wide_random_intercept", K, position), ("wide_random_slope", 2 * K, position + K * high)):
        wide = np.full((code.max() + 1, p), np.nan)
        wide[code, column] = d["read_score"]
        c = Cells(p, 1 + (p > K))
        for i in range(p):
            c.add(LAMBDA, i, 0, value=1.0).add(THETA, i, i, free=0)
        c.add(PSI, 0, 0, free=1).add(ALPHA, 0, free=2)
        start = [4000.0, 2000.0, 500.0]
        if p > K:
            for i in range(K, p):
                c.add(LAMBDA, i, 1, value=1.0)
            c.add(PSI, 1, 1, free=3).add(ALPHA, 1, free=4).add(PSI, 1, 0, free=5)
            start += [100.0, 0.0, 0.0]
        out, se = fitted(_core.FimlObjective(brute.model(len(start), [c]), [wide]), start)
        ref = MODELS[name]
        assert -out.value / 2 == pytest.approx(ref["loglik"], abs=1e-4)
        order = {("x1", "~~", "x1"): 0, ("beta_0g", "~~", "beta_0g"): 1, ("beta_0g", "~1", ""): 2}
        order |= {("beta_1g", "~~", "beta_1g"): 3, ("beta_1g", "~1", ""): 4, ("beta_0g", "~~", "beta_1g"): 5}
        for r in ref["estimates"]:
            k = order[r["lhs"], r["op"], r["rhs"]]
            assert out.x[k] == pytest.approx(r["est"], abs=0.01 * r["se"])
            assert se[k] == pytest.approx(r["se"], rel=0.01)
        if "unrestricted.logl" in ref:
            assert _core.h1_fiml(wide)["loglik"] == pytest.approx(ref["unrestricted.logl"], abs=1e-4)
