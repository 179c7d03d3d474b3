"""Calm windows: all their frames equal one frame, as those of the window before did."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image

BLOCK_PX = 4  # side of the blocks whose means are compared: noise averages out, a small thing stays
MOST_LEVELS = 3  # grey levels by which they may differ
LOOK_AGAIN = 100  # frames after which a window is looked at in any case
LONGEST_INTERVAL_S = 2.0  # stills that are further apart are all looked at
COUNTS, REFERENCE = "calm.counts", "calm.reference"  # of a state


class CalmWindows:
    """Say of each frame of a run whether the window that ends there needs no look.

    A frame equals the reference where no mean of a block of 4x4 pixels differs from it by more than
    3 grey levels, in any channel; one that does not is the next reference. A window is calm if all
    its frames, and all those of the window before, equal the reference: a net's answer for that
    window holds for this one, up to such a change. Slow changes add up against the reference, so
    they cannot creep in. Every 100 frames a calm window is looked at, too.

    Args:
        reach: frames from the first to the last of a window, >= 0.
    """

    def __init__(self, reach: int) -> None:
        self.reach = reach
        self.reset()

    def reset(self) -> None:
        """The next frame begins a run."""
        self._reference: Image | None = None
        self._equal = self._since = 0  # frames that equal it in a row; since the last look

    def push(self, frame: Image) -> bool:
        """Whether the window that ends at the next frame (H, W, C) uint8 is calm."""
        height, width = (max(1, side // BLOCK_PX) for side in frame.shape[:2])
        means = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        if self._reference is not None and _apart(means, self._reference) <= MOST_LEVELS:
            self._equal += 1
        else:
            self._reference, self._equal = np.asarray(means, np.uint8), 1
        calm = self._equal > self.reach + 1 and self._since < LOOK_AGAIN
        self._since = self._since + 1 if calm else 0
        return calm

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """What the frames so far leave behind."""
        if self._reference is None:
            return {}
        return {COUNTS: np.array([self._equal, self._since]), REFERENCE: self._reference}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``, which may hold more; nothing of it: the next frame is looked at."""
        self.reset()
        if COUNTS in state:
            self._equal, self._since = (int(count) for count in state[COUNTS])
            self._reference = np.asarray(state[REFERENCE])


def _apart(means: npt.NDArray[Any], reference: Image) -> float:
    """Largest difference of two pictures [grey levels]."""
    return float(cv2.absdiff(means, reference).max())
