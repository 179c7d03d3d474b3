"""Settings of `tlae feed`; see ``tlae.config``."""

from dataclasses import dataclass

from omegaconf import MISSING

from tlae.image_sets.perceptual_hash import NEAR
from tlae.image_sets.settings import ImageFilterConfig
from tlae.setting_rules import one_of, within

DAY_S = 86_400.0


@dataclass
class FeedConfig(ImageFilterConfig):
    """`tlae feed`.

    Attributes:
        url: of an RSS, Atom or JSON feed; a name and password in it go to that address alone.
        out: folder for pictures that are kept, with a table; continued where it was begun.
        left: folder for pictures that are left; null: they are not stored.
        once: end after one look at the feed.
        interval_s: time between two looks; longer where the feed asks for it.
        delay_s: time between two requests to one server; longer where its robots.txt asks for it.
        timeout_s: a server must answer within this time.
        most_mb: of a picture.
        most_megapixels: of a picture; larger ones are refused before they are decoded.
        least_side_px: pictures with a shorter side are left unjudged: icons, counters.
        duplicate_bits: perceptual hashes that differ in at most so many of their 64 bits are of
            the same picture; null: only the same bytes are.
        robots: take only pictures that robots.txt of their server allows.
        user_agent: how requests introduce themselves; null: tlae and its version.
        log: plain lines, or json.
    """

    url: str = MISSING
    out: str = MISSING
    left: str | None = None
    once: bool = False
    interval_s: float = 900.0
    delay_s: float = 1.0
    timeout_s: float = 20.0
    most_mb: float = 50.0
    most_megapixels: float = 100.0
    least_side_px: int = 64
    duplicate_bits: int | None = NEAR
    robots: bool = True
    user_agent: str | None = None
    log: str = "plain"

    def __post_init__(self) -> None:
        """Refuse what no server should be asked."""
        super().__post_init__()
        within("interval_s", self.interval_s, 0, 365 * DAY_S, open_low=True)
        within("delay_s", self.delay_s, 0, DAY_S)
        within("timeout_s", self.timeout_s, 0, 600, open_low=True)
        within("most_mb", self.most_mb, 0, 1000, open_low=True)
        within("most_megapixels", self.most_megapixels, 0, 178, open_low=True)
        within("least_side_px", self.least_side_px, 2, 100_000)
        within("duplicate_bits", self.duplicate_bits, 0, 32)
        one_of("log", self.log, ("plain", "json"))
        agent = self.user_agent
        if agent is not None and not (agent.isascii() and agent.isprintable() and agent.strip()):
            raise ValueError(f"user_agent must be printable ASCII, got {agent!r}")
