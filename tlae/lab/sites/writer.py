"""Write all stills of a site: training days, test days as they are, test days with things."""

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
from tlae.lab.scenes.writer import labels_text, write_picture
from tlae.lab.sites.options import SiteOptions
from tlae.lab.sites.planted import PlantedThing, plan_things
from tlae.lab.sites.render import Renderer
from tlae.progress import progress
from tlae.whole_file import explain_os_errors, whole_folder

FORMAT = 1  # raise when the same options give other pictures
FACTS, THINGS = "site.json", "things.csv"
CLEAN, PLANTED = "clean", "planted"  # clips of the test part
COLUMNS = (
    *("clip", "thing", "kind", "what", "first_frame", "last_frame", "first_taken_at"),
    *("frames", "left", "top", "width", "height"),
)


@dataclass(frozen=True)
class SiteSummary:
    """What lies in the folder of a site.

    Attributes:
        folder: with ``Train``, ``Test``, ``things.csv`` and ``site.json``.
        options: that it was made with.
        things: number of planted things of each kind; only those that were ever in view.
    """

    folder: Path
    options: SiteOptions
    things: dict[str, int]


def write_site(out: Path, options: SiteOptions) -> SiteSummary:
    """Write a site, or find that the same one is already there.

    The folder gets ``Train/2024-03-01T00_00_00.jpg``, ...; with test days also ``Test/clean`` (the
    days after), ``Test/planted`` (the same days with things), ``Test/planted_gt`` (255 where they
    are), ``Test/labels.m`` and ``things.csv``. It appears under its name only when complete.

    Raises:
        UserError: something else is at ``out``, or it cannot be written.
    """
    out = out.expanduser()
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        with (
            held_folder(out, "give another out=..."),
            explain_os_errors(out),
            whole_folder(out) as temporary,
        ):
            _write(temporary, options)
    return _existing(out, options)


def _existing(out: Path, options: SiteOptions) -> SiteSummary:
    try:
        facts = json.loads((out / FACTS).read_text(encoding="utf-8"))
        theirs, version = dict(facts["options"]), facts["format"]
        summary = SiteSummary(out, options, dict(facts["things"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"site folder {out} must be new or hold a site, got something else there; choose "
            "another folder"
        ) from error
    wanted = options.as_json()
    other = [name for name in wanted if theirs.get(name) != wanted[name]]
    if other or version != FORMAT:
        got = ", ".join(f"{name} {theirs.get(name)} instead of {wanted[name]}" for name in other)
        raise UserError(
            f"site {out} must have been made with the same options, got "
            f"{got or f'format {version} instead of {FORMAT}'}; delete it or choose another folder"
        )
    return summary


def _write(folder: Path, options: SiteOptions) -> None:
    renderer = Renderer(options)
    first = options.days * options.frames_a_day
    last = options.all_days * options.frames_a_day
    kinds: list[str] = []
    (folder / "Train").mkdir()
    with progress("drawing the site", 2 * last - first) as advance:
        for frame in range(first):
            picture, _ = renderer.still(frame)
            write_picture(_named(folder / "Train", options, frame), picture, options.jpeg_quality)
            advance()
        if options.test_days:
            things = plan_things(renderer.site, options)
            boxes = _Boxes(things)
            clean, planted = folder / "Test" / CLEAN, folder / "Test" / PLANTED
            masks = planted.with_name(f"{PLANTED}_gt")
            for place in (clean, planted, masks):
                place.mkdir(parents=True)
            labels = np.zeros(last - first, bool)
            for number, frame in enumerate(range(first, last)):
                picture, _ = renderer.still(frame)
                write_picture(_named(clean, options, frame), picture, options.jpeg_quality)
                changes = [thing.change for thing in things if number in thing.frames]
                picture, owners = renderer.still(frame, changes)
                write_picture(_named(planted, options, frame), picture, options.jpeg_quality)
                mask = np.where(owners > 0, np.uint8(255), np.uint8(0))
                path = _named(masks, options, frame).with_suffix(".png")
                path.write_bytes(cv2.imencode(".png", mask)[1].tobytes())
                labels[number] = mask.any()
                boxes.see(number, owners)
                advance(2)
            text = labels_text([np.zeros(last - first, bool), labels])
            (folder / "Test" / "labels.m").write_text(text, encoding="utf-8")
            table = boxes.table(options)
            table.to_csv(folder / THINGS, index=False)
            kinds = table["kind"].tolist()
    facts: dict[str, Any] = {
        "format": FORMAT,
        "options": options.as_json(),
        "things": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _named(folder: Path, options: SiteOptions, frame: int) -> Path:
    return folder / f"{options.taken_at(frame):%Y-%m-%dT%H_%M_%S}.jpg"


class _Boxes:
    """Where, and in how many frames, each thing was really seen."""

    def __init__(self, things: list[PlantedThing]) -> None:
        self.things = things
        self.seen: dict[int, list[int]] = {thing.number: [] for thing in things}
        self.box: dict[int, tuple[int, int, int, int]] = {}

    def see(self, frame: int, owners: npt.NDArray[np.int16]) -> None:
        """Take the owners (H, W) of one frame into account."""
        for number in np.unique(owners[owners > 0]).tolist():
            rows = np.flatnonzero((owners == number).any(axis=1))
            columns = np.flatnonzero((owners == number).any(axis=0))
            here = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
            box = self.box.get(number, here)
            self.box[number] = (*map(min, box[:2], here[:2]), *map(max, box[2:], here[2:]))  # type: ignore[assignment]
            self.seen[number].append(frame)

    def table(self, options: SiteOptions) -> pd.DataFrame:
        """One row per thing that was seen at all."""
        start = options.days * options.frames_a_day
        rows = []
        for thing in self.things:
            frames = self.seen[thing.number]
            if frames:
                left, top, right, bottom = self.box[thing.number]
                when = options.taken_at(start + frames[0])
                head = (PLANTED, thing.number, str(thing.kind), thing.what, frames[0], frames[-1])
                rows.append(
                    (*head, when.isoformat(), len(frames), left, top, right - left, bottom - top)
                )
        return pd.DataFrame(rows, columns=list(COLUMNS))
