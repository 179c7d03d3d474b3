"""What kind of value a setting takes: read from the dataclasses, for parsing and for messages."""

import re
import types
from dataclasses import is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from tlae.config import SCHEMAS

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
WORDS[dict] = "settings with names of their own"


@cache
def type_of(command: str, key: str) -> Any:
    """Type of the setting of a command; None for one that is not in its dataclass.

    Args:
        command: as typed, such as "novelty fit".
        key: dotted, such as "footage.interval_s".
    """
    found: Any = SCHEMAS.get(f"{command.replace(' ', '_')}_schema")
    for part in key.split("."):
        if not is_dataclass(found):
            return None
        found = get_type_hints(found).get(part)
    return found


def is_text(command: str, key: str) -> bool:
    """Whether the setting is text, which is taken as it is: no sign in it has a meaning."""
    return _plain(type_of(command, key)) is str


def describe(kind: Any) -> str:
    """Values of a type, in words."""
    plain = _plain(kind)
    nothing = " or null" if plain is not kind else ""
    if get_origin(plain) is tuple:
        items = [WORDS.get(item, "a value") for item in get_args(plain)]
        return f"{len(items)} values in brackets without spaces, each {items[0]}{nothing}"
    if get_origin(plain) is list:
        return f"values in brackets without spaces, each {WORDS[get_args(plain)[0]]}{nothing}"
    return WORDS.get(get_origin(plain) or plain, "another kind of value") + nothing


def as_literal(text: str) -> str:
    """Text as OmegaConf keeps it: what looks like a reference stays text."""
    return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", text)


def _plain(kind: Any) -> Any:
    """The type without its None."""
    if get_origin(kind) in (Union, types.UnionType):
        others = [part for part in get_args(kind) if part is not type(None)]
        return others[0] if len(others) == 1 else kind
    return kind
