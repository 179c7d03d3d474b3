import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.conftest import WriteVideo
from tests.small_descriptors import write_store
from tlae.explorer.pictures import PER_SHEET, TILE_PX
from tlae.explorer.sheets import Sheets
from tlae.footage.images import Unreadable
from tlae.image_sets.item_pictures import Pictures, pictures_of


def items(*paths: str, frames: tuple[int, ...] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"path": paths, "frame": frames or range(len(paths))})


def coloured(path: Path) -> Path:
    """Four quarters: black, red, green, white."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20, 30:] = (255, 0, 0)
    picture[20:, :30] = (0, 255, 0)
    picture[20:, 30:] = 255
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


def test_pictures_shrink_to_their_longer_side_and_never_grow(tmp_path: Path) -> None:
    pictures = Pictures(items(str(coloured(tmp_path / "a.png"))))
    assert pictures.read(0, 30).shape == (20, 30, 3)
    assert pictures.read(0, 500).shape == (40, 60, 3)


def test_tiles_are_cut_from_their_picture(tmp_path: Path) -> None:
    path = coloured(tmp_path / "a.png")
    names = [f"{path}#{row},{column}" for row in range(2) for column in range(2)]
    pictures = pictures_of(items(*names), {"settings": {"tiles_hw": [2, 2]}})
    means = [pictures.read(row, 64).mean(axis=(0, 1)).tolist() for row in range(4)]
    assert means == [[0, 0, 0], [255, 0, 0], [0, 255, 0], [255, 255, 255]]


def test_a_file_whose_name_looks_like_a_tile_is_a_file_where_there_are_no_tiles(
    tmp_path: Path,
) -> None:
    path = coloured(tmp_path / "a.png").rename(tmp_path / "a.png#1,1")
    assert Pictures(items(str(path))).read(0, 64).shape == (40, 60, 3)


def test_members_of_archives_and_frames_of_videos_are_read_in_place(
    tmp_path: Path, write_video: WriteVideo
) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(coloured(tmp_path / "a.png"), "in/a.png")
    video = write_video(tmp_path / "v.mp4")
    pictures = Pictures(items(f"{archive}::in/a.png", str(video), frames=(0, 6)))
    assert pictures.read(0, 64).shape == (40, 60, 3)
    assert pictures.read(1, 64).mean() == pytest.approx(120, abs=6)  # frame n is 20 * n


@pytest.mark.parametrize("name", ["gone.png", "gone.zip::a.png", "all.zip::gone.png", "gone.mp4"])
def test_what_is_gone_says_so(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as opened:
        opened.writestr("a.txt", "x")
    with pytest.raises(Unreadable):
        Pictures(items(str(tmp_path / name))).read(0, 64)


def test_sheets_are_made_once_and_those_with_gaps_again(tmp_path: Path) -> None:
    described = write_store(tmp_path, np.zeros((PER_SHEET + 3, 2)))
    (tmp_path / "pictures/000.png").rename(tmp_path / "aside.png")
    for missing in (1, 0):
        sheets = Sheets(Pictures(described.ids), tmp_path / "sheets", start_after_s=0)
        assert sheets.count == 2
        sheets.start()
        sheets.wait()
        assert sheets.ready() == [0, 1]
        assert sheets.missing() == missing
        first = sheets.sheet(0)
        assert first is not None
        picture = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape[0] == 16 * TILE_PX
        sheets.close()
        if missing:
            (tmp_path / "aside.png").replace(tmp_path / "pictures/000.png")
