"""Known covariance structures through tn.mixed: with the identity they are a plain random intercept."""

import numpy as np
import pandas as pd
import pytest

import tanada as tn


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(25), 8)
    x = rng.normal(size=200)
    eta = 0.3 * x + rng.normal(0, 0.7, 25)[g]
    return pd.DataFrame(
        {"x": x, "g": pd.Categorical([f"g{i:02d}" for i in g]), "one": "all", "y": eta + rng.normal(size=200), "count": rng.poisson(np.exp(eta))}
    )


@pytest.mark.parametrize("response,family", [("y", "gaussian"), ("count", "poisson")])
def test_identity_is_a_random_intercept(data: pd.DataFrame, response: str, family: str) -> None:
    names = data["g"].cat.categories
    V = pd.DataFrame(np.eye(25), index=names, columns=names)
    plain = tn.mixed(f"{response} ~ x + (1 | g)", data, family=family)
    propto = tn.mixed(f"{response} ~ x + propto(0 + g | one, V)", data, family=family, control={"known": {"V": V}})
    assert propto.loglik == pytest.approx(plain.loglik, abs=1e-6)
    np.testing.assert_allclose(propto.fixef()["estimate"], plain.fixef()["estimate"], atol=1e-4)
    variance = float(plain.varcorr()["variance"][0])
    equalto = tn.mixed(f"{response} ~ x + equalto(0 + g | one, V)", data, family=family, control={"known": {"V": V * variance}})
    assert equalto.loglik == pytest.approx(plain.loglik, abs=1e-5)
    assert equalto.npar == plain.npar - 1
