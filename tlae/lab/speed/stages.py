"""Each stage of scoring alone, and the whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from tlae.compose import settings_of_words
from tlae.footage.frames import Image
from tlae.footage.sources import open_footage
from tlae.footage.store import open_store
from tlae.footage.windows import segments
from tlae.lab.speed.footage import FPS, SpeedFootage
from tlae.lab.speed.peak import net_alone, operations
from tlae.lab.speed.timing import Pace, pace_of
from tlae.model_file import Model
from tlae.progress import quiet
from tlae.rendering.video_file import VideoFile
from tlae.scoring.job import ScoringJob
from tlae.scoring.scored_frames import Scored
from tlae.scoring.scorer import FrameScorer
from tlae.workflows.score import score_named

BATCH_FRAMES = 32
CPU = torch.device("cpu")
WHOLE = "whole, first time"
STAGES = ("decode, resize and store", "net and maps", "write")  # that the whole is made of


@dataclass(frozen=True)
class Stage:
    """One line of the table.

    Attributes:
        name: of the stage.
        footage: what kind; empty where it does not matter.
        model: name; empty where it does not matter.
        pace: frames a second.
        note: what else is known.
    """

    name: str
    footage: str
    model: str
    pace: Pace
    note: str = ""


@dataclass(frozen=True)
class Bench:
    """What the stages are measured with.

    Attributes:
        folder: for everything that is written.
        footage: see ``write_footage``.
        models: by name, with the file of each.
        repeats: of each measurement, >= 1.
        peak: floating-point operations a second that the machine reaches.
    """

    folder: Path
    footage: SpeedFootage
    models: dict[str, tuple[Model, Path]]
    repeats: int
    peak: float

    def fresh(self, name: str) -> Callable[[], Path]:
        """A maker of new folders, one for each repeat."""
        numbers = count()
        return lambda: self.folder / f"{name}-{next(numbers)}"


def measure_stages(bench: Bench) -> Iterator[Stage]:
    """All stages, each as soon as it is measured."""
    for kind, path in bench.footage.kinds.items():
        yield from _reading(bench, kind, path)
    yield _encoding(bench)
    for name, (model, _) in bench.models.items():
        yield from _answering(bench, name, model)
    for name in bench.models:
        for kind, path in bench.footage.kinds.items():
            yield from _whole(bench, name, kind, path)


def shares_of_slowest(stages: list[Stage]) -> list[tuple[str, str, str, float]]:
    """Model, footage, the slowest stage alone, and what share of its pace the whole reaches."""
    found = []
    for whole in (stage for stage in stages if stage.name == WHOLE):
        parts = [
            stage
            for stage in stages
            if stage.name in STAGES
            and stage.footage in ("", whole.footage)
            and stage.model in ("", whole.model)
        ]
        slowest = min(parts, key=lambda stage: stage.pace.median)
        share = whole.pace.median / slowest.pace.median
        found.append((whole.model, whole.footage, slowest.name, share))
    return found


def _reading(bench: Bench, kind: str, path: Path) -> Iterator[Stage]:
    frames, repeats = bench.footage.frames, bench.repeats
    model, _ = next(iter(bench.models.values()))
    preprocessing, footage = model.preprocessing, open_footage(str(path))
    size_hw, fresh = preprocessing.size_hw, bench.fresh(f"store-{kind}")
    yield Stage("decode", kind, "", pace_of(lambda: _consumed(footage, size_hw), frames, repeats))
    stored = pace_of(lambda: open_store(footage, preprocessing, fresh()), frames, repeats)
    yield Stage(STAGES[0], kind, "", stored)
    store = open_store(footage, preprocessing, fresh())
    rows = np.arange(len(store))
    batches = np.array_split(rows, max(1, len(rows) // BATCH_FRAMES))
    read = pace_of(lambda: [store.read(batch) for batch in batches], frames, repeats)
    yield Stage("read the store", kind, "", read)


def _consumed(footage: Any, size_hw: tuple[int, int]) -> int:
    return sum(frame.image is not None for frame in footage.frames(min_hw=size_hw))


def _encoding(bench: Bench) -> Stage:
    frames = [frame.image for frame in open_footage(str(bench.footage.small)).frames()]
    pictures = [picture for picture in frames if picture is not None]

    def encode() -> None:
        with VideoFile(bench.folder / "encoded.mp4", FPS, pictures[0].shape[:2]) as file:
            for picture in pictures:
                file.write(picture)

    pace = pace_of(encode, len(pictures), bench.repeats)
    height, width = pictures[0].shape[:2]
    return Stage("encode video", f"{height}x{width}", "", pace)


def _answering(bench: Bench, name: str, model: Model) -> Iterator[Stage]:
    frames, repeats = bench.footage.frames, bench.repeats
    store = open_store(
        open_footage(str(bench.footage.small)), model.preprocessing, bench.folder / "cache"
    )
    scorer = FrameScorer(model.detector, model.rule, CPU, model.detector.precision)
    pictures = store.read(np.arange(len(store)))
    few = torch.from_numpy(pictures[:BATCH_FRAMES]).permute(0, 3, 1, 2).float() / 255
    net = pace_of(partial(net_alone, scorer, few), len(few), repeats)
    share = operations(scorer, few) / len(few) * net.median / bench.peak
    note = f"{share:.0%} of the peak" if share >= 0.005 else ""
    yield Stage("net alone", "", name, net, note)
    yield Stage(STAGES[1], "", name, pace_of(lambda: pushed(scorer, pictures), frames, repeats))
    fresh, player = bench.fresh(f"written-{name}"), _Player(pushed(scorer, pictures))

    def write() -> None:
        folder = fresh()
        folder.mkdir()
        runs = segments(store.index, model.gap_s)
        ScoringJob(folder, store, runs, {}, keep_rebuilt=False).run(player, BATCH_FRAMES, quiet)

    yield Stage(STAGES[2], "", name, pace_of(write, frames, repeats))


def pushed(scorer: FrameScorer, pictures: Image) -> list[Scored]:
    """Results of a run of frames (n, H, W, C), batch by batch."""
    scorer.reset()
    starts = range(0, len(pictures), BATCH_FRAMES)
    return [scorer.push(pictures[at : at + BATCH_FRAMES]) for at in starts]


class _Player:
    """A ``Scorer`` that gives the results which are there already."""

    framework: ClassVar[str] = "pt"
    delay = 0

    def __init__(self, scored: list[Scored]) -> None:
        names = [field.name for field in fields(Scored)]
        self.columns = [np.concatenate([getattr(part, n) for part in scored]) for n in names]
        self.at = 0

    def push(self, frames: Image) -> Scored:
        """The next results."""
        part = slice(self.at, self.at + len(frames))
        self.at += len(frames)
        return Scored(*(column[part] for column in self.columns))

    def finish(self) -> Scored:
        """Nothing is owed."""
        self.at = 0
        return Scored(*(column[:0] for column in self.columns))

    def reset(self) -> None:
        """From the first result on."""
        self.at = 0

    def state(self) -> dict[str, Any]:
        """Nothing is carried."""
        return {}

    def restore(self, tensors: dict[str, Any]) -> None:
        """There is nothing to restore."""


def _whole(bench: Bench, name: str, kind: str, path: Path) -> Iterator[Stage]:
    frames, repeats = bench.footage.frames, bench.repeats
    _, file = bench.models[name]
    cfg = settings_of_words("score", [f"model_file={file}", f"footage={path}", "name=speed"])
    fresh = bench.fresh(f"whole-{name}-{kind}")

    def score(cache: Path) -> None:
        folder = fresh()
        paths = replace(cfg.paths, scores=str(folder / "scores"), cache=str(cache))
        score_named(replace(cfg, paths=paths, keep_rebuilt=False))

    first = pace_of(lambda: score(fresh()), frames, repeats)
    yield Stage(WHOLE, kind, name, first)
    known = bench.folder / "known"
    yield Stage("whole, frames known", kind, name, pace_of(lambda: score(known), frames, repeats))
