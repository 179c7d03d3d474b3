from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from tlae.errors import FootageError
from tlae.footage.images import IMAGE_SUFFIXES
from tlae.footage.sources import open_footage
from tlae.footage.sources.exclusion import left_out_line, parse_exclude, without_excluded

LEFTOVERS = [
    "@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
    "#recycle/2.jpg",
    "$RECYCLE.BIN/3.jpg",
    ".Trash-1000/files/4.jpg",
    "lost+found/5.jpg",
    "Thumbs/6.jpg",
    ".thumbnails/7.jpg",
    "day/@eaDir/8.jpg",
    "._1.jpg",
]


def write(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def names_of(spec: Path, exclude: str | None = None) -> list[str]:
    clips = open_footage(str(spec), exclude=exclude).clips
    lines = [line.partition(" ")[0] for clip in clips for line in list(clip.fingerprint())[1:]]
    return sorted(lines)


def test_what_recorders_leave_is_no_footage_and_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "cam", "1.jpg", "day/2.jpg", *LEFTOVERS)
    assert names_of(root) == ["1.jpg", "day/2.jpg"]
    assert "6 files left out: 6 in folders of recorders (@eaDir" in caplog.text


def test_a_zip_file_and_a_pattern_leave_out_the_same(tmp_path: Path) -> None:
    root = write(tmp_path / "cam", "1.jpg", "day/2.jpg", *LEFTOVERS)
    with ZipFile(tmp_path / "cam.zip", "w") as archive:
        for name in ("1.jpg", "day/2.jpg", *LEFTOVERS):
            archive.writestr(name, b"")
    assert names_of(tmp_path / "cam.zip") == ["1.jpg", "day/2.jpg"]
    assert names_of(root / "**") == ["1.jpg", "day/2.jpg"]


def test_such_a_folder_is_read_if_it_is_named(tmp_path: Path) -> None:
    root = write(tmp_path / "thumbs", "1.jpg")
    assert names_of(root) == ["1.jpg"]


def test_patterns_exclude_names_and_paths() -> None:
    is_excluded = parse_exclude("*_small.jpg, old ,night/*.png,wet/days/")
    excluded = ["1_small.jpg", "a/1_small.jpg", "a/old/1.jpg", "old/1.jpg", "night/b/1.png"]
    assert all(map(is_excluded, [*excluded, "wet/days/1.jpg"]))
    kept = ["1.jpg", "a/older/1.jpg", "a/night/1.png", "night/1.jpg", "1_small.jpg.jpg"]
    assert not any(map(is_excluded, kept))


def test_excluded_files_are_counted(tmp_path: Path) -> None:
    tree, reasons = without_excluded({"": ["1.jpg", "2.jpg"], "old": ["3.jpg"]}, "old,2*")
    assert tree == {"": ["1.jpg"]}
    assert left_out_line(reasons) == "2 files left out: 2 excluded by footage.exclude"


@pytest.mark.parametrize("wrong", ["", "a,,b", "/abs/*"])
def test_patterns_that_cannot_match_are_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(FootageError, match=r"footage\.exclude must be glob patterns"):
        open_footage(str(write(tmp_path, "1.jpg")), exclude=wrong)


def test_footage_of_which_nothing_remains_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "Thumbs/1.jpg", "2.jpg")
    with pytest.raises(FootageError, match=r"2 files left out: 1 excluded .*, 1 in folders of rec"):
        open_footage(str(tmp_path), exclude="2*")


def test_pictures_that_cannot_be_read_are_counted_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path, "1.jpg", *(f"IMG_{n}.HEIC" for n in range(30)), "2.NEF")
    assert names_of(root) == ["1.jpg"]
    assert "31 files left out: 30 pictures of phones (HEIC, HEIF), convert them:" in caplog.text
    assert "1 raw pictures, develop them:" in caplog.text
    with pytest.raises(FootageError, match=r"1 file left out: 1 pictures of phones"):
        open_footage(str(root / "IMG_3.HEIC"))


@pytest.mark.parametrize("suffix", [".avif", ".jp2"])
def test_avif_and_jpeg_2000_are_read(tmp_path: Path, suffix: str) -> None:
    if suffix not in IMAGE_SUFFIXES:
        pytest.skip(f"this Pillow does not read {suffix}")
    Image.new("RGB", (32, 32), (200, 100, 50)).save(tmp_path / f"1{suffix}")
    (frame,) = open_footage(str(tmp_path)).frames()
    assert frame.image is not None
    assert abs(frame.image.astype(int) - (200, 100, 50)).max() < 6
