"""What figures of mixed models show equals what the model says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import expit

import tanada as tn


def lines_of(ax: Any) -> list[Any]:
    return [line for line in ax.get_lines() if len(line.get_xdata()) > 1]


def test_shrinkage_dots_are_group_means_and_intercepts(intercept: Any, survey: Any) -> None:
    ax = intercept.plot(kind="shrinkage")
    dots = ax.collections[0].get_offsets()
    means = survey.groupby("school_id")["read_score"].mean()
    np.testing.assert_allclose(np.asarray(dots)[:, 0], means.to_numpy())
    np.testing.assert_allclose(np.asarray(dots)[:, 1], intercept.coef()["(Intercept)"].to_numpy(), rtol=1e-10)
    table = intercept.plot(kind="shrinkage", data_only=True)
    overall = intercept.fixef()["estimate"].iloc[0]
    assert np.all(np.abs(table["predicted"] - overall) <= np.abs(table["observed"] - overall) + 1e-9)


def test_lines_are_those_of_coef(slopes: Any) -> None:
    d = slopes.plot(kind="lines", data_only=True, length=2)
    coef = slopes.coef()
    x = d["escs_cwc"].to_numpy().reshape(-1, 2)
    y = d["estimate"].to_numpy().reshape(-1, 2)
    means = slopes.frame.native.groupby("school_id")["sch_escs_mean"].first().to_numpy()
    expected = coef["escs_cwc"].to_numpy() + coef["escs_cwc:sch_escs_mean"].to_numpy() * means
    np.testing.assert_allclose((y[:, 1] - y[:, 0]) / (x[:, 1] - x[:, 0]), expected, rtol=1e-8)


def test_lines_are_coloured_by_sign(slopes: Any) -> None:
    ax = slopes.plot(kind="lines")
    up, down = ax.collections[0], ax.collections[1]
    assert up.get_label().startswith("rising") and down.get_label().startswith("falling")
    assert all(p.vertices[-1, 1] >= p.vertices[0, 1] for p in up.get_paths())
    assert all(p.vertices[-1, 1] < p.vertices[0, 1] for p in down.get_paths())
    assert len(up.get_paths()) + len(down.get_paths()) == 183


def test_a_predictor_of_level_two_is_one_line_through_group_dots(survey: Any) -> None:
    m = tn.mixed("read_score ~ sch_escs_mean + (1 | school_id)", survey)
    ax = m.plot(kind="lines")
    line = next(v for v in lines_of(ax) if v.get_label() == "overall")
    slope = np.diff(line.get_ydata())[0] / np.diff(line.get_xdata())[0]
    assert slope == pytest.approx(m.fixef()["estimate"].iloc[1])
    assert len(next(v for v in ax.get_lines() if v.get_label().startswith("means")).get_xdata()) == 183


def test_curves_of_a_logistic_model_are_probabilities(logistic_slopes: Any) -> None:
    d = logistic_slopes.plot(kind="lines", data_only=True, length=5, span="all")
    row = logistic_slopes.coef().iloc[3]
    own = d[d["level"] == row["level"]]
    np.testing.assert_allclose(own["estimate"], expit(row["(Intercept)"] + row["escs_cwc"] * own["escs_cwc"]), rtol=1e-10)


def test_ranef_shows_modes_or_coefficients(slopes: Any) -> None:
    d = slopes.plot(kind="ranef", data_only=True)
    wide = slopes.ranef().pivot(index="level", columns="term", values="estimate").loc[d["level"]]
    np.testing.assert_allclose(d["escs_cwc"], wide["escs_cwc"])
    c = slopes.plot(kind="ranef", coef=True, data_only=True)
    np.testing.assert_allclose(c["(Intercept)"], slopes.coef()["(Intercept)"])


def test_the_ellipse_holds_95_percent_of_effects_drawn(slopes: Any) -> None:
    ax = slopes.plot(kind="ranef")
    path = next(v for v in ax.get_lines() if "95" in v.get_label())
    points = np.column_stack([path.get_xdata(), path.get_ydata()])
    term = slopes.fit.terms[0]
    inverse = np.linalg.inv(term.cov)
    np.testing.assert_allclose(np.einsum("ij,jk,ik->i", points, inverse, points), stats.chi2.ppf(0.95, 2), rtol=1e-9)


def test_caterpillar_is_sorted_with_intervals(intercept: Any) -> None:
    d = intercept.plot(kind="caterpillar", data_only=True)
    np.testing.assert_allclose(d["conf_high"] - d["estimate"], 1.959964 * d["std_error"], rtol=1e-6)
    ax = intercept.plot(kind="caterpillar")
    heights = sorted((y, x) for line in ax.get_lines()[:2] for x, y in zip(line.get_xdata(), line.get_ydata()))
    assert len(heights) == 183 and np.all(np.diff([x for _, x in heights]) >= 0)


def test_effects_have_panels(slopes: Any) -> None:
    assert len(slopes.plot(kind="caterpillar").axes) == 2
    with pytest.raises(tn.ModelError, match="term="):
        slopes.plot(kind="caterpillar", ax=intercept_axes())


def intercept_axes() -> Any:
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def test_groups_and_population_of_a_logistic_model(logistic: Any) -> None:
    d = logistic.plot(kind="groups", data_only=True)
    np.testing.assert_allclose(d["estimate"], expit(logistic.coef()["(Intercept)"]), rtol=1e-10)
    drawn = logistic.plot(kind="population", data_only=True, n=40_000)["estimate"].to_numpy()
    mu, sd = logistic.fixef()["estimate"].iloc[0], logistic.varcorr()["std_dev"].iloc[0]
    np.testing.assert_allclose(np.quantile(drawn, [0.1, 0.5, 0.9]), expit(mu + sd * stats.norm.ppf([0.1, 0.5, 0.9])), atol=0.01)
    ax = logistic.plot(kind="population")
    assert sum(p.get_height() for p in ax.patches if p.get_width() < 0.1) == pytest.approx(1.0)


def test_expected_variance_of_shares(logistic: Any, survey: Any) -> None:
    d = logistic.plot(kind="variance", data_only=True)
    p = expit(logistic.coef()["(Intercept)"].to_numpy())
    np.testing.assert_allclose(d["expected"], p * (1 - p), rtol=1e-9)
    raw = survey.groupby("school_id")["wants_univ"].mean().to_numpy()
    np.testing.assert_allclose(d["observed"], raw * (1 - raw) + (raw - p) ** 2, rtol=1e-9, atol=1e-12)


def test_mixture_is_the_integral(seeds: Any) -> None:
    d = seeds.plot(kind="mixture", at={"x": 4}, data_only=True)
    b0, b1 = seeds.fixef()["estimate"]
    s = seeds.varcorr()["std_dev"].iloc[0]
    data = tn.load_dataset("seed_survival")
    four = data[data["x"] == 4]
    np.testing.assert_array_equal(d["observed"], np.bincount(four["y"].astype(int), minlength=9))
    exact = [quad(lambda r, k=k: stats.binom.pmf(k, 8, expit(b0 + 4 * b1 + s * r)) * stats.norm.pdf(r), -9, 9)[0] for k in range(9)]
    np.testing.assert_allclose(d["mixture"], len(four) * np.array(exact), rtol=2e-5)
    np.testing.assert_allclose(d["at_zero"], len(four) * stats.binom.pmf(range(9), 8, expit(b0 + 4 * b1)), rtol=1e-9)
    assert d["mixture"].sum() == pytest.approx(len(four))


def test_parts_of_the_mixture_are_drawn_in_grey(seeds: Any) -> None:
    ax = seeds.plot(kind="mixture", at={"x": 4}, components=7)
    assert len(ax.get_lines()) == 7 + 2
    b0, b1 = seeds.fixef()["estimate"]
    s = seeds.varcorr()["std_dev"].iloc[0]
    np.testing.assert_allclose(ax.get_lines()[3].get_ydata(), 20 * stats.binom.pmf(range(9), 8, expit(b0 + 4 * b1)), rtol=1e-8)
    np.testing.assert_allclose(ax.get_lines()[6].get_ydata(), 20 * stats.binom.pmf(range(9), 8, expit(b0 + 4 * b1 + 2.5 * s)), rtol=1e-8, atol=1e-12)


def test_an_ordinal_model_has_its_checks() -> None:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(20), 10)
    y = np.digitize(rng.normal(size=20)[g] + rng.logistic(size=200), [-1, 1])
    m = tn.mixed("y ~ 1 + (1 | g)", {"y": np.array(["low", "mid", "high"])[y], "g": g}, family="ordinal", quiet=True)
    assert m.plot("residuals").get_ylabel() == "quantile residual"
    assert len(m.plot("check", data_only=True)) >= 4


def test_mixture_refuses_what_has_no_counts(slopes: Any, logistic: Any, seeds: Any) -> None:
    with pytest.raises(tn.ModelError, match="counts"):
        slopes.plot(kind="mixture")
    with pytest.raises(tn.ModelError, match="counts above 1"):
        logistic.plot(kind="mixture")
    with pytest.raises(tn.DataError, match="no row"):
        seeds.plot(kind="mixture", at={"x": 99})


def test_mixture_of_a_zero_inflated_poisson_sums_to_the_rows() -> None:
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(30), 8)
    y = rng.poisson(np.exp(0.5 + rng.normal(0, 0.5, 30)[g])) * (rng.random(240) > 0.3)
    m = tn.mixed("y ~ 1 + (1 | g)", {"y": y, "g": g}, family="poisson", zi="~ 1", quiet=True)
    d = m.plot(kind="mixture", data_only=True)
    assert 239 < d["mixture"].sum() < 240  # the tail beyond the largest count shown
    assert abs(d["mixture"].iloc[0] - d["observed"].iloc[0]) < 15


def test_violins_are_spread_over_the_groups(intercept: Any) -> None:
    d = intercept.plot(kind="violin", levels=5, data_only=True)
    assert np.all(np.diff(d["mean"]) > 0) and len(d) == 5
    ax = intercept.plot(kind="violin", levels=["001", "002"])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["001", "002"]
    with pytest.raises(tn.ModelError, match="Did you mean|is not a level"):
        intercept.plot(kind="violin", levels=["nowhere"])


def test_coefficients_of_several_models(slopes: Any, intercept: Any) -> None:
    d = slopes.plot("coef", intercept, names=["full", "empty"], intercept=True, data_only=True)
    assert d["model"].tolist() == ["full"] * 4 + ["empty"]
    assert [t.get_text() for t in slopes.plot().get_yticklabels()] == ["escs_cwc", "sch_escs_mean", "escs_cwc:sch_escs_mean"]
    odds = slopes.plot(exponentiate=True, data_only=True)
    np.testing.assert_allclose(np.log(odds["estimate"]), slopes.fixef()["estimate"].iloc[1:])


@pytest.mark.parametrize("kind", ["lines", "shrinkage", "ranef", "groups", "residuals", "scale", "qq", "ranef_qq", "quantile_residuals", "predictive", "influence", "coef"])
def test_every_figure_takes_axes_and_returns_them(slopes: Any, kind: str) -> None:
    ax = intercept_axes()
    assert slopes.plot(kind=kind, ax=ax) is ax
    assert ax.get_xlabel() or kind == "coef"
    assert len(slopes.plot(kind=kind, data_only=True).columns) >= 1


def test_unknown_figures_and_options_are_named(slopes: Any) -> None:
    with pytest.raises(tn.ModelError, match="caterpillar"):
        slopes.plot(kind="catterpillar")
    with pytest.raises(tn.ModelError, match="no option 'bin'"):
        slopes.plot(kind="groups", bin=3)
    with pytest.raises(tn.ModelError, match="one model"):
        slopes.plot("qq", slopes)
    with pytest.raises(tn.ModelError, match="not a numeric predictor"):
        slopes.plot("lines", x="nothing")


def test_a_model_without_random_effects_says_so(survey: Any) -> None:
    m = tn.mixed("read_score ~ escs", survey)
    with pytest.raises(tn.ModelError, match="no random effects"):
        m.plot("caterpillar")
    assert len(m.plot("check").axes) == 4


def test_tables_are_of_the_callers_library(survey: Any) -> None:
    import polars as pl

    m = tn.mixed("read_score ~ (1 | school_id)", pl.from_pandas(survey[["read_score", "school_id"]]))
    assert isinstance(m.plot("shrinkage", data_only=True), pl.DataFrame)


def test_many_rows_are_thinned_not_dropped_out_of_step() -> None:
    rng = np.random.default_rng(7)
    n = 50_100
    g = rng.integers(0, 50, n)
    m = tn.mixed("y ~ x + (1 | g)", {"y": rng.normal(size=n) + rng.normal(size=50)[g], "x": rng.normal(size=n), "g": g})
    ax = m.plot("quantile_residuals")
    assert len(ax.get_lines()[0].get_xdata()) == 50_000
    assert len(m.plot("qq", data_only=True)) == n
    dots = next(v for v in m.plot("qq").get_lines() if v.get_marker() == "o")
    assert 4000 <= len(dots.get_xdata()) < 5000 and dots.get_ydata().max() == m.plot("qq", data_only=True)["residual"].max()


def test_the_default_figure_has_something_to_show(intercept: Any, slopes: Any, survey: Any) -> None:
    assert intercept.plot().get_xlabel() == "random intercept"
    assert slopes.plot().get_xlabel().startswith("coefficient")
    assert len(tn.mixed("read_score ~ 1", survey).plot().get_yticklabels()) == 1


@pytest.mark.parametrize("kind", ["lines", "caterpillar", "groups", "influence", "check", "predictive"])
def test_every_figure_is_drawn_from_polars(survey: Any, kind: str) -> None:
    import polars as pl

    m = tn.mixed("read_score ~ escs_cwc + (escs_cwc | school_id)", pl.from_pandas(survey[["read_score", "escs_cwc", "school_id"]]))
    assert m.plot(kind) is not None
    data = m.plot(kind, data_only=True)
    assert all(isinstance(v, pl.DataFrame) for v in (data.values() if isinstance(data, dict) else [data]))
