"""Whether footage shows one view throughout: a camera that was turned or moved shows another."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.camera.measures import Plane, edges, luminance
from tlae.footage.frames import OK, Image
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows, evenly

LEAST_DAYS = 3  # so that one side at least can be seen to be one view
MOST_DAYS = 60  # evenly spread; more would not find more
OF_A_DAY = 24  # frames that are read, of which
BRIGHTEST = 12  # show most
DAY_S = 86_400.0
SAME_VIEW = 0.5  # correlation of edges: weather left 0.73 and more, a turn by 2 degrees 0.40
SAME_SCENE = 0.3  # of an hour to all of training: night and day 0.59, other cameras 0.10 and less


@dataclass(frozen=True)
class AnotherView:
    """A day from which on the picture is another one.

    Attributes:
        row: its first, of the store.
        alike: mean correlation of the edges of its days and later ones with those of days before.
    """

    row: int
    alike: float


def another_view(store: FrameStore, rows: Rows) -> AnotherView | None:
    """The day that divides footage into two views best; None: it is one view, or too short.

    The median of a day's edges is compared, which passers-by and the hour change little.

    Args:
        store: decoded frames.
        rows: of normal footage with wall-clock times, in order.
    """
    days = _days(store, rows)
    days = [days[at] for at in evenly(len(days), MOST_DAYS)]
    if len(days) < LEAST_DAYS:
        return None
    pictures = np.stack([_edges_of(store, day).ravel() for day in days])
    if not pictures.std(axis=1).all():
        return None
    alike = np.atleast_2d(np.corrcoef(pictures))
    across = [float(alike[:at, at:].mean()) for at in range(1, len(days))]
    best = int(np.argmin(across))
    sides = alike[: best + 1, : best + 1], alike[best + 1 :, best + 1 :]
    if across[best] >= SAME_VIEW or not all(_is_one_view(side) for side in sides):
        return None
    return AnotherView(int(days[best + 1][0]), across[best])


def _is_one_view(alike: npt.NDArray[np.float64]) -> bool:
    """Whether the days of one side are alike (n, n): by night alone, no two days are."""
    apart = alike[~np.eye(len(alike), dtype=bool)]
    return not len(apart) or float(apart.mean()) >= SAME_VIEW


def alike_to(frames: Image, known: Plane) -> float:
    """Highest correlation of the edges of a day's pictures with those of known ones; NaN: too dark.

    Args:
        frames: (n, H, W, C) of one day.
        known: edges (k, H, W), see ``BackgroundBank.rough_edges``.
    """
    shown = _brightest_edges(frames)
    if len(shown) < BRIGHTEST or (whole := _lasting(shown)) is None:
        return math.nan
    return float(np.nanmax([-1.0, *(_correlation(whole, one) for one in known)]))


def scene_alike(frames: Image, mean: Image) -> float:
    """Correlation of the median edges of pictures with the edges of a mean picture.

    Args:
        frames: (n, H, W, C), spread over the footage.
        mean: (H, W, C), of the training footage.

    Returns:
        In [-1, 1]; NaN where the pictures show nothing that stays.
    """
    if (whole := _lasting(np.sqrt(edges(luminance(frames))))) is None:
        return math.nan
    return _correlation(whole, np.sqrt(edges(luminance(mean[None])))[0])


def other_days(store: FrameStore, rows: Rows, known: Plane) -> list[AnotherView]:
    """Days that show another view than known pictures do.

    Args:
        store: decoded frames.
        rows: with wall-clock times, in order.
        known: edges (k, H, W), see ``BackgroundBank.rough_edges``.
    """
    found = [
        AnotherView(int(day[0]), alike_to(store.read(day[evenly(len(day), OF_A_DAY)]), known))
        for day in _days(store, rows)
        if len(day) >= BRIGHTEST
    ]
    return [one for one in found if one.alike < SAME_VIEW]  # NaN is not


class ArrivingView:
    """The same of frames as they arrive.

    Args:
        known: edges (k, H, W), see ``BackgroundBank.rough_edges``.

    Attributes:
        sentence: what is so of the last whole day; empty: it shows the known view.
    """

    def __init__(self, known: Plane) -> None:
        self._known, self.sentence = known, ""
        self._frames: list[Image] = []
        self._began_s = self._last_s = -math.inf

    def see(self, frame: Image, at_s: float) -> str:
        """Take a frame (H, W, C) of a time [s]; returns the sentence if it is new."""
        if not self._frames or at_s < self._last_s:
            self._frames, self._began_s, self._last_s = [], at_s, -math.inf
        if at_s - self._last_s >= DAY_S / OF_A_DAY:
            self._frames.append(frame)
            self._last_s = at_s
        if at_s - self._began_s < DAY_S or len(self._frames) < BRIGHTEST:
            return ""
        before, alike = self.sentence, alike_to(np.stack(self._frames[-OF_A_DAY:]), self._known)
        self.sentence, self._frames = other_view(alike, "the last 24 hours"), []
        return "" if before else self.sentence


def other_view(alike: float, when: str) -> str:
    """A sentence where a time shows another view than in training; else empty."""
    if not alike < SAME_VIEW:
        return ""
    return (
        f"the picture of {when} is another one than the model learnt from (edges correlate "
        f"{alike:.2f}; those of one view {SAME_VIEW} and more): if the camera was moved or turned, "
        "train on footage from then on"
    )


def _days(store: FrameStore, rows: Rows) -> list[Rows]:
    """The readable ones of some rows, in order, day by day."""
    rows = rows[(store.index["state"] == OK)[rows]]
    days = store.index["taken_at"][rows].astype("datetime64[D]").astype(np.int64)
    return np.split(rows, np.flatnonzero(np.diff(days)) + 1)


def _edges_of(store: FrameStore, rows: Rows) -> Plane:
    """Median edges (H, W) of the brightest pictures of a day."""
    return _median(_brightest_edges(store.read(rows[evenly(len(rows), OF_A_DAY)])))


def _lasting(shown: Plane) -> Plane | None:
    """Median (H, W) of the edges of pictures (n, H, W); None: they show nothing but noise."""
    if len(shown) < 2:
        return None
    alike = _correlation(*(_median(shown[first::2]) for first in (0, 1)))
    return _median(shown) if alike >= SAME_VIEW else None  # NaN is not


def _median(shown: Plane) -> Plane:
    return np.asarray(np.median(shown, axis=0), np.float32)


def _correlation(one: Plane, other: Plane) -> float:
    """Of two pictures (H, W); NaN where one of them is even."""
    one, other = one - one.mean(), other - other.mean()
    size = math.sqrt(float((one**2).sum()) * float((other**2).sum()))
    return float((one * other).sum()) / size if size else math.nan


def _brightest_edges(frames: Image) -> Plane:
    """Edges of the brightest pictures (n, H, W), in the unit of ``BackgroundBank.rough_edges``."""
    light = luminance(frames)
    return np.sqrt(edges(light[np.sort(np.argsort(light.mean(axis=(1, 2)))[-BRIGHTEST:])]))
