"""The adapter that lets the package `marginaleffects` work with our models."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError
from tanada.post.functionals import rebuilt_components
from tanada.post.grids import Predictors
from tanada.post.mean_function import mean_function
from tanada.results.mixed_result import MixedResult

Array = NDArray[np.float64]


def marginaleffects_adapter(m: MixedResult, kind: str = "response") -> Any:
    """A model that the PyPI package `marginaleffects` accepts: `predictions(a)`, `comparisons(a)`, `slopes(a)`, `hypotheses(a)`.

    Parameters
    ----------
    m : MixedResult
    kind : str
        What is predicted, as in `estimate_means`; random effects are at zero.

    Returns
    -------
    marginaleffects.classes.ModelAbstract

    Raises
    ------
    ModelError
        When `marginaleffects` is not installed (`pip install marginaleffects`).

    Notes
    -----
    Standard errors come from the covariance of the fixed effects by the delta method.

    References
    ----------
    Arel-Bundock, Greifer & Heiss (2024), Journal of Statistical Software 111(9).

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> from importlib.util import find_spec
    >>> find_spec("marginaleffects") is None or tn.marginaleffects_adapter(m).find_predictors() == ["escs"]
    True
    """
    try:
        from marginaleffects.classes.model import ModelVault
    except ImportError:
        raise ModelError("the package marginaleffects is not installed; install it with 'pip install marginaleffects'.") from None
    known = Predictors(m.design)
    names = known.names()
    response = m.fit.data.response if m.fit.data.response.isidentifier() else "response_"
    vault = ModelVault(
        coef=np.concatenate([m.fit.beta[c.name] for c in m.fit.data.components]),
        coefnames=np.array(m.fixed_names(), dtype=object),
        formula=f"{response} ~ " + (" + ".join(n if n.isidentifier() else f"`{n}`" for n in names) or "1"),
        modeldata=model_data(m, known, response),
        package="tanada",
        vcov=m.fit.vcov_beta,
        variable_names=[response, *names],
    )
    return adapter_class()(m, vault, kind)


def model_data(m: MixedResult, known: Predictors, response: str) -> Any:
    """The rows of the fit as a polars frame; text as categories in the order of its levels."""
    import polars as pl

    series = [pl.Series(response, np.asarray(m.fit.data.y, float))]
    for name in known.names():
        values = known.values(name)
        if values.dtype == object:
            series.append(pl.Series(name, values.tolist(), dtype=pl.Enum([str(v) for v in known.categories(name)])))
        else:
            series.append(pl.Series(name, values))
    return pl.DataFrame(series)


def variable_type(values: NDArray[Any]) -> str:
    """marginaleffects' name for the type of a column."""
    if values.dtype.kind == "b":
        return "boolean"
    if values.dtype.kind not in "iuf":
        return "character"
    if np.isin(values, (0, 1)).all():
        return "binary"
    return "numeric" if values.dtype.kind == "f" else "integer"


def adapter_class() -> type:
    """The adapter, a subclass of marginaleffects' model class (made here, as that package is optional)."""
    import polars as pl
    from marginaleffects.classes.model import ModelAbstract

    class ModelTanada(ModelAbstract):
        """A mixed model at random effects of zero."""

        def __init__(self, model: MixedResult, vault: Any, kind: str) -> None:
            self.quantity = mean_function(model.fit, kind)
            super().__init__(model, vault)

        def validation(self) -> None:
            """Our data are clean; the package's own reading of types fails on numbers with polars 2."""
            self.coef, self.formula = self.vault.coef, self.vault.formula
            self.response_name = self.find_response()
            self.vault.variables_type = {c: variable_type(self.vault.modeldata[c].to_numpy()) for c in self.vault.modeldata.columns}

        def get_vcov(self, vcov: Any = True) -> Any:
            if vcov is False or vcov is None:
                return None
            if vcov is True:
                return self.vault.vcov
            if isinstance(vcov, str):
                return self.model.tests(None, vcov).vcov
            return np.asarray(vcov, float)

        def get_exog(self, newdata: Any) -> Array:
            """Fixed-effects matrices of all components side by side, then their offsets."""
            return exog_of(self.model, newdata)

        def get_predict(self, params: Any, newdata: Any) -> Any:
            exog = newdata if isinstance(newdata, np.ndarray) else self.get_exog(newdata)
            p = len(self.vault.coef)
            etas, at = {}, 0
            for number, c in enumerate(self.model.fit.data.components):
                width = len(c.names)
                etas[c.name] = exog[:, at : at + width] @ np.asarray(params, float)[at : at + width] + exog[:, p + number]
                at += width
            value = self.quantity.function(etas)[0]
            return pl.DataFrame({"rowid": np.arange(len(value), dtype=np.int32), "estimate": np.asarray(value, float)})

    return ModelTanada


def exog_of(m: MixedResult, newdata: Any) -> Array:
    """(n, p + components) columns of all fixed-effects matrices and offsets on new rows."""
    known = Predictors(m.design)
    columns = {n: np.array(newdata[n].to_list(), dtype=object) if known.values(n).dtype == object else np.asarray(newdata[n].to_numpy()) for n in known.names()}
    n = len(newdata)
    parts = rebuilt_components(m.fit, m.design, columns, n, False)
    order = [parts[c.name] for c in m.fit.data.components]
    return np.column_stack([*(c.X for c in order), *(c.offset for c in order)])
