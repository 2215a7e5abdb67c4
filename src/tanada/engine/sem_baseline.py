"""The baseline model of the incremental fit indices: no covariances, free variances and means, predictors at their sample moments.

lavaan smooths the covariance matrix that the predictors' moments of a two-level baseline come from (eigenvalues of at least 1/1000 of the
largest), which shows where one variable's variance is over 1000 times another's. `SemOptions.smooth` (the default) does the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tanada.engine.sem_fit import SemFit, fit_sem
from tanada.partable.table import Block, ParameterTable, Row
from tanada.semmodel.sample import smooth


@dataclass(frozen=True)
class Baseline:
    chisq: float
    df: int
    loglik: float  # joint
    fit: SemFit | None = None


def baseline_table(table: ParameterTable, saturate: tuple[int, ...] = ()) -> ParameterTable:
    """Independence at every block, except those of the levels in `saturate`, which are unrestricted."""
    rows: list[Row] = []
    for b in table.blocks:
        rows += block_moments(table, b, b.level in saturate)
    return number(table, rows)


def block_moments(table: ParameterTable, b: Block, full: bool) -> list[Row]:
    """Variances (and, when `full`, covariances) and means of the observed variables of a block.

    Exogenous moments are as in the table; predictors covary freely in any case.
    """
    fixed = {(r.lhs, r.rhs): r for r in table.rows if r.block == b.number and r.exo}
    ov = b.roles.ov
    rows = []
    for i, v in enumerate(ov):
        for u in ov[: i + 1]:
            exo = fixed.get((u, v)) or fixed.get((v, u))
            if exo is not None:
                rows.append(replace(exo))
            elif u == v and u in table.ordered:
                rows.append(Row(u, "~~", v, b.number, b.group, b.level, user=False, free=0, value=1.0))
            elif u == v or full or (u in b.roles.x and v in b.roles.x):
                rows.append(Row(u, "~~", v, b.number, b.group, b.level, user=False, free=1))
    rows += _threshold_rows(table, b)
    if table.meanstructure:
        both = _both(table, b)
        for v in ov:
            if (v, "") in fixed:
                rows.append(replace(fixed[v, ""]))
            elif v in both or v in table.ordered:
                rows.append(Row(v, "~1", "", b.number, b.group, b.level, user=False, free=0, value=0.0))
            else:
                rows.append(Row(v, "~1", "", b.number, b.group, b.level, user=False, free=1))
    return rows


def _threshold_rows(table: ParameterTable, b: Block) -> list[Row]:
    """Free thresholds and unit scales of ordered variables."""
    return [replace(r, free=1, value=None, label="") if r.op == "|" else replace(r, free=0, value=1.0, label="") for r in table.rows if r.block == b.number and r.op in ("|", "~*~")]


def _both(table: ParameterTable, b: Block) -> set[str]:
    if table.n_levels < 2 or b.level != 1:
        return set()
    other = next(o for o in table.blocks if o.group == b.group and o.level == 2)
    return set(b.roles.ov) & set(other.roles.ov)


def number(table: ParameterTable, rows: list[Row]) -> ParameterTable:
    """The rows as a table of the same data, free parameters numbered in order, without latent variables or constraints."""
    n = 0
    for r in rows:
        if r.free:
            n += 1
            r.free = n
    blocks = tuple(replace(b, roles=replace(b.roles, lv=(), lv_x=(), y_last=(), formative=())) for b in table.blocks)
    return replace(table, rows=tuple(rows), blocks=blocks, constraints=(), n_free=n, labels={}, notes=())


def n_moments(table: ParameterTable) -> int:
    """Number of sample moments that the model has to explain: those of the unrestricted model less the fixed exogenous ones."""
    out = 0
    for b in table.blocks:
        p, ordered = len(b.roles.ov), sum(v in table.ordered for v in b.roles.ov)
        out += p * (p + 1) // 2 - ordered
        out += sum(1 for r in table.rows if r.block == b.number and r.op == "|")
        if table.meanstructure:
            out += p - ordered - len(_both(table, b))
    return out - sum(1 for r in table.rows if r.exo and r.value is None and not r.free)


def baseline(fit: SemFit, saturate: tuple[int, ...] = ()) -> Baseline:
    """Fit the baseline model (in closed form for complete data of one level)."""
    if fit.sample.kind == "moments" and not saturate:
        return _closed_form(fit)
    b = baseline_fit(fit, saturate)
    loglik = -0.5 * b.value
    if not fit.sample.likelihood:
        return Baseline(fit.sample.test_statistic(b.built, b.x), n_moments(fit.table) - b.npar, np.nan, b)  # type: ignore[attr-defined]
    return Baseline(max(2.0 * (fit.h1.loglik - loglik), 0.0), n_moments(fit.table) - b.npar, loglik, b)


def baseline_fit(fit: SemFit, saturate: tuple[int, ...] = ()) -> SemFit:
    """The baseline model, started at the unrestricted moments."""
    table = fit.table
    null = baseline_table(table, saturate)
    exact = moments = fit.h1.moments
    if fit.options.smooth and table.n_levels > 1:
        moments = {k: replace(m, cov=smooth(m.cov, 1e-3)) for k, m in exact.items()}
    start = np.zeros(len(null.rows))
    for i, r in enumerate(null.rows):
        ov = fit.sample.ov(table.blocks[r.block - 1])
        m = (moments if r.exo else exact)[r.block]
        j = ov.index(r.lhs)
        if r.op == "|":
            start[i] = fit.sample.threshold(r.block, r.lhs, int(r.rhs[1:]))  # type: ignore[attr-defined]
            continue
        start[i] = r.value if r.value is not None else m.mean[j] if r.op == "~1" else m.cov[j, ov.index(r.rhs)]
    return fit_sem(fit.sample, null, fit.options, start, keep_values=True)


def _closed_form(fit: SemFit) -> Baseline:
    table, chisq, df = fit.table, 0.0, 0
    for b in table.blocks:
        m = fit.h1.moments[b.number]
        ov = b.roles.ov
        fixed = [ov.index(v) for v in b.roles.x]
        rest = [i for i in range(len(ov)) if i not in fixed]
        log_det = float(np.linalg.slogdet(m.cov)[1])
        log_x = float(np.linalg.slogdet(m.cov[np.ix_(fixed, fixed)])[1]) if fixed else 0.0
        chisq += m.n * (float(np.log(np.diag(m.cov)[rest]).sum()) + log_x - log_det)
        df += len(ov) * (len(ov) - 1) // 2 - len(fixed) * (len(fixed) - 1) // 2
    return Baseline(chisq, df, fit.h1.loglik - 0.5 * chisq)
