"""From the words of a command line to a configuration, by Hydra's compose API."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, SCMode, open_dict
from omegaconf.errors import OmegaConfBaseException

from tlae.command_line import CommandLine, as_word, full_pair, hydra_word, parse
from tlae.errors import UserError, refusing_bad_values
from tlae.refused_settings import one_line, why_refused
from tlae.schema import build
from tlae.setting_types import (
    INTERNAL,
    as_literal,
    describe,
    is_text,
    register_schemas,
    settings_class,
    type_of,
)

_HYDRA = RLock()  # what Hydra knows is global


def configs_dir() -> Path:
    """``configs/``: inside the package when installed from a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for place in (package / "configs", package.parent / "configs"):
        if (place / "train.yaml").is_file():
            return place
    raise UserError(f"configs/ must lie in or beside {package}, found neither; reinstall tlae")


def compose(request: CommandLine) -> DictConfig:
    """The configuration of one run."""
    with hydra_ready(request):
        return _compose(request, request.overrides)


def to_yaml(cfg: DictConfig, *, resolve: bool = False) -> str:
    """YAML of a configuration."""
    try:
        return OmegaConf.to_yaml(cfg, resolve=resolve)
    except OmegaConfBaseException as error:
        raise UserError(one_line(error)) from error


def require_values(cfg: DictConfig) -> None:
    """Refuse a configuration in which a setting without a default was not given."""
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        key = missing[0].removesuffix(".path")
        raise UserError(f"{key}=... must be given; see --help")


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
            raise UserError(one_line(error)) from error
        return build(settings_class(command), values)


def settings_from(
    command: str, arguments: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> Any:
    """Settings of a command from Python values, as its words would give them.

    Args:
        command: its name.
        arguments: settings that are arguments of the function that asks.
        settings: further settings.

    Raises:
        UserError: one is missing, unknown, given twice, or breaks a rule.
    """
    further = {} if settings is None else settings
    if not isinstance(further, Mapping):
        raise UserError(f"settings must be a dict from names to values, got {settings!r}")
    for key in further:
        if str(key).removesuffix(".path") in arguments:
            raise UserError(f"{key} must be given once, got it as an argument and among settings")
    values = {**arguments, **further}
    return settings_of_words(command, [f"{key}={as_word(value)}" for key, value in values.items()])


def settings_of_words(command: str, words: list[str]) -> Any:
    """Settings of a command, as typed.

    Raises:
        UserError: one is missing, unknown, or breaks a rule.
    """
    return settings_of(command, compose(parse(command, words)))


@contextmanager
def hydra_ready(request: CommandLine) -> Iterator[None]:
    """Context in which Hydra knows the settings of a command; other threads wait for its end."""
    with _HYDRA:
        GlobalHydra.instance().clear()
        register_schemas(request.command, configs_dir())
        with initialize_config_dir(str(configs_dir()), version_base="1.3"):
            yield


def _compose(request: CommandLine, overrides: list[str]) -> DictConfig:
    pairs = [full_pair(request, word) for word in overrides]
    for key, _ in pairs:
        if key[:1] in ("+", "~") or key.partition(".")[0] == "hydra":
            raise UserError(f"{key} is no setting; settings are written key=value")
        if key in INTERNAL:
            raise UserError(f"{key} is no setting: it is set by the program")
    texts = [pair for pair in pairs if is_text(request.command, pair[0])]
    words = [hydra_word(request, *pair) for pair in pairs if pair not in texts]
    for key, value in pairs:
        if "${" in value and (key, value) not in texts:
            kind = type_of(request.command, key)
            rule = f"must be {describe(kind)}" if kind is not None else "takes no references"
            raise UserError(f"{key} {rule}, got {value!r}")
    if request.config_dir:
        words.append(f"hydra.searchpath=['file://{Path(request.config_dir).resolve()}']")
    try:
        made = _composed_anew if request.config_dir else _composed
        cfg = deepcopy(made(request.config_name, tuple(words)))
        if request.suffix:
            cfg.suffix = request.suffix
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(why_refused(request, overrides, error)) from error
    for key, value in texts:
        _set_text(request, cfg, key, value)
    return cfg


def _composed_anew(config_name: str, words: tuple[str, ...]) -> DictConfig:
    """What Hydra makes of a file in ``configs/`` and of words, with the name of the net."""
    cfg = hydra_compose(config_name, list(words), return_hydra_config=True)
    choices = cfg.hydra.runtime.choices
    with open_dict(cfg):
        del cfg["hydra"]
    if "model_name" in cfg:
        cfg.model_name = choices["model"]
    return cfg


_composed = lru_cache(maxsize=128)(_composed_anew)  # a call of the library asks it every time


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
        raise UserError(f"{name} must not be empty; leave it out or give a value")
    known = os.path.expanduser(value)  # noqa: PTH111  leaves ~name alone where nobody is called so
    literal = value if key == "name" or known[:1] != "~" else f"{Path.cwd() / value}"
    OmegaConf.update(cfg, key, as_literal(literal))
