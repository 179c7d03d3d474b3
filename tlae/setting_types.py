"""The settings of each command: their dataclass, its schema for Hydra, the type of each value."""

import importlib
import re
import types
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra

from tlae.cli import COMMANDS
from tlae.schema import net_schema, schema_of

INTERNAL = ("suffix", "model_name", "model._target_")  # set by the program
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
WORDS[dict] = "settings with names of their own"


# Nets by the name of their schema in configs/model/.
NETS = {
    "cae": ("cae", "ConvAutoencoder"),
    "cae_dense": ("cae_dense", "DenseAutoencoder"),
    "stae": ("stae", "StackedAutoencoder"),
    "convlstm": ("convlstm", "ConvLSTMAutoencoder"),
    "predictor": ("predictor", "FramePredictor"),
    "segmenter": ("segmenter", "AnomalySegmenter"),
    "still_segmenter": ("still_segmenter", "StillSegmenter"),
    "copy_last": ("untrained", "CopyLast"),
    "running_median": ("untrained", "RunningMedian"),
    "most_alike": ("most_alike", "MostAlike"),
    "attributes": ("attributes", "Attributes"),
    "joint": ("joint", "Joint"),
    "patch_memory": ("patch_memory", "PatchMemory"),
}


@cache
def settings_class(command: str) -> type:
    """Dataclass of the settings of a command."""
    module, _, name = COMMANDS[command].settings.partition(":")
    kind: type = getattr(importlib.import_module(module), name)
    return kind


@cache
def register_schemas(command: str, configs: Path) -> None:
    """Make known to Hydra what the YAML files of a command build on.

    Args:
        command: as typed.
        configs: folder of the YAML files; a command without one has its schema alone.
    """
    store, name = ConfigStore.instance(), command.replace(" ", "_")
    schema = schema_of(settings_class(command))
    is_alone = not (configs / f"{name}.yaml").is_file()
    store.store(name if is_alone else f"{name}_schema", schema)
    store.store("scoring_schema", schema_of(_scoring()), group="scoring")
    for net, (module, kind) in NETS.items():
        store.store(f"{net}_schema", net_schema(module, kind), group="model")


def choices_of(group: str) -> list[str]:
    """Names that a group takes, where Hydra is ready."""
    loader = GlobalHydra.instance().config_loader()
    return [name for name in loader.get_group_options(group) if not name.endswith("_schema")]


def _scoring() -> type:
    from tlae.config_parts import ScoringConfig

    return ScoringConfig


@cache
def type_of(command: str, key: str) -> Any:
    """Type of the setting of a command; None for one that is not in its dataclass.

    Args:
        command: as typed, such as "novelty fit".
        key: dotted, such as "footage.interval_s".
    """
    found: Any = settings_class(command)
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
