"""tlae render scores=FOLDER layout=timelapse [hours_per_s=2] [slow=4].

One video over all clips and days, steady in footage time: `tlae render` hands this layout over.
"""

import logging
from pathlib import Path

import numpy as np

from tlae.config_scores import RenderConfig
from tlae.progress import progress
from tlae.rendering.clip_video import near_events
from tlae.rendering.footage_time import FootageTime, duration_text
from tlae.rendering.time_ticks import HOUR_S
from tlae.rendering.timelapse_video import Pace, plan_shots, render_timelapse
from tlae.scoring.events import SCENE
from tlae.table import Table, is_any
from tlae.workflows.pictures import Drawing

logger = logging.getLogger(__name__)

FPS = 24.0
DEFAULT_LENGTH_S = 60.0  # of the video without its slow parts, if no speed is asked for
PADDING_FRAMES = 2  # shown slowly before and after an event


def write_timelapse(
    drawing: Drawing, cfg: RenderConfig, names: list[str], out: Path | None = None
) -> Path | None:
    """Write one video of all clips.

    Args:
        drawing: scores and footage.
        cfg: of ``tlae render``.
        names: of the clips to show.
        out: of the video; None: <scores>/timelapse.mp4.

    Returns:
        Path of the video; None: nothing lies in the chosen range.
    """
    scored = drawing.results.columns
    wanted = scored.take(is_any(scored["clip"], names))
    time = FootageTime.of(wanted)
    table = _in_order(wanted, time)
    at_s = table["time_s"]
    events = _event_rows(drawing, table)
    padding_s = PADDING_FRAMES * time.interval_s if cfg.padding_s is None else cfg.padding_s
    near = near_events(at_s, events, padding_s)
    chosen = near.copy() if cfg.only_events else np.full(len(table), True)
    chosen &= at_s >= (-np.inf if cfg.start_s is None else cfg.start_s)
    chosen &= at_s <= (np.inf if cfg.end_s is None else cfg.end_s)
    pace = Pace(FPS if cfg.fps is None else cfg.fps, _footage_s(cfg, time), cfg.slow)
    shots = plan_shots(at_s, near, chosen, pace, time.interval_s, time.gap_s)
    if not shots:
        return None
    total = sum(shot.frames for shot in shots)
    path = out or drawing.results.folder / "timelapse.mp4"
    with progress("rendering the time-lapse", total) as advance:
        render_timelapse(
            table,
            shots,
            lambda name: (drawing.frames(name), drawing.clip_scores(name)),
            drawing.look,
            events,
            pace,
            path,
            advance,
        )
    speed = duration_text(pace.footage_s)
    logger.info(f"wrote {path} ({total / pace.fps:.0f} s; {speed} of footage a second)")
    return path


def _event_rows(drawing: Drawing, table: Table) -> list[tuple[int, int]]:
    """First and last row of each event of the scene."""
    places = zip(table["clip"].tolist(), table["frame"].tolist(), strict=True)
    rows = {place: row for row, place in enumerate(places)}
    return [
        (rows[event["clip"], event["first_frame"]], rows[event["clip"], event["last_frame"]])
        for event in drawing.results.event_records
        if event.get("kind", SCENE) == SCENE and (event["clip"], event["first_frame"]) in rows
    ]


def _footage_s(cfg: RenderConfig, time: FootageTime) -> float:
    """Footage time in a second of the video: as asked, or about a minute for all of it."""
    if cfg.hours_per_s is not None:
        return cfg.hours_per_s * HOUR_S
    return max(1.0, time.watched_s() / DEFAULT_LENGTH_S)


def _in_order(table: Table, time: FootageTime) -> Table:
    """Rows clip by clip in the order of the axis, with the time on it."""
    place = {name: number for number, name in enumerate(time.clips)}
    places = np.array([place[clip] for clip in table["clip"].tolist()])
    return table.assign(time_s=time.axis_s).take(np.lexsort((table["frame"], places)))
