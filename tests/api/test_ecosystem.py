"""scikit-learn estimators and the adapter for marginaleffects."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import tanada as tn
from tanada.sklearn import MixedClassifier, MixedRegressor


@pytest.fixture(scope="module")
def data():
    return tn.load_dataset("school_survey")


def test_regressor_is_the_mixed_model(data):
    X, y = data[["escs"]], data["read_score"]
    r = MixedRegressor().fit(X, y, groups=data["school_id"])
    m = tn.mixed("read_score ~ escs + (1 | school_id)", data)
    np.testing.assert_allclose(r.coef_, m.fit.beta["cond"], rtol=1e-8)
    np.testing.assert_allclose(r.predict(X, groups=data["school_id"]), m.fitted(), rtol=1e-8)
    np.testing.assert_allclose(r.predict(X), np.asarray(m.predict(re=False)["estimate"]), rtol=1e-8)
    assert r.score(X, y) == pytest.approx(1 - np.sum((y - r.predict(X)) ** 2) / np.sum((y - y.mean()) ** 2))


def test_formula_with_the_group_in_x(data):
    X = data[["escs", "school_id"]]
    r = MixedRegressor("~ escs + (escs | school_id)").fit(X, data["read_score"])
    assert r.formula_ == "y_ ~ escs + (escs | school_id)"
    new = X.head(3).assign(school_id="new school")
    b = r.coef_
    np.testing.assert_allclose(r.predict(new), b[0] + b[1] * new["escs"], rtol=1e-9)


def test_classifier(data):
    y = np.where(data["wants_univ"] == 1, "yes", "no")
    c = MixedClassifier().fit(data[["escs"]], y, groups=data["school_id"])
    assert list(c.classes_) == ["no", "yes"]
    p = c.predict_proba(data[["escs"]])
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert set(c.predict(data[["escs"]])) <= {"no", "yes"}
    m = tn.mixed("wants_univ ~ escs + (1 | school_id)", data, family="binomial")
    np.testing.assert_allclose(p[:, 1], np.asarray(m.predict(re=False)["estimate"]), rtol=1e-6)


def test_parameters_and_pickles(data):
    r = MixedRegressor("read_score ~ escs + (1 | school_id)", reml=True)
    assert r.get_params()["reml"] is True
    r.set_params(reml=False)
    X = data[["escs", "school_id"]]
    r.fit(X, data["read_score"])
    again = pickle.loads(pickle.dumps(r))
    np.testing.assert_allclose(again.predict(X), r.predict(X), rtol=1e-10)


def test_works_inside_scikit_learn(data):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn.base import clone
    from sklearn.model_selection import GroupKFold, cross_val_score

    X = data[["escs", "sch_escs_mean", "school_id"]]
    r = clone(MixedRegressor("read_score ~ escs + sch_escs_mean + (1 | school_id)"))
    scores = cross_val_score(r, X, data["read_score"], groups=data["school_id"], cv=GroupKFold(3))
    assert np.all(scores > 0.1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: MixedRegressor().fit(np.zeros(5), np.zeros(5)),
        lambda: MixedRegressor().fit(np.array([[1.0], [np.nan]]), np.zeros(2)),
        lambda: MixedRegressor().fit(np.ones((3, 1)), [1, 2]),
        lambda: MixedClassifier().fit(np.ones((3, 1)), [1, 2, 3]),
        lambda: MixedRegressor().fit(np.arange(4.0)[:, None], [1, 2, 2, 1], groups=[1, 2]),
        lambda: MixedRegressor().fit(np.arange(4.0)[:, None], None),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError):
        call()


def test_predict_before_fit():
    with pytest.raises((tn.ModelError, ValueError)):
        MixedRegressor().predict(np.ones((2, 1)))


def test_marginaleffects_agrees_with_our_slopes_and_means(data):
    me = pytest.importorskip("marginaleffects", reason="marginaleffects is not installed")
    d = data.assign(escs_cwc=data["escs"] - data["sch_escs_mean"])
    m = tn.mixed("wants_univ ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", d, family="binomial")
    a = tn.marginaleffects_adapter(m)
    theirs = me.predictions(a, newdata=me.datagrid(a, sch_escs_mean=[-0.5, 0, 0.5]))
    frame = theirs if hasattr(theirs, "columns") else theirs.data
    ours = tn.estimate_means(m, "sch_escs_mean = c(-0.5, 0, 0.5)", re="zero", interval="delta")
    np.testing.assert_allclose(np.asarray(frame["estimate"]), ours["estimate"], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(frame["std_error"]), ours["std_error"], rtol=1e-4)
    slope = me.avg_slopes(a, variables="escs_cwc")
    slope = slope if hasattr(slope, "columns") else slope.data
    mine = tn.estimate_slopes(m, "escs_cwc", estimate="average", re="zero")
    np.testing.assert_allclose(np.asarray(slope["estimate"]), mine["estimate"], rtol=1e-4)
    np.testing.assert_allclose(np.asarray(slope["std_error"]), mine["std_error"], rtol=1e-3)


def test_adapter_predicts_with_factors():
    """Comparisons of factors fail inside marginaleffects 0.6 with polars 2, so the adapter's own part is tested."""
    pytest.importorskip("marginaleffects", reason="marginaleffects is not installed")
    from tests.post.test_marginal import toy

    m = tn.mixed("y ~ f * w + x + (1 | g)", toy(), quiet=True)
    a = tn.marginaleffects_adapter(m)
    found = a.get_predict(a.get_coef(), a.get_exog(a.get_modeldata()))
    np.testing.assert_allclose(np.asarray(found["estimate"]), np.asarray(m.predict(re=False)["estimate"]), rtol=1e-10)
    assert a.get_variable_type("f") == "character" and a.get_vcov(True).shape == (7, 7)
