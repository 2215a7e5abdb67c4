"""Inference methods of a fitted mixed model: linear hypotheses and the parametric bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.errors import ModelError
from tanada.inference.wald import check_level, critical, p_values
from tanada.results.hypothesis_result import BootstrapResult, HypothesisResult
from tanada.results.mixed_tables import MixedTables

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class MixedInference(MixedTables):
    """Tests of hypotheses and resampling."""

    def test(self, hypotheses: str | Sequence[str], ddf: str | None = None, level: float = 0.95, robust: str | None = None) -> HypothesisResult:
        """Wald tests of linear hypotheses on the fixed effects.

        Parameters
        ----------
        hypotheses : str or sequence of str
            "x - z = 0", "2 * x = 1", "x = z"; without "=" the expression is tested against zero. Names as in `fixef`; "zi|x" outside the conditional model.
        ddf : str, optional
            As in `summary`.
        level : float
        robust : {"CR0", "CR1", "CR2"}, optional
            Cluster-robust covariance.

        Returns
        -------
        HypothesisResult
            One row a hypothesis; `.joint` tests all at once (F, or chi-square where degrees of freedom are infinite).

        Raises
        ------
        ModelError
            When a hypothesis cannot be read, is not linear, or follows from the others.

        Examples
        --------
        >>> import tanada as tn
        >>> d = tn.load_dataset("school_survey")
        >>> m = tn.mixed("read_score ~ escs + sch_escs_mean + (1 | school_id)", d)
        >>> m.test("sch_escs_mean - escs = 0")["hypothesis"].tolist()
        ['sch_escs_mean - escs = 0']
        """
        from tanada.inference.hypotheses import joint_test, read_hypotheses

        tests = self.tests(ddf, robust)
        h = read_hypotheses(hypotheses, self.fixed_names())
        estimate = h.L @ tests.beta - h.c
        se = np.sqrt(np.maximum(np.einsum("qp,pr,qr->q", h.L, tests.vcov, h.L), 0.0))
        df = np.array([tests.tests.df(row) for row in h.L])
        statistic = estimate / se
        half = critical(check_level(level), df) * se
        columns = {
            "hypothesis": np.array(h.texts, dtype=object),
            "estimate": estimate,
            "std_error": se,
            "conf_low": estimate - half,
            "conf_high": estimate + half,
            "statistic": statistic,
            "df": df,
            "p_value": p_values(statistic, df),
        }
        joint = joint_test(h, tests)
        notes = list(tests.notes)
        if len(h.texts) > 1:
            name = "chi-square" if np.isinf(joint["den_df"]) else "F"
            notes.insert(0, f"Jointly: {name} = {joint['statistic']:.4g}, df = {joint['num_df']:g}, {joint['den_df']:.4g}, p = {joint['p_value']:.4g}.")
        return HypothesisResult(self.table(columns), "Linear hypotheses", tuple(notes), "hypotheses", joint=joint)

    def bootstrap(
        self,
        n: int = 1000,
        stat: Callable[[Any], Any] | None = None,
        seed: int | None = None,
        workers: int = 1,
        level: float = 0.95,
        interval: str = "percentile",
    ) -> BootstrapResult:
        """Parametric bootstrap: simulate from the fit, refit, collect statistics.

        Parameters
        ----------
        n : int
            Number of refits.
        stat : callable, optional
            Fitted model -> number, array, or mapping of names to numbers. Default: standard deviations, correlations, sigma and fixed effects.
        seed : int, optional
            Results are the same for a seed whatever the number of workers.
        workers : int
            Threads.
        level : float
        interval : {"percentile", "basic", "normal"}

        Returns
        -------
        BootstrapResult
            `.table`, `.failed`, `.data["replicates"]`.

        Raises
        ------
        ModelError
            For bad arguments.
        ConvergenceError
            When every refit failed.

        References
        ----------
        Davison & Hinkley (1997), Bootstrap Methods and their Application.

        Examples
        --------
        >>> import tanada as tn
        >>> d = tn.load_dataset("school_survey")
        >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
        >>> b = m.bootstrap(10, stat=lambda r: r.sigma, seed=1)
        >>> b.failed
        0
        """
        from tanada.post.bootstrap import (
            check_replicates,
            limits,
            parameter_names,
            parameter_values,
            replicate,
            without_errors,
        )

        n, workers = check_replicates(n, workers)
        check_level(level)
        if stat is None:
            names, statistic = parameter_names(self.fit), parameter_values
        else:
            names, statistic = named_statistic(stat, self), lambda fit: _values(stat(self._with_fit(fit)))
        estimate = np.atleast_1d(statistic(self.fit))
        found = replicate([without_errors(self.fit) if stat is None else self.fit], statistic, n, seed, workers)
        low, high = limits(found.values, estimate, level, interval)
        columns = {
            "term": np.array(names, dtype=object),
            "estimate": estimate,
            "bias": np.nanmean(found.values, axis=0) - estimate,
            "std_error": np.nanstd(found.values, axis=0, ddof=1) if len(found.values) > 1 else np.full(len(names), np.nan),
            "conf_low": low,
            "conf_high": high,
        }
        notes = [f"{n} parametric bootstrap refits, seed {seed}; {interval} limits of {100 * level:g}%.", *found.remarks()]
        replicates = self.table({name: found.values[:, i] for i, name in enumerate(names)})
        return BootstrapResult(
            self.table(columns), "Parametric bootstrap", tuple(notes), "bootstrap", {"replicates": replicates},
            n=n, failed=found.failed, unconverged=found.unconverged, seed=seed,
        )  # fmt: skip

    def _with_fit(self, fit: MixedFit) -> Any:
        """The result of another fit of the same design."""
        return type(self)(fit, replace(self.design, model=fit.data), self.call)


def _values(value: Any) -> Array:
    if isinstance(value, Mapping):
        return np.asarray(list(value.values()), float).ravel()
    return np.atleast_1d(np.asarray(value, float)).ravel()


def named_statistic(stat: Any, model: Any) -> list[str]:
    """Names of the entries of a statistic.

    Raises
    ------
    ModelError
        When it is not a function of a fitted model that gives numbers.
    """
    if not callable(stat):
        raise ModelError(f"bootstrap: stat is {type(stat).__name__}; it takes a function of a fitted model.")
    value = stat(model)
    if isinstance(value, Mapping):
        return [str(k) for k in value]
    try:
        size = _values(value).size
    except (TypeError, ValueError):
        raise ModelError(f"bootstrap: stat gave {type(value).__name__}; it must give a number, an array of numbers, or a mapping of names to numbers.") from None
    return ["stat"] if size == 1 else [f"stat[{i}]" for i in range(size)]
