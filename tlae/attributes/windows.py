"""Windows of small grey frames, and a measurer that gives them beside the attributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from tlae.attributes.background import Image, Plane
from tlae.attributes.measurer import AttributeMeasurer
from tlae.attributes.small_grey import small_and_grey
from tlae.camera.calm import COUNTS, REFERENCE, CalmWindows
from tlae.measuring import Carried, Reason, Seen

FOUND_BY_NET = "has a shape or motion unlike what was seen in training (found by the net)"
WINDOW, WHOLE = "window", "whole"  # (n, T, h, w) and (n,), names of inputs of the net
SIZES = "windows"  # name of the array that holds the fields of ``Windows``


class Ended(NamedTuple):
    """The windows that end at n frames.

    Attributes:
        frames: (n, T, h, w) uint8; a calm window stands for the one before, see ``camera.calm``.
        whole: (n,) float32, 0 where the run is too short for a window yet, else 1.
        repeats: (n,) bool, which are calm.
    """

    frames: Image
    whole: npt.NDArray[np.float32]
    repeats: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Windows:
    """Cut a run of frames into windows, one for each frame.

    Attributes:
        window_frames: frames in a window.
        stride: step between them.
        size_hw: of the small grey frames [px].

    Raises:
        ValueError: one of them is below 1.
    """

    window_frames: int
    stride: int
    size_hw: tuple[int, int]

    def __post_init__(self) -> None:
        """Refuse windows that hold nothing."""
        sizes = (self.window_frames, self.stride, *self.size_hw)
        if min(sizes) < 1:
            raise ValueError(f"{SIZES} must be whole numbers >= 1, got {sizes}")

    @property
    def reach(self) -> int:
        """Frames from the first to the last of a window."""
        return (self.window_frames - 1) * self.stride

    def see(
        self, frames: Image, before: Carried, *, skip_calm: bool = False
    ) -> tuple[Ended, Carried]:
        """The windows of further frames (n, H, W, C); see ``measuring.Measurer.see``."""
        calm = CalmWindows(self.reach)
        past = np.zeros((0, *self.size_hw), np.uint8)
        window = np.zeros((self.window_frames, *self.size_hw), np.uint8)
        if before:
            past, window, counts, reference = before
            calm.restore({COUNTS: counts, REFERENCE: reference} if len(counts) else {})
        small = small_and_grey(frames, self.size_hw)
        line = np.concatenate([past, small[..., 0]])
        windows, whole, repeats = [], [], []
        for last, frame in enumerate(small, start=len(past)):
            repeats.append(skip_calm and calm.push(frame))
            whole.append(last >= self.reach)
            if whole[-1] and not repeats[-1]:
                window = line[last - self.reach : last + 1 : self.stride]
            windows.append(window)
        counted = calm.state()
        carried = (
            line[max(0, len(line) - self.reach) :],
            window,
            counted.get(COUNTS, np.zeros(0, np.int64)),
            counted.get(REFERENCE, np.zeros(0, np.uint8)),
        )
        ended = Ended(np.stack(windows), np.array(whole, np.float32), np.array(repeats, bool))
        return ended, carried


PARTS = 4  # of what ``Windows.see`` carries on


class JointMeasurer:
    """The attributes, with the windows that a segmenter sees; a ``measuring.Measurer``.

    Args:
        attributes: give a part of the map, and reasons.
        windows: of the segmenter; None: it does not count.
    """

    kind: ClassVar[str] = "joint"

    def __init__(self, attributes: AttributeMeasurer, windows: Windows | None) -> None:
        self._attributes, self._windows = attributes, windows

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "JointMeasurer":
        """Made of its ``arrays``."""
        windows = None
        if SIZES in arrays:
            frames, stride, height, width = map(int, arrays[SIZES])
            windows = Windows(frames, stride, (height, width))
        return cls(AttributeMeasurer(arrays), windows)

    def see(
        self, frames: Image, before: Carried, *, skip_calm: bool = False
    ) -> tuple[Seen, Carried]:
        """Maps of the attributes, and windows; see ``measuring.Measurer.see``."""
        if self._windows is None:
            return self._attributes.see(frames, before, skip_calm=skip_calm)
        seen, measured = self._attributes.see(frames, before[PARTS:], skip_calm=skip_calm)
        ended, cut = self._windows.see(frames, before[:PARTS], skip_calm=skip_calm)
        inputs = seen.inputs | {WINDOW: ended.frames, WHOLE: ended.whole}
        skipped = seen.skipped & ended.repeats
        return Seen(inputs, seen.evidence, skipped, ended.repeats), (*cut, *measured)

    def reason(self, evidence: Plane, place: tuple[float, float]) -> Reason:
        """The attribute's words, else, where the segmenter counts, that it found the place."""
        found = self._attributes.reason(evidence, place)
        if found.words or self._windows is None:
            return found
        return found._replace(words=FOUND_BY_NET)

    def examples(self) -> Image:
        """Those of the attributes."""
        return self._attributes.examples()

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Those of the attributes, and the sizes of the windows."""
        arrays = self._attributes.arrays()
        if self._windows is None:
            return arrays
        sizes = (self._windows.window_frames, self._windows.stride, *self._windows.size_hw)
        return arrays | {SIZES: np.array(sizes)}
