import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.small_footage import raises_at
from tlae.errors import FootageError, UserError
from tlae.evaluation.labels import open_labels
from tlae.footage.sources import open_footage
from tlae.lab.planting import (
    EVENTS,
    CannotPlantError,
    Kind,
    PlantOptions,
    PlantSummary,
    plant_footage,
    writer,
)
from tlae.lab.planting.movement import learn_background, moving_things
from tlae.lab.planting.playback import draw_place, playback, straight_path
from tlae.lab.planting.things import cut_out, enlarged, erase, find_things, follow, paste

SIZE_HW = (64, 96)
BLOCK_HW = (10, 7)
ROWS = (20, 40)  # top of each walking block
OPTIONS = PlantOptions(
    parts=1, train_share=0.5, train_frames=60, clips=8, clip_frames=30, size_hw=None, seed=1
)


def left_of(block: int, number: int) -> int:
    """Column of a block that goes to and fro, one pixel a frame."""
    way = SIZE_HW[1] - 2 * 8 - BLOCK_HW[1]
    at = (number + 37 * block) % (2 * way)
    return 8 + min(at, 2 * way - at)


def street(number: int, *, blocks: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Picture (H, W, 3) and mask (H, W) of bright blocks before a graded ground."""
    ground = np.linspace(60, 110, SIZE_HW[1]).astype(np.uint8)
    image = np.repeat(np.tile(ground, (SIZE_HW[0], 1))[..., None], 3, axis=2)
    mask = np.zeros(SIZE_HW, bool)
    for block in range(blocks):
        left = left_of(block, number)
        box = np.s_[ROWS[block] : ROWS[block] + BLOCK_HW[0], left : left + BLOCK_HW[1]]
        image[box], mask[box] = (220, 180, 200), True
    return image, mask


def write_street(
    root: Path, lengths: tuple[int, ...] = (300,), *, blocks: int = 2, grey: bool = False
) -> Path:
    for clip, length in enumerate(lengths):
        folder = root / f"c{clip}"
        folder.mkdir(parents=True)
        for number in range(length):
            image = street(number, blocks=blocks)[0]
            image = image[..., 0] if grey else image[..., ::-1]
            cv2.imwrite(str(folder / f"{number:03d}.png"), image)
    return root


def read_clip(folder: Path) -> np.ndarray:
    pictures = [cv2.imread(str(p), cv2.IMREAD_UNCHANGED) for p in sorted(folder.glob("*.png"))]
    stack = np.stack(pictures)
    return stack[..., ::-1] if stack.ndim == 4 else stack


def clips_of_kind(summary: PlantSummary, kind: Kind) -> list[dict]:
    return [clip for clip in summary.clips if clip["kind"] == kind]


def event_of(clip: dict) -> slice:
    return slice(clip["first_frame"], clip["last_frame"] + 1)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_street(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module")
def planted(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> PlantSummary:
    out = tmp_path_factory.mktemp("planted") / "out"
    return plant_footage(open_footage(str(footage)), out, OPTIONS)


@pytest.fixture(scope="module")
def pictures(planted: PlantSummary) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Frames (T, H, W, 3) and masks (T, H, W) of each test clip."""
    test = planted.folder / "Test"
    return {
        clip["clip"]: (
            read_clip(test / clip["clip"]),
            read_clip(test / f"{clip['clip']}_gt") == 255,
        )
        for clip in planted.clips
    }


def source_of(clip: dict) -> tuple[np.ndarray, np.ndarray]:
    images, masks = zip(*(street(n) for n in clip["source_frames"]), strict=True)
    return np.stack(images), np.stack(masks)


def test_kinds_take_turns_and_a_quarter_is_normal(planted: PlantSummary) -> None:
    kinds = [clip["kind"] for clip in planted.clips]
    assert kinds == [
        *("fast", "reversed", "pasted", "normal"),
        *("stopped", "big", "fast", "normal"),
    ]
    assert [clip["clip"] for clip in planted.clips][:4] == [
        *("01_fast", "02_reversed", "03_pasted", "04_normal"),
    ]
    assert planted.skipped == {}


def test_training_is_the_end_of_the_first_part_and_test_comes_after_a_gap(
    planted: PlantSummary,
) -> None:
    train = read_clip(planted.folder / "Train/Train001")
    np.testing.assert_array_equal(train, [street(n)[0] for n in range(90, 150)])
    first = min(min(clip["source_frames"]) for clip in planted.clips)
    assert first >= 150 + OPTIONS.gap_frames


def test_labels_say_the_same_as_masks_and_the_plan(
    planted: PlantSummary, pictures: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    lengths = {clip["clip"]: OPTIONS.clip_frames for clip in planted.clips}
    truth = open_labels(str(planted.folder / "Test"), lengths)
    assert truth.notes == ("masks and ranges agree on all 240 frames",)
    for clip, labels in zip(planted.clips, truth.clips, strict=True):
        expected = np.zeros(OPTIONS.clip_frames, bool)
        if clip["kind"] != Kind.NORMAL:
            expected[event_of(clip)] = True
            assert clip["first_frame"] >= OPTIONS.clip_frames / 5
        np.testing.assert_array_equal(labels.anomalous, expected)
        np.testing.assert_array_equal(pictures[clip["clip"]][1].any(axis=(1, 2)), expected)


def test_outside_of_events_frames_are_the_source(
    planted: PlantSummary, pictures: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    for clip in planted.clips:
        images, masks = pictures[clip["clip"]]
        calm = ~masks.any(axis=(1, 2))
        assert calm.sum() >= OPTIONS.clip_frames / 2 - 1
        np.testing.assert_array_equal(images[calm], source_of(clip)[0][calm])


@pytest.mark.parametrize("kind", [Kind.FAST, Kind.REVERSED])
def test_replayed_clips_move_at_their_speed_and_masks_are_what_moves(
    planted: PlantSummary, pictures: dict[str, tuple[np.ndarray, np.ndarray]], kind: Kind
) -> None:
    for clip in clips_of_kind(planted, kind):
        event, expected = event_of(clip), np.ones(OPTIONS.clip_frames - 1)
        expected[event.start - 1 : event.stop - 1] = clip["strength"]
        np.testing.assert_array_equal(np.diff(clip["source_frames"]), expected)
        assert clip["strength"] == -1 if kind is Kind.REVERSED else clip["strength"] in (2, 3, 4)
        images, masks = pictures[clip["clip"]]
        source, moving = source_of(clip)
        np.testing.assert_array_equal(images, source)
        np.testing.assert_array_equal(masks[event], moving[event])


def test_what_is_pasted_keeps_clear_of_where_blocks_walk(
    planted: PlantSummary, pictures: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    for clip in clips_of_kind(planted, Kind.PASTED):
        images, masks = pictures[clip["clip"]]
        source, moving = source_of(clip)
        event = event_of(clip)
        assert not (masks & moving).any()
        assert masks[event].sum(axis=(1, 2)) == pytest.approx(np.prod(BLOCK_HW))
        changed = (images != source).any(axis=-1)
        near = np.stack([cv2.dilate(m.astype(np.uint8), np.ones((9, 9))) for m in masks]) > 0
        assert not (changed & ~near).any()
        assert images[masks].mean() > 180  # as bright as a block, not as the ground


def test_what_stops_stays_and_its_other_self_is_gone(
    planted: PlantSummary, pictures: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    for clip in clips_of_kind(planted, Kind.STOPPED):
        images, masks = pictures[clip["clip"]]
        event = event_of(clip)
        assert event.stop == OPTIONS.clip_frames
        assert (masks[event] == masks[event.start]).all()
        before = source_of(clip)[1][event.start - 1]
        assert (before & masks[event.start]).sum() == np.prod(BLOCK_HW)
        bright = (images.min(axis=-1) > 150).sum(axis=(1, 2))
        assert bright == pytest.approx(2 * np.prod(BLOCK_HW), abs=16)


def test_what_is_big_is_so_many_times_larger_and_moves(
    planted: PlantSummary, pictures: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    for clip in clips_of_kind(planted, Kind.BIG):
        masks = pictures[clip["clip"]][1][event_of(clip)]
        assert 2 <= clip["strength"] <= 3
        area = clip["strength"] ** 2 * np.prod(BLOCK_HW)
        assert masks.sum(axis=(1, 2)) == pytest.approx(area, rel=0.1)
        columns = [np.nonzero(mask)[1].mean() for mask in masks]
        assert abs(columns[-1] - columns[0]) == pytest.approx(len(masks) - 1, abs=1)


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(
    footage: Path, planted: PlantSummary, tmp_path: Path
) -> None:
    again = plant_footage(open_footage(str(footage)), tmp_path / "again", OPTIONS)
    other = plant_footage(open_footage(str(footage)), tmp_path / "other", replace(OPTIONS, seed=2))

    def content(folder: Path) -> dict[str, bytes]:
        files = (p for p in folder.rglob("*") if p.is_file())
        return {str(p.relative_to(folder)): p.read_bytes() for p in files}

    assert content(planted.folder) == content(again.folder)
    assert again.clips != other.clips
    assert plant_footage(open_footage(str(footage)), again.folder, OPTIONS) == again


def test_grey_footage_stays_grey_and_may_be_shrunk(tmp_path: Path) -> None:
    root = write_street(tmp_path / "in", (120,), grey=True)
    options = replace(OPTIONS, clips=1, clip_frames=12, size_hw=(32, 48))
    plant_footage(open_footage(str(root)), tmp_path / "out", options)
    assert read_clip(tmp_path / "out/Train/Train001").shape == (60, 32, 48)


def test_clips_keep_within_source_clips_and_leave_out_bad_files(tmp_path: Path) -> None:
    root = write_street(tmp_path / "in", (40, 40, 40, 40))
    (root / "c3/005.png").write_bytes(b"")
    options = replace(OPTIONS, clip_frames=20, train_frames=None, clips=6)
    summary = plant_footage(open_footage(str(root)), tmp_path / "out", options)
    assert [p.name for p in sorted((tmp_path / "out/Train").iterdir())] == ["Train001", "Train002"]
    for clip in summary.clips:
        assert clip["source_clip"] in ("c2", "c3")
        assert not (clip["source_clip"] == "c3" and 5 in clip["source_frames"])
        steps = np.diff(clip["source_frames"])
        assert np.abs(steps).max() <= 2 * max(1, abs(clip["strength"]))


def test_without_room_for_double_speed_the_other_kinds_take_its_turns(tmp_path: Path) -> None:
    root = write_street(tmp_path / "in", (40, 40, 40, 40))
    options = replace(OPTIONS, clips=3, clip_frames=36)
    summary = plant_footage(open_footage(str(root)), tmp_path / "out", options)
    assert "double speed" in summary.skipped["fast"]
    assert all(clip["kind"] in set(EVENTS) - {Kind.FAST} for clip in summary.clips)


def test_nothing_that_moves_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    root = write_street(tmp_path / "in", (120,), blocks=0)
    with pytest.raises(
        CannotPlantError, match=r"nothing could be planted .*fast: no 4 test frames"
    ):
        plant_footage(
            open_footage(str(root)), tmp_path / "out", replace(OPTIONS, clips=2, clip_frames=12)
        )
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_share": 1.0}, r"train_share must be in \(0, 1\), got 1"),
        ({"train_share": float("nan")}, "train_share must be in"),
        ({"clips": 0}, "clips must be in 1 to 9999, got 0; raise it"),
        ({"clip_frames": 9}, "clip_frames must be in 10 to"),
        ({"train_frames": 0}, "train_frames must be in 1 to"),
        ({"seed": -1}, "seed must be in 0 to"),
        ({"size_hw": (8, 90)}, "size_hw must be in 16 to"),
    ],
)
def test_bad_options_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(OPTIONS, **changes)


def test_footage_must_be_long_and_large_enough(footage: Path, tmp_path: Path) -> None:
    source = open_footage(str(footage))
    with pytest.raises(FootageError, match=r"clip_frames=200 test frames .* got 60 and 84 of 300"):
        plant_footage(source, tmp_path / "out", replace(OPTIONS, clip_frames=200))
    with pytest.raises(UserError, match=r"size_hw must be <= \[64, 96\]"):
        plant_footage(source, tmp_path / "out", replace(OPTIONS, size_hw=(128, 192)))
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_folder_is_left_alone(
    footage: Path, planted: PlantSummary, tmp_path: Path
) -> None:
    source = open_footage(str(footage))
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="out must be new or hold the same planted footage"):
        plant_footage(source, tmp_path, OPTIONS)
    with pytest.raises(UserError, match="same settings, got other options; delete it"):
        plant_footage(source, planted.folder, replace(OPTIONS, clips=9))
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_full_disk_leaves_nothing(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = raises_at(70, OSError(28, "No space left on device"), writer._write_png)
    monkeypatch.setattr(writer, "_write_png", broken)
    with pytest.raises(UserError, match="must be writable, got: No space left"):
        plant_footage(open_footage(str(footage)), tmp_path / "out", OPTIONS)
    assert list(tmp_path.iterdir()) == []


def test_long_footage_is_tested_at_places_over_its_whole_length(tmp_path: Path) -> None:
    root = write_street(tmp_path / "in", (400,))
    options = replace(OPTIONS, clips=3, clip_frames=10, train_share=0.1)
    summary = plant_footage(open_footage(str(root)), tmp_path / "out", options)
    facts = json.loads((tmp_path / "out/planted.json").read_text())
    assert facts["clips"] == summary.clips
    assert not (tmp_path / "out/test.npy").exists()


@given(
    st.integers(10, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))),
    st.integers(0, 12),
    st.sampled_from([-1, 2, 3, 4]),
)
def test_playback_agrees_with_counting(frames: tuple[int, int], length: int, speed: int) -> None:
    clip_frames, first = frames
    expected, at = [0], 0
    for number in range(1, clip_frames):
        at += speed if first <= number < first + length else 1
        expected.append(at)
    assert playback(clip_frames, first, length, speed).tolist() == expected


@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(0, 99))
def test_places_are_within_one_run(lengths: list[int], seed: int) -> None:
    ends = np.cumsum(lengths)
    runs = [(int(end - length), int(end - 1)) for end, length in zip(ends, lengths, strict=True)]
    numbers = np.array([0, 1, 2, 1, 0, -1, -2, -1])
    placed = draw_place(numbers, runs, np.random.default_rng(seed))
    if placed is None:
        assert max(lengths) < 5
    else:
        np.testing.assert_array_equal(np.diff(placed), np.diff(numbers))
        assert any(a <= placed.min() and placed.max() <= b for a, b in runs)


def test_straight_path() -> None:
    path = straight_path(np.array([5.0, 1.0]), (0.5, -1.0), 3)
    np.testing.assert_allclose(path, [[5, 1], [5.5, 0], [6, -1]])


def test_moving_things_are_exact_despite_noise_and_changing_light() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 2, (70, *SIZE_HW, 3))
    frames = [
        np.clip(street(5 * n)[0] + noise[n] + n % 3, 0, 255).astype(np.uint8) for n in range(70)
    ]
    background = learn_background(frames[:64])
    brighter = np.clip(frames[65].astype(int) + 15, 0, 255).astype(np.uint8)
    for image in (frames[65], brighter):
        np.testing.assert_array_equal(moving_things(image, background), street(325)[1])


def test_a_shadow_is_not_a_thing() -> None:
    image = street(0, blocks=0)[0]
    background = learn_background([image])
    shaded = image.copy()
    shaded[20:40, 30:60] = (0.7 * shaded[20:40, 30:60]).astype(np.uint8)
    assert not moving_things(shaded, background).any()


def test_things_that_touch_each_other_or_the_border_are_not_found() -> None:
    mask = np.zeros(SIZE_HW, bool)
    mask[20:30, 20:27] = True
    mask[20:30, 28:35] = True  # too close
    mask[50:64, 50:57] = True  # cut by the border
    mask[5:15, 70:77] = True
    things = find_things(mask)
    assert [int(thing.sum()) for thing in things] == [70]
    assert things[0][5:15, 70:77].all()


def test_follow_ends_where_things_meet() -> None:
    masks = [street(n)[1] for n in range(6)]
    own = find_things(masks[0])[0]
    path = follow(own, masks[1:])
    assert path is not None
    assert all((step & ~mask).sum() == 0 for step, mask in zip(path, masks[1:], strict=True))
    joined = masks[3].copy()
    joined[20:50, 8:40] = True
    assert follow(own, [*masks[1:3], joined]) is None


def test_pasting_brings_neither_old_ground_nor_a_halo() -> None:
    image, mask = street(30, blocks=1)
    background = learn_background([street(0, blocks=0)[0]])
    thing = cut_out(image, mask, background)
    dark = np.full_like(image, 20)
    result, where = paste(dark, thing, (40, 60), 1.0)
    assert where.sum() == mask.sum()
    near = cv2.dilate(where.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    np.testing.assert_allclose(result[~near].astype(int), 20, atol=3)
    large, where = paste(dark, enlarged(thing, 2.0), (20, 40), 1.0)
    assert where.sum() == pytest.approx(4 * mask.sum(), rel=0.02)
    assert 218 <= large[where].max() <= 222
    empty = erase(image, mask, background)
    np.testing.assert_allclose(empty.astype(int), background.image, atol=1)
