"""Saved models: a zip of one JSON record and NumPy arrays (no pickle).

The file holds the call, the design specification, the model's variables on the rows used, and the estimates. The likelihood itself is rebuilt from
the matrices when inference first asks for it.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column
from tanada.design.build import Design
from tanada.design.matrices import ComponentDesign, ModelData, RandomDesign
from tanada.design.serial import pack, unpack
from tanada.design.spec import DesignSpec
from tanada.engine.fit import MixedFit, Objective, ProfiledObjective, TermEstimate
from tanada.engine.mixed_fit import fit_mixed
from tanada.engine.options import FitOptions
from tanada.engine.verdict import Verdict
from tanada.errors import DataError, ModelError
from tanada.frame import Frame
from tanada.params import ParameterMap
from tanada.results.call import Call
from tanada.results.mixed_result import MixedResult

Array = NDArray[np.float64]
FORMAT = "tanada mixed model 1"


@dataclass(frozen=True)
class RebuiltObjective:
    """The likelihood of a loaded fit: the same model is fitted again when it is first needed."""

    data: ModelData
    options: FitOptions

    @cached_property
    def _objective(self) -> Objective:
        return fit_mixed(self.data, self.options).objective

    def deviance(self, values: Array) -> float:
        return self._objective.deviance(values)

    def gradient(self, values: Array) -> Array:
        return self._objective.gradient(values)

    def refit(self, y: Array, start: Array | None = None) -> MixedFit:
        return self._objective.refit(y, start)

    def profiled(self, values: Array) -> tuple[float, Array]:
        return cast(ProfiledObjective, self._objective).profiled(values)

    def profiled_gradient(self, values: Array) -> Array:
        return cast(ProfiledObjective, self._objective).profiled_gradient(values)

    def theta_deviance(self, theta: Array) -> float:
        return cast(ProfiledObjective, self._objective).theta_deviance(theta)

    def vcov_derivatives(self, values: Array) -> Array:
        return cast(ProfiledObjective, self._objective).vcov_derivatives(values)


def save_mixed(result: MixedResult, path: Any) -> None:
    """Write a fit.

    Raises
    ------
    ModelError
        When an argument of the call cannot be written (a prior object, for example).
    """
    arrays: dict[str, NDArray[Any]] = {}
    record = {
        "format": FORMAT,
        "call": _encode(_call_record(result.call, result.rows), arrays),
        "spec": _encode(result.design.spec.to_dict(), arrays),
        "design": _encode(_design_record(result.design, result.fit.data), arrays),
        "fit": _encode(_fit_record(result.fit), arrays),
    }
    with zipfile.ZipFile(Path(path), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("model.json", json.dumps(record, ensure_ascii=False))
        for name, a in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(a), allow_pickle=False)
            z.writestr(name + ".npy", buffer.getvalue())


def load_mixed(path: Any) -> MixedResult:
    """Read what `save_mixed` wrote."""
    try:
        with zipfile.ZipFile(Path(path)) as z:
            record = json.loads(z.read("model.json"))
            arrays = {
                n[:-4]: np.lib.format.read_array(io.BytesIO(z.read(n)), allow_pickle=False) for n in z.namelist() if n.endswith(".npy")
            }
    except FileNotFoundError:
        raise DataError(f"there is no file '{path}'.") from None
    except (zipfile.BadZipFile, KeyError, ValueError, IsADirectoryError):
        raise DataError(f"'{path}' is not a model saved by tanada.") from None
    if record.get("format") != FORMAT:
        raise DataError(f"'{path}' holds {record.get('format')!r}; this version of tanada reads {FORMAT!r}.")
    call = Call(**_decode(record["call"], arrays))
    design = _read_design(_decode(record["design"], arrays), DesignSpec.from_dict(_decode(record["spec"], arrays)))
    return MixedResult(_read_fit(_decode(record["fit"], arrays), design.model, call), design, call)


def _encode(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """JSON with arrays put aside under numbered names."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return {"__text__": [None if v is None else str(v) for v in value.tolist()]}
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"__array__": name}
    if isinstance(value, dict):
        return {str(k): _encode(v, arrays) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(v, arrays) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise ModelError(f"save: a value of type {type(value).__name__} in the model's arguments cannot be written to a file.")


def _decode(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__array__"}:
            return arrays[value["__array__"]]
        if set(value) == {"__text__"}:
            return np.array(value["__text__"], dtype=object)
        return {k: _decode(v, arrays) for k, v in value.items()}
    if isinstance(value, list):
        return [_decode(v, arrays) for v in value]
    return value


def _call_record(call: Call, rows: NDArray[np.intp]) -> dict[str, Any]:
    """Arguments; arrays by row are kept for the rows used, as the data are."""
    out = {k: getattr(call, k) for k in Call.__dataclass_fields__}
    for k in ("weights", "offset"):
        if out[k] is not None and not isinstance(out[k], str):
            out[k] = np.asarray(out[k], float)[rows]
    out["priors"] = None if call.priors is None else pack(call.priors)
    return out


def _design_record(design: Design, m: ModelData) -> dict[str, Any]:
    return {
        "y": m.y,
        "weights": m.weights,
        "trials": m.trials,
        "response": m.response,
        "response_levels": list(m.response_levels),
        "components": [_component_record(c) for c in m.components],
        "rows": design.rows,
        "n_input": design.n_input,
        "dropped": design.dropped,
        "notes": list(design.notes),
        "library": design.frame.library,
        "columns": [{"name": c.name, "kind": c.kind, "values": c.values, "levels": c.levels, "ordered": c.ordered, "missing": c.missing} for c in design.columns.values()],
    }


def _component_record(c: ComponentDesign) -> dict[str, Any]:
    out = {k: getattr(c, k) for k in ("name", "X", "names", "offset", "aliased", "term_of_column", "terms")}
    out["random"] = [{k: getattr(r, k) for k in RandomDesign.__dataclass_fields__} | {"options": pack(r.options)} for r in c.random]
    return out


def _read_design(record: dict[str, Any], spec: DesignSpec) -> Design:
    components = tuple(_read_component(c) for c in record["components"])
    model = ModelData(record["y"], record["weights"], record["trials"], components, record["response"], tuple(record["response_levels"]))
    columns = {c["name"]: Column(**{**c, "levels": None if c["levels"] is None else tuple(c["levels"])}) for c in record["columns"]}
    data = {name: c.labels() for name, c in columns.items()}
    frame = Frame(data, record["library"] if record["library"] == "polars" else "dict", data, data, len(record["rows"]))
    frame._columns.update(columns)
    return Design(spec, model, frame, record["rows"], record["n_input"], record["dropped"], tuple(record["notes"]), columns)


def _read_component(record: dict[str, Any]) -> ComponentDesign:
    random = tuple(
        RandomDesign(**{**r, "names": tuple(r["names"]), "levels": tuple(r["levels"]), "options": unpack(r["options"])})
        for r in record["random"]
    )
    text = {k: tuple(record[k]) for k in ("names", "aliased", "term_of_column", "terms")}
    return ComponentDesign(record["name"], record["X"], offset=record["offset"], random=random, **text)


def _fit_record(fit: MixedFit) -> dict[str, Any]:
    p = fit.params
    return {
        **{k: getattr(fit, k) for k in ("family", "link", "reml", "method", "values", "beta", "vcov_beta", "sigma", "loglik")},
        "params": {k: getattr(p, k) for k in ("names", "blocks", "start", "lower", "upper", "transforms")},
        "terms": [{k: getattr(t, k) for k in TermEstimate.__dataclass_fields__} for t in fit.terms],
        "known_eta": np.asarray(fit.eta),
        "known_fitted": np.asarray(fit.fitted),
        "verdict": asdict(fit.verdict),
        "notes": list(fit.notes),
        "extra": {k: pack(v) for k, v in fit.extra.items()},
    }


def _read_fit(record: dict[str, Any], data: ModelData, call: Call) -> MixedFit:
    p = record.pop("params")
    params = ParameterMap(tuple(p["names"]), tuple(p["blocks"]), p["start"], p["lower"], p["upper"], tuple(p["transforms"]))
    terms = tuple(TermEstimate(**{**t, "names": tuple(t["names"]), "levels": tuple(t["levels"])}) for t in record.pop("terms"))
    v = record.pop("verdict")
    verdict = Verdict(**{**v, "boundary": tuple(v["boundary"])})
    notes = tuple(record.pop("notes"))
    objective = RebuiltObjective(data, call.options())
    return MixedFit(data=data, params=params, terms=terms, verdict=verdict, notes=notes, objective=objective, **record)
