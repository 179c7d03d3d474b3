"""How high scores of normal footage go, beyond what was seen: an upper bound, not a guess.

Neighbouring frames are not independent, so footage counts as stretches of time. The highest scores
of stretches follow a Gumbel distribution where single scores have an exponential tail (Coles 2001,
*An Introduction to Statistical Modeling of Extreme Values*, section 3.1). Its level for a rare
rate is taken from L-moments (Hosking 1990), with an upper confidence bound by parametric bootstrap.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.scoring.smooth_time import Series

EXCURSION_QUANTILE = 0.9  # scores above it form excursions: stretches in which one thing is seen
STRETCH_EXCURSIONS = 3.0  # mean excursions that a stretch is long
SHORTEST_STRETCH = 5  # frames
FEWEST_STRETCHES = 4  # little footage is cut shorter
CONFIDENCE = 0.8  # of the upper bound
DRAWS = 500  # of the bootstrap
MOST_RATE = 0.9  # of stretches
EULER = 0.5772156649


@dataclass(frozen=True, eq=False)
class Tail:
    """The highest scores of stretches of normal footage.

    Attributes:
        highest: (k,), of each stretch, k >= 1.
        frames: of a stretch, on average.
        excursion: mean length of an excursion [frames].
        scores: number of scores that it is made of.
    """

    highest: Series
    frames: float
    excursion: float
    scores: int

    @staticmethod
    def of(values: Series, run: npt.NDArray[np.int64]) -> "Tail":
        """Of scores in the order of time.

        Args:
            values: (n,), n >= 1.
            run: (n,), number of the run of frames that each belongs to.
        """
        runs = np.split(values, np.flatnonzero(np.diff(run)) + 1)
        excursion = _mean_excursion(runs, float(np.quantile(values, EXCURSION_QUANTILE)))
        length = max(SHORTEST_STRETCH, round(STRETCH_EXCURSIONS * excursion))
        length = min(length, max(1, len(values) // FEWEST_STRETCHES))
        parts = [
            part for one in runs for part in np.array_split(one, max(1, round(len(one) / length)))
        ]
        highest = np.array([part.max() for part in parts])
        return Tail(highest, len(values) / len(parts), excursion, len(values))

    @property
    def moments(self) -> float:
        """Effective number of independent moments: scores by the length of an excursion."""
        return self.scores / self.excursion

    def level(self, per_stretch: float) -> float:
        """Level that so many excursions per stretch exceed, an upper bound.

        Args:
            per_stretch: expected excursions in a stretch, > 0.
        """
        rare = min(per_stretch, MOST_RATE)
        place, scale = _gumbel(self.highest[None])
        level = float(_gumbel_level(place, scale, rare)[0])
        if len(self.highest) < 2 or not scale[0] > 0:
            return level
        generator = np.random.default_rng(0)
        drawn = generator.gumbel(place[0], scale[0], (DRAWS, len(self.highest)))
        errors = _gumbel_level(*_gumbel(drawn), rare) - level
        return level - float(np.quantile(errors, 1 - CONFIDENCE))


def _mean_excursion(runs: list[Series], level: float) -> float:
    """Mean number of neighbouring scores above a level, >= 1."""
    above = [one > level for one in runs]
    count = sum(int(np.count_nonzero(np.diff(one.astype(int), prepend=0) > 0)) for one in above)
    return max(1.0, sum(int(one.sum()) for one in above) / max(count, 1))


def _gumbel(samples: npt.NDArray[np.float64]) -> tuple[Series, Series]:
    """Place and scale by L-moments of each row (m, k)."""
    ordered = np.sort(samples, axis=1)
    count = ordered.shape[1]
    mean = ordered.mean(axis=1)
    if count < 2:
        return mean, np.zeros(len(samples))
    first = (ordered * np.arange(count)).sum(axis=1) / (count * (count - 1))
    scale = np.maximum((2 * first - mean) / np.log(2), 0)
    return mean - EULER * scale, scale


def _gumbel_level(place: Series, scale: Series, rare: float) -> Series:
    """Level that a maximum exceeds with that probability."""
    return np.asarray(place - scale * np.log(-np.log1p(-rare)))
