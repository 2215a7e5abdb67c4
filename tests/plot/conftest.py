"""Figures without a display, closed after each test; the models that they show."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

import tanada as tn  # noqa: E402


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("Agg", force=True)
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def survey() -> Any:
    return tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")


@pytest.fixture(scope="session")
def intercept(survey: Any) -> Any:
    return tn.mixed("read_score ~ (1 | school_id)", survey)


@pytest.fixture(scope="session")
def slopes(survey: Any) -> Any:
    return tn.mixed("read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", survey)


@pytest.fixture(scope="session")
def logistic(survey: Any) -> Any:
    return tn.mixed("wants_univ ~ (1 | school_id)", survey, family="binomial")


@pytest.fixture(scope="session")
def logistic_slopes(survey: Any) -> Any:
    return tn.mixed("wants_univ ~ escs_cwc + (escs_cwc | school_id)", survey, family="binomial")


@pytest.fixture(scope="session")
def seeds() -> Any:
    return tn.mixed("cbind(y, N - y) ~ x + (1 | id)", tn.load_dataset("seed_survival"), family="binomial")
