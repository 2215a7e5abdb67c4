"""`tn.table`: several models side by side, mixed models and structural equation models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tanada.documents.numbers import plain
from tanada.documents.table_rows import Entry, mixed_entries, sem_entries
from tanada.errors import ModelError
from tanada.frame import to_caller
from tanada.inference.wald import check_level
from tanada.results import text
from tanada.results.mixed_result import MixedResult
from tanada.results.sem_result import SemResult
from tanada.results.table_result import TableResult

SHOWN = ("ci", "se", "statistic", "p", "none")
STARS = "* p < .05, ** p < .01, *** p < .001."


@dataclass(frozen=True, repr=False, eq=False)
class ModelTable(TableResult):
    """Models side by side.

    Attributes
    ----------
    table : data frame
        section, term, one column of text a model.
    data : dict
        "long": model, section, term, estimate, std_error, conf_low, conf_high, p_value as numbers.
    """

    def _block(self) -> text.Block:
        names = self.columns[2:]
        rows: list[tuple[str, ...]] = []
        section = ""
        for line in zip(*(np.asarray(self.table[c], dtype=object) for c in self.columns)):
            if line[0] != section:
                section = str(line[0])
                rows.append((section, *[""] * len(names)))
            rows.append(tuple(str(v) for v in line[1:]))
        return text.Block(self.title, ("", *names), tuple(rows), (0,), self.notes)

    def plot(self, **options: Any) -> Any:
        """The coefficients as a forest plot, for mixed models; options as in `m.plot(kind="coef")`."""
        from tanada.plot.coef import plot_coef

        models = self.info["models"]
        if not all(isinstance(m, MixedResult) for m in models):
            raise ModelError("plot: a forest plot shows mixed models; a structural equation model has a path diagram, fit.plot().")
        return plot_coef(*models, **({"names": self.columns[2:]} | options))


def table(
    *models: Any, names: Sequence[str] | None = None, show: str = "ci", stars: bool = True, digits: int = 2, exponentiate: bool = False,
    standardized: bool = False, level: float = 0.95, ddf: str | None = None, fit: bool = True,
) -> ModelTable:  # fmt: skip
    """Models side by side, ready for a paper.

    Parameters
    ----------
    *models : MixedResult or SemResult
    names : sequence of str, optional
        Heads of the columns; default "(1)", "(2)", ...
    show : {"ci", "se", "statistic", "p", "none"}
        What stands beside each estimate.
    stars : bool
        Whether p values are marked by stars.
    digits : int
        Decimals.
    exponentiate : bool
        Odds ratios or rate ratios of mixed models with a log or logit link.
    standardized : bool
        Completely standardised estimates of structural equation models (without intervals).
    level : float
        Of the intervals.
    ddf : str, optional
        As in `m.summary`.
    fit : bool
        Whether measures of fit stand below.

    Returns
    -------
    ModelTable
        `str()` is the text; `to_markdown()`, `to_latex()`, `to_html()`, `to_docx(path)`, `as_gt()`; `.table` is a data frame of text,
        `.data["long"]` one of numbers.

    Raises
    ------
    ModelError
        For objects that are not fitted models, or unknown options.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m0 = tn.mixed("read_score ~ (1 | school_id)", d)
    >>> m1 = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> tn.table(m0, m1, names=["empty", "status"]).columns
    ['section', 'term', 'empty', 'status']
    """
    if not models:
        raise ModelError("table needs at least one fitted model.")
    for m in models:
        if not isinstance(m, (MixedResult, SemResult)):
            raise ModelError(f"table takes fitted models; it was given an object of type '{type(m).__name__}'.")
    if show not in SHOWN:
        raise ModelError(f"show = {show!r}; it takes {', '.join(map(repr, SHOWN))}.")
    labels = [str(n) for n in names] if names is not None else [f"({i + 1})" for i in range(len(models))]
    if len(labels) != len(models) or len(set(labels)) != len(labels):
        raise ModelError(f"names takes {len(models)} different names, one a model.")
    level = check_level(level)
    lists = [
        mixed_entries(m, level, ddf, exponentiate, fit) if isinstance(m, MixedResult) else sem_entries(m, level, standardized, fit) for m in models
    ]
    keys = merged_keys(lists)
    cells = [{e.key: cell(e, show, stars, digits) for e in own} for own in lists]
    columns: dict[str, Any] = {"section": np.array([k[0] for k in keys], dtype=object), "term": np.array([k[1] for k in keys], dtype=object)}
    columns |= {label: np.array([c.get(k, "") for k in keys], dtype=object) for label, c in zip(labels, cells)}
    first = models[0]
    like = first.frame if isinstance(first, MixedResult) else first._fit.sample.data.frame
    notes = _notes(models, show, stars, level, exponentiate, standardized)
    return ModelTable(
        to_caller(columns, like), "", notes, "model_table", {"long": to_caller(_long(labels, lists), like)}, {"models": tuple(models)}
    )


def merged_keys(lists: Sequence[Sequence[Entry]]) -> list[tuple[str, str]]:
    """Rows of all models in an order that keeps each model's own, sections together."""
    sections: list[str] = []
    for own in lists:
        at = 0
        for s in dict.fromkeys(e.section for e in own):
            if s in sections:
                at = sections.index(s) + 1
            else:
                sections.insert(at, s)
                at += 1
    out: list[tuple[str, str]] = []
    for s in sections:
        merged: list[str] = []
        for own in lists:
            at = 0
            for term in [e.term for e in own if e.section == s]:
                if term in merged:
                    at = merged.index(term) + 1
                else:
                    merged.insert(at, term)
                    at += 1
        out += [(s, t) for t in merged]
    return out


def cell(e: Entry, show: str, stars: bool, digits: int) -> str:
    """One estimate with what stands beside it."""
    if isinstance(e.estimate, str):
        return e.estimate
    if not np.isfinite(e.estimate):
        return ""
    number = plain(e.estimate, digits) if e.digits is None else f"{e.estimate:.{e.digits}f}".replace("-", "\N{MINUS SIGN}")
    mark = text.stars(e.p_value).replace(".", "") if stars else ""
    beside = ""
    if show == "ci" and np.isfinite(e.conf_low):
        beside = f" [{plain(e.conf_low, digits)}, {plain(e.conf_high, digits)}]"
    elif show == "se" and np.isfinite(e.std_error):
        beside = f" ({plain(e.std_error, digits)})"
    elif show == "statistic" and np.isfinite(e.statistic):
        beside = f" ({plain(e.statistic, digits)})"
    elif show == "p" and np.isfinite(e.p_value):
        beside = f" ({text.p_text(e.p_value)})"
    return number + mark + beside


def _long(labels: Sequence[str], lists: Sequence[Sequence[Entry]]) -> dict[str, Any]:
    rows = [(label, e) for label, own in zip(labels, lists) for e in own if not isinstance(e.estimate, str)]
    out: dict[str, Any] = {"model": np.array([r[0] for r in rows], dtype=object)}
    out |= {k: np.array([getattr(e, k) for _, e in rows], dtype=object) for k in ("section", "term")}
    return out | {k: np.array([getattr(e, k) for _, e in rows], float) for k in ("estimate", "std_error", "conf_low", "conf_high", "p_value")}


def _notes(models: Sequence[Any], show: str, stars: bool, level: float, exponentiate: bool, standardized: bool) -> tuple[str, ...]:
    words = {"ci": f"{100 * level:g}% confidence intervals in brackets.", "se": "Standard errors in parentheses.", "statistic": "t or z values in parentheses."}
    first = [words.get(show, "p values in parentheses." if show == "p" else "")]
    out = [" ".join([w for w in first if w] + ([STARS] if stars else []))]
    if exponentiate:
        out.append("Fixed effects of models with a log or logit link are exponentiated.")
    if standardized and any(isinstance(m, SemResult) for m in models):
        out.append("Parameters of structural equation models are completely standardised.")
    out += [f"{m.formula}: {m.verdict}" for m in models if isinstance(m, MixedResult) and not m.converged]
    return tuple(v for v in out if v)
