"""tlae novelty score model_file=FILE images=PATH [false_alarm_rate=0.01] [out=FOLDER].

Judges pictures by what `tlae novelty fit` learnt: 1 like the normal ones, -1 not. What it calls
normal can be asked further: filter=FILE (of `tlae filter fit`), duplicate_bits=6 (copies),
quality.check=true (blurred, dark, bright or small pictures). A second run judges only what is new.
Writes <out>/: verdicts.parquet and verdicts.csv (path, score, calibrated: the share of normal
pictures that are calmer, verdict, reason), verdicts.html (the pictures near the threshold),
pictures/ (copies with the verdict drawn on, highest scores first).
descriptors=FOLDER takes what `tlae describe` wrote in place of images.
"""

from tlae.image_sets.settings import NoveltyScoreConfig
from tlae.image_sets.verdict_folder import judge_pictures
from tlae.image_sets.verdicts import INLIER, OUTLIER


def run(cfg: NoveltyScoreConfig) -> None:
    """A judge and pictures in, verdicts out."""
    judge_pictures(cfg, "novelty", {INLIER: "normal", OUTLIER: "unusual"})
