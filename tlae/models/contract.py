"""What every net offers, so that one training module and one scorer serve them all."""

from typing import ClassVar, Literal, Protocol

from torch import Tensor, nn

State = tuple[Tensor, ...]  # what a net carries from frame to frame


class NormalFrames(Protocol):
    """The training frames, as a net that keeps some of them may ask for them."""

    def every(self) -> Tensor:
        """All frames in order, (N, C, H, W) uint8."""
        ...

    def backgrounds(self, count: int) -> Tensor:
        """The scene in its different lights, without what comes and goes.

        Returns:
            (n, C, H, W) in [0, 1], n <= ``count``.
        """
        ...

    def of_all_times(self, count: int) -> Tensor:
        """Frames spread evenly over the footage, in order: (``count``, C, H, W) in [0, 1]."""
        ...


class Net(nn.Module):
    """Clip in, clip out; a subclass says what differs from the defaults here.

    A net that rebuilds or predicts defines ``forward``. A net that segments defines ``logits``
    instead: it answers with the anomaly map itself, its target is zero everywhere, and it is
    trained on normal clips into which pseudo-anomalies are planted.

    Attributes:
        planted: kind of the pseudo-anomalies that a net which segments is trained with; None: the
            net rebuilds or predicts.
        fastest: how many times the normal speed planted things reach.
        ahead: frames by which a net predicts; 0: it rebuilds.
        streams: whether the net carries a state from frame to frame, see ``carry``.

    Shapes:
        clip: (B, C, T, H, W), float32, in units of the frames' spread around the mean frame.
        forward(clip), target(clip): (B, C, K, H, W): the last K <= T frames, rebuilt and as they
        are.
    """

    planted: ClassVar[Literal["moving", "still"] | None] = None
    fastest: int = 1
    ahead: int = 0
    streams: ClassVar[bool] = False

    @property
    def segments(self) -> bool:
        """Whether the net answers with the anomaly map itself instead of with frames."""
        return self.planted is not None

    def target(self, clip: Tensor) -> Tensor:
        """Select the frames of ``clip`` that ``forward`` answers for."""
        raise NotImplementedError

    def logits(self, clip: Tensor) -> Tensor:
        """Anomaly maps (B, T, H, W) before the sigmoid, of a net that segments."""
        raise NotImplementedError

    def carry(self, clip: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Answer for one more piece of footage: piece by piece gives what the whole clip gives.

        Args:
            clip: (B, C, T, H, W), T of any length.
            state: what the call before returned; None at the start of a clip.

        Returns:
            (B, C, T, H, W), and the state to pass on.
        """
        raise NotImplementedError

    def keep(self, footage: NormalFrames, mean_frame: Tensor, spread: float) -> None:
        """Keep what the net needs of the training frames, before it is fitted; here nothing.

        Args:
            footage: the training frames.
            mean_frame: (C, H, W) and
            spread: of the clips that the net will get, see ``Standardised``.
        """
