"""Every measuring script runs: what the docs publish must not fall behind the code."""

import logging
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.small_footage import small_model
from tlae.cli import main
from tlae.lab.scenes import SceneOptions, write_scene
from tlae.model_file import save_model

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def run(name: str, *words: object) -> None:
    """Run a script as its command line would, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.root.manager, "disable", logging.root.manager.disable)  # as before
        patch.setattr(sys, "argv", [str(SCRIPTS / name), *map(str, words)])
        status = 0
        try:
            runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        except SystemExit as left:
            status = left.code  # type: ignore[assignment]
    assert not status


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn scene with a planted event in each of two test clips."""
    folder = tmp_path_factory.mktemp("scripts") / "scene"
    options = SceneOptions(
        train_clips=1, train_frames=60, test_clips=2, test_frames=60, size_hw=(48, 64)
    )
    write_scene(folder, options)
    return folder


def test_nuisances_changes_every_picture(scene: Path, tmp_path: Path) -> None:
    run("nuisances.py", scene / "Test", tmp_path / "gain", "--kind", "gain")
    assert len(list((tmp_path / "gain/Test001").glob("*.png"))) == 60


def test_by_kind_prints_a_line_for_each_kind(
    scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = [f"paths.{name}={tmp_path}/{name}" for name in ("checkpoints", "scores", "cache")]
    model_file = tmp_path / "checkpoints/n/model.safetensors"
    words = [f"footage={scene}/Train", "model=copy_last", "name=n", "footage.size_hw=[32,48]"]
    assert main(["train", *words, *places]) == 0
    score = [f"model_file={model_file}", f"footage={scene}/Test", "name=n", *places]
    assert main(["score", *score]) == 0
    capsys.readouterr()
    run("by_kind.py", scene, tmp_path / "scores/n")
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.count("|") == 4 for line in lines)
    run("reasons_by_kind.py", scene, "--scores", tmp_path / "scores/n", "--share", 0)
    lines = capsys.readouterr().out.splitlines()
    events = [line for line in lines if line.startswith("| ")][1:]
    found = sum(int(line.split("|")[3]) for line in events)
    assert f"0 of {found} reasons are right; {found} of" in lines[-1]  # this model gives none
    assert found > 0


def test_forest_seeds_counts_the_seeds_that_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    for folder, count, low in (("normal", 12, 60), ("odd", 1, 180)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            picture = rng.integers(low, low + 60, (24, 24, 3), np.uint8)
            cv2.imwrite(str(tmp_path / folder / f"{number}.png"), picture)
    examples = f"{tmp_path}/normal/0.png,{tmp_path}/odd/0.png"
    run("forest_seeds.py", tmp_path / "normal", examples, "1,-1", "--seeds", 2)
    assert capsys.readouterr().out.splitlines()[-1].endswith("of 2 seeds agree with [1, -1]")


def test_outlier_speed_compares_with_plain_calls(capfd: pytest.CaptureFixture[str]) -> None:
    run("outlier_speed.py", "--rows", 300, "--width", 8, "--pca", 4, "--methods", "kmeans")
    assert capfd.readouterr().out.splitlines()[-1].startswith("kmeans")


def test_outlier_speed_compares_the_announced_time(capfd: pytest.CaptureFixture[str]) -> None:
    small = ["--rows", 2100, "--width", 6, "--pca", 3, "--methods", "dbscan", "--announced"]
    run("outlier_speed.py", *small)
    assert capfd.readouterr().out.count("| dbscan | 2,100 | ") == 2


def test_realised_alarms_prints_a_row_for_each_rate(capfd: pytest.CaptureFixture[str]) -> None:
    small = ["--clips", 25, "--frames", 500, "--new", 100, "--models", "copy_last"]
    run("realised_alarms.py", *small)
    assert capfd.readouterr().out.count("| copy_last | 25 |") == 3


def test_kinds_of_things_prints_what_was_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    small = ["days=1", "test_days=2", "every_minutes=60", "size_hw=[96,128]"]
    assert main(["site", f"out={tmp_path}/site", *small]) == 0
    run("kinds_of_things.py", tmp_path / "site")
    assert " right; " in capfd.readouterr().out


@pytest.mark.slow
def test_endurance_survives_kills(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--folder", tmp_path, "--train", 200]
    run("endurance.py", "--frames", 1500, "--kills", 1, *words)
    run("endurance.py", "--synthetic", 300, *words)
    out = capfd.readouterr().out
    assert "tables that differ: none" in out
    assert "| 300 |" in out


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--memory"], ["--evaluate"], ["--camera"]])
def test_benchmark_prints_its_tables(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    run("benchmark.py", "--share", 0.1, *words)
    assert capfd.readouterr().out.count("|") > 9


@pytest.mark.slow
def test_explorer_speed_walks_through_the_page(capfd: pytest.CaptureFixture[str]) -> None:
    if not Path("/usr/bin/chromium").is_file():
        pytest.skip("needs Chromium in /usr/bin/chromium")
    run("explorer_speed.py", "--points", 500)
    assert "first picture" in capfd.readouterr().out


def test_gpu_speed_prints_a_line_for_each_way(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--models", "cae_small", "--frames", 8, "--batch", 4, "--size", 32, 48, "--edge", 64]
    run("gpu_speed.py", *few, "--plain")
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| `cae")]
    assert [row.split(" | ")[1] for row in rows] == ["float32", "bfloat16"]
    assert float(rows[0].strip("| ").split(" | ")[-1]) == 0


@pytest.mark.slow
def test_serve_load_loses_no_answer(
    scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    save_model(small_model("cae"), tmp_path / "m.safetensors")
    words = ["--seconds", 6, "--clients", 2, "--frames", 30, "--session-frames", 10]
    run("serve_load.py", tmp_path / "m.safetensors", scene / "Test/Test001", *words)
    shown = capsys.readouterr().out
    assert "| wrong | 0 |" in shown
    assert "| lost | 0 |" in shown
    assert "| of them by the second model | 0 |" not in shown


@pytest.mark.slow
def test_watch_cameras_prints_what_two_cores_carry(
    scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(small_model("cae"), tmp_path / "m.safetensors")
    words = ["--seconds", 3, "--cameras", 1, "--frames", 20]
    run("watch_cameras.py", tmp_path / "m.safetensors", scene / "Test/Test001", *words)
    assert "| cameras on two quiet cores, by division |" in capsys.readouterr().out
