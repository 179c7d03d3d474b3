"""Tracks of annotated things: which regions of a clip show the same thing at another time."""

from collections.abc import Iterable
from itertools import count

import numpy as np

from tlae.evaluation.ground_truth import TruthRegion

LINKED = 1_000_000  # numbers from here on are ours, not the annotation's


def area_px(region: TruthRegion) -> int:
    """Number of its pixels."""
    return region.box[2] * region.box[3] if region.mask is None else int(region.mask.sum())


def shared_px(a: TruthRegion, b: TruthRegion) -> int:
    """Number of pixels that lie in both regions."""
    left, top = max(a.box[0], b.box[0]), max(a.box[1], b.box[1])
    right = min(a.box[0] + a.box[2], b.box[0] + b.box[2])
    bottom = min(a.box[1] + a.box[3], b.box[1] + b.box[3])
    if right <= left or bottom <= top:
        return 0
    shared = np.ones((bottom - top, right - left), dtype=bool)
    for region in (a, b):
        if region.mask is not None:
            y, x = region.box[1], region.box[0]
            shared &= region.mask[top - y : bottom - y, left - x : right - x]
    return int(shared.sum())


def link_tracks(frames: Iterable[list[TruthRegion]]) -> list[list[int]]:
    """Number the tracks of one clip.

    A region without a track goes on with the region of the frame before that shares most pixels
    with it; each is followed by one at most, largest overlap first. So things that cross keep their
    tracks, and a frame without it ends a track. Tracks that the annotation gives are kept.

    Args:
        frames: regions of every frame of the clip, in order; two frames are held at a time.

    Returns:
        Track of each region of each frame; linked ones are numbered from ``LINKED`` on, in order of
        appearance.
    """
    numbered: list[list[int]] = []
    before: list[tuple[TruthRegion, int]] = []
    started = count(LINKED)
    for regions in frames:
        loose = [number for number, region in enumerate(regions) if region.track is None]
        follows = _followed([regions[number] for number in loose], [r for r, _ in before])
        tracks = [-1 if region.track is None else region.track for region in regions]
        for number, predecessor in zip(loose, follows, strict=True):
            tracks[number] = next(started) if predecessor is None else before[predecessor][1]
        before = [(regions[number], tracks[number]) for number in loose]
        numbered.append(tracks)
    return numbered


def _followed(now: list[TruthRegion], before: list[TruthRegion]) -> list[int | None]:
    """Which region of the frame before each goes on with; None: with none."""
    overlaps = sorted(
        ((-shared_px(a, b), i, j) for i, a in enumerate(now) for j, b in enumerate(before)),
    )
    follows: list[int | None] = [None] * len(now)
    taken: set[int] = set()
    for shared, i, j in overlaps:
        if shared < 0 and follows[i] is None and j not in taken:
            follows[i] = j
            taken.add(j)
    return follows
