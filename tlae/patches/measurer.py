"""What was learnt of stills, as what compares further ones with them."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tlae.measuring import Carried, Reason, Seen, place_in, require_fitting
from tlae.patches.early_net import CHANNELS
from tlae.patches.evidence import DISTANCES, LEVELS, Levels, compared
from tlae.patches.features import LOOK_NUMBERS, PLANES, Image, Plane, still_of
from tlae.patches.learnt_planes import LEARNT, LearntPlanes, enlarged
from tlae.patches.memory import Memory
from tlae.patches.past import Past, Reach
from tlae.patches.words import ratios, words

FRESH_H = 0.75  # what came within so many hours is new
WEIGHTS = "weights"  # of the net whose planes stand beside the others
OF_NET = (WEIGHTS, "axes", "learnt")  # arrays that are there where such a net is
JUDGED = "judged"  # (n, E, h, w), name of the input of the net


class PatchMeasurer:
    """Evidence of stills for the judge; a ``measuring.Measurer``.

    Args:
        arrays: remembered (N, 8, h, w) int8 and looks (N, D), of ``Memory``; medians and places, of
            ``Levels``; reach (past in hours, interval in seconds). Where a net has learnt to see:
            its weights and axes, of ``LearntPlanes``, and learnt (N, 6, h', w') int8, its planes.

    Raises:
        ValueError: an array is of another type or shape.
        KeyError: one is missing.
    """

    kind: ClassVar[str] = "patches"

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        _require_parts(arrays)
        self._learnt = None
        if WEIGHTS in arrays:
            self._learnt = LearntPlanes(arrays[WEIGHTS], arrays["axes"])
        self._memory = Memory(_all_planes(arrays), arrays["looks"])
        self._levels = Levels(arrays["medians"], arrays["places"])
        past_h, interval_s = map(float, arrays["reach"])
        self._reach = Reach.of(past_h, FRESH_H, interval_s)

    def see(
        self, frames: Image, before: Carried, *, skip_calm: bool = False
    ) -> tuple[Seen, Carried]:
        """Evidence of further stills; see ``measuring.Measurer.see``. None is skipped."""
        past, all_days = Past.unpacked(before), np.arange(len(self._memory))
        judged, reasons = [], []
        for picture in frames:
            still = still_of(picture, self._learnt)
            last_hours = past.memory, past.compared(self._reach)
            one = compared(still, (self._memory, all_days), last_hours)
            judged.append(self._levels.evidence(still, one))
            reasons.append(ratios(one, self._levels)[None])
            past = past.with_still(still, self._reach)
        none = np.zeros(len(frames), bool)
        return Seen({JUDGED: np.stack(judged)}, np.stack(reasons), none, none), past.packed()

    def reason(self, evidence: Plane, place: tuple[float, float]) -> Reason:
        """How far a place differs from other days; see ``measuring.Measurer.reason``."""
        row, column = place_in((evidence.shape[1], evidence.shape[2]), place)
        return Reason(words(float(evidence[0, row, column])))

    def examples(self) -> Image:
        """None are kept."""
        return np.zeros((0, 1, 1, 1), np.uint8)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Those that it was made of."""
        return self._arrays


def _require_parts(arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Refuse parts that do not fit each other."""
    require_fitting(arrays, {"remembered": ("int8", (-1, PLANES, -1, -1))})
    count, _, *grid = arrays["remembered"].shape
    if not count:
        raise ValueError("remembered must hold at least one still, got none")
    require_fitting(
        arrays,
        {
            "looks": ("float32", (count, LOOK_NUMBERS)),
            "medians": ("float32", (DISTANCES,)),
            "places": ("float32", (LEVELS, *grid)),
            "reach": ("float64", (2,)),
        },
    )
    if WEIGHTS in arrays:
        require_fitting(
            arrays,
            {
                WEIGHTS: ("float32", (-1,)),
                "axes": ("float32", (1 + LEARNT, CHANNELS)),
                "learnt": ("int8", (count, LEARNT, -1, -1)),
            },
        )


def _all_planes(arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.int8]:
    """Of what is remembered, with those of the net in the grid of the others."""
    planes = arrays["remembered"]
    if WEIGHTS not in arrays:
        return planes
    rows, columns = planes.shape[2:]
    return np.concatenate([planes, enlarged(arrays["learnt"], (rows, columns))], axis=1)
