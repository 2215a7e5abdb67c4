"""The summary of a structural equation model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tanada.engine.sem_fit import SemFit
from tanada.inference.sem_vcov import default_information, default_se
from tanada.partable.table import Row
from tanada.results import text
from tanada.results.mixed_summary import Summary
from tanada.results.office import as_great_table
from tanada.results.sem_moments import block_name
from tanada.results.text import Block

if TYPE_CHECKING:
    from tanada.results.sem_result import SemResult

SECTIONS = (
    ("=~", "Latent variables"), ("<~", "Composites"), ("~", "Regressions"), ("cov", "Covariances"), ("~1", "Intercepts"), ("|", "Thresholds"), ("var", "Variances"),
    ("~*~", "Scales"),
)  # fmt: skip
INDEX_ROWS = (
    ("cfi", "Comparative Fit Index (CFI)"), ("tli", "Tucker-Lewis Index (TLI)"), ("cfi.robust", "Robust CFI"), ("tli.robust", "Robust TLI"),
    ("logl", "Log-likelihood"), ("unrestricted.logl", "Log-likelihood, unrestricted model"), ("aic", "AIC"), ("bic", "BIC"), ("bic2", "BIC, sample-size adjusted"),
    ("rmsea", "RMSEA"), ("rmsea.ci.lower", "  90 % interval, lower"), ("rmsea.ci.upper", "  90 % interval, upper"), ("rmsea.pvalue", "  P(RMSEA <= 0.05)"),
    ("rmsea.robust", "Robust RMSEA"), ("srmr", "SRMR"), ("srmr_within", "SRMR, within"), ("srmr_between", "SRMR, between"),
)  # fmt: skip


@dataclass(frozen=True)
class SemSummary(Summary):
    """A summary; `str()` gives the text."""

    def as_gt(self) -> Any:
        """The parameters as a great_tables object (extra "tables")."""
        return as_great_table([b for b in self.blocks if len(b.header) >= 5])


def build_sem_summary(result: SemResult, standardized: bool, fit_measures: bool, rsquare: bool) -> SemSummary:
    fit = result._fit
    blocks = [_header(result, fit), _test(result, fit)]
    if fit_measures:
        m = result.fit_measures()
        rows = tuple((name, f"{m[k]:.3f}") for k, name in INDEX_ROWS if k in m and np.isfinite(m[k]))
        blocks.append(Block("Fit measures:", ("", ""), rows))
    blocks += _parameters(result, fit, standardized)
    if rsquare:
        blocks += _rsquare(result)
    notes = list(fit.notes)
    if fit.verdict.status != "ok":
        notes.insert(0, str(fit.verdict))
    if notes:
        blocks.append(Block("Notes:", (), (), foot=tuple("- " + n for n in notes)))
    return SemSummary(tuple(blocks))


def _header(result: SemResult, fit: SemFit) -> Block:
    data = fit.sample.data
    rows = [("Estimator", fit.options.estimator), ("Parameters", str(fit.npar)), ("Observations", str(result.nobs))]
    if data.n_clusters:
        rows.append((f"Clusters ({data.cluster_name})", str(data.n_clusters)))
    if len(data.groups) > 1:
        rows += [(f"  group {g.label}", str(g.n)) for g in data.groups]
    if fit.sample.kind in ("fiml", "twolevel_fiml"):
        rows.append(("Missing values", "full information maximum likelihood"))
    names = {"robust.huber.white": "robust (sandwich)", "robust.sem": "robust (moments)", "first.order": "first order"}
    rows += [("Standard errors", names.get(default_se(fit), default_se(fit))), ("Information", default_information(fit))]
    kind = "Two-level structural equation model" if fit.table.n_levels > 1 else "Structural equation model"
    return Block(f"{kind}: {'converged' if fit.verdict.converged else 'NOT CONVERGED'}", ("", ""), tuple(rows))


def _test(result: SemResult, fit: SemFit) -> Block:
    rows = [("Chi-square", f"{result.chisq:.3f}"), ("Degrees of freedom", str(result.df)), ("P value", text.p_text(result.p_value))]
    robust = result.robust_test
    if robust is None:
        return Block("Test of the model:", ("", ""), tuple(rows))
    from tanada.post.sem_fitmeasures import chi_square_p

    scaled = [f"{robust.stat:.3f}", f"{robust.df:g}", text.p_text(chi_square_p(robust.stat, robust.df))]
    table = [(a, b, c) for (a, b), c in zip(rows, scaled)] + [("Scaling factor", "", f"{robust.factor:.3f}")]
    return Block("Test of the model:", ("", "standard", robust.kind), tuple(table))


def _parameters(result: SemResult, fit: SemFit, standardized: bool) -> list[Block]:
    from tanada.results.sem_tables import parameter_columns

    c = parameter_columns(fit, result._vcov, standardized, 0.95)
    rows = fit.table.rows
    out: list[Block] = []
    several = len(fit.table.blocks) > 1
    for b in fit.table.blocks:
        for kind, title in SECTIONS:
            keep = [i for i, r in enumerate(rows) if r.block == b.number and _kind(r.op, r.lhs, r.rhs) == kind and not _silent(r)]
            if not keep:
                continue
            lead = f"{block_name(fit, b)}: " if several else ""
            title = (lead[:1].upper() + lead[1:] + title.lower()) if several else title
            out.append(_table(c, keep, title + ":", kind, standardized))
    extra = list(range(len(rows), len(c["lhs"])))
    if extra:
        out.append(_table(c, extra, "Defined parameters:", ":=", standardized))
    return out


def _silent(r: Row) -> bool:
    """Default rows that say nothing: moments of fixed predictors, intercepts fixed at 0."""
    return not r.user and (r.exo or (r.op == "~1" and not r.free and r.value == 0.0))


def _kind(op: str, lhs: str, rhs: str) -> str:
    return ("var" if lhs == rhs else "cov") if op == "~~" else op


def _table(c: dict[str, Any], keep: list[int], title: str, kind: str, standardized: bool) -> Block:
    names = []
    for i in keep:
        lhs, rhs, label = c["lhs"][i], c["rhs"][i], c["label"][i]
        name = {"var": lhs, "~1": lhs, "~*~": lhs, ":=": f"{lhs} = {rhs}", "|": f"{lhs} | {rhs}"}.get(kind, f"{lhs} {'~~' if kind == 'cov' else kind} {rhs}")
        names.append(name + (f" ({label})" if label and kind != ":=" else ""))
    pick = lambda k: np.asarray(c[k], float)[keep].tolist()  # noqa: E731
    columns = [names, text.numbers(pick("estimate")), text.numbers(pick("std_error")), text.fixed(pick("z"), 3), [text.p_text(p) for p in pick("p_value")]]
    header = ["", "Estimate", "Std. Error", "z value", "Pr(>|z|)"]
    if standardized:
        columns += [text.fixed(pick("std_lv"), 3), text.fixed(pick("std_all"), 3)]
        header += ["Std.lv", "Std.all"]
    return Block(title, tuple(header), tuple(zip(*columns)))


def _rsquare(result: SemResult) -> list[Block]:
    from tanada.results.sem_moments import r2_columns

    r = r2_columns(result._fit)
    several = len(result._fit.table.blocks) > 1
    rows = tuple((v + (f" (level {lev})" if several and result._fit.table.n_levels > 1 else ""), f"{x:.3f}" if np.isfinite(x) else "") for v, lev, x in zip(r["variable"], r["level"], r["r2"]))
    return [Block("R-squared:", ("", "Estimate"), rows)]
