"""The page: head, timeline, events, calendar, keogram; all within one file."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tlae.footage.frames import Image
from tlae.html_page import fill_template, picture_uri
from tlae.palette import HEAT
from tlae.rendering.footage_time import FootageTime
from tlae.rendering.heatmap import HIGH_SHARE, LOW_SHARE
from tlae.rendering.report_page.calendar_grid import calendar_days
from tlae.rendering.report_page.event_list import CAMERA, ReportEvent, by_strength
from tlae.rendering.report_page.event_words import (
    hidden_words,
    place_words,
    recurring,
    sure_words,
)
from tlae.rendering.report_page.keogram import Strip
from tlae.rendering.report_page.score_points import in_thresholds, points_json
from tlae.rendering.report_page.sentences import facts, further, headline, surest
from tlae.rendering.text import clock_text
from tlae.rendering.timeline import ScoreAxis
from tlae.table import Table

EVENT_BYTES = 4_500_000  # of the page, for all pictures of events
STRIP_BYTES = 2_000_000  # for the keogram
EPOCH = datetime(1970, 1, 1)
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
        before, since, now: the place of a thing of stills from near by, RGB: before it came, at
            its peak, and at last; None: not known.
    """

    overlay: Image
    frame: Image
    expected: Image | None = None
    normal: Image | None = None
    before: Image | None = None
    since: Image | None = None
    now: Image | None = None

    def packed(self, events: int) -> Shots:
        """Headings and pictures within the page, small enough for so many events."""
        named = {
            "before": self.before,
            "since": self.since,
            "now": self.now,
            "map": self.overlay,
            "picture": self.frame if self.since is None else None,
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
        threshold: alarm threshold in raw units where the table has no column of it.
        verdict: what an evaluation said of the scores; "": there is none.
        hidden: events that the user's answers hide.
        words: command that takes answers about these events, up to its settings; "": none does.
    """

    name: str
    table: Table
    summary: dict[str, Any]
    time: FootageTime
    events: Sequence[ReportEvent]
    threshold: float
    verdict: str = ""
    hidden: Sequence[ReportEvent] = ()
    words: str = ""


def report_html(
    scored: ReportData,
    pictures: Mapping[str, Shots],
    strips: Sequence[Strip],
    notes: Sequence[str] = (),
    videos: Mapping[str, str] | None = None,
) -> str:
    """The page as text.

    Args:
        scored: scores and events.
        pictures: of some events by their id, see ``EventPictures.packed``; the others get a line.
        strips: keogram; empty: none.
        notes: what the reader must know, e.g. that the footage is gone.
        videos: addresses of overlay videos that show events, by their id.
    """
    time, table, threshold = scored.time, scored.table, scored.threshold
    listed = by_strength(scored.events)[:MOST_LISTED]
    scenes = sum(event.kind != CAMERA for event in scored.events)
    values = {
        "title": f"Report on {scored.name}",
        "subtitle": f"{time.text(0.0)} to {time.text(time.span_s)}",
        "headline": headline(table, scored.events, time, threshold),
        "surest": surest(table, scored.events, time, threshold),
        "further": [
            *further(table, scored.events, time, scored.summary, scored.verdict),
            *hidden_words(scored.hidden),
        ],
        "notes": notes,
        "facts": facts(table, time, scored.summary, threshold),
        "events": _cards(listed, pictures, recurring(listed, time), videos or {}, scenes),
        "stills": any(name == "since" for shots in pictures.values() for name, _ in shots),
        "heat": heat_bar() if any(pictures.values()) and 0 < threshold < math.inf else None,
        "hidden": [(event, place_words(event.box, event.size_hw)) for event in scored.hidden],
        "words": scored.words,
        "unlisted": len(scored.events) - len(listed),
        "filters": _filters(listed),
        "days": calendar_days(table, time),
        "clocked": time.began is not None,
        "strips": [_strip(strip, len(strips)) for strip in strips],
        "strip_axis": _strip_axis(strips, time),
        "data": _data(scored, listed),
    }
    return fill_template("tlae.rendering.report_page", "report.html.jinja", values)


def _cards(
    listed: Sequence[ReportEvent],
    pictures: Mapping[str, Shots],
    led: Mapping[str, str],
    videos: Mapping[str, str],
    scenes: int,
) -> list[dict[str, object]]:
    """Events with their pictures, words and tags, the most interesting first.

    ``scenes`` is the number of all events of the scene, listed or not.
    """
    followers = Counter(led.values())
    ranked = [event.id for event in listed if event.kind != CAMERA]
    rank_of = {event_id: rank for rank, event_id in enumerate(ranked, start=1)}
    cards: list[dict[str, object]] = []
    for event in listed:
        one_frame = event.rows[0] == event.rows[1]
        stays = MOTION[event.stays]
        motion = "" if one_frame else stays  # one frame shows none
        health = event.health if event.kind == CAMERA else ""
        scene = event.id in rank_of
        cards.append(
            {
                "event": event,
                "stays": stays,
                "tags": [t for t in (event.zone, event.mode, event.what or motion, health) if t],
                "shots": pictures.get(event.id, []),
                "place": place_words(event.box, event.size_hw) if scene else "",
                "sure": sure_words(event, rank_of[event.id], scenes) if scene else "",
                "leader": led.get(event.id, ""),
                "followers": followers[event.id],
                "video": videos.get(event.id, ""),
            }
        )
    return cards


def heat_bar() -> dict[str, object]:
    """The colours of heat for CSS, and where between its ends the threshold lies, in %."""
    colours = ", ".join(f"rgb{colour}" for colour in HEAT)
    tick = 100 * (1 - LOW_SHARE) / (HIGH_SHARE - LOW_SHARE)
    return {"colours": f"linear-gradient(90deg, {colours})", "tick": round(tick)}


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


def _strip_axis(strips: Sequence[Strip], time: FootageTime) -> list[str]:
    """Five labels below the keogram: hours of the day, or times in the longest clip."""
    if time.began is not None:
        return [f"{hour} h" for hour in (0, 6, 12, 18, 24)]
    longest_s = max((strip.to_s - strip.from_s for strip in strips), default=0.0)
    return [clock_text(quarter * longest_s / 4) for quarter in range(5)]


def _data(scored: ReportData, listed: Sequence[ReportEvent]) -> dict[str, Any]:
    """What the page's script draws from."""
    time = scored.time
    epoch_ms = None if time.began is None else (time.began - EPOCH) // timedelta(milliseconds=1)
    value, has_threshold = in_thresholds(scored.table, scored.threshold)
    return {
        "began_ms": epoch_ms,  # as if the camera's clock were UTC: the page knows no time zones
        "span_s": time.span_s,
        "interval_s": time.interval_s,
        "gaps": time.gaps(),
        "clips": [[name, start, end] for name, (start, end) in time.clips.items()],
        "top": ScoreAxis.from_scores(value, 1.0 if has_threshold else math.inf).top,
        "threshold": 1 if has_threshold else None,
        "points": points_json(scored.table, time, threshold=scored.threshold),
        "events": [
            [e.id, round(e.from_s, 3), round(e.to_s, 3), round(e.peak_s, 3), e.kind] for e in listed
        ],
    }
