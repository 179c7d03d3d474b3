"""What can be asked of a scene, and what can happen in it."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tlae.errors import UserError

SMALLEST_PX = 32
SHORTEST_FRAMES = 8


class AnomalyKind(StrEnum):
    """Things that can happen beside the normal coming and going."""

    FAST_MOVER = "fast_mover"  # a cyclist
    BIG_OBJECT = "big_object"  # a utility cart
    LEFT_BEHIND = "left_behind"  # someone drops a suitcase, which stays
    WRONG_DIRECTION = "wrong_direction"  # a walker against the stream of a one-way lane
    APPEARING_OBJECT = "appearing_object"  # a crate pops into view
    LIGHT_FLASH = "light_flash"  # brighter for a few frames: not an anomaly


class StreetKind(StrEnum):
    """Further things that can happen, in the street only."""

    WRONG_PLACE = "wrong_place"  # a walker on the grass; counts as long as it is there
    STOPPING = "stopping"  # someone who stands still for a while, where nobody does


Kind = AnomalyKind | StreetKind


class Depth(StrEnum):
    """How far away, and so how large, an event is to be seen; in the street only."""

    NEAR = "near"  # people fill up to half of the picture's height
    MIDDLE = "middle"
    FAR = "far"  # people fill a fifteenth


class View(StrEnum):
    """What the camera looks at."""

    SIDE = "side"  # a plaza, from a roof: everyone is about as large as everyone else
    DEEP = "deep"  # along a street, from a low post: near people are seven times as tall as far


DEFAULT_WALKERS = {View.SIDE: 9.0, View.DEEP: 14.0}


@dataclass(frozen=True, slots=True)
class SceneEvent:
    """Something that happens in a clip.

    Attributes:
        kind: what it is.
        first_frame: first frame (0-based) with it: a mover begins to enter the picture, a suitcase
            stands on the ground, a crate is there, the light is up.
        last_frame: after it the thing is gone. None lets it end by itself: movers leave the
            picture, things stay to the end of the clip, a flash lasts half a second.
        depth: where in the street it happens; None leaves it to chance. The plaza has no depth.
    """

    kind: Kind
    first_frame: int
    last_frame: int | None = None
    depth: Depth | None = None


@dataclass(frozen=True)
class SceneOptions:
    """Everything that decides the bytes of a scene.

    Attributes:
        seed: of all chance.
        size_hw: height and width in pixels, even, at least 32.
        fps: frames per second.
        train_clips: clips without anomalies to learn from.
        train_frames: frames in each of them.
        test_clips: clips with events.
        test_frames: frames in each of them.
        walkers: mean number of people on their way, of whom some are just outside the picture;
            null: 9 on the plaza, 14 in the street.
        noise_sigma: standard deviation of the sensor noise, in grey levels of 255.
        jpeg_quality: of the stored frames, 1 to 100.
        view: ``side`` (a plaza, seen from a roof) or ``deep`` (along a street).
    """

    seed: int = 0
    size_hw: tuple[int, int] = (240, 360)
    fps: float = 10.0
    train_clips: int = 1
    train_frames: int = 2400
    test_clips: int = 10
    test_frames: int = 200
    walkers: float | None = None
    noise_sigma: float = 2.0
    jpeg_quality: int = 92
    view: str = View.SIDE

    def __post_init__(self) -> None:
        if self.view not in tuple(View):
            raise UserError(
                f"scene view must be {' or '.join(View)}, got {self.view}; choose one of them"
            )
        if any(side < SMALLEST_PX or side % 2 for side in self.size_hw):
            raise UserError(
                f"scene size_hw must be even and >= {SMALLEST_PX}, got {self.size_hw}; "
                "use for example 240 and 360"
            )
        for name, value, low, high in (
            ("seed", self.seed, 0, 2**63),
            ("fps", self.fps, 1, 120),
            ("train_clips", self.train_clips, 1, 999),
            ("train_frames", self.train_frames, SHORTEST_FRAMES, 99_999),
            ("test_clips", self.test_clips, 1, 999),
            ("test_frames", self.test_frames, SHORTEST_FRAMES, 99_999),
            ("walkers", self.mean_walkers, 0, 200),
            ("noise_sigma", self.noise_sigma, 0, 50),
            ("jpeg_quality", self.jpeg_quality, 1, 100),
        ):
            if not low <= value <= high:
                cure = "raise" if value < low else "lower"
                raise UserError(f"scene {name} must be in {low} to {high}, got {value}; {cure} it")

    @property
    def mean_walkers(self) -> float:
        """Mean number of people on their way."""
        return DEFAULT_WALKERS[View(self.view)] if self.walkers is None else self.walkers

    def as_json(self) -> dict[str, Any]:
        """Plain values that compare equal after a round trip through JSON."""
        facts = {
            **asdict(self),
            "size_hw": list(self.size_hw),
            "walkers": self.mean_walkers,
            "view": str(self.view),
        }
        if self.view == View.SIDE:
            del facts["view"]  # so that scenes from before there was a choice are known again
        return facts
