"""Attributes and a segmenter joined: one names what it measures, the other sees shapes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import NormalDist
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tlae.attributes.normal import TAIL
from tlae.camera.calm import COUNTS, REFERENCE, CalmWindows
from tlae.models.attributes import Attributes
from tlae.models.calm import taken_over
from tlae.models.contract import Measured, Net, NormalFrames, Reason, State
from tlae.models.segmenter import AnomalySegmenter
from tlae.models.view import pictures_of, seen_small
from tlae.setting_rules import within

BOX = 0.05  # side of the box that smooths the segmenter's map, in picture heights
INDEPENDENT_FRAMES = 10  # so many held-out frames count as one independent moment
MOST_WEIGHT = 2.0  # of the segmenter's deviation beside that of the attributes
FULL_MOMENTS = 30  # independent held-out moments from which on it has that weight
LEAST_SPREAD = 0.3  # of the segmenter's logits in normal footage
FOUND_BY_NET = "has a shape or motion unlike what was seen in training (found by the net)"
EDGE = 1e-4  # probabilities are kept so far from 0 and 1


@dataclass(frozen=True, eq=False)
class _Past:
    """What the windows of the segmenter leave behind.

    Attributes:
        views: (n, 1, h, w), the last frames that it saw; None: no frames before.
        logits: (1, h, w), its last answer, where calm windows take it over; else None.
        windows: see ``CalmWindows.state``.
    """

    views: Tensor | None = None
    logits: Tensor | None = None
    windows: dict[str, Any] = field(default_factory=dict)

    def packed(self) -> State:
        """As a part of the state of a ``Joint``."""
        none = torch.zeros(0)
        counts, reference = (self.windows.get(name, none) for name in (COUNTS, REFERENCE))
        parts = [torch.as_tensor(counts).long(), torch.as_tensor(reference)]
        return (*parts, *(none if part is None else part for part in (self.logits, self.views)))

    @classmethod
    def unpacked(cls, state: State | None) -> tuple["_Past", State | None]:
        """What ``packed`` gave, and the rest of the state, which is that of the attributes."""
        if not state:
            return cls(), None
        if state[0].is_floating_point():  # of an older version
            return cls(state[0] if len(state[0]) else None), state[1:]
        counts, reference, logits, views, *inner = state
        windows = {COUNTS: counts.cpu(), REFERENCE: reference.cpu()} if len(counts) else {}
        views_before, answer = (part if len(part) else None for part in (views, logits))
        return cls(views_before, answer, windows), tuple(inner)


class Joint(Net):
    """Attributes (``models.attributes``) joined with a segmenter (``models.segmenter``).

    Each part gives deviations in spreads of held-out normal footage; the map is the root of the sum
    of their squares. The segmenter's deviation is cut off where its evidence ends: n held-out
    frames show no more than a quantile of about 1 - 10/n, so that a net from little footage cannot
    outvote the attributes; its weight grows with n as well. Its part is left out where training did
    not get well below a constant answer.

    Args:
        window_frames: frames that the segmenter sees at once, >= 2.
        stride: step between them.
        view_hw: height and width of the picture that the segmenter sees [px].
        widths: channels of each level of its U-Net.
        fastest: how many times the usual speed its pseudo-anomalies reach, >= 2.
        exemplars: see ``Attributes``.
        most_frames: see ``Attributes``.
        memory_s: see ``Attributes``.

    Shapes:
        clip: (B, C, T, H, W) in [0, 1]; output: the same shape, the map in all channels.
        logits(clip): (B, T, h, w), of grey clips (B, 1, T, h, w).
    """

    planted = "moving"
    measures = True
    streams = True
    settles = True

    joins: Tensor  # 0 or 1, whether the segmenter counts
    centre: Tensor  # of its logits in held-out footage
    spread: Tensor
    limit: Tensor  # largest deviation that counts
    mean_frame: Tensor  # (1, h, w), as the segmenter sees it
    scale: Tensor  # spread of frames around it

    def __init__(
        self,
        window_frames: int = 5,
        stride: int = 2,
        view_hw: Sequence[int] = (128, 192),
        widths: Sequence[int] = (32, 64, 128),
        fastest: int = 3,
        exemplars: int = 20_000,
        most_frames: int = 20_000,
        memory_s: float = 600.0,
    ) -> None:
        super().__init__()
        within("model.stride", stride, 1)
        self.window_frames, self.stride, self.fastest = window_frames, stride, fastest
        self.view_hw = (int(view_hw[0]), int(view_hw[1]))
        self.segmenter = AnomalySegmenter(1, window_frames, widths, fastest)
        self.attributes = Attributes(exemplars, most_frames, memory_s)
        self.register_buffer("joins", torch.ones(()))
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))
        self.register_buffer("limit", torch.zeros(()))
        self.register_buffer("mean_frame", torch.zeros(0))
        self.register_buffer("scale", torch.ones(()))

    def keep(self, footage: NormalFrames, mean_frame: Tensor, spread: float) -> None:
        """Learn the attributes, and what the segmenter's pictures are measured against."""
        self.attributes.keep(footage, mean_frame, spread)
        self.mean_frame = self._views(mean_frame[None])[0]
        self.scale = torch.tensor(float(spread))

    def logits(self, clip: Tensor) -> Tensor:
        """Anomaly maps (B, T, h, w) of the segmenter, before the sigmoid."""
        return self.segmenter.logits(clip)

    def measure(
        self, frames: Tensor, state: State | None, *, skip_calm: bool = False
    ) -> tuple[Measured, State]:
        """Maps of both; see ``contract.Net.measure``.

        Calm windows of the segmenter are those of ``camera.calm``, in its small grey frames.
        """
        past, inner = _Past.unpacked(state)
        measured, inner = self.attributes.measure(frames, inner, skip_calm=skip_calm)
        if not float(self.joins):
            return measured, (*past.packed(), *inner)
        views = self._views(frames)
        windows = CalmWindows(self._reach)
        windows.restore(past.windows)
        calm = torch.zeros(len(views), dtype=torch.bool)
        if skip_calm:
            calm = torch.tensor([windows.push(view) for view in pictures_of(views)])
        line = views if past.views is None else torch.cat([past.views, views])
        answer = partial(self._logits, line, len(views))
        logits = taken_over(answer, calm, past.logits)
        z = ((logits - self.centre) / self.spread).clamp_min(0)
        z = torch.minimum(z, self.limit)
        whole = F.interpolate(z[:, None], measured.maps.shape[1:], mode="bilinear")[:, 0]
        maps = (measured.maps.square() + whole.square()).sqrt()
        kept = logits[-1:].clone() if skip_calm else None
        past = _Past(self._last(line), kept, windows.state())
        skipped = measured.skipped & calm
        return Measured(maps, measured.evidence, skipped), (*past.packed(), *inner)

    def left_out(self) -> list[Tensor]:
        """Those of the attributes, where they decide alone."""
        return [] if float(self.joins) else self.attributes.left_out()

    def evidence_of(self, frames: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Highest logit of each frame (n,), for ``settle``; goes on as ``measure`` does."""
        views = self._views(frames)
        line = torch.cat([*(state or ()), views])
        logits = self._logits(line, len(views), torch.ones(len(views), dtype=torch.bool))
        return logits.flatten(1).amax(dim=1), (self._last(line),)

    def settle(self, values: Tensor, *, learnt: bool) -> None:
        """Take what held-out normal frames say of the segmenter.

        Args:
            values: of ``evidence_of``, of frames that have a whole window before them.
            learnt: whether its training got below a constant answer, so that it counts.
        """
        self.joins = torch.tensor(float(learnt and len(values) > 0))
        if not len(values):
            return
        centre = values.float().median()
        tail = torch.quantile(values.float(), 0.95)
        moments = len(values) / INDEPENDENT_FRAMES
        weight = MOST_WEIGHT * min(1.0, moments / FULL_MOMENTS)
        self.centre = centre
        self.spread = ((tail - centre) / TAIL).clamp_min(LEAST_SPREAD) / weight
        self.limit = torch.tensor(weight * NormalDist().inv_cdf(1 - 1 / (moments + 2)))

    def reason(self, evidence: Tensor, place: tuple[float, float]) -> Reason:
        """Why a place is unusual: the attribute's words, else that the shape or motion is new."""
        found = self.attributes.reason(evidence, place)
        return found if found.words else found._replace(words=FOUND_BY_NET)

    def examples(self) -> Tensor:
        """Those of the attributes."""
        return self.attributes.examples()

    def _views(self, frames: Tensor) -> Tensor:
        """Frames (n, C, H, W), uint8 or in [0, 1], as the segmenter sees them, (n, 1, h, w)."""
        assert self.view_hw is not None
        return seen_small(frames, self.view_hw)

    @property
    def _reach(self) -> int:
        """Frames from the first to the last of a window of the segmenter."""
        return (self.window_frames - 1) * self.stride

    def _last(self, line: Tensor) -> Tensor:
        """The last of the frames (n, 1, h, w), as many as a window looks back."""
        return line[max(0, len(line) - self._reach) :].clone()

    def _logits(self, line: Tensor, count: int, seen: Tensor) -> Tensor:
        """Smoothed logits (m, h, w) of the segmenter for the windows that end at some frames.

        Frames without a whole window before them get the lowest logit.

        Args:
            line: (n, 1, h, w), frames in order.
            count: of the frames at its end, from which
            seen: (count,) bool selects m.
        """
        steps = torch.arange(-self._reach, 1, self.stride, device=line.device)
        last = torch.arange(len(line) - count, len(line), device=line.device)[seen]
        whole = last >= self._reach
        lowest = torch.logit(torch.tensor(EDGE, device=line.device))
        logits = lowest.expand(len(last), *line.shape[2:]).clone()
        if whole.any() and len(self.mean_frame):
            clips = line[last[whole, None] + steps].transpose(1, 2)  # (n, 1, T, h, w)
            clips = (clips - self.mean_frame[:, None]) / self.scale
            shares = torch.sigmoid(self.segmenter.logits(clips)[:, -1].float())
            side = max(1, round(BOX * line.shape[2])) | 1
            smooth = F.avg_pool2d(shares[:, None], side, 1, side // 2, count_include_pad=False)
            logits[whole] = torch.logit(smooth[:, 0].clamp(EDGE, 1 - EDGE))
        return logits

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """The mean frame takes the size that was saved."""
        if f"{prefix}mean_frame" in state_dict:
            self.mean_frame = torch.empty_like(state_dict[f"{prefix}mean_frame"])
        super()._load_from_state_dict(state_dict, prefix, *args)
