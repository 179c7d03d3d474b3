"""How many of 20 seeds judge three example pictures as people do, after learning from a folder.

python scripts/forest_seeds.py FOLDER_OF_NORMAL EXAMPLES 1,-1,-1 [--seeds 20] [--rate 0.05]

EXAMPLES are pictures separated by commas; the verdicts stand in the same order.
"""

import argparse
import logging

import numpy as np

from tlae.budget import Budget
from tlae.image_sets.describe_now import describe_now
from tlae.image_sets.descriptor_settings import DescriptorSettings
from tlae.image_sets.estimators import anomaly_scores
from tlae.image_sets.fit_settings import NoveltyFitConfig
from tlae.image_sets.novelty import fit_novelty
from tlae.image_sets.novelty_defaults import usual_preparation
from tlae.image_sets.verdicts import verdicts
from tlae.scoring.calibrate import threshold_of


def main() -> None:
    """Fit with each seed, judge, count."""
    defaults = NoveltyFitConfig()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("normal")
    parser.add_argument("examples")
    parser.add_argument("expected")
    parser.add_argument("--method", default=defaults.method)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--folds", type=int, default=defaults.folds)
    parser.add_argument("--rate", type=float, default=defaults.false_alarm_rate)
    words = parser.parse_args()
    logging.disable(logging.WARNING)  # that 16 pictures are few is known
    settings = DescriptorSettings()
    normal = describe_now(words.normal, settings).values
    examples = np.concatenate(
        [describe_now(path, settings).values for path in words.examples.split(",")]
    )
    expected = [int(verdict) for verdict in words.expected.split(",")]
    scaler, pca = usual_preparation(settings.descriptor, words.method)
    agreeing = 0
    for seed in range(words.seeds):
        preparation, estimator, calibration = fit_novelty(
            normal,
            words.method,
            scaler=scaler,
            pca=pca,
            folds=words.folds,
            seed=seed,
        )
        threshold = threshold_of(calibration, Budget(false_alarm_rate=words.rate)).value
        scores = anomaly_scores(estimator, preparation.apply(examples))
        judged = verdicts(scores, threshold).tolist()
        agreeing += judged == expected
        print(f"seed {seed:>2}: threshold {threshold:.4f}, scores {scores.round(4)}, {judged}")
    print(f"{agreeing} of {words.seeds} seeds agree with {expected}")


if __name__ == "__main__":
    main()
