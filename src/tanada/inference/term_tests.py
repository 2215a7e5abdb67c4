"""F (or chi-square) tests of the terms of the fixed part: type I, II and III contrasts.

Type I: rows of the triangular factor R of X = QR (each term after those before it). Type II: the same with the term placed after
all terms that do not contain it. Type III: the term's coefficients under sum-to-zero coding of the factors, whatever coding the fit used. The
hypotheses are SAS's (Goodnight 1976); term A is contained in B when both have the same numeric variables and A's factors are among B's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

from tanada.design.matrices import ComponentDesign
from tanada.errors import ModelError
from tanada.inference.ddf import FixedTests

Array = NDArray[np.float64]


def term_contrasts(
    design: ComponentDesign, kind: int, contained: dict[str, set[str]], sum_coded: Array | None = None
) -> dict[str, Array]:
    """Contrast matrix (rows, p) of each term but the intercept.

    Parameters
    ----------
    design : ComponentDesign
    kind : int
        1, 2 or 3.
    contained : dict
        Term -> the terms that contain it.
    sum_coded : array (n, p) or None
        The fixed-effects matrix with sum-to-zero coding; None when there are no factors.
    """
    term_of = np.asarray(design.term_of_column, int)
    terms = [t for t in range(len(design.terms)) if np.any(term_of == t) and not _is_intercept(design, t)]
    if kind == 3:
        return _type_three(design, terms, sum_coded)
    if kind not in (1, 2):
        raise ModelError(f"type = {kind!r}; term tests are of type 1, 2 or 3.")
    out = {}
    for t in terms:
        above = contained.get(design.terms[t], set()) if kind == 2 else set()
        last = [u for u in terms if design.terms[u] in above]
        if kind == 1:
            order = np.argsort(term_of, kind="stable")
        else:
            rank = np.where(term_of == t, 1, np.where(np.isin(term_of, last), 2, 0))
            order = np.argsort(rank, kind="stable")
        R = np.asarray(np.linalg.qr(design.X[:, order], mode="r"))
        rows = np.flatnonzero(term_of[order] == t)
        L = np.zeros((len(rows), R.shape[1]))
        L[:, order] = np.triu(R)[rows]
        out[design.terms[t]] = L / np.maximum(np.abs(L).max(axis=1, keepdims=True), 1e-300)
    return out


def _is_intercept(design: ComponentDesign, t: int) -> bool:
    return design.terms[t] in ("1", "(Intercept)", "Intercept", "")


def _type_three(design: ComponentDesign, terms: list[int], sum_coded: Array | None) -> dict[str, Array]:
    term_of = np.asarray(design.term_of_column, int)
    p = design.X.shape[1]
    if sum_coded is None:
        back = np.eye(p)
    else:
        # an ordinal model has thresholds in place of the intercept of the coded matrix
        X = np.column_stack([np.ones(len(design.X)), design.X]) if sum_coded.shape[1] == p + 1 else design.X
        if sum_coded.shape[1] != X.shape[1]:
            raise ModelError("type 3 tests need every combination of the factors' levels in the data; use type=2.")
        transform, *_ = np.linalg.lstsq(X, sum_coded, rcond=None)
        back = np.linalg.inv(transform)[-p:, -p:]
    return {design.terms[t]: back[term_of == t] for t in terms}


def terms_table(contrasts: dict[str, Array], tests: FixedTests, sigma: float | None) -> dict[str, Any]:
    """term, sum_sq, mean_sq, num_df, den_df, statistic, p_value; chi-square instead of F where the denominator is infinite."""
    rows = []
    for term, L in contrasts.items():
        F, q, df = tests.tests.f_test(L, tests.beta)
        chi = np.isinf(df)
        p = float(chdtrc(q, F * q)) if chi else (float(fdtrc(q, df, F)) if df > 0 else np.nan)
        mean_sq = F * sigma**2 if sigma is not None else np.nan
        rows.append((term, mean_sq * q, mean_sq, q, df, F * q if chi else F, p))
    names = ("term", "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value")
    columns = list(zip(*rows)) if rows else [()] * len(names)
    out = {n: np.array(c, dtype=object if n == "term" else float) for n, c in zip(names, columns)}
    if tests.method == "z":
        return {
            "term": out["term"], "chisq": out["statistic"], "df": out["num_df"], "p_value": out["p_value"],
        }
    out["f_value"] = out.pop("statistic")
    return {k: out[k] for k in ("term", "sum_sq", "mean_sq", "num_df", "den_df", "f_value", "p_value")}
