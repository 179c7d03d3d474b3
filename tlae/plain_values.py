"""Plain values of JSON: dataclasses from a file that anybody may have written, and numbers."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")


def from_plain(kind: type[Kind], facts: Any) -> Kind:
    """Build a dataclass, whose fields may be dataclasses, from what JSON holds of it.

    Args:
        kind: dataclass; its fields are bool, int, float, str, None, tuples, dicts or dataclasses.
        facts: its fields by name; those with a default may be missing.

    Raises:
        ValueError: not an object, an unknown or a missing field, or one of another type; floats
            must be finite. Says which.
    """
    if not isinstance(facts, Mapping):
        raise ValueError(f"{kind.__name__} must be an object, got {_short(facts)}")
    hints = get_type_hints(kind)
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := set(facts) - names:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    values = {name: _value(hints[name], value, name) for name, value in facts.items()}
    try:
        return kind(**values)
    except TypeError as error:  # a field without a default is missing
        raise ValueError(f"{kind.__name__}: {error}") from error


def finite_or_none(number: float) -> float | None:
    """A number as JSON can say it: None where it is not known, or infinite."""
    return number if math.isfinite(number) else None


def known_fields(kind: type, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the facts that are fields of a dataclass; later versions may write more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in facts.items() if name in names}


def _value(hint: Any, value: Any, name: str) -> Any:
    if isinstance(hint, UnionType):
        kinds = get_args(hint)
        if value is None and NoneType in kinds:
            return None
        *others, last = (kind for kind in kinds if kind is not NoneType)
        for kind in others:
            with suppress(ValueError):
                return _value(kind, value, name)
        return _value(last, value, name)
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return from_plain(hint, value)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple:
        if not (isinstance(value, list | tuple) and len(value) == len(parts)):
            raise ValueError(f"{name} must be {len(parts)} values, got {_short(value)}")
        pairs = zip(parts, value, strict=True)
        return tuple(_value(part, item, name) for part, item in pairs)
    if origin is dict:
        _require(isinstance(value, dict), name, "an object", value)
        return {key: _value(parts[1], item, f"{name}.{key}") for key, item in value.items()}
    if hint is bool or hint is str:
        _require(isinstance(value, hint), name, hint.__name__, value)
    elif hint is int:
        _require(isinstance(value, int) and not isinstance(value, bool), name, "an integer", value)
    elif hint is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        _require(number and math.isfinite(value), name, "a finite number", value)
    return value


def _require(good: bool, name: str, what: str, value: Any) -> None:
    if not good:
        raise ValueError(f"{name} must be {what}, got {_short(value)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
