"""Draw scores over their footage: videos, single frames, a sheet of the most anomalous ones."""

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

import numpy as np

from tlae.config_scores import RenderConfig
from tlae.errors import UserError, nearest
from tlae.footage.frames import Image
from tlae.number_words import how_many
from tlae.own_file import require_own
from tlae.palette import DARK
from tlae.progress import progress
from tlae.rendering.clip_video import render_clip, select_rows
from tlae.rendering.contact_sheet import contact_sheet
from tlae.rendering.footage_time import FootageTime
from tlae.rendering.layouts import Layout, Look
from tlae.rendering.marks import draw_scale, reason_of_alarm
from tlae.rendering.png import write_png
from tlae.rendering.strength import strength_text
from tlae.rendering.text import in_ascii
from tlae.rendering.video_file import read_video
from tlae.scoring.event_rule import Flags
from tlae.scoring.events import SCENE, shows_scene
from tlae.scoring.results import Scores
from tlae.table import first_rows, is_any
from tlae.workflows.pictures import Drawing, open_drawing, worst_rows
from tlae.workflows.timelapse import write_timelapse

logger = logging.getLogger(__name__)

TIMELAPSE_FPS = 12.0
FILMED_FPS = (1.0, 60.0)  # a video is played as filmed within this range
PADDING_FRAMES = 10
SHEET_COLUMNS, TILE_PX = 3, 420
SCALE_PX = 32  # height of the strip with the colour bar
WORDS = 42  # letters of a line below a picture


def render(cfg: RenderConfig, scores: Scores, out: Path | None = None) -> list[Path]:
    """Render into a scores folder that no other process writes into.

    Args:
        cfg: settings of `tlae render`.
        scores: with their footage.
        out: of the video, where there is but one; None: in the scores folder, with a sheet.

    Returns:
        Paths of what was written.

    Raises:
        UserError: a clip or layout is not known, or nothing lies in the chosen range.
        FootageError: the footage no longer holds what was scored.
    """
    drawing = open_drawing(scores, cfg.footage, cfg.layout)
    wanted = _wanted_clips(scores, cfg)
    drawing.require_clips(wanted)
    if out is not None and len(wanted) > 1 and drawing.look.layout != Layout.TIMELAPSE:
        raise UserError(
            f"one video holds one clip, these scores have {len(wanted)}; choose one with clips, or "
            "give no path: each clip has its video in the scores folder then"
        )
    if out is not None:
        require_own(out, read_video, "a video of tlae", "out")
    if cfg.frames:
        return list(_write_frames(drawing, cfg, wanted))
    if drawing.look.layout == Layout.TIMELAPSE:
        found = [write_timelapse(drawing, cfg, wanted, out)]
    else:
        found = [_write_video(drawing, cfg, name, out) for name in wanted]
    written = [path for path in found if path is not None]
    if not written:
        raise UserError(
            "nothing to show: no frame of the chosen clips lies in an event or in the given range"
        )
    tiles = list(_top_tiles(drawing, cfg.top)) if out is None else []
    if tiles:
        path = scores.folder / "top_frames.png"
        write_png(path, _with_scale(contact_sheet(tiles, SHEET_COLUMNS, TILE_PX), drawing.look))
        logger.info(f"wrote {path}")
        written.append(path)
    return written


def _wanted_clips(results: Scores, cfg: RenderConfig) -> list[str]:
    names = list(first_rows(results.columns["clip"]))
    for name in cfg.clips:
        if name not in names:
            raise UserError(f"no clip is called {name!r}; {nearest(name, names)}")
    return list(cfg.clips) or names


def _write_video(drawing: Drawing, cfg: RenderConfig, name: str, out: Path | None) -> Path | None:
    """One clip's video; None: no frame of it was chosen."""
    scores = drawing.clip_scores(name)
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
        return None
    if cfg.layout == "side_by_side" and scores.expected_of is None:
        logger.warning(
            "note: layout=side_by_side has no expected picture to show: nets that segment "
            "and exported models give none, others need `tlae score keep_rebuilt=true`"
        )
    folder = drawing.results.folder
    one, each = folder / f"{cfg.layout}.mp4", folder / cfg.layout / f"{_file_name(name)}.mp4"
    path = out or (one if len(drawing.clips) == 1 else each)
    path.parent.mkdir(parents=True, exist_ok=True)
    with progress(f"rendering {name}", len(shown)) as advance:
        render_clip(
            drawing.frames(name),
            scores,
            drawing.look,
            shown,
            path,
            _fps(drawing, cfg),
            advance,
        )
    logger.info(f"wrote {path} ({how_many(len(shown), 'frame')})")
    return path


def _fps(drawing: Drawing, cfg: RenderConfig) -> float:
    if cfg.fps is not None:
        if not cfg.fps > 0:
            raise UserError(f"fps must be > 0, got {cfg.fps}")
        return cfg.fps
    return playback_fps(drawing.interval_s)


def playback_fps(interval_s: float) -> float:
    """Frames a second at which footage is shown: as filmed, or as a time-lapse."""
    filmed = 1 / interval_s if interval_s > 0 else TIMELAPSE_FPS
    return filmed if FILMED_FPS[0] <= filmed <= FILMED_FPS[1] else TIMELAPSE_FPS


def _write_frames(drawing: Drawing, cfg: RenderConfig, names: list[str]) -> Iterator[Path]:
    """Single frames of each clip, as PNG."""
    folder = drawing.results.folder / "frames"
    folder.mkdir(exist_ok=True)
    for name in names:
        length = int((drawing.results.columns["clip"] == name).sum())
        for number in cfg.frames:
            if not 0 <= number < length:
                raise UserError(f"frames of {name} must be within 0..{length - 1}, got {number}")
        for number, picture in drawing.stills(name, sorted(set(cfg.frames))):
            path = folder / f"{_file_name(name)}-{number:06d}.png"
            write_png(path, picture)
            logger.info(f"wrote {path}")
            yield path


def _top_tiles(drawing: Drawing, count: int) -> Iterator[tuple[Image, str]]:
    """One frame of each event at its strongest; the most anomalous frames where there is none."""
    table = drawing.results.columns
    shown = is_any(table["clip"], list(drawing.clips)) & ~np.isnan(table["raw"])
    shown &= shows_scene(table)
    rows = _peak_rows(drawing.results, shown)[:count] or worst_rows(table, count, shown)
    pictures = drawing.stills_of_rows(rows, size_hw=(2 * TILE_PX, TILE_PX))
    time = FootageTime.of(table)
    for rank, row in enumerate((row for row in rows if row in pictures), start=1):
        line = table.row(row)
        strength = strength_text(line["raw"], line.get("threshold", math.inf))
        reason = reason_of_alarm(line["alarm"], line.get("reason"))
        words = wrap(reason, WORDS, max_lines=2, placeholder=" ...") or [strength]
        caption = "\n".join([f"{rank}. {time.text(float(time.axis_s[row]))}", *words])
        yield pictures[row], in_ascii(caption)


def _with_scale(sheet: Image, look: Look) -> Image:
    """The sheet with the colour bar below it, where there is a threshold."""
    if not 0 < look.threshold < math.inf:
        return sheet
    foot = np.full((SCALE_PX, sheet.shape[1], 3), DARK, np.uint8)
    draw_scale(foot, look.scale, look.threshold)
    return np.concatenate([sheet, foot])


def _peak_rows(results: Scores, shown: Flags) -> list[int]:
    """Rows of the peaks of scene events, the most interesting first, each once."""
    table = results.columns
    first = first_rows(table["clip"])
    scenes = [event for event in results.events if event.kind == SCENE and event.clip in first]
    scenes.sort(key=lambda event: event.rank or len(scenes))
    rows = [first[event.clip] + event.peak_frame for event in scenes]
    return list(dict.fromkeys(row for row in rows if shown[row]))


def _file_name(clip: str) -> str:
    return clip.replace("/", "_")
