"""What every net offers, so that one training module and one scorer serve them all."""

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn

from tlae.measuring import Carried, Measurer, Reason
from tlae.models.view import pictures_of

State = tuple[Tensor, ...]  # what a net carries from frame to frame


class NormalFrames(Protocol):
    """The training frames, as a net that keeps some of them may ask for them."""

    @property
    def interval_s(self) -> float:
        """Median time from frame to frame [s]."""
        ...

    @property
    def watched(self) -> Tensor | None:
        """(H, W) bool, False where nothing counts; None: everywhere."""
        ...

    def every(self) -> Tensor:
        """All frames in order, (N, C, H, W) uint8."""
        ...

    def lengths(self, most: int) -> list[int]:
        """Number of frames of each stretch that ``stretches`` gives."""
        ...

    def stretches(self, most: int) -> Iterator[Iterable[Tensor]]:
        """Stretches of time without a gap, each in pieces (n, C, H, W) uint8.

        All footage if it has at most so many frames, else stretches spread evenly over it.
        """
        ...

    def followed(self, most: int) -> Iterator[Iterable[tuple[Tensor, Tensor]]]:
        """The same stretches for a net that carries something along from frame to frame.

        Neighbouring stretches come as one, with the held-out frames between them: pieces
        (n, C, H, W) uint8, and (n,) bool, which frames are to learn from. Over all pieces, these
        are the frames of ``stretches``, in order.
        """
        ...

    def glances(self, count: int, length: int) -> Iterator[Tensor]:
        """At most so many short stretches (``length``, C, H, W) uint8, spread evenly."""
        ...

    def backgrounds(self, count: int) -> Tensor:
        """The scene in its different lights, without what comes and goes.

        Returns:
            (n, C, H, W) in [0, 1], n <= ``count``.
        """
        ...

    def with_things(self, frames: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Draw things into stills, and change their light as it changes by itself; wet the lens.

        Args:
            frames: (n, C, H, W) in [0, 1], near in time.
            generator: of all chance.

        Returns:
            The stills, and (n, H, W), 1 where a thing is.
        """
        ...

    def of_all_times(self, count: int) -> Tensor:
        """Frames spread evenly over the footage, in order: (``count``, C, H, W) in [0, 1]."""
        ...


class Measured(NamedTuple):
    """What a net that measures says of n frames.

    Attributes:
        maps: (n, H, W), >= 0.
        evidence: (n, E, h, w), what ``Net.reason`` needs of each place.
        skipped: (n,) bool, which frames were calm and not looked at as a whole.
    """

    maps: Tensor
    evidence: Tensor
    skipped: Tensor


class Net(nn.Module):
    """Clip in, clip out; a subclass says what differs from the defaults here.

    A net that rebuilds or predicts defines ``forward``. A net that segments defines ``logits``
    instead: it answers with the anomaly map itself, its target is zero everywhere, and it is
    trained on normal clips into which pseudo-anomalies are planted. A net that measures keeps what
    it needs of the training frames, answers frame by frame with the map, and can give a reason for
    it; it streams. It defines ``measurer``, which looks at frames with numpy and OpenCV, and
    ``maps_of``, which makes maps of what that gives.

    Attributes:
        planted: kind of the pseudo-anomalies that a net which segments is trained with; None: the
            net rebuilds or predicts.
        fastest: how many times the normal speed planted things reach.
        ahead: frames by which a net predicts; 0: it rebuilds.
        streams: whether the net carries a state from frame to frame, see ``carry``.
        measures: whether the net answers with ``measure``.
        blind_frames: of a net that measures, frames at the start of a run that get no verdict.
        view_hw: size of the grey frames that the part of the net that is trained sees (see
            ``view.small_and_grey``); None: it sees the frames as they are.
        settles: whether numbers are fitted to held-out frames after training.

    Shapes:
        clip: (B, C, T, H, W), float32, in units of the frames' spread around the mean frame.
        forward(clip), target(clip): (B, C, K, H, W): the last K <= T frames, rebuilt and as they
        are.
    """

    planted: ClassVar[Literal["moving", "still"] | None] = None
    fastest: int = 1
    ahead: int = 0
    view_hw: tuple[int, int] | None = None
    streams: ClassVar[bool] = False
    measures: ClassVar[bool] = False
    blind_frames: ClassVar[int] = 1
    settles: ClassVar[bool] = False

    @property
    def segments(self) -> bool:
        """Whether the net answers with the anomaly map itself instead of with frames."""
        return self.planted is not None

    @property
    def answers_maps(self) -> bool:
        """Whether the net answers with the anomaly map itself, and rebuilds nothing."""
        return self.segments or self.measures

    def target(self, clip: Tensor) -> Tensor:
        """Select the frames of ``clip`` that ``forward`` answers for; for maps, nothing unusual."""
        if self.answers_maps:
            return torch.zeros_like(clip)
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

    def measurer(self) -> Measurer | None:
        """What looks at frames for a net that measures; None: nothing was learnt yet."""
        return None

    def maps_of(self, inputs: dict[str, Tensor], size_hw: tuple[int, int]) -> Tensor:
        """Maps (n, H, W), >= 0, of a net that measures.

        Args:
            inputs: (n, ...) each, see ``measuring.Seen``.
            size_hw: of the frames.
        """
        raise NotImplementedError

    def measure(
        self, frames: Tensor, state: State | None, *, skip_calm: bool = False
    ) -> tuple[Measured, State]:
        """Go on with further frames of a run: piece by piece gives what the whole run gives.

        The first ``blind_frames`` of a run get no verdict.

        Args:
            frames: (n, C, H, W), uint8 or in [0, 1].
            state: what the call before returned; None at the start of a run.
            skip_calm: whether frames in which nothing happens need not be looked at as a whole;
                a net says how it knows.
        """
        device, size_hw = frames.device, (frames.shape[2], frames.shape[3])
        measurer = self.measurer()
        if measurer is None:
            looked_at = torch.zeros(len(frames), dtype=torch.bool)
            nothing = torch.zeros(len(frames), *size_hw, device=device)
            return Measured(nothing, torch.zeros(len(frames), 0, 1, 1), looked_at), ()
        before = arrays_of(state or ())
        seen, carried = measurer.see(pictures_of(frames), before, skip_calm=skip_calm)
        inputs = {name: torch.from_numpy(part).to(device) for name, part in seen.inputs.items()}
        evidence = torch.from_numpy(seen.evidence).to(device)
        maps = self.maps_of(inputs, size_hw)
        return Measured(maps, evidence, torch.from_numpy(seen.skipped)), tensors_of(carried)

    def reason(self, evidence: Tensor, place: tuple[float, float]) -> Reason:
        """Why a place of a frame is unusual.

        Args:
            evidence: (E, h, w), of ``measure``.
            place: row and column, as shares of the picture, in [0, 1).
        """
        measurer = self.measurer()
        if measurer is None or not evidence.numel():
            return Reason("")
        return measurer.reason(evidence.cpu().numpy(), place)

    def examples(self) -> Tensor:
        """Pictures of normal things, (n, h, w, C) uint8; empty where the net keeps none."""
        measurer = self.measurer()
        if measurer is None:
            return torch.zeros(0, 1, 1, 1, dtype=torch.uint8)
        return torch.from_numpy(measurer.examples())

    def evidence_of(self, frames: Tensor, state: State | None) -> tuple[Tensor, State]:
        """What ``settle`` needs of each frame of a run, (n,), and a state; here not needed.

        Args:
            frames: (n, C, H, W) in [0, 1].
            state: what the call before returned; None at the start of a run.
        """
        raise NotImplementedError

    def settle(self, values: Tensor, *, learnt: bool) -> None:
        """Fit the last numbers to held-out frames, after training; see ``settles``.

        Args:
            values: of ``evidence_of``, (n,).
            learnt: whether the training got well below a constant answer.
        """
        raise NotImplementedError

    def left_out(self) -> list[Tensor]:
        """Scores of the training frames, each while it was left out of what is kept.

        They add to those of held-out footage, where that is short. Known after ``keep`` alone.

        Returns:
            One (n,) for each of the stretches that ``keep`` learnt from, NaN where there is no
            verdict; empty where a net has none.
        """
        return []

    def keep(self, footage: NormalFrames, mean_frame: Tensor, spread: float) -> None:
        """Keep what the net needs of the training frames, before it is fitted; here nothing.

        Args:
            footage: the training frames.
            mean_frame: (C, H, W) and
            spread: of the clips that the net will get, see ``Standardised``.
        """


def arrays_of(state: State) -> Carried:
    """What a measurer carries on, of tensors."""
    return tuple(part.cpu().numpy() for part in state)


def tensors_of(carried: Carried) -> State:
    """The same as tensors."""
    return tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in carried)
