"""Another day of a scene: what changes while nothing unusual happens.

Each kind is a fixed function of the number of the frame, so that every model sees the same.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.footage.frames import Clip, Image
from tlae.footage.sources import open_footage
from tlae.progress import progress
from tlae.whole_file import replace_folder

Light = npt.NDArray[np.float32]
Change = Callable[[Light, int], Light]  # of one RGB picture 0..255 and its number in the clip

MARK = "day.txt"
SHIFT_PX = 2
SHADOW_PERIOD = 60.0  # frames, over 2 pi
PARKED = (0.12, 0.10)  # height and width of what is parked, in picture heights and widths


def dark(picture: Light, _: int) -> Light:
    """18 grey levels darker."""
    return picture - 18


def dim(picture: Light, _: int) -> Light:
    """0.85 of the light."""
    return picture * np.float32(0.85)


def gamma(picture: Light, _: int) -> Light:
    """Another tone curve."""
    return np.float32(255) * np.power(picture / 255, np.float32(1.2))


def shift(picture: Light, _: int) -> Light:
    """The camera hangs 2 px further to the left and higher."""
    moved = np.pad(picture, ((SHIFT_PX, 0), (SHIFT_PX, 0), (0, 0)), mode="edge")
    return moved[:-SHIFT_PX, :-SHIFT_PX]


def shadow(picture: Light, number: int) -> Light:
    """A soft shadow, 40 % darker, wanders from side to side."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    middle = width * (0.5 + 0.6 * np.sin(number / SHADOW_PERIOD))
    apart = np.hypot((rows - 0.55 * height) / (0.22 * height), (columns - middle) / (0.18 * width))
    depth = 0.4 * np.clip(3 - 2 * apart, 0, 1)
    return np.asarray(picture * (1 - depth[..., None]), np.float32)


def noise(picture: Light, number: int) -> Light:
    """Sensor noise of 4 grey levels."""
    generator = np.random.default_rng(number)
    return np.asarray(picture + generator.normal(0, 4, picture.shape), np.float32)


def compressed(picture: Light, _: int) -> Light:
    """A JPEG of quality 30."""
    levels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    _, coded = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.float32)


def parked(picture: Light, _: int) -> Light:
    """A thing stands in the lower left all day, which was not there in training."""
    height, width = picture.shape[:2]
    tall, wide = round(PARKED[0] * height), round(PARKED[1] * width)
    top, left = round(0.7 * height), round(0.12 * width)
    changed = picture.copy()
    changed[top : top + tall, left : left + wide] = (70, 60, 95)
    return changed


DAYS: dict[str, Change] = {
    kind.__name__: kind for kind in (dark, dim, gamma, shift, shadow, noise, compressed, parked)
}


def require_days(days: list[str]) -> None:
    """Refuse kinds that are not known.

    Raises:
        UserError: names them.
    """
    if unknown := sorted(set(days) - set(DAYS)):
        raise UserError(f"days must be of {', '.join(DAYS)}, got {', '.join(unknown)}")


def changed(picture: Image, kind: str, number: int) -> Image:
    """An RGB picture as it looks on another day.

    Args:
        picture: (H, W, 3).
        kind: of ``DAYS``.
        number: of the picture in its clip.
    """
    light = DAYS[kind](picture.astype(np.float32), number)
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def write_day(source: Path, kind: str, folder: Path) -> None:
    """Write the footage of a folder as it looks on another day; done once.

    Args:
        source: footage.
        kind: of ``DAYS``.
        folder: new; the same day found there is left alone.
    """
    if (folder / MARK).is_file():
        return
    clips = open_footage(str(source)).clips
    with replace_folder(folder, MARK, (MARK, "*/*.png")) as new:
        new.mkdir(parents=True, exist_ok=True)
        for clip in clips:
            _write_clip(clip, kind, new / clip.name)
        (new / MARK).write_text(f"{kind} of {source}\n", encoding="utf-8")


def _write_clip(clip: Clip, kind: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    with progress(f"another day ({kind}) of {clip.name}", clip.length) as advance:
        for frame in clip.frames():
            if frame.image is not None:
                picture = changed(frame.image, kind, frame.frame)
                path = folder / f"{frame.frame:06d}.png"
                cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            advance(1)
