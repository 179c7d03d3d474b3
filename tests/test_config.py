"""Every YAML composes, every setting has a meaning, and nets are built by their own arguments."""

import importlib
import inspect
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import pytest
from omegaconf import OmegaConf

from tlae import compose
from tlae.cli import COMMANDS, main
from tlae.command_line import parse
from tlae.config_parts import ScoringConfig
from tlae.help import settings_lines, settings_of_command
from tlae.model_file import build_net
from tlae.schema import build, explained, meanings, net_schema, schema_of
from tlae.scoring.rule import ScoringRule
from tlae.setting_types import NETS, settings_class

CONFIGS = compose.configs_dir()
CHOICES = [(g.parent.name, g.stem) for g in sorted(CONFIGS.glob("*/*.yaml"))]
MODELS = [name for group, name in CHOICES if group == "model"]


def composed(command: str, *words: str):  # type: ignore[no-untyped-def]
    return compose.compose(parse(command, list(words)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_composes(command: str) -> None:
    names = {one.name for one in fields(settings_class(command))}
    assert set(composed(command)) == names


def test_threads_compose_at_the_same_time() -> None:
    commands = ("train", "score", "mask") * 4
    with ThreadPoolExecutor(len(commands)) as threads:
        found = list(threads.map(lambda name: composed(name, f"footage={name}"), commands))
    assert [cfg.footage.path for cfg in found] == list(commands)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_composes(group: str, name: str) -> None:
    assert composed("train", "footage=x", f"{group}={name}")


@pytest.mark.parametrize("name", MODELS)
def test_every_model_builds(name: str) -> None:
    cfg = composed("train", "footage=x", f"model={name}")
    build_net(OmegaConf.to_container(cfg.model, resolve=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NETS)
def test_a_net_has_the_arguments_and_defaults_of_its_constructor(name: str) -> None:
    module, kind = NETS[name]
    schema = net_schema(module, kind)()
    net = getattr(importlib.import_module(f"tlae.models.{module}"), kind)
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)  # of torch's Module
    parameters = inspect.signature(net).parameters.items()
    expected = {k: p.default for k, p in parameters if p.kind not in kinds}
    found = {k: v for k, v in vars(schema).items() if k != "_target_"}
    assert list(found) == list(expected)
    for key, value in found.items():
        if not (isinstance(value, str) and value.startswith("${")):  # taken from the footage
            default = expected[key]
            assert value == (list(default) if isinstance(default, tuple) else default), key


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_has_a_meaning(command: str) -> None:
    words = [[f"model={name}"] for name in MODELS] if command == "train" else [[]]
    for word in words:
        for key, (_, meaning) in settings_of_command(command, composed(command, *word)):
            assert len(meaning) > 3, f"{command}: {key}"
            assert ":class:" not in meaning, f"{command}: {key}"


def test_help_shows_the_first_settings_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    few = capsys.readouterr().out
    assert "share of normal frames that may be in alarm" in few
    assert "training.weight_decay" not in few
    assert few.splitlines()[-1].endswith("more: tlae train --help all")
    for words in (["--help", "all"], ["--help=all"], ["--help", "all", "seed=1"]):
        assert main(["train", *words]) == 0
        assert "training.weight_decay=0.01" in capsys.readouterr().out
    assert len(settings_lines("mask", composed("mask"), every=False)) > 10


def test_help_of_a_command_brings_no_torch() -> None:
    code = "import sys; from tlae.cli import main; main(['train', '--help']); "
    code += "sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_scoring_settings_are_those_of_the_rule() -> None:
    rule = [one.name for one in fields(ScoringRule)]
    assert sorted(rule) == sorted(n for n in vars(ScoringConfig()) if n not in BUDGET)
    assert set(meanings(ScoringConfig)) == {*rule, *BUDGET}


BUDGET = ("threshold", "false_alarm_rate", "alarms_per_day")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_schema_gives_its_dataclass_back(command: str) -> None:
    kind = settings_class(command)
    cfg = OmegaConf.structured(schema_of(kind))
    for key in OmegaConf.missing_keys(cfg):
        OmegaConf.update(cfg, key, "x")
    assert isinstance(build(kind, OmegaConf.to_container(cfg, resolve=True)), kind)  # type: ignore[arg-type]


def test_sections_of_docstrings_are_read() -> None:
    doc = """Head.

    Attributes:
        one: first line
            and second.
        two, three: both.

    Raises:
        ValueError: never.
    """
    expected = {"one": "first line and second.", "two": "both.", "three": "both."}
    assert explained(doc, "Attributes") == expected
    assert explained(doc, "Args") == {}


@pytest.mark.parametrize("word", ["suffix=x", "model_name=x", "+model._target_=os.system"])
def test_what_the_program_sets_is_no_setting(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "footage=x", word]) == 2
    assert "is no setting" in capsys.readouterr().err


def test_what_the_program_sets_is_not_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("sufix=x", "model_nam=x", "model.target=x", "zzzzzz=1"):
        assert main(["train", "footage=x", word]) == 2
        proposed = capsys.readouterr().err.partition(";")[2]
        assert not any(name in proposed for name in ("suffix", "model_name", "_target_")), proposed


def test_the_settings_reference_is_current() -> None:
    from scripts.settings_reference import PAGE, page

    shown = f"{PAGE.name} is old; run python scripts/settings_reference.py"
    assert PAGE.read_text(encoding="utf-8") == page(), shown
