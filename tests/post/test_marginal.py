"""Marginal means and slopes: R's values, identities, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tanada as tn
from tests.post.conftest import reference

REF = reference("slopes")
GRIDS = {"sd": "sch_escs_mean = [sd]", "given": "sch_escs_mean = c(-0.5, 0, 0.5)", "grid10": "sch_escs_mean"}
DEFINITIONS = {
    "typical": ("typical", "modes"),
    "population": ("typical", "zero"),
    "average": ("average", "modes"),
    "average_population": ("average", "zero"),
}


def assert_close(table, expected, columns, rtol=1e-4, atol=2e-4):
    for ours, theirs in columns.items():
        np.testing.assert_allclose(np.asarray(table[ours], float), expected[theirs], rtol=rtol, atol=atol, err_msg=ours)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("engine", ["lmer_ML", "lmer_REML"])
def test_slopes_agree_with_r(grid, engine, linear, linear_reml):
    m = linear if engine == "lmer_ML" else linear_reml
    ref = REF["linear"][engine]
    z = tn.estimate_slopes(m, "escs_cwc", by=GRIDS[grid], ddf="z")
    assert_close(z, ref["slopes_z"][grid], {"sch_escs_mean": "sch_escs_mean", "estimate": "slope", "std_error": "se", "conf_low": "low", "statistic": "z"})
    t = tn.estimate_slopes(m, "escs_cwc", by=GRIDS[grid])
    assert_close(t, ref["slopes_satterthwaite"][grid], {"estimate": "slope", "df": "df", "conf_high": "high", "p_value": "p"}, rtol=2e-3)
    r = tn.estimate_slopes(m, "escs_cwc", by=GRIDS[grid], ddf="residual")
    assert_close(r, ref["slopes_t_residual_df"][grid], {"conf_low": "low", "conf_high": "high"}, rtol=1e-3)


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("grid", GRIDS)
def test_logistic_slopes_agree_under_four_definitions(definition, grid, logistic):
    estimate, re = DEFINITIONS[definition]
    t = tn.estimate_slopes(logistic, "escs_cwc", by=GRIDS[grid], estimate=estimate, re=re)
    ref = REF["logistic"]["slopes"][definition]["at"][grid]
    assert_close(t, ref, {"estimate": "slope", "std_error": "se", "conf_low": "low", "conf_high": "high"}, rtol=1e-4, atol=1e-6)
    assert "random effects" in " ".join(t.notes)


def test_link_scale_slopes_agree(logistic):
    t = tn.estimate_slopes(logistic, "escs_cwc", by=GRIDS["sd"], kind="link")
    assert_close(t, REF["logistic"]["slopes"]["link_scale"]["at"]["sd"], {"estimate": "slope", "std_error": "se", "statistic": "z"})


def test_default_reading_is_that_of_the_lecture(logistic):
    default = tn.estimate_slopes(logistic, "escs_cwc", by=GRIDS["sd"])
    modes = tn.estimate_slopes(logistic, "escs_cwc", by=GRIDS["sd"], re="modes")
    np.testing.assert_array_equal(default["estimate"], modes["estimate"])


def test_means_agree_with_r(linear, logistic):
    by = ["sch_escs_mean = [sd]", "escs_cwc"]
    columns = {"escs_cwc": "escs_cwc", "estimate": "mean", "std_error": "se", "conf_low": "low", "conf_high": "high"}
    assert_close(tn.estimate_means(linear, by, ddf="z"), REF["means_linear"]["lmer_ML"], columns)
    means = REF["logistic"]["means"]
    assert_close(tn.estimate_means(logistic, by, re="modes", interval="delta"), means["typical"], columns)
    assert_close(tn.estimate_means(logistic, by, re="zero", interval="delta"), means["population"], columns)
    assert_close(tn.estimate_means(logistic, by, re="zero"), means["population_link_interval"], {"conf_low": "low", "conf_high": "high"})


def test_normal_reading_is_the_derivative_of_the_marginal_mean(logistic):
    h = 1e-4
    at = {"escs_cwc": [0.3 - h, 0.3 + h], "sch_escs_mean": [0.1]}
    means = np.asarray(tn.estimate_means(logistic, at, re="normal")["estimate"])
    slope = tn.estimate_slopes(logistic, "escs_cwc", by={"escs_cwc": [0.3], "sch_escs_mean": [0.1]}, re="normal")
    np.testing.assert_allclose(slope["estimate"], [(means[1] - means[0]) / (2 * h)], rtol=1e-6)


def test_normal_reading_agrees_with_simulated_effects(logistic):
    rng = np.random.default_rng(3)
    term, beta = logistic.fit.terms[0], logistic.fit.beta["cond"]
    b = rng.standard_normal((200_000, 2)) @ term.factor.T
    eta = beta[0] + 0.5 * beta[1] - 0.2 * beta[2] + 0.5 * -0.2 * beta[3] + b[:, 0] + 0.5 * b[:, 1]
    mean = tn.estimate_means(logistic, {"escs_cwc": [0.5], "sch_escs_mean": [-0.2]}, re="normal")["estimate"]
    assert abs(float(np.asarray(mean)[0]) - np.mean(1 / (1 + np.exp(-eta)))) < 2e-3


def toy(seed=1):
    rng = np.random.default_rng(seed)
    n = 240
    d = pd.DataFrame({"f": rng.choice(["a", "b", "c"], n), "g": np.repeat(np.arange(24), 10).astype(str), "x": rng.normal(size=n), "w": rng.normal(size=n) > 0})
    d["y"] = 1 + d["x"] * (d["f"] == "b") + (d["f"] == "c") * 2 + d["w"] + rng.normal(size=24)[np.arange(n) // 10] + rng.normal(size=n)
    return d


def test_factor_means_average_other_factors_equally():
    d = toy()
    m = tn.mixed("y ~ f * w + x + (1 | g)", d, quiet=True)
    t = tn.estimate_means(m, "f")
    b = dict(zip(m.fixed_names(), m.fit.beta["cond"], strict=True))
    x = d["x"].mean()
    expected = b["(Intercept)"] + b["x"] * x + b["fb"] + 0.5 * (b["wTRUE"] + b["fb:wTRUE"])
    assert list(t["f"]) == ["a", "b", "c"]
    np.testing.assert_allclose(t["estimate"][1], expected, rtol=1e-10)
    p = tn.estimate_means(m, "f", weights="proportional")
    share = d["w"].mean()
    np.testing.assert_allclose(p["estimate"][1], b["(Intercept)"] + b["x"] * x + b["fb"] + share * (b["wTRUE"] + b["fb:wTRUE"]), rtol=1e-10)


def test_mean_of_population_predictions_is_the_average_mean():
    d = toy()
    m = tn.mixed("y ~ f * x + (1 | g)", d, quiet=True)
    t = tn.estimate_means(m, {"f": ["b"]}, estimate="average")
    new = d.assign(f="b")
    np.testing.assert_allclose(t["estimate"], [np.mean(m.predict(new, re=False)["estimate"])], rtol=1e-10)


def test_slopes_of_transformed_and_curved_terms():
    d = toy().assign(z=lambda f: np.exp(f["x"] / 3))
    m = tn.mixed("y ~ log(z) + I(z^2) + (1 | g)", d, quiet=True)
    b = m.fit.beta["cond"]
    t = tn.estimate_slopes(m, "z", by={"z": [0.5, 1.0, 1.7]})
    z = np.array([0.5, 1.0, 1.7])
    np.testing.assert_allclose(t["estimate"], b[1] / z + 2 * b[2] * z, rtol=1e-7)


def test_polars_in_polars_out():
    m = tn.mixed("y ~ f * x + (1 | g)", pl.from_pandas(toy()), quiet=True)
    t = tn.estimate_means(m, ["f", "x = [quartiles]"])
    assert isinstance(t.table, pl.DataFrame) and t.table.height == 9
    assert t.columns == ["f", "x", "estimate", "std_error", "conf_low", "conf_high", "statistic", "df", "p_value"]
    assert "Estimated marginal means" in str(t) and "<table>" in t._repr_html_()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x = c(-0.5, 0, 0.5)", [-0.5, 0, 0.5]),
        ("x = [1, 2.5]", [1, 2.5]),
        ("x = seq(0, 1, by = 0.5)", [0, 0.5, 1]),
        ("x = seq(0, 1, length = 5)", [0, 0.25, 0.5, 0.75, 1]),
        ("x = 3", [3]),
        ("x = [1:3]", [1, 2, 3]),
    ],
)
def test_grids_are_read_as_written(text, values):
    m = tn.mixed("y ~ x + (1 | g)", toy(), quiet=True)
    np.testing.assert_allclose(tn.estimate_means(m, text)["x"], values)


def test_tokens():
    d = toy()
    m = tn.mixed("y ~ x + (1 | g)", d, quiet=True)
    x = d["x"]
    values = lambda token: np.asarray(tn.estimate_means(m, f"x = [{token}]")["x"])  # noqa: E731
    np.testing.assert_allclose(values("sd"), [x.mean() - x.std(), x.mean(), x.mean() + x.std()])
    np.testing.assert_allclose(values("quartiles"), np.quantile(x, [0.25, 0.5, 0.75]))
    np.testing.assert_allclose(values("minmax"), [x.min(), x.max()])
    np.testing.assert_allclose(values("terciles"), np.quantile(x, [1 / 3, 2 / 3]))
    assert values("fivenum")[2] == np.median(x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: tn.estimate_means(m, "xx"), "Did you mean"),
        (lambda m: tn.estimate_means(m, "g"), "grouping factor"),
        (lambda m: tn.estimate_means(m, {"f": ["z"]}), "not a level"),
        (lambda m: tn.estimate_means(m, {"x": ["a"]}), "numeric"),
        (lambda m: tn.estimate_means(m, {"x": [np.nan]}), "finite"),
        (lambda m: tn.estimate_means(m, "x = [sdd]"), "numeric"),
        (lambda m: tn.estimate_means(m, "x", kind="respons"), "response"),
        (lambda m: tn.estimate_means(m, "x", kind="zprob"), "zero-inflation"),
        (lambda m: tn.estimate_means(m, "x", length=0), "length"),
        (lambda m: tn.estimate_means(m, "x", level=1.5), "level"),
        (lambda m: tn.estimate_means(m, ["x", "x"]), "twice"),
        (lambda m: tn.estimate_slopes(m, "f"), "categorical"),
        (lambda m: tn.estimate_slopes(m, "y"), "not a variable"),
        (lambda m: tn.estimate_slopes(m, "x", re="none"), "zero"),
        (lambda m: tn.estimate_slopes(m, "x", estimate="all"), "typical"),
        (lambda m: tn.contrasts(m, "f", method="pairs"), "pairwise"),
        (lambda m: tn.contrasts(m, "f", adjust="tuckey"), "tukey"),
        (lambda m: tn.contrasts(m, "f", adjust="tukey", method="reference"), "pairwise"),
        (lambda m: tn.contrasts(m, "f", method={"a": [1, -1]}), "3 finite coefficients"),
        (lambda m: tn.contrasts(m, "f", by="f"), "both"),
        (lambda m: tn.johnson_neyman(m, "x", "x"), "differ"),
        (lambda m: tn.johnson_neyman(m, "x", "f"), "categorical"),
        (lambda m: tn.johnson_neyman(m, "x", "x", adjust="holm"), "esarey-sumner"),
    ],
)
def test_bad_input_is_named(call, words):
    m = tn.mixed("y ~ f * x + (1 | g)", toy(), quiet=True)
    with pytest.raises(tn.TanadaError, match=words):
        call(m)


def test_empty_cells_are_not_estimated():
    d = toy()
    d = d[~((d["f"] == "b") & d["w"])]
    m = tn.mixed("y ~ f * w + (1 | g)", d, quiet=True)
    t = tn.estimate_means(m, ["f", "w"]).table
    empty = (t["f"] == "b") & (t["w"] == True)  # noqa: E712
    assert t.loc[empty, "estimate"].isna().all() and t.loc[~empty, "estimate"].notna().all()
    cells = tn.mixed("y ~ 0 + cell + (1 | g)", d.assign(cell=d["f"] + d["w"].astype(str)), quiet=True)
    np.testing.assert_allclose(np.sort(t.loc[~empty, "estimate"]), np.sort(cells.fit.beta["cond"]), rtol=1e-5)
    over = tn.estimate_means(m, "f")
    assert np.array_equal(np.isnan(over["estimate"]), [False, True, False])


def test_slope_of_a_duplicated_predictor_is_not_estimated():
    d = toy().assign(x2=lambda f: 2 * f["x"])
    m = tn.mixed("y ~ x + x2 + f + (1 | g)", d, quiet=True)
    assert np.isnan(np.asarray(tn.estimate_slopes(m, "x")["estimate"])).all()
    assert np.isfinite(np.asarray(tn.estimate_means(m, "f")["estimate"])).all()


@pytest.fixture(scope="module")
def ordinal():
    rng = np.random.default_rng(11)
    n = 600
    g, x = np.repeat(np.arange(30), 20), rng.normal(size=n)
    latent = x + rng.normal(size=30)[g] + rng.logistic(size=n)
    grade = pd.Categorical.from_codes(np.digitize(latent, [-1, 1]), ["low", "middle", "high"], ordered=True)
    return tn.mixed("grade ~ x + (1 | g)", pd.DataFrame({"g": g, "x": x, "grade": grade}), family="ordinal", quiet=True)


def test_ordinal_probabilities_sum_to_one_and_carry_the_thresholds(ordinal):
    t = tn.estimate_means(ordinal, "x = c(-1, 0, 1)", re="zero", interval="delta").table
    assert list(t["category"][:3]) == ["low", "middle", "high"]
    np.testing.assert_allclose(t.groupby("x")["estimate"].sum(), 1)
    cuts, b = np.asarray(ordinal.fit.extra["thresholds"]), ordinal.fit.beta["cond"][0]
    expit = lambda e: 1 / (1 + np.exp(-e))  # noqa: E731
    np.testing.assert_allclose(t["estimate"][0], expit(cuts[0] + b))
    at = [int(ordinal.fit.params.index("fixed")[0]), int(ordinal.fit.params.index("threshold")[0])]
    V = np.asarray(ordinal.fit.extra["vcov"])[np.ix_(at, at)]
    density = expit(cuts[0] + b) * expit(-cuts[0] - b)
    np.testing.assert_allclose(t["std_error"][0], density * np.sqrt(np.array([1.0, 1.0]) @ V @ np.array([1.0, 1.0])), rtol=1e-8)


def test_ordinal_slopes_sum_to_zero(ordinal):
    t = tn.estimate_slopes(ordinal, "x", by="x = c(-1, 1)").table
    np.testing.assert_allclose(t.groupby("x")["estimate"].sum(), 0, atol=1e-10)
    c = tn.contrasts(ordinal, "x = c(0, 1)").table
    assert list(c["category"]) == ["low", "middle", "high"] and c["estimate"][2] < 0


def test_zero_inflated_means_are_products():
    rng = np.random.default_rng(12)
    n = 600
    g, x = np.repeat(np.arange(30), 20), rng.normal(size=n)
    y = np.where(rng.random(n) < 0.3, 0, rng.poisson(np.exp(0.8 + 0.4 * x + 0.3 * rng.normal(size=30)[g])))
    m = tn.mixed("y ~ x + (1 | g)", {"g": g, "x": x, "y": y}, family="poisson", zi="~ x", quiet=True)
    at = {"x": [-0.5, 0.5]}
    value = lambda kind: np.asarray(tn.estimate_means(m, at, kind=kind, re="zero")["estimate"])  # noqa: E731
    np.testing.assert_allclose(value("response"), value("conditional") * (1 - value("zprob")), rtol=1e-9)
    np.testing.assert_allclose(value("response"), m.predict({"x": [-0.5, 0.5]}, re=False)["estimate"], rtol=1e-9)
    ours = np.asarray(tn.estimate_means(m, at, re="zero")["std_error"])
    np.testing.assert_allclose(ours, m.predict({"x": [-0.5, 0.5]}, re=False)["std_error"], rtol=1e-6)
