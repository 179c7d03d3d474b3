"""What the maps say at planted objects, and which of them are shown at a threshold.

An object is found if a thing that is shown has its peak on it: in a frame in which it stands, with
the box of the thing and the map over the threshold on it, where the same frame without it was not
over the threshold. So a net that is in alarm everywhere finds nothing, and nor does one whose
alarms on it are shown as something else, or as light.
"""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.evaluation.ground_truth import Mask
from tlae.scoring.events import Box, Event

Map = npt.NDArray[np.float32]
Found = npt.NDArray[np.bool_]

WILSON = 1.96  # of a 95 % interval


def sight(planted: Map, clean: Map, mask: Mask) -> dict[str, float]:
    """What one frame with an object shows, and the same frame without it.

    Args:
        planted: map (h, w) with the object.
        clean: without.
        mask: (H, W) of any size, True on the object.

    Returns:
        ``there`` (highest value of the map on the object) and ``clean_there`` without it.
    """
    height, width = planted.shape
    share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    on = share > 0
    looks = {"there": planted, "clean_there": clean}
    return {name: float(look[on].max()) if on.any() else 0.0 for name, look in looks.items()}


def look_at(
    objects: pd.DataFrame,
    map_of: Callable[[str, int], Map],
    clean_clip: str,
    mask_of: Callable[[str, int], Mask],
) -> pd.DataFrame:
    """Sightings of all objects, one row for each frame in which one stands.

    Args:
        objects: rows of ``planted.csv``: ``clip``, ``first_frame``, ``last_frame``.
        map_of: map of a frame of a clip.
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
                looks = map_of(clip, frame), map_of(clean_clip, frame)
                yield {"object": number, "frame": frame, **sight(*looks, mask_of(clip, frame))}

    return pd.DataFrame(list(rows()))


def found_objects(
    things: Sequence[Event], objects: pd.DataFrame, sightings: pd.DataFrame, threshold: float
) -> Found:
    """Which objects are found by the things that are shown at a threshold, (count,).

    Args:
        things: of the clips with objects.
        objects: rows of ``planted.csv``: ``clip``, ``first_frame``, ``last_frame`` and the box.
        sightings: of these objects.
        threshold: in raw units.
    """
    new = sightings[(sightings["there"] > threshold) & (sightings["clean_there"] <= threshold)]
    seen = set(zip(new["object"], new["frame"], strict=True))
    boxes = objects[["left", "top", "width", "height"]].to_numpy()
    found = np.zeros(len(objects), bool)
    for thing in things:
        stands = objects["first_frame"] <= thing.peak_frame
        stands &= (objects["last_frame"] >= thing.peak_frame) & (objects["clip"] == thing.clip)
        for number in np.flatnonzero(stands):
            left, top, width, height = boxes[number]
            box = int(left), int(top), int(width), int(height)
            if (number, thing.peak_frame) in seen and _share_some(thing.box, box):
                found[number] = True
    return found


def _share_some(one: Box, other: Box) -> bool:
    """Whether two boxes overlap."""
    return all(
        one[axis] < other[axis] + other[axis + 2] and other[axis] < one[axis] + one[axis + 2]
        for axis in (0, 1)
    )


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
