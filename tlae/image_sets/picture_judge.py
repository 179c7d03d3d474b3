"""Judge pictures in memory, as `tlae novelty score` and `tlae filter score` judge files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tlae.budget import Budget
from tlae.errors import ModelFileError
from tlae.footage.frames import Image
from tlae.image_sets.describe import cut_tiles, least_hw
from tlae.image_sets.describe_now import BATCH, QUADRANTS_HW, pooled_quadrants
from tlae.image_sets.descriptors import build_descriptor
from tlae.image_sets.estimators import Scores
from tlae.image_sets.judge_file import Judge, load_judge
from tlae.scoring.calibrate import threshold_of


class PictureJudge:
    """A judge together with the descriptor that it learnt from.

    Args:
        judge: of kind "novelty" or "filter".
        budget: another one than at the fit; None: the threshold of the fit.

    Attributes:
        judge: as given.
        threshold: pictures with a higher score are outliers.

    Raises:
        ModelFileError: it was fitted to stored descriptors, so that pictures cannot be described.
        UserError: the descriptor cannot be built here, or differs from the one of the fit.
    """

    def __init__(self, judge: Judge, budget: Budget | None = None) -> None:
        settings = judge.descriptor_settings
        if settings is None:
            raise ModelFileError(
                f"the {judge.kind} model was fitted to stored descriptors and cannot judge "
                f"pictures; fit it with images=... (`tlae {judge.kind} fit`)"
            )
        self.judge, self._descriptor = judge, build_descriptor(settings)
        judge.require_same_descriptor(
            {
                "descriptor": settings.descriptor,
                "settings": settings.relevant(),
                "dimensions": self._descriptor.dimensions,
                **self._descriptor.facts,
            }
        )
        self.threshold = judge.threshold
        if budget:
            self.threshold = threshold_of(judge.calibration, budget).value

    @property
    def min_hw(self) -> tuple[int, int] | None:
        """Size at which files are decoded for it at the least; see ``decode_image``."""
        return least_hw(self._descriptor, QUADRANTS_HW if self.judge.quadrants else None)

    def scores(self, images: Sequence[Image] | npt.NDArray[np.uint8]) -> Scores:
        """Score pictures; a higher score is more anomalous.

        Args:
            images: N pictures, RGB (H, W, 3) uint8 of any size, at least 2 x 2 pixels where the
                judge looks at quadrants.

        Returns:
            (N,) float64; NaN where a picture has no finite description.
        """
        scores = np.full(len(images), np.nan)
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            parts = [self._descriptor.prepare(tile) for image in batch for tile in self._cut(image)]
            values = self._descriptor.describe(parts)
            values = pooled_quadrants(values) if self.judge.quadrants else values
            finite = np.isfinite(values).all(axis=1)
            if finite.any():
                scores[start : start + BATCH][finite] = self.judge.scores(values[finite])
        return scores

    def _cut(self, image: Image) -> Iterator[Image]:
        if not self.judge.quadrants:
            yield image
            return
        for _, _, tile in cut_tiles(image, QUADRANTS_HW):
            yield tile


def load_picture_judge(path: Path, kind: str, budget: Budget | None = None) -> PictureJudge:
    """Read a judge of pictures; see ``load_judge`` and ``PictureJudge`` for what is refused."""
    return PictureJudge(load_judge(path, kind), budget)
