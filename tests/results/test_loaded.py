"""A fit read from its file answers what the fit itself answers, those things that need the likelihood again included."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tanada as tn


def test_a_loaded_fit_profiles_as_the_fit_does(tmp_path: Path) -> None:
    m = tn.mixed("read_score ~ escs + (1 | school_id)", tn.load_dataset("school_survey"))
    m.save(tmp_path / "m.tanada")
    back = tn.load(tmp_path / "m.tanada")
    for method in ("profile", "wald"):
        a, b = m.confint(method=method), back.confint(method=method)
        assert a["term"].tolist() == b["term"].tolist()
        np.testing.assert_allclose(a[["conf_low", "conf_high"]], b[["conf_low", "conf_high"]], rtol=1e-6)
    np.testing.assert_allclose(m.fixef()["df"], back.fixef()["df"], rtol=1e-6)
