"""Zones files: what is read, what is refused, which pixels a polygon covers."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.footage.zones import Zone, Zones, covered, read_mask, read_zones

SQUARE = "[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "zones.yaml"
    path.write_text(text)
    return path


def test_a_file_holds_ignored_places_and_zones_with_their_alarms(tmp_path: Path) -> None:
    zones = read_zones(
        written(
            tmp_path,
            f"ignore:\n  clock: [[0, 0], [0.3, 0], [0.3, 0.1], [0, 0]]\n"
            f"zones:\n  gate: {{points: {SQUARE}, alarms_per_day: 1}}\n"
            f"  road: {{points: {SQUARE}}}\n",
        )
    )
    assert zones.ignore == {"clock": ((0.3, 0.0), (0.3, 0.1), (0.0, 0.0))}
    assert zones.zones["gate"].budget == Budget(alarms_per_day=1.0)
    assert zones.zones["road"] == Zone(zones.zones["gate"].points)


def test_a_polygon_covers_every_pixel_it_touches() -> None:
    inside = covered(((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)), (8, 8))
    assert inside[2:6, 2:6].all()
    assert inside.sum() <= 36  # at most one more pixel on each side
    assert covered(((0.5, 0.5), (0.501, 0.5), (0.5, 0.501)), (8, 8)).sum() >= 1
    all_of_it = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert not Zones({"all": all_of_it}).watched((5, 7)).any()


def test_coordinates_fit_every_size() -> None:
    points = ((0.1, 0.2), (0.6, 0.3), (0.4, 0.9))
    shares = [covered(points, size).mean() for size in ((100, 150), (400, 600))]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    exact = 0.5 * abs(0.5 * 0.7 - 0.1 * 0.3)  # of the triangle, by its corners
    assert shares[1] == pytest.approx(exact, abs=0.01)


def test_mask_from_a_picture_and_from_polygons_agree(tmp_path: Path) -> None:
    picture = np.full((100, 200), 255, np.uint8)
    picture[:40, 120:] = 0
    cv2.imwrite(str(tmp_path / "m.png"), picture)
    text = "ignore:\n  a: [[0.6, 0], [1, 0], [1, 0.4], [0.6, 0.4]]\n"
    one = read_mask(tmp_path / "m.png", (50, 80))
    other = read_mask(written(tmp_path, text), (50, 80))
    assert one.shape == (50, 80)
    assert (one != other).sum() <= 2 * (20 + 32)  # only the polygon's own border may differ
    assert not one[:19, 50:].any()
    assert not other[:19, 50:].any()
    assert other[22:].all()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.png", None, "must be an existing PNG or YAML"),
        ("m.png", "no picture", "is neither"),
        ("m.yaml", "ignore: {a: [[0, 0], [1, 0], [1, 1], [0, 1]]}", "leave something to watch"),
        ("m.yaml", f"zones: {{a: {{points: {SQUARE}}}}}", "must ignore something"),
    ],
)
def test_bad_masks_are_refused(name: str, content: str | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=words):
        read_mask(tmp_path / name, (32, 32))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "got nothing"),
        ("ignore:\nzones: {}\n", "got nothing"),
        ("ignore: [1, 2", "must be YAML"),
        ("just words", "has no key 'just words'"),
        ("zone:\n  a: 1\n", "has no key 'zone'; did you mean zones"),
        ("zones: [1]\n", "zones must hold named polygons"),
        (f"zones:\n  a: {SQUARE}\n", "a must be written {points:"),
        (f"zones:\n  a: {{points: {SQUARE}, alarm_per_day: 1}}\n", "did you mean alarms_per_day"),
        (f"zones:\n  a: {{points: {SQUARE}, alarms_per_day: -1}}\n", "must be > 0, got -1"),
        (f"zones:\n  a: {{points: {SQUARE}, false_alarm_rate: 2}}\n", r"must be in \(0, 1\)"),
        (f"zones:\n  a: {{points: {SQUARE}, threshold: low}}\n", "must be a number, got 'low'"),
        ("ignore:\n  a: [[0, 0], [1.5, 0], [1, 1]]\n", r"within 0..1 .* got \[1.5, 0\]"),
        ("ignore:\n  a: [[0, .nan], [1, 0], [1, 1]]\n", r"within 0..1 .* got \[0, nan\]"),
        ("ignore:\n  a: [[0, 0], [1, 1]]\n", "3 or more different points, got 2"),
        ("ignore:\n  a: [[0, 0], [1, 1], [0, 0]]\n", "3 or more different points, got 2"),
        ("ignore:\n  a: [0, 1, 2]\n", r"list of \[x, y\] points"),
        ("ignore:\n  a: [[0, 0, 0], [1, 1, 1], [0, 1, 1]]\n", r"list of \[x, y\] points"),
        ("ignore:\n  a: [[0, 0], [1, 1], [1, 0], [0, 1]]\n", "crosses itself .side 1 meets side 3"),
        ("ignore:\n  a: [[0, 0], [0.5, 0.5], [1, 1]]\n", "crosses itself"),
        (f"ignore:\n  a: {SQUARE}\n  a: {SQUARE}\n", "duplicate key a"),
        (f"ignore:\n  a: {SQUARE}\nzones:\n  a: {{points: {SQUARE}}}\n", "both ignored and a zone"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as refused:
        read_zones(written(tmp_path, text))
    assert "\n" not in str(refused.value)


def test_concave_polygons_are_welcome(tmp_path: Path) -> None:
    text = "ignore:\n  a: [[0, 0], [1, 0], [1, 1], [0.9, 0.1], [0, 0.1]]\n"
    assert not read_zones(written(tmp_path, text)).watched((50, 50))[2, 25]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="existing YAML file"):
        read_zones(tmp_path / "none.yaml")
