"""The facts of a fit that sentences state, whatever the language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tanada.api.performance_measures import icc, r2
from tanada.post.random_effects import variance_table
from tanada.post.sem_fitmeasures import chi_square_p


@dataclass(frozen=True)
class Effect:
    """One fixed effect with its test."""

    component: str
    term: str
    estimate: float
    std_error: float
    statistic: float
    df: float
    p_value: float
    conf_low: float
    conf_high: float


@dataclass(frozen=True)
class MixedFacts:
    """A mixed model in numbers.

    `random` holds (group, names of effects); `spread` (group, effect, SD); `correlations` (group, effect, effect, r). Shares of variance are None where
    they are not defined.
    """

    response: str
    family: str
    link: str
    method: str
    formula: str
    nobs: int
    dropped: int
    groups: dict[str, int]
    effects: tuple[Effect, ...]
    random: tuple[tuple[str, tuple[str, ...]], ...]
    spread: tuple[tuple[str, str, float], ...]
    correlations: tuple[tuple[str, str, str, float], ...]
    residual: float | None
    icc: float | None
    r2: tuple[float, float | None] | None
    tests: str
    level: float
    converged: bool
    singular: bool
    trouble: str


def mixed_facts(m: Any, ddf: str | None, level: float) -> MixedFacts:
    """Everything that a report of a mixed model says."""
    t = m.fixef(ddf=ddf, level=level)
    names = ("component", "term", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")
    rows = zip(*(np.asarray(t[n], dtype=object) for n in names))
    effects = tuple(Effect(str(r[0]), str(r[1]), *(float(v) for v in r[2:])) for r in rows if np.isfinite(float(r[2])))
    v = variance_table(m.fit)
    pieces = list(zip(*(v[k] for k in ("component", "group", "term1", "term2", "std_dev", "correlation"))))
    spread = tuple((str(g), str(a), float(sd)) for c, g, a, b, sd, _ in pieces if c == "cond" and not b and g != "Residual")
    cors = tuple((str(g), str(a), str(b), float(r)) for c, g, a, b, _, r in pieces if c == "cond" and b and np.isfinite(r))
    random: dict[str, list[str]] = {}
    for g, a, _ in spread:
        random.setdefault(g, []).append(a)
    return MixedFacts(
        response=m.fit.data.response,
        family=m.family,
        link=m.link,
        method=m.fit.method,
        formula=m.formula,
        nobs=m.nobs,
        dropped=m.design.n_input - m.nobs,
        groups=m.n_groups,
        effects=effects,
        random=tuple((g, tuple(a)) for g, a in random.items()),
        spread=spread,
        correlations=cors,
        residual=float(m.sigma) if m.family == "gaussian" and m.sigma is not None else None,
        icc=_or_none(lambda: float(icc(m)["icc_adjusted"][0])) if random else None,
        r2=_shares(m, bool(random)),
        tests=m.tests(ddf).method,
        level=level,
        converged=m.converged,
        singular=m.singular,
        trouble="" if m.verdict.status == "ok" else str(m.verdict),
    )


def _shares(m: Any, random: bool) -> tuple[float, float | None] | None:
    from tanada.errors import TanadaError

    try:
        row = r2(m)
    except TanadaError:
        return None
    marginal, conditional = float(row["r2_marginal"][0]), float(row["r2_conditional"][0])
    return (marginal, conditional if random else None) if np.isfinite(marginal) else None


def _or_none(value: Callable[[], float]) -> float | None:
    from tanada.errors import TanadaError

    try:
        found = value()
    except TanadaError:
        return None
    return found if np.isfinite(found) else None


@dataclass(frozen=True)
class SemFacts:
    """A structural equation model in numbers; `scaled` (kind, stat, df, p) of a robust estimator; `loadings` standardised (level, lowest, highest); `paths` (lhs, rhs, level, estimate, se, z, p, beta)."""

    estimator: str
    nobs: int
    clusters: int
    cluster: str
    groups: tuple[str, ...]
    chisq: float
    df: int
    p_value: float
    scaled: tuple[str, float, float, float] | None
    measures: dict[str, float]
    loadings: tuple[tuple[int, float, float], ...]
    paths: tuple[tuple[str, str, int, str, float, float, float, float, float], ...]
    levels: int
    converged: bool
    trouble: str


def sem_facts(f: Any) -> SemFacts:
    """Everything that a report of a structural equation model says."""
    t = f.parameters()
    names = ("lhs", "op", "rhs", "level", "group", "free", "estimate", "std_error", "z", "p_value", "std_all")
    rows = list(zip(*(np.asarray(t[n], dtype=object) for n in names)))
    levels = sorted({int(r[3]) for r in rows if r[3]})
    loadings = []
    for lev in levels:
        own = [abs(float(r[10])) for r in rows if r[1] == "=~" and int(r[3]) == lev and r[10] is not None and np.isfinite(float(r[10]))]
        if own:
            loadings.append((lev, min(own), max(own)))
    paths = tuple(
        (str(r[0]), str(r[2]), int(r[3]), str(r[4] or ""), *(float("nan") if v is None else float(v) for v in r[6:]))
        for r in rows
        if r[1] == "~" and np.isfinite(float("nan") if r[7] is None else float(r[7]))
    )
    test = f.robust_test
    scaled = None if test is None else (test.kind, float(test.stat), float(test.df), float(chi_square_p(test.stat, test.df)))
    return SemFacts(
        estimator=f.estimator, nobs=f.nobs, clusters=f.n_clusters, cluster=str(f._fit.sample.data.cluster_name or ""), groups=f.groups,
        chisq=float(f.chisq), df=int(f.df), p_value=float(f.p_value), scaled=scaled, measures=f.fit_measures(), loadings=tuple(loadings), paths=paths,  # type: ignore[arg-type]
        levels=len(levels), converged=f.converged, trouble="" if f.verdict.status == "ok" else str(f.verdict),
    )  # fmt: skip
