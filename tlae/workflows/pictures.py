"""Pictures of scored frames: results and footage brought together, for videos, sheets, reports."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from tlae.errors import FootageError, UserError, nearest
from tlae.footage.contents import goes_on_from
from tlae.footage.frames import Clip, Frame, Image
from tlae.footage.windows import median_interval_s
from tlae.footage.zones import Polygon, covered
from tlae.rendering.clip_video import ClipScores
from tlae.rendering.heatmap import TRAIL_FRAMES, HeatScale, Mask
from tlae.rendering.layouts import Layout, Look
from tlae.rendering.marks import Caption, draw_truth, reason_of_alarm
from tlae.rendering.overlay import draw_overlay
from tlae.rendering.strength import times_threshold
from tlae.rendering.text import clock_text
from tlae.rendering.timeline import ScoreAxis
from tlae.scoring.events import SCENE, shows_scene
from tlae.scoring.results import Scores
from tlae.table import Flags, Table, groups
from tlae.workflows.named_footage import file_stem, open_saved

logger = logging.getLogger(__name__)

APART_FRAMES = 15  # chosen frames are at least this far from each other


@dataclass(frozen=True)
class Drawing:
    """All that the pictures of one scored footage share.

    Attributes:
        results: scores and maps.
        look: threshold, heat, layout.
        axis: of the score curve.
        interval_s: median time between frames.
        footage_path: where the pictures are.
    """

    results: Scores
    look: Look
    axis: ScoreAxis
    interval_s: float
    footage_path: str

    @cached_property
    def clips(self) -> dict[str, Clip]:
        """Clips of the footage by name; says where files are not those that were scored.

        Raises:
            FootageError: the footage is not where it was.
        """
        if self.results.footage is not None:
            return {clip.name: clip for clip in self.results.footage.clips}
        remembered = self.results.summary["footage"]
        footage = open_saved(remembered, self.footage_path)
        before = self.results.contents
        moved = self.footage_path != remembered["path"]  # a copy has other dates
        if before is not None and not moved and not goes_on_from(footage, before):
            logger.warning(
                f"note: files of {self.footage_path} changed after they were scored: pictures may "
                "not be those that scores speak of; score again"
            )
        return {clip.name: clip for clip in footage.clips}

    def frames(
        self, name: str, start: int = 0, min_hw: tuple[int, int] | None = None
    ) -> Iterator[Frame]:
        """Frames of a clip as the camera saw them, forward from ``start``; see ``Clip.frames``.

        Raises:
            FootageError: where a file was scored lies one of another name.
        """
        table = self.results.columns
        scored = table["path"][table["clip"] == name] if "path" in table else ()
        for frame in self.clips[name].frames(start=start, min_hw=min_hw):
            if frame.frame < len(scored) and file_stem(frame.path) != file_stem(
                scored[frame.frame]
            ):
                raise FootageError(
                    f"frame {frame.frame} of clip {name} was {scored[frame.frame]} when it was "
                    f"scored and is {frame.path} now; give footage=... where the scored files lie, "
                    "or score again"
                )
            yield frame

    def require_clips(self, names: list[str]) -> None:
        """Refuse footage that no longer holds what was scored.

        Raises:
            FootageError: a clip is not there, or no footage at all.
        """
        for name in names:
            if name not in self.clips:
                raise FootageError(
                    f"clip {name} was scored, but {self.footage_path} no longer holds it; "
                    "give footage=... where it lies now"
                )

    def clip_scores(self, name: str) -> ClipScores:
        """Scores and maps of one clip."""
        results = self.results
        rows = np.flatnonzero(results.columns["clip"] == name)
        table = results.columns.take(rows)
        first = int(rows[0])
        return ClipScores(
            table,
            lru_cache(TRAIL_FRAMES + 1)(lambda row: results.map_of(first + row)),
            self.axis,
            (lambda row: results.expected_of(first + row)) if results.has_expected else None,
            [
                (int(event["first_frame"]), int(event["last_frame"]))
                for event in results.event_records
                if event["clip"] == name and event.get("kind", SCENE) == SCENE
            ],
        )

    def frame_image(self, name: str, number: int) -> Image | None:
        """A frame of a clip as the camera saw it; None if it is not there or unreadable."""
        frame = next(self.frames(name, number), None)
        return None if frame is None else frame.image

    def stills(
        self,
        name: str,
        numbers: list[int],
        truth: dict[int, Mask] | None = None,
        size_hw: tuple[int, int] | None = None,
    ) -> Iterator[tuple[int, Image]]:
        """Overlays of single frames of a clip, in order; unreadable ones are left out.

        Args:
            name: of the clip.
            numbers: of frames in it, rising.
            truth: annotated masks of some of them, outlined.
            size_hw: fitted into this size, without writing but the badge; None: as large as texts
                need, with captions and colour bar.
        """
        scores = self.clip_scores(name)
        for number in numbers:
            image = self.frame_image(name, number)
            if image is None:
                continue
            row = scores.table.row(number)
            caption = Caption(
                clock_text(row["time_s"], row["taken_at"]),
                f"{name}  #{number}",
                reason_of_alarm(row["alarm"], row.get("reason")),
            )
            look = self.look.at(row.get("threshold"))
            picture = draw_overlay(
                image,
                scores.shown_map(number),
                look.threshold,
                look.scale,
                alarm=row["alarm"],
                watched=look.watched,
                zones={} if size_hw else look.zones,
                caption=None if size_hw else caption,
                size_hw=size_hw and fitted(image, size_hw),
                strength=times_threshold(row["raw"], row.get("threshold")),
                legend=size_hw is None,
            )
            if truth and number in truth:
                draw_truth(picture, truth[number])
            yield number, picture

    def stills_of_rows(
        self,
        rows: list[int],
        truth: dict[int, Mask] | None = None,
        size_hw: tuple[int, int] | None = None,
    ) -> dict[int, Image]:
        """Overlays of rows of the score table that have a picture, see ``stills``."""
        table = self.results.columns
        pictures: dict[int, Image] = {}
        chosen = np.array(sorted(rows), np.int64)
        for name, places in groups(table["clip"][chosen]).items():
            if name not in self.clips:
                continue
            row_of = {int(table["frame"][row]): row for row in chosen[places].tolist()}
            masks = {f: truth[row] for f, row in row_of.items() if truth and row in truth}
            for number, picture in self.stills(name, list(row_of), masks, size_hw):
                pictures[row_of[number]] = picture
        return pictures


def open_drawing(results: Scores, footage: str | None = None, layout: str = "overlay") -> Drawing:
    """Bring results and footage together.

    Args:
        results: of a scored footage.
        footage: where the pictures are now, if they moved since.
        layout: one of ``Layout``.

    Raises:
        UserError: no such layout.
    """
    layouts = [str(known) for known in Layout]
    if layout not in layouts:
        raise UserError(f"no layout is called {layout!r}; {nearest(layout, layouts)}")
    table, summary = results.columns, results.summary
    alarm_level = math.inf if summary["threshold"] is None else float(summary["threshold"])
    # A mean over the frame says nothing of a place in it.
    threshold = math.inf if results.rule.reduction == "mean" else alarm_level
    if math.isfinite(threshold) and threshold > 0:
        scale = HeatScale.from_threshold(threshold)
    else:
        worst = np.where(shows_scene(table), np.nan_to_num(table["raw"], nan=-math.inf), -math.inf)
        scale = HeatScale.up_to(results.map_of(int(worst.argmax())))
    return Drawing(
        results,
        Look(threshold, scale, Layout(layout), _watched(results), _outlines(results)),
        ScoreAxis.from_scores(table["raw"], alarm_level),
        median_interval_s(table),
        footage or str(summary["footage"]["path"]),
    )


def _outlines(results: Scores) -> dict[str, Polygon]:
    return {name: zone.points for name, zone in results.zones.zones.items()}


def _watched(results: Scores) -> Mask | None:
    """Where changes count, (h, w): not ignored, in a zone if there are any; None: everywhere."""
    by_model, zones = results.watched(), results.zones
    if not zones.ignore and not zones.zones:
        return by_model
    height, width = results.map_of(0).shape
    watched = zones.watched((height, width))
    if zones.zones:
        inside = [covered(zone.points, (height, width)) for zone in zones.zones.values()]
        watched = watched & np.logical_or.reduce(inside)
    return watched if by_model is None else watched & by_model


def fitted(image: Image, size_hw: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a picture brought into a size, its proportions kept."""
    share = min(size_hw[0] / image.shape[0], size_hw[1] / image.shape[1])
    return max(1, round(share * image.shape[0])), max(1, round(share * image.shape[1]))


def worst_rows(
    table: Table, count: int, among: Flags | None = None, *, highest: bool = True
) -> list[int]:
    """Rows of the highest (or lowest) raw scores, no two of the same moment, first the extreme.

    Args:
        table: score table.
        count: at most so many.
        among: (n,), rows that may be chosen; None: all.
        highest: False: the lowest ones.
    """
    raw = table["raw"]
    rows = np.flatnonzero(~np.isnan(raw) & (True if among is None else among))
    clip, frame = table["clip"], table["frame"]
    chosen: list[int] = []
    for row in rows[np.argsort(-raw[rows] if highest else raw[rows], kind="stable")].tolist():
        if len(chosen) == count:
            break
        apart = (abs(int(frame[row] - frame[other])) >= APART_FRAMES for other in chosen)
        same = (clip[row] == clip[other] for other in chosen)
        if all(is_apart or not is_same for is_apart, is_same in zip(apart, same, strict=True)):
            chosen.append(row)
    return chosen
