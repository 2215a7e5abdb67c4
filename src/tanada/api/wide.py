"""Multilevel models as factor models of wide data: one row a cluster, one variable a member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tanada.errors import DataError, did_you_mean
from tanada.frame import read_frame, to_caller


@dataclass(frozen=True)
class WideModel:
    """What `wide_model` returns: the model in lavaan syntax and the reshaped data; `fit()` fits them by `tn.sem`."""

    model: str
    data: Any
    n_variables: int

    def fit(self, **options: Any) -> Any:
        """Fit by full information maximum likelihood.

        Parameters
        ----------
        **options
            As in `tn.sem`.

        Returns
        -------
        SemResult
        """
        from tanada.api.structural import sem

        return sem(self.model, self.data, **({"missing": "fiml"} | options))


def wide_model(data: Any, y: str, group: str, slope: str | None = None, prefix: str = "x") -> WideModel:
    """Write a random-intercept (or random-slope) model as a factor model of wide data, and reshape the data.

    Parameters
    ----------
    data : data frame
        One row a member.
    y, group : str
        Outcome and cluster columns.
    slope : str, optional
        A 0/1 predictor with a random slope: its members with 0 fill the first half of the variables, those with 1 the second.
    prefix : str
        Names of the variables: x1, x2, ...

    Returns
    -------
    WideModel
        `.model`, `.data`, `.fit()`.

    Raises
    ------
    DataError
        When a column is missing or `slope` is not 0/1.

    Notes
    -----
    The factor beta_0g is the cluster's intercept: all its loadings are 1, the residual variance `u` is common, observed intercepts are 0. The
    factor beta_1g, with loadings 1 on the second half only, is its slope. Clusters of unequal size leave variables missing.

    References
    ----------
    Mehta & Neale (2005), Psychological Methods 10.

    Examples
    --------
    >>> import tanada as tn
    >>> w = tn.wide_model(tn.load_dataset("school_survey"), "read_score", "school_id")
    >>> w.n_variables
    35
    >>> round(w.fit().loglik, 1)
    -33254.8
    """
    frame = read_frame(data)
    for name in (y, group, *(() if slope is None else (slope,))):
        if name not in frame:
            raise DataError(f"wide_model: '{name}' is not a column of the data.{did_you_mean(name, frame.names)}")
    values = frame.column(y).numbers
    codes, labels = frame.column(group).factor
    half = np.zeros(frame.n)
    if slope is not None:
        half = frame.column(slope).numbers
        if not np.isin(half[~np.isnan(half)], (0.0, 1.0)).all():
            raise DataError(f"wide_model: '{slope}' must hold 0 and 1 only; a random slope of a continuous predictor is fitted by tn.mixed.")
    keep = (codes >= 0) & ~np.isnan(half)
    values, codes, half = values[keep], codes[keep], half[keep]
    order = np.argsort(codes, kind="stable")
    first = np.searchsorted(codes[order], np.arange(len(labels)))
    position = np.empty(codes.size, int)
    position[order] = np.arange(codes.size) - first[codes[order]]
    k = int(position.max()) + 1
    wide = np.full((len(labels), k * (1 if slope is None else 2)), np.nan)
    wide[codes, position + k * half.astype(int)] = values
    used = ~np.isnan(wide).all(axis=0)
    names = [f"{prefix}{i + 1}" for i in range(wide.shape[1])]
    kept = [n for n, u in zip(names, used) if u]
    second = [n for i, (n, u) in enumerate(zip(names, used)) if u and i >= k]
    table = to_caller({group: list(labels)} | {n: wide[:, i] for i, n in enumerate(names) if used[i]}, frame)
    return WideModel(_text(kept, second, slope is not None), table, len(kept))


def _text(names: list[str], second: list[str], slope: bool) -> str:
    lines = ["beta_0g =~ " + " + ".join(f"1*{n}" for n in names)]
    if slope:
        lines.append("beta_1g =~ " + " + ".join(f"1*{n}" for n in second))
    lines += [f"{n} ~~ u*{n}" for n in names] + [f"{n} ~ 0*1" for n in names]
    lines += ["beta_0g ~~ beta_0g", "beta_0g ~ 1"]
    if slope:
        lines += ["beta_1g ~~ beta_1g", "beta_1g ~ 1", "beta_0g ~~ beta_1g"]
    return "\n".join(lines) + "\n"
