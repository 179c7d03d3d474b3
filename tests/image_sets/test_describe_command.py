import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.small_footage import small_model, write_clips
from tlae.cli import EXIT_BAD_INPUT, main
from tlae.image_sets.descriptor_store import open_descriptors
from tlae.model_file import save_model


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A zip file with five good pictures, a bad one, and one whose name leads outside."""
    folder = write_clips(tmp_path / "photos", (5,))
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.name)
        archive.writestr("bad.jpg", b"nothing")
        archive.write(path, "../../outside.png")
    return tmp_path / "photos.zip"


def describe(*settings: str) -> int:
    return main(["describe", *settings])


def test_descriptors_side_by_side(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "photos.desc"
    save_model(small_model(), tmp_path / "m.safetensors")
    assert describe(f"images={photos}", f"out={out}") == 0
    shown = capsys.readouterr().out
    assert "colour_histogram: 72 numbers (float32) for each of 5 images; 6 images read" in shown
    assert "left out: 1 x not an image" in shown
    settings = ["descriptor=model", f"model_file={tmp_path / 'm.safetensors'}", "dtype=float16"]
    assert describe(f"images={photos}", f"out={out}", *settings) == 0
    assert describe(f"images={photos}", f"out={out}", *settings) == 0
    shown = capsys.readouterr().out
    assert "model of these images is in" in shown
    assert f"tlae cluster descriptors={out} descriptor=model\n" in shown  # one of several
    np.save(tmp_path / "theirs.npy", np.ones((5, 7)))
    assert describe(f"from_file={tmp_path / 'theirs.npy'}", f"out={out}") == 0
    kinds = {n: open_descriptors(out, n) for n in ("colour_histogram", "model", "theirs")}
    assert [d.values.dtype for d in kinds.values()] == [np.float32, np.float16, np.float32]
    paths = list(kinds["model"].ids["path"])
    assert paths == [f"{photos}::00{n}.png" for n in range(5)]
    assert not (tmp_path.parent / "outside.png").exists()


def test_excluded_pictures_are_not_described(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.desc"
    assert describe(f"images={photos}", f"out={out}", "exclude=bad.jpg,000.*,003.png") == 0
    assert list(open_descriptors(out).ids["path"]) == [f"{photos}::00{n}.png" for n in (1, 2, 4)]


def test_random_weights_are_told(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.desc"
    settings = ["descriptor=resnet18", "image_size=32", "tiles=2", "batch_size=2"]
    assert describe(f"images={photos}", f"out={out}", *settings) == 0
    shown = capsys.readouterr().out
    assert "note: resnet18 has random weights (seed 0)" in shown
    assert "for each of 20 tiles; 6 images read in 2 x 2 tiles" in shown
    facts = open_descriptors(out).facts
    assert facts["weights"] == "random (seed 0)"
    assert facts["settings"]["tiles_hw"] == [2, 2]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["out=o"], "images=... to describe, or from_file=... to import"),
        (["images=absent", "out=o"], "images must be an existing folder"),
        (["images=photos.zip", "out=o", "exclude=,"], "describe: exclude must be glob patterns"),
        (["images=photos.zip", "out=photos.zip"], "out must be a folder"),
        (["images=photos.zip", "out=o", "descriptor=vgg61"], "did you mean vgg16"),
        (["images=photos.zip", "out=o", "tiles=0"], "tiles must be in"),
        (["images=photos.zip", "out=o", "tiles_hw=[3]"], "tiles_hw must be [down,across]"),
        (["images=photos.zip", "out=o", "bins=[8,8]"], "bins must be three numbers"),
        (["images=photos.zip", "out=o", "dtype=int8"], "float32, float16"),
        (["images=photos.zip", "out=o", "name=a/b"], "usable as a file name"),
        (["images=junk", "out=o"], r"got none (1 x not an image)"),
    ],
)
def test_bad_input_is_one_line(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "x.jpg").write_bytes(b"nothing")
    assert describe(*settings) == EXIT_BAD_INPUT
    shown = capsys.readouterr().err.strip().splitlines()
    assert words in shown[-1]
    assert not (tmp_path / "o").exists()


def test_other_images_need_another_folder(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o"
    assert describe(f"images={photos}", f"out={out}") == 0
    folder = f"images={tmp_path / 'photos'}"
    assert describe(folder, f"out={out}") == EXIT_BAD_INPUT
    assert "with other images" in capsys.readouterr().err
    assert describe(folder, f"out={out}", "name=second") == EXIT_BAD_INPUT
    assert "other images or tiles" in capsys.readouterr().err
    assert describe(folder, f"out={out}", "overwrite=true") == 0
    assert len(open_descriptors(out).values) == 5
