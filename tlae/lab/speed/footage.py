"""Footage to measure on: one drawn scene as 720p video and as 1080p pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from tlae.footage.frames import Image
from tlae.footage.sources import open_footage
from tlae.lab.scenes.options import SceneOptions
from tlae.lab.scenes.writer import write_scene
from tlae.rendering.video_file import VideoFile

SMALL_HW = (180, 320)
VIDEO_HW = (720, 1280)
PICTURES_HW = (1080, 1920)
JPEG_QUALITY = 90
FPS = 10.0


@dataclass(frozen=True)
class SpeedFootage:
    """What is measured on.

    Attributes:
        small: folder of the scene as it was drawn, to learn from.
        kinds: path of what is scored, by what it is.
        frames: of each.
    """

    small: Path
    kinds: dict[str, Path]
    frames: int


def write_footage(folder: Path, frames: int) -> SpeedFootage:
    """Draw a scene, and write it enlarged.

    Args:
        folder: a new one.
        frames: of each kind, >= 16.
    """
    options = SceneOptions(
        size_hw=SMALL_HW, train_clips=1, train_frames=frames, test_clips=1, test_frames=16
    )
    write_scene(folder / "scene", options)
    small = folder / "scene/Train"
    video, pictures = folder / "720p.mp4", folder / "1080p"
    with VideoFile(video, FPS, VIDEO_HW) as file:
        for picture in _enlarged(small, VIDEO_HW):
            file.write(picture)
    pictures.mkdir()
    for number, picture in enumerate(_enlarged(small, PICTURES_HW)):
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        cv2.imwrite(str(pictures / f"{number:06d}.jpg"), picture[..., ::-1], quality)
    return SpeedFootage(small, {"720p H.264": video, "1080p JPEG": pictures}, frames)


def _enlarged(folder: Path, size_hw: tuple[int, int]) -> Iterator[Image]:
    for frame in open_footage(str(folder)).frames():
        if frame.image is not None:
            yield cv2.resize(frame.image, size_hw[::-1], interpolation=cv2.INTER_CUBIC)
