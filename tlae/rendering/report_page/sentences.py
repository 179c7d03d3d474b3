"""What the report says in plain words, the most important first."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tlae.footage.frames import OK, READ, WARM_UP
from tlae.number_words import how_many
from tlae.rendering.footage_time import FootageTime, duration_text
from tlae.rendering.report_page.event_list import CAMERA, ReportEvent, by_strength
from tlae.rendering.report_page.event_words import place_words, sure_words
from tlae.rendering.report_page.score_points import (
    SEEING,
    UNREADABLE,
    health_of,
    in_thresholds,
    modes_of,
)
from tlae.rendering.strength import SIGN, ratio_text
from tlae.rendering.time_ticks import DAY_S
from tlae.table import Table, counted, is_any


def headline(
    table: Table, events: Sequence[ReportEvent], time: FootageTime, threshold: float
) -> str:
    """The one most important sentence."""
    readable = int((table["state"] == OK).sum())
    if not readable:
        return f"None of the {len(table):,} frames could be read, so nothing can be said."
    ranked = [event for event in by_strength(events) if event.kind != CAMERA]
    length = _length(table, time)
    if ranked:
        strongest = ranked[0]
        lasted = "in one frame" if strongest.lasted == "one frame" else f"for {strongest.lasted}"
        which = "the strongest" if len(ranked) > 1 else "it was"
        at = "in" if time.began is None else "on"
        place = place_words(strongest.box, strongest.size_hw)
        parts = [f"{which} {at} {strongest.when}", lasted, *filter(None, [place])]
        return f"{how_many(len(ranked), 'event')} {length}; {', '.join(parts)}."
    seen = np.where(is_any(health_of(table), SEEING), table["raw"], np.nan)
    if not _has_threshold(table, threshold) and not np.isnan(seen).all():
        highest = time.text(float(time.axis_s[int(np.nanargmax(seen))]))
        return f"No alarm threshold is set, so there are no events; most unusual: {highest}."
    return f"No event {length}."


def surest(table: Table, events: Sequence[ReportEvent], time: FootageTime, threshold: float) -> str:
    """Why the strongest event of the scene is one, and how sure that is.

    Without an event, how near the scores came to the threshold; "" where there is none.
    """
    ranked = [event for event in by_strength(events) if event.kind != CAMERA]
    if not ranked:
        return _nearest(table, time, threshold)
    sure = sure_words(ranked[0], 1, 1)
    reason = f"It {ranked[0].reason}" if ranked[0].reason else ""
    return f"{': '.join(filter(None, (reason, sure)))}." if reason or sure else ""


def _nearest(table: Table, time: FootageTime, threshold: float) -> str:
    """The highest score of a camera that shows the scene, in thresholds."""
    value, known = in_thresholds(table, threshold)
    seen = np.where(is_any(health_of(table), SEEING), value, np.nan)
    if not known or np.isnan(seen).all():
        return ""
    highest = int(np.nanargmax(seen))
    when = time.text(float(time.axis_s[highest]))
    return f"The highest score is {ratio_text(float(seen[highest]))}{SIGN} threshold: {when}."


def further(
    table: Table,
    events: Sequence[ReportEvent],
    time: FootageTime,
    summary: Mapping[str, Any] | None = None,
    verdict: str = "",
) -> list[str]:
    """What else matters: the budget, the camera, what was left out, gaps.

    Args:
        table: score table.
        events: on the axis.
        time: of the rows.
        summary: as in ``summary.json``.
        verdict: what an evaluation said of the scores.
    """
    lines = [f"Measured against labels: {verdict}"] if verdict else []
    faults = Counter(event.health for event in events if event.kind == CAMERA)
    if faults:
        listed = ", ".join(f"{name} ({count} x)" for name, count in faults.most_common())
        lines.append(
            f"The camera itself was in trouble: {listed}. That is not an event of the scene."
        )
    alarms, readable = int(table["alarm"].sum()), int((table["state"] == OK).sum())
    if readable:
        scenes = sum(event.kind != CAMERA for event in events)
        asked = (summary or {}).get("alarm") or {}
        lines.append(_budget(alarms, readable, scenes, time, asked))
        lines += _doubts(summary or {}, scenes)
    warm_up = int((table["state"] == WARM_UP).sum())
    if warm_up:
        lines.append(
            f"{how_many(warm_up, 'frame')} without a score, before the net's first window."
        )
    left_out = counted(table["state"][~is_any(table["state"], READ)])
    if left_out:
        listed = ", ".join(f"{count:,} x {state}" for state, count in left_out.items())
        lines.append(f"Left out, because not readable: {listed}.")
    gaps = time.gaps() if time.began is not None else []
    if gaps:
        start, end = max(gaps, key=lambda gap: gap[1] - gap[0])
        longest = f"{duration_text(end - start)}, from {time.text(start)}"
        which = "" if len(gaps) == 1 else "the longest "
        lines.append(f"{how_many(len(gaps), 'gap')} without footage: {which}{longest}.")
    return lines


def _doubts(summary: Mapping[str, Any], scenes: int) -> list[str]:
    """What may be wrong with the threshold."""
    lines = []
    if shortfall := summary.get("shortfall"):
        lines.append(f"The threshold is an estimate: {shortfall}.")
    if not scenes and (count := summary.get("above_normal")):
        lines.append(
            f"{how_many(count, 'frame')} above all known normal footage, but below the threshold: "
            "`tlae events` with a larger scoring.false_alarm_rate shows them."
        )
    if advised := summary.get("drift_advice"):
        lines.append(f"Drift: {advised}.")
    return lines


def _budget(
    alarms: int, readable: int, scenes: int, time: FootageTime, asked: Mapping[str, Any]
) -> str:
    """How much is in alarm, beside what was asked for."""
    line = f"{how_many(alarms, 'frame')} of {readable:,} in alarm ({100 * alarms / readable:.3g} %)"
    wanted, a_day = asked.get("false_alarm_rate"), asked.get("alarms_per_day")
    if wanted is not None:
        return f"{line}; the budget is {100 * wanted:.3g} % of normal frames."
    days = time.watched_s() / DAY_S
    if a_day is not None and days >= 1:
        return f"{line}; {scenes / days:.2g} events a day, the budget is {a_day:g} alarms a day."
    if a_day is not None:
        return f"{line}; the budget is {a_day:g} alarms a day of normal footage."
    return f"{line}."


def facts(
    table: Table, time: FootageTime, summary: dict[str, Any], threshold: float
) -> list[tuple[str, str]]:
    """Name and value of what the figures rest on."""
    footage = str(summary.get("footage", {}).get("path", "not known"))
    health = Counter(health_of(table))
    modes = Counter(modes_of(table))
    lines = [
        ("footage", footage),
        ("from", time.text(0.0)),
        ("to", time.text(time.span_s)),
        ("frames", f"{len(table):,}, median interval {_interval(time.interval_s)}"),
        ("clips", f"{len(time.clips):,}"),
        ("alarm threshold", _threshold(table, summary, threshold)),
        ("left out", f"{how_many(health[UNREADABLE], 'unreadable frame')}"),
    ]
    rule = summary.get("rule") or {}
    frames = float(rule.get("smooth_frames") or 0)
    if frames and rule.get("causal", True):
        lag = f"about {duration_text(frames * time.interval_s)}"
        lines.append(("delay", f"scores are smoothed over the frames before, so alarms lag {lag}"))
    troubled = {name: n for name, n in health.items() if name not in (OK, UNREADABLE)}
    if troubled:
        lines.append(("camera health", _counted(troubled)))
    if set(modes) != {""}:
        lines.append(("camera modes", _counted(modes)))
    lines.append(("model", str(summary.get("model_file", "not known"))))
    lines.append(("tlae", str(summary.get("tlae", "not known"))))
    return lines


def _interval(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 1 else duration_text(seconds)


def _has_threshold(table: Table, threshold: float) -> bool:
    if "threshold" in table:
        return bool(np.isfinite(table["threshold"]).any())
    return math.isfinite(threshold)


def _threshold(table: Table, summary: dict[str, Any], threshold: float) -> str:
    if not _has_threshold(table, threshold):
        return "none"
    levels = [threshold]
    if "threshold" in table:
        known = table["threshold"]
        levels = sorted({*known[np.isfinite(known)].tolist()})
    shown = f"{levels[0]:.4g}" if len(levels) == 1 else f"{levels[0]:.4g} to {levels[-1]:.4g}"
    asked = summary.get("alarm") or {}
    words = [
        f"{key.replace('_', ' ')} {value:g}" for key, value in asked.items() if key != "threshold"
    ]
    return f"raw score above {shown}" + (f" (asked for: {', '.join(words)})" if words else "")


def _counted(counts: dict[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{name or 'not known'} {count:,}" for name, count in ranked)


def _length(table: Table, time: FootageTime) -> str:
    """``in 12 days``, ``in 3.5 h of footage``."""
    if time.began is not None:
        began = np.datetime64(time.began, "us")
        moments = began + (1e6 * time.axis_s).round().astype("timedelta64[us]")
        days = len(np.unique(moments.astype("datetime64[D]")))
        if days > 1:
            return f"in {days:,} days"
    return f"in {duration_text(time.watched_s())} of footage"
