"""What the maps say at planted objects, and which objects are found at a threshold.

An object is found if in one of the frames in which it stands the frame is in alarm and the region
over the threshold touches it, and if the same would not have happened there without it: in the
same frame as it was before planting. So a net that is in alarm everywhere finds nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.evaluation.ground_truth import Mask

Map = npt.NDArray[np.float32]
Found = npt.NDArray[np.bool_]

REGION_SHARE = 0.5  # of the map's peak: the region where smoothing in time alone made the alarm
WILSON = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class Glance:
    """One frame of a score table: its score and its map (h, w)."""

    raw: float
    anomaly_map: Map


def sight(planted: Glance, clean: Glance, mask: Mask) -> dict[str, float]:
    """What one frame with an object shows, and the same frame without it.

    Args:
        planted: with the object.
        clean: without.
        mask: (H, W) of any size, True on the object.

    Returns:
        ``raw``, ``peak`` (of the map) and ``there`` (highest value of the map on the object), and
        ``clean_raw``, ``clean_peak`` and ``clean_there`` of the frame without it.
    """
    height, width = planted.anomaly_map.shape
    share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    on = share > 0
    return {
        f"{prefix}{name}": float(value)
        for prefix, look in (("", planted), ("clean_", clean))
        for name, value in (
            ("raw", look.raw),
            ("peak", look.anomaly_map.max()),
            ("there", look.anomaly_map[on].max() if on.any() else 0.0),
        )
    }


def look_at(
    objects: pd.DataFrame,
    look_of: Callable[[str, int], Glance],
    clean_clip: str,
    mask_of: Callable[[str, int], Mask],
) -> pd.DataFrame:
    """Sightings of all objects, one row for each frame in which one stands.

    Args:
        objects: rows of ``planted.csv``: ``clip``, ``first_frame``, ``last_frame``.
        look_of: score and map of a frame of a clip.
        clean_clip: name of the clip without objects, frame for frame the same.
        mask_of: of a frame of a clip.

    Returns:
        ``object`` (row of it), ``frame``, and what ``sight`` says.
    """

    def rows() -> Iterator[dict[str, float]]:
        for number, (clip, first, last) in enumerate(
            objects[["clip", "first_frame", "last_frame"]].itertuples(index=False)
        ):
            for frame in range(first, last + 1):
                looks = look_of(clip, frame), look_of(clean_clip, frame)
                yield {"object": number, "frame": frame, **sight(*looks, mask_of(clip, frame))}

    return pd.DataFrame(list(rows()))


def found_objects(sightings: pd.DataFrame, count: int, threshold: float) -> Found:
    """Which objects are found at a threshold in raw units, (count,)."""

    def touches(prefix: str) -> Found:
        raw, peak, there = (
            sightings[f"{prefix}{name}"].to_numpy() for name in ("raw", "peak", "there")
        )
        level = np.where(peak > threshold, threshold, REGION_SHARE * peak)
        return np.asarray((raw > threshold) & (there > level), np.bool_)

    seen = touches("") & ~touches("clean_")
    found = np.zeros(count, bool)
    found[sightings["object"].to_numpy()[seen]] = True
    return found


def recall_grid(objects: pd.DataFrame, found: Found, by: list[str]) -> pd.DataFrame:
    """Number of objects and share of them found, for each value of some columns."""
    table = objects[by].assign(found=found)
    grouped = table.groupby(by, sort=True)["found"]
    return grouped.agg(objects="size", recall="mean").reset_index()


def wilson_interval(found: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which holds for few objects too."""
    if not count:
        return 0.0, 1.0
    share, square = found / count, WILSON**2 / count
    middle = (share + square / 2) / (1 + square)
    half = WILSON / (1 + square) * np.sqrt(share * (1 - share) / count + square / (4 * count))
    return float(middle - half), float(middle + half)
