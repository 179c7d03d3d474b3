"""Write a time-lapse with planted objects and nuisances, for training, calibration and test.

``Train/`` holds the training days, ``Test/`` a folder for each clip: ``calibration`` (the days
before the test), ``clean`` (the test days as they are), ``planted-1``, ... (the same with objects)
with ``planted-1_gt`` (255 where they are), one for each nuisance of ``footage.nuisances`` (the test
days under it), and ``labels.m``. ``planted.csv`` tells of each object, ``planted.json`` what all of
it was made from. Every picture is shrunk and compressed in the same way, planted or not.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.footage.frames import Image
from tlae.footage.sources import Footage
from tlae.footage.sources.listing import natural_key
from tlae.lab import nuisances
from tlae.lab.planting.stills.days import CALIBRATE, TEST, TRAIN, Days, pictures, split_days
from tlae.lab.planting.stills.options import (
    CALIBRATION,
    CLEAN,
    OBJECTS,
    PLANTED,
    StillOptions,
)
from tlae.lab.planting.stills.rounds import plant_round
from tlae.lab.scenes.writer import labels_text
from tlae.progress import progress
from tlae.whole_file import explain_os_errors, whole_folder

FORMAT = 1  # raise when the same options give other pictures
FACTS = "planted.json"
JPEG_QUALITY = 95
STRETCH_FRAMES = 8  # a nuisance is drawn anew so often: about twice in half a day of stills
SHIFT_AS_FILMED = "shift"  # its pixels are the camera's

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class StillSummary:
    """What lies in a folder of planted stills.

    Attributes:
        folder: with ``Train``, ``Test``, ``planted.csv`` and ``planted.json``.
        frames: number of frames of each part: train, calibrate, test.
        days: dates of each part, ISO 8601.
        objects: number of planted objects.
        left_out: frames of the footage that are not used, and why.
    """

    folder: Path
    frames: dict[str, int]
    days: dict[str, list[str]]
    objects: int
    left_out: dict[str, int]


def plant_stills(footage: Footage, out: Path, options: StillOptions) -> StillSummary:
    """Write planted stills, or find that the same are already there.

    Raises:
        UserError: something else is at ``out``, or fewer days than asked for.
        FootageError: wall-clock times are not known.
    """
    facts = {"format": FORMAT, "footage": footage.fingerprint(), "options": options.as_json()}
    if not (out.exists() and any(out.iterdir())):
        days = split_days(footage, options)  # may refuse, so before any folder is made
        with (
            held_folder(out, "give another out=..."),
            explain_os_errors(out),
            whole_folder(out) as temporary,
        ):
            _write(temporary, footage, days, options, facts)
    return _summary(out, facts)


def _summary(out: Path, wanted: dict[str, Any]) -> StillSummary:
    try:
        facts = json.loads((out / FACTS).read_text(encoding="utf-8"))
        summary = StillSummary(
            out, facts["frames"], facts["days"], facts["objects"], facts["left_out"]
        )
        other = [name for name in wanted if facts[name] != wanted[name]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{out} must hold planted stills, it holds something else") from error
    if other:
        raise UserError(
            f"{out} was planted with other {', '.join(other)}; delete it or give another name=..."
        )
    return summary


def _write(
    folder: Path, footage: Footage, days: Days, options: StillOptions, facts: dict[str, Any]
) -> None:
    test = days.rows_of(TEST)
    names = test["name"].tolist()
    unpacked = folder / "test.npy"
    shape = (len(test), *days.size_hw, 3)
    frames = np.lib.format.open_memmap(unpacked, mode="w+", dtype=np.uint8, shape=shape)
    places = {
        TRAIN: folder / "Train",
        CALIBRATE: folder / "Test" / CALIBRATION,
        TEST: folder / "Test" / CLEAN,
    }
    for place in places.values():
        place.mkdir(parents=True)
    for part, number, name, picture in pictures(footage, days, "copying frames"):
        if part == TEST:
            frames[number] = picture
        _write_jpeg(places[part] / f"{name}.jpg", picture)
    seen = {  # labels of each clip
        CALIBRATION: np.zeros(len(days.rows_of(CALIBRATE)), bool),
        CLEAN: np.zeros(len(test), bool),
    }
    objects = _write_planted(folder / "Test", frames, names, options, seen)
    _write_nuisances(folder / "Test", frames, names, days, options.seed, seen)
    del frames  # closes the file
    unpacked.unlink()
    ordered = [seen[clip] for clip in sorted(seen, key=natural_key)]
    (folder / "Test" / "labels.m").write_text(labels_text(ordered), encoding="utf-8")
    taken_at = dict(enumerate(test["taken_at"]))
    objects.insert(3, "first_taken_at", objects["first_frame"].map(taken_at))
    objects.to_csv(folder / OBJECTS, index=False)
    facts = {**facts, **_facts(days, len(objects))}
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _facts(days: Days, objects: int) -> dict[str, Any]:
    dates = {
        part: sorted({str(date) for date in days.rows_of(part)["taken_at"].dt.date})
        for part in (TRAIN, CALIBRATE, TEST)
    }
    frames = {part: len(days.rows_of(part)) for part in dates}
    return {"frames": frames, "days": dates, "objects": objects, "left_out": days.left_out}


def _write_planted(
    folder: Path,
    frames: Frames,
    names: list[str],
    options: StillOptions,
    seen: dict[str, npt.NDArray[np.bool_]],
) -> pd.DataFrame:
    """All rounds; returns the table of objects, and puts labels into ``seen``."""
    records = []
    with progress("planting", options.rounds * len(frames)) as advance:
        for number in range(1, options.rounds + 1):
            clip = f"{PLANTED}{number}"
            masks = folder / f"{clip}_gt"
            for place in (folder / clip, masks):
                place.mkdir()
            labels = np.zeros(len(frames), bool)
            planted = plant_round(frames, options, number)
            for frame, picture, mask in planted.pictures(frames):
                _write_jpeg(folder / clip / f"{names[frame]}.jpg", picture)
                (masks / f"{names[frame]}.png").write_bytes(cv2.imencode(".png", mask)[1].tobytes())
                labels[frame] = mask.any()
                advance()
            seen[clip] = labels
            records += [{"clip": clip, **record} for record in planted.records()]
    return pd.DataFrame(records)


def _write_nuisances(
    folder: Path,
    frames: Frames,
    names: list[str],
    days: Days,
    seed: int,
    seen: dict[str, npt.NDArray[np.bool_]],
) -> None:
    """The test days under each nuisance, drawn anew for every stretch."""
    as_filmed = min(1.0, days.size_hw[0] / days.source_height_px)
    with progress("making nuisances", len(nuisances.KINDS) * len(frames)) as advance:
        for number, kind in enumerate(nuisances.KINDS):
            (folder / kind).mkdir()
            seen[kind] = np.zeros(len(frames), bool)
            strength = as_filmed if kind == SHIFT_AS_FILMED else 1.0
            for start in range(0, len(frames), STRETCH_FRAMES):
                rng = np.random.default_rng([seed, number, start])
                stretch = np.asarray(frames[start : start + STRETCH_FRAMES])
                for frame, picture in enumerate(
                    nuisances.apply(kind, stretch, rng, strength), start
                ):
                    _write_jpeg(folder / kind / f"{names[frame]}.jpg", picture)
                advance(len(stretch))


def _write_jpeg(path: Path, picture: Image) -> None:
    pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(data.tobytes())
