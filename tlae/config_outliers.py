"""Settings of the commands that sort large sets of pictures; see ``config.py``."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from tlae.setting_rules import LARGE, one_of, require_device, share, within

SCALERS = ("none", "standard", "robust", "minmax", "l2")


@dataclass
class RunPathsConfig:
    """Where a fitted model goes."""

    checkpoints: str = "checkpoints"  # fit writes <checkpoints>/<name>/


@dataclass
class PreparationConfig:
    """What descriptors go through before an estimator."""

    scaler: str = "none"  # none, standard, robust, minmax, l2
    pca: float | None = None  # principal components, or the share of variance to keep; null: all
    whiten: bool = False  # all components get the same spread

    def __post_init__(self) -> None:
        """Refuse what prepares nothing."""
        one_of("scaler", self.scaler, SCALERS)
        within("pca", self.pca, 0, 100_000, open_low=True)


@dataclass
class ClusterConfig(PreparationConfig):
    """`tlae cluster`."""

    descriptors: str = MISSING  # folder written by describe
    descriptor: str | None = None  # which one, where the folder holds several
    method: str = "hdbscan"
    k: str | None = None  # number of clusters, or a span to choose from: 2..20
    pca: float | None = 50
    min_size: int | None = None  # of a cluster (density methods); null: a hundredth of the pictures
    neighbours: int = 10  # that make a place dense, and of the neighbour graph
    eps: float | None = None  # radius of dbscan and optics; null: the knee of the distances
    most_rows: int | None = None  # fit to so many pictures; null: as the method allows
    stability: int = 0  # pairs of random parts that are clustered and compared
    against: str | None = None  # hour: agreement with the hour of day
    compare: str | None = None  # labels.parquet or .csv of another clustering
    images: str | None = None  # where the pictures are now, if they moved since
    samples: int = 20  # pictures of each cluster on its sheet; 0: no sheets
    out: str | None = None  # null: clusters/<descriptors>-<descriptor>-<method>
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no groups."""
        super().__post_init__()
        within("min_size", self.min_size, 2)
        within("neighbours", self.neighbours, 1, 10_000)
        within("eps", self.eps, 0, open_low=True)
        within("most_rows", self.most_rows, 2)
        within("stability", self.stability, 0, 1000)
        within("samples", self.samples, 0, 10_000)
        within("seed", self.seed, 0, 2**32 - 1)


@dataclass
class ExploreConfig:
    """`tlae explore`."""

    descriptors: str = MISSING  # folder written by describe
    descriptor: str | None = None  # which of its descriptors; null: the only one
    labels: str | None = None  # folder or table written by cluster, for the same pictures
    export: str | None = None  # write this HTML page instead of serving one
    host: str = "127.0.0.1"  # address to listen on; other than this machine's: see the warning
    port: int = 8765  # 0: any free one
    open: bool = False  # open the page in the browser
    processes: int = 1  # jobs computed at the same time

    def __post_init__(self) -> None:
        """Refuse what nobody can serve."""
        within("port", self.port, 0, 65_535)
        within("processes", self.processes, 1, 1024)


@dataclass
class DescriptorConfig:
    """How pictures are described; see `tlae describe --help`."""

    descriptor: str = "colour_histogram"
    weights: str = "random"  # local file (.safetensors, .pth), name on the hub (DEFAULT), random
    download: bool = False  # whether weights may be fetched from the hub
    image_size: int | None = None  # side of the net's square input [px]; null: as published
    fit: str = "stretch"  # show the net the whole picture (stretch), or its centre (crop)
    bins: tuple[int, int, int] = (4, 6, 3)  # of the colour histogram: hue, saturation, value
    clip_model: str = "ViT-B-32"  # of OpenCLIP
    model_file: str | None = None  # written by `tlae train`; for descriptor=model, error
    pool: int = 4  # their maps are averaged over so many places down and across
    precision: str = "float32"  # of a net's arithmetic: float32, bfloat16
    seed: int = 0  # of everything random

    def __post_init__(self) -> None:
        """Refuse what describes nothing."""
        within("image_size", self.image_size, 1, 8192)
        one_of("fit", self.fit, ("stretch", "crop"))
        for bins in self.bins:
            within("bins", bins, 1, 256)
        within("pool", self.pool, 1, 1024)
        one_of("precision", self.precision, ("float32", "bfloat16"))
        within("seed", self.seed, 0, 2**32 - 1)


@dataclass
class DescribeConfig(DescriptorConfig):
    """`tlae describe`."""

    images: str | None = None  # folder, picture, video, zip file or glob pattern
    out: str = MISSING  # descriptor store; further descriptors of the same images join it
    name: str | None = None  # of the descriptor in the store; null: as the descriptor is called
    tiles: int | None = None  # cut every picture into n x n tiles; null: whole pictures
    tiles_hw: tuple[int, int] | None = None  # cut into so many down and across; wins over tiles
    from_file: str | None = None  # import descriptors: .npy, .npz, .csv, .parquet, .pkl
    ids: str | None = None  # their names, one per row: .txt, .csv, .parquet, .npy
    id_column: str | None = None  # column of names; null: the first of text
    dtype: str = "float32"  # of the stored numbers: float32, float16 (half the space)
    batch_size: str = "auto"  # pictures at once; auto: as many as memory allows
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    time_pattern: str | None = None  # strptime pattern of the time in file names
    overwrite: bool = False  # replace a descriptor of the same name with other settings

    def __post_init__(self) -> None:
        """Refuse what cannot be stored."""
        super().__post_init__()
        within("tiles", self.tiles, 1, 1000)
        for tiles in self.tiles_hw or ():
            within("tiles_hw", tiles, 1, 1000)
        one_of("dtype", self.dtype, ("float32", "float16"))
        require_device(self.device)


@dataclass
class NoveltyFitConfig(DescriptorConfig, PreparationConfig):
    """`tlae novelty fit`."""

    images: str | None = None  # normal pictures: folder, picture, video, zip file or glob pattern
    descriptors: str | None = None  # or a folder written by describe
    unfiltered: str | None = None  # pictures or descriptors that may hold anything: on the page
    method: str = "isolation_forest"
    scaler: str = "standard"
    pca: float | None = 0.9
    name: str | None = None  # run folder; null: <images>-<method>
    folds: int = 5  # blocks held out in turn
    false_alarm_rate: float = 0.05  # share of normal pictures that may be called outliers
    threshold: float | None = None  # fixed; wins over the rate
    paths: RunPathsConfig = field(default_factory=RunPathsConfig)

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        DescriptorConfig.__post_init__(self)
        PreparationConfig.__post_init__(self)
        within("folds", self.folds, 2, 10_000)
        share("false_alarm_rate", self.false_alarm_rate)
        within("threshold", self.threshold, -LARGE)


@dataclass
class JudgeConfig:
    """What `tlae novelty score` and `tlae filter score` share."""

    model_file: str = MISSING  # written by fit
    images: str | None = None  # pictures to judge
    descriptors: str | None = None  # or a folder written by describe
    descriptor: str | None = None  # which one, where the folder holds several
    false_alarm_rate: float | None = None  # another budget than at fit
    threshold: float | None = None  # fixed; wins over the rate
    pictures: int = 200  # copies with the verdict drawn on, highest scores first; 0: none
    out: str | None = None  # null: scores/<model>-<images>

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        share("false_alarm_rate", self.false_alarm_rate)
        within("threshold", self.threshold, -LARGE)
        within("pictures", self.pictures, 0)
        if self.threshold is not None and self.false_alarm_rate is not None:
            raise ValueError("threshold and false_alarm_rate must not both be given; give one")


@dataclass
class NoveltyScoreConfig(JudgeConfig):
    """`tlae novelty score`."""


@dataclass
class FilterFitConfig(DescriptorConfig, PreparationConfig):
    """`tlae filter fit`."""

    good: str = MISSING  # pictures to keep; or descriptors, a folder written by describe
    bad: str = MISSING  # pictures to keep out
    method: str = "logistic_regression"  # or gradient_boosting
    scaler: str = "standard"
    quadrants: bool = False  # describe four quarters of each picture (image_size=448 for nets)
    name: str | None = None  # run folder; null: <good>-<bad>-<method>
    folds: int = 5  # of the cross-validation
    false_alarm_rate: float | None = None  # share of good pictures that may be called bad
    threshold: float = 0.5  # probability of being bad, where no rate is given
    paths: RunPathsConfig = field(default_factory=RunPathsConfig)

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        DescriptorConfig.__post_init__(self)
        PreparationConfig.__post_init__(self)
        within("folds", self.folds, 2, 10_000)
        share("false_alarm_rate", self.false_alarm_rate)
        within("threshold", self.threshold, 0, 1)


@dataclass
class FilterScoreConfig(JudgeConfig):
    """`tlae filter score`."""


OUTLIER_SCHEMAS: dict[str, type] = {
    "describe_schema": DescribeConfig,
    "cluster_schema": ClusterConfig,
    "explore_schema": ExploreConfig,
    "novelty_fit_schema": NoveltyFitConfig,
    "novelty_score_schema": NoveltyScoreConfig,
    "filter_fit_schema": FilterFitConfig,
    "filter_score_schema": FilterScoreConfig,
}
