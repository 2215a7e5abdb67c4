"""Designs of new rows for a prediction request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tanada.design.matrices import ComponentDesign
from tanada.design.spec import DesignSpec, Rebuilt
from tanada.engine.fit import MixedFit
from tanada.frame import Frame, read_frame
from tanada.post.prediction import Request

UNKNOWN_GROUP = "(a group that was not in the fit)"


def rebuilt_rows(fit: MixedFit, spec: DesignSpec, frame: Frame, request: Request, new_levels: str, offset: Any) -> Rebuilt:
    """Matrices of the new rows, with the columns that have coefficients in the fit.

    A prediction interval needs the random-effects columns of all terms, to add the variance of effects not conditioned on; grouping
    columns that the new data lack then stand for new groups.
    """
    if request.interval != "prediction":
        built = spec.rebuild(frame, new_levels=new_levels, random=request.groups if request.groups else False, offset=offset)
        return replace(built, components=tuple(aligned(a, b) for a, b in zip(built.components, fit.data.components)))
    needed = [v for c in spec.components for v in spec.parsed(c.name).group_variables()]
    wanted = {v for c in spec.components for r in spec.parsed(c.name).random if r.group_label in request.groups for v in r_variables(r)}
    absent = [v for v in dict.fromkeys(needed) if v not in frame and v not in wanted]
    if absent:
        known = {name: frame.column(name).labels() for name in spec.predictors() if name in frame}
        known |= {v: np.full(frame.n, UNKNOWN_GROUP, dtype=object) for v in absent}
        frame = read_frame(known)
    built = spec.rebuild(frame, new_levels="population" if absent else new_levels, random=True, offset=offset)
    return replace(built, components=tuple(aligned(a, b) for a, b in zip(built.components, fit.data.components)))


def aligned(new: ComponentDesign, fitted: ComponentDesign) -> ComponentDesign:
    """The columns of the fit (an ordinal model has thresholds in place of the intercept)."""
    if new.names == fitted.names:
        return new
    return replace(new, X=np.ascontiguousarray(new.X[:, [new.names.index(n) for n in fitted.names]]), names=fitted.names)


def r_variables(term: Any) -> list[str]:
    """Columns of a random term's grouping factor."""
    from tanada.formula.nodes import variables

    return [v for n in term.group for v in variables(n)]
