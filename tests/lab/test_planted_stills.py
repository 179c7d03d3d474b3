"""Time-lapse with planted objects: what is planted, where, and that masks and grades are right."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tlae.errors import UserError
from tlae.evaluation.labels import open_labels
from tlae.footage.images import decode_image
from tlae.footage.sources import open_footage
from tlae.lab.nuisances import KINDS
from tlae.lab.planting.stills import FAMILIES, StillOptions, plant_stills
from tlae.lab.planting.stills.figures import draw_figure
from tlae.lab.planting.stills.placing import Place, find_place, luminance, put_figure
from tlae.lab.planting.stills.rounds import plant_round

SMALL = StillOptions(
    split=(2, 1, 1), rounds=2, sizes=(0.1, 0.2), contrasts=(0.25, 0.5), height_px=64
)


def write_days(folder: Path, days: int = 4, per_day: int = 8) -> Path:
    """Stills of some days with their times in the names, a little grain in each."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(days * per_day):
        taken_at = datetime(2026, 3, 1) + timedelta(days=number / per_day)
        grain = rng.integers(0, 6, (96, 128, 3))
        picture = (np.linspace(90, 130, 128)[:, None] + grain).astype(np.uint8)
        cv2.imwrite(str(folder / f"{taken_at:%Y-%m-%dT%H_%M_%S}.png"), picture)
    return folder


def grey(level: int = 100, count: int = 1) -> list[np.ndarray]:
    return [np.full((96, 128, 3), level, np.uint8) for _ in range(count)]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("contrast", [-0.5, 0.1, 0.25])
def test_an_object_has_its_height_and_its_contrast(family: str, contrast: float) -> None:
    rng = np.random.default_rng(1)
    texture = rng.integers(0, 255, (96, 128, 3)).astype(np.uint8)
    figure = draw_figure(family, 24, texture, rng)
    (image,) = grey()
    picture, mask = put_figure(image, figure, Place(30, 40, contrast, 0.5))
    rows = np.flatnonzero(mask.any(axis=1))
    assert rows[-1] - rows[0] + 1 == pytest.approx(24, abs=1)
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    assert luminance(picture)[mask > 0].mean() == pytest.approx(
        100 * (1 + contrast), abs=6
    )  # soft edges
    sign = np.sign(contrast)
    assert (sign * (luminance(picture)[inside] - 100) > 0).all()  # no part of it vanishes
    outside = cv2.dilate(mask, np.ones((3, 3), np.uint8)) == 0
    assert luminance(picture)[outside].min() >= 100 * (1 - 0.6 * abs(contrast)) - 1  # shadow


def test_no_place_in_the_dark_in_the_glare_or_across_an_edge() -> None:
    rng = np.random.default_rng(0)
    figure = draw_figure("box", 12, grey()[0], rng)
    assert find_place(grey(20), figure, 0.5, rng) is None
    assert find_place(grey(252), figure, 0.5, rng) is None
    stripes = np.tile(np.array([[[10] * 3, [190] * 3]], np.uint8), (96, 64, 1))
    assert find_place([stripes], figure, 0.5, rng) is None
    assert find_place([*grey(100), *grey(20)], figure, 0.5, rng) is None  # not in every frame
    assert find_place(grey(100, 2), figure, 0.5, rng) is not None


def test_a_bright_place_gets_a_darker_object() -> None:
    rng = np.random.default_rng(0)
    figure = draw_figure("bag", 12, grey()[0], rng)
    places = [find_place(grey(190), figure, 0.5, rng) for _ in range(20)]
    assert all(place is not None and place.contrast == -0.5 for place in places)


def test_a_round_plants_what_it_tells_and_nothing_else() -> None:
    frames = np.stack(grey(count=30))
    planted = plant_round(frames, SMALL, 1)
    records = planted.records()
    seen = np.zeros(len(frames), int)
    for frame, picture, mask in planted.pictures(frames):
        changed = (picture != frames[frame]).any()
        assert changed == mask.any()
        for record in records:
            if record["first_frame"] <= frame <= record["last_frame"]:
                seen[frame] += 1
                rows, columns = np.nonzero(mask)
                assert (columns.min(), rows.min()) == (record["left"], record["top"])
                assert columns.max() - columns.min() + 1 == record["width"]
    assert seen.max() == 1
    assert {record["size"] for record in records} == {0.1, 0.2}
    assert {r["last_frame"] - r["first_frame"] + 1 for r in records} == {1, 3}
    assert records != plant_round(frames, SMALL, 2).records()
    assert records == plant_round(frames, SMALL, 1).records()


def test_a_folder_holds_all_parts_and_labels_that_can_be_read(tmp_path: Path) -> None:
    footage = open_footage(str(write_days(tmp_path / "site")))
    out = tmp_path / "out"
    stills = plant_stills(footage, out, SMALL)
    assert stills.frames == {"train": 16, "calibrate": 8, "test": 8}
    assert stills.days["test"] == ["2026-03-04"]
    clips = ["calibration", "clean", *KINDS, "planted-1", "planted-2"]
    written = open_footage(str(out / "Test"))
    assert [clip.name for clip in written.clips] == sorted(clips)
    assert next(iter(written.clips[0].frames())).taken_at == datetime(2026, 3, 3)
    lengths = {clip.name: clip.length or 0 for clip in written.clips}
    truth = open_labels(str(out / "Test"), lengths)
    assert {c.clip for c in truth.clips if c.anomalous.any()} == {"planted-1", "planted-2"}
    objects = pd.read_csv(out / "planted.csv")
    assert len(objects) == stills.objects > 0
    assert plant_stills(footage, out, SMALL) == stills  # found, not made again
    again = tmp_path / "again"
    plant_stills(footage, again, SMALL)
    for file in sorted(out.rglob("*.*")):
        assert file.read_bytes() == (again / file.relative_to(out)).read_bytes()


def test_planted_pictures_differ_from_the_clean_ones_only_around_the_object(tmp_path: Path) -> None:
    stills = plant_stills(open_footage(str(write_days(tmp_path / "site"))), tmp_path / "out", SMALL)
    test = stills.folder / "Test"
    for mask_file in sorted((test / "planted-1_gt").iterdir()):
        name = mask_file.with_suffix(".jpg").name
        planted, clean = (
            decode_image((test / clip / name).read_bytes())[0].astype(int)
            for clip in ("planted-1", "clean")
        )
        mask = cv2.imread(str(mask_file), cv2.IMREAD_GRAYSCALE) > 0
        difference = np.abs(planted - clean).mean(axis=-1)
        if mask.any():
            assert difference[mask].mean() > 5 * max(difference[~mask].mean(), 0.2)
        else:
            assert not difference.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (replace(SMALL, split=(8, 1, 3)), r"needs 12 days of footage, got 4; add"),
        (replace(SMALL, height_px=768), r"height_px must be <= 96 .*got 768"),
    ],
)
def test_too_little_footage_is_refused(tmp_path: Path, options: StillOptions, message: str) -> None:
    with pytest.raises(UserError, match=message):
        plant_stills(open_footage(str(write_days(tmp_path / "site"))), tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_footage_without_times_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), grey()[0])
    with pytest.raises(UserError, match=r"needs stills with the date and time .*time_pattern"):
        plant_stills(open_footage(str(folder)), tmp_path / "out", SMALL)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": (8, 1)}, r"stills\.split must be three numbers > 0"),
        ({"sizes": (2.0,)}, r"stills\.sizes must be in 0\.005 to 0\.5, got 2"),
        ({"contrasts": ()}, r"stills\.contrasts must be in .*, got none"),
        ({"sizes": (0.015,), "height_px": 64}, r"sizes must be >= 3 px .*0\.015 \(1\.0 px\)"),
        ({"rounds": 0}, r"stills\.rounds must be in 1 to 100, got 0"),
    ],
)
def test_options_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        StillOptions(**settings)  # type: ignore[arg-type]


def test_days_may_be_given_as_shares() -> None:
    assert StillOptions(split=(0.67, 0.08, 0.25)).days_of(12) == (8, 1, 3)
    assert StillOptions(split=(8, 1, 3)).days_of(20) == (8, 1, 3)
