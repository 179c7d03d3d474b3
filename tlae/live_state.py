"""What a ``Live`` remembers as bytes, and back: ``.safetensors`` with JSON beside the tensors."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tlae.scoring.stretch import Moment
from tlae.tensor_file import METADATA_KEY, UNFIT

ARRAY, WHEN, MOMENT = "array", "when", "moment"  # names of what JSON does not hold itself


def pack(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> bytes:
    """Facts and tensors in one piece.

    Args:
        facts: plain values, wall-clock times, arrays and ``Moment``s, in mappings of any depth.
        tensors: by name.
    """
    arrays: dict[str, Tensor] = {}
    text = json.dumps(_plain(facts, arrays))
    named = {f"t.{name}": tensor.clone() for name, tensor in tensors.items()}
    return save({**named, **arrays}, {METADATA_KEY: text})


def unpack(state: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What ``pack`` was given.

    Raises:
        ValueError: the bytes are damaged, or something else.
    """
    try:
        tensors = load(state)
        header = json.loads(state[8 : 8 + int.from_bytes(state[:8], "little")])
        facts = _back(json.loads(header["__metadata__"][METADATA_KEY]), tensors)
    except (*UNFIT, SafetensorError) as error:
        raise ValueError(f"a state of live scoring must be whole, got: {error}") from error
    return facts, {name[2:]: one for name, one in tensors.items() if name.startswith("t.")}


def _plain(value: Any, arrays: dict[str, Tensor]) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one, arrays) for name, one in value.items()}
    if isinstance(value, datetime):
        return {WHEN: value.isoformat()}
    if isinstance(value, np.ndarray):
        name = f"a.{len(arrays)}"
        arrays[name] = torch.from_numpy(np.ascontiguousarray(value).copy())
        return {ARRAY: name}
    if isinstance(value, Moment):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return {MOMENT: _plain(parts, arrays)}
    return value


def _back(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() == {WHEN}:
        return datetime.fromisoformat(value[WHEN])
    if value.keys() == {ARRAY}:
        return tensors[value[ARRAY]].numpy()
    back = {name: _back(one, tensors) for name, one in value.items()}
    if value.keys() == {MOMENT}:
        parts = back[MOMENT]
        return Moment(**parts | {"source_hw": tuple(parts["source_hw"])})
    return back
