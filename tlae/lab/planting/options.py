"""What can be asked of planted footage, and what can be planted."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tlae.errors import UserError

SHORTEST_CLIP = 10  # frames
SMALLEST_PX = 16


class Kind(StrEnum):
    """What a test clip shows."""

    NORMAL = "normal"
    FAST = "fast"  # everything moves at 2, 3 or 4 times its speed
    REVERSED = "reversed"  # everything moves backwards
    PASTED = "pasted"  # a thing from another time where nothing normally moves
    STOPPED = "stopped"  # a moving thing stands still where nobody does
    BIG = "big"  # a thing from another time, 2 to 3 times its size, among the others


EVENTS: tuple[Kind, ...] = tuple(kind for kind in Kind if kind is not Kind.NORMAL)
STRENGTH_UNITS = {
    Kind.NORMAL: "",
    Kind.FAST: "times normal speed",
    Kind.REVERSED: "times normal speed",
    Kind.PASTED: "px a frame",
    Kind.STOPPED: "px a frame",
    Kind.BIG: "times its size",
}


class CannotPlantError(UserError):
    """The footage offers nothing for this kind of event; the message says what it lacks."""


@dataclass(frozen=True)
class PlantOptions:
    """Everything besides the footage that decides the bytes of planted footage.

    Attributes:
        parts: equal parts of the footage's time, each of which gives training, then test frames;
            several let the training part see what becomes normal only later.
        train_share: share of the frames, from the first on, for training; in (0, 1).
        train_frames: only the last so many of them, evenly from the parts; None: all.
        clips: test clips, a quarter of them without an event.
        clip_frames: frames in each of them, at least 10.
        size_hw: pictures are shrunk to this height and width in pixels; None: as filmed.
        seed: of all chance.
    """

    parts: int = 1
    train_share: float = 0.6
    train_frames: int | None = 300
    clips: int = 16
    clip_frames: int = 90
    size_hw: tuple[int, int] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.train_share < 1:
            raise UserError(
                f"train_share must be in (0, 1), got {self.train_share:g}; 0.6 is typical"
            )
        for name, value, low, high in (
            ("parts", self.parts, 1, 9999),
            ("train_frames", self.train_frames, 1, 10**9),
            ("clips", self.clips, 1, 9999),
            ("clip_frames", self.clip_frames, SHORTEST_CLIP, 99_999),
            ("seed", self.seed, 0, 2**63),
            ("size_hw", None if self.size_hw is None else min(self.size_hw), SMALLEST_PX, 4096),
        ):
            if value is not None and not low <= value <= high:
                cure = "raise" if value < low else "lower"
                raise UserError(f"{name} must be in {low} to {high}, got {value}; {cure} it")

    @property
    def event_frames(self) -> int:
        """Length of an event: a third of the clip."""
        return self.clip_frames // 3

    @property
    def gap_frames(self) -> int:
        """Frames left out between training and test footage."""
        return self.event_frames

    def as_json(self) -> dict[str, Any]:
        """Plain values that compare equal after a round trip through JSON."""
        return {**asdict(self), "size_hw": None if self.size_hw is None else list(self.size_hw)}
