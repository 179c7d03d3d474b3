"""What the report says and holds."""

import base64
import re

import numpy as np
import pandas as pd
import pytest

from tests.rendering.scored_footage import THRESHOLD, scored_weeks, weeks_events, weeks_table
from tlae.html_page import json_in_page, picture_uri
from tlae.rendering.footage_time import FootageTime
from tlae.rendering.report_page.calendar_grid import calendar_days
from tlae.rendering.report_page.event_list import CAMERA, by_strength, place_events
from tlae.rendering.report_page.event_words import place_words, recurring, sure_words
from tlae.rendering.report_page.keogram import COLUMNS_PX, Keogram
from tlae.rendering.report_page.page import report_html
from tlae.rendering.report_page.score_points import in_thresholds, pick_rows, points_json
from tlae.rendering.report_page.sentences import facts, further, headline
from tlae.table import Table


def test_thinned_curve_keeps_each_peak_and_each_fault() -> None:
    rng = np.random.default_rng(1)
    raw = rng.random(100_000)
    raw[[5, 77_777]] = [9.0, np.nan]
    remarkable = np.zeros(len(raw), bool)
    remarkable[41_234] = True
    rows = pick_rows(raw, remarkable, 3000)
    assert len(rows) <= 3000
    assert {5, 41_234} <= set(rows)
    stretches = np.array_split(np.arange(len(raw)), 1000)
    lows = {int(s[np.nanargmin(raw[s])]) for s in stretches}  # the naive way
    assert lows <= set(rows)
    assert pick_rows(raw[:10], remarkable[:10], 3000).tolist() == list(range(10))


def test_points_of_older_tables_have_one_mode_and_tell_what_was_unreadable() -> None:
    table = weeks_table(1).drop(columns=["mode", "health"])
    table.loc[3, "state"] = "truncated"
    table.loc[3, "raw"] = np.nan
    points = points_json(Table.of(table), FootageTime.of(Table.of(table)))
    assert points["mode_names"] == [""]
    assert points["health_names"] == ["ok", "unreadable"]
    assert base64.b64decode(points["health"])[3] == 1
    value = np.frombuffer(base64.b64decode(points["value"]), "<f4")
    np.testing.assert_allclose(value[4], table["raw"][4], rtol=1e-6)


def test_the_curve_is_in_thresholds_of_each_frame_itself() -> None:
    table = weeks_table(1).assign(threshold=np.where(np.arange(96) % 2, 0.5, 0.25))
    value, known = in_thresholds(Table.of(table), THRESHOLD)
    assert known
    np.testing.assert_allclose(value, table["raw"] / table["threshold"])
    raw, known = in_thresholds(Table.of(table.drop(columns="threshold")), float("inf"))
    assert not known
    np.testing.assert_array_equal(raw, table["raw"])


def test_calendar_counts_each_hour() -> None:
    table = weeks_table(2)
    table = table[~table["taken_at"].dt.hour.isin([3])].reset_index(drop=True)
    table["alarm"] = False
    table.loc[table["taken_at"] == "2026-06-02 05:15", "alarm"] = True
    days = calendar_days(Table.of(table), FootageTime.of(Table.of(table)))
    assert [day.label for day in days] == ["Mon 1 Jun", "Tue 2 Jun"]
    assert [days[0].hours[hour].frames for hour in (2, 3, 4)] == [4, 0, 4]
    assert days[1].hours[5].share == 0.25
    assert sum(hour.alarms for day in days for hour in day.hours) == 1
    highest = table[table["taken_at"].dt.hour == 23]["score"][:92].max()
    assert days[0].hours[23].score == pytest.approx(highest)


def test_no_calendar_without_wall_clock() -> None:
    table = weeks_table(1).assign(taken_at=pd.NaT)
    assert calendar_days(Table.of(table), FootageTime.of(Table.of(table))) == []


def test_keogram_has_one_column_per_frame_and_leaves_gaps_open() -> None:
    table = weeks_table(2, per_day=24)
    time = FootageTime.of(Table.of(table))
    keogram = Keogram(time)
    for row in (0, 1, 30):
        image = np.zeros((20, 21, 3), np.uint8)
        image[:, 10] = 10 + row  # the middle column alone
        keogram.add(float(time.axis_s[row]), image)
    first, second = keogram.strips()
    an_hour = COLUMNS_PX // 24
    assert (first.image[:, :an_hour, 0] == 10).all()
    assert (first.image[:, an_hour : 3 * an_hour, 0] == 11).all()
    assert (first.image[:, 3 * an_hour :, 3] == 0).all()
    assert (second.image[:, 6 * an_hour, 0] == 40).all()
    assert first.label == "Mon 1 Jun"


def test_events_of_older_results_get_ids_and_meanings() -> None:
    table = weeks_table(1)
    keys = ("clip", "first_frame", "last_frame", "peak_frame", "peak_raw", "peak_score")
    old = [{key: event[key] for key in keys} for event in weeks_events(table)]
    placed = place_events(old, Table.of(table), FootageTime.of(Table.of(table)), THRESHOLD)
    assert [event.id for event in placed[:2]] == ["E0001", "E0002"]
    assert (placed[0].kind, placed[0].zone, placed[0].stays) == ("scene", "", None)
    assert placed[0].strength == pytest.approx(placed[0].raw / THRESHOLD)


def test_strength_counts_thresholds_of_the_frame_itself_and_camera_events_come_last() -> None:
    table = weeks_table(2).assign(threshold=THRESHOLD)
    events = weeks_events(table)
    weak = min(events, key=lambda e: e["peak_raw"])
    table.loc[weak["peak_frame"], "threshold"] = 0.01
    ranked = by_strength(
        place_events(events, Table.of(table), FootageTime.of(Table.of(table)), THRESHOLD)
    )
    assert ranked[0].id == weak["id"]
    events[-1]["kind"] = "camera"
    ranked = by_strength(
        place_events(events, Table.of(table), FootageTime.of(Table.of(table)), THRESHOLD)
    )
    assert ranked[-1].kind == "camera"


def test_trouble_of_the_camera_in_frames_without_a_score_is_listed() -> None:
    table = weeks_table(1)
    event = dict(weeks_events(table)[0], kind="camera", health="black", peak_raw=None)
    scored = scored_weeks(table, [event])
    assert (scored.events[0].raw, scored.events[0].strength) == (None, 0.0)
    assert 'id="E0001"' in report_html(scored, {}, [])


def test_a_covered_lens_is_not_the_most_unusual_moment() -> None:
    table = weeks_table(1).assign(alarm=False)
    table.loc[table["health"] == "covered", "raw"] = 5.0  # from 12 h to 13 h
    table.loc[4, "raw"] = 2.0  # at 1 h
    shown = headline(Table.of(table), [], FootageTime.of(Table.of(table)), float("inf"))
    assert shown.endswith("most unusual: Mon 1 Jun 2026 01:00.")


def test_events_that_the_table_lacks_are_left_out() -> None:
    table = weeks_table(1)
    stray = [
        dict(weeks_events(table)[0], clip="gone"),
        dict(weeks_events(table)[0], last_frame=999),
    ]
    assert place_events(stray, Table.of(table), FootageTime.of(Table.of(table)), THRESHOLD) == []


def test_the_first_sentence_says_how_many_since_when_and_for_how_long() -> None:
    table = weeks_table(3)
    table["alarm"] = False
    table.loc[100:102, "alarm"] = True
    table.loc[101, "raw"] = 0.99
    event = dict(weeks_events(table)[0], kind="scene", first_frame=100, last_frame=102)
    scored = scored_weeks(table, [event])
    shown = headline(Table.of(table), scored.events, scored.time, THRESHOLD)
    assert (
        shown == "1 event in 3 days; it was on Tue 2 Jun 2026 01:00, for 45 min, at the upper left."
    )
    assert headline(Table.of(table), [], scored.time, THRESHOLD) == "No event in 3 days."
    assert "No alarm threshold" in headline(Table.of(table), [], scored.time, float("inf"))
    table["state"] = "truncated"
    assert headline(Table.of(table), [], scored.time, THRESHOLD).startswith(
        "None of the 288 frames"
    )
    assert any("288 x truncated" in line for line in further(Table.of(table), [], scored.time))


def test_names_cannot_break_the_page() -> None:
    table = weeks_table(1).assign(clip="</script><b>")
    events = [dict(event, clip="</script><b>", zone="<i>gate") for event in weeks_events(table)]
    html = report_html(scored_weeks(table, events), {}, [])
    assert "<i>gate" not in html
    assert html.count("</script>") == 2
    assert "</script" not in json_in_page({"clip": "</script>"})


def test_pictures_keep_their_share_of_the_page() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    assert len(picture_uri(noise)) > 40_000
    small = picture_uri(noise, 9000)
    assert len(small) <= 9000
    assert small.startswith("data:image/webp;base64,")


def test_nothing_on_the_page_is_fetched() -> None:
    table = weeks_table(1)
    html = report_html(scored_weeks(table, weeks_events(table)), {}, [])
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", html)
    assert not re.findall(r"https?://|@import|url\(", html)


def test_the_warm_up_is_not_called_unreadable() -> None:
    table = weeks_table(1)
    table.loc[0, ["state", "raw"]] = "warm-up", np.nan
    time = FootageTime.of(Table.of(table))
    assert "1 frame without a score, before the net's first window." in further(
        Table.of(table), [], time
    )
    assert dict(facts(Table.of(table), time, {}, 1.0))["left out"] == "0 unreadable frames"


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0, 0, 20, 20), "at the upper left"),
        ((70, 50, 20, 20), "in the middle"),
        ((70, 100, 20, 20), "at the bottom"),
        ((140, 50, 20, 20), "at the right"),
        ((0, 0, 160, 60), "over the whole picture"),
        ((), ""),
        ((0, 0, 0, 0), ""),
    ],
)
def test_places_have_names(box: tuple[int, ...], words: str) -> None:
    assert place_words(box, (120, 160)) == words


def test_what_comes_back_at_one_hour_is_one_group_led_by_the_strongest() -> None:
    table = weeks_table(4).assign(alarm=False)
    rows = [12, 96 + 13, 192 + 12, 310, 330]  # 3 h on three days; two others
    table.loc[rows, "alarm"], table.loc[rows, "health"] = True, "ok"
    table.loc[96 + 13, "raw"] = 0.95
    scored = scored_weeks(table, weeks_events(table))
    assert recurring(scored.events, scored.time) == {"E0001": "E0002", "E0003": "E0002"}
    html = report_html(scored, {}, [])
    assert html.count('class="others"') == 1
    assert "2 more at about this hour" in html
    dense = weeks_table(4, alarm_every=5)
    busy = scored_weeks(dense, weeks_events(dense))
    assert recurring(busy.events, busy.time) == {}  # something at every hour


def test_cards_say_how_sure_an_event_is() -> None:
    table = weeks_table(1)
    scored = scored_weeks(table, weeks_events(table)[:2])
    strongest = by_strength(scored.events)[0]
    said = sure_words(strongest, 1, 2)
    assert said.startswith(f"{strongest.strength:.1f}\u00d7 threshold, rank 1 of 2, above ")
    assert said in report_html(scored, {}, [])


def test_the_rank_counts_events_that_have_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlae.rendering.report_page.page.MOST_LISTED", 1)
    table = weeks_table(2)
    scored = scored_weeks(table, weeks_events(table))
    scenes = sum(event.kind != CAMERA for event in scored.events)
    assert scenes > 1
    assert f"rank 1 of {scenes}, " in report_html(scored, {}, [])


def test_clips_beyond_the_last_strip_need_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlae.rendering.report_page.keogram.MOST_STRIPS", 2)
    table = weeks_table(3)
    time = FootageTime.of(Table.of(table))
    keogram = Keogram(time)
    assert keogram.left_out == 1
    assert keogram.has_room_at(86_400.0)
    assert not keogram.has_room_at(2.5 * 86_400)


def test_the_budget_is_said_beside_what_came_of_it() -> None:
    table = weeks_table(2)
    scored = scored_weeks(table, weeks_events(table))
    lines = further(
        Table.of(table), scored.events, scored.time, scored.summary, "Finds 1 of 2 events."
    )
    assert lines[0] == "Measured against labels: Finds 1 of 2 events."
    assert any(line.endswith("events a day, the budget is 2 alarms a day.") for line in lines)


def test_doubts_about_the_threshold_are_said() -> None:
    table = weeks_table(1).assign(alarm=False)
    time = FootageTime.of(Table.of(table))
    advised = "these frames score above 93 % of the normal footage"
    summary = {"shortfall": "two alarms ask for more", "above_normal": 7, "drift_advice": advised}
    lines = further(Table.of(table), [], time, summary)
    assert "The threshold is an estimate: two alarms ask for more." in lines
    assert any(line.startswith("7 frames above all known normal footage") for line in lines)
    assert f"Drift: {advised}." in lines
    calm = {"shortfall": "", "above_normal": 0, "drift_advice": None}
    assert len(further(Table.of(table), [], time, calm)) == len(lines) - 3


def test_empty_sections_vanish() -> None:
    table = weeks_table(1).assign(taken_at=pd.NaT, alarm=False)
    html = report_html(scored_weeks(table, []), {}, [])
    assert "calendar-title" not in html
    assert 'id="events-title"' not in html
    assert "The highest score is 1.8\u00d7 threshold: site at " in html
    assert "keogram-title" not in html
    assert "Next event" not in html
