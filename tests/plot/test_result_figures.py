"""Figures of results show the tables of the results."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.special import expit

import tanada as tn


@pytest.fixture(scope="module")
def factors() -> Any:
    rng = np.random.default_rng(0)
    g, f, k, x = rng.integers(0, 15, 300), rng.integers(0, 3, 300), rng.integers(0, 2, 300), rng.normal(size=300)
    y = x + 0.3 * f + rng.normal(size=15)[g] + rng.normal(size=300)
    d = {"y": y, "x": x, "f": np.array(list("abc"))[f], "k": np.array(["no", "yes"])[k], "g": g}
    return tn.mixed("y ~ x * f + k + (1 | g)", d)


def test_interaction_plot_has_a_line_and_a_band_for_each_value(slopes: Any) -> None:
    r = tn.estimate_means(slopes, ["escs_cwc", "sch_escs_mean = [sd]"])
    ax = r.plot()
    assert len(ax.get_lines()) == 3 and len(ax.collections) == 3
    first = r.table[r.table["sch_escs_mean"] == r.table["sch_escs_mean"].min()].sort_values("escs_cwc")
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), first["estimate"])
    low = ax.collections[0].get_paths()[0].vertices[:, 1].min()
    assert low == pytest.approx(first["conf_low"].min())
    assert ax.get_ylabel() == "mean of read_score" and ax.get_xlabel() == "escs_cwc"
    assert ax.get_legend().get_title().get_text() == "sch_escs_mean"


def test_means_of_factors_are_dots_with_bars_beside_each_other(factors: Any) -> None:
    ax = tn.estimate_means(factors, ["f", "k"]).plot()
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]
    assert len(ax.get_lines()) == 2 and len({float(v.get_xdata()[0]) for v in ax.get_lines()}) == 2


def test_a_third_variable_makes_panels(factors: Any) -> None:
    r = tn.estimate_means(factors, ["x", "f", "k"])
    figure = r.plot()
    assert [a.get_title(loc="left") for a in figure.axes if a.get_visible()] == ["k = no", "k = yes"]
    with pytest.raises(tn.ModelError, match="panels"):
        r.plot(ax=plt.subplots()[1])


def test_slopes_have_a_line_at_zero(slopes: Any) -> None:
    r = tn.estimate_slopes(slopes, "escs_cwc", "sch_escs_mean", length=7)
    ax = r.plot()
    assert list(ax.get_lines()[0].get_ydata()) == [0, 0]
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), r.table["estimate"])
    assert ax.get_ylabel() == "slope of escs_cwc"


def test_johnson_neyman_changes_colour_at_the_bounds(slopes: Any) -> None:
    r = tn.johnson_neyman(slopes, "escs_cwc", "sch_escs_mean")
    ax = r.plot()
    inside = [b for b in r.bounds if r.observed[0] < b < r.observed[1]]
    assert sorted(t.get_text() for t in ax.texts) == sorted(f"{b:.3g}".replace("-", "\N{MINUS SIGN}") for b in inside)
    bands = [(c.get_paths()[0].vertices[:, 0].min(), c.get_paths()[0].vertices[:, 0].max()) for c in ax.collections]
    np.testing.assert_allclose(bands, r.table[["start", "end"]].to_numpy())
    curve = r.plot(data_only=True)
    assert np.all((curve["conf_low"] > 0) | (curve["conf_high"] < 0) == curve["significant"])


def test_contrasts_are_a_forest(factors: Any) -> None:
    r = tn.contrasts(factors, "f")
    ax = r.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == r["contrast"].tolist()
    np.testing.assert_allclose(ax.get_lines()[1].get_xdata(), r["estimate"])


def test_population_interval_is_marked(logistic: Any) -> None:
    r = tn.population_interval(logistic)
    ax = r.plot(n=20_000, bins=800)
    marks = sorted(float(v.get_xdata()[0]) for v in ax.get_lines())
    mu, sd = logistic.fixef()["estimate"].iloc[0], logistic.varcorr()["std_dev"].iloc[0]
    np.testing.assert_allclose(marks, expit(mu + 1.959964 * sd * np.array([-1, 1])), rtol=1e-6)
    inside = [p.get_height() for p in ax.patches if 0 < p.get_width() < 0.1 and marks[0] <= p.get_x() + p.get_width() / 2 <= marks[1]]
    assert sum(inside) == pytest.approx(0.95, abs=0.01)


def test_bootstrap_histograms(intercept: Any) -> None:
    r = intercept.bootstrap(25, seed=1)
    figure = r.plot()
    assert sum(a.get_visible() for a in figure.axes) == len(r.table)
    ax = r.plot(parm="sigma", bins=5)
    assert sum(p.get_height() for p in ax.patches) == 25
    with pytest.raises(tn.ModelError, match="Did you mean 'sigma'"):
        r.plot(parm="sigm")


def test_profile_is_zero_at_the_estimate_and_crosses_at_the_limits(intercept: Any) -> None:
    d = intercept.plot("profile", parm="sigma", points=21, data_only=True)
    at = d[d["zeta"] == 0]["value"].iloc[0]
    assert at == pytest.approx(intercept.sigma, rel=1e-4)
    assert np.all(np.diff(d["zeta"]) > 0)
    c = intercept.confint("profile", parm="sigma")
    limits = c[c["term"] == "sigma"][["conf_low", "conf_high"]].to_numpy().ravel()
    np.testing.assert_allclose(np.interp([-1.959964, 1.959964], d["zeta"], d["value"]), limits, rtol=1e-4)


def test_comparison_cross_validation_and_hypotheses(intercept: Any, slopes: Any) -> None:
    r = tn.compare(intercept, slopes, names=["empty", "full"])
    ax = r.plot()
    np.testing.assert_allclose(ax.get_lines()[0].get_xdata(), r["aic_difference"])
    assert len(tn.cross_validate(intercept, k=3).plot().get_lines()[0].get_xdata()) == 3
    h = slopes.test(["escs_cwc = 5", "sch_escs_mean = 100"])
    assert [t.get_text() for t in h.plot().get_yticklabels()] == ["escs_cwc = 5", "sch_escs_mean = 100"]


def test_checks_draw_what_they_found(slopes: Any, seeds: Any) -> None:
    assert len(tn.check_model(slopes, n=40).plot().axes) == 6
    influence = tn.check_influence(slopes)
    ax = influence.plot()
    dots = np.concatenate([v.get_ydata() for v in ax.get_lines()[:2]])
    np.testing.assert_allclose(np.sort(dots), np.sort(influence.data["influence"]["cooks_distance"]))
    bars = tn.check_collinearity(slopes).plot()
    np.testing.assert_allclose([p.get_width() for p in bars.patches], tn.check_collinearity(slopes).data["vif"]["vif"])
    assert tn.check_overdispersion(seeds).plot().get_xlabel() == "y"
    with pytest.raises(tn.ModelError, match="no figure"):
        tn.check_mistakes(slopes).plot()
