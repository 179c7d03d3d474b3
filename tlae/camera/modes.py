"""Modes of a camera (day, night, infrared, ...), found without labels by what frames look like."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tlae.camera.clusters import Labels, k_means, nearest
from tlae.camera.measures import Values

MOST_MODES = 4
LEAST_FRAMES = 20  # of a mode, in the footage it is found in
LEAST_SHARE = 0.03
LEAST_APART = 0.12  # distance of two modes; a cloud moves the look of a frame less
LEAST_SPREAD = 0.02  # of a mode in each measure, so that even footage makes no modes
NEAR = 0.1  # of the distance of two modes: frames this near a place count as there
MOST_BETWEEN = 0.33  # frames half way between two modes, in relation to those at either
REACH_QUANTILE, REACH_FACTOR, LEAST_REACH = 0.995, 1.25, 0.08  # how far a mode's frames may lie
NEW = "new"  # name of what no mode looks like
COLOURLESS = 0.04  # colourfulness of a grey picture; compression leaves a little
DARK = 0.55  # luminance of a dark mode in relation to the brightest one


@dataclass(frozen=True, eq=False)
class Modes:
    """Looks that the camera's frames gather around.

    Attributes:
        names: of each mode; one mode alone has the name "".
        centres: (M, 4), looks, see ``measures.look``.
        reach: (M, 4), how far from the centre frames of a mode may lie in each measure.
    """

    names: tuple[str, ...]
    centres: Values
    reach: Values

    def __len__(self) -> int:
        return len(self.names)

    def nearest(self, looks: Values) -> Labels:
        """Number of the nearest mode of each look (n, 4), however far it is."""
        return nearest(looks, self.centres)

    def named(self, looks: Values) -> list[str]:
        """Name of each look's mode; ``"new"`` where all modes are far."""
        mode = self.nearest(looks)
        far = np.any(np.abs(looks - self.centres[mode]) > self.reach[mode], axis=1).tolist()
        return [NEW if far[i] else self.names[mode[i]] for i in range(len(looks))]


def one_mode(looks: Values) -> Modes:
    """All of the footage as one mode."""
    return _modes(looks, looks.mean(axis=0, keepdims=True))


def find_modes(looks: Values) -> Modes:
    """As many modes as the footage clearly has, at most four.

    k-means in absolute units, so that noise and passing clouds make no modes. A number of modes is
    accepted if every mode has enough frames, lies apart from the others, and hardly any frames lie
    half way between two of them: the light of a day passes through all that k-means would cut it
    into, but only shortly through what is between day and night. The largest such number is taken.

    Args:
        looks: (n, 4), see ``measures.look``.
    """
    for count in range(MOST_MODES, 1, -1):
        if len(looks) >= count * LEAST_FRAMES:
            centres = k_means(looks, count)
            if _is_clear(looks, centres):
                return _modes(looks, centres)
    return one_mode(looks)


def _is_clear(looks: Values, centres: Values) -> bool:
    label = nearest(looks, centres)
    frames = np.bincount(label, minlength=len(centres))
    if frames.min() < max(LEAST_FRAMES, LEAST_SHARE * len(looks)):
        return False
    return all(
        _are_two(looks[label == one], looks[label == other])
        for one, other in combinations(range(len(centres)), 2)
    )


def _are_two(one: Values, other: Values) -> bool:
    """Whether frames gather at two looks with few of them half way between.

    Seen along Fisher's linear discriminant, so that a measure that varies much within the modes
    (the colour of the sky) does not blur the one that tells them apart.
    """
    step = other.mean(axis=0) - one.mean(axis=0)
    if float(np.linalg.norm(step)) < LEAST_APART:
        return False
    within = (np.cov(one.T) + np.cov(other.T)) / 2 + LEAST_SPREAD**2 * np.eye(len(step))
    axis = np.linalg.solve(within, step)
    places = (np.concatenate([one, other]) - one.mean(axis=0)) @ axis / (step @ axis)  # 0..1
    there = [int((np.abs(places - middle) < NEAR).sum()) for middle in (0.0, 0.5, 1.0)]
    return there[1] <= MOST_BETWEEN * min(there[0], there[2])


def _modes(looks: Values, centres: Values) -> Modes:
    """Modes around the centres, brightest first."""
    centres = centres[np.argsort(-centres[:, 1], kind="stable")]
    label = nearest(looks, centres)
    away = np.abs(looks - centres[label])
    typical = [
        np.quantile(away[label == number], REACH_QUANTILE, axis=0) for number in range(len(centres))
    ]
    reach = np.maximum(REACH_FACTOR * np.array(typical), LEAST_REACH)
    return Modes(_names(centres), centres, reach)


def _names(centres: Values) -> tuple[str, ...]:
    """Names by light and colour; centres stand brightest first.

    The darkest of the dark modes is the night, other dark ones the dusk; a mode without colour is
    infrared where the camera has colour otherwise. Modes that are named alike are numbered.
    """
    if len(centres) == 1:
        return ("",)
    light, colour = centres[:, 1], centres[:, 3]
    in_colour = colour.max() > 2 * COLOURLESS
    names: list[str] = []
    for number in range(len(centres)):
        name = "day"
        if in_colour and colour[number] < COLOURLESS:
            name = "infrared"
        elif light[number] < DARK * light[0]:
            name = "night" if light[number] <= light.min() else "dusk"
        same = sum(known.partition(" ")[0] == name for known in names)
        names.append(f"{name} {same + 1}" if same else name)
    return tuple(names)
