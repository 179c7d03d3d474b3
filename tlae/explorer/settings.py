"""Settings of `tlae explore`; see ``tlae.config``."""

from dataclasses import dataclass

from omegaconf import MISSING

from tlae.setting_rules import within


@dataclass
class ExploreConfig:
    """`tlae explore`.

    Attributes:
        descriptors: folder written by describe.
        descriptor: which of its descriptors; null: the only one.
        labels: folder or table written by cluster, for the same pictures.
        export: write this HTML page instead of serving one.
        host: address to listen on; other than this machine's: see the warning.
        port: 0: any free one.
        open: open the page in the browser.
        processes: jobs computed at the same time.
    """

    descriptors: str = MISSING
    descriptor: str | None = None
    labels: str | None = None
    export: str | None = None
    host: str = "127.0.0.1"
    port: int = 8765
    open: bool = False
    processes: int = 1

    def __post_init__(self) -> None:
        """Refuse what nobody can serve."""
        within("port", self.port, 0, 65_535)
        within("processes", self.processes, 1, 1024)
