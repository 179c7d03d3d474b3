"""The page that says what was unusual and when."""

import json
import logging
import math
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from tlae.config_scores import ReportConfig
from tlae.errors import FootageError, UserError
from tlae.footage.frames import OK, Image
from tlae.number_words import how_many
from tlae.own_file import read_page, require_own
from tlae.progress import progress
from tlae.rendering.footage_time import FootageTime
from tlae.rendering.overlay import draw_overlay, resize_picture
from tlae.rendering.report_page.event_list import CAMERA, ReportEvent, by_strength, place_events
from tlae.rendering.report_page.keogram import TALLEST_PX, Keogram, Strip, add_clip
from tlae.rendering.report_page.page import (
    EventPictures,
    ReportData,
    Shots,
    report_html,
)
from tlae.rendering.report_page.score_points import modes_of
from tlae.rendering.strength import times_threshold
from tlae.scoring.events import Event, shows_scene
from tlae.scoring.results import CLIPS, MEASURES, Scores
from tlae.scoring.thing_kinds import until_words
from tlae.table import Table, first_rows, groups
from tlae.whole_file import explain_os_errors, whole_file
from tlae.workflows.pictures import Drawing, open_drawing

logger = logging.getLogger(__name__)

PICTURE_PX = 800  # long side of an event's picture
EXAMPLE_PX = 256  # side of the picture of a normal thing
CLOSE_PX = 80  # a quarter of the width of the picture of a place
CLOSE_TIMES = 2.0  # the size of a thing
CLOSE_SHARE = 0.15  # of the picture's height, at least


def page_path(cfg: ReportConfig, out: str | None) -> Path:
    """Where the page goes.

    Args:
        cfg: settings of `tlae report`.
        out: as the user asked; None: into the scores folder.

    Raises:
        UserError: that is no place for a page, or holds something else.
    """
    path = Path(out).expanduser() if out else Path(cfg.scores).expanduser() / "report.html"
    if path.suffix.lower() not in (".html", ".htm") or path.is_dir():
        raise UserError(f"out must be a file ending in .html, got {out}")
    if cfg.top < 0:
        raise UserError(f"top must be >= 0 (events with pictures), got {cfg.top}")
    if out:
        require_own(path, read_page, "a page of tlae", "out")
    return path


def report(cfg: ReportConfig, scores: Scores, path: Path) -> None:
    """Write the report of a scored footage.

    Args:
        cfg: settings of `tlae report`.
        scores: with their footage; where that is gone, the page has no pictures.
        path: of the page.
    """
    with explain_os_errors(path), whole_file(path) as temporary:
        temporary.touch()  # a place that cannot be written to shall show before the work
        temporary.write_text(_html(scores, cfg, path), encoding="utf-8")


def _html(results: Scores, cfg: ReportConfig, path: Path) -> str:
    scored = _scored(results)
    drawing, notes = _open_footage(results, cfg.footage)
    pictures: dict[str, Shots] = {}
    strips: list[Strip] = []
    if drawing is not None:
        try:
            pictures = _pictures(drawing, by_strength(scored.events)[: cfg.top])
            if cfg.keogram:
                strips, left_out = _strips(drawing, scored)
                if left_out:
                    notes.append(
                        f"The keogram ends early, without {how_many(left_out, 'further strip')}."
                    )
        except FootageError as error:
            notes += _noted(f"Pictures are missing: {error}")
    return report_html(scored, pictures, strips, notes, _videos(scored, results, path))


def _pictures(drawing: Drawing, events: list[ReportEvent]) -> dict[str, Shots]:
    """Pictures of each event that has some, by its id."""
    pictures = {}
    with progress("pictures of events", len(events), "events") as advance:
        for event in events:
            found = _event_pictures(drawing, event)
            if found is not None:
                pictures[event.id] = found.packed(len(events))
            advance()
    return pictures


def _scored(results: Scores) -> ReportData:
    table, summary = results.columns, results.summary
    threshold = math.inf if summary["threshold"] is None else float(summary["threshold"])
    time = FootageTime.of(table)
    shown, hidden = (
        place_events(_with_until(records, events), table, time, threshold)
        for records, events in (
            (results.event_records, results.events),
            (results.hidden_records, results.hidden),
        )
    )
    name, verdict = results.folder.resolve().name, _verdict(results)
    words = f"tlae events {shlex.quote(f'scores={results.folder}')}"
    return ReportData(name, table, summary, time, shown, threshold, verdict, hidden, words)


def _with_until(records: Sequence[dict[str, Any]], events: Sequence[Event]) -> list[dict[str, Any]]:
    pairs = zip(records, events, strict=True)
    return [record | {"until": _until(event)} for record, event in pairs]


def _until(event: Event) -> str:
    """Whether the place of a thing is still so at the end, as a reader says times."""
    if isinstance(event.over_at, str):
        when = datetime.fromisoformat(event.over_at)
        event = replace(event, over_at=f"{when:%a} {when.day} {when:%b %Y %H:%M}")
    return until_words(event)


def _verdict(results: Scores) -> str:
    """What `tlae evaluate` said of these scores; "" where it did not."""
    path = results.folder / "evaluation" / MEASURES
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        fits = facts["frames"] == len(results.columns) and path.stat().st_mtime >= (
            (results.folder / "scores.parquet").stat().st_mtime
        )
        return str(facts["verdict"]) if fits else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _videos(scored: ReportData, scores: Scores, page: Path) -> dict[str, str]:
    """Addresses of videos that show an event, from the page on, by the event's id."""
    one = scores.folder / "overlay.mp4"
    alone = len(scored.time.clips) == 1
    found = {}
    for event in scored.events:
        start_s = scored.time.clips[event.clip][0]
        whole = one if alone else one.with_suffix("") / f"{event.clip.replace('/', '_')}.mp4"
        own = scores.folder / CLIPS / f"{event.id}.mp4"
        path = own if own.is_file() else whole
        if path.is_file():
            address = quote(Path(os.path.relpath(path, page.parent)).as_posix())
            at = "" if path == own else f"#t={max(0.0, event.from_s - start_s):.1f}"
            found[event.id] = address + at
    return found


def _open_footage(results: Scores, footage: str | None) -> tuple[Drawing | None, list[str]]:
    """What draws pictures; None and the reason where the footage is gone."""
    drawing = open_drawing(results, footage)
    try:
        missing = [n for n in first_rows(results.columns["clip"]) if n not in drawing.clips]
    except UserError as error:
        return None, _noted(f"The footage could not be read, so there are no pictures: {error}")
    if not missing:
        return drawing, []
    if len(missing) == len(first_rows(results.columns["clip"])):
        return None, _noted(
            f"{drawing.footage_path} holds none of the scored clips, so there are no pictures; "
            "give footage=... where they lie now"
        )
    return drawing, _noted(
        f"Without pictures, because the footage lacks them: {', '.join(missing)}"
    )


def _noted(note: str) -> list[str]:
    logger.warning(f"note: {note}")
    return [note]


def _event_pictures(drawing: Drawing, event: ReportEvent) -> EventPictures | None:
    """The frame of an event's peak, the map over it, and what else tells what it is."""
    if event.clip not in drawing.clips:
        return None
    image = drawing.frame_image(event.clip, event.peak_frame)
    if image is None:
        return None
    height, width = image.shape[:2]
    share = PICTURE_PX / max(height, width)
    size_hw = (max(1, round(share * height)), max(1, round(share * width)))
    results, line = drawing.results, drawing.results.columns.row(event.row)
    look = drawing.look.at(line.get("threshold"))
    overlay = draw_overlay(
        image,
        drawing.clip_scores(event.clip).shown_map(event.peak_frame),
        look.threshold,
        look.scale,
        alarm=event.kind != CAMERA,
        watched=look.watched,
        size_hw=size_hw,
        strength=times_threshold(event.raw, line.get("threshold")),
    )
    expected = None
    if results.has_expected:
        expected = resize_picture(results.expected_of(event.row), size_hw)
    normal = results.example_of(event.row) if event.reason else None
    if normal is not None:
        normal = resize_picture(normal, (EXAMPLE_PX, EXAMPLE_PX))
    found = EventPictures(overlay, resize_picture(image, size_hw), expected, normal)
    return _with_close_ups(found, drawing, event, image)


def _with_close_ups(
    found: EventPictures, drawing: Drawing, event: ReportEvent, peak: Image
) -> EventPictures:
    """The place of a thing before it came, since it is there (at its peak), and now."""
    if not event.what or not event.box:
        return found
    views = []
    for row in _beside(drawing.results.columns, event):
        image = None
        if row is not None:
            frame = int(drawing.results.columns["frame"][row])
            image = drawing.frame_image(event.clip, frame)
        fits = image is not None and image.shape == peak.shape
        views.append(close_up(image, event.box) if fits and image is not None else None)
    return replace(found, before=views[0], since=close_up(peak, event.box), now=views[1])


def _beside(table: Table, event: ReportEvent) -> tuple[int | None, int | None]:
    """Rows of the frame before an event and of the last one of all that show it in like light."""
    clip = table["clip"] == event.clip
    usable = clip & shows_scene(table) & (table["state"] == OK)
    if "mode" in table:
        alike = usable & (modes_of(table) == event.mode)
        usable = alike if alike.any() else usable
    rows = np.flatnonzero(usable)
    before, after = rows[rows < event.rows[0]], rows[rows > event.row]
    return (
        int(before[-1]) if len(before) else None,
        int(after[-1]) if len(after) else None,
    )


def close_up(image: Image, box: tuple[int, ...]) -> Image:
    """The surroundings of a place, (3 x 4) ``CLOSE_PX``.

    Args:
        image: (H, W, C).
        box: left, top, width, height [px].
    """
    height, width = image.shape[:2]
    left, top, across, down = box
    tall = min(height, max(CLOSE_TIMES * down, CLOSE_TIMES * across * 0.75, CLOSE_SHARE * height))
    wide = min(width, tall * 4 / 3)
    y0 = int(np.clip(top + (down - tall) / 2, 0, height - tall))
    x0 = int(np.clip(left + (across - wide) / 2, 0, width - wide))
    part = image[y0 : y0 + max(1, round(tall)), x0 : x0 + max(1, round(wide))]
    return resize_picture(np.ascontiguousarray(part), (3 * CLOSE_PX, 4 * CLOSE_PX))


def _strips(drawing: Drawing, scored: ReportData) -> tuple[list[Strip], int]:
    """Keogram of all frames in one pass, and how many strips it has no room for."""
    keogram = Keogram(scored.time)
    rows_of = groups(scored.table["clip"])
    shown = [n for n, (start_s, _) in scored.time.clips.items() if keogram.has_room_at(start_s)]
    with progress("keogram", sum(len(rows_of[name]) for name in shown)) as advance:
        for name in shown:
            if name in drawing.clips:
                frames = drawing.frames(name, min_hw=(TALLEST_PX, TALLEST_PX))
                add_clip(keogram, frames, scored.time.axis_s[rows_of[name]])
            advance(len(rows_of[name]))
    return keogram.strips(), keogram.left_out
