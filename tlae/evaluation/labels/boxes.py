"""Boxes in a COCO-style JSON file, with tracks where it has them."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from tlae.errors import UserError
from tlae.evaluation.ground_truth import Box, ClipTruth, TruthRegion
from tlae.evaluation.labels.fit import Truths, check_clips, check_count
from tlae.footage.sources.listing import natural_key

# What an entry raises that lacks a field, or holds a value of another kind.
BAD_ENTRY = (KeyError, TypeError, ValueError, OverflowError, AttributeError)


@dataclass(frozen=True)
class _Picture:
    """One entry of ``images``; ``frame`` is None where only the file's name orders."""

    clip: str
    name: str
    frame: int | None
    size_hw: tuple[int, int]
    regions: list[TruthRegion] = field(default_factory=list)


def read_boxes(path: Path, lengths: Mapping[str, int]) -> Truths:
    """Read boxes; every annotation is an anomaly, whatever its category.

    An image is frame ``frame`` (or ``frame_id``), counted from 0, of ``clip``. Without ``clip``,
    the folder in its ``file_name`` is the clip (``Test001/012.jpg``); without a frame number, the
    k-th image of a clip in natural order of ``file_name`` is its k-th frame. An image without
    annotations is normal. ``track_id`` stands in the annotation or in its ``attributes``;
    segmentations are left out.

    Args:
        path: JSON with ``images`` (id, file_name, width, height) and ``annotations`` (image_id,
            bbox as [x, y, width, height] in pixels).
        lengths: frames of each clip that has scores.

    Raises:
        UserError: other clips or frames than the scores have, images of two sizes in a clip, a box
            outside its picture, an entry without a needed field, or no such JSON.
    """
    images, annotations = _load(path)
    pictures = _pictures(images, path)
    _add_regions(pictures, annotations, path)
    clips: dict[str, list[_Picture]] = defaultdict(list)
    for picture in pictures.values():
        clips[picture.clip].append(picture)
    check_clips(clips, lengths, path)
    for clip, found in clips.items():
        check_count(clip, len(found), lengths[clip], path)
    return {clip: _truth(clip, _in_order(found, path), path) for clip, found in clips.items()}


def _load(path: Path) -> tuple[list[Any], list[Any]]:
    """The lists of images and of annotations."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"labels must be valid JSON, {path} is not: {error}") from error
    found = content if isinstance(content, dict) else {}
    images, annotations = found.get("images"), found.get("annotations")
    if not isinstance(images, list) or not isinstance(annotations, list):
        raise UserError(f"JSON labels must hold lists `images` and `annotations`, {path} does not")
    return images, annotations


def _pictures(images: list[Any], path: Path) -> dict[Any, _Picture]:
    """Images by id."""
    pictures: dict[Any, _Picture] = {}
    for number, image in enumerate(images):
        try:
            key, picture = image["id"], _picture(image)
            repeated = key in pictures
        except BAD_ENTRY as error:
            raise UserError(
                f"images must have id, width, height and a file_name like `clip/012.jpg` (or a "
                f"field clip), entry {number} of {path} has not"
            ) from error
        if repeated:
            raise UserError(f"images must differ in id, {path} has two of id {key}")
        pictures[key] = picture
    return pictures


def _picture(image: dict[str, Any]) -> _Picture:
    name = PurePosixPath(image["file_name"].replace("\\", "/"))
    clip = str(image.get("clip", name.parent))
    frame = image.get("frame", image.get("frame_id"))
    if clip == ".":  # a name without folder
        raise ValueError(clip)
    return _Picture(
        clip=clip,
        name=name.name,
        frame=None if frame is None else int(frame),
        size_hw=(int(image["height"]), int(image["width"])),
    )


def _add_regions(pictures: dict[Any, _Picture], annotations: list[Any], path: Path) -> None:
    """Give each picture the regions of its annotations."""
    for number, annotation in enumerate(annotations):
        try:
            picture = pictures.get(annotation["image_id"])
            box = _box(annotation["bbox"])
            track = _track(annotation)
        except BAD_ENTRY as error:
            raise UserError(
                f"annotations must have image_id, bbox of four numbers, and track_id, if any, as a "
                f"whole number, entry {number} of {path} has not"
            ) from error
        if picture is None:
            raise UserError(
                f"annotations must belong to an image, entry {number} of {path} has image_id "
                f"{annotation['image_id']}, which no image has"
            )
        picture.regions.append(
            TruthRegion(_cut(box, picture, f"entry {number} of {path}"), None, track)
        )


def _box(bbox: list[float]) -> Box:
    """Nearest whole pixels: left, top, width, height."""
    left, top, width, height = bbox
    x0, y0, x1, y1 = round(left), round(top), round(left + width), round(top + height)
    return x0, y0, x1 - x0, y1 - y0


def _cut(box: Box, picture: _Picture, where: str) -> Box:
    """The part of a box that lies in its picture."""
    left, top, width, height = box
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, picture.size_hw[1]), min(top + height, picture.size_hw[0])
    if x1 <= x0 or y1 <= y0:
        raise UserError(
            f"a box must cover pixels of its picture (width {picture.size_hw[1]}, height "
            f"{picture.size_hw[0]}), {where} is [{left}, {top}, {width}, {height}] in whole pixels"
        )
    return x0, y0, x1 - x0, y1 - y0


def _track(annotation: dict[str, Any]) -> int | None:
    track = annotation.get("track_id", (annotation.get("attributes") or {}).get("track_id"))
    return None if track is None else int(track)


def _in_order(pictures: list[_Picture], path: Path) -> list[_Picture]:
    """Pictures of a clip by frame number, or by name where none has a number."""
    frames = [picture.frame for picture in pictures if picture.frame is not None]
    if not frames:
        return sorted(pictures, key=lambda picture: natural_key(picture.name))
    if sorted(frames) != list(range(len(pictures))):
        raise UserError(
            f"frames of {pictures[0].clip} must be 0 to {len(pictures) - 1:,}, each once (counted "
            f"from 0), {path} has {len(set(frames)):,} of them, {min(frames)} to {max(frames)}"
        )
    return sorted(pictures, key=lambda picture: picture.frame or 0)


def _truth(clip: str, pictures: list[_Picture], path: Path) -> ClipTruth:
    """Ground truth of a clip from its pictures in order."""
    sizes = {picture.size_hw: None for picture in pictures}
    if len(sizes) > 1:
        first, other = list(sizes)[:2]
        raise UserError(
            f"images of {clip} must all have one size, {path} has (height, width) {first} "
            f"and {other}"
        )
    anomalous = np.array([bool(picture.regions) for picture in pictures], dtype=bool)
    return ClipTruth(clip, anomalous, pictures[0].size_hw, lambda frame: pictures[frame].regions)
