"""What commands say of footage: what is odd about its times, what was left out and why."""

from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from tlae.footage.clock import CAMERAS, CONTRADICTS, UNKNOWN, Finding, clock_findings
from tlae.footage.frames import OK
from tlae.footage.sampling import left_by_sampling
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore

BEING_WRITTEN = "still being written, left for the next time"
NOT_SAMPLED = "not asked for (footage.every, start, end, hours)"
TOO_SHORT = "in a piece between gaps that is shorter than the net's window"
CURES = {
    UNKNOWN: "; footage.interval_s sets the pace",
    CAMERAS: "; give each camera a folder of its own",
    CONTRADICTS: "; footage.time_source=filename takes the names",
}


def tell_clock(store: FrameStore, gap_s: float, time_pattern: str | None) -> dict[str, Any]:
    """Print a line for each kind of oddity; returns the same for ``summary.json``."""
    found = sorted(clock_findings(store.index, gap_s, time_pattern), key=lambda f: f.kind)
    summary = {}
    for kind, group in groupby(found, key=lambda finding: finding.kind):
        findings = list(group)
        summary[kind] = _summary(findings, store.index)
        first = summary[kind]["first"]
        count = summary[kind]["frames"]
        frames = f" ({count:,} frames)" if count > len(findings) else ""
        print(
            f"  clock: {len(findings):,} x {kind}{frames}, first at {first['file']}: "
            f"{first['text']}{CURES.get(kind, '')}",
            flush=True,
        )
    return summary


def left_out(states: pd.Series, footage: Footage) -> dict[str, int]:
    """How many inputs have no score, by reason.

    Args:
        states: of the frames that there are.
        footage: that they come from.
    """
    counts = {str(k): int(v) for k, v in states[states != OK].value_counts().items()}
    others = {
        BEING_WRITTEN: len(footage.waiting),
        NOT_SAMPLED: left_by_sampling(footage.clips, len(states)),
    }
    return counts | {reason: count for reason, count in others.items() if count}


def left_out_words(reasons: dict[str, int]) -> str:
    """What was left out, for the last line of a job."""
    if not reasons:
        return "nothing left out"
    told = "; ".join(f"{count:,} x {reason}" for reason, count in reasons.items())
    return f"left out {sum(reasons.values()):,}: {told}"


def _summary(findings: list[Finding], index: pd.DataFrame) -> dict[str, Any]:
    first = findings[0]
    row = index.iloc[first.row]
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
