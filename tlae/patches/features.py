"""What a place of a still looks like, and what light the whole still was taken in."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from tlae.patches.learnt_planes import LearntPlanes, enlarged, whole

Image = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

PLANES = 8
CELL_PX = 4
BOX_PX = 6  # a cell tells of so much around it
STEP = 0.01  # of the planes, which are kept as 8-bit numbers
AROUND = 0.052  # standard deviation of the surroundings, in picture heights
LOOK_HW = (18, 32)  # thumbnail of a look
LOOK_NUMBERS = LOOK_HW[0] * LOOK_HW[1] + 1  # and its brightness
BRIGHTNESS_COUNTS = 4.0  # in a look, beside the thumbnail
CHROMA = 15.0  # difference of a Lab chroma that counts as 1


class Still(NamedTuple):
    """A still as it is compared.

    Attributes:
        planes: (P, h, w) int8, in steps of ``STEP``: edges towards each side, brightness in the
            contrast of its surroundings, brightness relative to them, and two chromas less theirs;
            then what a net has learnt to see, if there is one.
        look: (``LOOK_NUMBERS``,), a thumbnail and the brightness, by which stills of like light
            are found.
        learnt: (``LEARNT``, h', w'), what the net says, before it is enlarged; None: no net.
    """

    planes: npt.NDArray[np.int8]
    look: Plane
    learnt: npt.NDArray[np.int8] | None = None


def grid_of(size_hw: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of cells of a picture."""
    rows, columns = (len(range(CELL_PX // 2, side, CELL_PX)) for side in size_hw)
    return rows, columns


def still_of(picture: Image, learnt: LearntPlanes | None = None) -> Still:
    """Measure a picture (H, W, C), C = 1 or 3 (RGB), also with what a net has learnt to see.

    Brightness is taken relative to the surroundings (local contrast normalisation, Jarrett et al.
    2009, *What is the best multi-stage architecture for object recognition?*, section 2), so that
    the light of the hour drops out.
    """
    coloured = in_colour(picture)
    lab = cv2.cvtColor(coloured.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = lab[..., 0] / 100
    reach = AROUND * len(picture)
    mean = _blurred(light, reach)
    spread = np.sqrt(np.maximum(_blurred(light * light, reach) - mean * mean, 0))
    contrast = (light - mean) / (spread + 0.03 + 0.1 * mean)
    across = cv2.Sobel(contrast, cv2.CV_32F, 1, 0, ksize=3) / 4
    down = cv2.Sobel(contrast, cv2.CV_32F, 0, 1, ksize=3) / 4
    chromas = ((lab[..., part] - _blurred(lab[..., part], reach)) / CHROMA for part in (1, 2))
    relative = 2 * (light - mean) / (mean + 0.05)
    planes = [
        *(np.maximum(edge, 0) for edge in (across, -across, down, -down)),
        contrast / 2,
        relative,
        *chromas,
    ]
    cells = np.stack([_cells(plane) for plane in planes]) / STEP
    thumbnail = cv2.resize(contrast, LOOK_HW[::-1], interpolation=cv2.INTER_AREA).ravel()
    brightness = BRIGHTNESS_COUNTS * np.log(light.mean() + 0.02)
    look = np.append(thumbnail, brightness).astype(np.float32)
    own = whole(cells)
    if learnt is None:
        return Still(own, look)
    further = learnt.of(coloured)
    grid_hw = own.shape[1], own.shape[2]
    return Still(np.concatenate([own, enlarged(further, grid_hw)]), look, further)


def in_colour(pictures: Image) -> Image:
    """Pictures (..., C) with three channels."""
    return pictures if pictures.shape[-1] == 3 else np.repeat(pictures, 3, axis=-1)


def _blurred(plane: Plane, reach: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), reach), np.float32)


def _cells(plane: Plane) -> Plane:
    boxed = cv2.blur(plane, (BOX_PX, BOX_PX))
    return np.asarray(boxed[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX], np.float32)
