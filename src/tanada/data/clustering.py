"""How much clustering matters before any model is fitted: ANOVA intraclass correlation and the design effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.data.centring import group_codes, numeric
from tanada.errors import DataError
from tanada.frame import read_frame, to_caller

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OneWay:
    """Sums of squares of a one-way layout: group sizes and means (a,), and the sum of squares within."""

    sizes: Array
    means: Array
    within: float

    @property
    def n(self) -> float:
        return float(self.sizes.sum())

    @property
    def groups(self) -> int:
        return len(self.sizes)


def one_way(frame: Any, y: str, group: str, what: str) -> OneWay:
    """The layout of `y` by `group`, incomplete rows left out.

    Raises
    ------
    DataError
        With fewer than two groups, no group of two rows, or a constant `y`.
    """
    values = numeric(frame, y, what)
    codes, count = group_codes(frame, group)
    use = (codes >= 0) & ~np.isnan(values)
    x, c = values[use], codes[use]
    if x.size == 0:
        raise DataError(f"{what}: no row has both '{y}' and '{group}'.")
    sizes = np.bincount(c, minlength=count).astype(float)
    kept = sizes > 0
    shift = float(x.mean())
    means = np.bincount(c, weights=x - shift, minlength=count)[kept] / sizes[kept]
    back = np.zeros(count)
    back[kept] = means
    within = float(np.sum((x - shift - back[c]) ** 2))
    if kept.sum() < 2:
        raise DataError(f"{what}: '{group}' has a single group; at least two are needed.")
    if sizes.max() < 2:
        raise DataError(f"{what}: every group of '{group}' has a single row, so variance within groups cannot be told from variance between.")
    if x.min() == x.max():
        raise DataError(f"{what}: column '{y}' is constant.")
    return OneWay(sizes[kept], means, within)


def icc_anova(data: Any, y: str, group: str, level: float = 0.95) -> Any:
    """Intraclass correlation from a one-way analysis of variance, with its exact-type interval.

    Parameters
    ----------
    data : data frame of any library, or a mapping of columns
    y : str
        Numeric column.
    group : str
        Grouping column.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    data frame
        One row: icc, conf_low, conf_high, n_groups, k (effective group size), var_within, var_between. The estimate and `var_between` can be
        negative when groups differ less than chance would have them.

    Raises
    ------
    DataError

    Notes
    -----
    With mean squares MSA and MSW, N rows in a groups of n_j: k = (N - sum n_j^2 / N) / (a - 1), var_between = (MSA - MSW) / k and
    icc = var_between / (var_between + MSW). The limits are (F_l - 1) / (F_l + k - 1) with F_l = F / F_{1-alpha/2; a-1, N-a}, and the same
    with F_u = F F_{1-alpha/2; N-a, a-1}.

    References
    ----------
    Searle, S. R. (1971). Linear Models. Wiley.
    Thomas, J. D., & Hultquist, R. A. (1978). Interval estimation for the unbalanced case of the one-way random effects model. Annals of
    Statistics, 6(3), 582-587.

    Examples
    --------
    >>> import tanada as tn
    >>> table = tn.icc_anova(tn.load_dataset("school_survey"), "read_score", "school_id")
    >>> float(table["icc"].iloc[0].round(4))
    0.3701
    """
    from scipy.special import fdtri

    if not 0.0 < level < 1.0:
        raise DataError(f"icc_anova: level = {level!r}; it lies between 0 and 1, as 0.95.")
    frame = read_frame(data)
    layout = one_way(frame, y, group, "icc_anova")
    n, a = layout.n, layout.groups
    grand = float(layout.sizes @ layout.means) / n
    between = float(layout.sizes @ (layout.means - grand) ** 2) / (a - 1)
    within = layout.within / (n - a)
    k = (n - float(layout.sizes @ layout.sizes) / n) / (a - 1)
    if within == 0.0:
        raise DataError(f"icc_anova: '{y}' does not vary within any group, so the intraclass correlation is 1 without an interval.")
    ratio, tail = between / within, 1.0 - (1.0 - level) / 2.0
    low, high = ratio / fdtri(a - 1, n - a, tail), ratio * fdtri(n - a, a - 1, tail)
    var_between = (between - within) / k
    row = {
        "icc": [var_between / (var_between + within)],
        "conf_low": [(low - 1.0) / (low + k - 1.0)],
        "conf_high": [(high - 1.0) / (high + k - 1.0)],
        "n_groups": [a],
        "k": [k],
        "var_within": [within],
        "var_between": [var_between],
    }
    return to_caller(row, like=frame)


def design_effect(data: Any, y: str, group: str) -> Any:
    """The design effect of a clustered sample: how much clustering inflates the variance of a mean.

    Parameters
    ----------
    data : data frame of any library, or a mapping of columns
    y : str
        Numeric column.
    group : str
        Grouping column.

    Returns
    -------
    data frame
        One row: icc, mean_size, deff, n_effective. `deff` = 1 + (mean_size - 1) icc; `n_effective` is the number of rows over it.

    Raises
    ------
    DataError

    Notes
    -----
    The intraclass correlation is the maximum-likelihood estimate of the random-intercept model `y ~ 1 + (1 | group)`. By a rule of thumb a
    design effect above 2 calls for a multilevel model.

    References
    ----------
    Kish, L. (1965). Survey Sampling. Wiley.
    Muthén, B. O., & Satorra, A. (1995). Complex sample data in structural equation modeling. Sociological Methodology, 25, 267-316.

    Examples
    --------
    >>> import tanada as tn
    >>> table = tn.design_effect(tn.load_dataset("school_survey"), "read_score", "school_id")
    >>> float(table["deff"].iloc[0].round(2))
    12.1
    """
    frame = read_frame(data)
    layout = one_way(frame, y, group, "design_effect")
    ratio = variance_ratio(layout)
    icc = ratio / (1.0 + ratio) if np.isfinite(ratio) else 1.0
    size = layout.n / layout.groups
    deff = 1.0 + (size - 1.0) * icc
    return to_caller({"icc": [icc], "mean_size": [size], "deff": [deff], "n_effective": [layout.n / deff]}, like=frame)


def variance_ratio(layout: OneWay) -> float:
    """lambda = between variance over within variance, by maximum likelihood of the one-way random-effects model.

    The profiled deviance is d(lambda) = sum log(1 + n_j lambda) + n log r2(lambda), r2 = SSW + sum w_j (ybar_j - mu)^2, w_j = n_j / (1 + n_j
    lambda), mu the w-weighted mean; its derivative sum w_j - n sum w_j^2 (ybar_j - mu)^2 / r2 is driven to zero by bisection. Infinite when
    nothing varies within groups.
    """
    if layout.within == 0.0:
        return float("inf")
    sizes, means, n = layout.sizes, layout.means, layout.n

    def slope(ratio: float) -> float:
        w = sizes / (1.0 + sizes * ratio)
        d = means - float(w @ means) / float(w.sum())
        return float(w.sum() - n * (w**2 @ d**2) / (layout.within + w @ d**2))

    if slope(0.0) >= 0.0:
        return 0.0
    low, high = 0.0, 1.0
    while slope(high) < 0.0:
        low, high = high, high * 4.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if slope(middle) < 0.0 else (low, middle)
    return 0.5 * (low + high)
