"""Ignore mask: places whose changes do not count, as a picture or as polygons.

PNG: black is ignored, white is watched, stretched to the net's size. YAML, in relative coordinates
(0..1 from the left, 0..1 from the top), so that it fits every resolution::

    ignore:
      clock: [[0, 0], [0.3, 0], [0.3, 0.05], [0, 0.05]]
      tree: [[0.8, 0.1], [1, 0.1], [1, 0.6]]
"""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from omegaconf import OmegaConf

from tlae.errors import UserError

SUBPIXEL_BITS = 4

Mask = npt.NDArray[np.bool_]


def read_mask(path: Path, size_hw: tuple[int, int]) -> Mask:
    """Read an ignore mask.

    Returns:
        (H, W) of ``size_hw``, True where changes count.

    Raises:
        UserError: missing, unreadable, malformed, or nothing left to watch.
    """
    if not path.is_file():
        raise UserError(f"footage.mask must be an existing PNG or YAML file, got {path}")
    if path.suffix.lower() in (".yaml", ".yml"):
        watched = _from_polygons(path, size_hw)
    else:
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise UserError(f"footage.mask must be a picture or YAML, {path} is neither")
        smaller = cv2.resize(picture, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_AREA)
        watched = smaller > 127
    if not watched.any():
        raise UserError(f"footage.mask must leave something to watch, {path} ignores everything")
    return watched


def _from_polygons(path: Path, size_hw: tuple[int, int]) -> Mask:
    try:
        content = OmegaConf.to_container(OmegaConf.load(path))
        polygons = dict(content["ignore"])  # type: ignore[index, call-overload, arg-type]
    except Exception as error:  # any YAML or type error means the same to the user
        raise UserError(
            f"footage.mask: {path} must hold `ignore:` with named lists of [x, y] points ({error})"
        ) from error
    watched = np.full(size_hw, 255, np.uint8)
    for name, points in polygons.items():
        corners = np.asarray(points, dtype=np.float64)
        if corners.ndim != 2 or corners.shape[0] < 3 or corners.shape[1] != 2:
            raise UserError(f"footage.mask: polygon {name} in {path} needs 3 or more [x, y] points")
        if corners.min() < 0 or corners.max() > 1:
            raise UserError(
                f"footage.mask: points of {name} in {path} must be within 0..1 (shares of width "
                f"and "
                f"height), got {corners.min():g}..{corners.max():g}"
            )
        scaled = (corners * (size_hw[1], size_hw[0]) - 0.5) * 2**SUBPIXEL_BITS
        cv2.fillPoly(watched, [scaled.round().astype(np.int32)], 0, shift=SUBPIXEL_BITS)
    return watched > 0
