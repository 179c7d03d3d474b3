import json
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from tlae.errors import UserError
from tlae.lab.scenes import (
    AnomalyKind,
    SceneEvent,
    SceneOptions,
    SceneSummary,
    build_backdrop,
    plan_events,
    render_clip,
    write_scene,
    writer,
)
from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.scenes.clip import Backdrop
from tlae.lab.scenes.crowd import crowd

SMALL = SceneOptions(
    size_hw=(64, 96), train_clips=1, train_frames=8, test_clips=6, test_frames=40, walkers=6.0
)
EMPTY = replace(SMALL, walkers=0.0, noise_sigma=0.0)
OBJECTS = [kind for kind in AnomalyKind if kind is not AnomalyKind.LIGHT_FLASH]


@pytest.fixture(scope="module")
def backdrop() -> Backdrop:
    return build_backdrop(SMALL)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SceneSummary:
    return write_scene(tmp_path_factory.mktemp("synthetic") / "scene", SMALL)


def rendered(
    options: SceneOptions, backdrop: Backdrop, n_frames: int, *events: SceneEvent, seed: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (T, H, W, 3) and masks (T, H, W)."""
    pictures, masks = zip(*render_clip(options, seed, n_frames, events, backdrop), strict=True)
    return np.stack(pictures), np.stack(masks)


def centre_x(mask: np.ndarray) -> float:
    return float(np.nonzero(mask)[1].mean())


def inside(mask: np.ndarray) -> bool:
    """Whether the object is seen and not cut by the sides of the picture."""
    return bool(mask.any() and not mask[:, [0, -1]].any())


def test_frames_are_rgb_bytes_with_boolean_masks(backdrop: Backdrop) -> None:
    pictures, masks = rendered(SMALL, backdrop, 3)
    assert (pictures.shape, pictures.dtype) == ((3, 64, 96, 3), np.uint8)
    assert (masks.shape, masks.dtype) == ((3, 64, 96), np.bool_)
    assert pictures.std() > 20  # something to see


def test_same_seed_same_pictures_other_seed_others(backdrop: Backdrop) -> None:
    event = SceneEvent(AnomalyKind.BIG_OBJECT, 2)
    first = rendered(SMALL, backdrop, 6, event)
    again = rendered(SMALL, build_backdrop(SMALL), 6, event)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != rendered(SMALL, backdrop, 6, event, seed=6)[0]).any()


@pytest.mark.parametrize("size_hw", [(32, 32), (32, 96), (96, 32)])
@pytest.mark.parametrize("kind", OBJECTS)
def test_every_kind_is_seen_at_any_size(size_hw: tuple[int, int], kind: AnomalyKind) -> None:
    options = replace(EMPTY, size_hw=size_hw)
    masks = [mask.any() for _, mask in render_clip(options, 1, 24, [SceneEvent(kind, 4)])]
    assert not any(masks[:4])
    assert any(masks[4:])


@pytest.mark.parametrize("kind", OBJECTS)
def test_masks_lie_within_the_event(kind: AnomalyKind, backdrop: Backdrop) -> None:
    _, masks = rendered(EMPTY, backdrop, 30, SceneEvent(kind, 6, 17))
    seen = masks.any(axis=(1, 2))
    assert not seen[:6].any()
    assert not seen[18:].any()
    assert seen[6:18].any()
    if kind in (AnomalyKind.LEFT_BEHIND, AnomalyKind.APPEARING_OBJECT):
        assert seen[6:18].all()


@pytest.mark.parametrize("kind", [k for k in OBJECTS if k is not AnomalyKind.LEFT_BEHIND])
def test_nothing_else_changes_the_picture(kind: AnomalyKind, backdrop: Backdrop) -> None:
    pictures, masks = rendered(EMPTY, backdrop, 30, SceneEvent(kind, 6, 17))
    calm, _ = rendered(EMPTY, backdrop, 30)
    changed = (pictures != calm).any(axis=-1)
    assert not changed[:6].any()
    assert not changed[18:].any()
    assert changed[masks].mean() > 0.95
    hidden = changed.any(axis=(1, 2)) & ~masks.any(axis=(1, 2))
    assert changed[hidden].sum(axis=(1, 2)).max(initial=0) < 120  # its shadow runs ahead


@pytest.mark.parametrize("kind", [AnomalyKind.FAST_MOVER, AnomalyKind.BIG_OBJECT])
def test_a_mover_enters_at_its_first_frame_and_leaves(
    kind: AnomalyKind, backdrop: Backdrop
) -> None:
    for seed in range(8):
        _, masks = rendered(EMPTY, backdrop, 120, SceneEvent(kind, 6), seed=seed)
        seen = np.flatnonzero(masks.any(axis=(1, 2)))
        assert seen[-1] < 119
        rightwards = centre_x(masks[seen[0]]) < 48
        if not rightwards:  # on the left the tree hides it at first
            assert seen[0] == 6
            assert masks[6, :, -4:].any()


def test_mask_is_where_the_picture_changes(backdrop: Backdrop) -> None:
    event = SceneEvent(AnomalyKind.APPEARING_OBJECT, 0)
    with_crate, masks = rendered(EMPTY, backdrop, 1, event)
    without, _ = rendered(EMPTY, backdrop, 1)
    changed = (with_crate != without).any(axis=-1)[0]
    assert changed[masks[0]].mean() > 0.95
    rows, columns = np.nonzero(masks[0])
    assert not changed[: rows.min() - 2].any()
    assert not changed[:, : columns.min() - 2].any()  # its shadow falls to the right


def test_mask_leaves_out_what_people_hide(backdrop: Backdrop) -> None:
    busy = replace(EMPTY, walkers=25.0)
    event = SceneEvent(AnomalyKind.LEFT_BEHIND, 10)
    _, alone = rendered(EMPTY, backdrop, 80, event)
    _, among_people = rendered(busy, backdrop, 80, event)
    assert not (among_people & ~alone).any()
    sizes = among_people[10:].sum(axis=(1, 2))
    assert sizes.min() < sizes.max() == alone[10].sum()


def test_light_flash_is_bright_and_normal(backdrop: Backdrop) -> None:
    pictures, masks = rendered(SMALL, backdrop, 20, SceneEvent(AnomalyKind.LIGHT_FLASH, 8))
    calm, _ = rendered(SMALL, backdrop, 20)
    assert not masks.any()
    ratio = pictures.mean(axis=(1, 2, 3)) / calm.mean(axis=(1, 2, 3))
    assert (ratio[8:13] > 1.15).all()
    np.testing.assert_array_equal(np.delete(ratio, range(8, 13)), 1)


def test_fast_mover_outruns_every_walker(backdrop: Backdrop) -> None:
    _, masks = rendered(EMPTY, backdrop, 60, SceneEvent(AnomalyKind.FAST_MOVER, 0))
    centres = [centre_x(mask) for mask in masks if inside(mask)]
    cyclist_px = np.median(np.abs(np.diff(centres)))
    camera, fps = SceneCamera(SMALL.size_hw), SMALL.fps
    walkers = crowd(camera, np.random.default_rng(0), 30.0, fps, [])
    fastest_px = 0.0
    for frame, people in enumerate(islice(walkers, 0, 300, 10)):
        for person in people:
            way = np.array([person.position((10 * frame + step) / fps) for step in (0, 1)])
            places = camera.project(np.stack([way[:, 0], np.zeros(2), way[:, 1]], axis=1))
            if 0 < places[0, 0] < 96 and places[0, 1] < 64:
                fastest_px = max(fastest_px, float(np.hypot(*(places[1] - places[0]))))
    assert fastest_px > 0
    assert cyclist_px > 1.3 * fastest_px


def test_left_behind_stays_where_it_is(backdrop: Backdrop) -> None:
    _, masks = rendered(EMPTY, backdrop, 40, SceneEvent(AnomalyKind.LEFT_BEHIND, 10))
    assert masks[10].any()
    assert (masks[10:] == masks[10]).all()


def test_only_the_anomaly_goes_left_in_the_one_way_lanes(backdrop: Backdrop) -> None:
    _, masks = rendered(EMPTY, backdrop, 100, SceneEvent(AnomalyKind.WRONG_DIRECTION, 0))
    centres = [centre_x(mask) for mask in masks if inside(mask)]
    assert centres[0] - centres[-1] > 30
    for people in islice(
        crowd(SceneCamera((64, 96)), np.random.default_rng(1), 30.0, 10.0, []), 200
    ):
        for person in people:
            if person.start[1] < 18 and person.start[1] > 12:
                assert person.heading == 0


def test_crowd_has_the_asked_size_and_changes() -> None:
    walkers = crowd(SceneCamera((64, 96)), np.random.default_rng(3), 10.0, 2.0, [])
    counts = [len(people) for people in islice(walkers, 2000)]
    assert 8 < np.mean(counts) < 12
    assert min(counts) < 6 < 14 < max(counts)


def test_default_scene_has_every_kind_and_a_clip_with_only_a_flash() -> None:
    plan = plan_events(SceneOptions())
    assert {event.kind for events in plan for event in events} == set(AnomalyKind)
    assert [e.kind for e in plan[2]] == [AnomalyKind.LIGHT_FLASH]
    assert all(event.first_frame >= 50 for events in plan for event in events)


@pytest.mark.parametrize("test_clips", [1, 2, 3, 5, 20])
def test_any_number_of_test_clips_shows_every_anomaly(test_clips: int) -> None:
    plan = plan_events(replace(SMALL, test_clips=test_clips))
    assert len(plan) == test_clips
    assert {event.kind for events in plan for event in events} >= set(OBJECTS)


def test_layout_is_that_of_ucsd(scene: SceneSummary) -> None:
    folder = scene.folder
    assert sorted(p.name for p in folder.iterdir()) == ["Test", "Train", "scene.json"]
    assert [p.name for p in sorted((folder / "Train").rglob("*.jpg"))][::7] == [
        "001.jpg",
        "008.jpg",
    ]
    for clip in range(1, 7):
        pictures = sorted((folder / "Test" / f"Test{clip:03d}").iterdir())
        masks = sorted((folder / "Test" / f"Test{clip:03d}_gt").iterdir())
        assert [p.name for p in pictures] == [f"{n:03d}.jpg" for n in range(1, 41)]
        assert [p.name for p in masks] == [f"{n:03d}.png" for n in range(1, 41)]
    assert cv2.imread(str(folder / "Test/Test001/001.jpg")).shape == (64, 96, 3)
    assert not list(folder.parent.glob(".*"))


def test_labels_and_events_on_disk_match_the_masks(scene: SceneSummary) -> None:
    text = (scene.folder / "Test" / "labels.m").read_text()
    lines = re.findall(r"gt_frame = \[(.*)\];", text)
    anomalous = 0
    for clip, line in enumerate(lines, 1):
        labelled = {
            frame
            for start, end in re.findall(r"(\d+):(\d+)", line)
            for frame in range(int(start), int(end) + 1)
        }
        files = sorted((scene.folder / "Test" / f"Test{clip:03d}_gt").iterdir())
        masks = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files]
        assert set(np.unique(masks)) <= {0, 255}
        masked = {frame for frame, mask in enumerate(masks, 1) if mask.any()}
        assert labelled == masked
        assert len(masked) < 40  # a normal stretch in every clip
        shown = [e for e in scene.events if e.clip == f"Test{clip:03d}"]
        if shown[0].kind is AnomalyKind.LIGHT_FLASH:
            assert not masked
        else:
            assert (min(masked) - 1, max(masked) - 1) == (shown[0].first_frame, shown[0].last_frame)
        anomalous += len(masked)
    assert len(lines) == 6
    assert anomalous == scene.anomalous_frames
    assert {event.kind for event in scene.events} == set(AnomalyKind)


def test_train_clips_carry_no_anomaly(scene: SceneSummary, backdrop: Backdrop) -> None:
    assert all(event.clip.startswith("Test") for event in scene.events)
    pictures, masks = rendered(SMALL, backdrop, SMALL.train_frames, seed=0)
    assert not masks.any()
    for number, picture in enumerate(pictures, 1):
        stored = cv2.imread(str(scene.folder / f"Train/Train001/{number:03d}.jpg"))[..., ::-1]
        assert np.abs(stored.astype(int) - picture).mean() < 4  # only what JPEG loses


def test_same_options_write_the_same_bytes(scene: SceneSummary, tmp_path: Path) -> None:
    write_scene(tmp_path / "again", SMALL)
    ours = [p for p in sorted(scene.folder.rglob("*")) if p.is_file()]
    assert len(ours) == 8 + 2 * 240 + 2
    for path in ours:
        other = tmp_path / "again" / path.relative_to(scene.folder)
        assert path.read_bytes() == other.read_bytes()


def test_an_existing_scene_is_reused(scene: SceneSummary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "build_backdrop", None)  # drawing would fail
    assert write_scene(scene.folder, SMALL) == scene


def test_other_options_are_refused(scene: SceneSummary) -> None:
    words = r"scene .* same options, got walkers 6.0 instead of 2.0; delete it"
    with pytest.raises(UserError, match=words):
        write_scene(scene.folder, replace(SMALL, walkers=2.0))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 1, "options": 3}'])
def test_a_folder_with_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "scene.json").write_text(content)
    with pytest.raises(UserError, match="must be new or hold a scene"):
        write_scene(tmp_path, SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["scene.json"]


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_broken_run_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(writer, "_write_test_clip", fail)
    with pytest.raises((UserError, KeyboardInterrupt), match=r"No space left|^$"):
        write_scene(tmp_path / "scene", SMALL)
    assert not list(tmp_path.iterdir())


def test_labels_have_one_based_inclusive_ranges() -> None:
    labels = [np.array([0, 1, 1, 0, 1], bool), np.zeros(4, bool)]
    assert writer.labels_text(labels) == (
        "TestVideoFile = {};\n"
        "TestVideoFile{end+1}.gt_frame = [2:3, 5:5];\n"
        "TestVideoFile{end+1}.gt_frame = [];\n"
    )


def test_options_survive_json() -> None:
    assert json.loads(json.dumps(SMALL.as_json())) == SMALL.as_json()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size_hw": (31, 96)}, r"size_hw must be even and >= 32, got \(31, 96\); use"),
        ({"test_frames": 3}, "test_frames must be in 8 to 99999, got 3; raise it"),
        ({"noise_sigma": 99.0}, "noise_sigma must be in 0 to 50, got 99.0; lower it"),
    ],
)
def test_bad_options_are_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        replace(SMALL, **change)


@pytest.mark.parametrize("event", [(-1, None), (10, 4), (3, 20), (20, None)])
def test_events_outside_the_clip_are_refused(
    event: tuple[int, int | None], backdrop: Backdrop
) -> None:
    with pytest.raises(UserError, match="event fast_mover must lie in frames 0 to 19"):
        render_clip(SMALL, 0, 20, [SceneEvent(AnomalyKind.FAST_MOVER, *event)], backdrop)
