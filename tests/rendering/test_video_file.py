import errno
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tlae.errors import UserError
from tlae.rendering.png import write_png
from tlae.rendering.video_file import VideoFile

SIZE_HW = (62, 94)


def pictures(count: int, size_hw: tuple[int, int] = SIZE_HW) -> Iterator[np.ndarray]:
    for number in range(count):
        image = np.full((*size_hw, 3), 40, np.uint8)
        image[10:40, number * 4 : number * 4 + 30] = (220, 60, 30)
        yield image


def plane_of(frame: av.VideoFrame, index: int) -> np.ndarray:
    plane = frame.planes[index]
    pixels = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return pixels[:, : plane.width].astype(float)


@pytest.mark.parametrize("size_hw", [(62, 94), (61, 93)])
def test_the_file_plays_in_a_browser(tmp_path: Path, size_hw: tuple[int, int]) -> None:
    path = tmp_path / "clip.mp4"
    with VideoFile(path, 29.97, size_hw) as video:
        for image in pictures(7, size_hw):
            video.write(image)
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.codec_context.colorspace == 1  # BT.709
        assert (stream.height, stream.width) == (62, 94)
        assert float(stream.average_rate) == pytest.approx(29.97, abs=1e-4)
        times = [frame.time for frame in container.decode(video=0)]
    np.testing.assert_allclose(times, np.arange(7) / 29.97, atol=1e-3)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_colours_survive(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with VideoFile(path, 10, SIZE_HW) as video:
        for image in pictures(3):
            video.write(image)
    with av.open(str(path)) as container:
        *_, last = container.decode(video=0)
        luma, blue, red = (plane_of(last, index) for index in range(3))
    light = (0.2126 * 220 + 0.7152 * 60 + 0.0722 * 30) / 255  # BT.709
    expected = [
        16 + 219 * light,
        128 + 224 * (30 / 255 - light) / 1.8556,
        128 + 224 * (220 / 255 - light) / 1.5748,
    ]
    found = [luma[15:35, 16:30].mean(), blue[8:17, 8:15].mean(), red[8:17, 8:15].mean()]
    np.testing.assert_allclose(found, expected, atol=3)
    assert luma[50:, 60:].mean() == pytest.approx(16 + 219 * 40 / 255, abs=2)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_after_an_error(tmp_path: Path, error: type[BaseException]) -> None:
    old = tmp_path / "clip.mp4"
    old.write_bytes(b"of before")

    def write_and_fail() -> None:
        with VideoFile(old, 10, SIZE_HW) as video:
            video.write(next(pictures(1)))
            assert (tmp_path / "clip.mp4.part").exists()
            raise error

    with pytest.raises(error):
        write_and_fail()
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]
    assert old.read_bytes() == b"of before"


def test_pictures_of_another_size_or_kind_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"must be uint8 of shape \(62, 94, 3\)"),
        VideoFile(tmp_path / "clip.mp4", 10, SIZE_HW) as video,
    ):
        video.write(np.zeros((62, 92, 3), np.uint8))
    with (
        pytest.raises(ValueError, match="float64"),
        VideoFile(tmp_path / "clip.mp4", 10, SIZE_HW) as video,
    ):
        video.write(np.zeros((62, 94, 3)))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "clip.mp4"
    monkeypatch.setattr(Path, "replace", fail)
    shown = r"clip\.mp4 must be writable, got: No space left.*free"
    with pytest.raises(UserError, match=shown), VideoFile(path, 10, SIZE_HW) as video:
        video.write(next(pictures(1)))
    with pytest.raises(UserError, match=r"still\.png must be writable, got: No space left"):
        write_png(tmp_path / "still.png", next(pictures(1)))
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_told_at_once(tmp_path: Path) -> None:
    video = VideoFile(tmp_path / "none" / "clip.mp4", 10, SIZE_HW)
    with pytest.raises(UserError, match="No such file"):
        video.__enter__()


def test_a_video_without_frames_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="at least one"), VideoFile(tmp_path / "a.mp4", 9, SIZE_HW):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_fps_is_checked(tmp_path: Path, fps: float) -> None:
    with pytest.raises(UserError, match="fps"):
        VideoFile(tmp_path / "clip.mp4", fps, SIZE_HW)


def test_the_name_ends_in_mp4(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.mp4"):
        VideoFile(tmp_path / "clip.avi", 10, SIZE_HW)


def test_png_keeps_colours(tmp_path: Path) -> None:
    image = next(pictures(1))
    write_png(tmp_path / "still.png", image)
    back = cv2.cvtColor(cv2.imread(str(tmp_path / "still.png")), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(back, image)
    assert [file.name for file in tmp_path.iterdir()] == ["still.png"]
