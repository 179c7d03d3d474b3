"""`tlae mask` through the command line: a file that the other commands read, and a picture."""

from pathlib import Path

import cv2
import pytest

from tests.footage.test_mask_proposal import street, with_clock, with_tree
from tlae.cli import main
from tlae.footage.zones import read_mask, read_zones


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "camera"
    folder.mkdir()
    for number, sample in enumerate(with_clock(with_tree(street()), (5, 15), 1.0)):
        cv2.imwrite(str(folder / f"{number:03d}.png"), sample)
    (folder / "020.png").write_bytes(b"not a picture")
    return folder


def test_a_clock_and_a_tree_are_proposed(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new/mask.yaml"
    assert main(["mask", f"footage={footage}", f"out={out}"]) == 0
    assert list(read_zones(out).ignore) == ["clock", "restless"]
    watched = read_mask(out, (120, 160))
    assert 0.8 < watched.mean() < 0.97
    assert not watched[45, 112]  # in the tree
    preview = cv2.imread(str(tmp_path / "new/mask_preview.png"))
    assert preview.shape == (480, 640, 3)
    assert "clock: " in capsys.readouterr().out
    assert main(["mask", f"footage={footage}", f"out={out}"]) == 2  # not over what was edited
    assert "overwrite=true" in capsys.readouterr().err
    assert main(["mask", f"footage={footage}", f"out={out}", "overwrite=true"]) == 0


def test_nothing_to_ignore_writes_nothing(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, sample in enumerate(street()):
        cv2.imwrite(str(footage / f"{number:03d}.png"), sample)
    assert main(["mask", f"footage={footage}", f"out={tmp_path}/m.yaml"]) == 0
    assert not (tmp_path / "m.yaml").exists()
    assert "nothing to ignore" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["out=m.png"], "out must end in .yaml"),
        (["out=m.yaml", "samples=3"], r"samples must be in \[20, 100000\]"),
        (["out=m.yaml", "restless=1"], r"restless must be in \(0, 1\)"),
    ],
)
def test_bad_settings_are_refused(
    words: list[str], message: str, footage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", f"footage={footage}", *words]) == 2
    assert message.replace("\\", "") in capsys.readouterr().err


def test_too_little_footage_is_refused(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(10, 60):
        (footage / f"{number:03d}.png").unlink()
    assert main(["mask", f"footage={footage}", f"out={tmp_path}/m.yaml"]) == 2
    assert "must hold at least 20 readable frames" in capsys.readouterr().err
