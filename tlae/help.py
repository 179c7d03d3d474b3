"""What `tlae <command> --help` prints: every setting with its default, meaning and unit."""

import ast
import importlib.util
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf

from tlae.command_line import GROUPS, CommandLine
from tlae.compose import compose, configs_dir, hydra_ready
from tlae.schema import FROM_FOOTAGE, meanings, net_meanings
from tlae.setting_types import INTERNAL, choices_of, settings_class

INDENT, COLUMN, WIDTH = 2, 34, 100
# What users of a command with many settings need; the others are shown by `--help all`.
FIRST = {
    "train": (
        *("footage.path", "name", "footage.mask", "footage.every", "footage.interval_s"),
        *("footage.exclude", "footage.size_hw", "footage.holdout", "trainer.max_epochs"),
        *("scoring.false_alarm_rate", "scoring.alarms_per_day", "scoring.causal"),
        *("paths.checkpoints", "paths.cache", "seed", "overwrite"),
    ),
    "score": (
        *("model_file", "footage.path", "name", "footage.every", "footage.start", "footage.end"),
        *("footage.hours", "footage.interval_s", "footage.exclude", "scoring.false_alarm_rate"),
        *("scoring.alarms_per_day", "scoring.threshold", "device", "paths.scores", "paths.cache"),
        "overwrite",
    ),
    "watch": (
        *("model_file", "camera.path", "out", "name", "camera.interval_s", "camera.stalled_s"),
        *("camera.backlog", "camera.fast", "camera.stop_idle_s", "scoring.false_alarm_rate"),
        *("scoring.alarms_per_day", "scoring.threshold", "events.min_duration_s"),
        *(
            "events.cooldown_s",
            "webhook.url",
            "webhook.secret_file",
            "command.run",
            "mqtt.host",
            "dry_run",
        ),
        *("keep.days", "log", "device"),
    ),
    "benchmark": (
        *("footage.path", "name", "train_split", "test_split", "labels", "out", "planted"),
        *("trainer.max_epochs", "seed", "paths.cache", "overwrite"),
    ),
    "describe": (
        *("images", "out", "descriptor", "name", "weights", "model_file", "tiles", "from_file"),
        *("ids", "device", "overwrite"),
    ),
    "novelty fit": (
        *("images", "descriptors", "descriptor", "method", "name", "false_alarm_rate"),
        *("unfiltered", "paths.checkpoints", "seed"),
    ),
    "filter fit": (
        *("good", "bad", "descriptor", "method", "quadrants", "name", "false_alarm_rate"),
        *("paths.checkpoints", "seed"),
    ),
}


def help_text(request: CommandLine, module: str) -> str:
    """Docstring of the command, its groups with their choices, its settings with defaults."""
    spec = importlib.util.find_spec(module)  # read, not imported: that would bring torch
    assert spec is not None
    assert spec.origin is not None
    doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    cfg = compose(request)
    with hydra_ready(request):
        lines = [
            f"  {group}: {', '.join(choices_of(group))}"
            for group in GROUPS
            if group in _own_groups(request)
            or (group == "experiment" and request.command in ("train", "benchmark"))
        ]
    choices = "\n\nchoices (group=name):\n" + "\n".join(lines) if lines else ""
    settings = settings_lines(request.command, cfg, every=request.help == "all")
    return "\n".join([f"{doc}{choices}", "", *settings])


def _own_groups(request: CommandLine) -> set[str]:
    """Groups of which the command takes a choice."""
    path = configs_dir() / f"{request.config_name}.yaml"
    if not path.is_file():
        return set()
    file = OmegaConf.to_container(OmegaConf.load(path))
    defaults = file.get("defaults", []) if isinstance(file, dict) else []
    return {
        str(key).split()[-1] for entry in defaults if not isinstance(entry, str) for key in entry
    }


def settings_lines(command: str, cfg: DictConfig, *, every: bool) -> list[str]:
    """One entry per setting.

    Args:
        command: as typed, such as "novelty fit".
        cfg: its settings.
        every: False: the first few of a command with many.
    """
    known = dict(settings_of_command(command, cfg))
    first = FIRST.get(command)
    shown = known if every or first is None else {key: known[key] for key in first if key in known}
    lines = ["settings (key=value; ??? must be given):", ""]
    lines += [
        line for key, (value, meaning) in shown.items() for line in _entry(key, value, meaning)
    ]
    if len(shown) < len(known):
        lines += ["", f"{len(known) - len(shown)} more: tlae {command} --help all"]
    return lines


def settings_of_command(command: str, cfg: DictConfig) -> Iterator[tuple[str, tuple[str, str]]]:
    """Key, and its default and meaning, of each setting in order."""
    kind = settings_class(command)
    for key, value in _leaves(cfg):
        if key not in INTERNAL:
            yield key, (_shown(value), meaning_of(kind, key, cfg))


def meaning_of(kind: type, key: str, cfg: DictConfig) -> str:
    """What a setting means; empty where nothing says it."""
    if key.startswith("trainer."):
        return "argument of Lightning's Trainer."
    if key.startswith("model.") and "_target_" in cfg.model:
        if (argument := key.removeprefix("model.")) in FROM_FOOTAGE:
            return f"as {FROM_FOOTAGE[argument]}."
        module, _, name = str(cfg.model._target_).rpartition(".")
        found = net_meanings(module.rpartition(".")[2], name)
        return _in_words(found.get(argument, ""))
    *outer, last = key.split(".")
    for part in outer:
        kind = get_type_hints(kind)[part]
        if not is_dataclass(kind):
            return ""
    meaning = _in_words(meanings(kind).get(last, ""))
    if by := getattr(kind, "explained_by", None):  # a rule whose settings may be left open
        defaults = {one.name: one.default for one in fields(by)}
        if last in defaults:
            meaning += f" Null: as the model was made; in training {_shown(defaults[last])}."
    return meaning


def _in_words(meaning: str) -> str:
    """Values as they are typed."""
    plain = meaning.replace("``", "").replace("None:", "null:").replace('"', "")
    return plain.replace("False", "false").replace("True", "true")


def _leaves(cfg: DictConfig, before: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every setting; references stay as they are."""
    plain: Any = OmegaConf.to_container(cfg, resolve=False)
    for name in map(str, cfg):
        if isinstance(plain[name], dict):
            yield from _leaves(cfg[name], f"{before}{name}.")
        else:
            yield f"{before}{name}", plain[name]


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_shown, value))}]"
    return str(value)


def _entry(key: str, value: str, meaning: str) -> list[str]:
    """A setting and its default, its meaning in a column of its own."""
    head = f"{' ' * INDENT}{key}={value}"
    lines = textwrap.wrap(meaning, WIDTH - COLUMN) or [""]
    if len(head) >= COLUMN:
        return [head, *(" " * COLUMN + line for line in lines)]
    return [f"{head:<{COLUMN}}{lines[0]}", *(" " * COLUMN + line for line in lines[1:])]
