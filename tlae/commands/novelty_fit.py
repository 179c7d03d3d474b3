"""tlae novelty fit images=FOLDER [descriptor=colour_histogram] [method=nearest_neighbours].

Learns which pictures are like those of a folder. Methods: nearest_neighbours, isolation_forest,
one_class_svm, elliptic_envelope, local_outlier_factor, gaussian_mixture. Blocks of pictures are
held out in turn; their scores give the threshold that a share false_alarm_rate of normal pictures
exceeds.
descriptors=FOLDER descriptor=NAME takes what `tlae describe` wrote or imported in place of images.
Writes <paths.checkpoints>/<name>/: model.safetensors, threshold.html (histograms and other
thresholds; of a second set too, unfiltered=PATH).
"""

from tlae.image_sets.fit_settings import NoveltyFitConfig
from tlae.image_sets.novelty_fit import fit_novelty_model


def run(cfg: NoveltyFitConfig) -> None:
    """Normal pictures in, a judge out."""
    fit_novelty_model(cfg)
