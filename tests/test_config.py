"""Every YAML composes, and every schema fits the class it builds."""

import importlib
import inspect

import pytest
from omegaconf import OmegaConf

from tlae import compose
from tlae.camera.camera import CameraOptions
from tlae.config import SCHEMAS, CameraConfig
from tlae.config_models import ModelConfig
from tlae.model_file import build_net

CONFIGS = compose.configs_dir()
CHOICES = [(g.parent.name, g.stem) for g in sorted(CONFIGS.glob("*/*.yaml"))]
MODELS = [name for group, name in CHOICES if group == "model"]


def composed(command: str, *words: str):  # type: ignore[no-untyped-def]
    return compose.compose(compose.parse(command, list(words)))


@pytest.mark.parametrize("command", [p.stem for p in CONFIGS.glob("*.yaml")])
def test_every_command_composes(command: str) -> None:
    assert OmegaConf.to_yaml(composed(command))


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_composes(group: str, name: str) -> None:
    assert composed("train", "footage=x", f"{group}={name}")


@pytest.mark.parametrize("name", MODELS)
def test_every_model_builds(name: str) -> None:
    cfg = composed("train", "footage=x", f"model={name}")
    build_net(OmegaConf.to_container(cfg.model, resolve=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [n for n, s in SCHEMAS.items() if issubclass(s, ModelConfig)])
def test_schema_and_constructor_have_the_same_arguments_and_defaults(name: str) -> None:
    schema = SCHEMAS[name]()
    module, _, target = schema._target_.rpartition(".")
    signature = inspect.signature(getattr(importlib.import_module(module), target))
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)  # of torch's Module
    parameters = {k: p for k, p in signature.parameters.items() if p.kind not in kinds}
    fields = {k: v for k, v in vars(schema).items() if k != "_target_"}
    assert list(fields) == list(parameters)
    for key, value in fields.items():
        if isinstance(value, str) and value.startswith("${"):
            continue  # taken from the footage
        default = parameters[key].default
        assert value == (list(default) if isinstance(default, tuple) else default), key


def test_camera_settings_are_those_of_a_camera_and_all_off() -> None:
    assert list(vars(CameraConfig())) == list(vars(CameraOptions()))
    assert not CameraOptions(**vars(CameraConfig())).is_any
