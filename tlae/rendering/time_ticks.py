"""Round moments for a time axis, and their labels."""

import math
from datetime import datetime, timedelta

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0

_STEPS_S = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(MINUTE_S * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR_S * n for n in (1, 2, 3, 6, 12)),
    *(DAY_S * n for n in (1, 2, 7, 14, 30, 91, 182, 365)),
)


def time_ticks(span_s: float, began: datetime | None, most: int) -> list[tuple[float, str]]:
    """Choose the finest round step that needs no more than ``most`` labels.

    Args:
        span_s: length of the axis [s].
        began: wall-clock time of its start; labels are then clock times, else times in the clip.
        most: number of labels that fit.

    Returns:
        Seconds from the start and label of each tick.
    """
    most = max(most, 1)
    step_s = next((step for step in _STEPS_S if span_s / step < most), span_s / most)
    if began is None:
        moments = [n * step_s for n in range(int(span_s / step_s) + 1)]
        return [(s, _elapsed(s, step_s, span_s)) for s in moments]
    midnight = began.replace(hour=0, minute=0, second=0, microsecond=0)
    since_s = (began - midnight).total_seconds()
    first, last = math.ceil(since_s / step_s), math.floor((since_s + span_s) / step_s)
    moments = [n * step_s for n in range(first, last + 1)]
    return [(s - since_s, _clock(midnight + timedelta(seconds=s), step_s)) for s in moments]


def _clock(moment: datetime, step_s: float) -> str:
    at_midnight = moment.hour == moment.minute == moment.second == moment.microsecond == 0
    if step_s >= 91 * DAY_S:
        return moment.strftime("%Y-%m-%d")
    if step_s >= DAY_S or at_midnight:
        return moment.strftime("%m-%d")
    if step_s >= MINUTE_S:
        return moment.strftime("%H:%M")
    return moment.strftime("%H:%M:%S") + (f".{moment.microsecond // 100_000}" if step_s < 1 else "")


def _elapsed(time_s: float, step_s: float, span_s: float) -> str:
    tenths = round(10 * time_s)
    seconds = tenths // 10
    if step_s < 1:
        return f"{seconds // 60:02d}:{seconds % 60:02d}.{tenths % 10}"
    if span_s < HOUR_S:
        return f"{seconds // 60:02d}:{seconds % 60:02d}"
    if span_s < 2 * DAY_S:
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    days, rest = divmod(seconds, 86400)
    return f"{days} d" if rest == 0 else f"{days} d {rest // 3600} h"
