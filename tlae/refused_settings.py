"""Why a command line was refused, in one line that names the word and the nearest right one."""

import re
from collections.abc import Iterator

from hydra import compose as hydra_compose
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from tlae.command_line import GROUPS, CommandLine, full_pair, hydra_word
from tlae.errors import nearest
from tlae.setting_types import INTERNAL, choices_of, describe, type_of


def why_refused(request: CommandLine, overrides: list[str], error: Exception) -> str:
    """Name the word that is wrong and the nearest right one; else what Hydra says, in one line."""
    groups = [w for w in overrides if w.partition("=")[0] in GROUPS]
    for word in groups:
        key, _, value = word.partition("=")
        known = choices_of(key)
        if value not in known:
            return f"no {key} is called {value!r}; {nearest(value, known)}"
    try:
        known_cfg = hydra_compose(request.config_name, groups)
    except (HydraException, OmegaConfBaseException, ValueError):
        return one_line(error)
    for word in overrides:
        key, value = full_pair(request, word)
        unknown = _unknown(known_cfg, key)
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
        if kind is not None and not _composes(request, [*groups, hydra_word(request, key, value)]):
            hint = "; numbers are written with a point" if re.fullmatch(r"-?\d+,\d+", value) else ""
            return f"{key} must be {describe(kind)}, got {value!r}{hint}"
    return one_line(error)


def _parses(request: CommandLine, key: str, value: str) -> bool:
    try:
        OverridesParser.create().parse_override(hydra_word(request, key, value))
    except HydraException:
        return False
    return True


def _composes(request: CommandLine, words: list[str]) -> bool:
    try:
        hydra_compose(request.config_name, words)
    except (HydraException, OmegaConfBaseException, ValueError):
        return False
    return True


def _unknown(cfg: DictConfig, key: str) -> str | None:
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


def one_line(error: Exception) -> str:
    """Hydra and OmegaConf explain over several lines; the first ones say what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    key = next((line for line in lines if line.startswith("full_key:")), "")
    text = re.sub(r"\s+", " ", lines[0] if lines else type(error).__name__)
    return f"{key.removeprefix('full_key: ')}: {text}" if key else text
