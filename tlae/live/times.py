"""When frames arrive: their clip, their number in it, and whether footage ended before them."""

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from numbers import Real
from typing import Any, NamedTuple

from tlae.errors import UserError

When = datetime | float


class Arrival(NamedTuple):
    """A frame that came.

    Attributes:
        clip: 0-based number of its clip.
        frame: 0-based in it.
        time_s: since the clip began [s].
        at_s: since the first frame of all [s].
        step_s: since the frame before [s]; NaN: it is the first of its clip.
        taken_at: wall-clock time; None: not known.
        cut: whether footage ended before it, so that nothing of the past counts for it.
        forget: whether not even the time that passed since is known.
    """

    clip: int
    frame: int
    time_s: float
    at_s: float
    step_s: float
    taken_at: datetime | None
    cut: bool
    forget: bool


@dataclass
class ArrivalTimes:
    """Number frames and take their times.

    Attributes:
        interval_s: between frames that come without a time [s].
        gap_s: a longer interval ends footage [s]; 0: none does.
    """

    interval_s: float
    gap_s: float
    _clip: int = 0
    _frame: int = -1
    _to_cut: bool = True
    _began: When | None = None  # the first frame of the clip
    _first: When | None = None  # the first frame of all
    _last_s: float = math.nan  # of the frame before, in its clip
    _at_s: float = 0.0  # and in all

    def cut(self) -> None:
        """What comes next is another clip."""
        if self._frame >= 0:
            self._clip, self._frame, self._to_cut = self._clip + 1, -1, True

    def take(self, when: When | None) -> Arrival:
        """The next frame.

        Args:
            when: wall-clock time, or seconds; None: ``interval_s`` after the frame before.

        Raises:
            UserError: the time is of another kind than those before, or none.
        """
        when = self._moment(when)
        began = when if self._to_cut or self._began is None else self._began
        first = when if self._first is None else self._first
        time_s, at_s = _between(began, when), _between(first, when)
        since = time_s - self._last_s
        taken_at = when if isinstance(when, datetime) else None
        arrival = Arrival(
            clip=self._clip,
            frame=self._frame + 1,
            time_s=time_s,
            at_s=at_s,
            step_s=math.nan if self._to_cut else at_s - self._at_s,
            taken_at=taken_at,
            cut=self._to_cut or since < 0 or 0 < self.gap_s < since,
            forget=self._to_cut and taken_at is None,
        )
        self._began, self._first, self._frame = began, first, arrival.frame
        self._last_s, self._at_s, self._to_cut = time_s, at_s, False
        return arrival

    def state(self) -> dict[str, Any]:
        """What the frames so far leave behind, for ``restore``."""
        return {name: value for name, value in asdict(self).items() if name.startswith("_")}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        for name in self.state():
            setattr(self, name, state[name])

    def _moment(self, when: When | None) -> When:
        """A time that can be calculated with."""
        if when is None:
            if isinstance(self._first, datetime):
                raise UserError("frames with and without a time must not be mixed; give each one")
            return 0.0 if self._first is None else self._at_s + self.interval_s
        finite = isinstance(when, datetime) or (isinstance(when, Real) and math.isfinite(when))
        if not finite or when != when:  # NaT of pandas is a datetime
            raise UserError(f"a time must be a datetime or finite seconds, got {when!r}")
        if isinstance(when, datetime) and when.tzinfo is not None:
            return when.astimezone().replace(tzinfo=None)
        return when


def _between(first: When, when: When) -> float:
    """Time from one to the other [s]."""
    if isinstance(first, datetime) and isinstance(when, datetime):
        return (when - first).total_seconds()
    if isinstance(first, datetime) or isinstance(when, datetime):
        raise UserError("times must all be datetimes or all be seconds, got both")
    return float(when) - float(first)
