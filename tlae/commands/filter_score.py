"""tlae filter score model_file=FILE images=PATH [threshold=0.5] [out=FOLDER].

Judges pictures by what `tlae filter fit` learnt: 1 good, -1 bad. Writes <out>/: verdicts.parquet
and verdicts.csv (path, score: the probability of being bad, calibrated: the share of good pictures
with a lower one, verdict, reason), verdicts.html (the pictures near the threshold), pictures/
(copies with the verdict drawn on, highest scores first). A second run judges only what is new.
descriptors=FOLDER takes what `tlae describe` wrote in place of images.
"""

from tlae.image_sets.settings import FilterScoreConfig
from tlae.image_sets.verdict_folder import judge_pictures
from tlae.image_sets.verdicts import INLIER, OUTLIER


def run(cfg: FilterScoreConfig) -> None:
    """A filter and pictures in, verdicts out."""
    judge_pictures(cfg, "filter", {INLIER: "good", OUTLIER: "bad"})
