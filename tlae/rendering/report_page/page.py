"""The page: head, timeline, events, calendar, keogram; all within one file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tlae.footage.frames import Image
from tlae.html_page import fill_template, picture_uri
from tlae.rendering.footage_time import FootageTime
from tlae.rendering.report_page.calendar_grid import calendar_days
from tlae.rendering.report_page.event_list import CAMERA, ReportEvent, by_strength
from tlae.rendering.report_page.keogram import Strip
from tlae.rendering.report_page.score_points import points_json
from tlae.rendering.report_page.sentences import facts, further, headline
from tlae.rendering.timeline import ScoreAxis

EVENT_BYTES = 4_500_000  # of the page, for all pictures of events
STRIP_BYTES = 2_000_000  # for the keogram
Shots = list[tuple[str, str]]  # heading and ``data:`` address of each picture of an event

MOTION = {True: "stays", False: "moves", None: ""}
MOST_LISTED = 2000  # events with a line each; the strongest


@dataclass(frozen=True, eq=False)
class EventPictures:
    """What is shown of one event, at its peak.

    Attributes:
        overlay: the frame with the map over it, RGB.
        frame: as the camera saw it, RGB.
        expected: what the net expected, RGB or grey; None: not stored.
        normal: the most similar normal thing, RGB or grey; None: none is known.
        before, at_peak, after: the place of a thing of stills from near by, RGB; None: not known.
    """

    overlay: Image
    frame: Image
    expected: Image | None = None
    normal: Image | None = None
    before: Image | None = None
    at_peak: Image | None = None
    after: Image | None = None

    def packed(self, events: int) -> Shots:
        """Headings and pictures within the page, small enough for so many events."""
        named = {
            "map": self.overlay,
            "before": self.before,
            "at its peak": self.at_peak,
            "afterwards": self.after,
            "picture": self.frame if self.at_peak is None else None,
            "expected": self.expected,
            "most similar in training": self.normal,
        }
        share = EVENT_BYTES // (len(named) * events)
        return [(n, picture_uri(image, share)) for n, image in named.items() if image is not None]


@dataclass(frozen=True, eq=False)
class ReportData:
    """One scored footage, ready for the report.

    Attributes:
        name: of the results.
        table: score table.
        summary: as in ``summary.json``.
        time: axis of the table's rows.
        events: on that axis.
        axis: of the score.
    """

    name: str
    table: pd.DataFrame
    summary: dict[str, Any]
    time: FootageTime
    events: Sequence[ReportEvent]
    axis: ScoreAxis


def report_html(
    scored: ReportData,
    pictures: Mapping[str, Shots],
    strips: Sequence[Strip],
    notes: Sequence[str] = (),
) -> str:
    """The page as text.

    Args:
        scored: scores and events.
        pictures: of some events by their id, see ``EventPictures.packed``; the others get a line.
        strips: keogram; empty: none.
        notes: what the reader must know, e.g. that the footage is gone.
    """
    time, table, threshold = scored.time, scored.table, scored.axis.threshold
    listed = by_strength(scored.events)[:MOST_LISTED]
    values = {
        "title": f"Report on {scored.name}",
        "subtitle": f"{time.text(0.0)} to {time.text(time.span_s)}",
        "headline": headline(table, scored.events, time, threshold),
        "further": further(table, scored.events, time),
        "notes": notes,
        "facts": facts(table, time, scored.summary, threshold),
        "events": [_card(event, pictures.get(event.id, [])) for event in listed],
        "unlisted": len(scored.events) - len(listed),
        "filters": _filters(listed),
        "has_scores": any(event.score is not None for event in listed),
        "days": calendar_days(table, time),
        "clocked": time.began is not None,
        "strips": [_strip(strip, len(strips)) for strip in strips],
        "data": _data(scored, listed),
    }
    return fill_template("tlae.rendering.report_page", "report.html.jinja", values)


def _card(event: ReportEvent, shots: Shots) -> dict[str, object]:
    """An event with its pictures and tags."""
    stays = MOTION[event.stays]
    health = event.health if event.kind == CAMERA else ""
    return {
        "event": event,
        "stays": stays,
        "tags": [tag for tag in (event.zone, event.mode, event.what or stays, health) if tag],
        "shots": shots,
    }


def _filters(events: Sequence[ReportEvent]) -> list[tuple[str, list[str]]]:
    """Key and choices of each filter that can tell events apart."""
    words = {
        "kind": {event.kind for event in events},
        "zone": {event.zone for event in events},
        "mode": {event.mode for event in events},
        "stays": {
            "stays" if event.stays else "moves" for event in events if event.stays is not None
        },
    }
    return [(key, sorted(found - {""})) for key, found in words.items() if len(found) > 1]


def _strip(strip: Strip, count: int) -> dict[str, object]:
    return {
        "label": strip.label,
        "from_s": strip.from_s,
        "to_s": strip.to_s,
        "source": picture_uri(strip.image, STRIP_BYTES // count),
    }


def _data(scored: ReportData, listed: Sequence[ReportEvent]) -> dict[str, Any]:
    """What the page's script draws from."""
    time = scored.time
    epoch_ms = None if time.began is None else int(pd.Timestamp(time.began).value // 1_000_000)
    level = scored.axis.threshold
    return {
        "began_ms": epoch_ms,  # as if the camera's clock were UTC: the page knows no time zones
        "span_s": time.span_s,
        "interval_s": time.interval_s,
        "gaps": time.gaps(),
        "clips": [[name, start, end] for name, (start, end) in time.clips.items()],
        "top": scored.axis.top,
        "threshold": level if math.isfinite(level) else None,
        "points": points_json(scored.table, time),
        "events": [
            [e.id, round(e.from_s, 3), round(e.to_s, 3), round(e.peak_s, 3), e.kind] for e in listed
        ],
    }


def score_axis(table: pd.DataFrame, threshold: float) -> ScoreAxis:
    """Axis of the score; where thresholds differ by camera mode, the highest sets its top."""
    if "threshold" in table:
        known = table["threshold"].to_numpy(np.float64)
        known = known[np.isfinite(known)]
        threshold = float(known.max()) if len(known) else math.inf
    return ScoreAxis.from_scores(table["raw"].to_numpy(np.float64), threshold)
