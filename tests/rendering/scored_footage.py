"""A scored footage of weeks, made up: what the report is given."""

from typing import Any

import numpy as np
import pandas as pd

from tlae.rendering.footage_time import FootageTime
from tlae.rendering.report_page.event_list import place_events
from tlae.rendering.report_page.page import ReportData
from tlae.table import Table

THRESHOLD = 0.5


def weeks_table(days: int = 3, per_day: int = 96, alarm_every: int = 40) -> pd.DataFrame:
    """A frame every 15 minutes, night in infrared, one hour of each day covered."""
    count = days * per_day
    rng = np.random.default_rng(0)
    number = np.arange(count)
    raw = 0.1 + 0.2 * rng.random(count)
    raw[number % alarm_every == 7] = 0.6 + 0.3 * rng.random(int((number % alarm_every == 7).sum()))
    time_s = number * 86400.0 / per_day
    taken_at = pd.Timestamp("2026-06-01") + pd.to_timedelta(time_s, unit="s")
    hour = (time_s // 3600).astype(int) % 24
    return pd.DataFrame(
        {
            "clip": "site",
            "frame": number,
            "path": "",
            "time_s": time_s,
            "taken_at": taken_at,
            "state": "ok",
            "raw": raw,
            "score": 1 - 0.5 * np.exp(-8 * raw),
            "alarm": raw > THRESHOLD,
            "source_h": 120,
            "source_w": 160,
            "mode": np.where((hour < 6) | (hour > 20), "infrared", "day"),
            "health": np.where(hour == 12, "covered", "ok"),
        }
    )


def weeks_events(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One event for each frame in alarm; zones, kinds and motion vary."""
    events = []
    for number, row in enumerate(np.flatnonzero(table["alarm"].to_numpy())):
        line = table.iloc[row]
        covered = line["health"] != "ok"
        events.append(
            {
                "id": f"E{number + 1:04d}",
                "clip": "site",
                "first_frame": int(row),
                "last_frame": int(row),
                "start_s": float(line["time_s"]),
                "end_s": float(line["time_s"]),
                "started_at": line["taken_at"].isoformat(),
                "ended_at": line["taken_at"].isoformat(),
                "peak_frame": int(row),
                "peak_raw": float(line["raw"]),
                "peak_score": float(line["score"]),
                "box": [10, 10, 20, 20],
                "kind": "camera" if covered else "scene",
                "zone": [None, "gate", "road"][number % 3],
                "mode": line["mode"],
                "stays": number % 4 == 0,
                "health": line["health"],
            }
        )
    return events


def scored_weeks(table: pd.DataFrame, events: list[dict[str, Any]]) -> ReportData:
    """Both brought together."""
    rows = Table.of(table)
    time = FootageTime.of(rows)
    summary = {"footage": {"path": "camera/july"}, "alarm": {"alarms_per_day": 2}, "tlae": "0"}
    placed = place_events(events, rows, time, THRESHOLD)
    return ReportData("july", rows, summary, time, placed, THRESHOLD)
