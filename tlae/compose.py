"""From the words of a command line to a configuration, by Hydra's compose API."""

import ast
import importlib.util
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, SCMode, open_dict
from omegaconf.errors import OmegaConfBaseException

from tlae.errors import UserError, nearest, refusing_bad_values
from tlae.help import INTERNAL, settings_lines
from tlae.schema import build
from tlae.setting_types import (
    as_literal,
    describe,
    is_text,
    register_schemas,
    settings_class,
    type_of,
)

GROUPS = ("model", "scoring", "experiment")
# Commands in which `footage=...` sets `footage.path`:
FOOTAGE_IS_A_NODE = ("train", "score", "calibrate", "benchmark", "plant", "mask")


@dataclass
class CommandLine:
    """What the user asked for."""

    command: str
    overrides: list[str] = field(default_factory=list)
    help: str = ""  # "first": what most users need, "all"
    suffix: str = ""  # of the name, in a sweep
    show_config: bool = False
    resolve: bool = False
    multirun: bool = False
    config_dir: str | None = None

    @property
    def config_name(self) -> str:
        """Its file in ``configs/``, without the suffix."""
        return self.command.replace(" ", "_")


def configs_dir() -> Path:
    """``configs/``: inside the package when installed from a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for place in (package / "configs", package.parent / "configs"):
        if (place / "train.yaml").is_file():
            return place
    raise UserError(f"configs/ must lie in or beside {package}, found neither; reinstall tlae")


def parse(command: str, words: list[str]) -> CommandLine:
    """Split flags from overrides."""
    request = CommandLine(command)
    rest = iter(words)
    for word in rest:
        flag, _, value = word.partition("=")
        if flag in ("-h", "--help"):
            request.help = "all" if value == "all" else "first"
        elif word == "all" and request.help:
            request.help = "all"
        elif flag == "--suffix":
            request.suffix = value
        elif flag in ("-c", "--cfg"):
            if (value or next(rest, "")) != "job":
                raise UserError(
                    "--cfg takes the word job: it shows the configuration, runs nothing"
                )
            request.show_config = True
        elif word == "--resolve":
            request.resolve = True
        elif word in ("-m", "--multirun"):
            request.multirun = True
        elif flag in ("-cd", "--config-dir"):
            request.config_dir = value or next(rest, "")
            if not Path(request.config_dir).is_dir():
                raise UserError(f"--config-dir must be a folder, got {request.config_dir!r}")
        elif word.startswith("-") and "=" in word:
            raise UserError(f"settings are written without dashes: {word.lstrip('-')}")
        elif word.startswith("-"):
            flags = ["--help", "--cfg", "--resolve", "--multirun", "--config-dir"]
            raise UserError(f"no such option {word}; {nearest(word, flags)}")
        elif "=" not in word or word.startswith("~"):
            raise UserError(f"settings are written key=value, got {word!r}")
        else:
            request.overrides.append(word)
    return request


def compose(request: CommandLine) -> DictConfig:
    """The configuration of one run."""
    with _hydra(request):
        return _compose(request, request.overrides)


def run_each(request: CommandLine) -> int:
    """`--multirun`: one process for each combination; goes on after a failure."""
    with _hydra(request):
        jobs = list(_combinations(request))
    failed = []
    for number, (overrides, varying) in enumerate(jobs, start=1):
        print(f"[{number}/{len(jobs)}] tlae {request.command} {' '.join(overrides)}", flush=True)  # noqa: T201  the product loop is part of the command line
        if request.show_config:
            overrides += ["--cfg=job"] + ["--resolve"] * request.resolve
        if request.config_dir:
            overrides += [f"--config-dir={request.config_dir}"]
        command = [sys.executable, "-m", "tlae", *request.command.split(), *overrides]
        if subprocess.run(command, check=False).returncode:
            failed.append(varying)
    if failed:
        raise UserError(f"{len(failed)} of {len(jobs)} runs failed: {'; '.join(failed)}")
    return 0


def help_text(request: CommandLine, module: str) -> str:
    """Docstring of the command, its groups with their choices, its settings with defaults."""
    spec = importlib.util.find_spec(module)  # read, not imported: that would bring torch
    assert spec is not None
    assert spec.origin is not None
    doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    with _hydra(request):
        loader = GlobalHydra.instance().config_loader()
        cfg = _compose(request, request.overrides)
        lines = [
            f"  {group}: {', '.join(_options(loader, group))}"
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


def to_yaml(cfg: DictConfig, *, resolve: bool = False) -> str:
    """YAML of a configuration."""
    try:
        return OmegaConf.to_yaml(cfg, resolve=resolve)
    except OmegaConfBaseException as error:
        raise UserError(_one_line(error)) from error


def require_values(cfg: DictConfig) -> None:
    """Refuse a configuration in which a setting without a default was not given."""
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        key = missing[0].removesuffix(".path")
        raise UserError(f"{key}=... must be given; see --help")


def as_word(value: object) -> str:
    """A Python value as the command line would write it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_word, value))}]"
    return str(value)


def settings_of(command: str, cfg: DictConfig) -> Any:
    """The settings as the dataclass of their command, all of them given and within their ranges.

    Raises:
        UserError: one is missing, or breaks a rule.
    """
    require_values(cfg)
    with refusing_bad_values():
        try:
            values: Any = OmegaConf.to_container(
                cfg, resolve=True, structured_config_mode=SCMode.DICT
            )
        except OmegaConfBaseException as error:
            raise UserError(_one_line(error)) from error
        return build(settings_class(command), values)


def _hydra(request: CommandLine) -> initialize_config_dir:
    GlobalHydra.instance().clear()
    register_schemas(request.command, configs_dir())
    return initialize_config_dir(str(configs_dir()), version_base="1.3")


def _compose(request: CommandLine, overrides: list[str]) -> DictConfig:
    pairs = [_pair(request, word) for word in overrides]
    for key, _ in pairs:
        if key[:1] in ("+", "~") or key.partition(".")[0] == "hydra":
            raise UserError(f"{key} is no setting; settings are written key=value")
        if key in INTERNAL:
            raise UserError(f"{key} is no setting: it is set by the program")
    texts = [pair for pair in pairs if is_text(request.command, pair[0])]
    words = [_hydra_word(request, *pair) for pair in pairs if pair not in texts]
    for key, value in pairs:
        if "${" in value and (key, value) not in texts:
            kind = type_of(request.command, key)
            rule = f"must be {describe(kind)}" if kind is not None else "takes no references"
            raise UserError(f"{key} {rule}, got {value!r}")
    if request.config_dir:
        words.append(f"hydra.searchpath=['file://{Path(request.config_dir).resolve()}']")
    try:
        cfg = hydra_compose(request.config_name, words, return_hydra_config=True)
        choices = cfg.hydra.runtime.choices
        with open_dict(cfg):
            del cfg["hydra"]
        if "model_name" in cfg:
            cfg.model_name = choices["model"]
        if request.suffix:
            cfg.suffix = request.suffix
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(_explain(request, overrides, error)) from error
    for key, value in texts:
        _set_text(request, cfg, key, value)
    return cfg


def _set_text(request: CommandLine, cfg: DictConfig, key: str, value: str) -> None:
    """Set a setting that is text to what the user typed, whatever signs it holds."""
    name = key.removesuffix(".path")
    if value == "null":
        if type_of(request.command, key) is str:
            raise UserError(f"{name} must be given, got null; give {name}=...")
        OmegaConf.update(cfg, key, None)
        return
    if "\0" in value:
        raise UserError(f"{name} must not hold a zero byte; give another")
    if not value:
        raise UserError(f"{name} must not be empty; leave it away or give a value")
    known = os.path.expanduser(value)  # noqa: PTH111  leaves ~name alone where nobody is called so
    literal = value if key == "name" or known[:1] != "~" else f"{Path.cwd() / value}"
    OmegaConf.update(cfg, key, as_literal(literal))


def _pair(request: CommandLine, word: str) -> tuple[str, str]:
    """Key, in full, and value of a word; a word without a value has an empty one."""
    key, sign, value = word.partition("=")
    if not sign:
        return word, ""
    if key == "footage" and request.command in FOOTAGE_IS_A_NODE:
        key = "footage.path"
    return key, value


def _hydra_word(request: CommandLine, key: str, value: str) -> str:
    """A word as Hydra wants it."""
    if key.startswith("trainer.") and type_of(request.command, "trainer") is not None:
        return f"++{key}={value}"  # any argument of Lightning's Trainer
    return f"{key}={value}"


def _combinations(request: CommandLine) -> Iterator[tuple[list[str], str]]:
    """Overrides of each run, and what tells it from the others."""
    one_folder = request.command == "benchmark"  # its runs share a folder and know their model
    named = any(word.startswith("name=") for word in request.overrides) and not one_folder
    choices = [_split_sweep(request, word) for word in request.overrides]
    for combination in itertools.product(*choices):
        varying = [w for w, all_ in zip(combination, choices, strict=True) if len(all_) > 1]
        telling = [w for w in varying if named or not w.startswith(("model=", "footage="))]
        suffix = "".join(f"-{_label(request, w)}" for w in telling if not w.startswith("name="))
        extra = [f"--suffix={suffix}"] if suffix else []
        yield [*combination, *extra], " ".join(varying) or "the only run"


def _split_sweep(request: CommandLine, word: str) -> list[str]:
    """`model=cae,stae` -> [`model=cae`, `model=stae`]; Hydra's ranges and choices too."""
    key, _, value = word.partition("=")
    if is_text(request.command, _pair(request, word)[0]):
        return [f"{key}={one}" for one in value.split(",")]
    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException as error:
        raise UserError(f"{word}: {_one_line(error)}") from error
    if not override.is_sweep_override():
        return [word]
    return [f"{key}={one}" for one in override.sweep_string_iterator()]


def _options(loader: ConfigLoader, group: str) -> list[str]:
    return [name for name in loader.get_group_options(group) if not name.endswith("_schema")]


def _label(request: CommandLine, word: str) -> str:
    """Part of a folder name: `model=cae` -> cae, `seed=1` -> seed1, paths by their last part."""
    key, _, value = word.partition("=")
    short = key.rpartition(".")[2]
    shown = Path(value).name if is_text(request.command, _pair(request, word)[0]) else value
    readable = re.sub(r"[^\w.+-]+", "_", shown).strip("_")
    return readable if key in (*GROUPS, "footage") else f"{short}{readable}"


def _explain(request: CommandLine, overrides: list[str], error: Exception) -> str:
    """Name the word that is wrong and the nearest right one; else what Hydra says, in one line."""
    loader = GlobalHydra.instance().config_loader()
    groups = [w for w in overrides if w.partition("=")[0] in GROUPS]
    for word in groups:
        key, _, value = word.partition("=")
        known = _options(loader, key)
        if value not in known:
            return f"no {key} is called {value!r}; {nearest(value, known)}"
    try:
        known_cfg = hydra_compose(request.config_name, groups)
    except (HydraException, OmegaConfBaseException, ValueError):
        return _one_line(error)
    for word in overrides:
        key, value = _pair(request, word)
        unknown = _unknown_key(known_cfg, key)
        if unknown:
            return unknown
        kind = type_of(request.command, key)
        if kind is None and not _parses(request, key, value):
            return f"{key} cannot be read, got {value!r}; brackets and quotes must be closed"
        if (
            kind is None
            and key.startswith("model.")
            and not _composes(request, [*groups, f"{key}={value}"])
        ):
            return f"{key} must be of another type, got {value!r}; see --help for its default"
        if kind is not None and not _composes(request, [*groups, _hydra_word(request, key, value)]):
            hint = "; numbers are written with a point" if re.fullmatch(r"-?\d+,\d+", value) else ""
            return f"{key} must be {describe(kind)}, got {value!r}{hint}"
    return _one_line(error)


def _parses(request: CommandLine, key: str, value: str) -> bool:
    try:
        OverridesParser.create().parse_override(_hydra_word(request, key, value))
    except HydraException:
        return False
    return True


def _composes(request: CommandLine, words: list[str]) -> bool:
    try:
        hydra_compose(request.config_name, words)
    except (HydraException, OmegaConfBaseException, ValueError):
        return False
    return True


def _unknown_key(cfg: DictConfig, key: str) -> str | None:
    """None if ``key`` is a setting, else one line with the nearest setting."""
    if key in GROUPS or (key.startswith("trainer.") and "trainer" in cfg):
        return None
    node, walked = cfg, ""
    for part in key.split("."):
        names = [str(name) for name in node] if isinstance(node, DictConfig) else []
        if part not in names:
            names = [name for name in names if f"{walked}.{name}".lstrip(".") not in INTERNAL]
            where = f"{walked} has" if walked else "this command has"
            last = key.rpartition(".")[2]
            elsewhere = [known for known in _keys(cfg) if known.rpartition(".")[2] == last]
            if len(elsewhere) == 1:
                return f"this command has no setting {key!r}; did you mean {elsewhere[0]}?"
            return f"{where} no setting {part!r}; {nearest(part, names)}"
        walked = f"{walked}.{part}".lstrip(".")
        node = node._get_node(part)  # type: ignore[assignment]
    return None


def _keys(cfg: DictConfig, prefix: str = "") -> Iterator[str]:
    """All settings, dotted."""
    for name in map(str, cfg):
        node = cfg._get_node(name)
        if isinstance(node, DictConfig) and not node._is_none() and not node._is_missing():
            yield from _keys(node, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _one_line(error: Exception) -> str:
    """Hydra and OmegaConf explain over several lines; the first ones say what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    key = next((line for line in lines if line.startswith("full_key:")), "")
    text = re.sub(r"\s+", " ", lines[0] if lines else type(error).__name__)
    return f"{key.removeprefix('full_key: ')}: {text}" if key else text
