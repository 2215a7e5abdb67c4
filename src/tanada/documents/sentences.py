"""`tn.report_text`: a fitted model in sentences, in the style of the American Psychological Association."""

from __future__ import annotations

from typing import Any

from tanada.documents.english import mixed_english, sem_english
from tanada.documents.japanese import mixed_japanese, sem_japanese
from tanada.documents.model_facts import mixed_facts, sem_facts
from tanada.errors import ModelError
from tanada.inference.wald import check_level
from tanada.results.mixed_result import MixedResult
from tanada.results.sem_result import SemResult

LANGUAGES = ("en", "ja")


def report_text(m: Any, language: str = "en", ddf: str | None = None, level: float = 0.95) -> str:
    """Describe a fitted model in sentences for a results section.

    Parameters
    ----------
    m : MixedResult or SemResult
    language : {"en", "ja"}
        English or Japanese.
    ddf : str, optional
        As in `m.summary` (mixed models).
    level : float
        Of the intervals.

    Returns
    -------
    str
        Paragraphs: model and data, explained variance, effects, random effects, software. Read it before you print it.

    Raises
    ------
    ModelError
        For an unknown language, or something that is not a fitted model.

    Notes
    -----
    "Significant" is said of p < 1 - level. Names of variables are used as they are in the data.

    References
    ----------
    American Psychological Association (2020), Publication Manual, 7th ed.

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> print(tn.report_text(m))  # doctest: +ELLIPSIS
    A linear mixed model (maximum likelihood) was fitted to read_score with escs as predictor...
    """
    if language not in LANGUAGES:
        raise ModelError(f"language = {language!r}; it takes 'en' (English) or 'ja' (Japanese).")
    level = check_level(level)
    if isinstance(m, MixedResult):
        facts = mixed_facts(m, ddf, level)
        return mixed_english(facts) if language == "en" else mixed_japanese(facts)
    if isinstance(m, SemResult):
        return sem_english(sem_facts(m)) if language == "en" else sem_japanese(sem_facts(m))
    raise ModelError(f"report_text takes a fitted model; it was given an object of type '{type(m).__name__}'.")
