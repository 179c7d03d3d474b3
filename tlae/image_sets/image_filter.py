"""Two judges in order: what a novelty model calls normal, and a filter then calls good, is kept."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.budget import Budget
from tlae.image_sets.estimators import Scores
from tlae.image_sets.picture_judge import PictureJudge, load_picture_judge
from tlae.image_sets.settings import ImageFilterConfig
from tlae.scorable import run_name

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Judged:
    """What became of B pictures.

    Attributes:
        kept: (k,) int32, ascending indices of the pictures to keep.
        scores: (B,), of the novelty model; higher is more anomalous, NaN: not judged.
        filter_scores: (B,), of the filter; NaN where it was not asked.
    """

    kept: Indices
    scores: Scores
    filter_scores: Scores


class ImageFilter:
    """Keep pictures like those that a model learnt from.

    Args:
        novelty: asked of every picture.
        second: asked of those that the first keeps; None: there is none.
    """

    def __init__(self, novelty: PictureJudge, second: PictureJudge | None = None) -> None:
        self.novelty, self.second = novelty, second

    def judge(self, images: npt.NDArray[np.uint8]) -> Judged:
        """Judge a batch; the answer depends on the pictures alone.

        Args:
            images: (B, H, W, 3) uint8 RGB.
        """
        scores = self.novelty.scores(images)
        kept = np.flatnonzero(scores <= self.novelty.threshold)  # NaN is not
        further = np.full(len(images), np.nan)
        if self.second is not None and len(kept):
            further[kept] = self.second.scores(images[kept])
            kept = kept[further[kept] <= self.second.threshold]
        return Judged(kept.astype(np.int32), scores, further)


def load_image_filter(cfg: ImageFilterConfig) -> tuple[ImageFilter, dict[str, Any]]:
    """Read the judges that settings name; see ``load_judge`` and ``PictureJudge`` for refusals.

    Returns:
        The judges, and what they are: name and SHA-256 of the file, and those of the second one
        as "filter".
    """
    novelty, facts = _judge(cfg.model_file, "novelty", Budget(cfg.threshold, cfg.false_alarm_rate))
    second = None
    if cfg.filter is not None:
        second, facts["filter"] = _judge(cfg.filter, "filter", Budget(cfg.filter_threshold))
    return ImageFilter(novelty, second), facts


def _judge(path: str, kind: str, budget: Budget) -> tuple[PictureJudge, dict[str, Any]]:
    file = Path(path).expanduser()
    judge = load_picture_judge(file, kind, budget)
    digest = sha256(file.read_bytes()).hexdigest()
    return judge, {"name": run_name(file), "sha256": digest}
