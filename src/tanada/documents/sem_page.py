"""Sections of the report of a structural equation model."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.documents.html import Picture, figure, paragraphs, rows_table, table, text
from tanada.documents.methods import sem_methods
from tanada.documents.numbers import count, share
from tanada.documents.sentences import report_text
from tanada.errors import TanadaError
from tanada.results.text import Block, fixed

LARGE = 3.84


def sem_sections(f: Any, language: str) -> list[tuple[str, str]]:
    """Titles and contents, in reading order."""
    return [
        ("In words", _verdict(f) + paragraphs(report_text(f, language))),
        ("Model", f"<pre>{text(f.model.strip())}</pre>"),
        ("Path diagram", _diagram(f)),
        ("Data", _data(f)),
        ("Fit", _fit(f)),
        ("Estimates", "".join(table(b) for b in f.summary(standardized=True, rsquare=True).blocks[2:] if not b.title.startswith("Notes"))),
        ("Where it fits badly", _misfit(f)),
        ("Notes", "<ul>" + "".join(f"<li>{text(n)}</li>" for n in f.notes) + "</ul>" if f.notes else ""),
        ("Methods and citation", sem_methods(f)),
    ]


def _verdict(f: Any) -> str:
    kind = "ok" if f.verdict.status == "ok" else "warning" if f.converged else "problem"
    return f'<div class="box {kind}">{text(str(f.verdict))}</div>'


def _diagram(f: Any) -> str:
    try:
        return figure(Picture("Path diagram with standardised estimates.", lambda: f.plot()))
    except TanadaError as e:
        return f"<p>Not drawn: {text(str(e))}</p>"


def _data(f: Any) -> str:
    rows = [("Rows used", count(f.nobs)), ("Estimator", f.estimator), ("Free parameters", str(f.npar))]
    data = f._fit.sample.data
    rows += [(f"Clusters ({data.cluster_name})", count(f.n_clusters))] if f.n_clusters else []
    rows += [(f"Group {g.label}", count(g.n)) for g in data.groups] if len(data.groups) > 1 else []
    out = rows_table(("", ""), rows)
    if f.n_clusters:
        t = f.icc()
        cells = tuple(zip([str(v) for v in t["variable"]], *(fixed(np.asarray(t[c], float).tolist(), 3) for c in ("icc", "var_within", "var_between"))))
        out += table(Block("Intraclass correlations", ("Variable", "ICC", "Variance within", "Variance between"), cells))
    return out


def _fit(f: Any) -> str:
    m = f.fit_measures()
    lead = "<p>Chi-square is small and not significant when the model holds; large samples make it significant.</p>"
    rows: list[tuple[str, ...]] = []
    guide = (
        ("cfi", "CFI", "0.95 or more is called good (Hu & Bentler 1999)"),
        ("tli", "TLI", "0.95 or more is called good"),
        ("cfi.robust", "CFI, robust", "for the robust test"),
        ("tli.robust", "TLI, robust", ""),
        ("rmsea", "RMSEA", "0.06 or less is called good"),
        ("rmsea.robust", "RMSEA, robust", ""),
        ("srmr", "SRMR", "0.08 or less is called good"),
        ("srmr_within", "SRMR, within", ""),
        ("srmr_between", "SRMR, between", ""),
        ("aic", "AIC", "compares models of the same data: smaller is better"),
        ("bic", "BIC", ""),
    )
    for key, name, words in guide:
        value = m.get(key, float("nan"))
        if np.isfinite(value) and not (key == "srmr" and f.n_clusters):
            rows.append((name, f"{value:.1f}" if key in ("aic", "bic") else share(value, 3), words))
    return table(f.summary().blocks[1]) + lead + rows_table(("Measure", "Value", "Reading"), rows)


def _misfit(f: Any) -> str:
    try:
        t = f.modindices(minimum=LARGE)
    except TanadaError as e:
        return f"<p>Modification indices are not available: {text(str(e))}</p>"
    n = min(len(t), 12)
    if n == 0:
        return "<p>No modification index exceeds 3.84.</p>"
    names = [f"{a} {op} {b}" for a, op, b in zip(*(np.asarray(t[c], dtype=object)[:n] for c in ("lhs", "op", "rhs")))]
    cells = tuple(zip(names, [str(v) for v in np.asarray(t["level"])[:n]], *(fixed(np.asarray(t[c], float)[:n].tolist(), 3) for c in ("mi", "epc", "sepc_all"))))
    lead = "<p>What freeing a fixed parameter would gain in chi-square, largest first. Change a model for a reason, not for an index.</p>"
    return lead + table(Block("", ("Parameter", "Level", "Modification index", "Expected change", "Standardised"), cells))
