"""Videos and stills of single events, for `tlae events clips=true`."""

import logging
from pathlib import Path

from tlae.errors import UserError
from tlae.number_words import how_many
from tlae.progress import progress
from tlae.rendering.clip_video import render_clip, select_rows
from tlae.rendering.png import write_png
from tlae.scoring.job import CLIP_FILES
from tlae.scoring.results import CLIPS, Scores
from tlae.whole_file import whole_folder
from tlae.workflows.pictures import Drawing, open_drawing
from tlae.workflows.render import playback_fps

logger = logging.getLogger(__name__)

PADDING_S = 2.0
PADDING_INTERVALS = 3.0  # of frames far apart
SHORTEST_S = 3.0  # a clip of a few time-lapse frames is played slower, to be seen


def write_clips(results: Scores, footage: str | None, padding_s: float | None, most: int) -> None:
    """Write ``events/E0001.mp4`` and ``events/E0001.png`` (the peak) of each event.

    Args:
        results: scores with their events.
        footage: where the pictures are now; None: where they were.
        padding_s: shown before and after [s]; None: 2 s, or three frame intervals.
        most: cut out no more events than so many, those of the highest peaks.

    Raises:
        UserError: the footage is gone or no longer holds what was scored.
    """
    events = sorted(results.event_records, key=lambda event: -(event["peak_raw"] or 0.0))[:most]
    if not events:
        logger.info("no events, no clips")
        return
    drawing = open_drawing(results, footage)
    _require_footage(drawing, sorted({str(event["clip"]) for event in events}))
    if padding_s is None:
        padding_s = max(PADDING_S, PADDING_INTERVALS * drawing.interval_s)
    target = results.folder / CLIPS
    with (
        whole_folder(target, CLIP_FILES) as folder,
        progress("cutting out events", len(events)) as advance,
    ):
        for event in sorted(events, key=lambda event: str(event["id"])):
            _write(drawing, event, folder, padding_s)
            advance(1)
    left_out = len(results.event_records) - len(events)
    more = f"; left out: {left_out:,} of lower peaks (most_clips={most})" if left_out else ""
    logger.info(f"wrote {target} ({how_many(len(events), 'clip')}{more})")


def _require_footage(drawing: Drawing, names: list[str]) -> None:
    path = Path(drawing.footage_path).expanduser()
    if not path.exists() and "*" not in drawing.footage_path:
        raise UserError(
            f"clips need the footage, {path} is gone; give footage=... where it lies now (events "
            "are found and written)"
        )
    drawing.require_clips(names)


def _write(drawing: Drawing, event: dict[str, object], folder: Path, padding_s: float) -> None:
    """The video and the still of one event."""
    name, first, last = str(event["clip"]), event["first_frame"], event["last_frame"]
    assert isinstance(first, int)
    assert isinstance(last, int)
    scores = drawing.clip_scores(name)
    shown = select_rows(scores.table, only_events=True, padding_s=padding_s, events=[(first, last)])
    fps = playback_fps(drawing.interval_s)
    if len(shown) / fps < SHORTEST_S:
        fps = max(1.0, len(shown) / SHORTEST_S)
    frames = drawing.frames(name, int(shown[0]))
    path = folder / f"{event['id']}.mp4"
    render_clip(frames, scores, drawing.look, shown, path, fps)
    for _, picture in drawing.stills(name, [int(str(event["peak_frame"]))]):
        write_png(path.with_suffix(".png"), picture)
