"""Planting through the command line."""

from pathlib import Path

import pytest

from tests.lab.test_planting import write_street
from tlae.cli import main


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_street(tmp_path_factory.mktemp("street"), (160,))


def test_planted_footage_is_told_and_found_again(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plant", f"footage={footage}", f"out={tmp_path}/out", "clips=3", "clip_frames=15"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "96 training frames, 45 test frames in 3 clips (1 fast, 1 pasted, 1 reversed)" in shown
    assert f"next:    tlae benchmark footage={tmp_path}/out footage.interval_s=0.1" in shown
    before = (tmp_path / "out/planted.json").read_bytes()
    assert main(words) == 0
    assert (tmp_path / "out/planted.json").read_bytes() == before
    assert len(list((tmp_path / "out/Test").glob("*_gt/*.png"))) == 45


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["footage={footage}"], "out=... must be given"),
        (["footage=nowhere", "out={out}"], "nowhere"),
        (["footage={footage}", "out={out}", "clips=0"], "clips must be in 1 to 9999, got 0"),
        (["footage={footage}", "out={out}", "train_share=1"], "train_share must be in (0, 1)"),
        (["footage={footage}", "out={out}", "clip_frames=90"], "add footage, lower clip_frames"),
        (["footage={footage}", "out={out}", "size_hw=[999,999]"], "size_hw must be <= [64, 96]"),
        (["footage={footage}", "out={footage}"], "choose another folder"),
        (["footage={footage}", "out={out}", "cilps=3"], "did you mean clips?"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    footage: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    filled = [word.format(footage=footage, out=tmp_path / "out") for word in words]
    assert main(["plant", *filled]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
