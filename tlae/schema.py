"""Settings from dataclasses: their meanings, the schema that Hydra checks, and back again.

A dataclass is the one home of its settings: names, types and defaults are its fields, meanings
stand in the section ``Attributes`` of its docstring, and ranges in its ``__post_init__``.
"""

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Mapping
from dataclasses import MISSING as REQUIRED
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from omegaconf import II

Settings = TypeVar("Settings")

# Arguments of nets that follow the footage, and the setting that they follow.
FROM_FOOTAGE = {
    "channels": "footage.channels",
    "window_frames": "footage.window_frames",
    "size_hw": "footage.size_hw",
    "stride": "footage.strides[0]",
}
MODELS = Path(__file__).parent / "models"


@dataclass
class NetSettings:
    """A net: the class to build, and its arguments.

    Attributes:
        _target_: class of the net.
    """

    _target_: str


def meanings(kind: type) -> dict[str, str]:
    """What each setting of a dataclass means, in the order of its fields.

    A base class explains what it brings; one without an explanation is missing.
    """
    found: dict[str, str] = {}
    by = getattr(kind, "explained_by", None)
    for base in (*reversed(kind.__mro__), *([by] if by else [])):
        found |= explained(base.__doc__ or "", "Attributes")
    names = [one.name for one in fields(kind)]
    return {name: found[name] for name in names if name in found}


def explained(doc: str, section: str) -> dict[str, str]:
    """Entries of a section of a docstring: name and text, each on one line."""
    lines = inspect.cleandoc(doc).splitlines()
    if f"{section}:" not in lines:
        return {}
    after = lines[lines.index(f"{section}:") + 1 :]
    end = next((n for n, line in enumerate(after) if line and not line.startswith(" ")), len(after))
    entries: dict[str, str] = {}
    for line in textwrap.dedent("\n".join(after[:end])).splitlines():
        begun = re.match(r"([\w, ]+): (.*)", line)
        if begun and not line.startswith(" "):
            last = begun[1].split(", ")
            entries |= dict.fromkeys(last, begun[2])
        elif line.strip() and entries:
            text = f"{entries[last[0]]} {line.strip()}"
            entries |= dict.fromkeys(last, text)
    return entries


@cache
def schema_of(kind: type) -> type:
    """A dataclass with the same fields that OmegaConf can merge into.

    It is neither frozen (OmegaConf would refuse to change it) nor does it check values.
    """
    hints = get_type_hints(kind)
    return make_dataclass(
        kind.__name__, [(one.name, *_in_schema(hints[one.name], one)) for one in fields(kind)]
    )


def _in_schema(hint: Any, one: Any) -> tuple[Any, Any]:
    """Type and field of a setting in a schema."""
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return schema_of(hint), field(default_factory=schema_of(hint))
    if one.default_factory is not REQUIRED:
        return hint, field(default_factory=one.default_factory)
    if Ellipsis in get_args(hint):  # a tuple of any length
        return list[get_args(hint)[0]], field(default_factory=lambda: list(one.default))  # type: ignore[misc]
    return hint, field(default=one.default)


def build(kind: type[Settings], values: Mapping[str, Any]) -> Settings:
    """A dataclass from the plain values of its schema; checks them.

    Raises:
        ValueError: a value breaks a rule.
    """
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in values.items()})


def part_of(settings: Any, kind: type[Settings]) -> Settings:
    """The part of some settings that is a dataclass of its own, whose fields they have all."""
    return kind(**{one.name: getattr(settings, one.name) for one in fields(kind)})  # type: ignore[arg-type]


@cache
def net_schema(module: str, name: str) -> type:
    """Arguments of a net, read from its source: importing it would bring torch.

    Args:
        module: of ``tlae.models``.
        name: of the class.
    """
    _, arguments = _constructor(module, name)
    parts: list[Any] = [("_target_", str, field(default=f"tlae.models.{module}.{name}"))]
    for argument, default in arguments:
        assert argument.annotation is not None
        kind = _plain_type(ast.unparse(argument.annotation), argument.arg)
        value = ast.literal_eval(default)
        if argument.arg in FROM_FOOTAGE:
            parts.append((argument.arg, kind, field(default=II(FROM_FOOTAGE[argument.arg]))))
        elif isinstance(value, tuple):
            parts.append((argument.arg, kind, field(default_factory=partial(list, value))))
        else:
            parts.append((argument.arg, kind, field(default=value)))
    return make_dataclass(name, parts, bases=(NetSettings,))


def net_meanings(module: str, name: str) -> dict[str, str]:
    """What the arguments of a net mean."""
    node, _ = _constructor(module, name)
    return explained(ast.get_docstring(node, clean=False) or "", "Args")


def _constructor(module: str, name: str) -> tuple[ast.ClassDef, list[tuple[ast.arg, ast.expr]]]:
    """Class of a net, and the arguments of its constructor with their defaults."""
    tree = ast.parse((MODELS / f"{module}.py").read_text(encoding="utf-8"))
    (node,) = [one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == name]
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            return node, list(zip(one.args.args[1:], one.args.defaults, strict=True))
    return node, []


def _plain_type(annotation: str, argument: str) -> Any:
    if argument == "size_hw":
        return tuple[int, int]
    known = {"int": int, "float": float, "bool": bool, "str": str, "Sequence[int]": list[int]}
    return known[annotation]


def _value(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        others = [one for one in get_args(hint) if one is not type(None)]
        return value if value is None or len(others) != 1 else _value(others[0], value)
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value)
    if get_origin(hint) is tuple and value is not None:
        return tuple(value)
    return value
