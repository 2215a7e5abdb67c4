"""Plain records for saving: dicts, lists, strings, numbers and arrays; nothing that has to be unpickled."""

from __future__ import annotations

from typing import Any

import numpy as np


def pack(value: Any) -> Any:
    """Tuples to lists, NumPy scalars to Python's, dicts with other than text keys to pairs; arrays stay."""
    if isinstance(value, dict):
        if all(isinstance(k, str) for k in value):
            return {k: pack(v) for k, v in value.items()}
        return {"__pairs__": [[pack(k), pack(v)] for k, v in value.items()]}
    if isinstance(value, tuple | list):
        return [pack(v) for v in value]
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def unpack(value: Any) -> Any:
    """The inverse of `pack`, except that tuples come back as lists."""
    if isinstance(value, dict):
        if set(value) == {"__pairs__"}:
            return {unpack(k): unpack(v) for k, v in value["__pairs__"]}
        return {k: unpack(v) for k, v in value.items()}
    if isinstance(value, list):
        return [unpack(v) for v in value]
    return value
