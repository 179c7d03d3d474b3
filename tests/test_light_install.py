"""The light install of docs/export.md: a virtual environment without torch and pandas."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="needs the extra export")

from tests.exported.light import COMMANDS, prepare, prepare_street, run, run_server

ROOT = Path(__file__).resolve().parents[1]
LACKING = ("torch", "pandas", "pytorch_lightning", "scipy", "matplotlib", "pyarrow")

pytestmark = pytest.mark.slow


def pip(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    return subprocess.run([*command, *words], capture_output=True, text=True, check=False)


def test_every_light_command_runs_where_nothing_else_is_installed(tmp_path: Path) -> None:
    light = tmp_path / "light"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(light)], check=True)
    python = light / "bin/python"
    if (tried := pip(python, "install", "filelock")).returncode:
        pytest.skip(f"no package index: {tried.stderr.strip().splitlines()[-1]}")
    server = ("fastapi", "prometheus-client", "python-multipart", "uvicorn")
    for words in (("-r", str(ROOT / "requirements-light.txt")), ("--no-deps", str(ROOT)), server):
        done = pip(python, "install", *words)
        assert done.returncode == 0, done.stderr
    code = f"from importlib.util import find_spec; print([*filter(find_spec, {LACKING})])"
    assert run([str(python), "-c", code], "", tmp_path) == "[]\n"
    folder = prepare(tmp_path / "work")
    for command in COMMANDS.values():
        run([str(python), "-I", "-m", "tlae"], command, folder)
    run_server([str(python), "-I", "-m", "tlae"], folder)
    (tmp_path / "street").mkdir()
    run([str(python), "-I", "-m", "tlae"], prepare_street(tmp_path / "street"), tmp_path / "street")
