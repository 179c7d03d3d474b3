from pathlib import Path

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from tlae.evaluation.ground_truth import TruthRegion, regions_in
from tlae.evaluation.tracks import LINKED, area_px, link_tracks, shared_px

# neighbours in the plane, and the same pixel one frame before and after
IN_PLANE_AND_TIME = np.zeros((3, 3, 3), dtype=bool)
IN_PLANE_AND_TIME[1] = True
IN_PLANE_AND_TIME[:, 1, 1] = True


def test_shared_pixels_of_boxes_and_masks() -> None:
    square = TruthRegion((2, 2, 4, 4))
    ring = np.ones((4, 4), dtype=bool)
    ring[1:3, 1:3] = False
    assert shared_px(square, TruthRegion((4, 4, 4, 4), ring)) == 3  # 2 x 2 common, one in the hole
    assert shared_px(square, TruthRegion((6, 2, 4, 4))) == 0  # side by side
    assert (area_px(square), area_px(TruthRegion((0, 0, 4, 4), ring))) == (16, 12)


def linked(frames: list[list[TruthRegion]]) -> list[list[int]]:
    return [[track - LINKED for track in tracks] for tracks in link_tracks(frames)]


def test_the_larger_part_goes_on_and_a_gap_ends_a_track() -> None:
    left, right, both = (
        TruthRegion((0, 0, 4, 3)),
        TruthRegion((5, 0, 3, 3)),
        TruthRegion((0, 0, 8, 3)),
    )
    assert linked([[left, right], [both], [right, left]]) == [[0, 1], [0], [2, 0]]
    assert linked([[left, right], [right, left]]) == [[0, 1], [1, 0]]
    assert linked([[left], [], [left]]) == [[0], [], [1]]
    assert linked([]) == []


def test_given_tracks_are_kept() -> None:
    given_track, loose = TruthRegion((0, 0, 3, 3), track=4), TruthRegion((0, 0, 3, 3))
    frames = [[given_track], [given_track, loose], [loose]]
    assert link_tracks(frames) == [[4], [4, LINKED], [LINKED]]


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6))))
def test_a_track_is_one_region_per_frame_without_gaps_in_one_volume(volume: np.ndarray) -> None:
    frames = [regions_in(mask) for mask in volume]
    volumes, _ = ndimage.label(volume, IN_PLANE_AND_TIME)
    seen: dict[int, list[tuple[int, int]]] = {}  # track -> time and volume of its regions
    for time, (regions, tracks) in enumerate(zip(frames, link_tracks(frames), strict=True)):
        for region, track in zip(regions, tracks, strict=True):
            left, top, width, height = region.box
            inside = volumes[time, top : top + height, left : left + width][region.mask]
            seen.setdefault(track, []).append((time, int(inside[0])))
    for places in seen.values():
        times = [time for time, _ in places]
        assert times == list(range(times[0], times[-1] + 1))
        assert len({number for _, number in places}) == 1
    assert {number for places in seen.values() for _, number in places} == set(
        volumes[volumes > 0].tolist()
    )


def test_ped2_has_2411_regions_on_21_tracks(shared_data: Path) -> None:
    regions = tracks = 0
    for folder in sorted((shared_data / "UCSDped2" / "Test").glob("Test???_gt")):
        masks = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(folder.iterdir()))
        numbers = link_tracks([regions_in(mask != 0) for mask in masks if mask is not None])
        regions += sum(map(len, numbers))
        tracks += len({number for line in numbers for number in line})
    assert (regions, tracks) == (2411, 21)
