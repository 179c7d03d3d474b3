from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.small_footage import frame_image, write_clips
from tlae.errors import UserError
from tlae.footage.sources import open_footage
from tlae.image_sets import describe
from tlae.image_sets.batch_size import measure_batch_size, parse_batch_size
from tlae.image_sets.colour_histogram import ColourHistogram
from tlae.image_sets.describe import cut_tiles, describe_footage
from tlae.image_sets.descriptor_store import Descriptors, DescriptorWriter
from tlae.image_sets.prefetch import prefetch


def describe_all(
    images: Path, out: Path, tiles_hw: tuple[int, int] | None = None, batch_size: int = 3
) -> Descriptors:
    histogram = ColourHistogram((2, 2, 2))
    with DescriptorWriter(out, "x", histogram.dimensions, {}) as writer:
        describe_footage(open_footage(str(images)), histogram, writer, batch_size, tiles_hw)
        return writer.finish()


def test_histogram_agrees_with_counting() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).reshape(-1, 3)
    counts, _ = np.histogramdd(hsv, bins=(4, 6, 3), range=((0, 180), (0, 256), (0, 256)))
    expected = counts.ravel() / np.linalg.norm(counts)
    np.testing.assert_allclose(ColourHistogram().prepare(image), expected, rtol=1e-5)


def test_every_picture_has_its_row_and_bad_ones_their_reason(tmp_path: Path) -> None:
    write_clips(tmp_path / "f", (4, 3))
    (tmp_path / "f" / "c0" / "001.png").write_bytes(b"nothing")
    found = describe_all(tmp_path / "f", tmp_path / "out")
    assert len(found.values) == 6
    assert found.left_out() == {"not an image": 1}
    last = ColourHistogram((2, 2, 2)).prepare(frame_image(2))
    np.testing.assert_array_equal(found.values[-1], last)


def test_tiles_are_cut_row_by_row_and_named(tmp_path: Path) -> None:
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    tiles = list(cut_tiles(image, (2, 3)))
    assert [(row, column) for row, column, _ in tiles] == [(r, c) for r in (0, 1) for c in range(3)]
    assert sum(tile.shape[0] * tile.shape[1] for *_, tile in tiles) == 35
    np.testing.assert_array_equal(tiles[-1][2], image[2:, 5:])
    write_clips(tmp_path / "f", (2,))
    found = describe_all(tmp_path / "f", tmp_path / "out", (2, 3))
    assert len(found.values) == 12
    assert found.ids["path"].iloc[-1].endswith("001.png#1,2")


def test_pictures_smaller_than_their_tiles_are_told(tmp_path: Path) -> None:
    write_clips(tmp_path / "f", (2,))
    cv2.imwrite(str(tmp_path / "f" / "c0" / "big.png"), np.zeros((80, 80, 3), np.uint8))
    assert describe_all(tmp_path / "f", tmp_path / "o", (40, 1)).left_out() == {
        "smaller than its tiles": 2
    }


@pytest.mark.parametrize("tiles_hw", [None, (2, 2)])
def test_interrupted_and_continued_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiles_hw: tuple[int, int] | None
) -> None:
    monkeypatch.setattr(describe, "CHUNK_ITEMS", 5)
    write_clips(tmp_path / "f", (7, 9))
    (tmp_path / "f" / "c1" / "004.png").write_bytes(b"nothing")
    describe_all(tmp_path / "f", tmp_path / "whole", tiles_hw)
    appended = DescriptorWriter.append
    left = [2]

    def killed(self: DescriptorWriter, *arguments: object) -> int:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return appended(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(DescriptorWriter, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            describe_all(tmp_path / "f", tmp_path / "killed", tiles_hw)
    described: list[int] = []
    monkeypatch.setattr(
        DescriptorWriter,
        "append",
        lambda self, table, values: described.append(len(table)) or appended(self, table, values),
    )
    describe_all(tmp_path / "f", tmp_path / "killed", tiles_hw)
    assert sum(described) < (15 if tiles_hw is None else 60)  # what was done is not done again
    for file in ("ids.parquet", "x.npy", "x.json"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()


def test_prefetch_keeps_order_and_hands_errors_on() -> None:
    def failing() -> object:
        yield 1
        raise KeyError("here")

    assert list(prefetch(iter(range(50)), 4)) == list(range(50))
    with pytest.raises(KeyError, match="here"):
        list(prefetch(failing(), 2))  # type: ignore[arg-type]
    early = prefetch(iter(range(1000)), 2)
    assert next(early) == 0
    early.close()  # ends its thread, else this hangs


def test_batches_fit_the_memory() -> None:
    histogram = ColourHistogram()
    assert measure_batch_size(histogram, "cpu") == 16
    assert measure_batch_size(histogram, "cpu", free_bytes=-1) == 1
    assert (parse_batch_size("auto"), parse_batch_size("7")) == (None, 7)
    with pytest.raises(UserError, match="batch_size must be auto or within"):
        parse_batch_size("0")
