"""What every net offers, so that one training module and one scorer serve them all."""

from typing import Protocol

from torch import Tensor

State = tuple[Tensor, ...]  # what a net carries from frame to frame


class Net(Protocol):
    """Clip in, clip out; ``forward`` and ``target`` have equal shapes.

    Shapes:
        clip: (B, C, T, H, W), float32 in [0, 1].
        forward(clip), target(clip): (B, C, K, H, W): the last K <= T frames, rebuilt and as they
        are.
    """

    def __call__(self, clip: Tensor) -> Tensor:
        """Rebuild or predict the frames that ``target`` selects."""
        ...

    def target(self, clip: Tensor) -> Tensor:
        """Select the frames of ``clip`` that ``forward`` answers for."""
        ...


class JudgingNet(Protocol):
    """A net whose answer is the anomaly map of each frame; its target is zero everywhere.

    It is trained on normal clips with pseudo-anomalies planted into them.
    """

    judges: bool

    def logits(self, clip: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B, T, H, W), before the sigmoid."""
        ...

    def target(self, clip: Tensor) -> Tensor:
        """Zeros (B, C, T, H, W)."""
        ...


class StreamingNet(Net, Protocol):
    """A net that can go on from where it was: piece by piece gives what the whole clip gives."""

    def carry(self, clip: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Answer for every frame of one more piece of footage, of any length.

        Args:
            clip: (B, C, T, H, W).
            state: what the call before returned; None at the start of a clip.

        Returns:
            (B, C, T, H, W), and the state to pass on.
        """
        ...
