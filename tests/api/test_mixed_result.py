"""The surface of a fitted model: attributes, columns, texts, files, and what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tests.brute.designs import crossed, nested, singular


@pytest.fixture(scope="module")
def m() -> Any:
    return tn.mixed("y ~ x + (x | a)", crossed(), quiet=True)


def test_numbers(m: Any) -> None:
    assert m.npar == 6 and m.nobs == 60 and m.df_resid == 54 and m.n_groups == {"a": 6}
    assert m.deviance == pytest.approx(-2 * m.loglik) and m.aic == pytest.approx(m.deviance + 12)
    assert m.bic == pytest.approx(m.deviance + 6 * np.log(60))
    assert m.formula == "y ~ x + (x | a)" and m.family == "gaussian" and m.reml is False
    assert "y ~ x" in repr(m)


def test_columns(m: Any) -> None:
    assert list(m.fixef().columns) == ["component", "term", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]
    assert list(m.varcorr().columns) == ["component", "group", "term1", "term2", "variance", "std_dev", "covariance", "correlation"]
    assert list(m.ranef().columns) == ["component", "group", "level", "term", "estimate", "std_error"]
    assert list(m.coef().columns) == ["group", "level", "(Intercept)", "x"]
    assert list(m.predict(interval="confidence").columns) == ["estimate", "std_error", "conf_low", "conf_high"]
    assert list(m.confint().columns) == ["term", "conf_low", "conf_high"]
    assert m.vcov(full=True).shape == (6, 6) and m.vcov().columns.tolist() == ["(Intercept)", "x"]
    np.testing.assert_allclose(np.sqrt(np.diag(m.vcov())), m.fixef()["std_error"])
    assert list(m.tidy("ran_pars")["term"]) == ["sd__(Intercept)", "sd__x", "cor__(Intercept).x", "sd__Observation"]
    assert list(m.glance().columns) == ["nobs", "sigma", "logLik", "AIC", "BIC", "deviance", "df.residual"]


def test_coef_is_fixed_plus_random(m: Any) -> None:
    r = m.ranef()
    b = r[r["term"] == "x"]["estimate"].to_numpy()
    np.testing.assert_allclose(m.coef()["x"], m.fixef()["estimate"][1] + b)


def test_a_slope_without_its_fixed_effect(m: Any) -> None:
    w = tn.mixed("y ~ 1 + (x | a)", crossed(), quiet=True)
    assert any("x" in n for n in w.notes)
    np.testing.assert_allclose(w.coef()["x"], w.ranef()[w.ranef()["term"] == "x"]["estimate"])


def test_summary_texts(m: Any) -> None:
    m = tn.mixed("y ~ x + (x | a)", nested(), quiet=True)
    s = str(m.summary(correlation=True))
    for piece in ("Linear mixed model fit by", "Formula: y ~ x + (x | a)", "AIC", "logLik", "df.resid", "Scaled residuals:", "Random effects:", "Corr",
                  "Number of obs: 72, groups: a, 6", "Std. Error", "Pr(>|t|)", "Signif. codes", "Correlation of fixed effects", "Satterthwaite"):  # fmt: skip
        assert piece in s, piece
    assert "<table>" in m.summary()._repr_html_()
    assert r"\begin{tabular}" in m.summary().to_latex() and r"\_" not in m.summary().to_latex().replace(r"\_", "")
    assert "| --- " not in m.summary().to_markdown() and "| :--- |" in m.summary().to_markdown()
    assert "z value" in str(m.summary(ddf="z")) and "Kenward-Roger" in str(m.summary(ddf="kenward-roger"))


def test_columns_line_up_with_wide_characters() -> None:
    d = nested().rename(columns={"x": "社会経済", "a": "学校"})
    s = str(tn.mixed("y ~ 社会経済 + (1 | 学校)", d, quiet=True).summary())
    from tanada.results.text import width

    lines = s[s.index("Fixed effects:") :].splitlines()[1:4]
    assert len({width(line.rstrip("*. ")) for line in lines[1:]}) == 1 and "社会経済" in s


def test_aliased_columns_are_shown_with_nan() -> None:
    d = crossed().assign(x2=lambda d: 2 * d["x"])
    with pytest.warns(UserWarning, match="x2"):
        m = tn.mixed("y ~ x + x2 + (1 | a)", d)
    t = m.fixef()
    assert t["term"].tolist() == ["(Intercept)", "x", "x2"] and t.iloc[2, 2:].isna().all()
    assert "(aliased)" in str(m.summary()) and m.npar == 4
    m.predict(d.head(3))


def test_singular_fit_says_which_and_what_to_do() -> None:
    with pytest.warns(UserWarning, match="variance of"):
        m = tn.mixed("y ~ x + (1 | a)", singular())
    assert m.singular and m.converged and m.verdict.status == "boundary" and m.verdict.advice
    assert tn.check_singularity(m)["singular"].tolist() == [True]
    assert "at a bound" in str(m.summary()) and "variance of" in str(m.summary())
    assert np.isnan(m.confint()["conf_low"][0]) and m.fixef()["df"].notna().all()


def test_dropped_rows_line_up() -> None:
    d = crossed()
    d.loc[[3, 7], "x"] = np.nan
    with pytest.warns(UserWarning, match="2 of 60 rows"):
        m = tn.mixed("y ~ x + (1 | a)", d)
    assert m.nobs == 58 and len(m.fitted()) == 58 and len(m.residuals(pad=True)) == 60
    assert np.isnan(m.fitted(pad=True)[[3, 7]]).all() and np.isfinite(np.delete(m.fitted(pad=True), [3, 7])).all()
    a = m.augment()
    np.testing.assert_allclose(a["y"], d["y"].to_numpy()[a[".row"]])
    np.testing.assert_allclose(a[".fitted"] + a[".resid"], a["y"])
    assert "2 of 60 rows" in str(m.summary())
    p = m.predict(d)
    assert len(p) == 60 and p["estimate"].isna().sum() == 2


def test_save_and_load(m: Any, tmp_path: Path) -> None:
    for name, model in {"g": m, "b": tn.mixed("b ~ x + (1 | a)", crossed().assign(b=lambda d: (d["y"] > 1).astype(int)), family="binomial", quiet=True)}.items():
        path = tmp_path / f"{name}.tanada"
        model.save(path)
        back = tn.load(path)
        assert str(back.summary()) == str(model.summary())
        pd.testing.assert_frame_equal(back.predict(crossed().head(5), interval="confidence"), model.predict(crossed().head(5), interval="confidence"))
        pd.testing.assert_frame_equal(back.ranef(), model.ranef())
        y = model.simulate(1, seed=1)["sim_1"]
        assert back.refit(y).loglik == pytest.approx(model.refit(y).loglik, abs=1e-6)
        assert back.update(". ~ . - x").formula == model.update(". ~ . - x").formula
        assert b"pickle" not in path.read_bytes()


def test_loaded_models_keep_weights_of_the_rows_used(tmp_path: Path) -> None:
    d = crossed()
    w = d["w"].to_numpy()
    d.loc[[0, 5], "x"] = np.nan
    model = tn.mixed("y ~ x + (1 | a)", d, weights=w, quiet=True)
    model.save(tmp_path / "m")
    back = tn.load(tmp_path / "m")
    assert back.update(reml=True).loglik == pytest.approx(model.update(reml=True).loglik, abs=1e-8)
    assert len(back.fitted(pad=True)) == 60


def test_update(m: Any) -> None:
    assert m.update(". ~ . - x").formula == "y ~ (x | a)"
    assert m.update(". ~ . + (1 | b)").formula == "y ~ x + (x | a) + (1 | b)"
    assert m.update("log(.) ~ 1", data=crossed().assign(y=lambda d: np.exp(d["y"]))).formula == "log(y) ~ 1"
    assert m.update(reml=True).reml is True


CASES: dict[str, tuple[type[Exception], str]] = {
    "tn.mixed('y ~ x + (1|a)', d, family='gausian')": (tn.ModelError, "gaussian"),
    "tn.mixed('y ~ x + (1|a)', d, family=3)": (tn.ModelError, "name such as"),
    "tn.mixed('y ~ x + (1|a)', d, link='logitt')": (tn.ModelError, "identity"),
    "tn.mixed('y ~ x + (1|a)', d, reml='yes')": (tn.ModelError, "True or False"),
    "tn.mixed('y ~ x + (1|a)', d, nagq=-2)": (tn.ModelError, "quadrature"),
    "tn.mixed('y ~ x + (1|a)', d, na='omit')": (tn.ModelError, "'drop'"),
    "tn.mixed('y ~ x + (1|a)', d, control={'maxiter': 3})": (tn.ModelError, "max_iterations"),
    "tn.mixed('y ~ x + (1|a)', d, control=3)": (tn.ModelError, "dict"),
    "tn.mixed(3, d)": (tn.FormulaError, "text such as"),
    "m.fixef(ddf='saterthwaite')": (tn.ModelError, "satterthwaite"),
    "m.fixef(level=95)": (tn.ModelError, "between 0 and 1"),
    "m.fixef(robust='HC3')": (tn.ModelError, "CR2"),
    "m.ranef('b')": (tn.ModelError, "grouping factor"),
    "m.confint('waldd')": (tn.ModelError, "wald"),
    "m.confint(parm='sd(z|a)')": (tn.ModelError, "no parameter"),
    "m.predict(d[['y', 'a']])": (tn.DataError, "'x'"),
    "m.predict(d.assign(a='zzz'), new_levels='error')": (tn.DataError, "'a'"),
    "m.predict(kind='mean')": (tn.ModelError, "kind"),
    "m.predict(kind='zprob')": (tn.ModelError, "zi="),
    "m.predict(interval='credible')": (tn.ModelError, "confidence"),
    "m.predict(re=['b'])": (tn.ModelError, "'b'"),
    "m.predict(d, new_levels='skip')": (tn.ModelError, "population"),
    "m.predict(kind='link', interval='prediction')": (tn.ModelError, "response"),
    "m.residuals('studentized')": (tn.ModelError, "kind"),
    "m.refit(np.ones(3))": (tn.DataError, "60"),
    "m.refit(np.full(60, np.nan))": (tn.DataError, "missing"),
    "m.refit(['a'] * 60)": (tn.DataError, "numbers"),
    "m.simulate(0)": (tn.ModelError, "1 or more"),
    "m.simulate(1, re='old')": (tn.ModelError, "new"),
    "m.update('. ~ . - zz')": (tn.FormulaError, "no term 'zz'"),
    "m.update(famly='poisson')": (tn.ModelError, "family"),
    "m.tidy('random')": (tn.ModelError, "ran_vals"),
    "tn.anova()": (tn.ModelError, "at least one"),
    "tn.anova(3)": (tn.ModelError, "'int'"),
    "tn.anova(m, type=4)": (tn.ModelError, "1, 2 or 3"),
    "tn.anova(m, tn.mixed('y ~ x + (1|a)', d.head(50)))": (tn.DataError, "50 rows"),
    "tn.anova(m, tn.mixed('x ~ y + (1|a)', d))": (tn.DataError, "response"),
    "tn.anova(m, tn.mixed('y ~ x + (1|a)', d.assign(y=d.y.to_numpy()[::-1])))": (tn.DataError, "different values"),
    "tn.anova(m, tn.mixed('y ~ x + (1|a)', d, weights='w'))": (tn.DataError, "weights"),
    "tn.icc(tn.mixed('y ~ x', d))": (tn.ModelError, "random"),
    "tn.icc(3)": (tn.ModelError, "'int'"),
    "tn.pve(m, tn.mixed('y ~ x + (1|b)', d))": (tn.ModelError, "'a'"),
    "tn.load('nothing.tanada')": (tn.DataError, "no file"),
    "tn.load(__file__)": (tn.DataError, "not a model"),
}


@pytest.mark.parametrize("call", CASES)
def test_bad_input_names_the_thing_and_what_would_work(m: Any, call: str) -> None:
    kind, words = CASES[call]
    with pytest.raises(kind, match=words.replace("(", r"\(")) as caught:
        eval(call, {"tn": tn, "m": m, "d": crossed(), "np": np, "__file__": __file__})
    assert str(caught.value).count("\n") <= 4
