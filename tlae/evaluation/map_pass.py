"""All pixel and region figures in one pass over the maps of an evaluation, in constant memory."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import takewhile
from threading import Event
from typing import TypeVar

import cv2
import numpy as np

from tlae.errors import UserError
from tlae.evaluation.ground_truth import ClipTruth, GroundTruth, Labels, TruthRegion
from tlae.evaluation.measure import Measure
from tlae.evaluation.pixel_metrics import (
    KEY_BITS,
    AnomalyMap,
    Counts,
    PixelCriteria,
    PixelPool,
    float_keys,
    lowest_of_keys,
)
from tlae.evaluation.region_metrics import Iou, RegionSweep
from tlae.evaluation.tracks import link_tracks
from tlae.progress import Advance, quiet

THREADS = 2  # OpenCV and numpy compute outside Python's lock; more threads wait for it
SWEEP = 100  # thresholds of regions; 400 move RBDC, TBDC of UCSD Ped2 by 0.1 and 0.7 points

MapOf = Callable[[int], AnomalyMap]
T = TypeVar("T")


@dataclass(frozen=True)
class _Frame:
    """A frame to evaluate: row of its map, its clip, its number there, tracks of its regions."""

    row: int
    clip: ClipTruth
    frame: int
    tracks: list[int]

    def regions(self) -> list[TruthRegion]:
        """Its regions, with tracks."""
        assert self.clip.regions_of is not None
        regions = self.clip.regions_of(self.frame)
        return [
            replace(region, track=track) for region, track in zip(regions, self.tracks, strict=True)
        ]


def map_measures(
    map_of: MapOf,
    has_map: Labels,
    truth: GroundTruth,
    advance: Advance = quiet,
    *,
    iou: Iou = "box",
) -> list[Measure]:
    """Measure how well anomaly maps show where, pixel by pixel and region by region.

    Maps are read twice: a quick look at all values chooses the thresholds of the regions, then one
    pass does everything else. Two threads take every other frame each, and their counts are added
    up in the end, so figures do not depend on which is faster.

    Evaluated are the frames of clips with regions that have a map. Where a frame is labelled
    anomalous but no region says where, it is passed by.

    Args:
        map_of: map (h, w) of a row, higher is more anomalous; enlarged bilinearly to the annotated
            picture where it is smaller. Called from two threads.
        has_map: (n,), True for each row with a map; clips one after the other, as in ``truth``.
        truth: ground truth of the same clips.
        advance: called with the number of frames done, in the end as many as there are.
        iou: of detected and true regions, of axis-aligned boxes or of pixels.

    Returns:
        Pixel level, then region level.

    Raises:
        UserError: a map is no plane of finite numbers.
    """
    frames = _frames(has_map, truth)
    advance(len(has_map) - len(frames))
    counts = _in_threads(lambda part: _histogram(part, map_of), frames)
    thresholds = sweep_thresholds(np.sum(counts, axis=0), len(frames))

    def measure(part: Iterable[_Frame]) -> tuple[PixelCriteria, PixelPool, RegionSweep]:
        sums = PixelCriteria(), PixelPool(), RegionSweep(thresholds, len(frames), iou)
        for frame in part:
            anomaly_map, regions = _map_of(frame, map_of), frame.regions()
            for accumulator in sums:
                accumulator.add(anomaly_map, regions)
            advance(1)
        return sums

    return _results(_in_threads(measure, frames))


def sweep_thresholds(counts: Counts, frames: int, most: int = SWEEP) -> AnomalyMap:
    """Choose thresholds that lead the false positives per frame from about 0 to beyond 1.

    Maps of few values, such as masks, are cut at each value above the lowest, which would detect
    everything. Otherwise the share of all pixels above the threshold grows by a constant factor:
    from one pixel in a hundred frames, where at most as many regions can be false, to half of all,
    where regions have long merged.

    Args:
        counts: (2^20,), pixels by ``float_keys``, of all frames.
        frames: number of frames.
        most: number of thresholds; fewer where several fall on one value.

    Returns:
        (t,), falling, all above the lowest value.
    """
    keys = np.flatnonzero(counts)[::-1]
    if len(keys) > most + 1:
        above = counts[keys].cumsum()  # pixels at or above each key
        wanted = np.geomspace(max(0.01 * frames, 1), above[-1] / 2, most)
        chosen = np.unique(np.searchsorted(above, wanted))
        keys = np.append(keys[chosen[chosen < len(keys) - 1]], keys[-1])
    return lowest_of_keys(keys[:-1])


def _frames(has_map: Labels, truth: GroundTruth) -> list[_Frame]:
    """Frames to evaluate, with tracks numbered through all clips."""
    assert len(has_map) == len(truth.anomalous)
    frames = []
    numbers: dict[tuple[str, int], int] = {}
    first = 0
    for clip in truth.clips:
        rows = range(first, first + len(clip.anomalous))
        first = rows.stop
        if clip.regions_of is None:
            continue
        tracks_of = link_tracks(map(clip.regions_of, range(len(rows))))
        for frame, (row, tracks) in enumerate(zip(rows, tracks_of, strict=True)):
            if has_map[row] and (tracks or not clip.anomalous[frame]):
                unique = [numbers.setdefault((clip.clip, track), len(numbers)) for track in tracks]
                frames.append(_Frame(row, clip, frame, unique))
    return frames


def _histogram(frames: Iterable[_Frame], map_of: MapOf) -> Counts:
    """Pixels of all maps by ``float_keys``."""
    counts = np.zeros(1 << KEY_BITS, np.int64)
    for frame in frames:
        np.add.at(counts, float_keys(_map_of(frame, map_of)).ravel(), 1)
    return counts


def _results(parts: list[tuple[PixelCriteria, PixelPool, RegionSweep]]) -> list[Measure]:
    """Figures of all parts together."""
    (criteria, pool, sweep), *others = parts
    for other_criteria, other_pool, other_sweep in others:
        criteria.merge(other_criteria)
        pool.merge(other_pool)
        sweep.merge(other_sweep)
    return [*criteria.result(), *pool.result(), *sweep.result()]


def _map_of(frame: _Frame, map_of: MapOf) -> AnomalyMap:
    """Map (H, W) of a frame in the size of its annotated picture."""
    anomaly_map = np.ascontiguousarray(map_of(frame.row), np.float32)
    where = f"the one of {frame.clip.clip}, frame {frame.frame}"
    if anomaly_map.ndim != 2 or not anomaly_map.size:
        raise UserError(f"maps must be (height, width), {where} is {anomaly_map.shape}")
    if not np.isfinite(anomaly_map).all():
        wrong = int((~np.isfinite(anomaly_map)).sum())
        raise UserError(
            f"maps must hold finite numbers, {where} has {wrong:,} others; score it again"
        )
    assert frame.clip.size_hw is not None
    if anomaly_map.shape == frame.clip.size_hw:
        return anomaly_map
    height, width = frame.clip.size_hw
    resized: AnomalyMap = cv2.resize(anomaly_map, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized


def _in_threads(work: Callable[[Iterable[_Frame]], T], frames: list[_Frame]) -> list[T]:
    """Let each thread work on its share of the frames, always the same; an error ends all."""
    stop = Event()

    def share(start: int) -> T:
        return work(takewhile(lambda _: not stop.is_set(), frames[start::THREADS]))

    with ThreadPoolExecutor(THREADS) as pool:
        parts = [pool.submit(share, start) for start in range(THREADS)]
        try:
            wait(parts, return_when=FIRST_EXCEPTION)
        finally:  # all done, an error, or Ctrl-C
            stop.set()
    return [part.result() for part in parts]
