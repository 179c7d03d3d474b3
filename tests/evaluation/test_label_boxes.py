import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlae.errors import UserError
from tlae.evaluation.labels.boxes import read_boxes

LENGTHS = {"a": 3, "b": 1}


def image(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": name, "width": 20, "height": 10, **more}


def box(number: int, bbox: list[float], **more: Any) -> dict[str, Any]:
    return {"image_id": number, "bbox": bbox, **more}


def write(folder: Path, images: list[Any], annotations: list[Any]) -> Path:
    path = folder / "boxes.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


IMAGES = [image(7, "a/10.jpg"), image(8, "a/9.jpg"), image(9, "b/1.jpg"), image(6, "a/2.jpg")]


def test_images_are_frames_in_natural_order(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        IMAGES,
        [
            box(7, [1, 2, 3, 4], track_id=5),
            box(7, [4.6, 0.2, 2.1, 1.1], attributes={"track_id": 6}, segmentation=[[1, 2]]),
            box(9, [-2, 8, 5, 5], attributes={"occluded": False}),
        ],
    )
    truths = read_boxes(path, LENGTHS)
    assert truths["a"].anomalous.tolist() == [False, False, True]
    assert truths["a"].size_hw == (10, 20)
    assert truths["a"].regions_of is not None
    assert truths["b"].regions_of is not None
    assert truths["a"].regions_of(0) == []
    first, second = truths["a"].regions_of(2)
    assert (first.box, first.track, first.mask) == ((1, 2, 3, 4), 5, None)
    assert (second.box, second.track) == ((5, 0, 2, 1), 6)
    (cut,) = truths["b"].regions_of(0)
    assert (cut.box, cut.track) == ((0, 8, 3, 2), None)


def test_fields_of_the_image_come_before_its_name(tmp_path: Path) -> None:
    images = [
        image(1, "x.jpg", clip="a", frame=2),
        image(2, "y.jpg", clip="a", frame_id=1),
        image(3, "a\\z.jpg", frame=0),  # written on Windows
        image(4, "b/z.jpg"),
    ]
    truths = read_boxes(write(tmp_path, images, [box(3, [0, 0, 1, 1])]), LENGTHS)
    assert truths["a"].anomalous.tolist() == [True, False, False]


BOXES = st.tuples(st.integers(0, 19), st.integers(0, 9), st.integers(1, 25), st.integers(1, 25))


@settings(max_examples=30, deadline=None)
@given(frames=st.lists(st.lists(BOXES, max_size=3), min_size=1, max_size=4), seed=st.integers(0, 9))
def test_boxes_cover_the_pixels_that_they_name(
    frames: list[list[tuple[int, int, int, int]]],
    seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    images = [image(number, f"deep/a/{number}.png") for number in range(len(frames))]
    boxes = [box(number, list(b)) for number, found in enumerate(frames) for b in found]
    rng = np.random.default_rng(seed)
    rng.shuffle(images)
    rng.shuffle(boxes)
    path = write(tmp_path_factory.mktemp("boxes"), images, boxes)
    truth = read_boxes(path, {"deep/a": len(frames)})["deep/a"]
    for frame, found in enumerate(frames):
        naive = np.zeros((10, 20), bool)
        for (y, x), (left, top, width, height) in (
            (pixel, b) for pixel in np.ndindex(10, 20) for b in found
        ):
            naive[y, x] |= left <= x < left + width and top <= y < top + height
        np.testing.assert_array_equal(truth.mask_of(frame), naive)
        assert truth.anomalous[frame] == bool(found)


@pytest.mark.parametrize(
    ("images", "annotations", "words"),
    [
        (IMAGES[1:], [], "labels of a must be one per frame, .* has 2 .* have 3"),
        (IMAGES[:2], [], "misses b"),
        ([*IMAGES, image(1, "c/1.jpg")], [], "names c"),
        ([*IMAGES, image(7, "a/11.jpg")], [], "two of id 7"),
        ([image(1, "1.jpg")], [], r"file_name like `clip/012\.jpg` .* entry 0 of .* has not"),
        ([{"id": 1, "file_name": "a/1.jpg"}], [], "images must have id, width, height"),
        (["a/1.jpg"], [], "images must have id, width, height"),
        ([image([], "a/1.jpg")], [], "images must have id"),
        (
            [*IMAGES[:3], image(6, "a/2.jpg", width=21)],
            [],
            r"one size, .* \(10, 2[01]\) and \(10, 2[01]\)",
        ),
        ([*IMAGES[:3], image(6, "a/2.jpg", frame=0)], [], "a must be 0 to 2, each once .* has 1"),
        (
            [image(n, "b/1.jpg", clip="a", frame=n) for n in (1, 2, 3)] + [image(9, "b/1.jpg")],
            [],
            r"a must be 0 to 2, each once \(counted from 0\), .* has 3 of them, 1 to 3",
        ),
        (IMAGES, [box(5, [0, 0, 1, 1])], "image_id 5, which no image has"),
        (IMAGES, [{"image_id": 7}], "annotations must have image_id, bbox of four numbers"),
        (IMAGES, [box(7, [0, 0, 1])], "entry 0 of .* has not"),
        (IMAGES, [box(7, [0, 0, 1, float("nan")])], "entry 0 of .* has not"),
        (IMAGES, [box(7, [0, 0, 1, float("inf")])], "entry 0 of .* has not"),
        (IMAGES, [box(7, [0, 0, 1, "1"])], "entry 0 of .* has not"),
        (IMAGES, [box(7, [0, 0, 1, 1], track_id="car")], "track_id, if any, as a whole number"),
        (IMAGES, [box(7, [0, 0, 1, 0])], r"cover pixels of its picture .* is \[0, 0, 1, 0\]"),
        (
            IMAGES,
            [box(7, [20, 0, 5, 5])],
            r"\(width 20, height 10\), entry 0 of .* \[20, 0, 5, 5\]",
        ),
        (IMAGES, [box(7, [0, -5, 5, 5])], "cover pixels of its picture"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(
    images: list[Any], annotations: list[Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=words):
        read_boxes(write(tmp_path, images, annotations), LENGTHS)


@pytest.mark.parametrize(
    "content", [b"[]", b'{"images": []}', b'{"images": {}, "annotations": []}']
)
def test_other_json_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(UserError, match="must hold lists `images` and `annotations`"):
        read_boxes(tmp_path / "x.json", LENGTHS)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xff"])
def test_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(UserError, match="must be valid JSON"):
        read_boxes(tmp_path / "x.json", LENGTHS)
