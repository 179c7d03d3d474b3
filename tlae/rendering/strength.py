"""How strong a thing is, in the words that pages, pictures and commands share."""

import math

SIGN = "\u00d7"  # multiplication sign; pictures write x, their font is ASCII
NEAR = (0.9, 1.1)  # ratios within are told to two digits, so that none is called 1.0 wrongly


def ratio_text(ratio: float) -> str:
    """A multiple of the alarm threshold as a number: ``1.9``, ``0.97``, ``1.02``, ``14``."""
    if NEAR[0] <= ratio < NEAR[1]:
        return f"{ratio:.2f}"
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"


def times_threshold(value: float | None, threshold: float | None) -> float | None:
    """A score as a multiple of the alarm threshold; None where there is no threshold above 0."""
    if value is None or threshold is None or math.isnan(value):
        return None
    return value / threshold if math.isfinite(threshold) and threshold > 0 else None


def strength_text(value: float, threshold: float) -> str:
    """A score as a person reads it, in thresholds; as it is where none is known.

    Args:
        value: in raw units.
        threshold: in raw units; infinite or 0: none.
    """
    ratio = times_threshold(value, threshold)
    return f"score {value:.3g}" if ratio is None else f"{ratio_text(ratio)}{SIGN} threshold"


def share_text(share: float) -> str:
    """How a score stands among those of normal footage, never said too high.

    Args:
        share: of normal footage that scores lower, in [0, 1].
    """
    if share >= 1:
        return "above all known normal footage"
    nines = math.floor(-math.log10(1 - share) + 1e-9)
    digits = min(max(0, nines - 2), 4)
    floored = math.floor(share * 100 * 10**digits + 1e-6) / 10**digits
    return f"above {floored:.{digits}f} % of normal"
