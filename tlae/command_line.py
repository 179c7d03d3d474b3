"""The words of a command line: flags, and settings as ``key=value``."""

from dataclasses import dataclass, field
from pathlib import Path

from tlae.errors import UserError, nearest
from tlae.setting_types import type_of

GROUPS = ("model", "scoring", "experiment")
# Commands in which `footage=...` sets `footage.path`, or `camera=...` sets `camera.path`:
WITH_PATH = dict.fromkeys(
    ("train", "score", "fleet", "calibrate", "export", "benchmark", "plant", "mask"), "footage"
) | {"watch": "camera", "serve": "explore"}


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
    _refuse_repeats(request)
    return request


def _refuse_repeats(request: CommandLine) -> None:
    """Refuse a setting that is given twice: one of its values would be without effect.

    Raises:
        UserError: a key stands in two words, or in short and in full.
    """
    given: dict[str, str] = {}
    for word in request.overrides:
        key = full_pair(request, word)[0].lstrip("+")
        if key in given:
            raise UserError(
                f"{key.removesuffix('.path')} must be given once, got {given[key]!r} and {word!r}"
            )
        given[key] = word


def as_word(value: object) -> str:
    """A Python value as the command line would write it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_word, value))}]"
    return str(value)


def full_pair(request: CommandLine, word: str) -> tuple[str, str]:
    """Key, in full, and value of a word; a word without a value has an empty one."""
    key, sign, value = word.partition("=")
    if not sign:
        return word, ""
    if key == WITH_PATH.get(request.command):
        key = f"{key}.path"
    return key, value


def hydra_word(request: CommandLine, key: str, value: str) -> str:
    """A word as Hydra wants it."""
    if key.startswith("trainer.") and type_of(request.command, "trainer") is not None:
        return f"++{key}={value}"  # any argument of Lightning's Trainer
    return f"{key}={value}"
