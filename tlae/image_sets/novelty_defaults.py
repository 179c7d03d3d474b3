"""How descriptors are prepared for a novelty detector or a filter where nobody says it.

Measured on made and real sets with several seeds, see docs/lab/image_sets.md. Principal components
keep the directions in which normal pictures vary, and so throw away those in which others differ
from them: only the methods that look at one direction after the other, or that learn a covariance,
get them. A filter, which sees both kinds, needs none.
"""

from tlae.image_sets.descriptor_settings import NEEDS_TORCH

AUTO = "auto"
HISTOGRAM, LEARNT, OTHER = "histogram", "learnt", "other"

Recipe = tuple[str, float | None]  # scaler, components or share of variance

PREPARATIONS: dict[str, dict[str, Recipe]] = {
    HISTOGRAM: {
        "isolation_forest": ("standard", 0.99),
        "one_class_svm": ("l2", None),  # bins that are nearly always empty saturate it elsewise
    },
    LEARNT: {
        "isolation_forest": ("standard", 0.9),
        "elliptic_envelope": ("standard", 0.9),
        "gaussian_mixture": ("standard", 0.9),
    },
    OTHER: {"isolation_forest": ("standard", 0.99)},
}
USUAL: dict[str, Recipe] = {
    HISTOGRAM: ("floored", None),
    LEARNT: ("l2", None),
    OTHER: ("floored", None),
}


def kind_of_descriptor(descriptor: str | None) -> str:
    """``HISTOGRAM``, ``LEARNT`` by a net, or ``OTHER``: imported, statistics."""
    if descriptor == "colour_histogram":
        return HISTOGRAM
    return LEARNT if descriptor in NEEDS_TORCH and descriptor != "error" else OTHER


def usual_preparation(descriptor: str | None, method: str) -> Recipe:
    """Scaler and components that suit a descriptor and a method.

    Args:
        descriptor: as the facts of the store call it; None: not known.
        method: a key of ``estimators.DETECTORS``.
    """
    kind = kind_of_descriptor(descriptor)
    return PREPARATIONS[kind].get(method, USUAL[kind])


def usual_filter_scaler(descriptor: str | None) -> str:
    """Scaler that suits a descriptor, for a filter.

    Args:
        descriptor: as the facts of the store call it; None: not known.
    """
    return "l2" if kind_of_descriptor(descriptor) == LEARNT else "standard"
