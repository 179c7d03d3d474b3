"""How far a figure would move with other footage: intervals from resampled clips.

Neighbouring frames are near copies of each other, so frames drawn one by one would promise far too
narrow an interval. What is drawn, with replacement, are whole clips (cluster bootstrap; Field and
Welsh, *Bootstrapping clustered data*, J. R. Stat. Soc. B 2007).
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

DRAWS = 1000
SEED = 0  # the same clips give the same interval
PERCENTILES = (2.5, 97.5)  # 95 % interval

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def clip_draws(clips: int, draws: int = DRAWS, seed: int = SEED) -> Counts:
    """Draw as many clips as there are, with replacement.

    Args:
        clips: number of clips, at least 1.
        draws: number of resampled sets.
        seed: of the generator.

    Returns:
        (draws, clips), how often each clip is in each set; each row sums to ``clips``.
    """
    shares = np.full(clips, 1 / clips)
    return np.random.default_rng(seed).multinomial(clips, shares, size=draws)


def percentile_interval(values: Floats) -> tuple[float, float] | None:
    """Span of the middle 95 % of the draws.

    Args:
        values: (draws,), a figure on each resampled set; NaN where it is not defined.

    Returns:
        Its ends, of the defined draws; None where more than half are not defined.
    """
    defined = values[~np.isnan(values)]
    if len(defined) == 0 or 2 * len(defined) < len(values):
        return None
    low, high = np.percentile(defined, PERCENTILES)
    return float(low), float(high)


def bootstrap_intervals(
    figures: Callable[[Counts], Sequence[float]], draws: Counts
) -> list[tuple[float, float] | None]:
    """95 % intervals of several figures that share their work, from resampled clips.

    Args:
        figures: from how often each clip counts, (clips,), to the figures; NaN where not defined.
        draws: (draws, clips), of ``clip_draws``.

    Returns:
        Ends per figure; None with fewer than two clips, or where ``percentile_interval`` has none.
    """
    if draws.shape[1] < 2:
        return [None] * len(figures(draws[0]))
    values = np.array([figures(counts) for counts in draws], dtype=np.float64)
    return [percentile_interval(column) for column in values.T]
