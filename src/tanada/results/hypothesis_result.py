"""Results of tests and resampling: linear hypotheses, bootstrap replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tanada.results.table_result import TableResult


@dataclass(frozen=True, repr=False, eq=False)
class HypothesisResult(TableResult):
    """Linear hypotheses on the fixed effects.

    Attributes
    ----------
    table : data frame
        hypothesis, estimate (left minus right side), std_error, conf_low, conf_high, statistic, df, p_value.
    joint : dict
        statistic, num_df, den_df, p_value of all hypotheses at once.
    """

    joint: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class BootstrapResult(TableResult):
    """Statistics of parametric bootstrap refits.

    Attributes
    ----------
    table : data frame
        term, estimate, bias, std_error, conf_low, conf_high.
    n, failed, unconverged : int
        Refits asked for, those without an estimate, and those kept whose optimum did not pass the checks.
    seed : int or None
    data : dict
        "replicates": one row a refit, one column a statistic.
    """

    n: int = 0
    failed: int = 0
    unconverged: int = 0
    seed: int | None = None
