"""Weakly informative priors: from what a user writes to the items the core adds to the log-likelihood.

With priors an estimate is the mode of likelihood times prior (penalised likelihood, MAP) in coefficients, standard deviations and
correlations. Chung, Rabe-Hesketh, Dorie, Gelman & Liu (2013) for gamma priors on standard deviations; Gelman, Jakulin, Pittau & Su (2008)
for Cauchy and t priors under separation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tanada.engine.glmm_input import GlmmInput
from tanada.errors import ModelError, did_you_mean

Item = tuple[str, int, int, float, float, float]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CALL = re.compile(rf"^\s*([a-z]+)\s*\(\s*({_NUMBER}(?:\s*,\s*{_NUMBER})*)\s*\)\s*$")
_ARGUMENTS = {
    "normal": ("mean", "sd"),
    "t": ("df", "centre", "scale"),
    "cauchy": ("centre", "scale"),
    "gamma": ("shape", "rate"),
    "lkj": ("eta",),
    "beta": ("a", "b"),
}
_FOR = {
    "normal": "coefficients",
    "t": "coefficients",
    "cauchy": "coefficients",
    "gamma": "standard deviations ('sd')",
    "lkj": "correlations ('cor')",
    "beta": "probabilities (the intercept of a logit predictor: 'zi', 'b:(Intercept)')",
}


def prior_items(priors: Any, inputs: GlmmInput) -> list[Item]:
    """Items (kind, target, effect, a, b, c) for the core.

    Parameters
    ----------
    priors : dict or iterable of (target, text)
        Targets: "b" (all conditional coefficients but the intercept), a coefficient's name ("x", "(Intercept)", "zi:x", "disp:x"), "zi" (the
        intercept of the zero-inflation part), "sd" (all standard deviations) or "sd:group", "cor" (all correlation matrices) or "cor:group".
        Texts: "normal(0, 2.5)", "t(3, 0, 2.5)", "cauchy(0, 2.5)", "gamma(2, 0.1)", "lkj(2)", "beta(1, 1)". A coefficient named on its own keeps its
        own prior and not the one of "b".
    inputs : GlmmInput

    Raises
    ------
    ModelError
        An unknown target or density, or parameters outside their range.
    """
    pairs = list(_pairs(priors))
    if inputs.flat:
        raise ModelError("priors need maximum likelihood; leave reml out.")
    named = {t for target, _ in pairs if target not in ("b",) for t in _coefficients(inputs, target)}
    out: list[Item] = []
    for target, text in pairs:
        kind, numbers = _density(target, text)
        if kind in ("gamma", "lkj"):
            out += _term_items(inputs, target, kind, numbers)
            continue
        at = _coefficients(inputs, target)
        if target == "b":
            at = [i for i in at if i not in named]
        elif not at:
            known = ["b", "sd", "cor", *inputs.names]
            raise ModelError(f"priors: no coefficient '{target}'.{did_you_mean(target, known)}")
        if target in ("sd", "cor") or target.startswith(("sd:", "cor:")):
            raise ModelError(f"priors: '{kind}' is for {_FOR[kind]}, not for '{target}'.")
        a, b, c = (1.0, numbers[0], numbers[1]) if kind == "cauchy" else (*numbers, 1.0)[:3]
        out += [("t" if kind == "cauchy" else kind, i, -1, a, b, c) for i in at]
    return out


def _pairs(priors: Any) -> Iterator[tuple[str, str]]:
    entries: Iterable[Any]
    if isinstance(priors, Mapping):
        entries = priors.items()
    elif isinstance(priors, (list, tuple)):
        entries = priors
    else:
        raise ModelError(
            "priors takes a dict such as {'b': 'normal(0, 2.5)', 'sd': 'gamma(2, 0.1)'}, or a list of such pairs."
        )
    for entry in entries:
        if isinstance(entry, Mapping):
            yield from _pairs(entry)
        elif isinstance(entry, tuple) and len(entry) == 2 and all(isinstance(e, str) for e in entry):
            yield entry[0], entry[1]
        else:
            raise ModelError(
                f"priors: {entry!r} is not a pair of a target and a density such as ('b', 'normal(0, 2.5)')."
            )


def _density(target: str, text: str) -> tuple[str, tuple[float, ...]]:
    match = _CALL.match(text)
    if match is None:
        raise ModelError(f"priors: {text!r} for '{target}' is not a density such as 'normal(0, 2.5)'.")
    kind = match.group(1)
    if kind not in _ARGUMENTS:
        raise ModelError(f"priors: unknown density '{kind}' for '{target}'.{did_you_mean(kind, _ARGUMENTS)}")
    numbers = tuple(float(v) for v in match.group(2).split(","))
    wanted = _ARGUMENTS[kind]
    if len(numbers) != len(wanted):
        raise ModelError(
            f"priors: {kind}({', '.join(wanted)}) takes {len(wanted)} numbers, {len(numbers)} were given for '{target}'."
        )
    for name, value in zip(wanted, numbers):
        if name not in ("mean", "centre") and not value > 0:
            raise ModelError(f"priors: {name} of {kind} for '{target}' must be positive, not {value:g}.")
    return kind, numbers


def _coefficients(inputs: GlmmInput, target: str) -> list[int]:
    component, _, rest = target.partition(":")
    pairs = list(enumerate(zip(inputs.names, inputs.blocks)))
    if target == "b":
        return [i for i, (name, block) in pairs if block == "fixed:cond" and name != "(Intercept)"]
    if target == "zi":
        return [i for i, (name, block) in pairs if block == "fixed:zi" and name == "(Intercept)"]
    if component in ("b", "zi", "disp") and rest:
        block_of = {"b": "fixed:cond", "zi": "fixed:zi", "disp": "fixed:disp"}[component]
        found = [i for i, (name, block) in pairs if block == block_of and name == rest]
        if found:
            return found
    return [i for i, (name, block) in pairs if block == "fixed:cond" and name == target]


def _term_items(inputs: GlmmInput, target: str, kind: str, numbers: tuple[float, ...]) -> list[Item]:
    word = "sd" if kind == "gamma" else "cor"
    head, _, group = target.partition(":")
    if head != word:
        raise ModelError(f"priors: '{kind}' is for {_FOR[kind]}, not for '{target}'.")
    terms = [(t, term) for t, (_, term) in enumerate(inputs.terms) if group in ("", term.group)]
    if not terms:
        known = [f"{word}:{term.group}" for _, term in inputs.terms]
        raise ModelError(f"priors: no random term matches '{target}'.{did_you_mean(target, known)}")
    if kind == "lkj":
        return [("lkj", t, -1, numbers[0], 1.0, 1.0) for t, term in terms if term.k > 1 and term.structure == "us"]
    return [("gamma", t, j, numbers[0], numbers[1], 1.0) for t, term in terms for j in range(term.k)]
