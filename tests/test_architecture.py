"""Arrows point one way, and heavy libraries stay where they belong."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "tlae"
FILES = sorted(PACKAGE.rglob("*.py"))

GROUND = {
    "budget",
    "chunk_log",
    "device",
    "errors",
    "folder_lock",
    "html_page",
    "http_client",
    "lazy_column",
    "learnt_package",
    "log_lines",
    "measuring",
    "missing_library",
    "number_words",
    "own_file",
    "palette",
    "parquet_file",
    "plain_values",
    "progress",
    "schema",
    "setting_rules",
    "signals",
    "table",
    "tensor_file",
    "thrift_records",
    "varint",
    "versions",
    "whole_file",
}
# A part of the package may import those named here (and itself).
ARROWS = {
    "footage": GROUND,
    "attributes": {"camera"} | GROUND,
    "patches": GROUND,
    "models": {"attributes", "camera", "patches"} | GROUND,
    "camera": {"footage"} | GROUND,
    "scoring": {"camera", "models", "footage"} | GROUND,
    "training": {"scoring", "models", "footage", "model_file"} | GROUND,
    "exported": {"attributes", "camera", "footage", "patches", "scoring"} | GROUND,
    "exporting": {
        "camera",
        "config_parts",
        "exported",
        "footage",
        "model_file",
        "models",
        "scorable",
        "scoring",
        "training",
        "workflows",
    }
    | GROUND,
    "rendering": {"footage"} | GROUND,
    "evaluation": {"rendering", "scoring", "footage"} | GROUND,
    "workflows": {
        "camera",
        "config",
        "config_parts",
        "config_scores",
        "evaluation",
        "footage",
        "model_file",
        "models",
        "rendering",
        "scorable",
        "scoring",
        "training",
    }
    | GROUND,
    "lab": {
        "compose",
        "config",
        "config_parts",
        "config_scores",
        "evaluation",
        "footage",
        "model_file",
        "rendering",
        "scoring",
        "workflows",
    }
    | GROUND,
    "image_sets": {
        "evaluation",
        "rendering",
        "scoring",
        "models",
        "footage",
        "model_file",
        "scorable",
    }
    | GROUND,
    "explorer": {"image_sets", "rendering", "footage"} | GROUND,
    "feeds": {"image_sets", "footage"} | GROUND,
    "fleet": {"config", "config_parts", "footage", "scoring", "workflows"} | GROUND,
    "live": {"camera", "footage", "scorable", "scoring"} | GROUND,
    "watching": {"live", "rendering", "scorable", "scoring", "footage"} | GROUND,
    "serving": {
        "api",
        "explorer",
        "exported",
        "footage",
        "image_sets",
        "live",
        "model_file",
        "rendering",
        "scorable",
        "scoring",
    }
    | GROUND,
}
# What the camera product does not need: named by its own commands alone.
WINGS = {"lab", "exporting", "image_sets", "explorer", "feeds", "fleet", "watching", "serving"}
# A library may be imported only by files whose path starts so.
HOMES = {
    "hydra": ("compose.py", "refused_settings.py", "setting_types.py", "sweep.py"),
    "omegaconf": (
        "compose.py",
        "config.py",
        "config_parts.py",
        "config_scores.py",
        "explorer/settings.py",
        "exporting/settings.py",
        "feeds/settings.py",
        "fleet/settings.py",
        "help.py",
        "image_sets/fit_settings.py",
        "image_sets/settings.py",
        "lab/settings.py",
        "refused_settings.py",
        "schema.py",
        "serving/settings.py",
        "footage/zones.py",
        "watching/settings.py",
    ),
    "feedparser": ("feeds/",),
    "ray": ("fleet/engines.py",),
    "paho": ("watching/mqtt.py",),
    "fastapi": ("explorer/", "serving/"),
    "starlette": ("explorer/", "serving/"),
    "uvicorn": ("explorer/", "serving/"),
    "prometheus_client": ("serving/",),
    "zmq": ("serving/",),
    "onnxruntime": ("exported/engines.py", "exporting/int8.py"),
    "pytorch_lightning": ("training/", "footage/datamodule.py", "workflows/train.py"),
}


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports(file: Path) -> frozenset[str]:
    names = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "tlae":
            names |= {f"tlae.{alias.name}" for alias in node.names if alias.name[:2] != "__"}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return frozenset(names)


def name_of(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


def parts_used(file: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(file) if name.startswith("tlae.")}


@pytest.mark.parametrize("part", ARROWS)
def test_arrows_point_one_way(part: str) -> None:
    files = [file for file in FILES if file.relative_to(PACKAGE).parts[0] == part]
    assert files
    wrong = {name_of(file): parts_used(file) - ARROWS[part] - {part} for file in files}
    assert {name: used for name, used in wrong.items() if used} == {}


def test_the_core_names_no_wing() -> None:
    wrong = {}
    for file in FILES:
        part = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part not in WINGS | {"commands"} and (used := parts_used(file) & WINGS):
            wrong[name_of(file)] = used
    assert wrong == {}


def test_nothing_is_taken_from_a_command() -> None:
    others = [file for file in FILES if file.parent.name != "commands"]
    taken = {
        name_of(file): [name for name in imports(file) if name.startswith("tlae.commands")]
        for file in others
    }
    assert {name: used for name, used in taken.items() if used} == {}


@pytest.mark.parametrize("library", HOMES)
def test_libraries_stay_in_their_homes(library: str) -> None:
    guests = [
        name_of(file)
        for file in FILES
        if any(name.split(".")[0] == library for name in imports(file))
    ]
    assert [g for g in guests if not g.startswith(HOMES[library])] == []


def test_package_marker_lists_every_part() -> None:
    parts = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    assert set(ARROWS) <= parts


def test_text_files_are_utf8_whatever_the_locale() -> None:
    """What ruff cannot see: it does not know that a variable is a path."""
    wrong = []
    for file in FILES:
        for node in ast.walk(tree_of(file)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("read_text", "write_text")
                and "encoding" not in {word.arg for word in node.keywords}
            ):
                wrong.append(f"{name_of(file)}:{node.lineno}")
    assert wrong == []
