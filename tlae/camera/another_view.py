"""Whether footage shows one view throughout: a camera that was turned or moved shows another."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.camera.measures import Plane, edges, luminance
from tlae.footage.frames import OK
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows

LEAST_DAYS = 3  # so that one side at least can be seen to be one view
MOST_DAYS = 60  # evenly spread; more would not find more
OF_A_DAY = 24  # frames that are read, of which
BRIGHTEST = 12  # show most
SAME_VIEW = 0.5  # correlation of edges: weather left 0.73 and more, a turn by 2 degrees 0.40


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
    rows = rows[(store.index["state"] == OK)[rows]]
    days = np.split(rows, np.flatnonzero(np.diff(_day_of(store, rows))) + 1)
    days = [days[at] for at in _evenly(len(days), MOST_DAYS)]
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


def _day_of(store: FrameStore, rows: Rows) -> npt.NDArray[np.int64]:
    taken_at = store.index["taken_at"][rows]
    return np.asarray(taken_at.astype("datetime64[D]").astype(np.int64))


def _edges_of(store: FrameStore, rows: Rows) -> Plane:
    """Median edges (H, W) of the brightest pictures of a day."""
    light = luminance(store.read(rows[_evenly(len(rows), OF_A_DAY)]))
    brightest = light[np.argsort(light.mean(axis=(1, 2)))[-BRIGHTEST:]]
    return np.asarray(np.median(np.sqrt(edges(brightest)), axis=0), np.float32)


def _evenly(count: int, most: int) -> Rows:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round()).astype(np.int64)
