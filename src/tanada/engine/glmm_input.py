"""A generalised linear mixed model in the form the compiled engine takes: linear predictors, coefficients, terms and their names.

The core counts coefficients in one vector (components in order, then thresholds, dispersion, shapes) followed by theta; `MixedFit.values`
has theta before thresholds, dispersion and shapes. `GlmmInput` holds both orders.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.matrices import ModelData, RandomDesign
from tanada.engine import family as families
from tanada.engine.family import FamilyInfo
from tanada.engine.options import FitOptions
from tanada.engine.random_input import core_input
from tanada.errors import ModelError

Array = NDArray[np.float64]

# Stand-in for "no residual variance" (disp = ~ 0 in a Gaussian model): this share of the response's standard deviation
NO_RESIDUAL = 1e-4


@dataclass(frozen=True)
class Predictor:
    """One linear predictor of the family.

    `first` is the position of its coefficients in the core's vector; predictors may share them (ordinal thresholds).
    """

    role: str  # "cond", "disp", "zi", "dispersion", "shape", "threshold"
    X: Array  # (n, p)
    offset: Array  # (n,)
    first: int


@dataclass(frozen=True)
class GlmmInput:
    """What `fit_glmm` hands to the core, and the names of the parameters in the core's order.

    Attributes
    ----------
    names, blocks : tuples, length of beta
        Coefficients in the core's order.
    flat : bool
        The conditional coefficients are integrated out (REML).
    flat_scaling : array (p, p) or None
        With `flat`: beta = flat_scaling @ (the effects of the flat term, whose columns are centred and scaled).
    """

    data: ModelData
    info: FamilyInfo
    zero_inflated: bool
    predictors: tuple[Predictor, ...]
    names: tuple[str, ...]
    blocks: tuple[str, ...]
    terms: tuple[tuple[int, RandomDesign], ...]  # (component number, term)
    flat: bool = False
    flat_scaling: Array | None = None
    flat_design: Array | None = field(default=None, repr=False)

    @property
    def beta_count(self) -> int:
        return len(self.names)

    def predictor_of(self, component: int) -> int:
        """Number of the predictor that belongs to a component."""
        role = self.data.components[component].name
        return next(i for i, p in enumerate(self.predictors) if p.role == role)

    def core_terms(self) -> list[dict[str, Any]]:
        """Terms for the core; the flat term of REML comes last."""
        factors, terms = core_input(self.data.components)
        out = []
        for factor, component, Z, kind, options in terms:
            levels, codes = factors[factor]
            out.append(
                dict(
                    predictor=self.predictor_of(component),
                    codes=codes,
                    levels=levels,
                    Z=Z,
                    kind=kind,
                    flat=False,
                    **options,
                )
            )
        if self.flat_design is not None:
            n = self.data.nobs
            out.append(
                {
                    "predictor": 0,
                    "codes": np.zeros(n, np.int32),
                    "levels": 1,
                    "Z": self.flat_design,
                    "kind": "us",
                    "flat": True,
                }
            )
        return out


def build_input(data: ModelData, options: FitOptions) -> GlmmInput:
    """Check the family against the data and lay out predictors and coefficients.

    Raises
    ------
    ModelError
        A dispersion model for a family without dispersion; REML for a non-Gaussian family.
    DataError
        A response outside the family's support.
    """
    zero_inflated = any(c.name == "zi" for c in data.components)
    info = _family(data, options)
    info.check_response(data.y, data.trials, data.response, zero_inflated)
    if info.ordinal:
        data = _without_intercept(data)
    if any(c.name == "disp" for c in data.components) and not info.dispersion:
        raise ModelError(
            f"Family '{info.name}' has no dispersion parameter, so disp= has nothing to model; leave it out."
        )
    if zero_inflated and info.ordinal:
        raise ModelError("An ordinal model takes no zero-inflation part; leave zi= out.")
    flat = options.reml and info.name == "gaussian"
    if options.reml and not flat:
        raise ModelError(
            f"reml=True is for Gaussian models; family '{info.name}' is fitted by maximum likelihood, so leave it out."
        )
    names: list[str] = []
    blocks: list[str] = []
    first: dict[str, int] = {}
    for c in data.components:
        if flat and c.name == "cond":
            continue
        first[c.name] = len(names)
        names += c.names
        blocks += [f"fixed:{c.name}"] * len(c.names)
    predictors = _predictors(data, info, options, zero_inflated, flat, names, blocks, first)
    terms = tuple((i, t) for i, c in enumerate(data.components) for t in c.random)
    design, scaling = _flat_design(data.components[0].X) if flat else (None, None)
    return GlmmInput(data, info, zero_inflated, predictors, tuple(names), tuple(blocks), terms, flat, scaling, design)


def _family(data: ModelData, options: FitOptions) -> FamilyInfo:
    given = dict(options.family_options)
    if families.get(options.family).ordinal:
        given["categories"] = max(len(data.response_levels), int(data.y.max()) + 1 if data.nobs else 0)
    return families.get(options.family, options.link, given)


def _without_intercept(data: ModelData) -> ModelData:
    """The conditional design of an ordinal model: the thresholds take the place of its intercept."""
    c = data.components[0]
    keep = [j for j, name in enumerate(c.names) if name != "(Intercept)"]
    if len(keep) == len(c.names):
        return data
    term_of = tuple(c.term_of_column[j] for j in keep) if c.term_of_column else ()
    names = tuple(c.names[j] for j in keep)
    cond = replace(c, X=np.ascontiguousarray(c.X[:, keep]), names=names, term_of_column=term_of)
    return replace(data, components=(cond, *data.components[1:]))


def _predictors(
    data: ModelData,
    info: FamilyInfo,
    options: FitOptions,
    zero_inflated: bool,
    flat: bool,
    names: list[str],
    blocks: list[str],
    first: dict[str, int],
) -> tuple[Predictor, ...]:
    n = data.nobs
    cond = data.components[0]
    zeros = np.zeros(n)
    X = np.zeros((n, 0)) if flat else cond.X
    out = [Predictor("cond", _table(X), _column(cond.offset), first.get("cond", 0))]
    if info.ordinal:
        return (*out, *_thresholds(data, options, names, blocks))
    ones = np.ones((n, 1))
    for number, name in enumerate(info.predictors[1:], start=1):
        role = "shape" if not (number == 1 and info.dispersion) else "dispersion"
        modelled = next((c for c in data.components if c.name == "disp"), None) if role == "dispersion" else None
        if modelled is not None:
            offset = modelled.offset
            if modelled.X.shape[1] == 0 and not modelled.random and info.name == "gaussian":
                offset = offset + float(np.log(NO_RESIDUAL * max(float(np.std(data.y)), 1e-300)))
            out.append(Predictor("disp", _table(modelled.X), _column(offset), first["disp"]))
            continue
        out.append(Predictor(role, ones, zeros, len(names)))
        names.append("sigma" if info.name == "gaussian" else name)
        blocks.append("sigma" if info.name == "gaussian" else role)
    if zero_inflated:
        zi = next(c for c in data.components if c.name == "zi")
        out.append(Predictor("zi", _table(zi.X), _column(zi.offset), first["zi"]))
    return tuple(out)


def _thresholds(data: ModelData, options: FitOptions, names: list[str], blocks: list[str]) -> list[Predictor]:
    """Lower and upper threshold of each row's category, linear in the threshold parameters."""
    y = data.y.astype(int)
    count = max(len(data.response_levels), int(y.max()) + 1) - 1
    kind = options.family_options.get("thresholds", "flexible")
    if kind not in ("flexible", "equidistant"):
        raise ModelError(f"thresholds = {kind!r}; it takes 'flexible' or 'equidistant'.")
    levels = data.response_levels or tuple(str(k) for k in range(count + 1))
    first = len(names)
    if kind == "flexible" or count < 3:
        basis = np.eye(count)
        names += [f"{levels[k]}|{levels[k + 1]}" for k in range(count)]
    else:
        basis = np.column_stack([np.ones(count), np.arange(count, dtype=float)])
        names += [f"{levels[0]}|{levels[1]}", "spacing"]
    blocks += ["threshold"] * basis.shape[1]
    lower = basis[np.clip(y - 1, 0, count - 1)] * (y > 0)[:, None]
    upper = basis[np.clip(y, 0, count - 1)] * (y < count)[:, None]
    zeros = np.zeros(data.nobs)
    return [Predictor("threshold", _table(lower), zeros, first), Predictor("threshold", _table(upper), zeros, first)]


def threshold_basis(inputs: GlmmInput, values: Array) -> Array:
    """The thresholds themselves from the threshold parameters."""
    at = [i for i, b in enumerate(inputs.blocks) if b == "threshold"]
    if inputs.names[at[-1]] == "spacing":
        count = max(len(inputs.data.response_levels), int(inputs.data.y.max()) + 1) - 1
        return values[0] + values[1] * np.arange(count)
    return values


def _flat_design(X: Array) -> tuple[Array, Array]:
    """Columns centred (with an intercept) and scaled, and the matrix that takes effects of the scaled columns to those of X."""
    p = X.shape[1]
    spread = np.ptp(X, axis=0) if len(X) else np.zeros(p)
    constant = [j for j in range(p) if spread[j] == 0 and X[0, j] != 0]
    T = np.eye(p)
    out = np.array(X, float)
    for j in range(p):
        if constant and j == constant[0]:
            continue
        centre = float(X[:, j].mean()) if constant else 0.0
        scale = float(np.sqrt(np.mean((X[:, j] - centre) ** 2))) or 1.0
        out[:, j] = (X[:, j] - centre) / scale
        T[j, j] = 1.0 / scale
        if constant:
            T[constant[0], j] = -centre / (scale * X[0, constant[0]])
    return np.ascontiguousarray(out), T


def _table(X: Array) -> Array:
    return np.ascontiguousarray(X, dtype=np.float64)


def _column(x: Array) -> Array:
    return np.ascontiguousarray(x, dtype=np.float64)
