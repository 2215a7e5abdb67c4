"""The summary of a mixed model: built once as blocks of strings, shown as text, HTML, LaTeX, Markdown or a great_tables object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tanada.engine.fit import MixedFit
from tanada.inference.ddf import FixedTests
from tanada.inference.wald import fixed_table
from tanada.inference.workspace import Workspace
from tanada.results import text
from tanada.results.office import as_great_table, write_docx
from tanada.results.text import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPONENT_TITLES = {"cond": "Fixed effects", "zi": "Zero-inflation model", "disp": "Dispersion model", "threshold": "Thresholds"}
RANDOM_TITLES = {"cond": "Random effects", "zi": "Random effects of the zero-inflation model", "disp": "Random effects of the dispersion model"}
TEST_NAMES = {
    "satterthwaite": "t tests use Satterthwaite's degrees of freedom.",
    "kenward-roger": "t tests use Kenward-Roger's degrees of freedom and adjusted standard errors.",
    "residual": "t tests use the residual degrees of freedom.",
    "z": "p values are from the normal distribution (Wald z tests).",
}


@dataclass(frozen=True)
class Summary:
    """A summary; `str()` gives the classic text.

    Attributes
    ----------
    blocks : tuple of Block
        Header, criteria, residuals, random effects, fixed effects, notes, in print order.
    """

    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        return "\n\n".join(text.to_text(b) for b in self.blocks)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "\n".join(text.to_html(b) for b in self.blocks)

    def to_markdown(self) -> str:
        """The summary as Markdown tables."""
        return "\n\n".join(text.to_markdown(b) for b in self.blocks)

    def to_latex(self) -> str:
        """The summary as LaTeX tabulars."""
        return "\n\n".join(text.to_latex(b) for b in self.blocks)

    def to_html(self) -> str:
        """The summary as HTML tables."""
        return self._repr_html_()

    def to_docx(self, path: Any) -> None:
        """Write the summary to a Word document (extra "tables").

        Parameters
        ----------
        path : str or path

        Raises
        ------
        ModelError
            When python-docx is not installed.
        """
        write_docx(self.blocks, path)

    def as_gt(self) -> Any:
        """The fixed effects as a great_tables object (extra "tables").

        Raises
        ------
        ModelError
            When great_tables is not installed.
        """
        return as_great_table([b for b in self.blocks if b.title.rstrip(":") in COMPONENT_TITLES.values() and b.rows])


def build_summary(
    work: Workspace, tests: FixedTests, formulas: dict[str, str], residuals: NDArray[np.float64] | None, notes: Sequence[str], correlation: bool
) -> Summary:
    """All blocks of the summary of one fit."""
    fit = work.fit
    blocks = [_header(fit, formulas), _criteria(fit)]
    if residuals is not None and residuals.size > 2:
        blocks.append(_residual_block(residuals))
    blocks += _random_blocks(fit)
    if fit.sigma is not None and fit.family != "gaussian":
        blocks.append(Block(f"Dispersion parameter of the {fit.family} family: {fit.sigma:.4g}", (), ()))
    blocks += _fixed_blocks(work, tests)
    if correlation:
        blocks += _correlation_blocks(fit, tests)
    return Summary((*blocks, *_notes_block(fit, tests, notes)))


def _header(fit: MixedFit, formulas: dict[str, str]) -> Block:
    kind = "model" if not fit.terms else "mixed model"
    lead = "Linear" if fit.family == "gaussian" and fit.link == "identity" else "Generalized linear"
    rows = [("Family:", f"{fit.family} ({fit.link})")]
    labels = {"cond": "Formula:", "zi": "Zero inflation:", "disp": "Dispersion:"}
    rows += [(labels.get(k, k + ":"), v) for k, v in formulas.items() if v]
    return Block(f"{lead} {kind} fit by {_method(fit.method)}", ("", ""), tuple(rows), left=(0, 1))


def _method(method: str) -> str:
    names = {"ML": "maximum likelihood (ML)", "REML": "restricted maximum likelihood (REML)", "Laplace": "maximum likelihood (Laplace approximation)"}
    if method.startswith("AGQ"):
        return f"maximum likelihood (adaptive Gauss-Hermite quadrature, {method[4:-1]} points)"
    return names.get(method, method)


def _criteria(fit: MixedFit) -> Block:
    k, n, l = fit.npar, fit.nobs, fit.loglik
    label = "REML criterion" if fit.reml else "deviance"
    values = [-2 * l + 2 * k, -2 * l + np.log(n) * k, l, -2 * l]
    return Block("", ("AIC", "BIC", "logLik", label, "df.resid"), ((*text.fixed(values, 1), str(n - k)),), left=())


def _residual_block(residuals: NDArray[np.float64]) -> Block:
    q = np.quantile(residuals, [0, 0.25, 0.5, 0.75, 1])
    return Block("Scaled residuals:", ("Min", "1Q", "Median", "3Q", "Max"), (tuple(text.fixed(q.tolist(), 4)),), left=())


def _random_blocks(fit: MixedFit) -> list[Block]:
    out = []
    for component in dict.fromkeys([*(t.component for t in fit.terms), "cond"]):
        terms = [t for t in fit.terms if t.component == component]
        residual = component == "cond" and fit.family == "gaussian" and fit.sigma is not None
        if not terms:
            continue
        variances = [float(v) for t in terms for v in np.diag(t.cov)] + ([float(fit.sigma or 0) ** 2] if residual else [])
        var, sd = text.numbers(variances), text.numbers([np.sqrt(max(v, 0.0)) for v in variances])
        shown = [t for t in terms if t.structure not in ("diag", "homdiag") and 1 < len(t.names) <= 12]
        width = max([len(t.names) - 1 for t in shown], default=0)
        rows: list[tuple[str, ...]] = []
        for t in terms:
            cor = _correlations(t.cov) if t in shown else np.full(t.cov.shape, np.nan)
            for i, name in enumerate(t.names):
                cells = [f"{cor[i, j]:.2f}" if i > j and np.isfinite(cor[i, j]) else "" for j in range(width)]
                rows.append((t.group if i == 0 else "", name, var[len(rows)], sd[len(rows)], *cells))
        if residual:
            rows.append(("Residual", "", var[-1], sd[-1], *[""] * width))
        header = ("Groups", "Name", "Variance", "Std.Dev.", *(["Corr"] + [""] * (width - 1) if width else []))
        sizes = {t.group: len(t.levels) for t in terms}
        foot = f"Number of obs: {fit.nobs}, groups: " + "; ".join(f"{g}, {s}" for g, s in sizes.items())
        out.append(Block(RANDOM_TITLES.get(component, component) + ":", header, tuple(rows), left=(0, 1), foot=(foot,)))
    if not out:
        sigma = f", residual standard deviation: {fit.sigma:.5g}" if fit.family == "gaussian" and fit.sigma is not None else ""
        out.append(Block(f"Number of obs: {fit.nobs}{sigma}", (), ()))
    return out


def _correlations(cov: NDArray[np.float64]) -> NDArray[np.float64]:
    sd = np.sqrt(np.maximum(np.diag(cov), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return cov / np.outer(sd, sd)


def _fixed_blocks(work: Workspace, tests: FixedTests) -> list[Block]:
    table = fixed_table(work, tests, 0.95)
    z = tests.method == "z"
    out = []
    for name in dict.fromkeys([c.name for c in work.fit.data.components] + table["component"].tolist()):
        rows = np.flatnonzero(table["component"] == name)
        if not len(rows):
            continue
        p = table["p_value"][rows]
        columns = [
            list(table["term"][rows]),
            text.numbers(table["estimate"][rows]),
            text.numbers(table["std_error"][rows]),
            *([] if z else [text.fixed(table["df"][rows], 1)]),
            text.fixed(table["statistic"][rows], 3),
            [text.p_text(v) for v in p],
            [text.stars(v) for v in p],
        ]
        missing = np.isnan(table["estimate"][rows])
        body = tuple((cells[0], "(aliased)", *[""] * (len(columns) - 2)) if gone else cells for cells, gone in zip(zip(*columns), missing))
        s = "z" if z else "t"
        header = ("", "Estimate", "Std. Error", *([] if z else ["df"]), f"{s} value", f"Pr(>|{s}|)", "")
        legend = ("---", text.STAR_LEGEND) if np.any(p < 0.1) else ()
        out.append(Block(COMPONENT_TITLES.get(name, name) + ":", header, body, left=(0, len(header) - 1), foot=legend))
    return out


def _correlation_blocks(fit: MixedFit, tests: FixedTests) -> list[Block]:
    out, at = [], 0
    for c in fit.data.components:
        p = len(c.names)
        cor = _correlations(tests.vcov[at : at + p, at : at + p])
        at += p
        if p < 2:
            continue
        rows = tuple((c.names[i], *(f"{cor[i, j]:.3f}" if j < i else "" for j in range(p - 1))) for i in range(1, p))
        out.append(Block(f"Correlation of fixed effects ({c.name}):", ("", *c.names[:-1]), rows))
    return out


def _notes_block(fit: MixedFit, tests: FixedTests, notes: Sequence[str]) -> list[Block]:
    lines = [TEST_NAMES[tests.method]] if tests.beta.size else []
    lines += list(tests.notes)
    if fit.verdict.status != "ok":
        lines.append(str(fit.verdict))
    lines += [n for n in notes if n not in lines]
    return [Block("Notes:", (), (), foot=tuple("- " + n for n in lines))] if lines else []
