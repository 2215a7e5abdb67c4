"""Tables of a fitted mixed model: coefficients, variances, random effects, covariances, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tanada.inference.ddf import FixedTests, fixed_tests, with_vcov
from tanada.inference.intervals import interval_table, method, select
from tanada.inference.sandwich import cluster_vcov
from tanada.inference.wald import check_level, fixed_table
from tanada.post import broom
from tanada.post.random_effects import coefficients, modes_table, variance_table
from tanada.post.residuals import residuals
from tanada.results.mixed_base import MixedNumbers
from tanada.results.mixed_summary import Summary, build_summary
from tanada.results.plotting import draw


@dataclass(frozen=True, repr=False, eq=False)
class MixedTables(MixedNumbers):
    """Tables, each computed when asked for."""

    def tests(self, ddf: str | None = None, robust: str | None = None) -> FixedTests:
        """How the fixed effects are tested; `fixef` shows it as a table.

        Parameters
        ----------
        ddf : {"satterthwaite", "kenward-roger", "z"}, optional
        robust : str, optional
            Kind of cluster-robust covariance.

        Returns
        -------
        FixedTests
            Estimates, covariance and degrees of freedom.
        """
        found = self._tests.get((ddf, robust))
        if found is None:
            found = fixed_tests(self.work, "z" if robust and ddf is None else ddf)
            if robust is not None:
                found = with_vcov(found, cluster_vcov(self.work, robust))
            self._tests[ddf, robust] = found
        return found

    @property
    def _tests(self) -> dict[tuple[str | None, str | None], FixedTests]:
        cache: dict[tuple[str | None, str | None], FixedTests] = self.__dict__.setdefault("_tests_cache", {})
        return cache

    def summary(self, ddf: str | None = None, correlation: bool = False) -> Summary:
        """The classic summary.

        Parameters
        ----------
        ddf : {"satterthwaite", "kenward-roger", "residual", "z"}, optional
            Degrees of freedom of the tests. Default: Satterthwaite for Gaussian mixed models, z for other families.
        correlation : bool
            Whether to show the correlations of the fixed effects.

        Returns
        -------
        Summary
            `str()` gives the text; also `_repr_html_()`, `to_latex()`, `to_markdown()`, `as_gt()`.

        Raises
        ------
        ModelError
            When `ddf` is unknown or not defined for the family.

        Examples
        --------
        >>> import tanada as tn
        >>> d = tn.load_dataset("school_survey")
        >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
        >>> print(m.summary())  # doctest: +ELLIPSIS
        Linear mixed model fit by maximum likelihood (ML)
        ...
        """
        scaled = residuals(self.fit, "scaled") if self.family == "gaussian" else None
        return build_summary(self.work, self.tests(ddf), self.formulas(), scaled, self.notes, correlation)

    def fixef(self, ddf: str | None = None, level: float = 0.95, robust: str | None = None) -> Any:
        """Fixed effects with tests and Wald intervals.

        Parameters
        ----------
        ddf : str, optional
            As in `summary`.
        level : float
            Confidence level of the intervals.
        robust : {"CR0", "CR1", "CR2"}, optional
            Cluster-robust standard errors by the outermost grouping factor, with z tests ("CR2" for Gaussian models only; thresholds of ordinal
            models keep their model-based errors).

        Returns
        -------
        data frame
            component ("cond", "zi", "disp"), term, estimate, std_error, statistic, df, p_value, conf_low, conf_high. Aliased columns come
            last with NaN. Estimates are on the scale of the linear predictor.

        Examples
        --------
        >>> import tanada as tn
        >>> d = tn.load_dataset("school_survey")
        >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
        >>> m.fixef()["term"].tolist()
        ['(Intercept)', 'escs']
        """
        return self.table(fixed_table(self.work, self.tests(ddf, robust), check_level(level)))

    def varcorr(self) -> Any:
        """Variances and correlations of the random effects.

        Returns
        -------
        data frame
            component, group, term1, term2, variance, std_dev, covariance, correlation: rows with an empty term2 hold a variance, the others a
            covariance. Gaussian models end with a Residual row.
        """
        return self.table(variance_table(self.fit))

    def ranef(self, group: str | None = None, joint: bool = False) -> Any:
        """Conditional modes of the random effects (BLUPs in Gaussian models).

        Parameters
        ----------
        group : str, optional
            One grouping factor.
        joint : bool
            False: `std_error` is the conditional SD given the fixed effects and the variance parameters (lme4's condVar). True: it
            also holds the uncertainty of the fixed effects (Henderson's prediction error; near glmmTMB's).

        Returns
        -------
        data frame
            component, group, level, term, estimate, std_error.
        """
        return self.table(modes_table(self.work, group, joint))

    def coef(self, group: str | None = None) -> Any:
        """Coefficients of each group: fixed plus random effects of the conditional model.

        Parameters
        ----------
        group : str, optional
            One grouping factor; default: all of them.

        Returns
        -------
        data frame
            group, level, one column a coefficient.
        """
        return self.table(coefficients(self.fit, group))

    def vcov(self, full: bool = False, robust: str | None = None, ddf: str | None = None) -> Any:
        """Covariance matrix of the estimates.

        Parameters
        ----------
        full : bool
            False: fixed effects. True: all parameters, on the optimiser's scale, from the Hessian of the deviance.
        robust : {"CR0", "CR1", "CR2"}, optional
            Cluster-robust covariance of the fixed effects.
        ddf : {"kenward-roger"}, optional
            Kenward-Roger's adjusted covariance.

        Returns
        -------
        data frame
            Square: one column a parameter, rows in the same order (`np.asarray` gives the matrix).
        """
        if full:
            names, matrix = self.parameter_names(), self.work.full_vcov
        else:
            names, matrix = self.fixed_names(), self.tests(ddf, robust).vcov if robust or ddf else self.fit.vcov_beta
        return self.table({n: matrix[:, j] for j, n in enumerate(names)})

    def parameter_names(self) -> list[str]:
        """Names of all parameters, with "zi|" or "disp|" in front outside the conditional model.

        Returns
        -------
        list of str
        """
        parts = [b.split(":")[1] if ":" in b else "cond" for b in self.fit.params.blocks]
        return [n if c == "cond" else f"{c}|{n}" for n, c in zip(self.fit.params.names, parts)]

    def fixed_names(self) -> list[str]:
        """Names of the fixed effects, with "zi|" or "disp|" in front outside the conditional model.

        Returns
        -------
        list of str
        """
        return [n if c.name == "cond" else f"{c.name}|{n}" for c in self.fit.data.components for n in c.names]

    def confint(
        self, method: str = "wald", parm: str | Sequence[str] | None = None, level: float = 0.95, ddf: str | None = None, **options: Any
    ) -> Any:
        """Confidence intervals of fixed effects, standard deviations and correlations.

        Parameters
        ----------
        method : {"wald", "profile", "boot"}
            Wald: t or z quantiles for fixed effects; log scale for standard deviations, Fisher's z for correlations. Parameters at a
            boundary get NaN.
        parm : str or sequence of str, optional
            Names as in the `term` column, or "fixed", or "variance".
        level : float
        ddf : str, optional
            As in `summary` (Wald intervals of the fixed effects).
        **options
            Further arguments of the method (`n`, `seed`, `workers` of "boot").

        Returns
        -------
        data frame
            term, conf_low, conf_high. Variance parameters are named sd(x|g), cor(x,z|g), sigma.

        Raises
        ------
        ModelError
            For an unknown method, parameter or level.
        """
        if method == "boot":
            import tanada.post.bootstrap  # noqa: F401  (registers the method)
        rows = _method(method)(self.work, self.tests(ddf), check_level(level), parm=parm, **options)
        return self.table(interval_table(select(rows, parm)))

    def tidy(self, effects: str = "fixed", ddf: str | None = None, level: float = 0.95) -> Any:
        """A table with broom.mixed's column names.

        Parameters
        ----------
        effects : {"fixed", "ran_pars", "ran_vals"}
            Fixed effects; standard deviations and correlations; random effects.
        ddf : str, optional
        level : float

        Returns
        -------
        data frame
        """
        broom.check_effects(effects)
        if effects == "fixed":
            return self.table(broom.tidy_fixed(self.work, self.tests(ddf), check_level(level)))
        if effects == "ran_pars":
            return self.table(broom.tidy_parameters(self.work, check_level(level)))
        return self.table(broom.tidy_modes(self.work, check_level(level)))

    def plot(self, kind: str | None = None, *others: Any, **options: Any) -> Any:
        """A figure of the model.

        Parameters
        ----------
        kind : str, optional
            Coefficients: "coef" (the default where there are predictors). Groups: "lines" (regression lines), "shrinkage", "ranef" (intercept against slope), "caterpillar", "groups" and
            "population" (histograms of group means), "variance" (model against data), "mixture" (counts), "violin". Checks: "residuals", "scale",
            "qq", "ranef_qq", "quantile_residuals", "predictive", "influence", and "check" (all on one page). Likelihood: "profile".
        *others : MixedResult
            More models beside this one, for "coef".
        **options
            `ax` (a matplotlib Axes) and `data_only` (return the data of the figure) in all of them; others as in `tanada.plot`.

        Returns
        -------
        matplotlib Axes, a Figure for several panels, or a data frame

        Raises
        ------
        ModelError
            For an unknown figure or option.
        """
        return draw(self, "mixed", kind, *others, **options)

    def glance(self) -> Any:
        """The model in one row, with broom's names.

        Returns
        -------
        data frame
            nobs, sigma, logLik, AIC, BIC, deviance (REMLcrit for REML), df.residual.
        """
        return self.table(broom.glance_columns(self.fit))

    def augment(self) -> Any:
        """The model's variables on the rows used, with what the model says of each.

        Returns
        -------
        data frame
            .row (position in the input), .fitted, .resid, .fixed, .offset, .weights beside the variables.
        """
        return self.table(broom.augment_columns(self.fit, self.design))


_method = method
