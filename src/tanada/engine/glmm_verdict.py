"""Curvature and convergence verdict of generalised linear mixed models: what the optimum is worth, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.boundary import advice_for, singular_parts
from tanada.engine.fit import TermEstimate
from tanada.engine.glmm_input import GlmmInput
from tanada.engine.glmm_layout import Layout
from tanada.engine.separation import separation_note
from tanada.engine.verdict import Verdict

Array = NDArray[np.float64]
Index = NDArray[np.intp]

GRADIENT_TOLERANCE = 1e-4
FAR = 6.0  # log dispersion, shape or logit of zero inflation beyond which the limit is suspected
FAR_LOGIT = 30.0  # logit of zero inflation that counts as certain
WEAK = 1e-3  # information (1 / variance) below which such a parameter counts as unidentified


@dataclass(frozen=True)
class Curvature:
    """Inverse Hessian in the core's order; `limits` are parameters that ran to infinity and were left out."""

    vcov: Array
    positive: bool
    smallest: float | None
    limits: tuple[int, ...]


def curvature(inputs: GlmmInput, layout: Layout, values: Array, outcome: dict[str, Any]) -> Curvature:
    """Covariance of the parameters that are free and identified; NaN for the others, and everywhere when the curvature is not positive."""
    H = 0.5 * np.asarray(outcome["hessian"])
    psi = np.asarray(outcome["psi"])
    d = len(psi)
    vcov = np.full((d, d), np.nan)
    if H.size == 0:
        return Curvature(vcov, True, None, ())
    free = np.flatnonzero(np.isfinite(np.diag(H)))
    limits = tuple(int(i) for i in free if _is_limit(inputs, int(i), psi[i], H[i, i]))
    free = np.array([i for i in free if i not in limits], dtype=np.intp)
    if len(free) == 0:
        return Curvature(vcov, True, None, limits)
    F = H[np.ix_(free, free)]
    diagonal = np.diag(F)
    if np.any(~(diagonal > 0)):
        return Curvature(vcov, False, float(diagonal.min()), limits)
    scale = 1.0 / np.sqrt(diagonal)
    smallest = float(np.linalg.eigvalsh(F * np.outer(scale, scale))[0])
    if smallest <= 1e-10:
        return Curvature(vcov, False, smallest, limits)
    inverse = np.linalg.inv(F * np.outer(scale, scale)) * np.outer(scale, scale)
    vcov[np.ix_(free, free)] = 0.5 * (inverse + inverse.T)
    return Curvature(vcov, True, smallest, limits)


def _is_limit(inputs: GlmmInput, i: int, value: float, information: float) -> bool:
    if i >= inputs.beta_count or abs(value) < FAR or not information < WEAK:
        return False
    block, name = inputs.blocks[i], inputs.names[i]
    if block in ("dispersion", "shape"):
        return True
    return name == "(Intercept)" and block in ("fixed:zi", "fixed:disp")


def _limit_words(inputs: GlmmInput, i: int, value: float) -> tuple[str, str]:
    """What ran away, and what to do."""
    family = inputs.info.name.removeprefix("truncated_")
    block = inputs.blocks[i]
    if block == "fixed:zi":
        return (
            ("the probability of a structural zero goes to zero", "Leave zi= out.")
            if value < 0
            else ("the probability of a structural zero goes to one", "Check the zero-inflation model.")
        )
    simpler = {
        ("nbinom2", True): ("no overdispersion is left: phi goes to infinity", "Use family='poisson'."),
        ("nbinom1", False): ("no overdispersion is left: phi goes to zero", "Use family='poisson'."),
        ("betabinomial", True): ("no overdispersion is left: phi goes to infinity", "Use family='binomial'."),
        ("t", True): ("the degrees of freedom go to infinity", "Use family='gaussian'."),
    }
    found = simpler.get((family, value > 0))
    if found is not None:
        return found
    towards = "infinity" if value > 0 else "zero"
    return f"parameter '{inputs.names[i]}' goes to {towards}", "Use a family without it."


def judge(
    inputs: GlmmInput,
    layout: Layout,
    values: Array,
    outcome: dict[str, Any],
    curved: Curvature,
    terms: Sequence[TermEstimate],
    eta: Array,
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and the notes of a fit."""
    psi = np.asarray(outcome["psi"])
    boundary: list[str] = []
    for (_, design), term in zip(inputs.terms, terms):
        boundary += singular_parts(design, _relative(term))
    advice = advice_for(boundary)
    for i in curved.limits:
        what, do = _limit_words(inputs, i, psi[i])
        boundary.append(what)
        advice = f"{advice} {do}".strip()
    notes = []
    computed = np.asarray(outcome["hessian"]).size > 0  # refits of a bootstrap skip the curvature
    separated = separation_note(inputs, eta, curved.vcov) if computed else ""
    if separated:
        notes.append(separated)
    runaway = _runaway_parts(inputs, eta)
    if runaway:
        notes.append(runaway)
    if outcome["log_prior"] != 0.0:
        notes.append("Estimates are modes of likelihood times prior; logLik, AIC and BIC are of the likelihood alone.")
    common: dict[str, Any] = {
        "scaled_gradient": float(outcome["scaled_gradient"]),
        "boundary": tuple(boundary),
        "evaluations": int(outcome["evaluations"]),
        "min_eigenvalue": curved.smallest,
    }
    return _verdict(outcome, curved, boundary, advice, separated or runaway, common), tuple(notes)


def _runaway_parts(inputs: GlmmInput, eta: Array) -> str:
    """A sentence when a zero-inflation part with predictors splits the rows: its probabilities go to 0 and 1 together."""
    number = next((i for i, p in enumerate(inputs.predictors) if p.role == "zi"), None)
    if number is None:
        return ""
    part = eta[:, number]
    if not (part.min() < -FAR_LOGIT and part.max() > FAR_LOGIT):
        return ""
    names = ", ".join(f"'{n}'" for n, b in zip(inputs.names, inputs.blocks) if b == "fixed:zi" and n != "(Intercept)")
    return (
        f"the zero-inflation probabilities go to 0 and 1 ({names or 'the zero-inflation part'} splits the rows), so its coefficients have no finite "
        "estimate. Drop predictors from zi=, or add priors={'zi': 'beta(2, 2)', ...}."
    )


def _relative(term: TermEstimate) -> Array:
    """The factor on the scale on which a standard deviation of zero is judged."""
    top = float(np.sqrt(np.diag(term.cov)).max(initial=0.0))
    return term.factor / top if top > 1.0 else term.factor


def _verdict(
    outcome: dict[str, Any], curved: Curvature, boundary: list[str], advice: str, separated: str, common: dict[str, Any]
) -> Verdict:
    gradient, evaluations = common["scaled_gradient"], common["evaluations"]
    if not outcome["converged"] and gradient > GRADIENT_TOLERANCE:
        return Verdict(
            "not converged",
            f"The optimiser stopped with a scaled gradient of {gradient:.2g} ({outcome['message']}).",
            "Simplify the random effects, raise control={'max_iterations': ...}, or try nagq=9 (one grouping factor): Laplace's approximation can fail "
            "for families that are not log-concave in small groups.",
            **common,
        )
    if separated:
        return Verdict("flat", "The likelihood has no finite maximum: " + separated, "", **common)
    if not curved.positive:
        return Verdict(
            "flat",
            "The likelihood is flat in some direction at the optimum (its curvature is not positive), so standard errors cannot be given.",
            "Simplify the model, look for predictors that determine the response, or add priors={'b': 'normal(0, 2.5)'}.",
            **common,
        )
    if boundary:
        return Verdict("boundary", "Converged at the boundary: " + ", ".join(boundary) + ".", advice, **common)
    return Verdict("ok", f"Converged (scaled gradient {gradient:.1g}, {evaluations} evaluations).", **common)
