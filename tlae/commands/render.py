"""tlae render scores=FOLDER [layout=side_by_side] [only_events=true] [frames=[120,121]].

Draws scores over the footage: heat on one fixed scale, box and contour of what is over the
threshold, score curve, clock, alarm. Writes into the scores folder: overlay.mp4 (or
overlay/<clip>.mp4 for several clips), H.264 that plays in a browser, and top_frames.png, a sheet of
the most anomalous frames. layout=timelapse makes one video of all clips instead, timelapse.mp4,
steady in footage time (hours_per_s=2) and slower near events (slow=4).
"""

from collections.abc import Iterator
from pathlib import Path

from tlae.commands.pictures import Drawing, open_drawing, worst_rows
from tlae.commands.timelapse import write_timelapse
from tlae.config import RenderConfig
from tlae.errors import UserError, nearest
from tlae.footage.frames import Image
from tlae.progress import progress
from tlae.rendering.clip_video import render_clip, select_rows
from tlae.rendering.contact_sheet import contact_sheet
from tlae.rendering.layouts import Layout
from tlae.rendering.png import write_png
from tlae.scoring.events import shows_scene
from tlae.scoring.results import Results, held_results, read_results

TIMELAPSE_FPS = 12.0
FILMED_FPS = (1.0, 60.0)  # a video is played as filmed within this range
PADDING_FRAMES = 10
SHEET_COLUMNS = 4


def run(cfg: RenderConfig) -> None:
    """Render the videos, single frames and the sheet of a scored footage."""
    with held_results(Path(cfg.scores).expanduser()):
        _render(cfg)


def _render(cfg: RenderConfig) -> None:
    """Render into a folder that no other process writes into."""
    results = read_results(Path(cfg.scores).expanduser())
    drawing = open_drawing(results, cfg.footage, cfg.layout)
    wanted = _wanted_clips(results, cfg)
    drawing.require_clips(wanted)
    if cfg.frames:
        _write_frames(drawing, cfg, wanted)
        return
    if drawing.look.layout == Layout.TIMELAPSE:
        written = write_timelapse(drawing, cfg, wanted)
    else:
        written = sum(_write_video(drawing, cfg, name) for name in wanted)
    if not written:
        raise UserError(
            "nothing to show: no frame of the chosen clips lies in an event or in the given range"
        )
    if cfg.top:
        path = results.folder / "top_frames.png"
        write_png(path, contact_sheet(list(_top_tiles(drawing, cfg.top)), SHEET_COLUMNS))
        print(f"wrote {path}")


def _wanted_clips(results: Results, cfg: RenderConfig) -> list[str]:
    names = list(results.table["clip"].unique())
    for name in cfg.clips:
        if name not in names:
            raise UserError(f"no clip is called {name!r}; {nearest(name, names)}")
    return list(cfg.clips) or names


def _write_video(drawing: Drawing, cfg: RenderConfig, name: str) -> int:
    """One clip's video; returns the number of frames shown, 0 if none was chosen."""
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
        return 0
    if cfg.layout == "side_by_side" and scores.rebuilt_of is None:
        print(
            "note: there is nothing that the net expected to show: a net that judges expects "
            "nothing, others need `tlae score keep_rebuilt=true`"
        )
    folder = drawing.results.folder
    leaf = cfg.layout
    path = (
        folder / f"{leaf}.mp4"
        if len(drawing.clips) == 1
        else folder / leaf / f"{_file_name(name)}.mp4"
    )
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
    print(f"wrote {path} ({len(shown):,} frames)", flush=True)
    return len(shown)


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


def _write_frames(drawing: Drawing, cfg: RenderConfig, names: list[str]) -> None:
    folder = drawing.results.folder / "frames"
    folder.mkdir(exist_ok=True)
    for name in names:
        length = int((drawing.results.table["clip"] == name).sum())
        for number in cfg.frames:
            if not 0 <= number < length:
                raise UserError(f"frames of {name} must be within 0..{length - 1}, got {number}")
        for number, picture in drawing.stills(name, sorted(set(cfg.frames))):
            path = folder / f"{_file_name(name)}-{number:06d}.png"
            write_png(path, picture)
            print(f"wrote {path}", flush=True)


def _top_tiles(drawing: Drawing, count: int) -> Iterator[tuple[Image, str]]:
    """The most anomalous frames, worst first, no two of the same moment."""
    table = drawing.results.table
    rows = worst_rows(table[table["clip"].isin(drawing.clips) & shows_scene(table)], count)
    pictures = drawing.stills_of_rows(rows)
    for rank, row in enumerate(rows, start=1):
        if row in pictures:
            line = table.iloc[row]
            yield (
                pictures[row],
                f"{rank}. {line['clip']} #{line['frame']}  raw {line['raw']:.3g}",
            )


def _file_name(clip: str) -> str:
    return clip.replace("/", "_")
