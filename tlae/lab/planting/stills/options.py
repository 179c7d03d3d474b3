"""What can be asked of time-lapse footage with planted objects, and what its parts are called."""

from dataclasses import asdict, dataclass
from typing import Any

from tlae.errors import UserError

FAMILIES = ("box", "person", "vehicle", "bag", "patch")  # of planted objects, see ``figures``

# Clips of the test part; besides them one for each nuisance.
CALIBRATION = "calibration"  # planted-free, of the days before the test
CLEAN = "clean"  # the test days as they are
PLANTED = "planted-"  # and a number: the test days with objects
OBJECTS = "planted.csv"  # one row per planted object

SMALLEST_PX = 64  # height of written pictures
SMALLEST_OBJECT_PX = 3


@dataclass(frozen=True)
class StillOptions:
    """Everything besides the footage that decides the bytes of planted stills.

    Attributes:
        split: days to train on, to calibrate on, to test on, one after the other; or their shares
            of all days, if they add up to at most 1.
        rounds: times that the test days are planted, each time with other objects.
        sizes: heights of objects in frame heights, in (0, 0.5].
        contrasts: differences of objects to the brightness of their place, in shares of it.
        stands: numbers of frames that objects stand.
        pause_frames: frames without an object between two.
        height_px: pictures are shrunk to this height before anything is planted.
        seed: of all chance.
    """

    split: tuple[float, ...] = (8.0, 1.0, 3.0)
    rounds: int = 4
    sizes: tuple[float, ...] = (0.015, 0.03, 0.06, 0.12)
    contrasts: tuple[float, ...] = (0.1, 0.25, 0.5)
    stands: tuple[int, ...] = (1, 3)
    pause_frames: int = 1
    height_px: int = 384
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.split) != 3 or min(self.split) <= 0:
            raise UserError(
                "stills.split must be three numbers > 0 (days to train on, calibrate on, test "
                f"on), got {list(self.split)}; [8,1,3] is typical"
            )
        for name, values, low, high in (
            ("sizes", self.sizes, 0.005, 0.5),
            ("contrasts", self.contrasts, 0.01, 0.9),
            ("stands", self.stands, 1, 1000),
            ("rounds", (self.rounds,), 1, 100),
            ("pause_frames", (self.pause_frames,), 0, 1000),
            ("height_px", (self.height_px,), SMALLEST_PX, 4096),
            ("seed", (self.seed,), 0, 2**63),
        ):
            wrong = [value for value in values if not low <= value <= high]
            if wrong or not values:
                got = f"{wrong[0]:g}" if wrong else "none"
                where = "" if name == "seed" else "stills."
                raise UserError(f"{where}{name} must be in {low:g} to {high:g}, got {got}")

        if min(self.sizes) * self.height_px < SMALLEST_OBJECT_PX:
            raise UserError(
                f"stills.sizes must be >= {SMALLEST_OBJECT_PX} px of "
                f"stills.height_px={self.height_px}, got {min(self.sizes):g} "
                f"({min(self.sizes) * self.height_px:.1f} px); raise one of them"
            )

    def days_of(self, days: int) -> tuple[int, int, int]:
        """Days to train on, to calibrate on and to test on, of so many.

        Raises:
            UserError: they are fewer than asked for.
        """
        shares = sum(self.split) <= 1 + 1e-9
        wanted = [part * days if shares else part for part in self.split]
        train, calibrate, test = (max(1, round(part)) for part in wanted)
        if train + calibrate + test > days:
            raise UserError(
                f"stills.split={[f'{part:g}' for part in self.split]} needs "
                f"{train + calibrate + test} days of footage, got {days}; add footage or split it "
                "otherwise, for example by shares: stills.split=[0.67,0.08,0.25]".replace("'", "")
            )
        return train, calibrate, test

    def as_json(self) -> dict[str, Any]:
        """Plain values that compare equal after a round trip through JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
