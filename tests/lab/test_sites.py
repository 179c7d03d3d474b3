"""Drawn sites: stills of days and nights, with planted things that labels tell of."""

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.command_words import reworded
from tlae.cli import main
from tlae.lab.sites.options import SiteOptions, SiteView
from tlae.lab.sites.planted import ThingKind, plan_things
from tlae.lab.sites.render import Renderer
from tlae.lab.sites.sun import light_at, sun_position

FEW = ["days=1", "test_days=1", "every_minutes=240", "things_a_day=8", "size_hw=[96,128]"]
SMALL = SiteOptions(days=1, test_days=2, every_minutes=60, things_a_day=8, size_hw=(96, 128))


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(SMALL)


def test_the_command_writes_stills_masks_and_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "site"
    assert main(["site", f"out={out}", *FEW]) == 0
    assert sorted(path.name for path in (out / "Train").iterdir())[1] == "2024-03-01T04_00_00.jpg"
    assert "6 stills, clean and planted" in capsys.readouterr().out
    things = pd.read_csv(out / "things.csv")
    assert len(things)
    seen = np.zeros(6, bool)
    masks = sorted((out / "Test/planted_gt").glob("*.png"))
    for number, path in enumerate(masks):
        seen[number] = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).any()
    for thing in things.itertuples():
        mask = cv2.imread(str(masks[thing.first_frame]), cv2.IMREAD_GRAYSCALE)
        box = mask[thing.top : thing.top + thing.height, thing.left : thing.left + thing.width]
        assert box.any()
    assert seen[things["first_frame"]].all()
    before = (out / "site.json").stat().st_mtime_ns
    assert main(["site", f"out={out}", *FEW]) == 0  # the same: left alone
    assert (out / "site.json").stat().st_mtime_ns == before
    assert main(["site", f"out={out}", *FEW, "seed=1"]) == 2
    assert "seed 0 instead of 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("view=roof", "view must be carpark"),
        ("size_hw=[96]", "size_hw must be [height,width]"),
        ("every_minutes=7", "must divide a day"),
        ("start=1.3.2024", "start must be a date as in 2024-03-01"),
        ("days=0", "days must be in 1 to 3660, got 0; raise it"),
    ],
)
def test_bad_settings_get_one_line(
    setting: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(reworded(["site", f"out={tmp_path}/site", *FEW], setting)) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_frame_does_not_depend_on_those_before(renderer: Renderer) -> None:
    picture, owners = renderer.still(12)
    renderer.still(3)
    again, _ = Renderer(SMALL).still(12)
    assert np.array_equal(picture, again)
    assert not owners.any()


def test_another_seed_gives_another_day(renderer: Renderer) -> None:
    other = Renderer(SiteOptions(**{**SMALL.as_json(), "size_hw": (96, 128), "seed": 5}))
    assert not np.array_equal(renderer.still(12)[0], other.still(12)[0])


def test_night_is_darker_and_the_lamps_burn(renderer: Renderer) -> None:
    night, noon = renderer.still(1)[0], renderer.still(12)[0]
    assert night.mean() < noon.mean()
    assert night.max() > 240


def test_things_change_only_what_is_near_them(renderer: Renderer) -> None:
    things = plan_things(renderer.site, SMALL)
    assert {thing.kind for thing in things} == set(ThingKind)
    thing = next(one for one in things if one.kind is ThingKind.NEW_OBJECT)
    clean, _ = renderer.still(36)
    planted, owners = renderer.still(36, [thing.change])
    assert set(np.unique(owners)) == {0, thing.number}
    change = np.abs(planted.astype(int) - clean).max(axis=2)
    assert change[owners > 0].mean() > 5 * change[owners == 0].mean()


def test_what_is_missing_is_marked_where_it_stood(renderer: Renderer) -> None:
    thing = next(one for one in plan_things(renderer.site, SMALL) if one.kind is ThingKind.GONE)
    _, owners = renderer.still(36, [thing.change])
    assert (owners == thing.number).any()


def test_the_sun_rises_in_the_east_and_stands_high_in_summer() -> None:
    morning, noon = (sun_position(datetime(2024, 6, 21, hour)) for hour in (7, 12))
    assert 0 < np.degrees(morning[1]) < 180
    assert np.degrees(noon[0]) == pytest.approx(90 - 48 + 23.4, abs=1)
    assert light_at(datetime(2024, 6, 21, 0), 0.0, 0.0).sun.max() == 0


@pytest.mark.parametrize("view", list(SiteView))
def test_every_view_draws(view: SiteView) -> None:
    renderer = Renderer(SiteOptions(view=view, days=1, every_minutes=120, size_hw=(96, 128)))
    picture, _ = renderer.still(6)
    assert picture.shape == (96, 128, 3)
    assert picture.std() > 15
