"""What is said of footage: what is odd about its times, what was left out and why."""

import logging
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from tlae.camera.another_view import (
    SAME_SCENE,
    SAME_VIEW,
    another_view,
    other_days,
    other_view,
    scene_alike,
)
from tlae.footage.clock import CAMERAS, CONTRADICTS, UNKNOWN, Finding, clock_findings
from tlae.footage.frames import OK, WARM_UP
from tlae.footage.images import Levels
from tlae.footage.levels import Depths, look_at_depths
from tlae.footage.sampling import left_by_sampling
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore
from tlae.footage.unlike_training import other_pace, other_shape
from tlae.footage.windows import (
    LEAST_DAYS,
    Rows,
    clip_intervals_s,
    evenly,
    median_interval_s,
    readable,
)
from tlae.lazy_column import Values
from tlae.number_words import how_many
from tlae.scorable import Scorable
from tlae.scoring.event_options import STILLS_S
from tlae.table import Table, counted

logger = logging.getLogger(__name__)

LOOKED_AT = 24  # frames that tell whether this is the scene of training
MANY = 0.1  # share of the frames that is worth a warning
BEING_WRITTEN = "still being written, not read yet"
NOT_SAMPLED = "not asked for (footage.every, start, end, hours)"
TOO_SHORT = "in a piece between gaps that is shorter than the net's window"
CURES = {
    UNKNOWN: "; footage.interval_s sets the pace (of arrays: interval_s of tlae.open_footage)",
    CAMERAS: "; give each camera a folder of its own",
    CONTRADICTS: "; footage.time_source=filename takes the names",
}


def note_clock(store: FrameStore, gap_s: float, time_pattern: str | None) -> dict[str, Any]:
    """Log a line for each kind of oddity; returns the same for ``summary.json``."""
    found = sorted(clock_findings(store.index, gap_s, time_pattern), key=lambda f: f.kind)
    summary = {}
    for kind, group in groupby(found, key=lambda finding: finding.kind):
        findings = list(group)
        summary[kind] = _summary(findings, store.index)
        first = summary[kind]["first"]
        count = summary[kind]["frames"]
        frames = f" ({count:,} frames)" if count > len(findings) else ""
        logger.warning(
            f"  clock: {len(findings):,} x {kind}{frames}, first at {first['file']}: "
            f"{first['text']}{CURES.get(kind, '')}"
        )
    return summary


def note_days(store: FrameStore, runs: Sequence[Rows]) -> None:
    """Log a line where stills to learn from are of few days, or show two views.

    Args:
        store: decoded frames.
        runs: rows to learn from and to calibrate on, in any order.
    """
    rows, index = np.sort(np.concatenate(runs)), store.index
    if not _are_dated_stills(index, rows):
        return
    days = len(np.unique(index["taken_at"][rows].astype("datetime64[D]")))
    if days < LEAST_DAYS:
        logger.warning(
            f"note: stills of {how_many(days, 'day')} show the light and weather of few, and "
            f"no whole day is held out to calibrate on (from {LEAST_DAYS} days on one is): other "
            "days will look unusual; add footage, or run `tlae calibrate` on more of it"
        )
    found = another_view(store, rows)
    if found is not None:
        when = index["taken_at"][found.row].astype("datetime64[s]")
        logger.warning(
            f"note: from {when} on the picture is another one (its edges correlate "
            f"{found.alike:.2f} with those of before): a model is of one view; if the camera was "
            f"moved or turned, learn from one side alone (footage.start={when} or footage.end)"
        )


def note_other_view(store: FrameStore, model: Scorable) -> None:
    """Log a line where days of stills, or all frames, show another view than in training."""
    camera, rows, index = model.camera, np.arange(len(store)), store.index
    if camera is None or not _are_dated_stills(index, rows):
        _note_other_scene(store, model)
        return
    found = other_days(store, rows, camera.bank.rough_edges)
    if found:
        day = index["taken_at"][found[0].row].astype("datetime64[D]")
        more = f" and {how_many(len(found) - 1, 'more day')}" if len(found) > 1 else ""
        logger.warning("note: %s", other_view(found[0].alike, f"{day}{more}"))


def _note_other_scene(store: FrameStore, model: Scorable) -> None:
    """Log a line where frames show another scene than the training footage."""
    mean, rows = model.mean_picture, np.flatnonzero(readable(store.index))
    if mean is None or mean.shape != store.shape[1:]:
        return
    alike = scene_alike(store.read(rows[evenly(len(rows), LOOKED_AT)]), mean)
    if alike < SAME_SCENE:  # NaN is not
        logger.warning(
            "note: the frames show another scene than the training footage (edges correlate "
            "%.2f; those of one camera %g and more): if it is another camera, or was turned, "
            "train on its own footage",
            alike,
            SAME_VIEW,
        )


def _are_dated_stills(index: Table, rows: Rows) -> bool:
    """Whether frames are far apart and all of these rows have wall-clock times."""
    is_dated = len(rows) > 0 and not np.isnat(index["taken_at"][rows]).any()
    return is_dated and median_interval_s(index) >= STILLS_S


def fitted_levels(footage: Footage) -> Levels | None:
    """Levels of training footage of 16 bits or floating-point numbers, and a line about them."""
    depths = look_at_depths(footage)
    _note_mixed_colours(depths)
    if not depths.are_deep or depths.levels is None:
        return None
    low, high = depths.levels
    logger.warning(
        f"pictures of 16 bits or floating-point numbers: counts {low:.6g} to {high:.6g} become "
        "grey levels 0 to 255, as fitted to this footage; the model keeps it"
    )
    return depths.levels


def note_other_depth(footage: Footage, levels: Levels | None) -> None:
    """A line where footage is of another depth than the one that a model learnt from."""
    depths = look_at_depths(footage)
    _note_mixed_colours(depths)
    if not depths.pictures or depths.are_deep == (levels is not None):
        return
    deep, flat = "16 bits or floating-point numbers", "8 bits"
    here, learnt = (deep, flat) if depths.are_deep else (flat, deep)
    logger.warning(
        f"note: pictures here have {here}, the model learnt from {learnt}: scores may mean little; "
        "train on such footage"
    )


def _note_mixed_colours(depths: Depths) -> None:
    """A line where some pictures are grey and others are not."""
    if 0 < depths.grey < depths.pictures:
        logger.warning(
            f"note: {depths.grey:,} of the {depths.pictures:,} pictures looked at are grey, the "
            "others have colours: a change between them can raise scores; footage that mixes them "
            "as the training footage does, or a model for each kind, avoids it"
        )


def note_other_shape(store: FrameStore, learnt_hw: tuple[int, int] | None) -> None:
    """A line where pictures have another aspect ratio than those that a model learnt from."""
    if sentence := other_shape(store.source_hw, learnt_hw):
        logger.warning("note: %s", sentence)


def note_other_pace(store: FrameStore, learnt_s: float) -> None:
    """A line where clips have another pace than the footage that a model learnt from.

    A net that saw ten frames a second does not know what four an hour look like.

    Args:
        store: decoded frames.
        learnt_s: time between frames in training [s]; 0: not known.
    """
    paces = clip_intervals_s(store.index)
    odd = {clip: said for clip, here_s in paces.items() if (said := other_pace(here_s, learnt_s))}
    if not odd:
        return
    clip, said = next(iter(odd.items()))
    where = "" if len(odd) == len(paces) else f"in {len(odd):,} of {how_many(len(paces), 'clip')} "
    where += f"({clip}) " * bool(where)
    logger.warning("note: %s%s", where, said)


def note_short_runs(states: Values, runs: Sequence[Rows], span_frames: int, gap_s: float) -> None:
    """A line where many frames get no score, or one that rests on copies, for want of a past.

    Args:
        states: of all frames, after scoring.
        runs: rows of each run of frames without a cut.
        span_frames: from the first to the last of the net's window.
        gap_s: an interval longer than this ends a run [s]; 0: none does.
    """
    frames = sum(len(run) for run in runs)
    unscored = counted(states).get(WARM_UP, 0)
    copied = sum(int((states[run] == OK).sum()) for run in runs if len(run) < span_frames)
    ends = f"; an interval over {gap_s:g} s ends a run" if gap_s else ""
    if unscored > MANY * frames:
        logger.warning(
            f"note: {unscored:,} of {how_many(frames, 'frame')} get no score ({WARM_UP}), because "
            f"too few frames of their run are before them{ends}"
        )
    if copied > MANY * frames:
        logger.warning(
            f"note: {copied:,} of {how_many(frames, 'frame')} with a score are in runs shorter "
            f"than the net's window of {span_frames} frames, which copies of the first frame fill: "
            f"these scores may mean little{ends}"
        )


def left_out(states: Values, footage: Footage) -> dict[str, int]:
    """How many inputs have no score, by reason.

    Args:
        states: of the frames that there are.
        footage: that they come from.
    """
    counts = {state: count for state, count in counted(states).items() if state != OK}
    others = {
        BEING_WRITTEN: len(footage.waiting),
        NOT_SAMPLED: left_by_sampling(footage.clips, len(states)),
    }
    return counts | {reason: count for reason, count in others.items() if count}


def left_out_words(reasons: dict[str, int]) -> str:
    """What was left out, for the last line of a job."""
    if not reasons:
        return "nothing left out"
    listed = "; ".join(f"{count:,} x {reason}" for reason, count in reasons.items())
    return f"left out {sum(reasons.values()):,}: {listed}"


def _summary(findings: list[Finding], index: Table) -> dict[str, Any]:
    first = findings[0]
    row = index.row(first.row)
    return {
        "count": len(findings),
        "frames": sum(finding.frames for finding in findings),
        "first": {
            "clip": str(row["clip"]),
            "frame": int(row["frame"]),
            "file": Path(str(row["path"])).name,
            "text": first.text,
        },
    }
