"""Confidence intervals by method; a method is one function registered here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tanada.errors import ModelError, did_you_mean
from tanada.inference.components import variance_parts
from tanada.inference.ddf import FixedTests
from tanada.inference.wald import fixed_table
from tanada.inference.workspace import Workspace

Rows = list[tuple[str, float, float]]
Method = Callable[..., Rows]

METHODS: dict[str, Method] = {}
LATER = {"profile": "tanada.inference.profile"}  # loaded when first asked for


def register(name: str) -> Callable[[Method], Method]:
    """Decorator that makes a function available as `confint(method=name)`."""

    def keep(function: Method) -> Method:
        METHODS[name] = function
        return function

    return keep


@register("wald")
def wald(work: Workspace, tests: FixedTests, level: float, parm: Sequence[str] | None = None, **_: Any) -> Rows:
    """Variance parameters (log and Fisher z scales), then fixed effects with the t or z quantiles of `tests`."""
    rows = [(p.name, p.conf_low, p.conf_high) for p in variance_parts(work, level)]
    table = fixed_table(work, tests, level)
    many = len(work.fit.data.components) > 1
    for component, term, low, high in zip(table["component"], table["term"], table["conf_low"], table["conf_high"]):
        rows.append((f"{component}|{term}" if many and component != "cond" else str(term), float(low), float(high)))
    return rows


def select(rows: Rows, parm: str | Sequence[str] | None) -> Rows:
    """The rows asked for: by name, or all of "fixed" or "variance" parameters.

    Raises
    ------
    ModelError
        When a name is unknown.
    """
    if parm is None:
        return rows
    wanted = [parm] if isinstance(parm, str) else list(parm)
    names = [r[0] for r in rows]
    out: Rows = []
    for w in wanted:
        if w in names:
            out += [r for r in rows if r[0] == w]
        elif w in ("fixed", "variance"):
            out += [r for r in rows if is_variance(r[0]) == (w == "variance")]
        else:
            raise ModelError(f"confint: there is no parameter '{w}'.{did_you_mean(w, names)}")
    return out


def is_variance(name: str) -> bool:
    """Whether a name in a confint table is that of a standard deviation or correlation."""
    tail = name.split("|", 1)[-1] if name.startswith(("zi|", "disp|")) else name
    return tail in ("sigma", "dispersion") or tail.startswith(("sd(", "cor("))


def interval_table(rows: Rows) -> dict[str, Any]:
    """term, conf_low, conf_high."""
    return {
        "term": np.array([r[0] for r in rows], dtype=object),
        "conf_low": np.array([r[1] for r in rows], float),
        "conf_high": np.array([r[2] for r in rows], float),
    }


def method(name: str) -> Method:
    """The interval method called `name`."""
    if name in LATER:
        import_module(LATER[name])
    found = METHODS.get(name)
    if found is None:
        raise ModelError(f"confint: method = {name!r} is not known.{did_you_mean(str(name), sorted({*METHODS, *LATER}))}")
    return found
