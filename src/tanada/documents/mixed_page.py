"""Sections of the report of a mixed model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tanada.api.diagnostics import check_model
from tanada.api.performance_measures import icc, r2
from tanada.documents.html import Picture, figure, paragraphs, rows_table, table, text
from tanada.documents.methods import mixed_methods
from tanada.documents.numbers import count, plain, share
from tanada.documents.sentences import report_text
from tanada.errors import TanadaError
from tanada.plot.check import PLAIN, panels_for
from tanada.plot.model_data import groups_for, numeric_predictors, observed, random_terms
from tanada.results.text import Block

SIMULATIONS, CELLS = 250, 10_000_000  # simulated data sets; rows times data sets
ORDER = {"problem": 0, "warning": 1, "note": 2, "ok": 3, "not applicable": 4}


def mixed_sections(m: Any, ddf: str | None, language: str) -> list[tuple[str, str]]:
    """Titles and contents, in reading order."""
    return [
        ("In words", _verdict(m) + paragraphs(report_text(m, language, ddf))),
        ("Data", _data(m)),
        ("Estimates", _estimates(m, ddf)),
        ("Explained variance", _explained(m)),
        ("Groups", _groups(m)),
        ("Checks", _checks(m)),
        ("Notes", "<ul>" + "".join(f"<li>{text(n)}</li>" for n in m.notes) + "</ul>" if m.notes else ""),
        ("Methods and citation", mixed_methods(m, ddf)),
    ]


def _verdict(m: Any) -> str:
    kind = "ok" if m.verdict.status == "ok" else "warning" if m.converged else "problem"
    return f'<div class="box {kind}">{text(str(m.verdict))}</div>'


def _data(m: Any) -> str:
    design = m.design
    rows = [("Rows in the data", count(design.n_input)), ("Rows used", count(m.nobs))]
    rows += [("Rows left out (missing values)", count(design.n_input - m.nobs))] if design.n_input > m.nobs else []
    out = rows_table(("", ""), rows)
    if design.dropped:
        missing = [(name, count(int(n))) for name, n in design.dropped.items() if n]
        out += rows_table(("Variable", "Missing values"), missing) if missing else ""
    sizes = []
    for name in m.n_groups:
        r = next(t for c in m.fit.data.components for t in c.random if t.group == name)
        n = np.bincount(r.codes, minlength=len(r.levels))
        sizes.append((name, count(len(r.levels)), f"{n.min()}", f"{np.median(n):g}", f"{n.max()}"))
    if sizes:
        out += table(Block("", ("Grouping factor", "Groups", "Smallest", "Median", "Largest"), tuple(sizes)))
    return out + table(_variables(m))


def _variables(m: Any) -> Block:
    rows = [_described(str(m.fit.data.response), observed(m))]
    for name in m.design.spec.predictors():
        if name in m.n_groups or name == m.fit.data.response:
            continue
        if m.design.variables().get(name) == "number":
            rows.append(_described(name, np.asarray(m.design.variable(name), float)))
        else:
            levels = m.design.factor_levels(name)
            rows.append((name, f"{len(levels)} levels", ", ".join(levels[:6]) + (", ..." if len(levels) > 6 else ""), "", ""))
    return Block("", ("Variable", "Mean", "SD", "Minimum", "Maximum"), tuple(rows))


def _described(name: str, x: Any) -> tuple[str, ...]:
    mean = float(x.mean())
    mean = 0.0 if abs(mean) < 1e-9 * float(np.abs(x).max(initial=0.0)) else mean
    return name, plain(mean), plain(float(x.std(ddof=1)) if len(x) > 1 else float("nan")), plain(float(x.min())), plain(float(x.max()))


def _estimates(m: Any, ddf: str | None) -> str:
    blocks = [b for b in m.summary(ddf=ddf).blocks if not b.title.startswith("Notes")]
    out = "".join(table(replace(b, foot=tuple(f for f in b.foot if f != "---"))) for b in blocks)
    shown = [n for c in m.fit.data.components for n in c.names if n != "(Intercept)"]
    if shown:
        height = max(1.9, 0.9 + 0.4 * len(shown))
        out += figure(Picture("Coefficients with 95 % confidence intervals (intercept left out).", lambda ax: m.plot("coef", ddf=ddf, ax=ax), (6.6, height)))
    return out


def _explained(m: Any) -> str:
    rows = []
    try:
        if m.n_groups:
            found = icc(m)
            rows += [("ICC, adjusted", share(float(found["icc_adjusted"][0]), 3), "share of the random effects in the variance that the fixed effects leave")]
            rows += [("ICC, unadjusted", share(float(found["icc_unadjusted"][0]), 3), "share of the random effects in the whole variance")]
        r = r2(m)
        rows.append(("R\N{SUPERSCRIPT TWO}, marginal", share(float(r["r2_marginal"][0]), 3), "fixed effects"))
        if m.n_groups:
            rows.append(("R\N{SUPERSCRIPT TWO}, conditional", share(float(r["r2_conditional"][0]), 3), "fixed and random effects"))
    except TanadaError as e:
        return f"<p>Not available: {text(str(e))}</p>"
    return rows_table(("", "", ""), rows)


def _groups(m: Any) -> str:
    if not any(t.component == "cond" for t in m.fit.terms):
        return ""
    name = groups_for(m).name
    slopes = [n for r in random_terms(m) if r.group == name for n in r.names if n != "(Intercept)"]
    pictures = []
    if numeric_predictors(m) and len(groups_for(m).levels) <= 2000:
        pictures.append(Picture(f"Regression lines of the groups ({name}) with the overall line and its confidence band.", m_plot(m, "lines"), (7.0, 4.3)))
    elif not numeric_predictors(m):
        pictures.append(Picture(f"Observed and predicted means of {name}: predictions are pulled to the overall mean, the more the fewer rows a group has.", m_plot(m, "shrinkage"), (5.0, 4.6)))
    pictures.append(Picture(f"Random effects of {name}, sorted, with 95 % intervals; blue where the interval leaves out zero.", lambda: m.plot("caterpillar")))
    if slopes:
        pictures.append(Picture("Random effects against each other. The ellipse holds 95 % of groups by the estimated covariance matrix.", m_plot(m, "ranef"), (6.6, 4.3)))
    if m.family in ("binomial", "betabinomial"):
        pictures.append(Picture("Means of groups that the fitted random effects imply for the population.", m_plot(m, "population"), (5.6, 3.7)))
    return "".join(_safely(p) for p in pictures)


def m_plot(m: Any, kind: str) -> Any:
    """A drawing function that takes axes."""
    return lambda ax: m.plot(kind, ax=ax)


def _safely(picture: Picture) -> str:
    try:
        return figure(picture)
    except TanadaError as e:
        return f"<p>Not drawn ({text(picture.caption)}): {text(str(e))}</p>"


def _checks(m: Any) -> str:
    found = check_model(m, n=max(20, min(SIMULATIONS, CELLS // max(m.nobs, 1))))
    rows = sorted(zip(found.column("check"), found.column("status"), found.column("sentence")), key=lambda r: ORDER.get(str(r[1]), 9))
    cells = [(_badge(str(status)), str(name), str(sentence)) for name, status, sentence in rows]
    out = rows_table(("", "Check", "Finding"), cells)
    pictures = "".join(_safely(Picture(PLAIN[panel] + ".", m_plot(m, panel), (5.2, 3.5))) for panel in panels_for(m))
    return f'{out}<div class="pair">{pictures}</div>'


def _badge(status: str) -> str:
    kind = status if status in ("ok", "warning", "problem") else "note"
    return f'<span class="badge {kind}">{text(status)}</span>'
