"""The examples run, in their order, in an empty folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("0*.py"))
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


def run(words: list[str], home: Path) -> str:
    environment = os.environ | {"MPLBACKEND": "agg", "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=home,
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_runs(script: Path, home: Path) -> None:
    assert run([str(script)], home).strip()


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, home: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    (home / "cells.py").write_text("\n\n".join(code), encoding="utf-8")
    assert "raw ROC AUC" in run(["cells.py"], home)
    assert (home / "panels.png").is_file()
    assert (home / "side_by_side.mp4").is_file()
