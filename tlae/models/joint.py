"""Attributes and a segmenter joined: one names what it measures, the other sees shapes."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tlae.attributes.measurer import MEASURED
from tlae.attributes.normal import TAIL
from tlae.attributes.windows import WHOLE, WINDOW, JointMeasurer, Windows
from tlae.models.attributes import Attributes
from tlae.models.calm import taken_over
from tlae.models.contract import Measured, Net, NormalFrames, State, arrays_of, tensors_of
from tlae.models.segmenter import AnomalySegmenter
from tlae.models.view import pictures_of, seen_small
from tlae.setting_rules import within

BOX = 0.05  # side of the box that smooths the segmenter's map, in picture heights
INDEPENDENT_FRAMES = 10  # so many held-out frames count as one independent moment
MOST_WEIGHT = 2.0  # of the segmenter's deviation beside that of the attributes
FULL_MOMENTS = 30  # independent held-out moments from which on it has that weight
LEAST_SPREAD = 0.3  # of the segmenter's logits in normal footage
EDGE = 1e-4  # probabilities are kept so far from 0 and 1


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
        fastest: how many times the normal speed its pseudo-anomalies reach, >= 2.
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
        assert self.view_hw is not None
        self.mean_frame = seen_small(mean_frame[None], self.view_hw)[0]
        self.scale = torch.tensor(float(spread))

    def logits(self, clip: Tensor) -> Tensor:
        """Anomaly maps (B, T, h, w) of the segmenter, before the sigmoid."""
        return self.segmenter.logits(clip)

    def measurer(self) -> JointMeasurer | None:
        """What measures the attributes, and cuts windows where the segmenter counts."""
        attributes = self.attributes.measurer()
        if attributes is None:
            return None
        return JointMeasurer(attributes, self._windows if float(self.joins) else None)

    def maps_of(self, inputs: dict[str, Tensor], size_hw: tuple[int, int]) -> Tensor:
        """Maps of both; see ``contract.Net.maps_of``."""
        if WINDOW not in inputs:
            return inputs[MEASURED]
        logits = self._logits(inputs[WINDOW], inputs[WHOLE])
        return self._joined(inputs[MEASURED], logits, size_hw)

    def measure(
        self, frames: Tensor, state: State | None, *, skip_calm: bool = False
    ) -> tuple[Measured, State]:
        """Maps of both; see ``contract.Net.measure``.

        Calm windows of the segmenter are those of ``camera.calm``, in its small grey frames.
        """
        measurer = self.measurer()
        if measurer is None or not float(self.joins):
            return super().measure(frames, state, skip_calm=skip_calm)
        known, *carried = state or (torch.zeros(0),)  # its last logits, and what is measured
        seen, after = measurer.see(
            pictures_of(frames), arrays_of(tuple(carried)), skip_calm=skip_calm
        )
        inputs = {name: torch.from_numpy(part) for name, part in seen.inputs.items()}
        windows, whole = inputs[WINDOW], inputs[WHOLE]

        def answer(chosen: Tensor) -> Tensor:
            return self._logits(windows[chosen].to(frames.device), whole[chosen].to(frames.device))

        logits = taken_over(answer, torch.from_numpy(seen.repeats), known if len(known) else None)
        measured = Measured(
            self._joined(inputs[MEASURED].to(frames.device), logits, frames.shape[2:]),
            torch.from_numpy(seen.evidence).to(frames.device),
            torch.from_numpy(seen.skipped),
        )
        kept = logits[-1:].clone() if skip_calm else torch.zeros(0)
        return measured, (kept, *tensors_of(after))

    def left_out(self) -> list[Tensor]:
        """Those of the attributes, where they decide alone."""
        return [] if float(self.joins) else self.attributes.left_out()

    def evidence_of(self, frames: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Highest logit of each frame (n,), for ``settle``; goes on as ``measure`` does."""
        ended, carried = self._windows.see(pictures_of(frames), arrays_of(state or ()))
        windows, whole = (torch.from_numpy(part) for part in (ended.frames, ended.whole))
        logits = self._logits(windows.to(frames.device), whole.to(frames.device))
        return logits.flatten(1).amax(dim=1), tensors_of(carried)

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

    @property
    def _windows(self) -> Windows:
        """Of the segmenter."""
        assert self.view_hw is not None
        return Windows(self.window_frames, self.stride, self.view_hw)

    def _logits(self, windows: Tensor, whole: Tensor) -> Tensor:
        """Smoothed logits (n, h, w) of the segmenter.

        Frames without a whole window before them get the lowest logit.

        Args:
            windows: (n, T, h, w) uint8.
            whole: (n,), 0 where it is none.
        """
        clips = (windows[:, None].float() / 255 - self.mean_frame[:, None]) / self.scale
        shares = torch.sigmoid(self.segmenter.logits(clips)[:, -1].float())
        side = max(1, round(BOX * self._windows.size_hw[0])) | 1
        smooth = F.avg_pool2d(shares[:, None], side, 1, side // 2, count_include_pad=False)
        logits = torch.logit(smooth[:, 0].clamp(EDGE, 1 - EDGE))
        lowest = torch.logit(torch.tensor(EDGE, device=windows.device))
        return torch.where(whole[:, None, None] > 0, logits, lowest)

    def _joined(self, measured: Tensor, logits: Tensor, size_hw: Sequence[int]) -> Tensor:
        """Maps (n, H, W), of those of the attributes and logits (n, h, w) of the segmenter."""
        z = ((logits - self.centre) / self.spread).clamp_min(0)
        z = torch.minimum(z, self.limit)
        whole = F.interpolate(z[:, None], tuple(size_hw), mode="bilinear")[:, 0]
        return (measured.square() + whole.square()).sqrt()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """The mean frame takes the size that was saved."""
        if f"{prefix}mean_frame" in state_dict:
            self.mean_frame = torch.empty_like(state_dict[f"{prefix}mean_frame"])
        super()._load_from_state_dict(state_dict, prefix, *args)
