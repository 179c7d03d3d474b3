"""Settings of `tlae fleet`; see ``tlae.config``."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from tlae.config_parts import PRECISIONS, FootageConfig, PathsConfig, ScoringConfig
from tlae.fleet.shards import parse_shard
from tlae.scoring.event_options import EventRule
from tlae.setting_rules import one_of, require_device, within

PROCESSES, RAY = "processes", "ray"  # engines


@dataclass
class FleetConfig:
    """`tlae fleet`.

    Attributes:
        footage: folder of cameras: <camera>/<day>/..., or a video or zip file for each day.
        models: a model file for all cameras, or a folder with <camera>/model.safetensors or
            <camera>.safetensors, or .onnx.
        out: folder for parts, jobs and the merged tables; continued where it was begun.
        shard: 2/4 takes the second of four shares of the jobs and merges nothing; null: all jobs.
        engine: processes (of this machine), ray.
        workers: jobs at a time on this machine; null: as many as it has cores / threads.
        threads: of a job.
        tries: of a job whose process dies.
        address: of a Ray cluster, HOST:PORT or auto; null: a Ray on this machine alone.
        gpus: share of a GPU that Ray gives to a job.
        scoring: from error to alarm.
        events: when alarms are one event.
        batch_frames: frames that the net answers for at once.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: calibrated (as in the model file), float32, bfloat16.
        keep_rebuilt: store what the net expected, for layout=side_by_side.
        paths: where decoded frames lie; those of a job go when it is done.
        overwrite: replace parts that another model wrote, or of footage that changed.
    """

    footage: FootageConfig = field(default_factory=FootageConfig)
    models: str = MISSING
    out: str = MISSING
    shard: str | None = None
    engine: str = PROCESSES
    workers: int | None = None
    threads: int = 1
    tries: int = 3
    address: str | None = None
    gpus: float = 0.0
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    events: EventRule = field(default_factory=EventRule)
    batch_frames: int = 16
    device: str = "auto"
    precision: str = PRECISIONS[0]
    keep_rebuilt: bool = False
    paths: PathsConfig = field(default_factory=PathsConfig)
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no fleet can be."""
        parse_shard(self.shard)
        one_of("engine", self.engine, (PROCESSES, RAY))
        within("workers", self.workers, 1, 1024)
        within("threads", self.threads, 1, 1024)
        within("tries", self.tries, 1, 100)
        within("gpus", self.gpus, 0, 64)
        within("batch_frames", self.batch_frames, 1, 4096)
        one_of("precision", self.precision, PRECISIONS)
        require_device(self.device)
        self.scoring.require_consistent()
        if self.address is not None and self.engine != RAY:
            raise ValueError(f"address needs engine=ray, got {self.address!r}; give that too")
        if self.gpus and self.engine != RAY:
            raise ValueError(f"gpus needs engine=ray, got {self.gpus:g}; give that too")
