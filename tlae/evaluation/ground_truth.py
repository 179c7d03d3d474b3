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
class Region:
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
    regions_of: Callable[[int], list[Region]] | None = None

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


def painted(regions: list[Region], size_hw: tuple[int, int]) -> Mask:
    """Union of regions as a mask; parts beyond the picture are cut off."""
    mask = np.zeros(size_hw, dtype=bool)
    for region in regions:
        left, top, width, height = region.box
        x0, y0 = max(left, 0), max(top, 0)
        window = mask[y0 : max(top + height, 0), x0 : max(left + width, 0)]
        if region.mask is None:
            window[...] = True
        else:
            part = region.mask[y0 - top :, x0 - left :]
            window |= part[: window.shape[0], : window.shape[1]]
    return mask


def regions_in(mask: Mask) -> list[Region]:
    """Connected regions (8 neighbours) of a mask (H, W), without tracks."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    regions = []
    for number in range(1, count):
        left, top, width, height = (int(value) for value in stats[number][:4])
        crop = labels[top : top + height, left : left + width] == number
        regions.append(Region((left, top, width, height), crop))
    return regions
