"""Attributes: a detector that measures things and compares them with normal ones near by."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from tlae.attributes.background import Background, Plane
from tlae.attributes.cells import CELL_PX, Cells, grid_shape
from tlae.attributes.examples import FIELDS, SIDE_PX, Collector, Examples, cell_of
from tlae.attributes.kinds import ATTRIBUTES, Scale, ground_of
from tlae.attributes.normal import Exemplars, averaged, fitted, joined
from tlae.attributes.observer import (
    SAMPLES,
    Observation,
    Observer,
    ObserverState,
    Renewal,
)
from tlae.attributes.reasons import VALUES, Habits, reason
from tlae.errors import FootageError
from tlae.models.attributes_learning import (
    learnt_of,
    note_restless,
    note_short_runs,
    of_stretches,
    scale_of,
)
from tlae.models.contract import Measured, Net, NormalFrames, Reason, State
from tlae.models.view import pictures_of
from tlae.setting_rules import within

BACKGROUND_FRAMES = 80  # whose median is the background
START_S = 1.0  # of a run, in which the renewed background gets its first samples
LONGEST_INTERVAL_S = 2.0  # between frames that still show motion
AROUND_PX = 9  # the map reaches so far around the foreground
FACTS = ("slope", "offset", "least", "pace", "stride", "apart", "spacing", "interval_s")


@dataclass(frozen=True, eq=False)
class _Scene:
    """What was learnt, as the parts that measure."""

    observer: Observer
    scale: Scale
    exemplars: list[Exemplars]
    habits: Habits
    examples: Examples
    interval_s: float


class Attributes(Net):
    """Measure how things move, how large they are, where and how long they stand.

    Things are what differs from a robust background. Cells of 8 px take a few attributes of what is
    in them (``attributes.kinds``). Each attribute is the distance to the nearest normal exemplars
    near that place (Hautamaki et al. 2004, *Outlier detection using k-nearest neighbour graph*), in
    spreads above the median of the largest distances in normal frames of another time. The
    map is the root mean square over the attributes. Attributes that a person can name, with nearest
    neighbours: Reiss and Hoshen 2022, *Attribute-based representations for accurate and
    interpretable video anomaly detection*; these need no trained detector of objects.

    Args:
        exemplars: normal cells kept for each attribute, >= 100.
        most_frames: frames that are learnt from, evenly spread where there are more, >= 10.
        memory_s: the background is renewed from so many last seconds, so that what has changed for
            good is background again; a thing that stays for less than half of it remains visible.
            0: it is never renewed.

    Shapes:
        clip: (B, C, T, H, W) in [0, 1]; output: the same shape, the map in all channels.
    """

    measures = True
    streams = True

    background: Tensor  # (H, W, C) uint8
    noise: Tensor  # (H, W)
    watched: Tensor  # (H, W) uint8
    facts: Tensor  # ``FACTS``
    centres: Tensor  # of each attribute
    spreads: Tensor
    habits: Tensor  # (7, h, w)
    pictures: Tensor  # of ``Examples``
    pictured: Tensor  # their cells

    def __init__(
        self, exemplars: int = 20_000, most_frames: int = 20_000, memory_s: float = 600.0
    ) -> None:
        super().__init__()
        within("model.exemplars", exemplars, 100)
        within("model.most_frames", most_frames, 10)
        within("model.memory_s", memory_s, 0)
        self.most_exemplars, self.most_frames, self.memory_s = exemplars, most_frames, memory_s
        self.register_buffer("background", torch.zeros(0, dtype=torch.uint8))
        self.register_buffer("noise", torch.zeros(0))
        self.register_buffer("watched", torch.zeros(0, dtype=torch.uint8))
        self.register_buffer("facts", torch.zeros(len(FACTS), dtype=torch.float64))
        self.register_buffer("centres", torch.zeros(len(ATTRIBUTES)))
        self.register_buffer("spreads", torch.ones(len(ATTRIBUTES)))
        self.register_buffer("habits", torch.zeros(0))
        self.register_buffer("pictures", torch.zeros(0, SIDE_PX, SIDE_PX, 1, dtype=torch.uint8))
        self.register_buffer("pictured", torch.zeros(FIELDS, 0))
        for kind in ATTRIBUTES:
            self.register_buffer(f"normal_{kind.name}", torch.zeros(0))
        self._scene: _Scene | None = None
        self._left_out: list[Tensor] = []

    def left_out(self) -> list[Tensor]:
        """See ``contract.Net.left_out``."""
        return self._left_out

    def keep(self, footage: NormalFrames, mean_frame: Tensor, spread: float) -> None:
        """Learn what is normal."""
        interval_s = footage.interval_s
        if interval_s > LONGEST_INTERVAL_S:
            raise FootageError(
                f"footage must show motion, at most {LONGEST_INTERVAL_S:g} s from frame to frame, "
                f"got {interval_s:g} s; for stills take experiment=timelapse or "
                "model=patch_memory"
            )
        frames = pictures_of(footage.of_all_times(BACKGROUND_FRAMES))
        background = Background.of(frames)
        apart, scale = scale_of(footage, background)
        watched = None if footage.watched is None else footage.watched.numpy()
        observer = Observer(background, apart, Renewal(), scale, watched)
        lengths = footage.lengths(self.most_frames)
        collector = Collector(sum(lengths))
        learnt = learnt_of(observer, footage, self.most_frames, collector)
        cells = learnt.cells
        if not len(cells):
            raise FootageError(
                "footage must show things that move in front of a still scene, nothing stands out "
                "from the background in all frames to learn from (nothing moves, or everything "
                "does); look at the footage and the mask"
            )
        grid = grid_shape((frames.shape[1], frames.shape[2]))
        note_restless(len(cells), sum(lengths), grid)
        note_short_runs(learnt.longest, interval_s)
        spacing = max(1, round(self.memory_s / interval_s / SAMPLES)) if self.memory_s else 0
        numbers = [scale.slope, scale.offset, scale.least, scale.pace, scale.stride]
        self.facts = torch.tensor([*numbers, apart, spacing, interval_s], dtype=torch.float64)
        self.background = torch.from_numpy(background.frame)
        self.noise = torch.from_numpy(background.noise)
        self.watched = torch.ones(background.noise.shape, dtype=torch.uint8)
        if watched is not None:
            self.watched = torch.from_numpy(watched.astype(np.uint8))
        self.habits = torch.from_numpy(Habits.of(cells, grid).stacked())
        normal, left_out = fitted(cells, scale, self.most_exemplars, grid)
        self._left_out = of_stretches(left_out, learnt, lengths)
        self.centres = torch.tensor([part.centre for part in normal])
        self.spreads = torch.tensor([part.spread for part in normal])
        for part in normal:
            setattr(self, f"normal_{part.kind.name}", torch.from_numpy(part.vectors))
        examples = collector.examples(frames.shape[3], scale).spread_out()
        self.pictures = torch.from_numpy(examples.pictures)
        self.pictured = torch.from_numpy(examples.stacked())
        self._scene = None

    def examples(self) -> Tensor:
        """See ``contract.Net.examples``."""
        return self.pictures

    def measure(
        self, frames: Tensor, state: State | None, *, skip_calm: bool = False
    ) -> tuple[Measured, State]:
        """Maps and evidence of further frames; see ``contract.Net.measure``.

        A calm frame shows nothing in front of the background, even under the light of the last
        frame that was looked at (``attributes.observer``).
        """
        device, shape = frames.device, (frames.shape[0], *frames.shape[2:])
        if not len(self.background):
            nothing, looked_at = torch.zeros(shape, device=device), torch.zeros(len(frames)) > 0
            return Measured(nothing, torch.zeros(len(frames), 0, 1, 1), looked_at), ()
        scene = self._learnt()
        pictures = pictures_of(frames)
        past, recent = _unpacked(state, pictures.shape[1:])
        seen = []
        for picture in pictures:
            one, past = scene.observer.see(picture, past, skip_calm=skip_calm)
            seen.append(one)
        deviations, recent = _deviations(scene, [one.cells for one in seen], recent)
        maps = [_map(z, one) for z, one in zip(deviations, seen, strict=True)]
        evidence = [_evidence(z, one.cells) for z, one in zip(deviations, seen, strict=True)]
        answer = Measured(
            torch.from_numpy(np.stack(maps)).to(device),
            torch.from_numpy(np.stack(evidence)).to(device),
            torch.tensor([one.skipped for one in seen]),
        )
        return answer, _packed(past, recent)

    def reason(self, evidence: Tensor, place: tuple[float, float]) -> Reason:
        """Why a place is unusual, and the most similar normal thing.

        Args:
            evidence: (E, h, w) of a frame.
            place: row and column, as shares of the picture.
        """
        if not evidence.numel():
            return Reason("")
        scene, grid = self._learnt(), evidence.shape[1:]
        row, column = (min(int(p * n), n - 1) for p, n in zip(place, grid, strict=True))
        around = evidence[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        strength = around[: len(ATTRIBUTES)].square().sum(dim=0)
        found = around.flatten(1)[:, int(strength.argmax())].cpu().numpy()
        words = reason(found, (row, column), scene.habits, scene.scale, scene.interval_s)
        if not words:
            return Reason("")
        values = dict(zip(VALUES, map(float, found[len(ATTRIBUTES) :]), strict=True))
        example = scene.examples.nearest(cell_of(values, (row, column)))
        return Reason(words, example)

    def _learnt(self) -> _Scene:
        """The parts that measure, made when first needed."""
        if self._scene is None:
            facts = dict(zip(FACTS, self.facts.tolist(), strict=True))
            frame = np.ascontiguousarray(self.background.cpu().numpy())
            background = Background(frame, self.noise.cpu().numpy())
            scale = Scale(
                size_hw=(frame.shape[0], frame.shape[1]),
                slope=facts["slope"],
                offset=facts["offset"],
                least=facts["least"],
                pace=facts["pace"],
                stride=facts["stride"],
                ground=ground_of(frame),
            )
            normal = [
                Exemplars(
                    kind,
                    getattr(self, f"normal_{kind.name}").cpu().numpy(),
                    float(self.centres[number]),
                    float(self.spreads[number]),
                )
                for number, kind in enumerate(ATTRIBUTES)
            ]
            watched = self.watched.cpu().numpy().astype(bool)
            start = max(1, round(START_S / facts["interval_s"]))
            renewal = Renewal(start, int(facts["spacing"]))
            observer = Observer(background, int(facts["apart"]), renewal, scale, watched)
            habits = Habits(*self.habits.cpu().numpy())
            pictured = self.pictures.cpu().numpy(), self.pictured.cpu().numpy()
            examples = Examples.from_stacked(*pictured, scale)
            self._scene = _Scene(observer, scale, normal, habits, examples, facts["interval_s"])
        return self._scene

    def __getstate__(self) -> dict[str, Any]:
        """Without what cannot be copied and is made when needed."""
        return self.__dict__ | {"_scene": None}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Every part takes the size that was saved; files of before may lack pictures."""
        for name in ("pictures", "pictured"):
            state_dict.setdefault(f"{prefix}{name}", getattr(self, name))
        for name, _ in self.named_buffers():
            if f"{prefix}{name}" in state_dict:
                setattr(self, name, torch.empty_like(state_dict[f"{prefix}{name}"]))
        self._scene = None
        super()._load_from_state_dict(state_dict, prefix, *args)


def _deviations(scene: _Scene, cells: list[Cells], recent: Plane) -> tuple[Plane, Plane]:
    """Each attribute in spreads (n, A, h, w), and what the next frames need.

    Args:
        scene: what was learnt.
        cells: of each frame.
        recent: (k, A, h, w), smoothed distances of the frames before.
    """
    together = Cells.joined(cells)
    number = np.repeat(np.arange(len(cells)), [len(one) for one in cells])
    planes = np.zeros((len(cells), *recent.shape[1:]), np.float32)
    for attribute, part in enumerate(scene.exemplars):
        apart = part.distance(together, scene.scale)
        planes[number, attribute, together.row, together.column] = apart
    mean, recent = averaged(planes, recent)
    z = [part.z(mean[:, number]) for number, part in enumerate(scene.exemplars)]
    return np.stack(z, axis=1), recent


def _map(z: Plane, seen: Observation) -> Plane:
    """Root mean square over the attributes (A, h, w), where something is in front: (H, W).

    Its highest place is the score of the frame: the root mean square of the highest deviation of
    each attribute, wherever that is. Parts of one thing show different attributes.
    """
    if seen.skipped:
        return seen.planes.foreground
    cells = joined(z)
    height, width = seen.planes.foreground.shape
    size = (cells.shape[1] * CELL_PX, cells.shape[0] * CELL_PX)
    whole = cv2.resize(cells, size)[:height, :width]
    around = cv2.dilate(seen.planes.foreground, np.ones((AROUND_PX, AROUND_PX), np.uint8))
    seen_map = whole * around
    score, highest = float(joined(z.max(axis=(1, 2)))), float(seen_map.max())
    return np.asarray(seen_map * (score / highest if highest > 0 else 0.0), np.float32)


def _evidence(z: Plane, cells: Cells) -> Plane:
    """Deviations and ``VALUES`` of every cell, (E, h, w)."""
    values = np.zeros((len(VALUES), *z.shape[1:]), np.float32)
    values[:, cells.row, cells.column] = [getattr(cells, name) for name in VALUES]
    return np.concatenate([z, values])


def _packed(past: ObserverState, recent: Plane) -> State:
    """What is carried on, as tensors."""
    renewed = past.renewed
    parts = [
        np.array([past.count, *past.shift]),
        past.grey,
        np.stack([past.stands, past.lingers]),
        past.samples,
        recent,
        past.tones,
        *([] if renewed is None else [renewed.frame, renewed.noise]),
    ]
    return tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in parts)


def _unpacked(state: State | None, shape: tuple[int, ...]) -> tuple[ObserverState, Plane]:
    """The same as before, or nothing for frames of shape (H, W, C)."""
    height, width, channels = shape
    if not state:
        grid = grid_shape((height, width))
        nothing = np.zeros((0, len(ATTRIBUTES), *grid), np.float32)
        return ObserverState.none((height, width, channels)), nothing
    numbers, grey, times, samples, recent, *others = (part.cpu().numpy() for part in state)
    tones = np.zeros((0, 256, 1, channels), np.uint8)
    if len(others) % 2:  # older versions carried none
        tones, *others = others
    past = ObserverState(
        int(numbers[0]),
        grey,
        times[0],
        times[1],
        (float(numbers[1]), float(numbers[2])),
        samples,
        Background(*others) if others else None,
        tones,
    )
    return past, recent
