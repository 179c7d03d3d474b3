import numpy as np
import pytest

from tlae.rendering.contact_sheet import GAP_PX, LINE_PX, contact_sheet


def test_tiles_lie_in_rows_with_captions() -> None:
    tiles = [(np.full((40, 60, 3), 50 * n, np.uint8), f"tile {n}") for n in range(1, 6)]
    sheet = contact_sheet(tiles, columns=3, tile_width_px=120)
    cell_h = (sheet.shape[0] - GAP_PX) // 2
    assert sheet.shape[1] == 3 * (120 + GAP_PX) + GAP_PX
    for number in range(5):
        row, column = divmod(number, 3)
        top, left = GAP_PX + row * cell_h, GAP_PX + column * (120 + GAP_PX)
        assert (sheet[top : top + 80, left : left + 120] == 50 * (number + 1)).all()
        assert sheet[top + 80 : top + cell_h - GAP_PX, left : left + 60].max() > 150
    assert (sheet[GAP_PX + cell_h :, GAP_PX + 2 * (120 + GAP_PX) :] < 30).all()  # no sixth tile


def test_other_shapes_keep_their_proportions() -> None:
    wide, tall = np.full((40, 80, 3), 200, np.uint8), np.full((80, 40, 1), 100, np.uint8)
    sheet = contact_sheet([(wide, "wide"), (tall, "a caption that is far too long")], 2, 160)
    assert (sheet == 200).all(axis=-1).sum() == 80 * 160
    assert (sheet == 100).all(axis=-1).sum() >= 80 * 40


def test_captions_may_have_several_lines() -> None:
    tile = np.zeros((40, 60, 3), np.uint8)
    one = contact_sheet([(tile, "1. when")], 1, 120)
    two = contact_sheet([(tile, "1. when\nwhy")], 1, 120)
    assert two.shape[0] == one.shape[0] + LINE_PX
    assert two[-LINE_PX - GAP_PX : -GAP_PX].max() > 100


def test_few_tiles_make_a_narrow_sheet() -> None:
    one = contact_sheet([(np.zeros((10, 10, 3), np.uint8), "")], columns=5, tile_width_px=100)
    assert one.shape[1] == 100 + 2 * GAP_PX


@pytest.mark.parametrize(("count", "columns"), [(0, 3), (1, 0)])
def test_bad_input_is_refused(count: int, columns: int) -> None:
    with pytest.raises(ValueError, match="columns >= 1"):
        contact_sheet([(np.zeros((4, 4, 3), np.uint8), "")] * count, columns)
