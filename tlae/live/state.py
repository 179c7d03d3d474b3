"""What a ``Live`` remembers as bytes, and back: ``.safetensors`` with JSON beside the arrays."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError

from tlae.scoring.stretch import Moment
from tlae.tensor_file import METADATA_KEY, SAVERS, UNFIT

ARRAY, WHEN, MOMENT = "array", "when", "moment"  # names of what JSON does not hold itself

Array = npt.NDArray[Any]


def pack(facts: Mapping[str, Any], tensors: Mapping[str, Any], framework: str = "pt") -> bytes:
    """Facts and tensors in one piece.

    Args:
        facts: plain values, wall-clock times, arrays and ``Moment``s, in mappings of any depth.
        tensors: by name.
        framework: "np" for arrays, "pt" for tensors of torch.
    """
    arrays: dict[str, Array] = {}
    text = json.dumps(_plain(facts, arrays))
    held: dict[str, Any] = dict(arrays)
    if framework == "pt":
        import torch

        held = {name: torch.from_numpy(array) for name, array in arrays.items()}
    named = {f"t.{name}": _copy(tensor) for name, tensor in tensors.items()}
    packed: bytes = import_module(SAVERS[framework]).save({**named, **held}, {METADATA_KEY: text})
    return packed


def unpack(state: bytes, framework: str = "pt") -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``pack`` was given.

    Raises:
        ValueError: the bytes are damaged, or something else.
    """
    try:
        tensors = import_module(SAVERS[framework]).load(state)
        header = json.loads(state[8 : 8 + int.from_bytes(state[:8], "little")])
        facts = _back(json.loads(header["__metadata__"][METADATA_KEY]), tensors)
    except (*UNFIT, SafetensorError) as error:
        raise ValueError(f"a state of live scoring must be whole, got: {error}") from error
    return facts, {name[2:]: one for name, one in tensors.items() if name.startswith("t.")}


def _copy(tensor: Any) -> Any:
    return tensor.copy() if isinstance(tensor, np.ndarray) else tensor.clone()


def _plain(value: Any, arrays: dict[str, Array]) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one, arrays) for name, one in value.items()}
    if isinstance(value, datetime):
        return {WHEN: value.isoformat()}
    if isinstance(value, np.ndarray):
        name = f"a.{len(arrays)}"
        arrays[name] = np.ascontiguousarray(value).copy()
        return {ARRAY: name}
    if isinstance(value, Moment):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return {MOMENT: _plain(parts, arrays)}
    return value


def _back(value: Any, tensors: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() == {WHEN}:
        return datetime.fromisoformat(value[WHEN])
    if value.keys() == {ARRAY}:
        return np.asarray(tensors[value[ARRAY]])
    back = {name: _back(one, tensors) for name, one in value.items()}
    if value.keys() == {MOMENT}:
        parts = back[MOMENT]
        return Moment(**parts | {"source_hw": tuple(parts["source_hw"])})
    return back
