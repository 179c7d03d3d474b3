"""An exported model is scored, drawn, watched and served without the libraries of training."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs the extra export")

from tests.exported.light import COMMANDS, prepare, prepare_street, run, run_server

HEAVY = ("torch", "torchvision", "pytorch_lightning", "lightning", "pandas", "pyarrow", "scipy")
HEAVY += ("skimage", "sklearn", "matplotlib")
# tlae where these libraries cannot be imported; it fails if one of them was.
CODE = f"""
import sys
heavy = {HEAVY}
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in heavy:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
from tlae.cli import main
status = main()
sys.exit(status or ", ".join(name for name in heavy if name in sys.modules) or 0)
"""
BLOCKED = [sys.executable, "-W", "error::ImportWarning", "-c", CODE]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = prepare(tmp_path_factory.mktemp("light"))
    assert "24 of 24 frames have a score" in run(BLOCKED, COMMANDS["score"], folder)
    return folder


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "score"])
def test_a_command_needs_none_of_them(command: str, folder: Path) -> None:
    run(BLOCKED, COMMANDS[command], folder)


def test_serving_needs_none_of_them(folder: Path) -> None:
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    pytest.importorskip("fastapi", reason="needs the extra serve")
    run_server(BLOCKED, folder)


def test_a_net_that_measures_needs_none_of_them(tmp_path: Path) -> None:
    assert "30 of 31 frames have a score" in run(BLOCKED, prepare_street(tmp_path), tmp_path)
    run(BLOCKED, "report scores=s", tmp_path)
    assert "moves" in (tmp_path / "s/scores.csv").read_text()


def test_what_is_lacking_is_said_in_one_line(folder: Path) -> None:
    code = CODE.partition("from tlae.cli")[0] + (
        "import tlae\n"
        "scores = tlae.open_scores('s')\n"
        "print(len(scores.columns['raw']))\n"
        "for call in (lambda: scores.table, lambda: tlae.load('net.safetensors')):\n"
        "    try: call()\n"
        "    except ValueError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "24",
        "a table as a DataFrame needs pandas, which is not installed; pip install pandas",
        "model_file net.safetensors needs torch, which a light install lacks: pip install tlae",
    ]
    done = subprocess.run(
        [*BLOCKED, "score", "model_file=net.safetensors", "footage=clips"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "tlae score: model_file net.safetensors needs torch, which a light install lacks: "
        "pip install tlae"
    ]
