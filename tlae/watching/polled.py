"""A camera that gives one picture for each request, asked again and again."""

import logging
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPException

from tlae.errors import UserError
from tlae.footage.images import Unreadable, decode_image
from tlae.footage.timestamps import Timing
from tlae.http_client import TooLong, body_of, in_words
from tlae.watching.address import Address, CameraTrouble, ask
from tlae.watching.arrival import Arrival, Counts, Wanted, camera_hw, whole_picture
from tlae.watching.pacing import CameraClock, pause_s, pauses
from tlae.watching.settings import CameraConfig

MOST_BYTES = 100_000_000  # of a picture

logger = logging.getLogger(__name__)


class PolledSource:
    """Pictures behind an HTTP address.

    Args:
        address: of the picture.
        cfg: how to wait for it.
        wanted: how the pictures are wanted.
    """

    keeps_all = False

    def __init__(self, address: Address, cfg: CameraConfig, wanted: Wanted) -> None:
        self.counts = Counts()
        self._address, self._cfg, self._wanted = address, cfg, wanted
        self._clock = CameraClock(Timing(time_zone=cfg.time_zone), is_stamped=False)

    def frames(self, stop: threading.Event) -> Iterator[Arrival | None]:
        """Pictures for ever; see ``Source``."""
        tries = 0
        while not stop.is_set():
            asked_s = time.monotonic()
            try:
                yield self._picture()
                tries = 0
                wait_s = asked_s + self._wanted.interval_s - time.monotonic()
            except CameraTrouble as trouble:
                if not self.counts.read:
                    raise UserError(f"camera {self._address.shown} {trouble}") from trouble
                tries += 1
                self.counts.reconnects += 1
                if str(trouble) != self.counts.trouble:
                    logger.warning("camera %s %s; trying again", self._address.shown, trouble)
                self.counts.trouble = str(trouble)
                wait_s = max(self._wanted.interval_s, pause_s(tries, self._cfg.retry_s))
            yield from pauses(stop, wait_s)

    def _picture(self) -> Arrival:
        try:
            with ask(self._address.path, self._cfg.open_timeout_s) as answer:
                data = body_of(answer, MOST_BYTES, self._cfg.read_timeout_s)
        except TooLong as error:
            raise CameraTrouble(f"sent more than {MOST_BYTES:,} bytes for one picture") from error
        except (OSError, HTTPException) as error:
            raise CameraTrouble(f"does not answer: {in_words(error)}") from error
        wanted = self._wanted
        try:
            image, source_hw = decode_image(data, wanted.min_hw, wanted.levels)
        except Unreadable as problem:
            self.counts.unreadable += 1
            raise CameraTrouble(f"sent no picture: {problem.reason}") from problem
        when = self._clock.now()
        self.counts.frame_came()
        whole = partial(whole_picture, data, wanted.levels)
        return Arrival(image, when, wanted.name, camera_hw(image, source_hw), whole)
