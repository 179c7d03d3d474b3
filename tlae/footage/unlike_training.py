"""What makes footage unlike the one that a model learnt from, in words: its shape, its pace."""

from collections import deque
from statistics import median

from tlae.footage.preprocess import same_shape

INTERVAL_FACTOR = 3.0  # footage this much slower or faster than the model's is worth a warning
STEPS = 15  # between frames, of which the median is their pace


def other_shape(here_hw: tuple[int, int], learnt_hw: tuple[int, int] | None) -> str:
    """A sentence where pictures have another aspect ratio than in training; else empty.

    Args:
        here_hw: size of the camera's pictures [px].
        learnt_hw: in training; None: not known.
    """
    if learnt_hw is None or same_shape(here_hw, learnt_hw):
        return ""
    here, learnt = (f"{width}x{height}" for height, width in (here_hw, learnt_hw))
    return (
        f"pictures here have {here} pixels, the model learnt from {learnt}: stretched to the net's "
        "size they show another shape; train on such footage"
    )


def other_pace(here_s: float, learnt_s: float) -> str:
    """A sentence where frames are much further apart, or closer, than in training; else empty.

    Args:
        here_s: time between frames [s]; 0: not known.
        learnt_s: in training; 0: not known.
    """
    is_known = learnt_s > 0 and here_s > 0
    if not is_known or 1 / INTERVAL_FACTOR < here_s / learnt_s < INTERVAL_FACTOR:
        return ""
    return (
        f"frames are {here_s:.3g} s apart, the model learnt from frames {learnt_s:.3g} s apart; "
        "scores may mean little"
    )


class UnlikeTraining:
    """The same of frames as they arrive.

    Args:
        learnt_hw: see ``other_shape``.
        learnt_s: see ``other_pace``.
        gap_s: an interval longer than this begins a new clip [s]; 0: none does.

    Attributes:
        shape, pace: what is so now, a sentence; empty: nothing.
    """

    def __init__(
        self, learnt_hw: tuple[int, int] | None, learnt_s: float, gap_s: float = 0.0
    ) -> None:
        self._learnt_hw, self._learnt_s, self._gap_s = learnt_hw, learnt_s, gap_s
        self._steps_s: deque[float] = deque(maxlen=STEPS)
        self.shape = self.pace = ""

    def see(self, here_hw: tuple[int, int], step_s: float) -> list[str]:
        """Take note of a frame; returns what is so since this frame, and was not before.

        Args:
            here_hw: size of the camera's picture [px].
            step_s: time since the frame before [s]; NaN, or not above 0: not known.
        """
        before = self.shape, bool(self.pace)
        self.shape = other_shape(here_hw, self._learnt_hw)
        if step_s > 0:
            self._steps_s.append(step_s)
        if len(self._steps_s) == STEPS:
            here_s = median(self._steps_s)
            self.pace = other_pace(here_s, self._learnt_s)
            if self.pace and 0 < self._gap_s < here_s:
                self.pace += f", and an interval over {self._gap_s:g} s begins a new clip"
        news = self.shape if self.shape != before[0] else "", "" if before[1] else self.pace
        return [sentence for sentence in news if sentence]
