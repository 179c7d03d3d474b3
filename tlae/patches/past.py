"""The last hours: stills that were seen before the one that is judged."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tlae.measuring import Carried
from tlae.patches.features import Still
from tlae.patches.memory import Memory

MOST = 192  # stills that are kept


@dataclass(frozen=True)
class Reach:
    """Which of the stills before are compared with.

    Attributes:
        spacing: every so many stills one is kept.
        fresh: the last so many stills are not compared with, so that what has just come is new.
    """

    spacing: int
    fresh: int

    @classmethod
    def of(cls, past_h: float, fresh_h: float, interval_s: float) -> "Reach":
        """For stills so far apart [s]: compared with some hours, the last ones left out."""
        stills = 3600 * past_h / interval_s
        return cls(max(1, round(stills / MOST)), max(1, round(3600 * fresh_h / interval_s)))

    def rows_before(self, number: int, first: int = 0) -> npt.NDArray[np.int64]:
        """Which stills of a run that begins with ``first`` a still is compared with."""
        kept = np.arange(number, dtype=np.int64)
        kept = kept[(kept >= first) & (kept % self.spacing == 0) & (kept < number - self.fresh)]
        return np.asarray(kept[-MOST:])


@dataclass(frozen=True, eq=False)
class Past:
    """Stills of the run so far, oldest first.

    Attributes:
        count: stills seen.
        numbers: (n,), of those that are kept.
        memory: the kept ones; None: none yet.
    """

    count: int = 0
    numbers: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    memory: Memory | None = None

    def compared(self, reach: Reach) -> npt.NDArray[np.int64]:
        """Places in ``memory`` that the next still is compared with."""
        return np.flatnonzero(self.numbers < self.count - reach.fresh)[-MOST:]

    def with_still(self, still: Still, reach: Reach) -> "Past":
        """The past of the still after this one."""
        if self.count % reach.spacing:
            return Past(self.count + 1, self.numbers, self.memory)
        one = Memory.of([still])
        kept = MOST + -(-reach.fresh // reach.spacing)
        if self.memory is None:
            return Past(self.count + 1, np.array([self.count]), one)
        joined = Memory(
            np.concatenate([self.memory.planes, one.planes])[-kept:],
            np.concatenate([self.memory.looks, one.looks])[-kept:],
        )
        numbers = np.append(self.numbers, self.count)[-kept:]
        return Past(self.count + 1, numbers, joined)

    def packed(self) -> Carried:
        """What is carried on."""
        if self.memory is None:
            return ()
        return np.array([self.count]), self.numbers, self.memory.planes, self.memory.looks

    @classmethod
    def unpacked(cls, before: Carried) -> "Past":
        """Of ``packed``; nothing: the start of a run."""
        if not before:
            return cls()
        count, numbers, planes, looks = before
        return cls(int(count[0]), numbers, Memory(planes, looks))
