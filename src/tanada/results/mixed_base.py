"""The numbers of a fitted mixed model, and what they are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tanada.design.build import Design
from tanada.engine.fit import MixedFit
from tanada.engine.verdict import Verdict
from tanada.frame import Frame, to_caller
from tanada.inference.workspace import Workspace
from tanada.post.singularity import singular_rows
from tanada.results.call import Call


@dataclass(frozen=True, repr=False, eq=False)
class MixedNumbers:
    """Attributes of a fit.

    Attributes
    ----------
    fit : MixedFit
        The engine's record.
    design : Design
        The data's side: matrices, rows used, how to rebuild them.
    call : Call
        The arguments of `tn.mixed`.
    """

    fit: MixedFit
    design: Design
    call: Call

    @cached_property
    def work(self) -> Workspace:
        """By-products of the fit that inference shares, computed when first needed."""
        return Workspace(self.fit)

    @property
    def loglik(self) -> float:
        """Log-likelihood with all constants (restricted for REML)."""
        return float(self.fit.loglik)

    @property
    def deviance(self) -> float:
        """-2 log-likelihood (the REML criterion for REML fits)."""
        return -2.0 * self.loglik

    @property
    def npar(self) -> int:
        """Number of estimated parameters."""
        return self.fit.npar

    @property
    def nobs(self) -> int:
        """Number of rows used."""
        return self.fit.nobs

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return self.deviance + 2.0 * self.npar

    @property
    def bic(self) -> float:
        """Bayesian (Schwarz's) criterion with the number of rows."""
        return self.deviance + float(np.log(self.nobs)) * self.npar

    @property
    def df_resid(self) -> int:
        """Rows minus parameters."""
        return self.nobs - self.npar

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of levels of each grouping factor."""
        return {t.group: len(t.levels) for t in self.fit.terms}

    @property
    def sigma(self) -> float | None:
        """Residual SD (Gaussian) or dispersion parameter in glmmTMB's meaning; None where the family has none."""
        return self.fit.sigma

    @property
    def formula(self) -> str:
        """The formula of the conditional model, as written."""
        return self.call.formula

    @property
    def family(self) -> str:
        """Name of the response family."""
        return self.fit.family

    @property
    def link(self) -> str:
        """Name of the link."""
        return self.fit.link

    @property
    def reml(self) -> bool:
        """Whether the fit is by restricted maximum likelihood."""
        return self.fit.reml

    @property
    def converged(self) -> bool:
        """Whether the optimum passed the checks of the verdict."""
        return self.fit.verdict.converged

    @cached_property
    def singular(self) -> bool:
        """Whether a random-effect covariance matrix is singular (a zero variance, a correlation of one)."""
        return self.fit.verdict.status == "boundary" or bool(np.any(singular_rows(self.fit)["singular"]))

    @property
    def verdict(self) -> Verdict:
        """What is known about convergence, with advice."""
        return self.fit.verdict

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything a reader must know: dropped rows, aliased columns, changed methods."""
        return tuple(dict.fromkeys((*self.design.notes, *self.fit.notes)))

    @property
    def rows(self) -> Any:
        """Positions of the input rows that were used."""
        return self.design.rows

    @property
    def frame(self) -> Frame:
        """The caller's data."""
        return self.design.frame

    def table(self, columns: dict[str, Any]) -> Any:
        """Columns as a data frame of the caller's library.

        Parameters
        ----------
        columns : dict
            Values by name of column, all of one length.

        Returns
        -------
        data frame
        """
        return to_caller(columns, self.frame)

    def formulas(self) -> dict[str, str]:
        """Formula of each component, as written.

        Returns
        -------
        dict
            "cond", "zi", "disp": those that the model has.
        """
        out = {"cond": self.call.formula, "zi": self.call.zi or "", "disp": self.call.disp or ""}
        return {k: v for k, v in out.items() if v}

    def __repr__(self) -> str:
        groups = "".join(f", {g}: {k}" for g, k in self.n_groups.items())
        state = "" if self.fit.verdict.status == "ok" else f", {self.fit.verdict.status}"
        return f"<MixedResult {self.formula!r}, {self.family} ({self.link}), {self.fit.method}, logLik {self.loglik:.2f}, {self.nobs} rows{groups}{state}>"
