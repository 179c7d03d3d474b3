"""What can be asked of a drawn site."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tlae.errors import UserError

SMALLEST_PX = 96
DAY_MINUTES = 24 * 60


class SiteView(StrEnum):
    """What the camera looks at."""

    CARPARK = "carpark"  # cars come and go; lamps, a barrier, a delivery van
    GARDEN = "garden"  # plants grow, chairs are moved, laundry dries, a cat passes


@dataclass(frozen=True)
class SiteOptions:
    """Everything that decides the bytes of a site.

    Attributes:
        view: ``carpark`` or ``garden``.
        days: normal days to learn from, in ``Train``.
        test_days: days after them, in ``Test/clean``, and once more with things in
            ``Test/planted``; 0 writes no ``Test``.
        things_a_day: planted things for each test day, in the mean.
        every_minutes: between two stills; a divisor of a day.
        start: first day, YYYY-MM-DD; the sun and the seasons follow it (48 degrees north).
        size_hw: height and width in pixels.
        noise_sigma: standard deviation of the sensor noise by day, in grey levels of 255; some
            three times as much at night.
        shake_px: standard deviation of the camera's movement, in pixels.
        jpeg_quality: of the stored frames, 1 to 100.
        seed: of all chance.
    """

    view: str = SiteView.CARPARK
    days: int = 14
    test_days: int = 0
    things_a_day: float = 4.0
    every_minutes: int = 15
    start: str = "2024-03-01"
    size_hw: tuple[int, int] = (384, 512)
    noise_sigma: float = 1.5
    shake_px: float = 0.25
    jpeg_quality: int = 92
    seed: int = 0

    def __post_init__(self) -> None:
        if self.view not in tuple(SiteView):
            raise UserError(
                f"site view must be {' or '.join(SiteView)}, got {self.view}; choose one of them"
            )
        wrong = [side for side in self.size_hw if side < SMALLEST_PX or side % 2]
        if len(self.size_hw) != 2 or wrong:
            raise UserError(
                f"site size_hw must be [height,width], even and >= {SMALLEST_PX}, got "
                f"{list(self.size_hw)}; use for example [384,512]"
            )
        try:
            datetime.strptime(self.start, "%Y-%m-%d")
        except ValueError as error:
            raise UserError(
                f"site start must be a date as in 2024-03-01, got {self.start}; write it so"
            ) from error
        for name, value, low, high in (
            ("days", self.days, 1, 3660),
            ("test_days", self.test_days, 0, 3660),
            ("things_a_day", self.things_a_day, 0, 50),
            ("every_minutes", self.every_minutes, 1, DAY_MINUTES),
            ("noise_sigma", self.noise_sigma, 0, 50),
            ("shake_px", self.shake_px, 0, 10),
            ("jpeg_quality", self.jpeg_quality, 1, 100),
            ("seed", self.seed, 0, 2**63),
        ):
            if not low <= value <= high:
                cure = "raise" if value < low else "lower"
                raise UserError(f"site {name} must be in {low} to {high}, got {value}; {cure} it")
        if DAY_MINUTES % self.every_minutes:
            raise UserError(
                f"site every_minutes must divide a day of {DAY_MINUTES} minutes, got "
                f"{self.every_minutes}; use for example 15"
            )

    @property
    def frames_a_day(self) -> int:
        """Number of stills in a day."""
        return DAY_MINUTES // self.every_minutes

    @property
    def all_days(self) -> int:
        """Days to learn from and days to test on."""
        return self.days + self.test_days

    def taken_at(self, frame: int) -> datetime:
        """Wall-clock time of a frame, counted from the first of ``Train``."""
        first = datetime.strptime(self.start, "%Y-%m-%d")
        return first + timedelta(minutes=frame * self.every_minutes)

    def as_json(self) -> dict[str, Any]:
        """Plain values that compare equal after a round trip through JSON."""
        return {**asdict(self), "size_hw": list(self.size_hw), "view": str(self.view)}
