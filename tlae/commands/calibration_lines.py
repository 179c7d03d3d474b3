"""What `tlae calibrate` prints."""

from collections.abc import Iterator

from tlae.model_file import Model
from tlae.number_words import how_many
from tlae.scoring.calibrate import PerMode
from tlae.scoring.marks import Mark
from tlae.workflows.calibrate import AlarmsHere, CalibrationReport
from tlae.workflows.marked_events import MarksReport

MOST_NAMED = 5  # events


def calibration_lines(report: CalibrationReport, seconds: float) -> Iterator[str]:
    """Lines on what a recalibration did in so many seconds."""
    known = report.model.calibration
    new = report.new_frames if report.marks is None else report.new_frames + _frames(report.marks)
    yield (
        f"calibrated on {how_many(len(known.raw), 'normal frame')} ({known.days:.2g} days), "
        f"{new:,} of them new, in {seconds:.1f} s{settled_words(report.model)}"
    )
    yield _alarms_line("before", report.before)
    yield _alarms_line("now", report.now)
    if report.marks is not None:
        yield from _lines_of_marks(report.marks)


def settled_words(model: Model) -> str:
    """On how many of its normal frames a model's thresholds rest, and why not on all; else ""."""
    known, rule = model.calibration, model.rule
    settled = len(known.smoothed(rule.smooth_frames, causal=rule.causal).raw)
    if settled == len(known.raw):
        return ""
    return (
        f"; thresholds rest on {settled:,} of them, because smoothing in time is not settled where "
        "a run begins" + " or ends" * (not rule.causal)
    )


def _alarms_line(when: str, alarms: AlarmsHere) -> str:
    levels = ", ".join(
        f"{mode} {value:.4g}".strip() for mode, value in _shown(alarms.threshold).items()
    )
    return f"  {when + ':':<7} threshold {levels}: {alarms.per_day:.2g} alarms a day here"


def _lines_of_marks(marks: MarksReport) -> Iterator[str]:
    events = marks.events
    if events.normal:
        found = f"{_count(events.normal, 'normal')} ({how_many(_frames(marks), 'frame')})"
        yield f"marks:   {found} {_did(marks)}"
    if marks.passing:
        yield (
            f"warning: {len(marks.passing)} of {_count(events.wanted, 'wanted')} would pass "
            f"without an alarm: {_named(marks.passing)}"
        )
    elif events.wanted:
        yield f"wanted:  {_count(events.wanted, 'wanted')} would alarm as before"
    if marks.left_out:
        left_out = how_many(marks.left_out, "frame")
        yield f"note:    left out: {left_out} of the footage with marked events"
    if marks.undated:
        yield (
            f"note:    {how_many(marks.undated, 'marked event')} cannot be found in the footage, "
            "for want of wall-clock times; frames of it that show such an event count"
        )
    if events.others:
        others = how_many(events.others, "mark")
        yield f"note:    left out: {others} of other models or of the camera"


def _did(marks: MarksReport) -> str:
    """What the events marked normal did."""
    if marks.alarming:
        return (
            f"do not raise the fixed threshold, so that {_named(marks.alarming)} would alarm again"
        )
    if marks.raised:
        was, now = _highest(marks.without), _highest(marks.now)
        return f"raise the threshold from {was:.4g} to {now:.4g}; none of them would alarm again"
    return "lie below the threshold already; none of them would alarm again"


def _shown(threshold: PerMode) -> dict[str, float]:
    return dict(threshold.by_mode) or {"": threshold.value}


def _highest(threshold: PerMode) -> float:
    return max(_shown(threshold).values())


def _frames(marks: MarksReport) -> int:
    return marks.events.frames


def _count(events: list[Mark], what: str) -> str:
    return f"{how_many(len(events), 'event')} marked {what}"


def _named(events: list[Mark]) -> str:
    more = f" and {len(events) - MOST_NAMED} more" * (len(events) > MOST_NAMED)
    return ", ".join(mark.words for mark in events[:MOST_NAMED]) + more
