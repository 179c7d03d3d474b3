"""tlae filter fit good=FOLDER bad=FOLDER [descriptor=colour_histogram] [quadrants=true].

Learns to tell good pictures from bad ones, from a folder of each. Methods: logistic_regression,
gradient_boosting. quadrants=true describes the four quarters of each picture, so that a small mark
is seen in more detail, wherever it lies. good and bad may be folders that `tlae describe` wrote,
with descriptor=NAME for one that others made.
How well it does is measured on pictures held out in turn.
Writes <paths.checkpoints>/<name>/: model.safetensors, threshold.html.
"""

from tlae.image_sets.filter_fit import fit_filter_model
from tlae.image_sets.fit_settings import FilterFitConfig


def run(cfg: FilterFitConfig) -> None:
    """Good and bad pictures in, a filter out."""
    fit_filter_model(cfg)
