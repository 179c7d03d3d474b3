"""Attributes: a detector that measures things and compares them with normal ones near by."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tlae.attributes.background import Background
from tlae.attributes.cells import grid_shape
from tlae.attributes.examples import FIELDS, SIDE_PX, Collector
from tlae.attributes.kinds import ATTRIBUTES
from tlae.attributes.measurer import FACTS, MEASURED, AttributeMeasurer, require_current
from tlae.attributes.normal import fitted
from tlae.attributes.observer import SAMPLES, Observer, Renewal
from tlae.attributes.reasons import Habits
from tlae.errors import FootageError
from tlae.models.attributes_learning import (
    learnt_of,
    note_restless,
    note_short_runs,
    of_stretches,
    scale_of,
)
from tlae.models.contract import Net, NormalFrames
from tlae.models.view import pictures_of
from tlae.setting_rules import within

BACKGROUND_FRAMES = 80  # whose median is the background
LONGEST_INTERVAL_S = 2.0  # between frames that still show motion


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
    habits: Tensor  # (9, h, w)
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
        self._measurer: AttributeMeasurer | None = None
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
        self._measurer = None

    def measurer(self) -> AttributeMeasurer | None:
        """What measures frames, made when first needed."""
        if self._measurer is None and len(self.background):
            named = self.named_buffers()
            self._measurer = AttributeMeasurer({name: part.cpu().numpy() for name, part in named})
        return self._measurer

    def maps_of(self, inputs: dict[str, Tensor], size_hw: tuple[int, int]) -> Tensor:
        """What was measured; see ``contract.Net.maps_of``."""
        return inputs[MEASURED]

    def __getstate__(self) -> dict[str, Any]:
        """Without what cannot be copied and is made when needed."""
        return self.__dict__ | {"_measurer": None}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Every part takes the size that was saved."""
        require_current({name.removeprefix(prefix) for name in state_dict})
        for name, _ in self.named_buffers():
            if f"{prefix}{name}" in state_dict:
                setattr(self, name, torch.empty_like(state_dict[f"{prefix}{name}"]))
        self._measurer = None
        super()._load_from_state_dict(state_dict, prefix, *args)
