"""What is anomalous: times, and where known the regions, whatever file they came from."""

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.bool_]
Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]  # left, top, width, height in pixels


@dataclass(frozen=True)
class TruthRegion:
    """One annotated thing in one frame.

    Attributes:
        box: left, top, width, height in pixels of the annotated picture.
        mask: (height, width) of the box, True on the thing; None: all of the box.
        track: number of the thing's track in its clip, where the annotation has tracks.
    """

    box: Box
    mask: Mask | None = None
    track: int | None = None


@dataclass(frozen=True)
class ClipTruth:
    """Ground truth of one clip.

    Attributes:
        clip: its name, as in the score table.
        anomalous: (n,), True for each anomalous frame.
        size_hw: size of the annotated picture; None where only times are labelled.
        regions_of: regions of a frame (0-based); None where only times are labelled.
    """

    clip: str
    anomalous: Labels
    size_hw: tuple[int, int] | None = None
    regions_of: Callable[[int], list[TruthRegion]] | None = None

    @property
    def has_regions(self) -> bool:
        """Whether it says where, not only when."""
        return self.regions_of is not None

    def mask_of(self, frame: int) -> Mask:
        """All regions of a frame painted, (H, W) of ``size_hw``."""
        assert self.regions_of is not None
        assert self.size_hw is not None
        return painted(self.regions_of(frame), self.size_hw)


@dataclass(frozen=True)
class GroundTruth:
    """Ground truth of all clips.

    Attributes:
        clips: in the order of the score table.
        notes: what a reader must know, a line each (frames in which masks and ranges disagree).
    """

    clips: tuple[ClipTruth, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def anomalous(self) -> Labels:
        """One label per frame, clips one after the other."""
        return np.concatenate([clip.anomalous for clip in self.clips])

    @property
    def has_regions(self) -> bool:
        """Whether any clip says where, not only when."""
        return any(clip.has_regions for clip in self.clips)


def region_pixels(
    region: TruthRegion, size_hw: tuple[int, int]
) -> tuple[tuple[slice, slice], Mask]:
    """Part of a region within a picture: the window of its box, and the mask in that window."""
    left, top, width, height = region.box
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = max(min(top + height, size_hw[0]), y0), max(min(left + width, size_hw[1]), x0)
    window = (slice(y0, y1), slice(x0, x1))
    if region.mask is None:
        return window, np.ones((y1 - y0, x1 - x0), dtype=bool)
    return window, region.mask[y0 - top : y1 - top, x0 - left : x1 - left]


def painted(regions: list[TruthRegion], size_hw: tuple[int, int]) -> Mask:
    """Union of regions as a mask; parts beyond the picture are cut off."""
    mask = np.zeros(size_hw, dtype=bool)
    for region in regions:
        window, inside = region_pixels(region, size_hw)
        mask[window] |= inside
    return mask


def regions_in(mask: Mask) -> list[TruthRegion]:
    """Connected regions (8 neighbours) of a mask (H, W), without tracks."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    regions = []
    for number in range(1, count):
        left, top, width, height = (int(value) for value in stats[number][:4])
        crop = labels[top : top + height, left : left + width] == number
        regions.append(TruthRegion((left, top, width, height), crop))
    return regions
