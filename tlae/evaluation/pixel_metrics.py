"""Whether the right pixels light up: pixel-level and dual-pixel criterion, pixel AUROC, AUPRO.

Both accumulators take frame by frame an anomaly map (h, w) and the regions of its ground truth, and
go by regions alone: a frame is anomalous if a region lies in it.
"""

from math import ceil

import numpy as np
import numpy.typing as npt

from tlae.evaluation.ground_truth import Mask, TruthRegion, painted, region_pixels
from tlae.evaluation.measure import Measure
from tlae.number_words import how_many

AnomalyMap = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

KEY_BITS = 20  # of a float32: sign, exponent, 11 of 23 bits of the mantissa
SLACK = 1e-9  # 0.1 * 30 is a little more than 3


def area_until(x: Floats, y: Floats, limit: float) -> float:
    """Area under a curve by trapezoids up to ``x = limit``, cut there exactly.

    Args:
        x: (n,), not falling, from 0.
        y: (n,); where x stands still the curve jumps, which adds no area.
        limit: the curve is interpolated linearly there; one that ends earlier keeps its last value.
    """
    inside = int(np.searchsorted(x, limit, side="right"))
    last = y[-1]
    if inside < len(x):
        x0, x1 = x[inside - 1 : inside + 1]
        y0, y1 = y[inside - 1 : inside + 1]
        last = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
    return float(np.trapezoid(np.append(y[:inside], last), np.append(x[:inside], limit)))


def first_equal_error_rate(fpr: Floats, tpr: Floats) -> float:
    """Rate at which false positives and misses are first equally frequent.

    Args:
        fpr: (n,) of thresholds from high to low, from 0 to 1.
        tpr: (n,), from 0, may fall again; interpolated linearly between thresholds.
    """
    gap = fpr - (1 - tpr)
    end = int(np.argmax(gap >= 0))
    part = -gap[end - 1] / (gap[end] - gap[end - 1])
    return float(fpr[end - 1] + part * (fpr[end] - fpr[end - 1]))


def least_count(share: float, total: int) -> int:
    """Fewest of ``total`` things that are at least this share of them, and at least one."""
    return max(1, ceil(share * total - SLACK))


def float_keys(values: AnomalyMap) -> npt.NDArray[np.intp]:
    """Number values in their order, keeping 12 significant bits (2^-11 of the value or finer).

    The upper bits of a float32 sort like the number itself once the negative ones are flipped
    (Herf 2001, Radix tricks), so a histogram over them needs no scale and no range.

    Returns:
        Same shape, in [0, 2^20).
    """
    bits = (values + np.float32(0)).view(np.int32)  # -0 becomes 0
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return ((ordered >> (32 - KEY_BITS)) + (1 << (KEY_BITS - 1))).astype(np.intp)


def lowest_of_keys(keys: npt.NDArray[np.intp]) -> AnomalyMap:
    """Smallest value that has each key."""
    ordered = ((keys - (1 << (KEY_BITS - 1))) << (32 - KEY_BITS)).astype(np.int32)
    return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).view(np.float32)


def dual_pixel_changes(
    anomaly_map: AnomalyMap, truth: Mask, covered: float, inside: float
) -> tuple[AnomalyMap, Counts]:
    """Find the thresholds at which one frame becomes, or ceases to be, a true positive.

    It is one where the detected pixels (value >= threshold) are at least a share ``covered`` of its
    ground truth, and at least a share ``inside`` of them lies in it. Exact: pixels are sorted once,
    and only as many of the highest as can be detected without breaking the second rule.

    Args:
        anomaly_map: (h, w).
        truth: (h, w), with at least one pixel.
        covered: in (0, 1].
        inside: in (0, 1].

    Returns:
        (k,) thresholds from high to low, and for each +1 (becomes one) or -1 (ceases).
    """
    true_pixels = np.sort(anomaly_map[truth])
    pixels = anomaly_map.ravel()
    most = min(pixels.size, int(true_pixels.size / inside) + 2)
    highest = np.sort(np.partition(pixels, pixels.size - most)[pixels.size - most :])
    thresholds = np.unique(highest)[::-1]
    detected = highest.size - np.searchsorted(highest, thresholds)
    hits = true_pixels.size - np.searchsorted(true_pixels, thresholds)
    positive = (hits >= least_count(covered, true_pixels.size)) & (
        hits >= inside * detected - SLACK
    )
    changes = np.diff(positive.astype(np.int64), prepend=0)
    at = changes != 0
    return thresholds[at], changes[at]


class PixelCriteria:
    """Pixel-level and dual-pixel criterion: frames that are found by the right pixels.

    A normal frame is a false positive where any pixel is detected (value >= threshold). An
    anomalous frame is a true positive where at least 40 % of its ground truth is detected
    (Mahadevan et al., CVPR 2010), for the dual criterion only if also at least 10 % of all detected
    pixels lie in its ground truth (Sabokrou et al., CVPR workshops 2015). Both curves are exact: a
    few numbers per frame say where it changes sides.

    The dual criterion leaves out the lowest value of all maps as a threshold, since it detects
    every pixel of every frame, and holds its last rate to a false positive rate of 1.

    Args:
        covered: share of the ground truth that must be detected, in (0, 1].
        inside: share of the detected pixels that must lie in the ground truth, in (0, 1].
    """

    def __init__(self, covered: float = 0.4, inside: float = 0.1) -> None:
        self.covered, self.inside = covered, inside
        self._lowest = np.inf
        self._normal: list[float] = []  # largest value of each normal frame
        self._enough: list[float] = []  # of each anomalous frame: where enough of it is detected
        self._dual: list[tuple[AnomalyMap, Counts]] = []

    def add(self, anomaly_map: AnomalyMap, regions: list[TruthRegion]) -> None:
        """Take one frame."""
        self._lowest = min(self._lowest, float(anomaly_map.min()))
        truth = painted(regions, (anomaly_map.shape[0], anomaly_map.shape[1]))
        pixels = anomaly_map[truth]
        if not pixels.size:
            self._normal.append(float(anomaly_map.max()))
            return
        rank = pixels.size - least_count(self.covered, pixels.size)
        self._enough.append(float(np.partition(pixels, rank)[rank]))
        self._dual.append(dual_pixel_changes(anomaly_map, truth, self.covered, self.inside))

    def merge(self, other: "PixelCriteria") -> None:
        """Take all frames of another one."""
        self._lowest = min(self._lowest, other._lowest)
        self._normal += other._normal
        self._enough += other._enough
        self._dual += other._dual

    def result(self) -> list[Measure]:
        """Area under the ROC curve of frames, and equal error rate, by either criterion."""
        single = f"pixel level: {self.covered:.0%} of the true pixels (Mahadevan 2010)"
        dual = f"dual pixel: also {self.inside:.0%} of the detected ones true (Sabokrou 2015)"
        names = {
            "pixel_40_auc": f"ROC AUC, {single}",
            "pixel_40_eer": f"EER, {single}",
            "dual_pixel_auc": f"ROC AUC, {dual}",
            "dual_pixel_eer": f"EER, {dual}",
        }
        frames = len(self._normal) + len(self._enough)
        basis = f"{how_many(frames, 'frame')}, {len(self._normal):,} normal"
        if not self._normal or not self._enough:
            reason = f"needs normal and anomalous frames; {basis}"
            return [Measure(key, name, "pixel", None, basis=reason) for key, name in names.items()]
        values = [*self._single_rates(), *self._dual_rates()]
        return [
            Measure(key, name, "pixel", value, basis=basis)
            for (key, name), value in zip(names.items(), values, strict=True)
        ]

    def _single_rates(self) -> tuple[float, float]:
        enough = np.array(self._enough)
        fpr, tpr = self._curve(enough, np.ones(len(enough), np.int64), np.array(self._normal))
        return area_until(fpr, tpr, 1.0), first_equal_error_rate(fpr, tpr)

    def _dual_rates(self) -> tuple[float, float]:
        thresholds = np.concatenate([thresholds for thresholds, _ in self._dual])
        changes = np.concatenate([changes for _, changes in self._dual])
        normal = np.array(self._normal)
        known = thresholds > self._lowest
        fpr, tpr = self._curve(thresholds[known], changes[known], normal[normal > self._lowest])
        fpr, tpr = np.append(fpr, 1.0), np.append(tpr, tpr[-1])
        return area_until(fpr, tpr, 1.0), first_equal_error_rate(fpr, tpr)

    def _curve(
        self, thresholds: npt.NDArray[np.floating], changes: Counts, normal: Floats
    ) -> tuple[Floats, Floats]:
        """Rates of false and true positives at each threshold from high to low, from (0, 0)."""
        both = np.concatenate([-thresholds, -normal])
        steps, at = np.unique(both, return_inverse=True)
        false, true = np.zeros(len(steps) + 1), np.zeros(len(steps) + 1)
        np.add.at(true, at[: len(changes)] + 1, changes)
        np.add.at(false, at[len(changes) :] + 1, 1)
        return false.cumsum() / len(self._normal), true.cumsum() / len(self._enough)


class PixelPool:
    """Pixel AUROC over all pixels pooled, and AUPRO over regions.

    AUROC ranks every pixel in the ground truth against every pixel outside. AUPRO is the mean over
    ground-truth regions of the detected share of each, against the false positive rate of the
    pixels outside, integrated to a limit and divided by it (Bergmann et al., CVPR 2020).

    Memory is constant: three histograms over ``float_keys``. Both figures are exact up to values
    closer than 2^-11 of themselves, which may count as ties.
    """

    LIMITS = ((0.3, "aupro_30"), (0.05, "aupro_05"))

    def __init__(self) -> None:
        self._frames = self._regions = 0
        self._all = np.zeros(1 << KEY_BITS, np.int64)
        self._true = np.zeros(1 << KEY_BITS, np.int64)
        self._shares = np.zeros(1 << KEY_BITS)  # each region adds up to 1

    def add(self, anomaly_map: AnomalyMap, regions: list[TruthRegion]) -> None:
        """Take one frame."""
        keys = float_keys(anomaly_map)
        size_hw = (keys.shape[0], keys.shape[1])
        self._frames += 1
        np.add.at(self._all, keys.ravel(), 1)
        np.add.at(self._true, keys[painted(regions, size_hw)], 1)
        for region in regions:
            window, mask = region_pixels(region, size_hw)
            pixels = keys[window][mask]
            if pixels.size:
                self._regions += 1
                np.add.at(self._shares, pixels, 1 / pixels.size)

    def merge(self, other: "PixelPool") -> None:
        """Take all frames of another one."""
        self._frames += other._frames
        self._regions += other._regions
        self._all += other._all
        self._true += other._true
        self._shares += other._shares

    def result(self) -> list[Measure]:
        """Pixel AUROC, and AUPRO to false positive rates of 0.3 and 0.05."""
        names = {"pixel_auroc": "ROC AUC, all pixels pooled"} | {
            key: f"AUPRO to a false positive rate of {limit:.0%} of the pixels (Bergmann 2020)"
            for limit, key in self.LIMITS
        }
        keys = np.flatnonzero(self._all)[::-1]  # thresholds from high to low
        outside = np.append(0, (self._all - self._true)[keys].cumsum())
        inside = np.append(0, self._true[keys].cumsum())
        counts = {"frame": self._frames, "region": self._regions, "normal pixel": int(outside[-1])}
        basis = ", ".join(how_many(count, noun) for noun, count in counts.items())
        if not inside[-1] or not outside[-1]:
            reason = f"needs normal and anomalous pixels; {basis}"
            return [Measure(key, name, "pixel", None, basis=reason) for key, name in names.items()]
        fpr = outside / outside[-1]
        overlap = np.append(0, self._shares[keys].cumsum()) / self._regions
        values = [area_until(fpr, inside / inside[-1], 1.0)]
        values += [area_until(fpr, overlap, limit) / limit for limit, _ in self.LIMITS]
        return [
            Measure(key, name, "pixel", value, basis=basis)
            for (key, name), value in zip(names.items(), values, strict=True)
        ]
