"""Events: stretches of alarm, with their worst moment and where it was; see docs/events.md."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import Any

import cv2
import numpy as np

from tlae.camera.health import CAN_ALARM
from tlae.errors import UserError
from tlae.footage.frames import OK
from tlae.footage.windows import Rows, readable
from tlae.footage.zones import Mask
from tlae.lazy_column import Values, pieces_of
from tlae.scoring.areas import Area
from tlae.scoring.event_rule import Clock, EventRule, Flags, event_runs
from tlae.scoring.standing import Watch, accepted_places, stays
from tlae.scoring.stored_maps import FloatMap, StoredMaps
from tlae.table import Table, counted, is_any

SCENE, CAMERA = "scene", "camera"
SEEING = ("", *CAN_ALARM)  # health of a camera that shows the scene

SIDES = ("left", "top", "width", "height")
Box = tuple[int, int, int, int]  # left, top, width, height in source pixels


@dataclass(frozen=True)
class Event:
    """One stretch of alarm in one clip.

    Attributes:
        id: "E0001" and so on, in the order of their begin.
        kind: "scene", or "camera" for trouble with the camera itself.
        zone: its name; None: the whole picture.
        clip: its clip.
        first_frame, last_frame: 0-based, inclusive.
        start_s, end_s: clip time of those frames [s].
        started_at, ended_at: wall-clock times, ISO 8601, or None.
        peak_frame: frame of the highest raw score.
        peak_raw, peak_score: its raw and calibrated score (None where not known).
        threshold: alarm threshold at the peak, raw units (None where it is infinite, and for
            a camera event).
        box: region over the threshold around the peak at that frame, in source pixels: left, top,
            width, height.
        mode: camera mode at the peak; "" where there is but one.
        stays: the worst place was in alarm for most of the event.
        health: what is wrong with the camera; "ok" for scene events.
        reason: why the worst place is unusual at the peak, a clause that follows "it"; empty where
            the model does not say, and in zones.
        accepted_at: when what stayed was declared normal: wall-clock time, or clip time [s] where
            that is not known; None: it was not.
        what: kind of a thing, see ``things``; "" for stretches of alarm and for the camera.
        frames: number of frames in which the map shows a thing; 0 where things are not followed.
        returns: further days on which a thing came back at about the same hour.
        rank: place in the order of interest, 1 first; 0: none, or not known (while it goes on).
        told_by: why it is of that kind, in words; "": not told.
        still_so: whether the last pictures show the place of a thing as it was since; None: not
            known.
        over_at: when the place first was as before again: wall-clock time, or clip time [s] where
            that is not known; None: it is still so, or that is not known.
        hidden_by: key of the answer that hides it, see ``answers``; "": it is shown.
    """

    id: str
    kind: str
    zone: str | None
    clip: str
    first_frame: int
    last_frame: int
    start_s: float
    end_s: float
    started_at: str | None
    ended_at: str | None
    peak_frame: int
    peak_raw: float | None
    peak_score: float | None
    threshold: float | None
    box: Box
    mode: str = ""
    stays: bool = False
    health: str = OK
    reason: str = ""
    accepted_at: str | float | None = None
    what: str = ""
    frames: int = 0
    returns: int = 0
    rank: int = 0
    told_by: str = ""
    still_so: bool | None = None
    over_at: str | float | None = None
    hidden_by: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``events.json``."""
        return asdict(self) | {"box": list(self.box)}

    @classmethod
    def of_json(cls, record: Mapping[str, Any], number: int) -> "Event":
        """An event of ``events.json``; what older files do not say has its default.

        Args:
            record: clip, first_frame, last_frame, peak_frame and peak_raw at least.
            number: of the event in its file, from 1 on.
        """
        unsaid = {
            "id": f"E{number:04d}",
            "kind": SCENE,
            "zone": None,
            "start_s": math.nan,
            "end_s": math.nan,
            "started_at": None,
            "ended_at": None,
            "peak_score": None,
            "threshold": None,
            "box": (0, 0, 0, 0),
        }
        known = {field.name: record[field.name] for field in fields(cls) if field.name in record}
        values = unsaid | known
        return cls(**values | {"box": tuple(values["box"])})


def find_stretches(
    table: Table,
    areas: Sequence[Area],
    stored: StoredMaps,
    rule: EventRule,
    interval_s: float,
    gap_s: float,
) -> list[Event]:
    """Stretches of alarm in every area, and those of the camera.

    Args:
        table: score table, rows in order.
        areas: what to watch, see ``accept_standing``.
        stored: maps of the same rows.
        rule: what makes one event.
        interval_s: median time between frames [s].
        gap_s: neighbouring frames further apart belong to different events; 0: none are.
    """
    watch = _watch(table, stored, interval_s, gap_s)
    found = [event for area in areas for event in _of_area(table, area, watch, rule)]
    return numbered(found + camera_stretches(table, watch.clock, rule))


def numbered(found: list[tuple[int, Event]]) -> list[Event]:
    """Events with their first row, in the order of their begin and with an id."""
    found = sorted(found, key=lambda row_event: row_event[0])
    return [replace(event, id=f"E{i:04d}") for i, (_, event) in enumerate(found, start=1)]


def accept_standing(
    table: Table,
    areas: Sequence[Area],
    stored: StoredMaps,
    rule: EventRule,
    interval_s: float,
    gap_s: float,
) -> list[Area]:
    """Areas without what stays for ``rule.accept_after_h``; arguments as of ``find_stretches``.

    Raises:
        UserError: what stays is to be declared normal, but scores tell nothing of places.
    """
    if rule.accept_after_h is None:
        return list(areas)
    if stored.rule.reduction == "mean":
        raise UserError(
            "accept_after_h needs scores of the worst place (scoring.reduction=maximum), got those "
            "of a mean over the picture; leave it out"
        )
    watch = _watch(table, stored, interval_s, gap_s)
    judged = []
    for area in areas:
        mutes = tuple(accepted_places(watch, area.low, rule, area.inside))
        raw = stored.raw(area.inside, mutes) if mutes else None
        judged.append(replace(area, accepted=mutes, raw_without=raw))
    return judged


def _watch(table: Table, stored: StoredMaps, interval_s: float, gap_s: float) -> Watch:
    clock = Clock.of_table(table, interval_s, gap_s)
    return Watch(stored, seen_rows(table), clock)


def flat_events(events: Sequence[Event]) -> Table:
    """One row per event, the box in four columns."""
    boxes = np.array([event.box for event in events], np.int64).reshape(-1, 4)
    columns: dict[str, Any] = {}
    for name in (field.name for field in fields(Event)):
        if name == "box":
            columns |= {f"box_{side}": boxes[:, at] for at, side in enumerate(SIDES)}
        else:
            columns[name] = np.array([getattr(event, name) for event in events], object)
    return Table(columns)


def in_alarm(table: Table, raw: Values, threshold: Values) -> Flags:
    """Rows (n,) over the threshold while the camera shows the scene."""
    over = shows_scene(table).copy()
    for rows in pieces_of(len(over)):
        over[rows] &= np.nan_to_num(raw[rows], nan=-np.inf) > threshold[rows]
    return over


def shows_scene(table: Table) -> Flags:
    """Rows (n,) in which the camera shows the scene; all of them in tables that do not say it."""
    if "health" not in table:
        return np.ones(len(table), bool)
    return table.marked(["health"], lambda piece: is_any(piece["health"], SEEING))


def seen_rows(table: Table) -> Flags:
    """Rows (n,) that have a score, and in which the camera shows the scene."""
    return shows_scene(table) & readable(table)


def seen_runs(table: Table, runs: list[Rows]) -> list[Rows]:
    """Runs without frames that have no score, or in which the camera does not show the scene.

    What a covered lens scores must not reach its neighbours by smoothing.
    """
    seen = seen_rows(table)
    if all(seen[run].all() for run in runs):
        return runs
    return [rows for run in runs if len(rows := run[seen[run]])]


def _of_area(table: Table, area: Area, watch: Watch, rule: EventRule) -> list[tuple[int, Event]]:
    """First row and description of each event."""
    over = in_alarm(table, area.counted, area.threshold)
    above = in_alarm(table, area.counted, area.low)
    events = [
        (span[0], _describe(table, area, span, watch))
        for span in event_runs(over, above, watch.clock, rule)
    ]
    for mute in reversed(area.accepted):
        at = max((i for i, (row, _) in enumerate(events) if row < mute.first_row), default=None)
        if at is not None:
            row, event = events[at]
            events[at] = row, replace(event, accepted_at=moment_text(table, mute.first_row))
    return events


def _describe(table: Table, area: Area, span: tuple[int, int], watch: Watch) -> Event:
    raw = area.counted
    worst = _worst(raw, watch.seen, span)
    smoothed = watch.stored.map_of(worst, area.inside, area.accepted)
    row, column = np.unravel_index(int(smoothed.argmax()), smoothed.shape)
    # A mean over the picture says nothing of a place in it.
    local = watch.stored.rule.reduction != "mean"
    threshold = float(area.threshold[worst])
    box = peak_box(smoothed, threshold if local else np.inf, source_hw_of(table, worst))
    level = min(float(area.low[worst]) if local else np.inf, 0.5 * float(smoothed.max()))
    score = float(area.score[worst])
    return replace(
        _stretch(table, span, worst),
        zone=area.name,
        peak_raw=float(raw[worst]),
        peak_score=None if np.isnan(score) else score,
        threshold=threshold if np.isfinite(threshold) else None,
        box=box,
        stays=stays((int(row), int(column)), level, span, watch, area.accepted),
        reason="" if area.name or area.accepted else reason_of(table, worst),
    )


def reason_of(table: Table, row: int) -> str:
    """Why the frame of a row is unusual; tables of older versions do not say."""
    said = table.column("reason")[row] if "reason" in table else None
    return said if isinstance(said, str) else ""


def _worst(raw: Values, counts: Flags, span: tuple[int, int]) -> int:
    """Row of the highest score in a stretch whose first row counts, among the rows that do.

    A pause within an event may hold frames of another kind: a covered lens scores high.
    """
    rows = slice(span[0], span[1] + 1)
    known = np.where(counts[rows] & ~np.isnan(raw[rows]), raw[rows], -np.inf)
    return span[0] + int(known.argmax())


def peak_region(smoothed: FloatMap, threshold: float) -> Mask:
    """Connected region of the peak that is over the threshold, (h, w).

    Temporal smoothing can raise an alarm in a frame whose own map stays below the threshold; the
    region is then what lies above half of the map's peak.
    """
    level = min(threshold, 0.5 * float(smoothed.max()))
    _, labels = cv2.connectedComponents((smoothed > level).astype(np.uint8))
    return np.asarray(labels == labels.flat[int(smoothed.argmax())])


def peak_box(smoothed: FloatMap, threshold: float, source_hw: tuple[int, int]) -> Box:
    """Box around ``peak_region``, in source pixels.

    Args:
        smoothed: map (h, w).
        threshold: raw units; infinite: where scores say nothing of a place.
        source_hw: size of the camera's picture [px].
    """
    return box_of(peak_region(smoothed, threshold), source_hw)


def box_of(region: Mask, source_hw: tuple[int, int]) -> Box:
    """Box around a region (h, w) of the map, in source pixels."""
    left, top, width, height = cv2.boundingRect(region.astype(np.uint8))
    across, down = source_hw[1] / region.shape[1], source_hw[0] / region.shape[0]
    x0, y0 = int(left * across), int(top * down)
    x1, y1 = round((left + width) * across), round((top + height) * down)
    return x0, y0, x1 - x0, y1 - y0


def camera_stretches(table: Table, clock: Clock, rule: EventRule) -> list[tuple[int, Event]]:
    """First row and event of each stretch in which the camera did not show the scene.

    Args:
        table: score table.
        clock: of its rows.
        rule: what makes one event; a cooldown is of scenes.
    """
    if "health" not in table:
        return []
    found = []
    for trouble in sorted({*counted(table.column("health"))} - {*SEEING, str(None)}):
        there = table.marked(["health"], partial(_suffers, trouble))
        for span in event_runs(there, there, clock, replace(rule, cooldown_s=0.0)):
            worst = _worst(table.column("raw"), there, span)
            event = replace(_stretch(table, span, worst), kind=CAMERA, health=str(trouble))
            found.append((span[0], event))
    return found


def _suffers(trouble: str, piece: Table) -> Flags:
    """Rows (n,) of a camera that has some trouble."""
    return np.asarray(piece["health"] == trouble)


def _stretch(table: Table, span: tuple[int, int], worst: int) -> Event:
    """What the table says of a stretch of rows and of the worst of them."""
    start, end, peak = table.row(span[0]), table.row(span[1]), table.row(worst)
    height, width = source_hw_of(table, worst)
    return Event(
        id="",
        kind=SCENE,
        zone=None,
        clip=start["clip"],
        first_frame=start["frame"],
        last_frame=end["frame"],
        start_s=start["time_s"],
        end_s=end["time_s"],
        started_at=iso_of(start["taken_at"]),
        ended_at=iso_of(end["taken_at"]),
        peak_frame=peak["frame"],
        peak_raw=None if math.isnan(peak["raw"]) else peak["raw"],
        peak_score=None if math.isnan(peak["score"]) else peak["score"],
        threshold=None,
        box=(0, 0, width, height),
        mode=str(peak.get("mode", "") or ""),
    )


def source_hw_of(table: Table, row: int) -> tuple[int, int]:
    """Size of the picture of a row [px]."""
    return int(table.column("source_h")[row]), int(table.column("source_w")[row])


def moment_text(table: Table, row: int) -> str | float:
    """Wall-clock time of a row, or clip time [s] where that is not known."""
    return iso_of(table.column("taken_at")[row].item()) or float(table.column("time_s")[row])


def iso_of(moment: datetime | None) -> str | None:
    """A wall-clock time as ISO 8601; None where it is not known."""
    return None if moment is None else moment.isoformat()
