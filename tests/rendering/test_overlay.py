from datetime import datetime

import numpy as np
import pytest

from tlae.palette import ALARM, AMBER
from tlae.rendering.heatmap import HeatScale
from tlae.rendering.marks import MOST_BOXES, Caption, draw_caption, find_regions
from tlae.rendering.overlay import covers_picture, display_hw, draw_message, draw_overlay
from tlae.rendering.text import Rect, clock_text, fit_text, text_width

SCALE = HeatScale.from_threshold(1.0)
HW = (360, 480)


def picture(value: int = 90) -> np.ndarray:
    return np.full((*HW, 3), value, np.uint8)


def hot_square() -> np.ndarray:
    """Map (36, 48) with a plateau over rows 10..19, columns 20..29, ten times smaller."""
    error = np.zeros((36, 48), np.float32)
    error[10:20, 20:30] = 2.0
    return error


def drawn_with(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (image == colour).all(axis=-1)


@pytest.mark.parametrize(
    ("source_hw", "shown_hw"),
    [
        ((158, 238), (474, 714)),
        ((240, 360), (480, 720)),
        ((360, 640), (360, 640)),
        ((768, 1024), (768, 1024)),
        ((2160, 3840), (1080, 1920)),
        ((100, 1500), (100, 1500)),
    ],
)
def test_small_pictures_grow_by_whole_factors_and_large_ones_shrink(
    source_hw: tuple[int, int], shown_hw: tuple[int, int]
) -> None:
    assert display_hw(source_hw) == shown_hw


def test_regions_of_a_hand_made_map() -> None:
    error = np.zeros((20, 30), np.float32)
    error[2:5, 3:9] = 1.5
    error[10:12, 20:21] = 4.0
    error[15, 15] = 1.0  # not over the threshold
    regions = find_regions(error, 1.0)
    assert [(region.box, region.peak) for region in regions] == [
        (Rect(20, 10, 1, 2), 4.0),
        (Rect(3, 2, 6, 3), 1.5),
    ]


def test_boxes_are_kept_for_the_highest_peaks() -> None:
    error = np.zeros((9, 99), np.float32)
    error[4, ::4] = 2 + np.arange(25)
    peaks = [region.peak for region in find_regions(error, 1.0)]
    assert peaks == [26 - n for n in range(MOST_BOXES)]


def test_the_box_stands_a_little_outside_the_region() -> None:
    shown = draw_overlay(picture(), hot_square(), 1.0, SCALE)
    rows, columns = np.nonzero(drawn_with(shown, AMBER))
    assert 200 - 8 <= columns.min() < 200 <= 299 < columns.max() <= 299 + 8
    assert 199 < rows.max() <= 199 + 8
    assert rows.min() < 100  # the label is above
    assert drawn_with(shown, AMBER)[150, columns.min()]


def test_the_contour_runs_where_the_error_equals_the_threshold() -> None:
    shown = draw_overlay(picture(0), hot_square(), 1.0, SCALE).astype(int)
    row = shown[150].min(axis=-1)  # white alone is high in every channel
    assert abs(int(row[180:220].argmax()) + 180 - 199.5) <= 1  # halfway from 0 to 2
    assert abs(int(row[280:320].argmax()) + 280 - 299.5) <= 1


def test_calm_frames_look_calm() -> None:
    image = np.random.default_rng(0).integers(0, 255, (*HW, 3), np.uint8)
    calm = np.full((36, 48), 0.5, np.float32)
    np.testing.assert_array_equal(draw_overlay(image, calm, 1.0, SCALE), image)


def test_alarm_has_a_red_border_and_a_badge() -> None:
    calm = np.zeros((36, 48), np.float32)
    shown = draw_overlay(picture(), calm, 1.0, SCALE, alarm=True)
    red = drawn_with(shown, ALARM)
    assert red[:, [0, -1]].all()
    assert red[[0, -1]].all()
    assert red[:20, -60:].mean() > 0.4  # badge at the top right
    assert not red[30:-30, 30:-30].any()


@pytest.mark.parametrize("columns", [slice(38, 48), slice(20, 48), slice(0, 48)])
def test_the_badge_leaves_boxes_at_the_top_free(columns: slice) -> None:
    error = np.zeros((36, 48), np.float32)
    error[:6, columns] = 2.0  # less than a third of the picture
    caption = Caption("2026-01-01 10:00:00", "cam1 frame 7")
    with_badge, without = (
        draw_overlay(
            picture(), error, 1.0, SCALE, alarm=alarm, caption=caption, strength=1.5, legend=True
        )
        for alarm in (True, False)
    )
    edge = 4  # where the red border is
    left, right = 10 * columns.start + edge, min(10 * columns.stop, 480) - edge
    box = slice(edge, 62), slice(left, right)
    changed = (with_badge[box] != without[box]).any(axis=-1)
    line = drawn_with(without[box], AMBER)  # amber is red in an alarm
    assert not (changed & ~line).any()
    red = drawn_with(with_badge, ALARM)[edge:-edge, edge:-edge]
    assert red.sum() > 600  # the badge is elsewhere


def test_the_badge_bears_the_one_figure_of_the_frame() -> None:
    plain = draw_overlay(picture(), hot_square(), 1.0, SCALE, alarm=True)
    told = draw_overlay(picture(), hot_square(), 1.0, SCALE, alarm=True, strength=1.5)
    assert drawn_with(told, ALARM)[5, :460].sum() > drawn_with(plain, ALARM)[5, :460].sum() + 10
    above = slice(70, 92), slice(200, 240)  # where a box bears the peak of its map
    assert drawn_with(plain, ALARM)[above].sum() > 200 > drawn_with(told, ALARM)[above].sum()


def test_an_alarm_whose_map_is_below_the_threshold_is_boxed_at_its_peak() -> None:
    shown = draw_overlay(picture(), 0.4 * hot_square(), 1.0, SCALE, alarm=True, strength=1.01)
    rows, columns = np.nonzero(drawn_with(shown, ALARM)[30:-10, 10:-10])
    assert (rows.min() + 30, columns.min() + 10) == (
        pytest.approx(97, abs=4),
        pytest.approx(197, abs=4),
    )


def test_a_third_of_the_picture_is_the_whole_of_it() -> None:
    image = np.random.default_rng(0).integers(60, 120, (*HW, 3), np.uint8)
    dusk = np.zeros((36, 48), np.float32)
    dusk[:18] = 2.0
    assert covers_picture(dusk, 1.0)
    assert not covers_picture(dusk, 3.0)
    shown = draw_overlay(image, dusk, 1.0, SCALE, alarm=True)
    assert not drawn_with(shown, ALARM)[40:-10, 10:-10].any()  # no box
    np.testing.assert_array_equal(shown[60:150, 20:-20], image[60:150, 20:-20])  # no heat
    assert (shown[170:190, 100:200] > 150).any()  # but the contour


def test_the_colour_bar_has_a_tick_at_the_threshold() -> None:
    shown = draw_overlay(picture(), np.zeros((36, 48), np.float32), 1.0, SCALE, legend=True)
    bar = shown[10, 2:110].astype(int)
    white = np.flatnonzero((bar > 230).all(axis=-1))
    hot = np.flatnonzero(bar[:, 0] - bar[:, 2] > 60)
    middle = (hot[0] + hot[-1] - len(white)) / 2  # from 0.6 to 2: a third lies below 1
    assert hot[0] < white[0] < middle


def test_without_a_threshold_there_is_heat_but_no_box() -> None:
    shown = draw_overlay(picture(), hot_square(), float("inf"), SCALE)
    assert not drawn_with(shown, AMBER).any()
    assert (shown[150, 250] != 90).any()


def test_ignored_places_get_neither_heat_nor_box() -> None:
    watched = np.zeros((36, 48), bool)
    watched[:, :10] = True
    shown = draw_overlay(picture(), hot_square(), 1.0, SCALE, watched=watched)
    assert not drawn_with(shown, AMBER).any()
    assert np.ptp(shown.astype(int), axis=-1).max() < 20
    np.testing.assert_array_equal(shown[:, :80], picture()[:, :80])


def test_labels_do_not_cover_the_caption() -> None:
    error = np.zeros((36, 48), np.float32)
    error[:, :6] = 2.0  # from top to bottom at the left
    caption = Caption("2023-06-14 05:36:26", "cam1  #7")
    with_box = draw_overlay(picture(), error, 1.0, SCALE, caption=caption)
    clock = with_box[-30:, 5:170]
    assert not drawn_with(clock, AMBER)[5:-8, 60:].any()


@pytest.mark.parametrize("size_hw", [(360, 480), (360, 130), (90, 1600)])
def test_long_captions_stay_inside(size_hw: tuple[int, int]) -> None:
    caption = Caption("2023-06-14 05:36:26", "a/very/long/name/" * 20)
    calm = np.zeros((4, 4), np.float32)
    image = np.full((*size_hw, 3), 90, np.uint8)
    shown = draw_overlay(image, calm, 1.0, SCALE, caption=caption, size_hw=size_hw)
    assert (shown[:, :2] == 90).all()
    assert (shown[:, -2:] == 90).all()
    assert (shown[-2:] == 90).all()
    assert (shown != 90).any()


def test_the_reason_leaves_boxes_free_where_it_can() -> None:
    caption, edge = Caption("00:01", "clip #1", "it moves at a place"), 100
    calm = draw_caption(picture(), caption)[-1]
    bar = Rect(5, 5, 150, 20)
    moved = draw_caption(picture(), caption, [Rect(10, HW[0] - edge, 90, edge)], [bar])[-1]
    assert calm.top > HW[0] // 2
    assert bar.bottom < moved.top < HW[0] // 3
    everywhere = draw_caption(picture(), caption, [Rect(0, 0, HW[1], HW[0])])[-1]
    assert everywhere == calm


def test_a_message_stands_on_the_darkened_last_picture() -> None:
    shown = draw_message(picture(200), "not readable: truncated", HW, Caption("00:01.0"))
    assert (shown[0, 0] == 70).all()
    assert shown[160:200].max() > 200  # writing in the middle
    assert draw_message(None, "not readable", HW).shape == (*HW, 3)


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "00:00.0"), (59.96, "01:00.0"), (754.5, "12:34.5"), (3723.04, "1:02:03.0")],
)
def test_clip_time(time_s: float, text: str) -> None:
    assert clock_text(time_s) == text


def test_wall_clock_wins() -> None:
    assert clock_text(5, datetime(2023, 6, 14, 5, 36, 26)) == "2023-06-14 05:36:26"


def test_texts_are_shortened_to_fit() -> None:
    assert fit_text("short", 20, 400) == "short"
    fitted = fit_text("a rather long name of a clip", 20, 120)
    assert fitted.endswith("...")
    assert text_width(fitted, 20) <= 120
    assert fit_text("long", 20, 1) == ""


def test_zones_are_outlined_and_named() -> None:
    zone = {"gate": ((0.25, 0.5), (0.75, 0.5), (0.75, 0.9), (0.25, 0.9))}
    image, calm = np.zeros((400, 400, 3), np.uint8), np.zeros((20, 20), np.float32)
    scale = HeatScale(1.0, 2.0)
    plain = draw_overlay(image, calm, 1.0, scale)
    drawn = draw_overlay(image, calm, 1.0, scale, zones=zone)
    blue = drawn[..., 2].astype(int) - plain[..., 2] > 60
    rows, columns = np.nonzero(blue)
    assert (rows.min(), rows.max()) == (pytest.approx(200, abs=2), pytest.approx(359, abs=2))
    assert (columns.min(), columns.max()) == (pytest.approx(100, abs=2), pytest.approx(299, abs=2))
    assert not blue[260:340, 120:280].any()  # an outline, not a veil
    assert blue[203:220, 104:140].any()  # the name
