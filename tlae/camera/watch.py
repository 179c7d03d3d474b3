"""Watch a camera frame by frame: the same code for a store and for frames that just come in."""

from typing import Any, NamedTuple

import numpy as np

from tlae.camera.camera import Camera, Seen
from tlae.camera.health import Health
from tlae.footage.frames import Image

# What is observed (shifts in source pixels), and what stands there where no camera is known.
UNOBSERVED: dict[str, Any] = {"mode": "", "health": str(Health.OK), "shift_x": 0.0, "shift_y": 0.0}


class WatchState(NamedTuple):
    """What the frames so far leave behind.

    Attributes:
        clip: of the last frame.
        frame: the last one (H, W, C); None: there was none.
        copies: exact copies in a row up to it.
    """

    clip: str = ""
    frame: Image | None = None
    copies: int = 0


class CameraWatch:
    """See frames in their order; only copies look back, nothing looks ahead.

    Args:
        camera: fitted on normal footage.
        past: where to go on.
    """

    def __init__(self, camera: Camera, past: WatchState = WatchState()) -> None:  # noqa: B008  immutable
        self.camera, self.past = camera, past

    def push(self, clip: str, frames: Image) -> tuple[list[Seen], list[int]]:
        """How the next frames (n, H, W, C) of a clip are seen, and the copies up to each."""
        copies: list[int] = []
        for frame in frames:
            last, before, count = self.past
            is_copy = before is not None and last == clip and np.array_equal(frame, before)
            self.past = WatchState(clip, frame, count + 1 if is_copy else 0)
            copies.append(self.past.copies)
        return self.camera.see(frames, copies), copies
