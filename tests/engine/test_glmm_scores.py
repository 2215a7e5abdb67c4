"""Scores by cluster: they add up to the gradient, and each is the gradient of the likelihood of its rows alone."""

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tanada.engine.glmm_scores import cluster_scores


def counts(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(30), 8)
    x = rng.normal(size=g.size)
    mu = np.exp(0.4 + 0.3 * x + rng.normal(0, 0.6, 30)[g])
    y = rng.negative_binomial(2.0, 2.0 / (2.0 + mu))
    return pd.DataFrame({"y": y.astype(float), "x": x, "g": [f"g{i:02d}" for i in g], "s": [f"s{i % 4}" for i in range(g.size)]})


@pytest.mark.parametrize("formula", ["y ~ x + (x | g)", "y ~ x + (1 | g) + (1 | g:s)"])
@pytest.mark.parametrize("nagq", [1, 5])
def test_scores_add_up_and_equal_the_gradient_of_one_cluster(formula: str, nagq: int) -> None:
    if nagq > 1 and "s" in formula:
        nagq = 1
    d = counts()
    m = tn.mixed(formula, d, family="nbinom2", nagq=nagq, quiet=True)
    codes = np.unique(d["g"], return_inverse=True)[1]
    scores = cluster_scores(m.fit, codes)
    assert scores.shape == (30, len(m.fit.params))
    free = np.isfinite(np.diag(m.fit.extra["vcov"]))
    assert np.abs(scores.sum(0)[free]).max() < 1e-2
    values, c = m.fit.values, 7
    # the likelihood of cluster 7 alone: all others at weight zero
    alone = tn.mixed(formula, d.assign(w=np.where(codes == c, 1.0, 1e-12)), family="nbinom2", nagq=nagq, weights="w", quiet=True)
    np.testing.assert_allclose(scores[c], -0.5 * alone.fit.objective.gradient(values), rtol=1e-5, atol=1e-6)


def test_robust_errors_agree_with_the_model_when_it_is_right_and_grow_when_it_is_wrong() -> None:
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(300), 6)
    w = rng.normal(size=300)[g]
    eta = 0.2 + 0.3 * w + rng.normal(0, 0.5, 300)[g]
    d = pd.DataFrame({"y": rng.poisson(np.exp(eta)).astype(float), "w": w, "g": g.astype(str)})
    right = tn.mixed("y ~ w + (1 | g)", d, family="poisson", quiet=True)
    ratio = right.fixef(robust="CR1")["std_error"] / right.fixef()["std_error"]
    assert ratio.between(0.85, 1.15).all()
    wrong = tn.mixed("y ~ w + (0 + w | g)", d, family="poisson", quiet=True)
    assert (wrong.fixef(robust="CR1")["std_error"] / wrong.fixef()["std_error"])[0] > 1.2


def test_cr2_and_priors_are_refused() -> None:
    m = tn.mixed("y ~ x + (1 | g)", counts(), family="nbinom2", quiet=True)
    with pytest.raises(tn.ModelError, match="CR2"):
        m.vcov(robust="CR2")
    with pytest.raises(tn.ModelError, match="priors"):
        tn.mixed("y ~ x + (1 | g)", counts(), family="nbinom2", priors={"b": "normal(0, 2.5)"}, quiet=True).vcov(robust="CR0")
