"""Settings of `tlae serve` and `tlae serve zmq`; see ``tlae.config``."""

from dataclasses import dataclass, field

from tlae.image_sets.settings import ImageFilterConfig
from tlae.setting_rules import require_device, within


@dataclass
class ExploreConfig:
    """A set of pictures that is explored beside the cameras, at /explore/.

    Attributes:
        path: folder written by describe; `explore=FOLDER` is short; null: there is none.
        descriptor: which of its descriptors; null: the only one.
        labels: folder or table written by cluster, for the same pictures.
    """

    path: str | None = None
    descriptor: str | None = None
    labels: str | None = None


@dataclass
class ServeConfig:
    """`tlae serve`.

    Attributes:
        models: folder of models: <id>/model.safetensors and <id>.safetensors.
        host: address to listen on; other than this machine's: see the warning.
        port: 0: any free one.
        token_file: text file with a password that clients must send; null: none.
        device: auto, cpu, cuda, cuda:1, mps.
        threads: of the processor, for each request that scores; more suit few cameras.
        most_models: in memory; of others the one not asked for longest makes room.
        most_sessions: cameras at the same time.
        explore: a set of pictures that the page links to.
        state: folder in which sessions and marks of events outlive the server; null: they do not.
        idle_s: a session without a request for so long is closed [s].
        most_jobs: uploaded videos, of which finished ones make room.
        most_mb: of a request without a video.
        most_video_mb: of an uploaded video.
        most_megapixels: of a picture; larger ones are refused before they are decoded.
        requests_per_s: of one client, in the long run.
    """

    models: str = "checkpoints"
    host: str = "127.0.0.1"
    port: int = 8000
    token_file: str | None = None
    device: str = "auto"
    threads: int = 1
    most_models: int = 8
    most_sessions: int = 16
    explore: ExploreConfig = field(default_factory=ExploreConfig)
    state: str | None = None
    idle_s: float = 600.0
    most_jobs: int = 8
    most_mb: float = 64.0
    most_video_mb: float = 2048.0
    most_megapixels: float = 34.0
    requests_per_s: float = 500.0

    def __post_init__(self) -> None:
        """Refuse what nobody can serve."""
        within("port", self.port, 0, 65_535)
        require_device(self.device)
        within("threads", self.threads, 1, 1024)
        for name in ("most_models", "most_sessions", "most_jobs"):
            within(name, getattr(self, name), 1, 1000)
        within("most_megapixels", self.most_megapixels, 0, 178, open_low=True)
        for name in ("idle_s", "most_mb", "most_video_mb", "requests_per_s"):
            within(name, getattr(self, name), 0, open_low=True)


@dataclass
class ServeZmqConfig(ImageFilterConfig):
    """`tlae serve zmq`.

    Attributes:
        host: address to listen on; other than this machine's: see the warning.
        port: 0: any free one.
        side_px: of bare pictures; null: 512, or 448 where the length fits that alone.
        most_mb: of a message; the connection of a client that sends more is closed.
    """

    host: str = "127.0.0.1"
    port: int = 7777
    side_px: int | None = None
    most_mb: float = 256.0

    def __post_init__(self) -> None:
        """Refuse what nobody can listen with."""
        super().__post_init__()
        within("port", self.port, 0, 65_535)
        within("side_px", self.side_px, 2, 10_000)
        within("most_mb", self.most_mb, 0, open_low=True)
