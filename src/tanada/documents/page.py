"""`tn.report`: one self-contained HTML page for a fitted model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tanada.documents.html import page, text
from tanada.documents.methods import software
from tanada.documents.mixed_page import mixed_sections
from tanada.documents.sem_page import sem_sections
from tanada.documents.sentences import LANGUAGES
from tanada.errors import DataError, ModelError
from tanada.results.mixed_result import MixedResult
from tanada.results.sem_result import SemResult

HEADINGS = {
    "In words": "結果の記述", "Data": "データ", "Estimates": "推定値", "Explained variance": "説明された分散", "Groups": "集団", "Checks": "診断", "Notes": "注記",
    "Methods and citation": "方法と引用", "Model": "モデル", "Path diagram": "パス図", "Fit": "適合度", "Where it fits badly": "適合の悪い箇所",
}  # fmt: skip


def headed(sections: list[tuple[str, str]], language: str) -> list[tuple[str, str]]:
    """Sections with headings in the language."""
    return [(HEADINGS.get(name, name) if language == "ja" else name, content) for name, content in sections]


def report(m: Any, path: Any, title: str | None = None, language: str = "en", ddf: str | None = None) -> Path:
    """Write a report of a fitted model: one HTML file with its figures inside, that needs no network and no scripts.

    Parameters
    ----------
    m : MixedResult or SemResult
    path : str or path
        File to write; ".html" is added when it has no ending.
    title : str, optional
    language : {"en", "ja"}
        Language of headings and of the description in words; tables are English.
    ddf : str, optional
        As in `m.summary` (mixed models).

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ModelError
        When `m` is not a fitted model.
    DataError
        When the file cannot be written.

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> tn.report(m, "report.html").name
    'report.html'
    """
    if not isinstance(m, (MixedResult, SemResult)):
        raise ModelError(f"report takes a fitted model; it was given an object of type '{type(m).__name__}'.")
    if language not in LANGUAGES:
        raise ModelError(f"language = {language!r}; it takes 'en' (English) or 'ja' (Japanese).")
    out = Path(path)
    out = out.with_suffix(".html") if out.suffix == "" else out
    if not out.parent.is_dir():
        raise DataError(f"report: the folder '{out.parent}' does not exist.")
    if isinstance(m, MixedResult):
        name = title or (f"混合モデルの報告：{m.fit.data.response}" if language == "ja" else f"Report of a mixed model: {m.fit.data.response}")
        lead = f"<code>{text(m.formula)}</code>, {text(m.family)} ({text(m.link)}), {text(m.fit.method)}"
        content = page(name, lead, headed(mixed_sections(m, ddf, language), language), text(software()), language)
    else:
        name = title or ("構造方程式モデルの報告" if language == "ja" else "Report of a structural equation model")
        lead = f"{m.nobs:,} rows, estimator {text(m.estimator)}"
        content = page(name, lead, headed(sem_sections(m, language), language), text(software()), language)
    out.write_text(content, encoding="utf-8")
    return out
