"""What is odd about frames that arrive: their shape, their pace, their clock, their view."""

import logging

from tlae.camera.another_view import ArrivingView
from tlae.footage.clock import ArrivingClock
from tlae.footage.frames import Image
from tlae.footage.unlike_training import UnlikeTraining
from tlae.live.times import Arrival
from tlae.scorable import Scorable

logger = logging.getLogger(__name__)


class LiveNotes:
    """Say each thing once, when it first shows.

    Args:
        model: says what frames were like in training.
        interval_s: median time between frames [s].
        sees_view: whether another view of the scene is noticed, which needs a camera in the model.
    """

    def __init__(self, model: Scorable, interval_s: float, *, sees_view: bool) -> None:
        learnt_s = model.calibration.interval_s
        self._unlike = UnlikeTraining(model.source_hw, learnt_s, model.gap_s)
        self._odd_times = ArrivingClock(interval_s)
        self._view: ArrivingView | None = None
        if sees_view and model.camera is not None:
            self._view = ArrivingView(model.camera.bank.rough_edges)

    @property
    def unlike_training(self) -> list[str]:
        """Why scores may mean little: sentences on the shape, pace or view of the frames."""
        view = "" if self._view is None else self._view.sentence
        return [one for one in (self._unlike.shape, self._unlike.pace, view) if one]

    @property
    def odd_times(self) -> dict[str, int]:
        """How often times or sizes of frames were odd, by kind."""
        return dict(self._odd_times.found)

    def see(self, prepared: Image, arrival: Arrival, source_hw: tuple[int, int]) -> None:
        """Look at a frame.

        Args:
            prepared: (H, W, C), as the model gets it.
            arrival: its time.
            source_hw: size of the camera's picture [px].
        """
        at = "" if arrival.taken_at is None else f", at {arrival.taken_at:%Y-%m-%d %H:%M:%S}"
        odd = self._unlike.see(source_hw, arrival.step_s)
        odd += [one + at for one in self._odd_times.see(arrival.step_s, source_hw)]
        if self._view is not None and (news := self._view.see(prepared, arrival.at_s)):
            odd.append(news)
        for sentence in odd:
            logger.warning("note: %s", sentence)
