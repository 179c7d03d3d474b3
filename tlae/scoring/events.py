"""Events: stretches of alarm, with their worst moment and where it was."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

MERGE_FRAMES = 10  # alarms closer than this are one event

FloatMap = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Event:
    """One stretch of alarm in one clip.

    Attributes:
        clip: its clip.
        first_frame, last_frame: 0-based, inclusive.
        start_s, end_s: clip time of those frames [s].
        started_at, ended_at: wall-clock times, ISO 8601, or None.
        peak_frame: frame of the highest raw score.
        peak_raw, peak_score: its raw and calibrated score (None without a calibration).
        box: region over threshold around the peak at that frame, in source pixels: left, top,
            width, height.
    """

    clip: str
    first_frame: int
    last_frame: int
    start_s: float
    end_s: float
    started_at: str | None
    ended_at: str | None
    peak_frame: int
    peak_raw: float
    peak_score: float | None
    box: tuple[int, int, int, int]

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``events.json``."""
        return asdict(self)


def alarm_runs(table: pd.DataFrame, merge_frames: int = MERGE_FRAMES) -> list[tuple[int, int]]:
    """First and last row (inclusive) of each stretch of alarm; short pauses in it are bridged.

    Args:
        table: score table, rows in order.
        merge_frames: pauses of fewer frames than this, in the same clip, do not end an event.
    """
    rows = np.flatnonzero(table["alarm"].to_numpy(dtype=bool))
    if not len(rows):
        return []
    clips = table["clip"].to_numpy()[rows]
    apart = (np.diff(rows) > merge_frames) | (clips[1:] != clips[:-1])
    groups = np.split(rows, np.flatnonzero(apart) + 1)
    return [(int(group[0]), int(group[-1])) for group in groups]


def find_events(
    table: pd.DataFrame,
    map_of: Callable[[int], FloatMap],
    source_hw: Callable[[int], tuple[int, int]],
) -> list[Event]:
    """Describe each stretch of alarm.

    Args:
        table: score table, rows in order.
        map_of: smoothed map (h, w) of a row.
        source_hw: size of the camera's picture of a row in pixels.
    """
    events = []
    for first, last in alarm_runs(table):
        stretch = table.iloc[first : last + 1]
        peak = first + int(np.nanargmax(stretch["raw"].to_numpy()))
        start, end, worst = table.iloc[first], table.iloc[last], table.iloc[peak]
        events.append(
            Event(
                clip=str(start["clip"]),
                first_frame=int(start["frame"]),
                last_frame=int(end["frame"]),
                start_s=float(start["time_s"]),
                end_s=float(end["time_s"]),
                started_at=_iso(start["taken_at"]),
                ended_at=_iso(end["taken_at"]),
                peak_frame=int(worst["frame"]),
                peak_raw=float(worst["raw"]),
                peak_score=None if pd.isna(worst["score"]) else float(worst["score"]),
                box=region_box(map_of(peak), float(worst["threshold"]), source_hw(peak)),
            )
        )
    return events


def region_box(
    smoothed: FloatMap, threshold: float, source_hw: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Box around the connected region of the peak that is over the threshold.

    Temporal smoothing can raise an alarm in a frame whose own map stays below the threshold; the
    region is then what lies above half of the map's peak.

    Returns:
        Left, top, width, height in source pixels.
    """
    level = min(threshold, 0.5 * float(smoothed.max()))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((smoothed > level).astype(np.uint8))
    row, column = np.unravel_index(int(smoothed.argmax()), smoothed.shape)
    left, top, width, height = stats[labels[row, column]][:4]
    across, down = source_hw[1] / smoothed.shape[1], source_hw[0] / smoothed.shape[0]
    x0, y0 = int(left * across), int(top * down)
    x1, y1 = round((left + width) * across), round((top + height) * down)
    return x0, y0, x1 - x0, y1 - y0


def _iso(moment: object) -> str | None:
    return None if pd.isna(moment) else pd.Timestamp(moment).isoformat()  # type: ignore[arg-type, call-overload]
