"""The camera's mean frame around a net: what is always there need not be learned."""

import torch
from torch import Tensor, nn

from tlae.attributes.background import Image
from tlae.attributes.small_grey import small_and_grey
from tlae.measuring import Measurer, Reason
from tlae.models.contract import Measured, Net, NormalFrames, State
from tlae.models.view import seen_small


class Standardised(nn.Module):
    """Give the inner net clips minus the mean frame, in units of their spread; undo it after.

    With a last layer that starts at zero the first answer is the mean frame, and training can only
    improve on it. Mean-frame subtraction as in Chong & Tay 2017, section 3.1.

    Args:
        net: any net of the contract; it sees zero-mean clips of about unit spread.
        mean_frame: (C, H, W) in [0, 1].
        spread: standard deviation of frames around the mean frame, one number > 0.
    """

    mean_frame: Tensor
    spread: Tensor
    viewed_mean: Tensor  # the mean frame as ``view`` gives it, (C', h, w)

    def __init__(self, net: Net, mean_frame: Tensor, spread: float) -> None:
        super().__init__()
        if not spread > 0:
            raise ValueError(
                f"spread must be > 0, got {spread}; frames without change teach nothing"
            )
        self.net = net
        self.register_buffer("mean_frame", mean_frame.float())
        self.register_buffer("spread", torch.tensor(float(spread)))
        viewed = self.mean_frame
        if net.view_hw is not None:
            viewed = seen_small(self.mean_frame[None], net.view_hw)[0]
        self.register_buffer("viewed_mean", viewed, persistent=False)

    def forward(self, clip: Tensor) -> Tensor:
        """Rebuild (B, C, T, H, W) in [0, 1]-like units, not clamped; or segment, in [0, 1].

        Of a net that measures: maps of the clips, each from its first frame on.
        """
        if self.measures:
            maps = [self.measure(frames.transpose(0, 1), None)[0].maps for frames in clip]
            return torch.stack(maps)[:, None].expand_as(clip)
        if self.segments:
            return self.shares(clip)
        mean = self.mean_frame[:, None]  # (C, 1, H, W)
        answer: Tensor = self.net((clip - mean) / self.spread)
        return answer.float() * self.spread + mean

    def target(self, clip: Tensor) -> Tensor:
        """Frames that ``forward`` answers for."""
        return self.net.target(clip)

    @property
    def segments(self) -> bool:
        """Whether the inner net answers with the anomaly map itself instead of with frames."""
        return self.net.segments

    @property
    def answers_maps(self) -> bool:
        """Whether the inner net answers with the anomaly map itself, and rebuilds nothing."""
        return self.net.answers_maps

    def logits(self, clip: Tensor) -> Tensor:
        """Anomaly maps (B, T, H, W) before the sigmoid, of a net that segments.

        Args:
            clip: as its ``view_hw`` says.
        """
        return self.net.logits(self.standardise(clip))

    def keep(self, footage: NormalFrames) -> None:
        """Let the inner net keep what it needs of the training frames."""
        self.net.keep(footage, self.mean_frame, float(self.spread))

    def standardise(self, clip: Tensor) -> Tensor:
        """(B, C, T, H, W), as ``view_hw`` says, less the mean frame, in spreads."""
        return (clip - self.viewed_mean[:, None]) / self.spread

    def shares(self, clip: Tensor) -> Tensor:
        """Probabilities (B, C, T, H, W) that a net that segments gives, the same in all channels.

        Args:
            clip: as its ``view_hw`` says.
        """
        share = torch.sigmoid(self.logits(clip).float())
        return share[:, None].expand_as(clip)

    def view(self, frames: Image) -> Image:
        """Frames (n, H, W, C) as the part of the net that is trained sees them."""
        size_hw = self.net.view_hw
        return frames if size_hw is None else small_and_grey(frames, size_hw)

    @property
    def measures(self) -> bool:
        """Whether the inner net measures frames as they are, see ``contract.Net.measure``."""
        return self.net.measures

    @property
    def blind_frames(self) -> int:
        """Frames at the start of a run that get no verdict of a net that measures."""
        return self.net.blind_frames

    @property
    def settles(self) -> bool:
        """Whether numbers are fitted to held-out frames after training; see ``contract.Net``."""
        return self.net.settles

    @property
    def streams(self) -> bool:
        """Whether the inner net carries a state from frame to frame."""
        return self.net.streams

    def measure(
        self, frames: Tensor, state: State | None, *, skip_calm: bool = False
    ) -> tuple[Measured, State]:
        """Measure frames as they are; see ``contract.Net.measure``."""
        return self.net.measure(frames, state, skip_calm=skip_calm)

    def measurer(self) -> Measurer | None:
        """What looks at frames for a net that measures; see ``contract.Net.measurer``."""
        return self.net.measurer()

    def maps_of(self, inputs: dict[str, Tensor], size_hw: tuple[int, int]) -> Tensor:
        """Maps of a net that measures; see ``contract.Net.maps_of``."""
        return self.net.maps_of(inputs, size_hw)

    def left_out(self) -> list[Tensor]:
        """Scores of training frames that were left out; see ``contract.Net.left_out``."""
        return self.net.left_out()

    def evidence_of(self, frames: Tensor, state: State | None) -> tuple[Tensor, State]:
        """What ``settle`` needs of frames as they are; see ``contract.Net.evidence_of``."""
        return self.net.evidence_of(frames, state)

    def settle(self, values: Tensor, *, learnt: bool) -> None:
        """Fit the last numbers to held-out frames; see ``contract.Net.settle``."""
        self.net.settle(values, learnt=learnt)

    def reason(self, evidence: Tensor, place: tuple[float, float]) -> Reason:
        """Why a place is unusual; see ``contract.Net.reason``."""
        return self.net.reason(evidence, place)

    def examples(self) -> Tensor:
        """Pictures of normal things; see ``contract.Net.examples``."""
        return self.net.examples()

    def carry(self, clip: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Go on from ``state`` with a net that streams; see ``contract.Net.carry``."""
        mean = self.mean_frame[:, None]
        answer, state = self.net.carry((clip - mean) / self.spread, state)
        return answer.float() * self.spread + mean, state
