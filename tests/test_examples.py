"""The examples run, in their order, in an empty folder."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tlae
from tlae.lab.scenes import SceneOptions
from tlae.model_file import Model

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("0*.py"))
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
TRAIN = tlae.train
SHORT_STREET = SceneOptions(
    size_hw=(96, 144), train_clips=1, train_frames=90, test_clips=2, test_frames=30
)
QUICK = {"trainer.max_steps": 2, "training.windows_per_epoch": 8, "training.batch_size": 2}


def quickly_trained(*args: Any, settings: dict[str, Any], **named: Any) -> Model:
    """``tlae.train`` for a few steps."""
    return TRAIN(*args, settings=settings | QUICK, **named)


def test_the_scripts_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other: later ones take up what the first one trained."""
    monkeypatch.setattr("tlae.api.train", quickly_trained)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.setattr("street.OPTIONS", SHORT_STREET)
    monkeypatch.chdir(tmp_path)
    for script in SCRIPTS:
        monkeypatch.setattr(sys, "argv", [str(script)])
        runpy.run_path(str(script), run_name="__main__")
        assert capsys.readouterr().out.strip(), script


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    """In a folder of its own, where no script has drawn a shorter street."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    (tmp_path / "cells.py").write_text("\n\n".join(code), encoding="utf-8")
    places = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "cells.py"],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg"} | places,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "raw ROC AUC" in done.stdout
    assert (tmp_path / "panels.png").is_file()
    assert (tmp_path / "side_by_side.mp4").is_file()
