"""Numbers of a fitted structural equation model: what can be read off without a table."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from tanada.engine.sem_fit import SemFit
from tanada.engine.verdict import Verdict
from tanada.inference.sem_tests import ScaledTest, robust_kind, robust_test
from tanada.post.sem_fitmeasures import Test, standard_test


class SemNumbers:
    """The fit and its plain attributes."""

    def __init__(self, fit: SemFit, call: dict[str, Any]) -> None:
        self._fit = fit
        self._call = call

    @property
    def model(self) -> str:
        """The model as written."""
        return self._fit.table.text

    @property
    def estimator(self) -> str:
        """Name of the estimator."""
        return self._fit.options.estimator

    @property
    def loglik(self) -> float:
        """Log-likelihood with all constants; NaN for estimators without one."""
        if not self._fit.sample.likelihood:
            return float("nan")
        return float(self._fit.loglik)

    @property
    def npar(self) -> int:
        """Number of free parameters, equal ones counted once."""
        return self._fit.npar

    @property
    def nobs(self) -> int:
        """Rows used."""
        return self._fit.sample.data.nobs

    @property
    def n_clusters(self) -> int:
        """Clusters; 0 without `cluster`."""
        return self._fit.sample.data.n_clusters

    @property
    def groups(self) -> tuple[str, ...]:
        """Labels of the groups."""
        return tuple(g.label for g in self._fit.sample.data.groups)

    @property
    def chisq(self) -> float:
        """The test statistic of the model against the unrestricted one."""
        return self._test.stat

    @property
    def df(self) -> int:
        """Degrees of freedom of `chisq`."""
        return self._test.df

    @property
    def p_value(self) -> float:
        """Probability of a larger `chisq` if the model holds."""
        return self._test.p_value

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return -2.0 * self.loglik + 2.0 * self.npar

    @property
    def bic(self) -> float:
        """Bayesian information criterion, with the number of rows."""
        return -2.0 * self.loglik + float(np.log(self.nobs)) * self.npar

    @property
    def verdict(self) -> Verdict:
        """How the optimiser judges its answer, in words."""
        return self._fit.verdict

    @property
    def converged(self) -> bool:
        """Whether the optimum was reached."""
        return self._fit.verdict.converged

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: rows left out, negative variances, methods changed."""
        return self._fit.notes

    @cached_property
    def _test(self) -> Test:
        return standard_test(self._fit)

    @cached_property
    def robust_test(self) -> ScaledTest | None:
        """The scaled test of a robust estimator: kind, stat, df, factor; None otherwise."""
        return None if robust_kind(self._fit) is None else robust_test(self._fit, self.chisq)
