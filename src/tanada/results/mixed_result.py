"""MixedResult: a fitted mixed model, frozen; methods are thin calls into post/ and inference/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import DataError
from tanada.frame import read_frame
from tanada.inference.wald import check_level
from tanada.post import residuals as residual_kinds
from tanada.post.newdata import rebuilt_rows
from tanada.post.prediction import check_request
from tanada.post.response import predictions
from tanada.post.simulation import simulate
from tanada.results.mixed_inference import MixedInference

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class MixedResult(MixedInference):
    """A fitted mixed model.

    Made by `tn.mixed`; see there for an example. Numbers are attributes (`loglik`, `aic`, `sigma`, ...), tables are methods that
    return data frames of the library that the data came in.
    """

    def predict(
        self,
        newdata: Any = None,
        kind: str = "response",
        re: bool | str | Sequence[str] = True,
        interval: str | None = None,
        new_levels: str = "population",
        level: float = 0.95,
        std_error: bool = True,
        offset: Any = None,
        weights: Any = None,
    ) -> Any:
        """Predictions for the fitted rows or for new data.

        Parameters
        ----------
        newdata : data frame or mapping, optional
            New rows; None means the rows of the fit.
        kind : {"response", "link", "conditional", "zprob", "disp"}
            Mean of the response; linear predictor; mean of the conditional model (without zero inflation); probability of a structural
            zero; dispersion parameter.
        re : bool, str or sequence of str
            Random effects to use: all, none, or those of the grouping factors named.
        interval : {"confidence", "prediction"}, optional
            For the mean, or for a new observation (adds the residual variance and the variance of random effects not conditioned on).
        new_levels : {"population", "missing", "error"}
            Groups that were not in the fit: predicted from the fixed effects, NaN, or refused.
        level : float
        std_error : bool
            Whether to compute standard errors (needs one factorisation; skip it for millions of rows).
        offset, weights : array (n,), optional
            Needed for new data when the fit had an offset array; weights (trials of a binomial response) of the new observations for
            prediction intervals (default 1).

        Returns
        -------
        data frame
            estimate, std_error, and with `interval` conf_low, conf_high; one row a row of data. Rows with missing predictors get NaN.

        Raises
        ------
        DataError
            When a column is missing from `newdata` or holds an unknown level.
        ModelError
            For unknown arguments.

        Notes
        -----
        `std_error` joins the uncertainty of fixed effects and random effects (Henderson 1975), variance parameters taken as known.
        For a new group it includes the variance of that group's effects. Intervals use normal quantiles, t for Gaussian models without
        random effects; they are symmetric on the scale of the link, and on the response scale where zero inflation joins in. Prediction
        intervals of other than Gaussian responses are quantiles of 2,000 simulated observations a row.

        Examples
        --------
        >>> import tanada as tn
        >>> d = tn.load_dataset("school_survey")
        >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
        >>> new = d.head(2)
        >>> m.predict(new, re=False, interval="confidence").shape
        (2, 4)
        """
        request = check_request(self.fit, kind, re, interval, new_levels, std_error, check_level(level))
        if newdata is None:
            data = self.fit.data
            columns = predictions(self.work, data.components, request, data.weights, data.trials)
            return self.table(columns)
        frame = read_frame(newdata)
        rebuilt = rebuilt_rows(self.fit, self.design.spec, frame, request, new_levels, offset)
        w = np.ones(rebuilt.n) if weights is None else checked_vector(weights, rebuilt.n, "weights")
        columns = predictions(self.work, rebuilt.components, request, w, w)
        columns = {k: np.where(rebuilt.complete, v, np.nan) for k, v in columns.items()}
        return replace_frame(self, frame).table(columns)

    def fitted(self, pad: bool = False) -> Array:
        """Conditional means, random effects included, on the scale of the response.

        Parameters
        ----------
        pad : bool
            One value an input row, NaN where a row was dropped.

        Returns
        -------
        array (nobs,), or (rows of the data,) with `pad`
        """
        return self._padded(np.asarray(self.fit.fitted, float), pad)

    def residuals(self, kind: str = "response", pad: bool = False, seed: int | None = None) -> Array:
        """Residuals of the rows used.

        Parameters
        ----------
        kind : {"response", "pearson", "deviance", "scaled", "quantile"}
            "response" is on the scale of the data; "pearson" divides by the square root of variance function and weight; "scaled"
            also by the dispersion.
        pad : bool
            One value an input row, NaN where a row was dropped.
        seed : int, optional
            For the randomization of quantile residuals.

        Returns
        -------
        array (nobs,) or (n_input,)
        """
        return self._padded(residual_kinds.residuals(self.fit, kind, seed), pad)

    def simulate(self, n: int = 1, seed: int | None = None, re: str = "new") -> Any:
        """Responses simulated from the fitted model.

        Parameters
        ----------
        n : int
            Number of data sets.
        seed : int, optional
        re : {"new", "conditional"}
            New random effects in each data set, or those of the fit.

        Returns
        -------
        data frame
            sim_1, ..., sim_n, one row a row of the fit.
        """
        y = simulate(self.fit, n, seed, re)
        return self.table({f"sim_{i + 1}": y[:, i] for i in range(y.shape[1])})

    def refit(self, y: Any) -> MixedResult:
        """The same model fitted to another response, without rebuilding designs.

        Parameters
        ----------
        y : array (nobs,)
            New response of the rows used (see `rows`).

        Returns
        -------
        MixedResult
        """
        values = checked_vector(y, self.nobs, "y")
        if not np.all(np.isfinite(values)):
            raise DataError(f"refit: y holds {int(np.sum(~np.isfinite(values)))} values that are missing or infinite; it takes finite numbers.")
        fit = self.fit.objective.refit(values)
        design = replace(self.design, model=fit.data)
        return MixedResult(fit, design, self.call)

    def update(self, formula: str | None = None, data: Any = None, **changes: Any) -> MixedResult:
        """Fit again with some arguments changed.

        Parameters
        ----------
        formula : str, optional
            New formula; "." stands for the old side, as in ". ~ . + x".
        data : data frame, optional
        **changes
            Other arguments of `tn.mixed`.

        Returns
        -------
        MixedResult
        """
        if formula is not None:
            changes["formula"] = formula
        call = self.call.changed(**changes)
        design = call.design(self.frame if data is None else data)
        return MixedResult(fit_mixed(design.model, call.options()), design, call)

    def save(self, path: Any) -> None:
        """Write the fit to a file that `tn.load` reads: a zip of JSON and arrays, nothing that runs code when opened.

        Parameters
        ----------
        path : str or path
        """
        from tanada.results.storage import save_mixed

        save_mixed(self, path)

    def _padded(self, values: Array, pad: bool) -> Array:
        if not pad:
            return values
        out = np.full(self.design.n_input, np.nan)
        out[self.design.rows] = values
        return out


def checked_vector(values: Any, n: int, name: str) -> Array:
    """A numeric vector of n values.

    Raises
    ------
    DataError
        When it is not numeric or has another length.
    """
    try:
        out = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values, float)
    except (TypeError, ValueError):
        raise DataError(f"{name} must hold numbers; it is {type(values).__name__}.") from None
    if out.ndim == 2 and out.shape[1] == 1:
        out = out[:, 0]
    if out.shape != (n,):
        raise DataError(f"{name} has shape {out.shape}; it takes {n} values, one for each row.")
    return out


def replace_frame(result: MixedResult, frame: Any) -> MixedResult:
    """The result with tables in the library of another frame."""
    return replace(result, design=replace(result.design, frame=frame))
