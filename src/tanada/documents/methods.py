"""How a fit was made, and what to cite."""

from __future__ import annotations

import platform
import sys
from typing import Any

import tanada as tn
from tanada.documents.english import TESTS, method_words
from tanada.documents.html import text

REFERENCES = {
    "lmm": "Bates, D., Maechler, M., Bolker, B. & Walker, S. (2015). Fitting linear mixed-effects models using lme4. Journal of Statistical Software, 67(1).",
    "laplace": "Kristensen, K., Nielsen, A., Berg, C. W., Skaug, H. & Bell, B. M. (2016). TMB: Automatic differentiation and Laplace approximation. Journal of Statistical Software, 70(5).",
    "agq": "Pinheiro, J. C. & Bates, D. M. (1995). Approximations to the log-likelihood function in the nonlinear mixed-effects model. Journal of Computational and Graphical Statistics, 4, 12-35.",
    "satterthwaite": "Kuznetsova, A., Brockhoff, P. B. & Christensen, R. H. B. (2017). lmerTest package: Tests in linear mixed effects models. Journal of Statistical Software, 82(13).",
    "kenward-roger": "Kenward, M. G. & Roger, J. H. (1997). Small sample inference for fixed effects from restricted maximum likelihood. Biometrics, 53, 983-997.",
    "r2": "Nakagawa, S., Johnson, P. C. D. & Schielzeth, H. (2017). The coefficient of determination R2 and intra-class correlation coefficient from generalized linear mixed-effects models revisited and expanded. Journal of the Royal Society Interface, 14.",
    "residuals": "Dunn, P. K. & Smyth, G. K. (1996). Randomized quantile residuals. Journal of Computational and Graphical Statistics, 5, 236-244.",
    "sem": "Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software, 48(2).",
    "twolevel": "Muthen, B. O. (1994). Multilevel covariance structure analysis. Sociological Methods & Research, 22, 376-398.",
    "fit": "Hu, L. & Bentler, P. M. (1999). Cutoff criteria for fit indexes in covariance structure analysis. Structural Equation Modeling, 6, 1-55.",
}


def software() -> str:
    """Versions behind a report."""
    import numpy
    import scipy

    return f"Tanada {tn.__version__}, Python {sys.version.split()[0]}, NumPy {numpy.__version__}, SciPy {scipy.__version__}, {platform.system()}"


def mixed_methods(m: Any, ddf: str | None) -> str:
    """Method, call, references of a mixed model."""
    tests = m.tests(ddf).method
    keys = ["lmm"] if m.family == "gaussian" else ["agq" if m.fit.method.startswith("AGQ") else "laplace"]
    keys += [tests] if tests in REFERENCES else []
    keys += ["r2", "residuals"]
    words = f"Estimated by {method_words(m.fit.method)}; {m.npar} parameters. Tests of the fixed effects: {TESTS.get(tests, tests)}."
    if m.family == "gaussian":
        words += " Random effects were integrated out in closed form."
    return f"<p>{text(words)}</p><pre>{text(mixed_call(m))}</pre>{_references(keys)}"


def mixed_call(m: Any) -> str:
    """The call that makes the fit."""
    c = m.call
    parts = [repr(c.formula), "data"]
    parts += [f"{k}={getattr(c, k)!r}" for k in ("family", "link", "zi", "disp") if getattr(c, k) not in (None, "gaussian")]
    parts += ["reml=True"] if c.reml else []
    parts += [f"nagq={c.nagq}"] if c.nagq != 1 else []
    for name in ("weights", "offset"):
        value = getattr(c, name)
        if value is not None:
            parts.append(f"{name}={value!r}" if isinstance(value, str) else f"{name}={name}")
    return f"import tanada as tn\nm = tn.mixed({', '.join(parts)})"


def sem_methods(f: Any) -> str:
    """Method and references of a structural equation model."""
    keys = ["sem", "fit"] + (["twolevel"] if f.n_clusters else [])
    return f"<p>{text(f'Estimator {f.estimator}; {f.npar} free parameters. Conventions are those of lavaan.')}</p>{_references(keys)}"


def _references(keys: list[str]) -> str:
    return "<p>References for the methods:</p><ul>" + "".join(f"<li>{text(REFERENCES[k])}</li>" for k in keys) + "</ul>"
