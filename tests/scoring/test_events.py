"""Events from maps: where, in which zone, what stays, what is declared normal, the camera's own."""

import numpy as np
import pandas as pd
import pytest

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.footage.zones import Zone, Zones
from tlae.scoring.areas import Area, watched_of, whole_area, zone_area, zone_masks
from tlae.scoring.calibrate import Calibration, Modes
from tlae.scoring.coco import coco_of
from tlae.scoring.event_rule import EventRule
from tlae.scoring.events import Event, accept_standing, find_stretches, flat_events
from tlae.scoring.rule import ScoringRule
from tlae.scoring.stored_maps import Mute, StoredMaps
from tlae.table import Table

SIZE_HW = (20, 40)
HOUR_S = 3600.0
LEFT = Zone(((0.0, 0.0), (0.45, 0.0), (0.45, 1.0), (0.0, 1.0)))
RIGHT = Zone(((0.55, 0.0), (1.0, 0.0), (1.0, 1.0), (0.55, 1.0)), Budget(threshold=3.0))
PLAIN = ScoringRule(smooth_frames=0, kernel_px=1)


def maps_of(frames: int, *things: tuple[range, tuple[int, int], float]) -> np.ndarray:
    """Blank maps with things 4 pixels wide: rows of time, top left corner, error."""
    maps = np.full((frames, *SIZE_HW), 0.1, np.float16)
    for rows, (top, left), error in things:
        maps[rows.start : rows.stop, top : top + 4, left : left + 4] = error
    return maps


def table_of(maps: np.ndarray, interval_s: float = HOUR_S, **columns: object) -> pd.DataFrame:
    """Score table of pictures four times the size of the maps."""
    count = len(maps)
    time_s = interval_s * np.arange(count)
    return pd.DataFrame(
        {
            "clip": "cam",
            "frame": np.arange(count),
            "path": [f"{i}.jpg" for i in range(count)],
            "time_s": time_s,
            "taken_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(time_s, unit="s"),
            "state": "ok",
            "raw": maps.max(axis=(1, 2)).astype(float),
            "score": np.nan,
            "threshold": 1.0,
            "source_h": 80,
            "source_w": 160,
            **columns,
        }
    )


def events_of(
    maps: np.ndarray,
    rule: EventRule | None = None,
    table: pd.DataFrame | None = None,
    areas: list[Area] | None = None,
) -> list[Event]:
    table = table_of(maps) if table is None else table
    rule = rule or EventRule(low=1)
    stored = StoredMaps(maps, [np.arange(len(maps))], PLAIN)
    areas = areas or [whole_area(Table.of(table), None, rule)]
    areas = accept_standing(Table.of(table), areas, stored, rule, HOUR_S, 0.0)
    return find_stretches(Table.of(table), areas, stored, rule, HOUR_S, 0.0)


def test_an_event_says_when_and_where_it_was_worst() -> None:
    maps = maps_of(12, (range(3, 6), (8, 20), 2.0), (range(4, 5), (0, 0), 5.0))
    (event,) = events_of(maps)
    assert (event.id, event.kind, event.zone, event.clip) == ("E0001", "scene", None, "cam")
    assert (event.first_frame, event.last_frame, event.peak_frame) == (3, 5, 4)
    assert (event.start_s, event.end_s) == (3 * HOUR_S, 5 * HOUR_S)
    assert event.started_at == "2024-01-01T03:00:00"
    assert (event.peak_raw, event.peak_score, event.threshold) == (5.0, None, 1.0)
    assert event.box == (0, 0, 16, 16)
    assert not event.stays  # the worst place was there for one frame of three


@pytest.mark.parametrize(("moves", "stays"), [(0, True), (6, False)])
def test_what_stays_is_told_from_what_moves(moves: int, stays: bool) -> None:
    things = [(range(i, i + 1), (8, 4 + moves * (i - 2)), 2.0) for i in range(2, 8)]
    (event,) = events_of(maps_of(10, *things))
    assert event.stays == stays


def test_two_frames_cannot_tell_that_something_stays() -> None:
    (event,) = events_of(maps_of(10, (range(2, 4), (8, 8), 2.0)))
    assert not event.stays


def test_a_second_of_video_cannot_either() -> None:
    maps = maps_of(20, (range(2, 12), (8, 8), 2.0))
    table = table_of(maps, interval_s=0.1)
    rule, stored = EventRule(low=1), StoredMaps(maps, [np.arange(20)], PLAIN)
    (event,) = find_stretches(
        Table.of(table), [whole_area(Table.of(table), None, rule)], stored, rule, 0.1, 0.0
    )
    assert (event.first_frame, event.last_frame, event.stays) == (2, 11, False)


def test_what_stays_is_an_anomaly_until_declared_normal() -> None:
    """Left behind at 2 h; something else passes at 20 h; taken away at 30 h, back at 45 h."""
    maps = maps_of(
        50,
        (range(2, 30), (8, 8), 2.0),
        (range(20, 21), (2, 30), 3.0),
        (range(45, 48), (8, 8), 2.0),
    )
    whole = events_of(maps, EventRule(low=1, merge_s=0))
    assert [(e.first_frame, e.last_frame) for e in whole] == [(2, 29), (45, 47)]
    assert all(event.accepted_at is None for event in whole)

    shown = events_of(maps, EventRule(low=1, merge_s=0, accept_after_h=6))
    assert [(e.first_frame, e.last_frame) for e in shown] == [(2, 7), (20, 20), (45, 47)]
    assert [e.accepted_at for e in shown] == ["2024-01-01T08:00:00", None, None]
    assert shown[0].stays
    patient = events_of(maps, EventRule(low=1, merge_s=0, accept_after_h=18))
    assert [(e.first_frame, e.last_frame) for e in patient] == [(2, 20)]  # the second return: muted


def test_a_place_counts_again_only_after_a_calm_as_long_as_its_stay() -> None:
    maps = maps_of(40, (range(0, 10), (8, 8), 2.0), (range(13, 16), (8, 8), 2.0))
    found = events_of(maps, EventRule(low=1, merge_s=0, accept_after_h=5))
    assert [(e.first_frame, e.last_frame) for e in found] == [(0, 4)]


def one_mode(maps: np.ndarray) -> Modes:
    return np.full(len(maps), "", dtype=object)


def zoned(maps: np.ndarray, zones: Zones, rule: EventRule, **asked: float) -> list[Area]:
    stored = StoredMaps(maps, [np.arange(len(maps))], PLAIN)
    watched = watched_of(zones, stored, None)
    everywhere = np.full(SIZE_HW, True) if watched is None else watched
    return [
        zone_area(
            name, zones.zones[name], mask, stored, one_mode(maps), None, Budget(**asked), rule
        )
        for name, mask in zone_masks(zones, SIZE_HW, everywhere).items()
    ]


def test_zones_have_their_own_scores_thresholds_and_events() -> None:
    maps = maps_of(
        12,
        (range(1, 3), (8, 4), 2.0),  # left, over the threshold of the whole
        (range(5, 7), (8, 30), 2.0),  # right, below its own
        (range(9, 10), (8, 32), 4.0),
        (range(9, 10), (8, 2), 2.0),  # both at once
    )
    areas = zoned(maps, Zones({}, {"left": LEFT, "right": RIGHT}), EventRule(low=1), threshold=1.0)
    found = events_of(maps, areas=areas)
    assert [(e.id, e.zone, e.first_frame) for e in found] == [
        ("E0001", "left", 1),
        ("E0002", "left", 9),
        ("E0003", "right", 9),
    ]
    assert found[1].box == (8, 32, 16, 16)
    assert (found[2].box, found[2].threshold) == ((128, 32, 16, 16), 3.0)


def test_ignored_places_count_nowhere() -> None:
    maps = maps_of(6, (range(2, 4), (8, 4), 2.0))
    zones = Zones({"tree": ((0.0, 0.0), (0.4, 0.0), (0.4, 1.0), (0.0, 1.0))}, {"left": LEFT})
    assert events_of(maps, areas=zoned(maps, zones, EventRule(low=1), threshold=1.0)) == []
    with pytest.raises(UserError, match="zone left must cover a watched pixel"):
        zoned(maps, Zones({"all": LEFT.points}, {"left": LEFT}), EventRule(), threshold=1.0)


def test_what_the_kernel_mixes_with_an_ignored_place_is_ignored_too() -> None:
    rule = ScoringRule(kernel_px=5)
    stored = StoredMaps(maps_of(2), [np.arange(2)], rule)
    corner = Zones({"clock": ((0.0, 0.0), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2))})
    watched = watched_of(corner, stored, None)
    assert watched is not None
    by_hand = ~np.isin(np.arange(800).reshape(SIZE_HW), [])
    reach = 2
    ignored = ~corner.watched(SIZE_HW)
    rows, columns = np.nonzero(ignored)
    by_hand[: rows.max() + reach + 1, : columns.max() + reach + 1] = False
    np.testing.assert_array_equal(watched, by_hand)
    by_model = corner.watched(SIZE_HW)  # the model ignored it before smoothing: nothing leaked
    np.testing.assert_array_equal(watched_of(corner, stored, by_model), by_model)


@pytest.mark.parametrize("reduction", ["maximum", "mean"])
@pytest.mark.parametrize("smooth_frames", [0.0, 3.0])
def test_scores_of_a_part_agree_with_a_loop(reduction: str, smooth_frames: float) -> None:
    maps = np.random.default_rng(0).random((300, *SIZE_HW)).astype(np.float16)
    rule = ScoringRule(reduction=reduction, smooth_frames=smooth_frames)
    inside = np.zeros(SIZE_HW, bool)
    inside[3:9, 5:30] = True
    mute = Mute(np.arange(40)[None] < np.full((20, 1), 10), 100, 140)
    runs = [np.arange(0, 150), np.arange(160, 300)]
    raw = StoredMaps(maps, runs, rule).raw(inside, [mute])
    keep = np.exp(-1 / smooth_frames) if smooth_frames else 0.0
    for run in runs:
        before = None
        for row in run:
            part = maps[row].astype(np.float32) * inside
            if 100 <= row < 140:
                part = part * ~mute.place
            now = part.max() if reduction == "maximum" else part.sum() / inside.sum()
            before = now if before is None else keep * before + (1 - keep) * now
            assert raw[row] == pytest.approx(before, rel=1e-5)
    assert np.isnan(raw[150:160]).all()


def test_a_zone_scores_no_higher_than_the_whole() -> None:
    """So a threshold of the whole picture keeps its budget in every zone."""
    maps = np.random.default_rng(1).random((200, *SIZE_HW)).astype(np.float16)
    stored = StoredMaps(maps, [np.arange(200)], ScoringRule(smooth_frames=4))
    inside = np.zeros(SIZE_HW, bool)
    inside[:, :13] = True
    assert (stored.raw(inside) <= stored.raw(None)).all()


def test_a_budget_of_a_zone_is_kept_by_its_own_calibration() -> None:
    maps = np.random.default_rng(2).random((1000, *SIZE_HW)).astype(np.float16)
    maps *= np.random.default_rng(3).random((1000, 1, 1)).astype(np.float16)
    maps[:, :, :20] *= 0.5  # the left is calm
    stored = StoredMaps(maps, [np.arange(1000)], PLAIN)
    inside = zone_masks(Zones({}, {"left": LEFT}), SIZE_HW, np.full(SIZE_HW, True))["left"]
    normal = Calibration(stored.raw(inside), np.zeros(1000, np.int64), 60.0, "now")
    whole = Calibration(stored.raw(None), np.zeros(1000, np.int64), 60.0, "now")
    asked = Budget(false_alarm_rate=0.05)
    own, conservative = (
        zone_area("left", LEFT, inside, stored, one_mode(maps), calibration, asked, EventRule())
        for calibration in (normal, whole)
    )
    assert (own.raw > own.threshold).mean() == pytest.approx(0.05, abs=0.01)
    assert (conservative.raw > conservative.threshold).mean() < 0.01


def test_camera_trouble_is_an_event_of_its_own_and_no_scene_event() -> None:
    maps = maps_of(10, (range(2, 9), (8, 8), 2.0))
    health = ["ok"] * 4 + ["black", "black", "moved", "repeated", "ok", "ok"]
    mode = ["day"] * 5 + ["night"] * 5
    found = events_of(maps, EventRule(low=1, merge_s=0), table_of(maps, health=health, mode=mode))
    assert [(e.kind, e.health, e.first_frame, e.last_frame) for e in found] == [
        ("scene", "ok", 2, 3),
        ("camera", "black", 4, 5),
        ("camera", "moved", 6, 6),
        ("scene", "ok", 7, 8),
    ]
    assert found[1].box == (0, 0, 160, 80)
    assert found[1].threshold is None
    assert [e.mode for e in found] == ["day", "day", "night", "night"]


def test_a_covered_lens_within_an_event_gives_neither_peak_nor_box() -> None:
    maps = maps_of(12, (range(2, 8), (8, 20), 2.0), (range(5, 6), (0, 0), 9.0))
    health = ["ok"] * 5 + ["covered"] + ["ok"] * 6
    found = events_of(maps, EventRule(low=1), table_of(maps, health=health))
    assert [(e.kind, e.first_frame, e.last_frame) for e in found] == [
        ("scene", 2, 7),
        ("camera", 5, 5),
    ]
    assert (found[0].peak_frame, found[0].peak_raw, found[0].box) == (2, 2.0, (80, 32, 16, 16))
    assert (found[1].peak_frame, found[1].peak_raw) == (5, 9.0)


def test_a_scene_alarm_between_two_covers_is_not_the_worst_of_the_camera() -> None:
    maps = maps_of(8, (range(3, 4), (8, 20), 9.0))
    maps[[2, 4]] = 5.0
    table = table_of(maps, health=["ok", "ok", "covered", "ok", "covered", "ok", "ok", "ok"])
    scene, camera = sorted(events_of(maps, EventRule(low=1), table), key=lambda e: e.health != "ok")
    assert (scene.peak_frame, scene.peak_raw) == (3, 9.0)
    assert (camera.first_frame, camera.last_frame) == (2, 4)
    assert (camera.peak_frame, camera.peak_raw) == (2, 5.0)


def test_what_a_covered_lens_shows_does_not_stay() -> None:
    """Something for three frames of the scene; then the lens is covered for the rest."""
    maps = maps_of(40, (range(2, 5), (8, 8), 2.0))
    maps[5:] = 9.0
    table = table_of(maps, health=["ok"] * 5 + ["covered"] * 35)
    rule = EventRule(low=1, merge_s=0, accept_after_h=12)
    stored = StoredMaps(maps, [np.arange(5)], PLAIN)
    (area,) = accept_standing(
        Table.of(table), [whole_area(Table.of(table), None, rule)], stored, rule, HOUR_S, 0.0
    )
    assert area.accepted == ()


def test_three_frames_far_apart_are_long_enough_to_tell_that_something_stays() -> None:
    maps = maps_of(20, (range(2, 5), (8, 8), 2.0))
    table = table_of(maps, interval_s=0.1)
    table.loc[5:, "time_s"] += 5.0  # the camera rested: the third frame lasts until then
    table["taken_at"] = pd.NaT
    rule, stored = EventRule(low=1), StoredMaps(maps, [np.arange(20)], PLAIN)
    (event,) = find_stretches(
        Table.of(table), [whole_area(Table.of(table), None, rule)], stored, rule, 0.1, 0.0
    )
    assert event.stays


def test_one_giant_event_is_told_as_such() -> None:
    maps = maps_of(300)
    (event,) = events_of(maps, EventRule(), table_of(maps, threshold=-1.0))
    assert (event.first_frame, event.last_frame, event.stays) == (0, 299, True)
    assert event.box == (0, 0, 160, 80)


def test_unreadable_frames_neither_alarm_nor_end_what_stays() -> None:
    maps = maps_of(8, (range(1, 7), (8, 8), 2.0))
    maps[3] = 0
    table = table_of(maps)
    table.loc[3, ["state", "raw"]] = ["truncated", np.nan]
    (event,) = events_of(maps, EventRule(low=1), table)
    assert (event.first_frame, event.last_frame, event.stays) == (1, 6, True)


def test_a_mean_over_the_picture_has_a_box_at_half_of_the_peak() -> None:
    maps = maps_of(4, (range(1, 2), (8, 8), 2.0))
    table = table_of(maps, raw=maps.mean(axis=(1, 2)).astype(float), threshold=0.11)
    rule = EventRule(low=1)
    stored = StoredMaps(maps, [np.arange(4)], ScoringRule(reduction="mean", smooth_frames=0))
    (event,) = find_stretches(
        Table.of(table), [whole_area(Table.of(table), None, rule)], stored, rule, HOUR_S, 0.0
    )
    assert event.box == (32, 32, 16, 16)


def test_tables_and_coco_hold_every_event() -> None:
    maps = maps_of(12, (range(2, 4), (8, 8), 2.0), (range(8, 9), (0, 0), 3.0))
    table = table_of(maps)
    found = events_of(maps)
    flat = flat_events(found)
    assert list(flat["id"]) == ["E0001", "E0002"]
    assert [flat[f"box_{side}"][0] for side in ("left", "top", "width", "height")] == [
        32,
        32,
        16,
        16,
    ]
    assert list(flat_events([])) == list(flat)
    coco = coco_of(found, Table.of(table))
    assert [image["file_name"] for image in coco["images"]] == ["2.jpg", "8.jpg"]
    assert [note["bbox"] for note in coco["annotations"]] == [[32, 32, 16, 16], [0, 0, 16, 16]]
    assert {note["image_id"] for note in coco["annotations"]} == {1, 2}
