"""tlae render scores=FOLDER [layout=side_by_side] [only_events=true] [frames=[120,121]].

Draws scores over the footage: heat on one fixed scale, box and contour of what is over the
threshold, score curve, clock, alarm. Writes into the scores folder: overlay.mp4 (or
overlay/<clip>.mp4 for several clips), H.264 that plays in a browser, and top_frames.png, a sheet of
the most anomalous frames.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tlae.config import RenderConfig
from tlae.errors import UserError, nearest
from tlae.footage.frames import Clip, Frame, Image
from tlae.footage.sources import open_footage
from tlae.footage.windows import usual_interval_s
from tlae.progress import progress
from tlae.rendering.clip_video import ClipScores, render_clip, select_rows
from tlae.rendering.contact_sheet import contact_sheet
from tlae.rendering.heatmap import HeatScale
from tlae.rendering.layouts import Layout, Look
from tlae.rendering.marks import Caption
from tlae.rendering.overlay import draw_overlay
from tlae.rendering.png import write_png
from tlae.rendering.text import clock_text
from tlae.rendering.timeline import ScoreAxis
from tlae.scoring.events import alarm_runs
from tlae.scoring.results import Results, read_results

TIMELAPSE_FPS = 12.0
FILMED_FPS = (1.0, 60.0)  # a video is played as filmed within this range
PADDING_FRAMES = 10
SHEET_COLUMNS = 4
APART_FRAMES = 15  # frames of the sheet are at least this far from each other


@dataclass(frozen=True)
class _Drawing:
    """All that the pictures of one footage share."""

    results: Results
    look: Look
    axis: ScoreAxis
    interval_s: float


def run(cfg: RenderConfig) -> None:
    """Render the videos, single frames and the sheet of a scored footage."""
    results = read_results(Path(cfg.scores).expanduser())
    drawing = _drawing(results, cfg)
    wanted = _wanted_clips(results, cfg)
    clips = _clips(results, cfg)
    for name in wanted:
        if name not in clips:
            raise UserError(
                f"clip {name} was scored, but {_footage_path(results, cfg)} no longer holds it; "
                "give footage=... where it lies now"
            )
    if cfg.frames:
        _write_frames(drawing, cfg, wanted, clips)
        return
    written = 0
    for name in wanted:
        written += _write_video(drawing, cfg, name, clips[name], alone=len(clips) == 1)
    if not written:
        raise UserError(
            "nothing to show: no frame of the chosen clips lies in an event or in the given range"
        )
    if cfg.top:
        path = results.folder / "top_frames.png"
        tiles = list(_top_tiles(drawing, clips, cfg.top))
        write_png(path, contact_sheet(tiles, SHEET_COLUMNS))
        print(f"wrote {path}")


def _drawing(results: Results, cfg: RenderConfig) -> _Drawing:
    table, summary = results.table, results.summary
    threshold = math.inf if summary["threshold"] is None else float(summary["threshold"])
    if summary["rule"]["reduction"] == "mean":
        threshold = math.inf  # a mean over the frame says nothing of a place in it
    axis = ScoreAxis.from_scores(
        table["raw"].to_numpy(),
        math.inf if summary["threshold"] is None else float(summary["threshold"]),
    )
    if math.isfinite(threshold) and threshold > 0:
        scale = HeatScale.from_threshold(threshold)
    else:
        worst = table["raw"].fillna(-math.inf).argmax()
        highest = max(float(results.map_of(int(worst)).max()), 1e-6)
        scale = HeatScale(0.3 * highest, highest)
    layouts = [str(layout) for layout in Layout]
    if cfg.layout not in layouts:
        raise UserError(f"no layout is called {cfg.layout!r}; {nearest(cfg.layout, layouts)}")
    look = Look(threshold, scale, Layout(cfg.layout), results.watched())
    return _Drawing(results, look, axis, usual_interval_s(table))


def _footage_path(results: Results, cfg: RenderConfig) -> str:
    return cfg.footage or str(results.summary["footage"]["path"])


def _clips(results: Results, cfg: RenderConfig) -> dict[str, Clip]:
    saved = results.summary["footage"]
    footage = open_footage(
        _footage_path(results, cfg),
        interval_s=saved["interval_s"],
        time_source=saved["time_source"],
        time_pattern=saved["time_pattern"],
    )
    return {clip.name: clip for clip in footage.clips}


def _wanted_clips(results: Results, cfg: RenderConfig) -> list[str]:
    names = list(results.table["clip"].unique())
    for name in cfg.clips:
        if name not in names:
            raise UserError(f"no clip is called {name!r}; {nearest(name, names)}")
    return list(cfg.clips) or names


def _clip_scores(drawing: _Drawing, name: str) -> ClipScores:
    results = drawing.results
    rows = np.flatnonzero((results.table["clip"] == name).to_numpy())
    table = results.table.iloc[rows].reset_index(drop=True)
    first = int(rows[0])
    return ClipScores(
        table,
        lambda row: results.map_of(first + row),
        drawing.axis,
        (lambda row: results.rebuilt_of(first + row)) if results.has_rebuilt else None,
        alarm_runs(table),
    )


def _write_video(
    drawing: _Drawing, cfg: RenderConfig, name: str, clip: Clip, *, alone: bool
) -> int:
    """One clip's video; returns the number of frames shown, 0 if none was chosen."""
    scores = _clip_scores(drawing, name)
    padding_s = PADDING_FRAMES * drawing.interval_s if cfg.padding_s is None else cfg.padding_s
    shown = select_rows(
        scores.table,
        start_s=cfg.start_s,
        end_s=cfg.end_s,
        every=max(1, round(cfg.speed)),
        only_events=cfg.only_events,
        padding_s=padding_s,
        events=scores.events,
    )
    if not len(shown):
        return 0
    if cfg.layout == "side_by_side" and scores.rebuilt_of is None:
        print("note: what the net expected was not kept; score with keep_rebuilt=true to see it")
    folder = drawing.results.folder
    leaf = cfg.layout
    path = folder / f"{leaf}.mp4" if alone else folder / leaf / f"{_file_name(name)}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    with progress(f"rendering {name}", len(shown)) as advance:
        render_clip(clip.frames(), scores, drawing.look, shown, path, _fps(drawing, cfg), advance)
    print(f"wrote {path} ({len(shown):,} frames)", flush=True)
    return len(shown)


def _fps(drawing: _Drawing, cfg: RenderConfig) -> float:
    if cfg.fps is not None:
        if not cfg.fps > 0:
            raise UserError(f"fps must be > 0, got {cfg.fps}")
        return cfg.fps
    filmed = 1 / drawing.interval_s if drawing.interval_s > 0 else TIMELAPSE_FPS
    return filmed if FILMED_FPS[0] <= filmed <= FILMED_FPS[1] else TIMELAPSE_FPS


def _write_frames(
    drawing: _Drawing, cfg: RenderConfig, names: list[str], clips: dict[str, Clip]
) -> None:
    folder = drawing.results.folder / "frames"
    folder.mkdir(exist_ok=True)
    for name in names:
        length = int((drawing.results.table["clip"] == name).sum())
        for number in cfg.frames:
            if not 0 <= number < length:
                raise UserError(f"frames of {name} must be within 0..{length - 1}, got {number}")
        for frame, picture in _pictures(drawing, clips[name], sorted(set(cfg.frames))):
            path = folder / f"{_file_name(name)}-{frame.frame:06d}.png"
            write_png(path, picture)
            print(f"wrote {path}", flush=True)


def _top_tiles(
    drawing: _Drawing, clips: dict[str, Clip], count: int
) -> Iterator[tuple[Image, str]]:
    """The most anomalous frames, worst first, no two of the same moment."""
    table = drawing.results.table
    chosen: list[int] = []
    for row in np.argsort(-table["raw"].fillna(-math.inf).to_numpy(), kind="stable"):
        line = table.iloc[row]
        near = any(
            table["clip"].iloc[c] == line["clip"]
            and abs(int(table["frame"].iloc[c]) - int(line["frame"])) < APART_FRAMES
            for c in chosen
        )
        if pd.isna(line["raw"]) or len(chosen) == count:
            break
        if not near and line["clip"] in clips:
            chosen.append(int(row))
    pictures: dict[tuple[str, int], Image] = {}
    picked = table.iloc[chosen]
    for name, lines in picked.groupby("clip", sort=False):
        for frame, picture in _pictures(drawing, clips[str(name)], sorted(lines["frame"])):
            pictures[str(name), frame.frame] = picture
    for rank, (_, line) in enumerate(picked.iterrows(), start=1):
        place = (str(line["clip"]), int(line["frame"]))
        if place in pictures:
            yield pictures[place], f"{rank}. {place[0]} #{place[1]}  raw {line['raw']:.3g}"


def _pictures(drawing: _Drawing, clip: Clip, numbers: list[int]) -> Iterator[tuple[Frame, Image]]:
    """Overlays of single frames of a clip, in order; unreadable ones are left out."""
    scores = _clip_scores(drawing, clip.name)
    for number in numbers:
        frame = next(iter(clip.frames(start=int(number))), None)
        if frame is None or frame.image is None:
            continue
        row = scores.table.iloc[number]
        taken_at = None if pd.isna(row["taken_at"]) else row["taken_at"]
        caption = Caption(clock_text(float(row["time_s"]), taken_at), f"{clip.name}  #{number}")
        yield (
            frame,
            draw_overlay(
                frame.image,
                scores.map_of(int(number)),
                drawing.look.threshold,
                drawing.look.scale,
                alarm=bool(row["alarm"]),
                watched=drawing.look.watched,
                caption=caption,
            ),
        )


def _file_name(clip: str) -> str:
    return clip.replace("/", "_")
