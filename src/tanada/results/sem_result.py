"""A fitted structural equation model: frozen, with thin methods over `post` and `inference`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError, did_you_mean
from tanada.frame import to_caller
from tanada.inference.sem_monte_carlo import monte_carlo
from tanada.inference.sem_vcov import vcov
from tanada.post.sem_fitmeasures import as_plain, fit_measures
from tanada.post.sem_levels import level_fit
from tanada.post.sem_modindices import modification_indices
from tanada.post.sem_paths import graphviz
from tanada.post.sem_reliability import reliability
from tanada.post.sem_scores import factor_scores
from tanada.results.sem_moments import icc_columns, moment_tables, r2_columns, residual_tables
from tanada.results.sem_numbers import SemNumbers
from tanada.results.sem_summary import build_sem_summary
from tanada.results.sem_tables import (
    group_labels,
    modindex_columns,
    parameter_columns,
    score_columns,
    standardized_columns,
    table_columns,
)

Array = NDArray[np.float64]


class SemResult(SemNumbers):
    """Result of `tn.sem`, `tn.cfa` and `tn.growth`.

    Attributes
    ----------
    loglik, chisq : float
    npar, nobs, n_clusters, df : int
    converged : bool
    verdict : Verdict
    notes : tuple of str
        What a reader must know: rows left out, negative variances, constants changed.
    """

    def __repr__(self) -> str:
        return f"<SemResult: {self._fit.options.estimator}, {self.npar} parameters, {self.nobs} rows, chisq {self.chisq:.3f} on {self.df} df>"

    @cached_property
    def _vcov(self) -> Array:
        return vcov(self._fit)

    @cached_property
    def _measures(self) -> dict[str, float]:
        return as_plain(fit_measures(self._fit))

    def _table(self, columns: dict[str, Any]) -> Any:
        return to_caller(columns, self._fit.sample.data.frame)

    def parameters(self, standardized: bool = True, level: float = 0.95) -> Any:
        """Estimates of all parameters.

        Parameters
        ----------
        standardized : bool
            Add `std_lv` (latent variables with variance 1) and `std_all` (all variables with variance 1).
        level : float
            Confidence level of the intervals.

        Returns
        -------
        data frame
            lhs, op, rhs, label, group, level, free, estimate, std_error, z, p_value, conf_low, conf_high, std_lv, std_all. Fixed parameters have
            no standard error; `level` is the block's level (1 in models of one level, 0 for defined parameters).

        Notes
        -----
        Estimates are in the units of the data. Two-sided p-values and intervals use the normal distribution.

        Examples
        --------
        >>> import tanada as tn
        >>> d = tn.load_dataset("school_survey")
        >>> f = tn.cfa("teach =~ teach1 + teach2 + teach3 + teach4", d)
        >>> f.parameters().columns[:3].tolist()
        ['lhs', 'op', 'rhs']
        """
        if not 0.0 < level < 1.0:
            raise ModelError(f"level = {level!r}; a confidence level lies between 0 and 1, such as 0.95.")
        return self._table(parameter_columns(self._fit, self._vcov, standardized, level))

    def summary(self, standardized: bool = False, fit_measures: bool = False, rsquare: bool = False) -> Any:
        """The classic summary.

        Parameters
        ----------
        standardized, fit_measures, rsquare : bool
            Add standardised estimates, fit measures, explained variances.

        Returns
        -------
        SemSummary
            `str()` is the text; `_repr_html_`, `to_latex()`, `to_markdown()`, `as_gt()`.
        """
        return build_sem_summary(self, standardized, fit_measures, rsquare)

    def level_fit(self, method: str = "saturated") -> Any:
        """Fit of each level of a two-level model.

        Parameters
        ----------
        method : "saturated" or "refit"
            Leave the other level unrestricted (Ryu & West 2009), or fit each level's unrestricted covariance matrix by itself.

        Returns
        -------
        data frame
            level, chisq, df, p_value, cfi, tli, rmsea, srmr, gfi. The sample size of RMSEA at level 2 is the number of clusters.
        """
        return self._table(level_fit(self._fit, method))

    def plot(self, **options: Any) -> Any:
        """The path diagram, one panel a level.

        Parameters
        ----------
        **options
            values ("std_all", "std_lv", "estimate", "none"), loadings, paths, digits, level, labels, ax, fontsize; see
            `tanada.plot.path_diagram.plot_path_diagram`.

        Returns
        -------
        matplotlib Figure, or the Axes given as `ax`
        """
        from tanada.results.plotting import draw

        return draw(self, "path_diagram", **options)

    def to_graphviz(self, values: str = "std_all", loadings: str | None = None, paths: str | None = None, digits: int = 2) -> str:
        """The path diagram as Graphviz (DOT) source.

        Parameters
        ----------
        values, loadings, paths : str
            As in `plot`.
        digits : int

        Returns
        -------
        str
        """
        return graphviz(self._fit, loadings or values, paths or values, digits)

    def standardized(self, kind: str = "std_all", level: float = 0.95) -> Any:
        """The standardised solution with its standard errors.

        Parameters
        ----------
        kind : "std_all" or "std_lv"
            All variables, or only the latent ones, with variance 1.
        level : float
            Confidence level.

        Returns
        -------
        data frame
            lhs, op, rhs, label, group, level, estimate, std_error, z, p_value, conf_low, conf_high.

        Notes
        -----
        Standard errors by the delta method from those of the free parameters.
        """
        return self._table(standardized_columns(self._fit, self._vcov, kind, level))

    def parameter_table(self) -> Any:
        """The parameter table: what is free, fixed or equal, and where it starts.

        Returns
        -------
        data frame
            id, lhs, op, rhs, user, group, level, free, fixed_value, exogenous, label, start.
        """
        return self._table(table_columns(self._fit))

    def fit_measures(self, names: str | Sequence[str] | None = None) -> dict[str, float]:
        """Fit measures, with lavaan's names.

        Parameters
        ----------
        names : str or sequence of str, optional
            Those wanted; all by default.

        Returns
        -------
        dict

        Notes
        -----
        The unrestricted model of two-level data is taken to its optimum, so that chi-square can exceed by up to 0.1 that of programs which stop
        its EM algorithm early. The sample size in RMSEA, BIC and ntotal is the number of rows. SRMR of a two-level model is the sum of the within
        and between values. Where variances of different variables lie more than a factor 1000 apart, lavaan smooths the covariance matrix that the
        baseline's predictors and the SRMR are computed from, and so do the CFI, TLI and SRMR here; `smooth=False` in the call gives the exact ones
        (so does rescaling the variables).

        References
        ----------
        Browne & Cudeck (1993); Hu & Bentler (1999), Structural Equation Modeling 6; Ryu & West (2009), Structural Equation Modeling 16.
        """
        if names is None:
            return dict(self._measures)
        wanted = [names] if isinstance(names, str) else list(names)
        for n in wanted:
            if n not in self._measures:
                raise ModelError(f"'{n}' is not a fit measure of this model.{did_you_mean(n, self._measures)}")
        return {n: self._measures[n] for n in wanted}

    def monte_carlo(self, level: float = 0.95, n: int = 20_000, seed: int = 1) -> Any:
        """Monte Carlo intervals of the defined parameters (indirect effects, differences).

        Parameters
        ----------
        level : float
        n : int
            Draws from the normal distribution of the estimates.
        seed : int

        Returns
        -------
        data frame
            name, estimate, conf_low, conf_high.

        References
        ----------
        MacKinnon, Lockwood & Williams (2004), Multivariate Behavioral Research 39.
        """
        rows = monte_carlo(self._fit, self._vcov, level, n, seed)
        return self._table({k: [r[i] for r in rows] for i, k in enumerate(("name", "estimate", "conf_low", "conf_high"))})

    def modindices(self, sort: bool = True, minimum: float = 0.0) -> Any:
        """Modification indices: what freeing each fixed parameter would gain.

        Parameters
        ----------
        sort : bool
            Largest first.
        minimum : float
            Leave out smaller ones.

        Returns
        -------
        data frame
            lhs, op, rhs, group, level, mi (chi-square with 1 df), epc (expected change of the parameter), sepc_lv, sepc_all (the same,
            standardised). Parameters that the model could not identify are left out.

        References
        ----------
        Sorbom (1989), Psychometrika 54.
        """
        return self._table(modindex_columns(self._fit, self._modindices, sort, minimum))

    @cached_property
    def _modindices(self) -> Any:
        return modification_indices(self._fit)

    def scores(self, level: int = 1, method: str = "regression") -> Any:
        """Factor scores.

        Parameters
        ----------
        level : 1 or 2
            Level of the latent variables: 1 gives one row a row of data used, 2 one row a cluster.
        method : "regression" or "bartlett"

        Returns
        -------
        data frame
            `row` (position in the data, from 0) or the cluster's label, then one column per latent variable; `group` where there are groups.
        """
        return self._table(score_columns(self._fit, factor_scores(self._fit, level, method), level))

    def icc(self) -> Any:
        """Intraclass correlations of the observed variables: between / (within + between) variance of the unrestricted model.

        Returns
        -------
        data frame
            variable, group, icc, var_within, var_between.
        """
        return self._table(icc_columns(self._fit))

    def h1(self) -> dict[str, dict[str, Any]]:
        """Moments of the unrestricted model.

        Returns
        -------
        dict
            By block ("level 1", "level 2", the group's label, or both): {"cov": data frame, "mean": data frame}.
        """
        return moment_tables(self._fit, self._table, implied=False)

    def implied(self) -> dict[str, dict[str, Any]]:
        """Moments implied by the model.

        Returns
        -------
        dict
            By block ("level 1", "level 2", the group's label, or both): {"cov": data frame, "mean": data frame}.
        """
        return moment_tables(self._fit, self._table, implied=True)

    def residuals(self, kind: str = "raw") -> dict[str, dict[str, Any]]:
        """Unrestricted less implied moments, by block.

        Parameters
        ----------
        kind : "raw", "cor" (of correlations) or "standardized" (raw, divided by standard deviations)

        Returns
        -------
        dict
            As `implied`.
        """
        return residual_tables(self._fit, self._table, kind)

    def r2(self) -> Any:
        """Explained variance of every outcome and indicator.

        Returns
        -------
        data frame
            variable, group, level, r2.
        """
        return self._table(r2_columns(self._fit))

    def reliability(self) -> Any:
        """Reliability of the sum of each factor's indicators, level by level.

        Returns
        -------
        data frame
            factor, group, level, n_items, alpha (Cronbach), omega (McDonald), ave (average variance extracted).

        References
        ----------
        Geldhof, Preacher & Zyphur (2014), Psychological Methods 19.
        """
        rows = reliability(self._fit)
        columns: dict[str, Any] = {k: [r[k] for r in rows] for k in rows[0]}
        return self._table(columns | {"group": group_labels(self._fit, columns["group"])})

    def vcov(self) -> Any:
        """Covariance matrix of the free parameters.

        Returns
        -------
        data frame
            A column a parameter, and their names in the column `parameter`.
        """
        names = self._fit.table.free_names()
        return self._table({"parameter": names} | {n: self._vcov[:, i] for i, n in enumerate(names)})
