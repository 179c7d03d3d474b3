"""The deep view: a street in strong perspective."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tlae.errors import UserError
from tlae.lab.scenes import (
    AnomalyKind,
    Depth,
    SceneEvent,
    SceneOptions,
    SceneSummary,
    StreetKind,
    build_backdrop,
    plan_events,
    render_clip,
    write_scene,
)
from tlae.lab.scenes.clip import Backdrop
from tlae.lab.scenes.crowd import SPEED_M_S, stream
from tlae.lab.scenes.drawing import draw_body
from tlae.lab.scenes.figures import random_look
from tlae.lab.scenes.options import Kind
from tlae.lab.scenes.staging import Staging, stage
from tlae.lab.scenes.street import LAWN_X, Street, street_camera
from tlae.lab.scenes.street_events import STREET_ACTS
from tlae.lab.scenes.street_routes import ALONG, Stroller, route, street_ways

SMALL = SceneOptions(
    view="deep",
    size_hw=(64, 96),
    train_clips=1,
    train_frames=12,
    test_clips=4,
    test_frames=24,
    walkers=6.0,
)
EMPTY = replace(SMALL, walkers=0.0, noise_sigma=0.0)
HALF = replace(EMPTY, size_hw=(120, 180))
KINDS = tuple(STREET_ACTS)
STREET = Street(1.0)


@pytest.fixture(scope="module")
def backdrop() -> Backdrop:
    return build_backdrop(HALF)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SceneSummary:
    return write_scene(tmp_path_factory.mktemp("street") / "scene", SMALL)


def staged(kind: Kind, depth: Depth, seed: int, last_frame: int | None = None) -> Staging:
    """One event that begins at frame 100 of 400."""
    event = SceneEvent(kind, 100, last_frame, depth)
    rngs = [np.random.default_rng(seed)]
    return stage(street_camera(HALF.size_hw), [event], 400, 10.0, rngs, STREET_ACTS)


def test_near_people_are_many_times_as_tall_as_far_ones() -> None:
    camera = street_camera((240, 360))
    look = random_look(np.random.default_rng(0))
    heights = {}
    for corners in ALONG:
        person = Stroller(look, route(corners, STREET), 1.3, 0.0)
        for time_s in np.arange(0.0, person.gone_s, 0.3).tolist():
            body = person.body(time_s)
            sprite = draw_body(camera, body)
            if sprite is not None and abs(body.x) < camera.half_width_m(body.z):
                heights[body.z] = np.flatnonzero(sprite.solid().any(axis=1)).size
    tallest, smallest = heights[min(heights)], heights[max(heights)]
    assert 0.4 * 240 < tallest < 0.55 * 240
    assert 10 <= smallest <= 20
    assert 5 <= tallest / smallest <= 8


def test_people_come_and_go_along_and_across_at_normal_paces_and_keep_off_the_grass() -> None:
    ways = street_ways(STREET)
    people = {
        id(person): person
        for crowd in islice(stream(ways, np.random.default_rng(2), 60.0, 1.0, []), 150)
        for person in crowd
    }.values()
    paces = [person.speed_m_s / SPEED_M_S for person in people]
    assert 0.7 <= min(paces) < 0.8
    assert 1.2 < max(paces) <= 1.3
    headings = [np.degrees(p.route.heading(p.route.length_m * 0.6)) % 360 for p in people]
    counts, _ = np.histogram(headings, [0, 45, 135, 225, 315, 360])
    assert min(counts[0] + counts[4], *counts[1:4]) > 0.08 * len(people)
    for person in people:
        x, z = np.array([person.route.at(g) for g in np.arange(0, person.route.length_m, 0.2)]).T
        assert not STREET.on_grass(x, z).any()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_masked_at_every_depth_and_grows_with_nearness(
    kind: Kind, backdrop: Backdrop
) -> None:
    largest = []
    for depth in Depth:
        event = SceneEvent(kind, 4, 17, depth)
        masks = np.stack([m for _, m in render_clip(HALF, 1, 19, [event], backdrop)])
        sizes = masks.sum(axis=(1, 2))
        assert not sizes[:4].any()
        assert not sizes[18:].any()
        assert sizes[4:18].any()
        largest.append(sizes.max())
    near, middle, far = largest
    assert near > 4 * far > 0
    assert middle > 0


@pytest.mark.parametrize("size_hw", [(32, 32), (32, 96), (96, 32)])
def test_any_size_can_be_drawn(size_hw: tuple[int, int]) -> None:
    options = replace(SMALL, size_hw=size_hw)
    events = [SceneEvent(kind, 1, None, depth) for kind in KINDS for depth in Depth]
    *_, (picture, mask) = render_clip(options, 1, 10, events)
    assert picture.shape == (*size_hw, 3)
    assert mask.any()


def test_walls_hide_who_walks_behind_them(backdrop: Backdrop) -> None:
    assert backdrop.walls is not None
    event = SceneEvent(AnomalyKind.BIG_OBJECT, 0, None, Depth.FAR)
    masks = np.stack([m for _, m in render_clip(HALF, 2, 40, [event], backdrop)])
    sizes = masks.sum(axis=(1, 2))
    assert sizes.max() > 40
    assert 0 < sizes[0] < 0.5 * sizes.max()  # only its front looks out from behind the corner
    assert not masks[:, backdrop.walls < 38].any()


def test_a_fast_mover_outruns_every_walker() -> None:
    for seed in range(8):
        for depth in Depth:
            (actor,) = staged(AnomalyKind.FAST_MOVER, depth, seed).actors
            first, second = actor.body(10.3), actor.body(10.4)
            way_m = np.hypot(second.x - first.x, second.z - first.z)
            assert way_m > 1.8 * 0.1 * 1.3 * SPEED_M_S


@pytest.mark.parametrize("depth", Depth)
def test_a_wrong_place_counts_only_on_the_grass(depth: Depth) -> None:
    for seed in range(6):
        actors = staged(StreetKind.WRONG_PLACE, depth, seed).actors
        assert [actor.owner for actor in actors] == [0, 1, 0]
        for actor in actors:
            frames = np.arange(actor.first_frame, actor.last_frame + 1)
            bodies = [actor.body(frame / 10) for frame in frames]
            x, z = (np.array([getattr(body, axis) for body in bodies]) for axis in "xz")
            on_grass = STREET.on_grass(x, z)
            if actor.owner:
                assert actor.first_frame == 100
                assert on_grass[1:-1].all()
                assert len(frames) > 10
            else:  # before and after it may be on grass only out of sight
                seen = STREET.in_sight(street_camera(HALF.size_hw), x, z, 0.0)
                assert not (on_grass & seen)[:-1].any()


def test_who_stops_stands_and_then_walks_on() -> None:
    for last, stands in ((130, 31), (None, None)):
        before, standing, after = staged(StreetKind.STOPPING, Depth.NEAR, 3, last).actors
        assert (before.owner, standing.owner, after.owner) == (0, 1, 0)
        n_frames = standing.last_frame - standing.first_frame + 1
        assert n_frames == stands if stands else 50 <= n_frames <= 91
        places = [
            (body.x, body.z) for body in map(standing.body, (10.0, 11.0, standing.last_frame / 10))
        ]
        np.testing.assert_allclose(places, places[:1] * 3, atol=1e-9)
        left = after.body(after.first_frame / 10 + 1)
        came = before.body(9.0)
        assert abs(left.x - places[0][0]) + abs(left.z - places[0][1]) > 0.7
        assert abs(came.x - places[0][0]) + abs(came.z - places[0][1]) > 0.7


def test_a_suitcase_falls_beside_its_owner() -> None:
    carrier, walker, bag = staged(AnomalyKind.LEFT_BEHIND, Depth.MIDDLE, 1).actors
    assert (carrier.owner, walker.owner, bag.owner) == (0, 0, 1)
    held = carrier.body(9.9)
    assert len(held.shapes) > len(walker.body(10.0).shapes)
    thing = bag.body(10.0)
    assert np.hypot(held.x - thing.x, held.z - thing.z) < 0.6
    assert bag.body(39.0) == thing


def test_kinds_belong_to_views() -> None:
    words = "event kind must be one of fast_mover, .* in this view, got {}; choose another"
    with pytest.raises(UserError, match=words.format("wrong_direction")):
        render_clip(SMALL, 0, 9, [SceneEvent(AnomalyKind.WRONG_DIRECTION, 2)])
    with pytest.raises(UserError, match=words.format("stopping")):
        render_clip(replace(SMALL, view="side"), 0, 9, [SceneEvent(StreetKind.STOPPING, 2)])
    with pytest.raises(UserError, match="view must be side or deep, got below; choose"):
        replace(SMALL, view="below")


def test_ten_clips_show_every_kind_at_every_depth_once() -> None:
    plan = plan_events(replace(SMALL, test_clips=10, test_frames=200))
    shown = [(e.kind, e.depth) for events in plan for e in events]
    wanted = [(kind, depth) for kind in KINDS for depth in Depth]
    assert sorted(map(str, shown)) == sorted(map(str, [*wanted, (AnomalyKind.LIGHT_FLASH, None)]))
    assert all(event.first_frame >= 50 for events in plan for event in events)


@pytest.mark.parametrize("test_clips", [1, 2, 3, 7, 30])
def test_any_number_of_test_clips_shows_every_kind(test_clips: int) -> None:
    plan = plan_events(replace(SMALL, test_clips=test_clips))
    assert len(plan) == test_clips
    assert {event.kind for events in plan for event in events} >= set(KINDS)


def test_scene_on_disk_tells_depths_and_is_known_again(scene: SceneSummary) -> None:
    assert write_scene(scene.folder, SMALL) == scene
    depths = {event.kind: event.depth for event in scene.events}
    assert depths.pop(AnomalyKind.LIGHT_FLASH) is None
    assert set(depths.values()) == set(Depth)
    facts = json.loads((scene.folder / "scene.json").read_text())
    assert facts["options"]["view"] == "deep"
    with pytest.raises(UserError, match="same options, got view deep instead of side"):
        write_scene(scene.folder, replace(SMALL, view="side"))


def test_test_clips_do_not_depend_on_training_clips(scene: SceneSummary, tmp_path: Path) -> None:
    write_scene(tmp_path / "other", replace(SMALL, train_clips=2, train_frames=8))
    ours = [path for path in sorted(scene.folder.rglob("*")) if path.is_file()]
    same = [path for path in ours if "Test" in path.parts or path.name < "009"]
    assert len(same) == 2 * 4 * 24 + 1 + 8
    for path in same:
        other = tmp_path / "other" / path.relative_to(scene.folder)
        assert path.read_bytes() == other.read_bytes()


def test_lawn_is_drawn_green(backdrop: Backdrop) -> None:
    camera = backdrop.camera
    ((column, row),) = camera.project(np.array([[LAWN_X + 1.2, 0.0, 12.0]]))
    red, green, blue = backdrop.picture[int(row), int(column)].tolist()
    assert green > max(red, blue)
