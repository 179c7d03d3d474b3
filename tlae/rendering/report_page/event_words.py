"""What a card says of an event: where, how sure, and which others came back at its hour."""

from collections.abc import Sequence
from datetime import datetime

from tlae.number_words import how_many
from tlae.rendering.footage_time import FootageTime
from tlae.rendering.marks import WHOLE, WHOLE_SHARE
from tlae.rendering.report_page.event_list import CAMERA, ReportEvent, by_strength
from tlae.rendering.strength import share_text
from tlae.rendering.time_ticks import DAY_S, HOUR_S

ROWS, COLUMNS = ("upper", "", "lower"), ("left", "", "right")
ALONE = {"upper": "top", "lower": "bottom", "": "middle"}
SAME_HOUR_S = HOUR_S / 2  # events so near in the time of day may belong together
LONGEST_GROUP_S = 2 * HOUR_S
FEWEST_DAYS = 3  # on which something is at one hour, to be called recurring


def place_words(box: Sequence[int], size_hw: tuple[int, int]) -> str:
    """Where a box is: ``at the lower left``, ``in the middle``; "" where it is not known.

    Args:
        box: left, top, width, height in pixels of the source.
        size_hw: of the source.
    """
    height, width = size_hw
    if len(box) != 4 or not (height > 0 and width > 0 and box[2] > 0 and box[3] > 0):
        return ""
    if box[2] * box[3] > WHOLE_SHARE * height * width:
        return f"over the {WHOLE}"
    row = ROWS[min(2, int(3 * (box[1] + box[3] / 2) / height))]
    column = COLUMNS[min(2, int(3 * (box[0] + box[2] / 2) / width))]
    words = f"{row} {column}".strip() if column else ALONE[row]
    return f"in the {words}" if words == "middle" else f"at the {words}"


def sure_words(event: ReportEvent, rank: int, scenes: int) -> str:
    """How sure an event is: "1.9 x threshold, rank 1 of 16, above 99.9 % of normal".

    Args:
        event: of the scene.
        rank: among those of the scene, 1 first.
        scenes: number of them.
    """
    parts = [event.strong] if event.raw is not None else []
    parts += [f"rank {rank:,} of {scenes:,}"] if scenes > 1 else []
    parts += [share_text(event.score)] if event.score is not None else []
    parts += [f"seen in {event.frames:,} frames"] if event.frames > 1 else []
    return ", ".join(parts)


def hidden_words(hidden: Sequence[ReportEvent]) -> list[str]:
    """That the user's answers hide events; nothing where they hide none."""
    if not hidden:
        return []
    some = how_many(len(hidden), "event")
    return [f"{some} hidden by your answers, listed below the others."]


def recurring(events: Sequence[ReportEvent], time: FootageTime) -> dict[str, str]:
    """Events that come back at one hour: id of each but the strongest -> id of the strongest.

    Times of day no more than half an hour apart make a group, if they are from three days or more
    and two hours long at most; where there is something at every hour, nothing recurs.
    """
    clocked = [
        (moment, event)
        for event in events
        if event.kind != CAMERA and (moment := time.moment(event.peak_s)) is not None
    ]
    clocked.sort(key=lambda pair: _of_day_s(pair[0]))
    groups: list[list[tuple[datetime, ReportEvent]]] = []
    for pair in clocked:
        at_s = _of_day_s(pair[0])
        if groups and at_s - _of_day_s(groups[-1][-1][0]) <= SAME_HOUR_S:
            groups[-1].append(pair)
        else:
            groups.append([pair])
    led: dict[str, str] = {}
    for group in groups:
        lasts_s = _of_day_s(group[-1][0]) - _of_day_s(group[0][0])
        days = {moment.date() for moment, _ in group}
        if len(days) >= FEWEST_DAYS and lasts_s <= LONGEST_GROUP_S:
            first, *others = by_strength([event for _, event in group])
            led |= {other.id: first.id for other in others}
    return led


def _of_day_s(moment: datetime) -> float:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return (moment - midnight).total_seconds() % DAY_S
