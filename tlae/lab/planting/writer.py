"""Write normal footage with planted anomalies in the layout of the UCSD pedestrian sets."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.footage.frames import Image
from tlae.footage.images import decode_image
from tlae.footage.sources import Footage
from tlae.lab.planting.events import PlantedClip, Scene, plant
from tlae.lab.planting.movement import SAMPLES, Movements, learn_background, learn_habits
from tlae.lab.planting.options import (
    EVENTS,
    STRENGTH_UNITS,
    CannotPlantError,
    Kind,
    PlantOptions,
)
from tlae.lab.planting.split import Split, copy_frames, open_frames, split_footage
from tlae.lab.scenes.writer import labels_text
from tlae.progress import progress
from tlae.whole_file import whole_folder

FORMAT = 1  # raise when the same options give other pictures
NORMAL_EVERY = 4  # every so many clips, one has no event
HABIT_PAIRS = 100  # pairs of training frames that show where things are
FACTS = "planted.json"


@dataclass(frozen=True)
class PlantSummary:
    """What lies in a folder of planted footage.

    Attributes:
        folder: with ``Train``, ``Test`` and ``planted.json``.
        train_frames: number of training frames.
        interval_s: median time between frames in seconds, 0 if unknown.
        clips: one entry per test clip, as in ``planted.json``.
        skipped: kinds that could not be planted, and why.
    """

    folder: Path
    train_frames: int
    interval_s: float
    clips: list[dict[str, Any]]
    skipped: dict[str, str]


def plant_footage(footage: Footage, out: Path, options: PlantOptions) -> PlantSummary:
    """Write planted footage, or find that the same is already there.

    The folder gets ``Train/Train001/000.png`` (one folder per run without a cut),
    ``Test/01_fast/000.png``, ``Test/01_fast_gt/000.png`` (255 where anomalous), ``Test/labels.m``
    (1-based frame ranges) and ``planted.json`` (options and clips, 0-based). It appears under its
    name only when complete. The test footage is unpacked beside it meanwhile.

    Raises:
        UserError: something else is at ``out``, or it cannot be written.
        FootageError: too little footage.
        CannotPlantError: nothing moves that could be planted.
    """
    out = out.expanduser()
    facts = {"format": FORMAT, "footage": footage.fingerprint(), "options": options.as_json()}
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        return _existing(out, facts)
    try:
        with held_folder(out, "give another out=..."), whole_folder(out) as temporary:
            _write(temporary, footage, options, facts)
    except OSError as error:
        raise UserError(
            f"out {out} must be writable, got: {error.strerror or error}; free some space or "
            "choose another folder"
        ) from error
    return _existing(out, facts)


def _existing(out: Path, wanted: dict[str, Any]) -> PlantSummary:
    try:
        facts = json.loads((out / FACTS).read_text(encoding="utf-8"))
        other = [name for name in wanted if facts[name] != wanted[name]]
        summary = PlantSummary(
            out, facts["train_frames"], facts["interval_s"], facts["clips"], facts["skipped"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"out must be new or hold the same planted footage, {out} holds something else; choose "
            "another folder"
        ) from error
    if other:
        raise UserError(
            f"out {out} must have been planted with the same settings, got other "
            f"{', '.join(other)}; delete it or choose another folder"
        )
    return summary


def _write(folder: Path, footage: Footage, options: PlantOptions, facts: dict[str, Any]) -> None:
    split = split_footage(footage, options)
    unpacked = folder / "test.npy"
    frames = open_frames(unpacked, split)

    def write_train(run: int, number: int, picture: Image) -> None:
        place = folder / "Train" / f"Train{run + 1:03d}"
        place.mkdir(parents=True, exist_ok=True)
        _write_png(place / f"{number:03d}.png", picture)

    copy_frames(footage, split, write_train, frames)
    ends = np.cumsum([len(run) for run in split.test]).tolist()
    runs = [(end - len(run), end - 1) for end, run in zip(ends, split.test, strict=True)]
    train = _TrainFrames(folder / "Train", [len(run) for run in split.train])
    scene = _learn_scene(frames, runs, train, options.event_frames // 2)
    skipped: dict[Kind, str] = {}
    entries = _write_clips(folder / "Test", scene, split, options, skipped)
    del scene, frames  # closes the file
    unpacked.unlink()
    facts = {
        **facts,
        "train_frames": train.count,
        "interval_s": split.interval_s,
        "skipped": {kind.value: reason for kind, reason in skipped.items()},
        "clips": entries,
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


class _TrainFrames:
    """Training frames read back from their files, so that memory holds few of them."""

    def __init__(self, folder: Path, lengths: list[int]) -> None:
        self.places = [
            folder / f"Train{run + 1:03d}" / f"{number:03d}.png"
            for run, length in enumerate(lengths)
            for number in range(length)
        ]
        self.count = len(self.places)

    def read(self, number: int, channels: int) -> Image:
        """Picture (H, W, channels) of a frame."""
        return decode_image(self.places[number].read_bytes())[0][..., :channels]

    def pairs(self, apart: int) -> list[tuple[int, int]]:
        """Evenly spread pairs of frames of one run, ``apart`` frames apart or as far as it goes."""
        numbers = np.unique(np.linspace(0, self.count - 1, HABIT_PAIRS).round().astype(int))
        return [(n, self._same_run(n, n + apart)) for n in numbers.tolist()]

    def _same_run(self, number: int, other: int) -> int:
        other = min(other, self.count - 1)
        while self.places[other].parent != self.places[number].parent:
            other -= 1
        return other


def _learn_scene(
    frames: np.ndarray[Any, np.dtype[np.uint8]],
    runs: list[tuple[int, int]],
    train: _TrainFrames,
    pause_frames: int,
) -> Scene:
    """Background of all footage that is kept, habits of its training part."""
    channels = frames.shape[-1]
    everywhere = np.linspace(0, train.count + len(frames) - 1, SAMPLES).round().astype(int)
    background = learn_background(
        [
            train.read(n, channels) if n < train.count else frames[n - train.count]
            for n in np.unique(everywhere).tolist()
        ]
    )
    pairs = train.pairs(pause_frames)
    with progress("learning where things move", len(pairs), "pairs") as advance:

        def read_pair(number: int) -> tuple[Image, Image]:
            advance()
            one, other = pairs[number]
            return train.read(one, channels), train.read(other, channels)

        habits: Movements = learn_habits(len(pairs), read_pair, background)
    return Scene(frames, runs, background, habits)


def _clips(scene: Scene, options: PlantOptions, skipped: dict[Kind, str]) -> Iterator[PlantedClip]:
    """All clips; a kind that cannot be planted gives its turn to the next and is ``skipped``."""
    left: list[Kind] = list(EVENTS)
    turn = done = 0
    while done < options.clips:
        rng = np.random.default_rng([options.seed, done, len(skipped)])
        normal = done % NORMAL_EVERY == NORMAL_EVERY - 1
        kind = Kind.NORMAL if normal else left[turn % len(left)]
        try:
            clip = plant(kind, scene, options.clip_frames, rng)
        except CannotPlantError as error:
            turn = left.index(kind)
            left.remove(kind)
            skipped[kind] = str(error)
            if not left:
                reasons = "; ".join(f"{k}: {reason}" for k, reason in skipped.items())
                raise CannotPlantError(f"nothing could be planted ({reasons})") from error
            continue
        yield clip
        turn = turn if normal else turn + 1
        done += 1


def _write_clips(
    folder: Path, scene: Scene, split: Split, options: PlantOptions, skipped: dict[Kind, str]
) -> list[dict[str, Any]]:
    """Pictures, masks and labels; returns what ``planted.json`` says of each clip."""
    rows = np.concatenate(split.test)
    digits = max(2, len(str(options.clips)))
    labels, entries = [], []
    with progress("planting", options.clips * options.clip_frames) as advance:
        for number, clip in enumerate(_clips(scene, options, skipped), 1):
            name = f"{number:0{digits}d}_{clip.kind.value}"
            masks = folder / f"{name}_gt"
            masks.mkdir(parents=True)
            (folder / name).mkdir()
            seen = np.zeros(len(clip.numbers), bool)
            for at, (picture, mask) in enumerate(clip.pictures(scene)):
                _write_png(folder / name / f"{at:03d}.png", picture)
                _write_png(masks / f"{at:03d}.png", mask[..., None].astype(np.uint8) * 255)
                seen[at] = mask.any()
                advance()
            labels.append(seen)
            entries.append(_entry(name, clip, split, rows))
    (folder / "labels.m").write_text(labels_text(labels), encoding="utf-8")
    return entries


def _entry(
    name: str, clip: PlantedClip, split: Split, rows: np.ndarray[Any, np.dtype[np.int64]]
) -> dict[str, Any]:
    source = split.index.iloc[rows[clip.numbers]]
    event = clip.kind is not Kind.NORMAL
    return {
        "clip": name,
        "kind": clip.kind.value,
        "strength": clip.strength,
        "strength_unit": STRENGTH_UNITS[clip.kind],
        "first_frame": clip.first if event else None,
        "last_frame": clip.last if event else None,
        "source_clip": str(source["clip"].iloc[0]),
        "source_frames": source["frame"].tolist(),
    }


def _write_png(path: Path, picture: Image) -> None:
    """Write (H, W, 1 or 3) without loss."""
    pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.shape[-1] == 3 else picture
    _, data = cv2.imencode(".png", np.ascontiguousarray(pixels))
    path.write_bytes(data.tobytes())
