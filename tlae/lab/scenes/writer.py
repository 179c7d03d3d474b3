"""Write a whole scene in the layout of the UCSD pedestrian sets."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.footage.frames import Image
from tlae.lab.scenes.clip import Backdrop, build_backdrop, render_owned
from tlae.lab.scenes.options import (
    AnomalyKind,
    Depth,
    Kind,
    SceneEvent,
    SceneOptions,
    StreetKind,
    View,
)
from tlae.lab.scenes.plan import plan_events
from tlae.lab.scenes.staging import last_frame
from tlae.progress import Advance, progress
from tlae.whole_file import whole_folder

FORMAT = 1  # raise when the same options give other pictures
TEST_SEEDS = 1000  # clip seeds of test clips begin here; those of training clips at 0


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Where an event can be found.

    Attributes:
        kind: what it is.
        clip: name of the test clip.
        first_frame: first frame (0-based) that shows it.
        last_frame: last frame that shows it.
        depth: in the street, how far away it was planned.
    """

    kind: Kind
    clip: str
    first_frame: int
    last_frame: int
    depth: Depth | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values; without ``depth`` where there is none."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "EventRecord":
        """The reverse of :meth:`as_json`; raises what any wrong value raises."""
        kind, depth = facts["kind"], facts.get("depth")
        known: Kind = StreetKind(kind) if kind in tuple(StreetKind) else AnomalyKind(kind)
        return cls(**{**facts, "kind": known, "depth": None if depth is None else Depth(depth)})


@dataclass(frozen=True)
class SceneSummary:
    """What lies in a scene folder.

    Attributes:
        folder: with ``Train``, ``Test`` and ``scene.json``.
        options: that it was made with.
        events: in the order of clips and time.
        anomalous_frames: number of test frames with at least one anomalous pixel.
    """

    folder: Path
    options: SceneOptions
    events: tuple[EventRecord, ...]
    anomalous_frames: int

    @property
    def train_frames(self) -> int:
        """Number of frames to learn from."""
        return self.options.train_clips * self.options.train_frames

    @property
    def test_frames(self) -> int:
        """Number of frames to judge."""
        return self.options.test_clips * self.options.test_frames


def write_scene(out: Path, options: SceneOptions) -> SceneSummary:
    """Write a scene, or find that the same one is already there.

    The folder gets ``Train/Train001/001.jpg``, ``Test/Test001/001.jpg``,
    ``Test/Test001_gt/001.png`` (255 where anomalous), ``Test/labels.m`` (1-based frame ranges) and
    ``scene.json`` (options and events, 0-based). It appears under its name only when complete.

    Raises:
        UserError: something else is at ``out``, or it cannot be written.
    """
    out = out.expanduser()
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        return _existing(out, options)
    try:
        with held_folder(out, "give another out=..."), whole_folder(out) as temporary:
            _write(temporary, options)
    except OSError as error:
        if (out / "scene.json").is_file():  # another process was faster
            return _existing(out, options)
        raise UserError(
            f"scene {out} must be writable, got: {error.strerror or error}; free some space or "
            "choose another folder"
        ) from error
    return _existing(out, options)


def _existing(out: Path, options: SceneOptions) -> SceneSummary:
    try:
        facts = json.loads((out / "scene.json").read_text(encoding="utf-8"))
        theirs, version = facts["options"], facts["format"]
        records = tuple(EventRecord.from_json(event) for event in facts["events"])
        summary = SceneSummary(out, options, records, int(facts["anomalous_frames"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"scene folder {out} must be new or hold a scene, got something else there; choose "
            "another folder"
        ) from error
    wanted, theirs = ({"view": View.SIDE, **all_} for all_ in (options.as_json(), theirs))
    other = [name for name in wanted if theirs.get(name) != wanted[name]]
    if other or version != FORMAT:
        got = ", ".join(f"{name} {theirs.get(name)} instead of {wanted[name]}" for name in other)
        raise UserError(
            f"scene {out} must have been made with the same options, got "
            f"{got or f'format {version} instead of {FORMAT}'}; delete it or choose another folder"
        )
    return summary


def _write(folder: Path, options: SceneOptions) -> None:
    backdrop = build_backdrop(options)
    plan = plan_events(options)
    frames = options.train_clips * options.train_frames + options.test_clips * options.test_frames
    labels: list[npt.NDArray[np.bool_]] = []
    records: list[EventRecord] = []
    with progress("drawing the scene", frames) as advance:
        for clip in range(options.train_clips):
            name = f"Train{clip + 1:03d}"
            _write_train_clip(folder / "Train" / name, clip, options, backdrop, advance)
        for clip, events in enumerate(plan):
            name = f"Test{clip + 1:03d}"
            seen = _write_test_clip(
                folder / "Test" / name, clip, options, backdrop, events, advance
            )
            labels.append(np.asarray(seen.any(axis=1)))
            records += _records(name, events, seen, options)
    (folder / "Test" / "labels.m").write_text(labels_text(labels), encoding="utf-8")
    facts: dict[str, Any] = {
        "format": FORMAT,
        "options": options.as_json(),
        "events": [record.as_json() for record in records],
        "anomalous_frames": int(sum(label.sum() for label in labels)),
    }
    (folder / "scene.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _write_train_clip(
    folder: Path, clip: int, options: SceneOptions, backdrop: Backdrop, advance: Advance
) -> None:
    folder.mkdir(parents=True)
    stream = render_owned(options, clip, options.train_frames, (), backdrop)
    for number, (picture, _) in enumerate(stream, 1):
        write_picture(folder / f"{number:03d}.jpg", picture, options.jpeg_quality)
        advance()


def _write_test_clip(
    folder: Path,
    clip: int,
    options: SceneOptions,
    backdrop: Backdrop,
    events: list[SceneEvent],
    advance: Advance,
) -> npt.NDArray[np.bool_]:
    """Frames and masks; returns in which frames each event is seen (frames, events)."""
    masks = folder.with_name(f"{folder.name}_gt")
    folder.mkdir(parents=True)
    masks.mkdir()
    seen = np.zeros((options.test_frames, len(events)), np.bool_)
    stream = render_owned(options, TEST_SEEDS + clip, options.test_frames, events, backdrop)
    for frame, (picture, owners) in enumerate(stream):
        write_picture(folder / f"{frame + 1:03d}.jpg", picture, options.jpeg_quality)
        _, data = cv2.imencode(".png", np.where(owners, np.uint8(255), np.uint8(0)))
        (masks / f"{frame + 1:03d}.png").write_bytes(data.tobytes())
        seen[frame, np.unique(owners[owners > 0]) - 1] = True
        advance()
    return seen


def write_picture(path: Path, picture: Image, quality: int) -> None:
    """Write RGB (H, W, 3) as JPEG, 1 to 100 good."""
    blue_first = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])
    path.write_bytes(data.tobytes())


def _records(
    clip: str, events: list[SceneEvent], seen: npt.NDArray[np.bool_], options: SceneOptions
) -> list[EventRecord]:
    """Events as they were seen (frames, events); a flash has no pixels of its own."""
    records = []
    for event, frames in zip(events, seen.T, strict=True):
        if event.kind is AnomalyKind.LIGHT_FLASH:
            last = last_frame(event, options.test_frames, options.fps)
            records.append(EventRecord(event.kind, clip, event.first_frame, last, event.depth))
        elif frames.any():
            at = np.flatnonzero(frames)
            records.append(EventRecord(event.kind, clip, int(at[0]), int(at[-1]), event.depth))
    return records


def labels_text(labels: Iterable[npt.NDArray[np.bool_]]) -> str:
    """Labels in the form of UCSD's ``.m`` files.

    Args:
        labels: one (frames,) bool per test clip, True where anomalous.

    Returns:
        One line per clip with 1-based inclusive ranges; ``[]`` for a clip without any.
    """
    lines = ["TestVideoFile = {};"]
    for label in labels:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], label, [False]]).astype(np.int8)))
        ranges = [f"{start + 1}:{end}" for start, end in edges.reshape(-1, 2).tolist()]
        lines.append(f"TestVideoFile{{end+1}}.gt_frame = [{', '.join(ranges)}];")
    return "\n".join(lines) + "\n"
