"""Events as the report tells them; what older results do not say is filled with its meaning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tlae.footage.frames import OK
from tlae.rendering.footage_time import FootageTime, duration_text
from tlae.rendering.strength import strength_text, times_threshold
from tlae.table import Table, first_rows

SCENE, CAMERA = "scene", "camera"


@dataclass(frozen=True)
class ReportEvent:
    """One event of ``events.json``, placed on the axis of the footage.

    Attributes:
        id: as written, or numbered in the order of the file.
        kind: ``scene`` or ``camera`` (the camera itself was in trouble).
        zone: named part of the picture, or "".
        mode: camera mode at the peak, or "".
        stays: whether it stood still; None: not known.
        health: what was wrong with the camera, or ``ok``.
        clip: its clip.
        row: of the peak in the score table.
        peak_frame: of the peak in its clip.
        from_s, to_s, peak_s: on the axis.
        raw: at the peak; None: no frame of it has a score.
        score: calibrated, at the peak, in [0, 1]; None: not calibrated.
        strength: raw at the peak as a multiple of the threshold there; raw if there is none; 0
            without a score.
        strong: the same in words.
        when, lasted: in words.
        reason: why it is unusual, a clause that follows "it", or "".
        what: kind of a thing, or "".
        rank: place in the order of interest, 1 first; 0: not known.
        rows: first and last row in the score table.
        box: left, top, width, height in source pixels; empty: not known.
        size_hw: of the source; zeros: not known.
        frames: in which a thing was seen; 0: things are not followed.
        told_by: why it is of that kind, in words, or "".
        until: whether the place is still so at the end, in words, or "".
        hidden_by: key of the answer that hides it, or "".
    """

    id: str
    kind: str
    zone: str
    mode: str
    stays: bool | None
    health: str
    clip: str
    row: int
    peak_frame: int
    from_s: float
    to_s: float
    peak_s: float
    raw: float | None
    score: float | None
    strength: float
    when: str
    lasted: str
    reason: str
    what: str = ""
    rank: int = 0
    rows: tuple[int, int] = (0, 0)
    box: tuple[int, ...] = ()
    size_hw: tuple[int, int] = (0, 0)
    frames: int = 0
    strong: str = ""
    told_by: str = ""
    until: str = ""
    hidden_by: str = ""


def place_events(
    events: Sequence[dict[str, Any]],
    table: Table,
    time: FootageTime,
    threshold: float,
) -> list[ReportEvent]:
    """Read events and find them on the axis.

    Args:
        events: content of ``events.json``, with ``until`` in words; those of frames that the table
            lacks are left out.
        table: score table.
        time: of its rows.
        threshold: alarm threshold in raw units where the table has no column of it.
    """
    clips = table["clip"]
    first_row = first_rows(clips)
    placed = []
    for number, event in enumerate(events, start=1):
        start = first_row.get(str(event["clip"]))
        if start is None:
            continue
        rows = [start + int(event[f"{end}_frame"]) for end in ("first", "last", "peak")]
        if max(rows) >= len(table) or clips[max(rows)] != event["clip"]:
            continue
        placed.append(_placed(event, number, rows, table, time, threshold))
    return placed


def by_strength(events: Sequence[ReportEvent]) -> list[ReportEvent]:
    """Events of the scene first, then those of the camera, each the most interesting first.

    Results of older versions say nothing of interest: the strongest is the first.
    """
    return sorted(
        events, key=lambda e: (e.kind == CAMERA, e.rank or len(events), -e.strength, e.from_s)
    )


def _placed(
    event: dict[str, Any],
    number: int,
    rows: list[int],
    table: Table,
    time: FootageTime,
    threshold: float,
) -> ReportEvent:
    first, last, peak = rows
    from_s, to_s, peak_s = (float(time.axis_s[row]) for row in rows)
    if "threshold" in table:
        threshold = float(table["threshold"][peak])
    raw, score = event["peak_raw"], event.get("peak_score")
    measured = 0.0 if raw is None else float(raw)
    ratio = times_threshold(measured, threshold)
    sizes = [table[name][peak] if name in table else 0 for name in ("source_h", "source_w")]
    one = first == last
    return ReportEvent(
        id=str(event.get("id") or f"E{number:04d}"),
        kind=str(event.get("kind") or SCENE),
        zone=str(event.get("zone") or ""),
        mode=str(event.get("mode") or ""),
        stays=event.get("stays"),
        health=str(event.get("health") or OK),
        clip=str(event["clip"]),
        row=peak,
        peak_frame=int(event["peak_frame"]),
        from_s=from_s,
        to_s=to_s,
        peak_s=peak_s,
        raw=None if raw is None else float(raw),
        score=None if score is None else float(score),
        strength=measured if ratio is None else ratio,
        strong=strength_text(measured, threshold),
        when=time.text(from_s),
        lasted="one frame" if one else duration_text(time.lasts_s(first, last)),
        reason=str(event.get("reason") or ""),
        what=str(event.get("what") or ""),
        rank=int(event.get("rank") or 0),
        rows=(first, last),
        box=tuple(map(int, event.get("box") or ())),
        size_hw=(int(sizes[0]), int(sizes[1])),
        frames=int(event.get("frames") or 0),
        told_by=str(event.get("told_by") or ""),
        until=str(event.get("until") or ""),
        hidden_by=str(event.get("hidden_by") or ""),
    )
