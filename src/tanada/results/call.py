"""The call behind a fit: arguments checked once, kept to repeat it with changes (`update`) and to show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

from tanada import _core
from tanada.design.build import Design, build_design
from tanada.engine.options import FitOptions
from tanada.errors import FormulaError, ModelError, did_you_mean

CONTROLS = ("max_iterations", "tolerance", "multistart", "threads", "df", "power", "thresholds", "verbose", "known")


@dataclass(frozen=True)
class Call:
    """Arguments of `tn.mixed`, with the family and link in their canonical names."""

    formula: str
    family: str = "gaussian"
    link: str | None = None
    zi: str | None = None
    disp: str | None = None
    reml: bool = False
    weights: Any = None
    offset: Any = None
    nagq: int = 1
    start: Mapping[str, Any] | None = None
    priors: Any = None
    control: Mapping[str, Any] = field(default_factory=dict)
    na: str = "drop"
    contrasts: Mapping[str, Any] = field(default_factory=dict)

    def design(self, data: Any) -> Design:
        """Matrices for the data."""
        return build_design(
            self.formula,
            data,
            family=self.family,
            zi=self.zi,
            disp=self.disp,
            weights=self.weights,
            offset=self.offset,
            na=self.na,
            contrasts=self.contrasts,
            known=self.control.get("known"),
            ordinal=family_entry(self.family)["support"] == "category",
        )

    def options(self) -> FitOptions:
        """What the engine is asked."""
        control = {k: v for k, v in self.control.items() if k != "known"}  # matrices of propto() and equalto() belong to the design
        family_options: dict[str, Any] = {k: control.pop(k) for k in ("df", "power", "thresholds") if k in control}
        start = None if self.start is None else dict(self.start)
        return FitOptions(self.family, self.link, self.reml, self.nagq, start, self.priors, control, family_options)

    def changed(self, **changes: Any) -> Call:
        """The call with other arguments; unknown ones are an error with a suggestion."""
        known = [f.name for f in fields(self)]
        for name in changes:
            if name not in known:
                raise ModelError(f"update: '{name}' is not an argument of mixed.{did_you_mean(name, known)}")
        if "formula" in changes:
            changes["formula"] = updated_formula(self.formula, changes["formula"])
        if "family" in changes and "link" not in changes:
            changes["link"] = None
        return check_call(replace(self, **changes))


@lru_cache(maxsize=1)
def registry() -> dict[str, dict[str, Any]]:
    """Families by name and alias."""
    out = {}
    for entry in _core.family_registry():
        for name in (entry["name"], *entry["aliases"]):
            out[name] = entry
    return out


def family_entry(name: Any) -> dict[str, Any]:
    """The registry's entry for a family.

    Raises
    ------
    ModelError
        With near matches, when there is no such family.
    """
    if not isinstance(name, str):
        raise ModelError(f"family = {name!r}; it takes a name such as 'gaussian', 'binomial' or 'poisson'.")
    found = registry().get(name) or registry().get(name.lower().replace(" ", "_"))
    if found is None:
        raise ModelError(f"family = '{name}' is not known.{did_you_mean(name.lower(), registry())}")
    return found


def check_call(call: Call) -> Call:
    """The call with canonical names, or an error that says what would be accepted."""
    if not isinstance(call.formula, str):
        raise FormulaError(f"formula is {type(call.formula).__name__}; it takes text such as 'y ~ x + (1 | group)'.")
    entry = family_entry(call.family)
    link = call.link
    if link is not None and link not in entry["links"]:
        raise ModelError(f"link = {link!r} is not available for family '{entry['name']}'; it takes {_listed(entry['links'])}.")
    if not isinstance(call.reml, bool):
        raise ModelError(f"reml = {call.reml!r}; it takes True or False.")
    if isinstance(call.nagq, bool) or not isinstance(call.nagq, int) or not 0 <= call.nagq <= 100:
        raise ModelError(f"nagq = {call.nagq!r}; it takes a whole number of quadrature points from 0 to 100 (1 is the Laplace approximation).")
    if call.na not in ("drop", "error"):
        raise ModelError(f"na = {call.na!r}; it takes 'drop' or 'error'.")
    for name in ("control", "start", "contrasts"):
        value = getattr(call, name)
        if value is not None and not isinstance(value, Mapping):
            raise ModelError(f"{name} is {type(value).__name__}; it takes a dict.")
    for key in call.control or {}:
        if key not in CONTROLS:
            raise ModelError(f"control has no setting '{key}'.{did_you_mean(str(key), CONTROLS)}")
    return replace(call, family=entry["name"], link=link, control=dict(call.control or {}), contrasts=dict(call.contrasts or {}))


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{n}'" for n in names)


def updated_formula(old: str, new: str) -> str:
    """`new` with each "." standing for that side of `old`, as R's update(): ". ~ . + x", ". ~ . - x", "log(.) ~ .".

    Terms named after a minus sign are taken out of the right side; random-effects terms too, when written as in the formula.
    """
    if not isinstance(new, str):
        raise FormulaError(f"formula is {type(new).__name__}; it takes text such as '. ~ . + x'.")
    left_old, _, right_old = old.partition("~")
    left, tilde, right = new.partition("~")
    if not tilde:
        raise FormulaError(f"'{new}' has no '~'; write for example '. ~ . + x'.")
    left = _substitute(left, left_old.strip()) or left_old.strip()
    pieces = _signed_terms(right)
    if not any(t == "." for _, t in pieces):
        return f"{left} ~ {right.strip()}"
    kept = [t for s, t in _signed_terms(right_old) if s == "+"]
    removed_before = [t for s, t in _signed_terms(right_old) if s == "-"]
    out: list[str] = []
    for sign, t in pieces:
        if t == ".":
            out += kept
        elif sign == "+":
            out.append(t)
    for sign, t in pieces:
        if sign == "-":
            if _squeeze(t) not in [_squeeze(o) for o in out] and t not in ("1",):
                raise FormulaError(f"update: the formula has no term '{t}' to take out.{did_you_mean(t, out)}")
            out = [o for o in out if _squeeze(o) != _squeeze(t)]
            if t == "1":
                removed_before.append(t)
    return f"{left} ~ " + " + ".join(out or ["1"]) + "".join(f" - {t}" for t in removed_before)


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _substitute(template: str, value: str) -> str:
    """`template` with a lone dot replaced by `value`."""
    import re

    return re.sub(r"(?<![\w.])\.(?![\w.])", value, template).strip()


def _signed_terms(text: str) -> list[tuple[str, str]]:
    """Top-level terms of a sum with their signs; what is in brackets or backticks stays whole."""
    out, depth, sign, current, quoted = [], 0, "+", "", False
    for ch in text:
        quoted = quoted != (ch == "`")
        depth += 0 if quoted else (ch in "([{") - (ch in ")]}")
        if ch in "+-" and depth == 0 and not quoted:
            if current.strip():
                out.append((sign, current.strip()))
            sign, current = ch, ""
        else:
            current += ch
    if current.strip():
        out.append((sign, current.strip()))
    return out
