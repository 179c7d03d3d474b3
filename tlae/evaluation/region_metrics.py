"""Whether the right regions and tracks are found: RBDC and TBDC.

After Ramachandra and Jones, "Street Scene", WACV 2020. A ground-truth region is detected if a
detected region overlaps it with IoU >= 0.1; a detected region is a false positive if it overlaps no
ground-truth region so far; further detections of the same region are neither. Against false
positives per frame (FPR, which may pass 1) stand the detected share of the regions (RBDR), and the
share of the tracks of which at least 10 % of the regions are detected (TBDR). RBDC and TBDC are the
areas under these curves for an FPR from 0 to 1.

The curves start at (0, 0), where a threshold above every value detects nothing; what is found
before the first false positive then rises vertically and costs no area. The FPR is made monotone by
a running maximum, since components merge as the threshold falls. The curve is cut at an FPR of
exactly 1 by linear interpolation, and keeps its last rate where it ends below.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.evaluation.ground_truth import TruthRegion, region_pixels, regions_in
from tlae.evaluation.measure import Measure
from tlae.evaluation.pixel_metrics import (
    AnomalyMap,
    Counts,
    Floats,
    area_until,
    least_count,
)
from tlae.evaluation.tracks import area_px, shared_px
from tlae.number_words import how_many

Iou = Literal["box", "pixel"]
Boxes = npt.NDArray[np.int64]  # (n, 4): left, top, width, height

LEAST_IOU = 0.1
TRACK_SHARE = 0.1
MOST_LABELS = 2**16 - 2  # of 16 bits, which are faster to write than 32


@dataclass(frozen=True)
class Detection:
    """One detected region.

    Attributes:
        frame: number of the frame among those evaluated, from 0.
        region: where.
        score: higher is more anomalous.
    """

    frame: int
    region: TruthRegion
    score: float


def box_ious(found: Boxes, truth: Boxes) -> Floats:
    """Intersection over union of each found box (n, 4) with each true one (g, 4): (n, g)."""
    a, b = found[:, None, :], truth[None, :, :]
    start = np.maximum(a[..., :2], b[..., :2])
    end = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    shared: Counts = np.clip(end - start, 0, None).prod(axis=-1)
    union: Counts = a[..., 2:].prod(axis=-1) + b[..., 2:].prod(axis=-1) - shared
    return shared / np.maximum(union, 1)


def pixel_ious(found: Sequence[TruthRegion], truth: Sequence[TruthRegion]) -> Floats:
    """Intersection over union of each found region (n) with each true one (g): (n, g)."""
    shared = np.array([[shared_px(a, b) for b in truth] for a in found], np.float64)
    shared = shared.reshape(len(found), len(truth))
    union = np.array([area_px(a) for a in found])[:, None] + [area_px(b) for b in truth] - shared
    return shared / np.maximum(union, 1)


class RegionSweep:
    """RBDC and TBDC from maps: detected regions are the components above each of many thresholds.

    Components have 8 neighbours; each counts, however small, unless ``min_area_px`` says otherwise.
    Boxes include their last row and column, as in the common reference implementation, which
    compares boxes only.

    A threshold that no longer matters is no longer looked at: once the false positives of the
    frames seen so far exceed the number of all frames, its FPR is above 1 whatever follows.

    Args:
        thresholds: (t,), falling; a pixel is detected if value >= threshold.
        frames: number of frames that will be added in all, to this one and those it is merged with.
        iou: compare axis-aligned boxes, or pixels.
        min_area_px: smaller components are not regions.
    """

    def __init__(
        self, thresholds: AnomalyMap, frames: int, iou: Iou = "box", min_area_px: int = 1
    ) -> None:
        self.thresholds, self.frames = thresholds, frames
        self.iou, self.min_area_px = iou, min_area_px
        self._needed = len(thresholds)
        self._false = np.zeros(len(thresholds), np.int64)
        self._detected: dict[int, Counts] = {}  # regions of each track at each threshold
        self._regions: Counter[int] = Counter()  # of each track
        self._normal = 0

    def add(self, anomaly_map: AnomalyMap, regions: list[TruthRegion]) -> None:
        """Take one frame; its regions must have tracks, different ones in different clips."""
        self._normal += not regions
        tracks = [_track(region) for region in regions]
        self._regions.update(tracks)
        for track in tracks:
            self._detected.setdefault(track, np.zeros(len(self.thresholds), np.int64))
        rows, columns = anomaly_map.max(axis=1), anomaly_map.max(axis=0)
        first = int(np.searchsorted(-self.thresholds, -rows.max()))
        for index in range(first, self._needed):
            threshold = self.thresholds[index]
            y, x = np.flatnonzero(rows >= threshold), np.flatnonzero(columns >= threshold)
            window = anomaly_map[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
            ious = self._ious(window >= threshold, (int(x[0]), int(y[0])), regions)
            matches = ious >= LEAST_IOU
            self._false[index] += len(ious) - np.count_nonzero(matches.any(axis=1))
            for track, column in zip(tracks, matches.T, strict=True):
                self._detected[track][index] += column.any()
        hopeless = np.flatnonzero(self._false > self.frames)
        if len(hopeless):
            self._needed = min(self._needed, int(hopeless[0]) + 1)

    def merge(self, other: "RegionSweep") -> None:
        """Take all frames of another one with the same settings."""
        self._false += other._false
        self._regions += other._regions
        self._normal += other._normal
        for track, detected in other._detected.items():
            self._detected[track] = self._detected.get(track, 0) + detected

    def result(self) -> list[Measure]:
        """RBDC and TBDC."""
        protocol = f"sweep of {len(self.thresholds)} thresholds"
        basis = _basis(self.frames, self._normal, self._regions, f"{self.iou} IoU >= {LEAST_IOU}")
        if not self._regions:
            return _measures(protocol, None, basis)
        detected = np.stack(list(self._detected.values()))  # (tracks, t)
        needed = [least_count(TRACK_SHARE, self._regions[track]) for track in self._detected]
        rates = (
            detected.sum(axis=0) / self._regions.total(),
            (detected >= np.array(needed)[:, None]).mean(axis=0),
        )
        return _measures(protocol, _areas(self._false / self.frames, rates), basis)

    def _ious(
        self, above: npt.NDArray[np.bool_], corner: tuple[int, int], regions: list[TruthRegion]
    ) -> Floats:
        """IoU of each component of a window with each region, (n, g); corner: left, top of it."""
        labels, stats = _components(above)
        areas = stats[:, cv2.CC_STAT_AREA]
        large = areas >= self.min_area_px
        if self.iou == "box":
            return box_ious(stats[large, :4], _boxes(regions) - (*corner, 0, 0))
        ious = np.zeros((len(areas), len(regions)))
        for column, region in enumerate(regions):
            left, top, width, height = region.box
            moved = replace(region, box=(left - corner[0], top - corner[1], width, height))
            window, mask = region_pixels(moved, (above.shape[0], above.shape[1]))
            shared = np.bincount(labels[window][mask], minlength=len(areas) + 1)[1:]
            ious[:, column] = shared / (areas + area_px(region) - shared)
        return ious[large]


def _components(above: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.integer], Boxes]:
    """Labels (h, w) of the components of a mask, and left, top, width, height, area of each."""
    height, width = above.shape
    few = ((height + 1) // 2) * ((width + 1) // 2) <= MOST_LABELS
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        above.view(np.uint8), 8, cv2.CV_16U if few else cv2.CV_32S, cv2.CCL_SPAGHETTI
    )
    return labels, stats[1:].astype(np.int64)


def detections_in(
    anomaly_map: AnomalyMap, frame: int, threshold: float, min_area_px: int = 1
) -> list[Detection]:
    """Components above one base threshold, each scored by its largest value."""
    detections = []
    for region in regions_in(anomaly_map >= threshold):
        if area_px(region) >= min_area_px:
            window, mask = region_pixels(region, (anomaly_map.shape[0], anomaly_map.shape[1]))
            detections.append(Detection(frame, region, float(anomaly_map[window][mask].max())))
    return detections


def score_detections(
    detections: Iterable[Detection], truth: Sequence[list[TruthRegion]], iou: Iou = "box"
) -> list[Measure]:
    """Measure RBDC and TBDC of scored regions in one pass from high score to low.

    Unlike the sweep, a detection keeps its region at every threshold. Detections of one score are
    taken together, so their order does not matter. The same region given twice in a frame is one
    detection, of the higher score.

    Args:
        detections: of all frames, in any order.
        truth: regions of each evaluated frame, with tracks, different ones in different clips.
        iou: compare axis-aligned boxes, or pixels.

    Raises:
        UserError: a detection lies in no evaluated frame, or its score is not a finite number.
    """
    false, found = _outcomes(_by_frame(detections, len(truth)), truth, iou)
    counts = Counter({track: len(scores) for track, scores in found.items()})
    normal = sum(not regions for regions in truth)
    basis = _basis(len(truth), normal, counts, f"{iou} IoU >= {LEAST_IOU}")
    protocol = "detections in order of score"
    if not counts:
        return _measures(protocol, None, basis)
    regions = [score for scores in found.values() for score in scores]
    tracks = [sorted(scores)[-least_count(TRACK_SHARE, len(scores))] for scores in found.values()]
    steps = np.unique([*false, *regions])[::-1]
    steps = steps[np.isfinite(steps)]
    fpr = _reached(false, steps) / len(truth)
    rates = (_reached(regions, steps) / len(regions), _reached(tracks, steps) / len(tracks))
    return _measures(protocol, _areas(fpr, rates), basis)


def _by_frame(detections: Iterable[Detection], frames: int) -> list[list[Detection]]:
    """Detections of each frame, every region once."""
    best: list[dict[object, Detection]] = [{} for _ in range(frames)]
    for detection in detections:
        frame, region, score = detection.frame, detection.region, detection.score
        if not 0 <= frame < frames:
            raise UserError(
                f"detections must lie in frames 0..{frames - 1} (those evaluated), "
                f"got frame {frame}; leave it out"
            )
        if not np.isfinite(score):
            raise UserError(f"scores of detections must be finite, got {score} in frame {frame}")
        key = region.box, None if region.mask is None else region.mask.tobytes()
        if key not in best[frame] or score > best[frame][key].score:
            best[frame][key] = detection
    return [list(here.values()) for here in best]


def _outcomes(
    detections: Sequence[list[Detection]], truth: Sequence[list[TruthRegion]], iou: Iou
) -> tuple[list[float], dict[int, list[float]]]:
    """Scores of the false positives; of each track, the score at which each region is detected."""
    false: list[float] = []
    found: dict[int, list[float]] = {}
    for found_here, regions in zip(detections, truth, strict=True):
        scores = np.array([detection.score for detection in found_here])
        areas = [detection.region for detection in found_here]
        if iou == "box":
            matches = box_ious(_boxes(areas), _boxes(regions)) >= LEAST_IOU
        else:
            matches = pixel_ious(areas, regions) >= LEAST_IOU
        false += scores[~matches.any(axis=1)].tolist()
        for region, matching in zip(regions, matches.T, strict=True):
            best = float(scores[matching].max(initial=-np.inf))  # -inf: never
            found.setdefault(_track(region), []).append(best)
    return false, found


def _boxes(regions: list[TruthRegion]) -> Boxes:
    return np.array([region.box for region in regions], np.int64).reshape(-1, 4)


def _reached(scores: list[float], steps: Floats) -> Counts:
    """Number of scores that are at least each step."""
    return len(scores) - np.searchsorted(np.sort(scores), steps)


def _areas(fpr: Floats, rates: tuple[Floats, Floats]) -> list[float]:
    """Areas under rates against false positives per frame, from high threshold to low."""
    x = np.append(0, np.maximum.accumulate(fpr))
    return [area_until(x, np.append(0, rate), 1.0) for rate in rates]


def _track(region: TruthRegion) -> int:
    if region.track is None:
        raise ValueError("regions must have tracks; link_tracks finds them")
    return region.track


def _basis(frames: int, normal: int, regions: Counter[int], rule: str) -> str:
    return (
        f"{how_many(frames, 'frame')}, {normal:,} normal, {how_many(regions.total(), 'region')}, "
        f"{how_many(len(regions), 'track')}, {rule}"
    )


def _measures(protocol: str, areas: list[float] | None, basis: str) -> list[Measure]:
    rbdc, tbdc = areas or (None, None)
    basis = basis if areas else f"needs anomalous regions; {basis}"
    return [
        Measure("rbdc", f"RBDC (Ramachandra 2020), {protocol}", "region", rbdc, basis=basis),
        Measure("tbdc", f"TBDC (Ramachandra 2020), {protocol}", "region", tbdc, basis=basis),
    ]
